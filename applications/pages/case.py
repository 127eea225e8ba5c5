"""The page of one application: facts and sections as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import ApplicationState, FileKind
from applications.models import Application, ApplicationVersion
from applications.pages import duplicates
from applications.pages.undo import undo
from applications.rules.completeness import ConditionHint
from applications.rules.form import FormField, masked
from applications.selectors import content, deadlines, records, tasks
from applications.selectors.form_schema import form_of
from applications.services.drafts import editing_obstacle, way_on
from pilot import clock, due
from pilot.actors import Actor
from pilot.masking import staff
from pilot.models import Condition
from pilot.pages import objection_section
from pilot.rules import last_moment, local_day
from pilot.ui import Column, Fact, Link, Row, Section, Tag


def last_day(end: datetime) -> date:
    """The last day before a deadline: deadlines are half-open."""
    return local_day(last_moment(end))


def due_day(case: Application) -> date | None:
    """The last day of the running clock."""
    return last_day(case.due_at) if case.due_at else None


def end(case: Application) -> datetime | None:
    """By when the next step is wanted: the end of the running clock, or of handing in a draft."""
    if case.state != ApplicationState.DRAFT:
        return case.due_at  # without a look at the windows for every row
    closing = deadlines.closing(case.programme, case.provider_id)
    return closing if clock.now() < closing else None


def due_cell(case: Application) -> date | Tag | str | None:
    """The cell of a list: the last day, or that the window closed over a draft."""
    ends = end(case)
    return closed_mark() if ends is None and case.state == ApplicationState.DRAFT else due.cell(ends)


def closed_mark() -> Tag:
    """How a draft is marked that can no longer be handed in."""
    return Tag(_("窗口已关闭，未提交"), "muted")


def awaits(case: Application, actor: Actor) -> str:
    """That a draft left behind waits for nobody."""
    return _("无（申请阶段已结束，未提交）") if deadlines.left_behind(case, clock.now()) else ""


def facts(case: Application, actor: Actor) -> list[Fact]:
    """What the case is about."""
    return [
        Fact(_("申请单位"), case.provider.name),
        Fact(_("统一社会信用代码"), case.uscc),
        Fact(_("省份"), case.get_province_display()),
        Fact(_("试点项目"), case.programme.heading),
        Fact(_("申办流水号"), case.case_number),
        Fact(_("受理编号"), case.acceptance_number),
        Fact(_("提交时间"), case.submitted_at),
        Fact(_("受理时间"), case.accepted_at),
        Fact(_("逾期准入"), _admission(case, actor) or case.late),
        *_refusal(case),
    ]


def _admission(case: Application, actor: Actor) -> Link | None:
    """The decision that let a late application in, for whoever may read it."""
    found = records.admission(case, actor)
    if found is None:
        return None
    return Link(
        _("是（%(number)s）") % {"number": found.number}, reverse("late-admission_detail", args=[found.pk])
    )


def _refusal(case: Application) -> list[Fact]:
    """Why a refused application was refused, as it stands now."""
    if case.state != ApplicationState.REFUSED:
        return []
    standing = [refusal for refusal, taken_back in records.refusals(case) if not taken_back][-1]
    return [Fact(_("不予受理的理由"), standing.reason, standing.condition.clause)]


def sections(case: Application, actor: Actor) -> list[Section]:
    """First what is to be done, then the form, the files, and what is on record."""
    writing = content.writes(case, actor)
    behind = deadlines.left_behind(case, clock.now())
    versions = list(content.versions(case))
    latest = versions[-1] if versions else None
    parts: list[Section | None] = [
        _nothing_due(case, actor),
        undo(case, actor),
        _closed(case) if behind else None,
        objection_section(case, actor),
        open_notice(case, writing=writing),
        _faults(case) if writing and not behind else _changes(case, versions),
        hints_section(case, content.hints(case, latest, at=clock.now()))
        if latest and (actor.is_bureau or actor.is_ministry)
        else None,
        duplicates.section(case, actor),
        *_form(case, content.current_content(case) if writing or latest is None else latest.content),
        _files(_current_files(case) if writing or latest is None else latest.files),
        _versions(versions),
        _earlier_notices(case),
        _refusals(case),
        _urges(case, actor),
    ]
    return [part for part in parts if part is not None]


def _nothing_due(case: Application, actor: Actor) -> Section | None:
    """For a provider that has nothing to write: that nothing is asked of it."""
    if not actor.is_provider or editing_obstacle(case, actor) is None:
        return None
    return Section(_("待办"), texts=[_("当前没有需要您办理的事项。")])


def _closed(case: Application) -> Section:
    closing = deadlines.closing(case.programme, case.provider_id)
    return Section(
        _("窗口已关闭，未提交"),
        facts=[
            # Half-open: people read the last second, not the first after it.
            Fact(_("提交截止"), last_moment(closing)),
            Fact(_("状态"), closed_mark()),
        ],
        more=Link(_("查看草稿"), reverse("application_check", args=[case.pk])),
        note=way_on(case),
    )


def _urges(case: Application, actor: Actor) -> Section | None:
    rows = [Row("", [urge.at, staff(urge.by)]) for urge in records.urges(case)]
    if not rows or actor.is_assessor:
        return None
    return Section(
        _("催办记录"),
        columns=[Column("at", _("催办时间")), Column("by", _("催办人"))],
        rows=rows,
    )


def open_notice(case: Application, *, writing: bool) -> Section | None:
    """What the bureau asks to correct, each item with the way to its place."""
    notice = content.open_notice(case)
    if notice is None:
        return None
    title = _("需要补正的内容（第 %(n)s 次告知）") % {"n": notice.number}
    return Section(
        title,
        columns=[Column("place", _("项目或材料")), Column("text", _("需要怎样补正"))],
        rows=[
            Row(place_url(case, item.target) if writing else "", [_place(case, item.target), item.text])
            for item in notice.items.all()
        ],
        note=_("请在 %(day)s（含当日）前一次性提交；告知未列的内容不能修改") % {"day": due_day(case)},
    )


def _place(case: Application, target: str) -> str:
    return str(form_of(case.programme).targets[target])


def place_url(case: Application, target: str) -> str:
    """Where the provider puts a field or a file right: the very control of the form, or the files."""
    section = tasks.section_of(case, target)
    if section is None:
        return f"{reverse('application_files', args=[case.pk])}#{target}"
    return f"{reverse('application_section', args=[case.pk, section.key])}#id_{target}"


def _faults(case: Application) -> Section:
    found = content.current_faults(case, at=clock.now())
    return Section(
        _("提交前还需完成（%(n)s 处）") % {"n": len(found)} if found else _("提交前检查"),
        columns=[Column("place", _("项目或材料")), Column("text", _("问题"))],
        rows=[
            Row(place_url(case, fault.target), line)
            for fault, line in zip(found, content.described(found, case.programme), strict=True)
        ],
        empty=_("申请表和材料已齐全，可以提交"),
    )


def _changes(case: Application, versions: Sequence[ApplicationVersion]) -> Section | None:
    if len(versions) < 2:
        return None
    found = content.changes(case, versions[-2], versions[-1])
    return Section(
        _("最近一次补正的内容"),
        columns=[
            Column("place", _("项目或材料")),
            Column("before", _("补正前")),
            Column("after", _("补正后")),
        ],
        rows=[
            Row(
                "",
                [
                    str(change.what.label),
                    _said(change.what, change.before),
                    _said(change.what, change.after),
                ],
            )
            for change in found
        ],
    )


def hints_section(case: Application, hints: Iterable[ConditionHint]) -> Section:
    """What form and files show about each condition of the programme."""
    conditions = {row.number: row for row in Condition.objects.filter(programme=case.programme_id)}
    return Section(
        _("条件核对提示"),
        columns=[
            Column("clause", _("条件")),
            Column("shown", _("材料情况")),
            Column("gaps", _("缺口和需核对")),
        ],
        rows=[
            Row(
                "",
                [
                    f"{conditions[hint.number].clause} {conditions[hint.number]}",
                    shown_mark(hint),
                    (*hint.gaps, *hint.notes),
                ],
            )
            for hint in hints
            if hint.number in conditions
        ],
        note=_("由系统按所填内容给出，是否符合由审核人员认定"),
    )


def shown_mark(hint: ConditionHint) -> Tag:
    """Whether the material shows what a condition asks for."""
    return Tag(_("已体现"), "success") if hint.shown else Tag(_("未体现"), "warning")


def _form(case: Application, said: Mapping[str, Any]) -> Iterable[Section]:
    """The form block by block."""
    for section in form_of(case.programme).sections:
        yield Section(
            str(section.title),
            facts=[Fact(str(field.label), masked(field, said.get(field.key))) for field in section.fields],
        )


def _said(what: FormField | FileKind, value: Any) -> Any:
    return value if isinstance(what, FileKind) else masked(what, value)


def _current_files(case: Application) -> list[dict[str, Any]]:
    rows = content.current_files(case).values("id", "kind", "name", "sha256", "size")
    return [dict(row) for row in rows]


def _files(listed: Iterable[Mapping[str, Any]]) -> Section:
    return Section(
        _("材料"),
        columns=[
            Column("kind", _("材料种类")),
            Column("name", _("文件")),
            Column("size", _("大小（字节）"), align="end"),
            Column("sha256", _("SHA-256（前16位）")),
        ],
        rows=[
            Row(
                "",
                [
                    str(FileKind(file["kind"]).label),
                    Link(file["name"], reverse("application_file", args=[file["id"]]), "download"),
                    file["size"],
                    file["sha256"][:16],
                ],
            )
            for file in sorted(listed, key=lambda file: FileKind.values.index(file["kind"]))
        ],
        empty=_("尚未上传材料"),
    )


def _versions(versions: Sequence[ApplicationVersion]) -> Section | None:
    rows = [
        Row("", [version.number, version.at, len(version.files), version.digest[:32]]) for version in versions
    ]
    if not rows:
        return None
    return Section(
        _("提交记录"),
        columns=[
            Column("number", _("版本"), align="end"),
            Column("at", _("提交时间")),
            Column("files", _("材料件数"), align="end"),
            Column("code", _("查验码")),
        ],
        rows=rows,
        note=_("查验码与接收回执所载一致，即为该次提交的内容"),
    )


def _earlier_notices(case: Application) -> Section | None:
    waiting = content.open_notice(case)
    rows = [
        Row(
            "",
            [notice.number, notice.issued_at, _standing(taken_back), _place(case, item.target), item.text],
        )
        for notice, taken_back in records.notices(case)
        if notice != waiting
        for item in notice.items.all()
    ]
    if not rows:
        return None
    return Section(
        _("以往补正告知"),
        columns=[
            Column("number", _("次"), align="end"),
            Column("at", _("告知时间")),
            Column("standing", _("效力")),
            Column("place", _("项目或材料")),
            Column("text", _("需要怎样补正")),
        ],
        rows=rows,
    )


def _refusals(case: Application) -> Section | None:
    rows = [
        Row("", [refusal.refused_at, _standing(taken_back), refusal.condition.clause, refusal.reason])
        for refusal, taken_back in records.refusals(case)
    ]
    if not rows:
        return None
    return Section(
        _("不予受理"),
        columns=[
            Column("at", _("决定时间")),
            Column("standing", _("效力")),
            Column("condition", _("不符合的条件")),
            Column("reason", _("理由")),
        ],
        rows=rows,
    )


def _standing(taken_back: bool) -> Tag:
    return Tag(_("已撤销"), "muted") if taken_back else Tag(_("有效"), "info")
