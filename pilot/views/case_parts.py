"""Parts of a case page that are the same for every machine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, Value
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pilot import diagram as drawing
from pilot import policy, workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.machines import MACHINES, Case, declared
from pilot.masking import staff
from pilot.models import Document, TransitionRecord
from pilot.registry import MachinePages, all_pages, pages_of
from pilot.selectors.unions import Statement, rows_of, union_of
from pilot.services.documents import PDF, suffix_of
from pilot.tones import tone
from pilot.ui import DocumentItem, Link, Tag, TimelineEntry

ANY_CASE: Final = UUID(int=0)
# Acts by which somebody takes something back or makes way: a case never waits for them, none is the next step.
ASIDE = frozenset(
    {
        "withdraw",
        "revert",
        "reopen",
        "retract",
        "recuse",
        "reassign",
        "replace",
        "cancel",
        "discard",
        "drop",
        "lift",
    }
)


def waiting_for(case: Case) -> str:
    """Who may take the next step, in words; empty when the case is settled."""
    steps = [step for step in workflow.next_steps(case) if step.name not in ASIDE]
    roles = {role for step in steps for role in step.roles if role != Role.SYSTEM}
    return either([str(role.label) for role in Role if role in roles])


def either(names: list[str]) -> str:
    """One of these: ``甲、乙或丙``."""
    return _("或").join([*filter(None, [_("、").join(names[:-1])]), *names[-1:]])


def history(case: Case, actor: Actor) -> list[TransitionRecord]:
    """The steps of all machines that serve this case, as far as this actor may read them."""
    rows = TransitionRecord.objects.filter(case_key=case.case_key).select_related("person", "organisation")
    rows = rows.only(
        *("machine", "object_id", "name", "source", "target", "at", "role", "reason"),
        *("person__name", "organisation__name"),
    )
    # An internal step is read where it was taken: a bureau's drafts and what its lead wrote beside them stay there.
    rows = rows.filter(Q(internal=False) | Q(organisation=actor.organisation_id))
    found = [row for row in rows.order_by("at", "pk") if policy.sees_history(row.machine, actor.role)]
    return _of_open_cases(found, actor) if actor.is_assessor else found


def _of_open_cases(rows: list[TransitionRecord], actor: Actor) -> list[TransitionRecord]:
    """Of these steps those of cases that stand open: to an assessor asked or recused the assessment does not."""
    machines = {row.machine for row in rows}
    found = {
        (machine, pk)
        for machine in machines
        for pk in MACHINES[machine]
        .objects.visible_to(actor)
        .values_list("pk", flat=True)
        .filter(pk__in=[row.object_id for row in rows if row.machine == machine])
    }
    return [row for row in rows if (row.machine, row.object_id) in found]


def timeline(case: Case, actor: Actor) -> list[TimelineEntry]:
    """The history as timeline entries, newest first. Providers read the office, not the person."""
    entries = []
    for row in reversed(history(case, actor)):
        model = MACHINES[row.machine]
        title = _("建立") if row.name == "open" else pages_of(row.machine).label_from(row.source, row.name)
        entries.append(
            TimelineEntry(
                at=row.at,
                title=title,
                by=_by(row, actor),
                state=Tag(workflow.state_label(model, row.target), tone(row.target, row.machine)),
                reason=row.reason,
                machine="" if row.machine == case.slug() else machine_label(row.machine),
            )
        )
    return entries


def _by(row: TransitionRecord, actor: Actor) -> Any:
    if row.organisation is None:
        return _("系统")
    if row.person is None or (actor.is_provider and row.organisation_id != actor.organisation_id):
        return row.organisation.name
    # Masked, two people of one office may read alike; what they acted as tells them apart. What follows from an act is
    # the system's, on behalf of whoever acted.
    acted_as = "" if row.role == Role.SYSTEM else f"{Role(row.role).label} "
    return staff(row.person, f"{row.organisation.name} · {acted_as}")


def machine_label(slug: str) -> str:
    """The words for a machine."""
    return next((str(pages.label) for pages in all_pages() if pages.slug == slug), slug)


def documents(case: Case, actor: Actor) -> list[DocumentItem]:
    """The documents of this case's machine; those of related cases stand on their own pages."""
    rows = Document.objects.filter(machine=case.slug(), object_id=case.pk)
    return [
        DocumentItem(
            row.title,
            reverse("document", args=[row.pk]),
            row.made_at,
            row.size,
            row.sha256,
            suffix_of(row.content_type).upper(),
            reverse("document_copy", args=[row.pk]) if row.content_type == PDF else "",
            copy_first=row.content_type == PDF and not actor.is_provider,
        )
        for row in rows
    ]


def related(case: Case, actor: Actor) -> list[Link]:
    """Cases of other machines that serve the same case and that this actor may open; one query."""
    others = _others(case.slug(), actor)
    statement = _related_statement(case.slug(), actor.as_reader())
    found: dict[str, list[tuple[int, str]]] = {}
    for slug, pk, state in rows_of(statement, {ANY_CASE: case.case_key}):
        found.setdefault(slug, []).append((pk, state))
    return [
        Link(
            f"{pages.label} · {workflow.state_label(pages.model, state)}",
            reverse(f"{slug}_detail", args=[pk]),
            pages.icon,
        )
        for slug, pages in others.items()
        for pk, state in found.get(slug, ())
    ]


def _others(machine: str, actor: Actor) -> dict[str, MachinePages]:
    return {
        pages.slug: pages
        for pages in all_pages()
        if pages.slug != machine and policy.may_open(f"{pages.slug}_list", actor.role)
    }


@lru_cache(maxsize=1_000)
def _related_statement(machine: str, actor: Actor) -> Statement:
    """The search for related cases as SQL, with :data:`ANY_CASE` where the case's key goes; empty without any.

    Kept like the statement of what waits (``pilot.context``), and for the same reason.
    """
    asked = [
        pages.model.objects.visible_to(actor)
        .filter(case_key=ANY_CASE)
        .order_by("pk")
        .values_list(Value(slug), "pk", "state")[:5]
        for slug, pages in _others(machine, actor).items()
    ]
    return union_of(asked)


def diagram(case: Case) -> str:
    """The machine as a picture with the present state marked and the visited ones traced."""
    model = type(case)
    visited = TransitionRecord.objects.filter(machine=model.slug(), object_id=case.pk).values_list(
        "target", flat=True
    )
    return str(machine_diagram(model, current=case.state, visited=frozenset(visited)))


def machine_diagram(model: type[Case], *, current: str = "", visited: frozenset[str] = frozenset()) -> str:
    """The generated diagram of a machine; the same code draws the case page and ``docs/``."""
    return _drawn(model, current, visited, get_language())


@lru_cache(maxsize=500)
def _drawn(model: type[Case], current: str, visited: frozenset[str], _language: str | None) -> str:
    states, moves = diagram_parts(model)
    return drawing.layout(states, moves, current=current, visited=visited, title=machine_label(model.slug()))


def diagram_parts(model: type[Case]) -> tuple[list[drawing.State], list[drawing.Move]]:
    """States and moves of a machine as the drawing package wants them."""
    moves = [
        drawing.Move(t.name, str(t.custom["label"]), str(t.source), str(t.target)) for t in declared(model)
    ]
    sources = {move.source for move in moves}
    return [
        drawing.State(str(name), str(label), terminal=name not in sources)
        for name, label in workflow.states(model)
    ], moves
