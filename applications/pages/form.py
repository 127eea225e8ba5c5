"""The provider's task list and the sections of its form, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.forms import BoundField
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.forms.drafting import OWN, SectionForm
from applications.models import Application
from applications.pages import case as case_page
from applications.rules.form import FormField, FormSection, shown
from applications.selectors import cases, content
from applications.selectors.form_schema import form_of
from applications.selectors.tasks import FilesTask, Progress, SectionTask, tasks_of
from applications.services.drafts import Clash, way_on
from pilot.enums import WindowKind
from pilot.rules import SHANGHAI, last_moment
from pilot.selectors import programmes
from pilot.ui import Link, Section, Tag, Tone
from pilot.ui_guide import Countdown

NAMED = 4  # missing fields named in a row of the task list


# --- the way there ----------------------------------------------------------------------------------
def crumbs(case: Application, *more: Link) -> list[Link]:
    """The way from the first page to a page of the case."""
    return [
        Link(_("首页"), reverse("home")),
        Link(_("试点申请"), reverse("application_list")),
        Link(case.number, reverse("application_detail", args=[case.pk])),
        *more,
    ]


def task_list(case: Application) -> Link:
    """The task list of a case."""
    return Link(_("填写申请"), reverse("application_form", args=[case.pk]))


def checking(case: Application) -> Link:
    """Where all answers are looked over and handed in."""
    return Link(_("核对并提交"), reverse("application_check", args=[case.pk]))


# --- time -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bell:
    """Until when the application can be handed in, by the server's clock."""

    text: str
    tone: Tone
    countdown: Countdown | None = None
    note: str = ""  # what can be done once it has rung


def bell(case: Application, *, at: datetime) -> Bell:
    """The end of the window, of a late admission, or of the time for an answer."""
    if content.open_notice(case) is not None and case.due_at is not None:
        text = _("请在 %(day)s（含当日）前提交补正") % {"day": case_page.due_day(case)}
        return _running(text, _("补正期限还有"), case.due_at, at)
    opens, closes = programmes.window(case.programme, WindowKind.APPLICATION)
    if at < opens:
        return Bell(
            _("申请阶段 %(opens)s 开始，可以先填写") % {"opens": _moment(opens)},
            "info",
            _countdown(_("距开始还有"), opens, at),
        )
    if at < closes:
        text = _("请在 %(closes)s 前提交") % {"closes": _last(closes)}
        return _running(text, _("距截止还有"), closes, at)
    admission = cases.late_admission(programme=case.programme, provider_id=case.provider_id, at=at)
    if admission is not None:
        text = _("申请阶段已结束；经批准逾期准入，请在 %(until)s 前提交") % {"until": _last(admission.until)}
        return _running(text, _("距截止还有"), admission.until, at)
    return Bell(
        _("申请阶段已于 %(closes)s 结束，不能再提交；草稿仍可查看") % {"closes": _last(closes)},
        "danger",
        note=way_on(case),
    )


def _running(text: str, label: str, end: datetime, at: datetime) -> Bell:
    left = end - at
    tone: Tone = "danger" if left <= timedelta(days=1) else "warning" if left <= timedelta(days=3) else "info"
    return Bell(text, tone, _countdown(label, end, at) if left > timedelta() else None)


