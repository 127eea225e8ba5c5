"""What is left to do before an application can be handed in, section by section."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from applications.enums import FileKind
from applications.models import Application
from applications.rules.completeness import REQUIRED_FILES, Fault
from applications.rules.form import FormField, FormSection, is_blank
from applications.selectors import content
from applications.selectors.form_schema import form_of


class Progress(StrEnum):
    """How far a section is."""

    LOCKED = "locked"  # the completeness notice does not touch it
    UNSEEN = "unseen"  # it holds values read from an uploaded form that nobody has looked at
    WRONG = "wrong"
    BLANK = "blank"
    PARTIAL = "partial"
    ASKED = "asked"  # the completeness notice names something in it that still is as it was handed in
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SectionTask:
    """One section of the form as work: what is missing, what is wrong, what was read and not looked at."""

    section: FormSection
    opened: bool
    started: bool
    missing: tuple[Fault, ...]
    wrong: tuple[Fault, ...]
    unseen: tuple[FormField, ...]
    asked: tuple[FormField, ...] = ()

    @property
    def progress(self) -> Progress:
        if not self.opened:
            return Progress.LOCKED
        if self.unseen:
            return Progress.UNSEEN
        if self.wrong:
            return Progress.WRONG
        if self.missing:
            return Progress.PARTIAL if self.started else Progress.BLANK
        return Progress.ASKED if self.asked else Progress.DONE


@dataclass(frozen=True, slots=True)
class FilesTask:
    """The files as work."""

    opened: bool
    count: int
    missing: tuple[Fault, ...]
    asked: tuple[FileKind, ...] = ()

    @property
    def progress(self) -> Progress:
        if not self.opened:
            return Progress.LOCKED
        if self.missing:
            return Progress.PARTIAL if self.count else Progress.BLANK
        return Progress.ASKED if self.asked else Progress.DONE


@dataclass(frozen=True, slots=True)
class Tasks:
    """All work on one application: its sections in the order of the form, its files, and how many faults are left."""

    sections: tuple[SectionTask, ...]
    files: FilesTask
    faults: tuple[Fault, ...]

    @property
    def _parts(self) -> list[Progress]:
        return [*(task.progress for task in self.sections), self.files.progress]

    @property
    def done(self) -> int:
        """How many of the parts that can be worked on are complete."""
        return self._parts.count(Progress.DONE)

    @property
    def total(self) -> int:
        """How many parts can be worked on, the files among them."""
        return len(self._parts) - self.locked

    @property
    def locked(self) -> int:
        """How many parts the completeness notice does not touch: nobody did anything about them."""
        return self._parts.count(Progress.LOCKED)


def tasks_of(case: Application, *, at: datetime) -> Tasks:
    """The work on an application as it stands."""
    targets = content.open_targets(case)
    found = tuple(content.current_faults(case, at=at))
    asked = content.unanswered(case, targets) if content.open_notice(case) else frozenset()
    files = content.current_files(case).values_list("kind", flat=True)
    return Tasks(
        tuple(
            _section_task(case, section, targets, asked, [f for f in found if f.target in _keys(section)])
            for section in form_of(case.programme).sections
        ),
        FilesTask(
            opened=not targets.isdisjoint(FileKind.values),
            count=len(set(files) & set(REQUIRED_FILES)),
            missing=tuple(fault for fault in found if fault.target in FileKind.values),
            asked=tuple(kind for kind in FileKind if kind in asked),
        ),
        found,
    )


def _keys(section: FormSection) -> frozenset[str]:
    return frozenset(field.key for field in section.fields)


def _section_task(
    case: Application,
    section: FormSection,
    targets: frozenset[str],
    asked: frozenset[str],
    found: list[Fault],
) -> SectionTask:
    typed = [field for field in section.fields if not field.fixed]
    left = [fault for fault in found if fault.target not in case.proposals]
    return SectionTask(
        section=section,
        opened=not targets.isdisjoint(_keys(section)),
        started=any(not is_blank(case.draft.get(field.key)) for field in typed),
        missing=tuple(fault for fault in left if is_blank(case.draft.get(fault.target))),
        wrong=tuple(fault for fault in left if not is_blank(case.draft.get(fault.target))),
        unseen=tuple(field for field in typed if field.key in case.proposals),
        asked=tuple(field for field in typed if field.key in asked),
    )


def section_of(case: Application, key: str) -> FormSection | None:
    """The section in which a field stands; None for anything that is no field of the form."""
    return next((part for part in form_of(case.programme).sections if key in _keys(part)), None)
