"""Papers of the run phase: contexts for the document templates, and the act of making each.

The papers are Chinese whatever language the signer works in, so their words do not go through gettext.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from filings.accuracy import intervals, thresholds, verdicts
from filings.accuracy.thresholds import Threshold
from filings.accuracy.verdicts import M1Verdict, M2Verdict
from filings.enums import FindingKind, FindingSource, FindingState
from filings.models import Bulletin, Finding, Inspection, InspectionItem, Rectification, Sanction
from filings.periods import Period, months
from filings.rules import RULE_VERSION
from filings.selectors.targets import targets
from filings.services.figures import figures
from pilot.charts import Bar, bar_chart
from pilot.enums import OrganisationKind
from pilot.models import Document, Organisation, Programme, TransitionRecord
from pilot.pdf import cn_date
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters

VERDICT_WORDS: Final = {
    "": "--",
    M1Verdict.ACHIEVED: "达标",
    M1Verdict.NOT_ACHIEVED: "不达标",
    M1Verdict.UNDECIDED: "尚不能判定",
}
FIGURE_NAMES: Final = {"frame": "M1（总体）", "process": "M1（过程）", "forms": "M2"}
M1_NAME: Final = "主体真实身份信息准确率"
M2_NAME: Final = "核验单信息准确率"
FIELD_WORDS: Final = {
    "subject": "备案主体身份信息",
    "principal": "主体负责人身份信息",
    "identity": "主体身份信息",
    "form": "核验单其他信息",
}
CLAUSE: Final = "第四部分第（二）项"
PLATFORM: Final = "试点管理平台"


def field_words(field: str) -> str:
    """The words for the field of a finding; a field named by an official stands as it is."""
    return FIELD_WORDS.get(field, field)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _ministry() -> Organisation:
    return Organisation.objects.get(kind=OrganisationKind.MINISTRY)


# --- rectification --------------------------------------------------------------------------------
def make_rectification_letter(*, order: Rectification, at: datetime, reason: str = "") -> Document:
    """The order of the present round; ``reason`` says why the answer of the round before was not enough."""
    issuer = people.bureau_of(order.unit.province)
    found = list(order.findings.select_related("form").order_by("pk"))
    context = {
        **letters.head(
            programme=order.unit.programme, issuer=issuer, addressee=order.unit.organisation.name, at=at
        ),
        "order_number": order.number,
        "period": _span(found),
        "answer_until": letters.last_day(order.due_at) if order.due_at else "",
        "round": order.round,
        "basis": f"{CLAUSE}关于督促网络接入服务提供者严格落实试点工作要求的规定",
        "figures": _order_figures(order, found),
        "facts": [
            {
                "form_no": finding.form.form_no,
                "item": field_words(finding.field),
                "message": finding.description.rstrip("。"),
            }
            for finding in found
            if finding.state != FindingState.OVERTURNED
        ],
        "measures": [*_lines(order.measures), *([f"上一轮整改未通过：{reason}"] if reason else [])],
    }
    return documents.make(
        case=order,
        kind="rectification",
        title=f"关于限期整改电子化核验差错的函{f'（第{order.round}轮）' if order.round > 1 else ''}",
        template="documents/letter_rectification.html",
        context=context,
        at=at,
    )


def _span(found: list[Finding]) -> str:
    days = sorted(finding.day for finding in found)
    spans = months(days[0], days[-1])
    return spans[0].words if len(spans) == 1 else f"{spans[0].words}至{spans[-1].words}"


def _order_figures(order: Rectification, found: list[Finding]) -> list[dict[str, Any]]:
    """Both figures of every month concerned, recounted from the forms: an order rests on nothing stored."""
    m1, m2 = targets(order.unit.programme)
    lines = []
    for period in sorted({Period.month_of(finding.day).name for finding in found}):
        counted = figures(unit=order.unit, period=period)
        for key, name, target in (("m1", M1_NAME, m1), ("m2", M2_NAME, m2)):
            lines.append(
                {
                    "name": f"{Period.parse(period).words}{name}",
                    "shown": counted[key]["shown"],
                    "errors": counted[key]["errors"],
                    "n": counted[key]["n"],
                    "requirement": requirement(target),
                    "conclusion": {True: "达到要求", False: "未达到要求", None: "没有可计数的核验单"}[
                        counted[key]["met"]
                    ],
                }
            )
    return lines


def requirement(target: Threshold) -> str:
    """What a threshold demands in running text: 不低于99.95%, 100%."""
    share = thresholds.percent((target.per - target.allowed) * thresholds.PPM // target.per)
    number = share.rstrip("%").rstrip("0").rstrip(".")
    return f"不低于{number}%" if target.allowed else f"{number}%"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


# --- sanction -------------------------------------------------------------------------------------
SANCTION_TITLES: Final = {
    "hearing": "关于拟对参与电子化核验试点单位作出处理的告知函",
    "imposed": "关于对参与电子化核验试点单位作出处理的函",
    "lifted": "关于恢复参与电子化核验试点的函",
}
CONSEQUENCES: Final = {
    "suspension": "暂停期间采集的核验单不予接收；生效前已采集的核验单可以继续报送。",
    "removal": "生效后采集的核验单不予接收；此前的数据予以保留，准确率不再变动。",
}


def make_sanction_letter(
    *,
    sanction: Sanction,
    stage: str,
    at: datetime,
    effect_from: datetime | None = None,
    reason: str = "",
) -> Document:
    """The letter of a stage: ``hearing``, ``imposed`` or ``lifted`` (the last with its effect and its reason)."""
    unit = sanction.unit
    issuer = sanction.proposer_organisation if stage == "hearing" else _ministry()
    effect = effect_from or sanction.effect_from
    context = {
        **letters.head(programme=unit.programme, issuer=issuer, addressee=unit.organisation.name, at=at),
        "stage": stage,
        "action": str(sanction.get_kind_display()),
        "unit_code": unit.code,
        "rule": sanction.basis,
        "facts": _lines(reason if stage == "lifted" else sanction.grounds),
        "statement_until": letters.last_day(sanction.due_at) if sanction.due_at else "",
        "effective_on": cn_date(local_day(effect)) if effect else "",
        "imposed_number": sanction.number,
        "heard": _heard(sanction),
        "consequences": [CONSEQUENCES[sanction.kind]],
        "objection": {"until": _objection_until(unit.programme, at), "channel": PLATFORM},
    }
    return documents.make(
        case=sanction,
        kind=f"sanction-{stage}",
        title=SANCTION_TITLES[stage],
        template="documents/letter_sanction.html",
        context=context,
        at=at,
    )


def _heard(sanction: Sanction) -> str:
    if sanction.statement:
        return "你单位提交的陈述申辩已经复核，所述理由不影响上述事实的认定。"
    return "你单位在期限内未提出陈述申辩。"


def _objection_until(programme: Programme, at: datetime) -> str:
    days = programmes.rule(programme, "objection_days")
    return letters.last_day(programmes.deadline(programme, start=at, days=days))


# --- inspection -----------------------------------------------------------------------------------
def make_inspection_report(*, inspection: Inspection, at: datetime) -> Document:
    """The report: commitment, frame, draw, what was found, and what the sample lets one say."""
    items = list(inspection.items.select_related("form", "read_by"))
    unit = inspection.unit
    context = {
        "programme": letters.programme_words(unit.programme),
        "issuer": inspection.organisation.name,
        "inspection_number": inspection.number,
        "unit": unit.organisation.name,
        "unit_code": unit.code,
        "period": Period.parse(inspection.period).words,
        "concluded_on": cn_date(local_day(at)),
        "rule_version": RULE_VERSION,
        "commitment": {"seed_hash": inspection.seed_hash, "published_at": _committed_at(inspection)},
        "frame": {
            "size": inspection.frame_size,
            "digest": inspection.frame_digest,
            "frozen_at": _stamp(inspection.drawn_at or at),
        },
        "seed": inspection.seed,
        "drawn_at": _stamp(inspection.drawn_at or at),
        "sample_size": len(items),
        "strata": [],
        "rows": [
            {"form_no": item.form.form_no, "stratum": "", "result": _result(item), "remark": item.remark}
            for item in items
        ],
        "figures": inspection_figures(inspection, items),
        "conclusion": inspection.conclusion,
        "inspectors": sorted({item.read_by.name for item in items if item.read_by}),
    }
    return documents.make(
        case=inspection,
        kind="inspection-report",
        title="电子化核验单抽查报告",
        template="documents/inspection_report.html",
        context=context,
        at=at,
    )


def _committed_at(inspection: Inspection) -> str:
    step = TransitionRecord.objects.get(machine=Inspection.slug(), object_id=inspection.pk, name="commit")
    return _stamp(step.at)


def _result(item: InspectionItem) -> str:
    return "一致" if item.identity_right and item.form_right else "差错"


def inspection_figures(inspection: Inspection, items: list[InspectionItem]) -> list[dict[str, Any]]:
    """M1 on the frame and on the process, and M2: errors, bounds, verdict; what was overturned is no error."""
    n = len(items)
    m1, _m2 = targets(inspection.unit.programme)
    confidence = Fraction(programmes.rule(inspection.unit.programme, "verdict_confidence") or "0.95")
    m1_errors, m2_errors = standing_errors(items)
    frame = inspection.frame_size or 0
    on_frame = verdicts.frame_verdict(m1_errors, drawn=n, frame=frame, threshold=m1, confidence=confidence)
    fewest, most = intervals.frame_error_bounds(m1_errors, drawn=n, frame=frame, confidence=confidence)
    bounds = intervals.Interval(Fraction(frame - most, frame), Fraction(frame - fewest, frame))
    on_process = verdicts.process_verdict(m1_errors, n, m1, confidence)
    process = intervals.Interval(
        intervals.process_lower_bound(m1_errors, n, confidence),
        intervals.process_upper_bound(m1_errors, n, confidence),
    )
    shown = thresholds.shown(m1_errors, n).rstrip("%")
    on_forms = verdicts.form_verdict(m2_errors, n) or M2Verdict.NO_ERROR_FOUND
    return [
        _figure("frame", m1_errors, n, shown, bounds.shown, on_frame),
        _figure("process", m1_errors, n, shown, process.shown, on_process),
        _figure("forms", m2_errors, n, thresholds.shown(m2_errors, n).rstrip("%"), "--", on_forms),
    ]


def _figure(key: str, errors: int, n: int, shown: str, interval: str, verdict: str) -> dict[str, Any]:
    """One line; ``key`` and ``code`` let a page say in another language what the paper says in Chinese."""
    words = f"未发现差错（抽查{n}份）" if verdict == M2Verdict.NO_ERROR_FOUND else VERDICT_WORDS[verdict]
    return {
        "key": key,
        "name": FIGURE_NAMES[key],
        "errors": errors,
        "n": n,
        "shown": shown,
        "interval": interval.replace("%", ""),
        "code": str(verdict),
        "verdict": words,
    }


def standing_errors(items: list[InspectionItem]) -> tuple[int, int]:
    """How many drawn forms have an identity error, and any error, leaving out what was overturned since."""
    overturned = set(
        Finding.unscoped.filter(
            form__in=[item.form_id for item in items],
            source=FindingSource.INSPECTION,
            state=FindingState.OVERTURNED,
        ).values_list("form_id", "kind")
    )

    def stands(item: InspectionItem, right: bool | None, kind: str) -> bool:
        return right is False and (item.form_id, kind) not in overturned

    identity = [stands(item, item.identity_right, FindingKind.IDENTITY) for item in items]
    other = [
        stands(item, item.form_right, FindingKind.FORM) and item.identity_right is True for item in items
    ]
    return sum(identity), sum(a or b for a, b in zip(identity, other, strict=True))


# --- bulletin -------------------------------------------------------------------------------------
def make_bulletin(*, bulletin: Bulletin, at: datetime) -> Document:
    """The paper of a bulletin, from its frozen figures alone."""
    frozen = bulletin.figures
    period = Period.parse(bulletin.period)
    context = {
        "programme": letters.programme_words(bulletin.programme),
        "issuer": _ministry().name,
        "bulletin_number": str(bulletin.sequence),
        "period": period.words,
        "window": f"{_stamp(period.opens)} 至 {_stamp(period.closes)}（不含）"
        if period.opens and period.closes
        else "",
        "as_of": _stamp(bulletin.as_of),
        "rule_version": frozen["rule_version"],
        "published_on": cn_date(local_day(at)),
        "targets": frozen["targets"],
        "rows": [_bulletin_row(unit) for unit in frozen["units"]],
        "totals": _bulletin_line(frozen["totals"]),
        "chart_title": "各试点单位M1差错数（份）",
        "chart_svg": error_chart(frozen["units"]) if frozen["units"] else "",
        "adjustments": [adjustment_words(change) for change in frozen["adjustments"]],
        "corrects": f"{bulletin.corrects.number}通报" if bulletin.corrects else "",
    }
    return documents.make(
        case=bulletin,
        kind="bulletin",
        title=f"电子化核验试点运行情况通报（{period.words}）",
        template="documents/bulletin.html",
        context=context,
        at=at,
    )


def error_chart(units: list[dict[str, Any]]) -> str:
    """M1 errors per unit as bars, for the paper and the page."""
    return bar_chart("各试点单位M1差错数（份）", [Bar(unit["name"], unit["m1"]["errors"]) for unit in units])


def adjustment_words(change: dict[str, Any]) -> str:
    """An adjustment of a published month in words: errors / n before and after, of each figure that moved."""
    before, after = change["before"], change["after"]
    parts = [
        f"{name}由{before[f'{key}_errors']}/{before[f'{key}_n']}改为{after[f'{key}_errors']}/{after[f'{key}_n']}"
        for key, name in (("m1", "M1差错/计数"), ("m2", "M2差错/计数"))
        if (before[f"{key}_errors"], before[f"{key}_n"]) != (after[f"{key}_errors"], after[f"{key}_n"])
    ]
    return f"{Period.parse(change['period']).words}{change['name']}：{'，'.join(parts)}。"


def _bulletin_row(unit: dict[str, Any]) -> dict[str, Any]:
    return {
        **_bulletin_line(unit),
        "name": unit["name"],
        "province": unit["province"],
        "m1_interval": unit["interval"].replace("%", "").replace(" ～ ", "–"),
        "m1_verdict": VERDICT_WORDS[unit["verdict"]],
        "m2_verdict": {True: "达到", False: "未达到", None: "--"}[unit["m2"]["met"]],
        "change": unit["change"],
    }


def _bulletin_line(line: dict[str, Any]) -> dict[str, Any]:
    counts = line["counts"]
    return {
        "submitted": line["submitted"],
        "accepted": line["accepted"],
        **{key: counts[key] for key in ("duplicates", "refused", "late", "pending", "undeterminable")},
        **{
            f"{key}_{part}": line[key][part] if part != "shown" else line[key][part].rstrip("%")
            for key in ("m1", "m2")
            for part in ("errors", "n", "shown")
        },
    }
