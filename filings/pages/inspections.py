"""Inspections as the portal shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import InspectionState
from filings.forms.inspections import ConcludeForm, InspectionForm
from filings.models import Inspection, InspectionItem
from filings.pages import common, inspection_plan
from filings.selectors import inspections as selector
from filings.services import inspection_report, inspections
from pilot import policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm
from pilot.masking import staff
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import ActionItem, Checksum, Column, Fact, Row, Section, Tag

S = InspectionState
SHOWN = 500
NAMES = {
    "frame": gettext_lazy("M1（总体）"),
    "process": gettext_lazy("M1（过程）"),
    "forms": gettext_lazy("M2"),
}


def facts(inspection: Inspection, actor: Actor) -> list[Fact]:
    """What was inspected and what came of it, then the plan, and for officials whose plan and conclusion it is."""
    shown = [
        Fact(_("试点单位"), common.unit_link(inspection.unit)),
        Fact(_("检查单位"), inspection.organisation.name),
        Fact(_("抽查期间"), inspection.period_words),
    ]
    if inspection.result:
        shown += [Fact(_("抽查结论"), inspection.conclusion), Fact(_("统计结论"), verdicts(inspection))]
    shown += [
        Fact(_("样本量"), inspection.size, _whole(inspection)),
        *inspection_plan.plan_facts(
            str(inspection.get_strata_display()),
            risk=inspection.risk_ppm,
            tolerated=inspection.tolerated_ppm,
            accepted=inspection.accepted_errors,
            second=inspection.second_share,
            claimed=inspection.claimed_ppm,
        ),
    ]
    if actor.is_provider:
        return shown
    shown.append(Fact(_("计划人"), staff(inspection.planned_by)))
    if inspection.concluded_by:
        shown.append(Fact(_("结论人"), staff(inspection.concluded_by)))
    return shown


def verdicts(inspection: Inspection) -> list[Tag]:
    """The verdicts as concluded, each with the figure it is about; none before."""
    if not inspection.result:
        return []
    found = [(NAMES[f["key"]], _m(f)) for f in inspection.result["figures"]]
    return [Tag(f"{name} {tag.label}", tag.tone) for name, tag in found if tag]


def _errors(inspection: Inspection) -> str | None:
    """Errors of the identity and of the whole form as concluded."""
    if not inspection.result:
        return None
    errors = inspection.result["errors"]
    return f"M1 {errors['m1']}，M2 {errors['m2']}"


def _evidence(inspection: Inspection) -> list[Section]:
    """What anybody can draw the sample again with; the seed is shown from the draw on."""
    if not inspection.seed_hash:
        return []
    shown = [
        Fact(_("种子摘要"), Checksum(inspection.seed_hash), _("种子的 SHA-256，抽取前公布")),
        Fact(_("公布时间"), inspection_report.committed_at(inspection)),
    ]
    if inspection.drawn_at is not None:
        shown += [
            Fact(_("种子"), Checksum(inspection.seed), _("由系统产生，抽取时公开，任何人可据此重算")),
            Fact(_("抽取时间"), inspection.drawn_at),
            Fact(_("总体数量"), inspection.frame_size),
            Fact(_("总体摘要"), Checksum(inspection.frame_digest), _("编号清单见“文书”，任何人可据此重算")),
        ]
    return [Section(_("抽取存证"), facts=shown)]


def _whole(inspection: Inspection) -> str:
    """That a frame smaller than the sample was drawn as a whole."""
    if inspection.frame_size is None or inspection.frame_size >= inspection.size:
        return ""
    return _("总体仅 %(n)s 份，全部抽取") % {"n": inspection.frame_size}


def sections(inspection: Inspection, actor: Actor) -> list[Section]:
    """How far reading is; once all is read, what the sample lets one say; the drawn forms; how they were drawn."""
    return [*_read(inspection, actor), *_evidence(inspection)]


def _read(inspection: Inspection, actor: Actor) -> list[Section]:
    items = list(inspection.items.select_related("form").defer("form__ciphertext"))
    if not items:
        return []
    shown: list[Section] = []
    if all(item.identity_right is not None for item in items):
        shown += _results(inspection, items)
    elif inspection.state == S.IN_PROGRESS and not actor.is_provider:
        shown.append(_progress(inspection, actor))
    shown += _strata(inspection)
    shown.append(_sample(inspection, items))
    return shown


def _results(inspection: Inspection, items: list[InspectionItem]) -> list[Section]:
    """As concluded; where a finding was overturned since, as it now is, too."""
    now = inspection_report.result_of(inspection, items)
    result = inspection.result or now
    shown = [_judged(_("指标与统计结论"), result["figures"])]
    if result["errors"] != now["errors"]:
        shown.append(_judged(_("差错撤销后的指标与统计结论"), now["figures"]))
    if result["agreement"]["pairs"]:
        shown.append(_agreement(result["agreement"]))
    tested = inspection_report.claim_of(inspection, len(items))
    return [*shown, inspection_plan.claim_section(tested, result["errors"]["m1"])]


def _progress(inspection: Inspection, actor: Actor) -> Section:
    progress = selector.progress(inspection, person=actor.person_id)
    facts = [
        Fact(_("已检查"), f"{progress.done:,} / {progress.total:,}", _("含二次检查")),
        Fact(_("我检查的"), progress.own),
        Fact(_("等待裁定"), progress.unsettled, _("两次检查结果不同的")),
    ]
    return Section(_("检查进度"), facts=facts)


def _strata(inspection: Inspection) -> list[Section]:
    if not inspection.strata or not inspection.allocation:
        return []
    return [
        Section(
            _("分层"),
            columns=[
                Column("name", _("层")),
                Column("key", _("代码")),
                Column("frame", _("总体"), "end"),
                Column("drawn", _("样本"), "end"),
            ],
            rows=[
                Row(
                    "",
                    [
                        selector.stratum_words(inspection.strata, part["key"]),
                        part["key"],
                        part["frame"],
                        part["drawn"],
                    ],
                )
                for part in inspection.allocation
            ],
        )
    ]


def _sample(inspection: Inspection, items: list[InspectionItem]) -> Section:
    """What came of each form; a first reading that a second one follows is nobody's to see."""
    more = len(items) - SHOWN
    return Section(
        _("样本"),
        columns=[
            Column("rank", _("序号"), "end"),
            Column("form", _("核验单编号")),
            *([Column("stratum", _("层"))] if inspection.strata else []),
            Column("identity", _("主体身份信息")),
            Column("rest", _("核验单其他信息")),
            Column("remark", _("说明")),
        ],
        rows=[
            Row(
                reverse("verification-form_detail", args=[item.form_id]),
                [
                    item.rank,
                    item.form.form_no,
                    *([selector.stratum_words(inspection.strata, item.stratum)] if inspection.strata else []),
                    _verdict(item.identity_right),
                    _verdict(item.form_right),
                    item.remark,
                ],
            )
            for item in items[:SHOWN]
        ],
        note=_("另有 %(more)s 份未列出，全部结果见抽查报告") % {"more": more} if more > 0 else "",
    )


