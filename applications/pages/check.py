"""Checking the answers before handing in, and the receipt after it, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from applications import transitions
from applications.enums import ApplicationState, FileKind
from applications.models import Application, ApplicationVersion
from applications.pages import case as case_page
from applications.pages import form as form_page
from applications.rules.form import shown
from applications.selectors import cases, content, deadlines, receipts, tasks
from applications.selectors.form_schema import form_of
from applications.selectors.tasks import Tasks
from applications.services import proofs, versions
from pilot import workflow
from pilot.actors import Actor
from pilot.masking import mask_name
from pilot.models import Organisation
from pilot.selectors import people, programmes
from pilot.tones import state_tag
from pilot.ui import DocumentItem, Fact, Link, Section, Tag

ACTS: Final[Mapping[str, str]] = {
    ApplicationState.DRAFT: "submit",
    ApplicationState.RETURNED: "resubmit",
}
"""The act by which the provider hands in, by the state it does so from."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One section as it would be handed in; ``url`` leads to its page and back here, empty where it is locked."""

    key: str
    title: str
    url: str
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class Gap:
    """What one section, or the files, still lack: how much in words, where to begin, and each fault with its place.

    Without addresses where nothing can be put right any more.
    """

    title: str
    words: str
    url: str
    faults: Sequence[tuple[Link, str]]


@dataclass(frozen=True, slots=True)
class HandedFile:
    """A file with its whole digest."""

    kind: str
    name: str
    url: str
    size: int
    sha256: str


@dataclass(slots=True)
class CheckPage:
    """Everything once more, then the declaration."""

    title: str
    crumbs: Sequence[Link]
    bell: form_page.Bell
    gaps: Sequence[Gap]
    left: str  # how many faults these are together
    answers: Sequence[Answers]
    files: Sequence[HandedFile]
    files_url: str
    hints: Section
    form: Any
    obstacle: str
    barred: str  # the obstacle, where it is another than what is still blank
    effect: str
    carried: Mapping[str, Any]
    back: Link


def check_page(case: Application, actor: Actor, form: Any, *, at: datetime, effect: str) -> CheckPage:
    """What would be handed in now. ``obstacle`` says why it cannot be; ``carried`` what the page holds it to.

    A draft that the end of the window left behind can be read here, and nothing else.
    """
    frozen, files, digest = versions.snapshot(case)
    work = tasks.tasks_of(case, at=at)
    why = workflow.why_not(case, ACTS[case.state], actor=actor, at=at)
    behind = deadlines.left_behind(case, at)
    targets = frozenset[str]() if behind else content.open_targets(case)
    blank = transitions.complete(case, actor, at)
    obstacle = "" if why is None else str(why.message)
    return CheckPage(
        title=_("查看草稿") if behind else _("核对并提交"),
        crumbs=form_page.crumbs(case, *([] if behind else [form_page.task_list(case)])),
        bell=form_page.bell(case, at=at),
        gaps=list(_gaps(case, work, closed=behind)),
        left=_left(work, closed=behind),
        answers=list(_answers(case, frozen, targets)),
        files=list(_files(files)),
        files_url="" if targets.isdisjoint(FileKind.values) else reverse("application_files", args=[case.pk]),
        hints=case_page.hints_section(case, content.draft_hints(case, at=at)),
        form=form,
        obstacle=obstacle,
        barred="" if obstacle == blank else obstacle,
        effect=effect,
        carried={"seen": case.state, "seen_step": workflow.steps(case), "checked": digest},
        back=Link(_("返回办理进度"), reverse("application_progress", args=[case.pk]))
        if behind
        else Link(_("返回任务列表"), form_page.task_list(case).url),
    )


def _left(work: Tasks, *, closed: bool) -> str:
    if not work.faults:
        return ""
    words = _("草稿中尚未完成的内容（%(n)s 处）") if closed else _("提交前还需完成（%(n)s 处）")
    return words % {"n": len(work.faults)}


