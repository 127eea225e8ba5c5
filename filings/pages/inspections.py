"""Inspections as the portal shows them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.documents import inspection_figures
from filings.enums import InspectionState
from filings.forms import ConcludeForm, InspectionForm, VerdictForm
from filings.models import Inspection, InspectionItem
from filings.pages import common
from filings.services import inspections
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm
from pilot.registry import Creation, ListColumn, MachinePages, Task, register
from pilot.ui import Column, Fact, Row, Section, Tag

S = InspectionState
NAMES = {
    "frame": gettext_lazy("M1（总体）"),
    "process": gettext_lazy("M1（过程）"),
    "forms": gettext_lazy("M2"),
}


def facts(inspection: Inspection, actor: Actor) -> list[Fact]:
    """Plan, commitment, frame and draw; the seed is shown from the draw on."""
    revealed = inspection.drawn_at is not None
    return [
        Fact(_("试点单位"), common.unit_link(inspection.unit)),
        Fact(_("检查单位"), inspection.organisation.name),
        Fact(_("抽查期间"), inspection.period),
        Fact(_("样本量"), inspection.size),
        Fact(_("种子摘要"), inspection.seed_hash, _("种子的 SHA-256，抽取前公布")),
        Fact(_("种子"), inspection.seed if revealed else None, _("抽取时公开，任何人可据此重算")),
        Fact(_("总体数量"), inspection.frame_size),
        Fact(_("总体摘要"), inspection.frame_digest),
        Fact(_("抽取时间"), inspection.drawn_at),
        Fact(_("结论"), inspection.conclusion),
        Fact(_("计划人"), None if actor.is_provider else inspection.planned_by.name),
        Fact(
            _("结论人"),
            inspection.concluded_by.name if inspection.concluded_by and not actor.is_provider else None,
        ),
    ]


def sections(inspection: Inspection, actor: Actor) -> list[Section]:
    """The drawn forms with their verdicts; once all are read, what the sample lets one say."""
    items = list(inspection.items.select_related("form", "read_by"))
    if not items:
        return []
    shown = [_sample(items)]
    if all(item.identity_right is not None for item in items):
        shown.append(_judged(inspection, items))
    return shown


def _sample(items: list[InspectionItem]) -> Section:
    return Section(
        _("样本"),
        columns=[
            Column("rank", _("序号"), "end"),
            Column("form", _("核验单编号")),
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
                    _verdict(item.identity_right),
                    _verdict(item.form_right),
                    item.remark,
                ],
            )
            for item in items
        ],
    )


def _verdict(right: bool | None) -> Tag | None:
    if right is None:
        return None
    return Tag(_("正确"), "success") if right else Tag(_("有差错"), "danger")


def _judged(inspection: Inspection, items: list[InspectionItem]) -> Section:
    return Section(
        _("指标与判定"),
        columns=[
            Column("name", _("指标")),
            Column("counts", _("差错 / 计数"), "end"),
            Column("shown", _("准确率%"), "end"),
            Column("interval", _("单侧界限%"), "end"),
            Column("verdict", _("判定")),
        ],
        rows=[
            Row(
                "",
                [
                    str(NAMES[f["key"]]),
                    common.counts(f),
                    f["shown"],
                    f["interval"],
                    common.verdict(f["code"]),
                ],
            )
            for f in inspection_figures(inspection, items)
        ],
        note=_("单侧置信水平按试点项目规定；未发现差错不证明准确率为 100%。"),
    )


def waiting(actor: Actor) -> Q | None:
    """Whoever plans carries on; leads and approvers conclude what is read and was planned by another."""
    own = Q(organisation=actor.organisation_id)
    if actor.role in {Role.BUREAU_REVIEWER, Role.MINISTRY_OFFICER}:
        return own & Q(state__in=[S.PLANNED, S.COMMITTED, S.DRAWN, S.IN_PROGRESS])
    if actor.role in {Role.BUREAU_LEAD, Role.MINISTRY_APPROVER}:
        unread = InspectionItem.unscoped.filter(inspection=OuterRef("pk"), identity_right__isnull=True)
        return own & Q(state=S.IN_PROGRESS) & ~Q(planned_by=actor.person_id) & ~Q(Exists(unread))
    return None


def _not_reading(inspection: Inspection, actor: Actor) -> str | None:
    if inspection.organisation_id != actor.organisation_id:
        return _("由制定抽查计划的单位办理")
    if inspection.state != S.IN_PROGRESS:
        return _("检查尚未开始或已经结束")
    if not inspection.items.filter(identity_right__isnull=True).exists():
        return _("所有核验单均已有检查结果")
    return None


register(
    MachinePages(
        model=Inspection,
        label=gettext_lazy("抽查"),
        group=common.GROUP,
        icon="search-check",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda i: i.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda i: i.unit.organisation.name),
            ListColumn(Column("period", gettext_lazy("抽查期间")), lambda i: i.period),
            ListColumn(Column("size", gettext_lazy("样本量"), "end"), lambda i: i.size),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"conclude": ConcludeForm, "cancel": ReasonForm},
        effects={
            "commit": gettext_lazy("生成随机种子并公布其摘要，之后才冻结总体"),
            "draw": gettext_lazy("冻结该期间的计数版本为总体，公开种子并抽取样本；此后的更正不替换样本"),
            "conclude": gettext_lazy("生成抽查报告并通知试点单位"),
        },
        danger=frozenset({"cancel"}),
        tasks=[
            Task(
                "record_verdict",
                gettext_lazy("记录检查结果"),
                VerdictForm,
                inspections.record_verdict,
                _not_reading,
                gettext_lazy("有差错的，立即登记差错并通知试点单位"),
            )
        ],
        creation=Creation(gettext_lazy("制定抽查计划"), InspectionForm, inspections.plan_inspection),
        search=["unit__organisation__name", "unit__code"],
        related=[
            "unit",
            "unit__organisation",
            "unit__programme",
            "organisation",
            "planned_by",
            "concluded_by",
        ],
        province_field="unit__province",
        empty=gettext_lazy("由通信管理局或部制定抽查计划"),
    )
)