def _countdown(label: str, end: datetime, at: datetime) -> Countdown:
    return Countdown(label, -((at - end) // timedelta(milliseconds=1)))


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _last(end: datetime) -> str:
    """The end of a half-open time as people read it: midnight would name the day on which it is too late."""
    return f"{last_moment(end).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


# --- the task list ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TaskRow:
    """A row of the task list: a link over its whole width, or locked. A finished one has plain words for status."""

    title: str
    url: str
    status: Tag | str
    hint: str = ""


@dataclass(slots=True)
class FormPage:
    """The task list of an application."""

    title: str
    crumbs: Sequence[Link]
    bell: Bell
    notice: Section | None
    rows: Sequence[TaskRow]
    done: int
    total: int
    locked: int  # of the other parts, which the completeness notice does not touch
    check: Link
    prefill: Link | None


def form_page(case: Application, *, at: datetime) -> FormPage:
    """Every section with how far it is, the files, and what comes next."""
    tasks = tasks_of(case, at=at)
    answering = content.open_notice(case) is not None
    return FormPage(
        title=_("补正申请") if answering else _("填写申请"),
        crumbs=crumbs(case),
        bell=bell(case, at=at),
        notice=case_page.open_notice(case, writing=True),
        rows=[*(_section_row(case, task) for task in tasks.sections), _files_row(case, tasks.files)],
        done=tasks.done,
        total=tasks.total,
        locked=tasks.locked,
        check=checking(case),
        prefill=Link(_("上传已填好的申请表"), reverse("application_prefill", args=[case.pk])),
    )


def _section_row(case: Application, task: SectionTask) -> TaskRow:
    url = reverse("application_section", args=[case.pk, task.section.key])
    hints = {
        Progress.UNSEEN: _named(_("待核对"), [field.label for field in task.unseen]),
        Progress.WRONG: _named(_("有误"), [fault.label for fault in task.wrong]),
        Progress.PARTIAL: _named(_("缺"), [fault.label for fault in task.missing]),
        Progress.ASKED: _named(_("待补正"), [field.label for field in task.asked]),
    }
    status: dict[Progress, Tag | str] = {
        Progress.LOCKED: Tag(_("本次补正不涉及"), "muted"),
        Progress.UNSEEN: Tag(_("待核对 %(n)s 项") % {"n": len(task.unseen)}, "warning"),
        Progress.WRONG: Tag(_("有误 %(n)s 处") % {"n": len(task.wrong)}, "danger"),
        Progress.BLANK: Tag(_("未开始"), "neutral"),
        Progress.PARTIAL: Tag(_("填写中（缺 %(n)s 项）") % {"n": len(task.missing)}, "info"),
        Progress.ASKED: Tag(_("待补正 %(n)s 项") % {"n": len(task.asked)}, "warning"),
        Progress.DONE: _("已完成"),
    }
    return TaskRow(
        str(task.section.title),
        url if task.opened else "",
        status[task.progress],
        hints.get(task.progress, ""),
    )


def _files_row(case: Application, task: FilesTask) -> TaskRow:
    status: dict[Progress, Tag | str] = {
        Progress.LOCKED: Tag(_("本次补正不涉及"), "muted"),
        Progress.BLANK: Tag(_("未开始"), "neutral"),
        Progress.PARTIAL: Tag(_("缺 %(n)s 种材料") % {"n": len(task.missing)}, "info"),
        Progress.ASKED: Tag(_("待补正 %(n)s 项") % {"n": len(task.asked)}, "warning"),
        Progress.DONE: _("已完成"),
    }
    lacking = _named(_("缺"), [fault.label for fault in task.missing])
    hints = {
        Progress.BLANK: lacking,
        Progress.PARTIAL: lacking,
        Progress.ASKED: _named(_("待补正"), [kind.label for kind in task.asked]),
    }
    url = reverse("application_files", args=[case.pk]) if task.opened else ""
    return TaskRow(_("材料"), url, status[task.progress], hints.get(task.progress, ""))


def _named(what: str, labels: Sequence[Any]) -> str:
    words = _("、").join(str(label) for label in labels[:NAMED])
    if len(labels) > NAMED:
        words = _("%(words)s等 %(n)s 项") % {"words": words, "n": len(labels)}
    return _("%(what)s：%(words)s") % {"what": what, "words": words}


# --- a section ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Choice:
    """Two values of one field, of which one has to be chosen. ``held``: what the page carries to tell them apart."""

    key: str
    heading: str
    own: str
    other: str
    own_label: str
    other_label: str
    default: str = ""
    held: str = ""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field on the page of a section: a control, or a text where it is not open."""

    key: str
    label: str
    value: Any = None
    control: BoundField | None = None
    asked: str = ""  # what the completeness notice asks
    read: str = ""  # the control holds what was read from this file
    choice: Choice | None = None


@dataclass(slots=True)
class SectionPage:
    """One section of the form."""

    title: str
    crumbs: Sequence[Link]
    step: str
    bell: Bell
    form: SectionForm
    rows: Sequence[FieldRow]
    back: Link
    previous: Link | None
    following: Link | None
    checking: bool
    saved: bool = False  # with faults: kept, but not right
    clashes: int = 0

    @property
    def clashed(self) -> list[dict[str, str]]:
        """The fields another window saved otherwise, for the summary of errors."""
        return [
            {"anchor": f"take-{row.key}-own", "message": row.label}
            for row in self.rows
            if row.choice and row.choice.held
        ]


def section_page(
    case: Application,
    form: SectionForm,
    *,
    at: datetime,
    checking: bool,
    saved: bool = False,
    clashes: Sequence[Clash] = (),
) -> SectionPage:
    """The section as the form stands; ``clashes`` are what another window saved otherwise."""
    parts = form_of(case.programme).sections
    place = [part.key for part in parts].index(form.section.key)
    return SectionPage(
        title=str(form.section.title),
        crumbs=crumbs(case, task_list(case)),
        step=step(case, place + 1),
        bell=bell(case, at=at),
        form=form,
        rows=_rows(case, form, {clash.key: clash for clash in clashes}),
        back=task_list(case),
        previous=neighbour(case, form.section, -1),
        following=neighbour(case, form.section, +1),
        checking=checking,
        saved=saved,
        clashes=len(clashes),
    )


def step(case: Application, number: int = 0) -> str:
    """Which of all parts this is; the files are the last one."""
    total = len(form_of(case.programme).sections) + 1
    return _("第 %(n)s 部分，共 %(total)s 部分") % {"n": number or total, "total": total}


def neighbour(case: Application, section: FormSection, step: int) -> Link | None:
    """The next open section in one direction; after the last one the files, if they are open."""
    targets = content.open_targets(case)
    parts = list(form_of(case.programme).sections)
    place = [part.key for part in parts].index(section.key)
    rest = parts[place + 1 :] if step > 0 else parts[:place][::-1]
    for part in rest:
        if any(field.key in targets for field in part.fields):
            return Link(str(part.title), reverse("application_section", args=[case.pk, part.key]))
    if step > 0 and not targets.isdisjoint(FileKind.values):
        return Link(_("材料"), reverse("application_files", args=[case.pk]))
    return None


def _rows(case: Application, form: SectionForm, clashes: Mapping[str, Clash]) -> list[FieldRow]:
    said = content.current_content(case)
    notice = content.open_notice(case)
    asked = dict(notice.items.values_list("target", "text")) if notice else {}
    rows = []
    for field in form.section.fields:
        if field.key not in form.fields:
            rows.append(FieldRow(field.key, str(field.label), value=shown(field, said.get(field.key))))
            continue
        choice = None
        if field.key in clashes:
            choice = clash_choice(field, clashes[field.key])
        elif form.differs(field.key):
            choice = _reading_choice(field, case, form.proposals[field.key])
        source = form.proposals.get(field.key, {}).get("source", "") if choice is None else ""
        rows.append(
            FieldRow(
                field.key,
                str(field.label),
                control=form[field.key],
                asked=asked.get(field.key, ""),
                read=source or (_("上传的申请表") if field.key in form.proposals and choice is None else ""),
                choice=choice,
            )
        )
    return rows


def _words(field: FormField, value: Any) -> str:
    """A value in one line; a blank one says so."""
    text = shown(field, value)
    joined = _("、").join(str(item) for item in text) if isinstance(text, tuple) else str(text)
    return joined or _("（空白）")


def clash_choice(field: FormField, clash: Clash) -> Choice:
    """What this window and another one say of a field. Nothing is preset: somebody has to decide."""
    return Choice(
        key=field.key,
        heading=_("另一窗口也修改了此项，请选择以哪一个为准"),
        own=_words(field, clash.own),
        other=_words(field, clash.other),
        own_label=_("本窗口所填"),
        other_label=_("另一窗口已保存"),
        held=json.dumps(clash.other, ensure_ascii=False),
    )


def _reading_choice(field: FormField, case: Application, proposal: Mapping[str, Any]) -> Choice:
    return Choice(
        key=field.key,
        heading=_("自动识别，请核对：上传的申请表与所填不一致"),
        own=_words(field, case.draft.get(field.key)),
        other=_words(field, proposal["value"]),
        own_label=_("保留所填"),
        other_label=_("采用识别的内容"),
        default=OWN,
    )