def _verdict(right: bool | None) -> Tag | None:
    if right is None:
        return None
    return Tag(_("正确"), "success") if right else Tag(_("有差错"), "danger")


def _judged(title: str, figures: list[dict[str, Any]]) -> Section:
    return Section(
        title,
        columns=[
            Column("name", _("指标")),
            Column("counts", _("差错 / 计数"), "end"),
            Column("shown", _("准确率%"), "end"),
            Column("interval", _("单侧界限%"), "end"),
            Column("verdict", _("统计结论")),
        ],
        rows=[
            Row("", [str(NAMES[f["key"]]), common.counts(f), f["shown"], f["interval"], _m(f)])
            for f in figures
        ],
        note=_("单侧置信水平按试点项目规定；未发现差错不证明准确率为 100%。"),
    )


def _m(figure: dict[str, Any]) -> Tag | None:
    """The verdict; of M2 without an error, how many forms that rests on."""
    if figure["code"] == "no_error_found":
        return Tag(_("未发现差错（抽查 %(n)s 份）") % {"n": figure["n"]}, "success")
    return common.verdict(figure["code"])


def _agreement(found: dict[str, Any]) -> Section:
    facts = [
        Fact(_("二次检查"), found["pairs"]),
        Fact(_("逐项一致"), f"{found['same']} / {found['pairs']}（{found['share']}）"),
        Fact(_("结果一致"), f"{found['agreeing']} / {found['pairs']}", _("正确、身份信息差错、其他差错三类")),
        Fact(_("Cohen κ"), found["kappa"], _("按三类结果，仅供参考；全部为同一类时不计算")),
    ]
    return Section(_("两次检查的一致程度"), facts=facts)


