"""Provincial reports as the portal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.enums import ReportState
from assessment.forms import NothingForm, SendReportForm
from assessment.models import ProvincialReport
from assessment.pages import common, inbox, phases
from assessment.rules import report_versions
from assessment.selectors import applicants, reports
from assessment.services import report_urges
from assessment.services.reports import next_supplement, open_supplement
from pilot.actors import Actor
from pilot.enums import DataGroup, Role
from pilot.errors import Refused
from pilot.forms import ReasonForm, RemarkForm
from pilot.masking import mask_name, mask_phone, personal
from pilot.models import Organisation
from pilot.registry import Batch, Creation, ListColumn, ListFilter, MachinePages, register
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Folded, Link, Noted, Row, Section, Tag

SHORT: Final = 16  # digits of a digest in sight


def facts(report: ProvincialReport, actor: Actor) -> list[Fact]:
    """Whose report, which version, when and with which digest it was sent."""
    return [
        Fact(_("报送单位"), report.bureau.name),
        Fact(_("报送编号"), report.number),
        Fact(_("类别"), _("补充汇总") if report.sequence > 1 else _("首次汇总")),
        Fact(_("版次"), report.version or None),
        Fact(_("零报告"), report.nil if report.version else None),
        Fact(_("填报人"), personal(report.filled_in_by, mask_name, DataGroup.STAFF)),
        Fact(_("联系电话"), personal(report.phone, mask_phone, DataGroup.STAFF)),
        Fact(_("报送时间"), report.sent_at),
        Fact(_("逾期报送"), report.late if report.version else None),
        Fact(_("报送清单 SHA-256"), _folded(report.digest)),
        *(
            [Fact(_("更正办法"), _("请联系部经办人员退回，改正后重新报送；本版保留"))]
            if actor.is_bureau and report.state == ReportState.SENT
            else []
        ),
    ]


def _folded(digest: str) -> Folded | None:
    return Folded(digest[:SHORT], digest) if digest else None


def sections(report: ProvincialReport, actor: Actor) -> list[Section]:
    """The frozen lines; while the report is open, what would be sent now."""
    shown = []
    if report.state == ReportState.OPEN:
        if actor.is_bureau and report.sequence == 1:
            shown.append(phases.section(actor, report.programme))
        shown.append(candidates(report))
    return [*shown, *what_was_sent(report, actor)]


def candidates(report: ProvincialReport) -> Section:
    """What would be sent now, and what is still missing."""
    applications = list(reports.reportable(report))
    details = applicants.facts_of_many(applications)
    missing = reports.unreviewed(report).count()
    notes = [_totals([a.state == "recommended" for a in applications])] if applications else []
    if missing:
        notes.append(_("还有 %(n)s 件已受理的申请没有签发审核意见") % {"n": missing})
    return Section(
        _("待报送的申请"),
        columns=[
            Column("name", _("单位名称")),
            Column("number", _("受理编号")),
            Column("licence", _("许可证编号")),
            Column("opinion", _("审核结论")),
        ],
        rows=[
            Row(
                common.application_url(a.pk),
                [
                    a.provider.name,
                    a.number,
                    details[a.pk].licence,
                    common.recommendation(a.state == "recommended"),
                ],
            )
            for a in applications
        ],
        empty=_("没有已签发审核意见、尚未报送的申请"),
        note=_("；").join(notes),
    )


def _totals(recommended: Sequence[bool]) -> str:
    """How many applicants, and how many of them recommended, in words."""
    yes = sum(recommended)
    return _("合计 %(all)s 家，其中同意推荐 %(yes)s 家，不同意推荐 %(no)s 家") % {
        "all": len(recommended),
        "yes": yes,
        "no": len(recommended) - yes,
    }


def what_is_sent(report: ProvincialReport, actor: Actor) -> list[Section]:
    """What stands above the form by which a lead sends."""
    return [candidates(report)]


def what_was_sent(report: ProvincialReport, actor: Actor) -> list[Section]:
    """The version last sent, and what is new in it; also above the form by which it is received or returned."""
    shown = [frozen(report)] if report.version else []
    return [*shown, changes(report)] if report.version > 1 else shown


def frozen(report: ProvincialReport) -> Section:
    """The lines of the version last sent."""
    lines = list(reports.current_lines(report))
    return Section(
        _("汇总表（第 %(n)s 版）") % {"n": report.version},
        columns=[
            Column("position", _("序号"), "end"),
            Column("name", _("单位名称")),
            Column("number", _("受理编号")),
            Column("licence", _("许可证编号")),
            Column("methods", _("采集方式")),
            Column("opinion", _("审核结论")),
            Column("remark", _("审核意见")),
        ],
        rows=[
            Row(
                "",
                [
                    line.position,
                    Noted(
                        Link(line.snapshot["name"], common.application_url(line.application_id)),
                        line.snapshot["uscc"],
                    ),
                    line.snapshot["number"],
                    line.snapshot["licence"],
                    line.snapshot["methods"],
                    common.recommendation(line.recommended),
                    line.snapshot["remark"],
                ],
            )
            for line in lines
        ],
        empty=_("零报告：没有报送的申请单位"),
        note=_totals([line.recommended for line in lines]),
    )


def changes(report: ProvincialReport) -> Section:
    """The version last sent beside the one before it, applicant by applicant."""
    before, after = reports.versions_of(report, report.version - 1, report.version)
    found = report_versions.compare(before, after)
    labels = {
        "name": _("单位名称"),
        "uscc": _("统一社会信用代码"),
        "licence": _("许可证编号"),
        "methods": _("采集方式"),
        "recommended": _("审核结论"),
        "remark": _("审核意见"),
        "opinion_version": _("审核意见版次"),
    }
    rows = [
        *(_line(line, added=True) for line in found.added),
        *(_line(line, added=False) for line in found.removed),
        *(
            Row(
                "",
                [
                    Tag(_("变更"), "warning"),
                    change.number,
                    change.name,
                    labels[change.field],
                    _shown(change.field, change.before),
                    _shown(change.field, change.after),
                ],
            )
            for change in found.changed
        ),
    ]
    return Section(
        _("与上一版比较"),
        columns=[
            Column("kind", _("变化")),
            Column("number", _("受理编号")),
            Column("name", _("单位名称")),
            Column("field", _("项目")),
            Column("before", _("第 %(n)s 版") % {"n": report.version - 1}),
            Column("after", _("第 %(n)s 版") % {"n": report.version}),
        ],
        rows=rows,
        empty=_("与上一版所列内容相同"),
        note=_("新增 %(added)s 家，删除 %(removed)s 家，变更 %(changed)s 家")
        % {
            "added": len(found.added),
            "removed": len(found.removed),
            "changed": len({change.number for change in found.changed}),
        },
    )


def _line(line: report_versions.Line, *, added: bool) -> Row:
    kind = Tag(_("新增"), "success") if added else Tag(_("删除"), "danger")
    opinion = common.recommendation(line["recommended"])
    sides = (None, opinion) if added else (opinion, None)
    return Row("", [kind, line["number"], line["name"], _("审核结论"), *sides])


def _shown(field: str, value: Any) -> Any:
    return common.recommendation(value) if field == "recommended" else value


def waiting(actor: Actor) -> Q | None:
    """Leads send, officers receive."""
    if actor.role == Role.BUREAU_LEAD:
        return Q(state=ReportState.OPEN)
    return Q(state=ReportState.SENT) if actor.role == Role.MINISTRY_OFFICER else None


def supplement(*, actor: Actor) -> ProvincialReport:
    """Begin a supplement of the actor's own bureau."""
    return open_supplement(bureau=_own_bureau(actor), actor=actor)


