"""Reads of what an application says: draft, frozen versions, files, what a notice opened, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from applications.enums import ApplicationState, FileKind
from applications.models import Application, ApplicationFile, ApplicationVersion, CompletenessNotice
from applications.rules.completeness import ConditionHint, Fault, condition_hints, faults
from applications.rules.form import FormField
from applications.selectors.form_schema import form_of
from pilot.actors import Actor
from pilot.models import Condition, Programme
from pilot.rules import local_day

SHOWN_FAULTS = 5
EDITABLE = (ApplicationState.DRAFT, ApplicationState.RETURNED)


@dataclass(frozen=True, slots=True)
class Change:
    """What an answer changed: a field with its kept values, or a kind of file with the names of its files."""

    what: FormField | FileKind
    before: Any
    after: Any


def current_content(case: Application) -> dict[str, Any]:
    """The form as it stands in the provider's hands: what was typed, and what its registration says."""
    return {**case.draft, "unit_name": case.provider.name, "uscc": case.uscc}


def current_files(case: Application) -> QuerySet[ApplicationFile]:
    """The files that would be handed in now."""
    files: QuerySet[ApplicationFile] = ApplicationFile.unscoped.filter(
        application=case, replaced_at__isnull=True
    )
    return files


def versions(case: Application) -> QuerySet[ApplicationVersion]:
    """The frozen versions, oldest first."""
    rows: QuerySet[ApplicationVersion] = ApplicationVersion.unscoped.filter(application=case).order_by(
        "number"
    )
    return rows


def latest_version(case: Application) -> ApplicationVersion | None:
    """The version handed in last; None before the first submission."""
    return versions(case).last()


def latest_content(case: Application) -> dict[str, Any]:
    """The content handed in last; empty before the first submission. Keys: those of the form."""
    version = latest_version(case)
    return dict(version.content) if version else {}


def writes(case: Application, actor: Actor) -> bool:
    """Whether the actor is at work on the draft and so reads it instead of the last version."""
    return actor.is_provider and case.state in EDITABLE


def open_notice(case: Application) -> CompletenessNotice | None:
    """The completeness notice that waits for an answer."""
    if case.state != ApplicationState.RETURNED:
        return None
    notice: CompletenessNotice | None = (
        CompletenessNotice.unscoped.filter(application=case).order_by("number").last()
    )
    return notice


def open_targets(case: Application) -> frozenset[str]:
    """The fields and kinds of files the provider may change now: all of a draft, else those the notice names."""
    if case.state == ApplicationState.DRAFT:
        return frozenset(form_of(case.programme).targets)
    notice = open_notice(case)
    return frozenset(notice.items.values_list("target", flat=True)) if notice else frozenset()


def current_faults(case: Application, *, at: datetime) -> list[Fault]:
    """Everything that keeps the draft from being handed in, in the order of the form; files last.

    What was read from an uploaded form and nobody has looked at yet is a fault of its field, whatever the draft says.
    """
    form = form_of(case.programme)
    kinds = set(current_files(case).values_list("kind", flat=True))
    found = faults(form, current_content(case), kinds, today=local_day(at), registered=case.province)
    unseen = [
        Fault(key, field.label, _("自动识别的内容尚未核对"))
        for key, field in form.fields.items()
        if key in case.proposals
    ]
    order = [*form.fields, *FileKind.values]
    rest = [fault for fault in found if fault.target not in case.proposals]
    return sorted([*rest, *unseen], key=lambda fault: order.index(fault.target))


def draft_hints(case: Application, *, at: datetime) -> list[ConditionHint]:
    """What the draft shows about each condition of the programme."""
    kinds = set(current_files(case).values_list("kind", flat=True))
    return condition_hints(
        form_of(case.programme),
        current_content(case),
        kinds,
        today=local_day(at),
        registered=case.province,
    )


def hints(case: Application, version: ApplicationVersion, *, at: datetime) -> list[ConditionHint]:
    """What a version shows about each condition of the programme."""
    kinds = {file["kind"] for file in version.files}
    return condition_hints(
        form_of(case.programme), version.content, kinds, today=local_day(at), registered=case.province
    )


def described(found: Sequence[Fault], programme: Programme) -> list[tuple[str, str]]:
    """Each fault as (field or file, what is wrong), a condition that fails named by its clause."""
    clauses = dict(Condition.objects.filter(programme=programme).values_list("number", "clause"))
    return [(str(fault.label), _fault_words(fault, clauses)) for fault in found]


def in_words(found: Sequence[Fault], programme: Programme) -> str:
    """The first few faults in one sentence."""
    words = [
        _("%(label)s：%(message)s") % {"label": label, "message": message}
        for label, message in described(found[:SHOWN_FAULTS], programme)
    ]
    if len(found) > SHOWN_FAULTS:
        words.append(_("等共 %(n)s 处") % {"n": len(found)})
    return _("；").join(words)


def _fault_words(fault: Fault, clauses: Mapping[int, str]) -> str:
    if fault.condition is None:
        return fault.message
    clause = clauses.get(fault.condition, fault.condition)
    return _("%(message)s，不符合条件%(clause)s") % {"message": fault.message, "clause": clause}


def was_changed(case: Application) -> bool:
    """Whether the provider has changed anything since the last version."""
    version = latest_version(case)
    if version is None:
        return True
    files = sorted(current_files(case).values_list("pk", flat=True))
    return version.content != current_content(case) or sorted(file["id"] for file in version.files) != files


def unanswered(case: Application, targets: frozenset[str]) -> frozenset[str]:
    """Which of these fields and kinds of file still are as they were handed in; none before the first submission."""
    version = latest_version(case)
    if version is None:
        return frozenset()
    now, files = current_content(case), list(current_files(case).values("kind", "sha256"))
    same = {key for key in targets if key not in FileKind.values and version.content.get(key) == now.get(key)}
    kept = {kind for kind in FileKind if _digests(version.files, kind) == _digests(files, kind)}
    return frozenset(same | (kept & targets))


def changes(case: Application, old: ApplicationVersion, new: ApplicationVersion) -> list[Change]:
    """What a version changed against the one before, fields in the order of the form, then files."""
    found = [
        Change(field, old.content.get(key), new.content.get(key))
        for key, field in form_of(case.programme).fields.items()
        if old.content.get(key) != new.content.get(key)
    ]
    for kind in FileKind:
        before, after = _names(old.files, kind), _names(new.files, kind)
        if _digests(old.files, kind) != _digests(new.files, kind):
            found.append(Change(kind, before, after))
    return found


def latest_file_names(case: Application) -> dict[str, tuple[str, ...]]:
    """The names of the files handed in last, by kind."""
    version = latest_version(case)
    return {kind: _names(version.files, kind) for kind in FileKind} if version else {}


def _names(files: Iterable[dict[str, Any]], kind: FileKind) -> tuple[str, ...]:
    return tuple(file["name"] for file in files if file["kind"] == kind)


def _digests(files: Iterable[Mapping[str, Any]], kind: FileKind) -> list[str]:
    return sorted(file["sha256"] for file in files if file["kind"] == kind)