# --- who carries on -----------------------------------------------------------------------------------
def waiting(actor: Actor) -> Q | None:
    """Whoever plans carries on; leads and approvers conclude what is read and was planned by another, and settle."""
    own = Q(organisation=actor.organisation_id)
    if actor.role in {Role.BUREAU_REVIEWER, Role.MINISTRY_OFFICER}:
        return own & Q(state__in=[S.PLANNED, S.COMMITTED, S.DRAWN, S.IN_PROGRESS])
    if actor.role in {Role.BUREAU_LEAD, Role.MINISTRY_APPROVER}:
        unread = InspectionItem.unscoped.filter(inspection=OuterRef("pk"), identity_right__isnull=True)
        differ = selector.differing(unread).exclude(selector.read_by(actor.person_id))
        concludes = ~Q(planned_by=actor.person_id) & ~Q(Exists(unread))
        return own & Q(state=S.IN_PROGRESS) & (concludes | Q(Exists(differ)))
    return None


def awaits(inspection: Inspection, actor: Actor) -> str:
    """The office that planned it carries it out; officials read how much is left to be read and to be settled."""
    if inspection.state in {S.CONCLUDED, S.CANCELLED}:
        return ""
    office = inspection.organisation.name
    if inspection.state != S.IN_PROGRESS or actor.is_provider:
        return office
    differ = selector.unsettled(inspection.pk).count()
    left = inspection.items.filter(identity_right__isnull=True).count() - differ
    if left and differ:
        words = _("%(office)s（还有 %(left)s 份待检查，%(differ)s 份待裁定）")
    elif left:
        words = _("%(office)s（还有 %(left)s 份待检查）")
    else:
        words = _("%(office)s（%(differ)s 份待裁定）") if differ else _("%(office)s（待作出结论）")
    return words % {"office": office, "left": left, "differ": differ}


def openings(inspection: Inspection, actor: Actor) -> list[ActionItem]:
    """The way to the forms to be read, and to the readings to be settled."""
    if actor.organisation_id != inspection.organisation_id or inspection.state != S.IN_PROGRESS:
        return []
    if not policy.may_open("inspection_read", actor.role):
        return []
    items = [_opening(inspection, actor)]
    if differ := selector.unsettled(inspection.pk).count():
        open_to_me = selector.unsettled(inspection.pk).exclude(selector.read_by(actor.person_id)).exists()
        words = _("裁定分歧（%(count)s 份）") % {"count": differ}
        url = reverse("inspection_settle", args=[inspection.pk])
        items.append(ActionItem("settle", words, open_to_me, _("您检查过这些核验单，须由第三人裁定"), url))
    return items


def _opening(inspection: Inspection, actor: Actor) -> ActionItem:
    url = reverse("inspection_read", args=[inspection.pk])
    mine = selector.unread(inspection.pk, person=actor.person_id, first=inspections.reads_first(actor))
    left = mine.count()
    reason = _("没有您可以检查的核验单")
    words = _("检查核验单（%(left)s 份）") % {"left": left} if left else _("检查核验单")
    return ActionItem("read", words, left > 0, reason, url, primary=left > 0)


def before_conclusion(inspection: Inspection, actor: Actor) -> list[Section]:
    """What stands above the form of the conclusion: figures, agreement, the claim."""
    return _results(inspection, list(inspection.items.all()))


register(
    MachinePages(
        model=Inspection,
        label=gettext_lazy("抽查"),
        group=common.GROUP,
        icon="search-check",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda i: i.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda i: i.unit.organisation.name),
            ListColumn(Column("period", gettext_lazy("抽查期间")), lambda i: i.period_words),
            ListColumn(Column("size", gettext_lazy("样本量"), "end"), lambda i: i.size),
            ListColumn(Column("errors", gettext_lazy("差错数")), _errors),
            ListColumn(Column("verdict", gettext_lazy("统计结论")), verdicts),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        awaits=awaits,
        forms={"conclude": ConcludeForm, "cancel": ReasonForm},
        effects={
            "commit": gettext_lazy("生成随机种子并公布其摘要，之后才冻结总体"),
            "draw": gettext_lazy("冻结该期间的计数版本为总体，公开种子并抽取样本；此后的更正不替换样本"),
            "conclude": gettext_lazy("生成抽查报告并通知试点单位"),
        },
        previews={"conclude": before_conclusion},
        danger=frozenset({"cancel"}),
        openings=openings,
        creation=Creation(gettext_lazy("制定抽查计划"), InspectionForm, inspections.plan_inspection),
        search=["unit__organisation__name", "unit__code"],
        related=[
            "unit",
            "unit__organisation",
            "unit__programme",
            "organisation",
        ],
        province_field="unit__province",
        empty=gettext_lazy("由通信管理局或部制定抽查计划"),
    )
)
