"""Papers of the run phase: contexts for the document templates, and the act of making each.

The papers are Chinese whatever language the signer works in, so their words do not go through gettext.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from filings.accuracy import thresholds
from filings.accuracy.thresholds import Threshold
from filings.enums import FindingState
from filings.models import Finding, Rectification, Sanction
from filings.periods import Period, months
from filings.phrases import field_words, lines
from filings.selectors.targets import targets
from filings.services import attachments
from filings.services.figures import figures
from pilot.enums import OrganisationKind
from pilot.language import on_record
from pilot.machines import Case
from pilot.models import Document, Organisation, Programme, TransitionRecord
from pilot.pdf import cn_date
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters

M1_NAME: Final = "主体真实身份信息准确率"
M2_NAME: Final = "核验单信息准确率"
CLAUSE: Final = "第四部分第（二）项"
PLATFORM: Final = "试点管理平台"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _ministry() -> Organisation:
    return Organisation.objects.get(kind=OrganisationKind.MINISTRY)


# --- rectification --------------------------------------------------------------------------------
def make_rectification_letter(*, order: Rectification, at: datetime, reason: str = "") -> Document:
    """The order of the present round; ``reason`` says why the answer of the round before was not enough."""
    issuer = people.bureau_of(order.unit.province)
    found = list(order.findings.exclude(state=FindingState.OVERTURNED).select_related("form").order_by("pk"))
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
        ],
        "repeats": order.repeat_of.number if order.repeat_of else "",
        "reasons": lines(order.reasons),
        "measures": [*lines(order.measures), *([f"上一轮整改未通过：{reason}"] if reason else [])],
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
    stated = []
    for period in sorted({Period.month_of(finding.day).name for finding in found}):
        counted = figures(unit=order.unit, period=period)
        m1, m2 = targets(order.unit.programme, Period.parse(period))
        for key, name, target in (("m1", M1_NAME, m1), ("m2", M2_NAME, m2)):
            stated.append(
                {
                    "name": f"{Period.parse(period).words}{name}",
                    "shown": counted[key]["shown"],
                    "errors": counted[key]["errors"],
                    "n": counted[key]["n"],
                    "requirement": requirement(target),
                    "conclusion": {True: "达线", False: "未达线", None: "没有可计数的核验单"}[
                        counted[key]["met"]
                    ],
                }
            )
    return stated


def requirement(target: Threshold) -> str:
    """What a threshold demands in running text: 不低于99.95%, 100%."""
    share = thresholds.percent((target.per - target.allowed) * thresholds.PPM // target.per)
    number = share.rstrip("%").rstrip("0").rstrip(".")
    return f"不低于{number}%" if target.allowed else f"{number}%"


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
        "action": _kind_words(sanction),
        "unit_code": unit.code,
        "rule": sanction.basis,
        "facts": [
            f"{line.rstrip('。；')}。" for line in lines(reason if stage == "lifted" else sanction.grounds)
        ],
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


def make_hearing_record(*, sanction: Sanction, at: datetime) -> Document:
    """陈述申辩记录: what the unit said and handed in, who received it, how it was judged; or that it said nothing."""
    unit = sanction.unit
    told = _step_of(sanction, "notify")
    closed = _step_of(sanction, "close_hearing")
    context = {
        "programme": letters.programme_words(unit.programme),
        "issuer": sanction.proposer_organisation.name,
        "number": sanction.number,
        "unit": unit.organisation.name,
        "unit_code": unit.code,
        "action": _kind_words(sanction),
        "rule": sanction.basis,
        "told_at": _stamp(told.at),
        "stated_at": _stamp(closed.at) if sanction.statement else "",
        "stated_by": closed.person.name if closed.person and sanction.statement else "",
        "statement": lines(sanction.statement),
        "files": [
            {
                "title": file.title,
                "kind": documents.suffix_of(file.content_type).upper(),
                "sha256": file.sha256,
            }
            for file in attachments.of(sanction)
        ],
        "received_by": sanction.heard_by.name if sanction.heard_by else "",
        "opinion": lines(sanction.hearing_opinion),
        "made_on": cn_date(local_day(at)),
    }
    return documents.make(
        case=sanction,
        kind="hearing-record",
        title="陈述申辩记录",
        template="documents/hearing_record.html",
        context=context,
        at=at,
    )


def _step_of(case: Case, name: str) -> TransitionRecord:
    steps = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk, name=name)
    return steps.select_related("person").latest("pk")


def _kind_words(sanction: Sanction) -> str:
    """Papers are Chinese whatever language the signer works in."""
    with on_record():
        return str(sanction.get_kind_display())


def _heard(sanction: Sanction) -> str:
    if sanction.statement:
        return f"你单位提交的陈述申辩已经复核：{sanction.hearing_opinion.rstrip('。')}。"
    return "你单位在期限内未提出陈述申辩。"


def _objection_until(programme: Programme, at: datetime) -> str:
    days = programmes.rule(programme, "objection_days")
    return letters.last_day(programmes.deadline(programme, start=at, days=days))