def what_is_supplemented(form: Any, actor: Actor) -> list[Section]:
    """Above the button that begins a supplement: what would be on it, or why there is none to begin."""
    try:
        return [candidates(next_supplement(programmes.current(), _own_bureau(actor)))]
    except Refused as refusal:
        return [Section(_("不能补充汇总"), empty=str(refusal.message), blocks=True)]


def _own_bureau(actor: Actor) -> Organisation:
    return Organisation.objects.get(pk=actor.organisation_id or 0)


register(
    MachinePages(
        model=ProvincialReport,
        label=gettext_lazy("汇总报送"),
        group=common.REVIEW_GROUP,
        icon="file-stack",
        columns=[
            ListColumn(Column("number", gettext_lazy("报送编号")), lambda r: r.number),
            ListColumn(Column("bureau", gettext_lazy("报送单位")), lambda r: r.bureau.name),
            ListColumn(Column("version", gettext_lazy("版次"), "end"), lambda r: r.version or None),
            ListColumn(
                Column("late", gettext_lazy("逾期")),
                lambda r: Tag(_("逾期报送"), "warning") if r.late else None,
            ),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"send": SendReportForm, "receive": RemarkForm, "return_to_bureau": ReasonForm},
        effects={
            "send": gettext_lazy("清单固定并计算摘要，生成汇总表报部；报送后须由部退回才能修改"),
            "receive": gettext_lazy("表列申请转为已报部，同意推荐的建立技术能力评估"),
            "return_to_bureau": gettext_lazy("退回报送单位，再次报送为下一版"),
        },
        previews={"send": what_is_sent, **dict.fromkeys(("receive", "return_to_bureau"), what_was_sent)},
        danger=frozenset({"return_to_bureau"}),
        creation=Creation(
            gettext_lazy("补充汇总"),
            NothingForm,
            supplement,
            gettext_lazy("为尚未报送的申请建立本局的下一份汇总表"),
            about=what_is_supplemented,
        ),
        filters=[
            ListFilter("standing", gettext_lazy("报送情况"), inbox.standings, reports.standing),
        ],
        batches=[
            Batch(
                "urge",
                gettext_lazy("催报"),
                report_urges.urge,
                gettext_lazy("通知所选通信管理局尽快报送汇总表，每局每天一次"),
                states=frozenset({ReportState.OPEN}),
            )
        ],
        search=["bureau__name"],
        related=["bureau", "programme"],
        province_field="province",
        empty=gettext_lazy("审查阶段开始时，各局的汇总表在此自动建立"),
    )
)