def _gaps(case: Application, work: Tasks, *, closed: bool) -> Iterable[Gap]:
    """The parts with faults, in the order of the form."""
    said = content.described(work.faults, case.programme)
    lines = {
        fault.target: (
            Link(label, "" if closed else _and_back(case_page.place_url(case, fault.target))),
            words,
        )
        for fault, (label, words) in zip(work.faults, said, strict=True)
    }
    for task in work.sections:
        found = [lines[field.key] for field in task.section.fields if field.key in lines]
        blank = len(task.missing) == len(found)
        words = _("缺 %(n)s 项") if blank else _("%(n)s 项待补充或更正")
        if found:
            yield Gap(str(task.section.title), words % {"n": len(found)}, found[0][0].url, found)
    if missing := [lines[fault.target] for fault in work.files.missing]:
        yield Gap(_("材料"), _("缺 %(n)s 种材料") % {"n": len(missing)}, missing[0][0].url, missing)


def _and_back(url: str) -> str:
    """An address from which saving leads back to the check page."""
    path, _hash, anchor = url.partition("#")
    return f"{path}?from=check#{anchor}" if anchor else f"{path}?from=check"


def _answers(case: Application, said: Mapping[str, Any], targets: frozenset[str]) -> Iterable[Answers]:
    for section in form_of(case.programme).sections:
        opened = any(field.key in targets for field in section.fields)
        url = reverse("application_section", args=[case.pk, section.key])
        yield Answers(
            section.key,
            str(section.title),
            _and_back(url) if opened else "",
            [Fact(str(field.label), shown(field, said.get(field.key))) for field in section.fields],
        )


def _files(listed: Iterable[Mapping[str, Any]]) -> Iterable[HandedFile]:
    for file in sorted(listed, key=lambda file: FileKind.values.index(file["kind"])):
        url = reverse("application_file", args=[file["id"]])
        kind = str(FileKind(file["kind"]).label)
        yield HandedFile(kind, file["name"], url, file["size"], file["sha256"])


# --- the receipt ----------------------------------------------------------------------------------------
@dataclass(slots=True)
class ReceiptPage:
    """What was handed in, when, and what follows; the same at any later time (P08)."""

    title: str
    crumbs: Sequence[Link]
    number: str
    state: Tag
    facts: Sequence[Fact]
    files: Sequence[HandedFile]
    following: str
    contact: str
    documents: Sequence[DocumentItem]  # none while the paper is being made
    progress_url: str
    proof_url: str  # none while no signed head of the audit log covers it


def receipt_page(case: Application, version: ApplicationVersion) -> ReceiptPage:
    """The receipt of a version."""
    bureau = people.bureau_of(case.province)
    return ReceiptPage(
        title=_("接收回执"),
        crumbs=form_page.crumbs(case),
        number=case.case_number,
        state=state_tag(case),
        facts=[
            Fact(_("申办流水号"), case.case_number),
            Fact(_("申请单位"), case.provider.name),
            Fact(_("统一社会信用代码"), case.uscc),
            Fact(_("提交人"), mask_name(version.by.name if version.by else "")),
            Fact(_("提交时间"), version.at),
            Fact(_("版本"), _("第 %(n)s 版") % {"n": version.number}),
            Fact(_("接收单位"), bureau.name),
            Fact(_("查验码"), receipts.code_of(version)),
        ],
        files=list(_files(version.files)),
        following=_following(case, version, bureau),
        contact=_("%(bureau)s，联系电话：%(phone)s") % {"bureau": bureau.name, "phone": bureau.phone}
        if bureau.phone
        else bureau.name,
        documents=[
            DocumentItem(
                paper.title, reverse("document", args=[paper.pk]), paper.made_at, paper.size, paper.sha256
            )
            for paper in [receipts.document_of(version)]
            if paper is not None
        ],
        progress_url=reverse("application_progress", args=[case.pk]),
        proof_url=reverse("application_proof", args=[case.pk]) if proofs.head(version) else "",
    )


def _following(case: Application, version: ApplicationVersion, bureau: Organisation) -> str:
    if case.state != ApplicationState.SUBMITTED:
        return _("此后办理已有进展，该申请现为“%(state)s”，详见办理进度。") % {
            "state": case.get_state_display()
        }
    due = cases.acceptance_due(case, start=version.at)
    return _(
        "%(bureau)s将在 %(days)s 个工作日内，即 %(day)s（含当日）前，作出是否受理的决定，或一次性告知需要补正的内容。"
    ) % {
        "bureau": bureau.name,
        "days": programmes.rule(case.programme, "acceptance_days"),
        "day": case_page.last_day(due),
    }
