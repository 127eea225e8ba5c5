"""What the material of an application shows about each condition: form, files, and the marks of the intake review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from applications.enums import FileKind, Mark
from applications.models import Application, ApplicationFile, ChecklistMark
from applications.rules.checklist import Item, Verdict
from applications.rules.form import Words, masked
from applications.selectors import content, review
from applications.selectors.form_schema import form_of
from pilot import clock
from pilot.actors import Actor
from pilot.language import on_record
from pilot.models import Condition

MOST_EVIDENCE: Final = 1000  # characters of the evidence of one condition


@dataclass(frozen=True, slots=True)
class Marked:
    """One item of the checklist with the mark it was given in intake review; None: nobody marked it."""

    words: Words
    mark: ChecklistMark | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is at hand about one condition. ``fields``: label and value of what the form says."""

    condition: Condition
    verdict: Verdict
    gaps: Sequence[str]
    notes: Sequence[str]
    fields: Sequence[tuple[Words, Any]]
    files: Sequence[ApplicationFile]
    items: Sequence[Marked]


def by_condition(case: Application, actor: Actor) -> list[Shown]:
    """Every condition of the programme, in its order; the same number of queries for each application."""
    latest = content.latest_version(case)
    standing = review.standing(case, version=latest.number if latest else 0)
    marks = {
        row.item: row
        for row in ChecklistMark.objects.visible_to(actor)
        .filter(application=case, version=latest.number if latest else 0)
        .select_related("file")
    }
    hints = {hint.number: hint for hint in content.hints(case, latest, at=clock.now())} if latest else {}
    handed_in = [entry["id"] for entry in latest.files] if latest else []
    files = sorted(
        ApplicationFile.objects.visible_to(actor).filter(application=case, pk__in=handed_in),
        key=lambda row: (FileKind.values.index(row.kind), row.pk),
    )
    given = latest.content if latest else {}
    schema = form_of(case.programme).fields
    found = []
    for condition in Condition.objects.filter(programme=case.programme_id):
        items = [item for item in review.items(case) if item.condition == condition.number]
        targets = dict.fromkeys(target for item in items for target in item.targets)
        hint = hints.get(condition.number)
        found.append(
            Shown(
                condition=condition,
                verdict=standing.conditions.get(condition.number, Verdict.OPEN),
                gaps=hint.gaps if hint else (),
                notes=hint.notes if hint else (),
                fields=[
                    (schema[key].label, masked(schema[key], given.get(key)))
                    for key in targets
                    if key in schema
                ],
                files=[file for file in files if file.kind in targets],
                items=[Marked(item.words, marks.get(item.key)) for item in items],
            )
        )
    return found


def evidence(case: Application) -> dict[int, str]:
    """Condition → what its marks give as evidence, with the pages they name; conditions without any are left out.

    Of a condition with something wrong only that is said, for it goes into report and letter as the reason.
    """
    marks = review.marks(case)
    found: dict[int, list[tuple[Item, ChecklistMark]]] = {}
    for item in review.items(case):
        if item.key in marks:
            found.setdefault(item.condition, []).append((item, marks[item.key]))
    with on_record():
        return {number: in_words(rows) for number, rows in found.items()}


def in_words(rows: Sequence[tuple[Item, ChecklistMark]]) -> str:
    """The marks of one condition as its evidence."""
    wrong = [row for row in rows if row[1].mark == Mark.NOT_MET]
    return _("；").join(_sentence(item, mark) for item, mark in wrong or rows)[:MOST_EVIDENCE]


def _sentence(item: Item, mark: ChecklistMark) -> str:
    if mark.mark == Mark.NOT_MET:
        # Only what was written is a ground; a standard phrase that nobody chose may be untrue.
        text = mark.text or _("%(item)s：不符合") % {"item": item.words}
    elif mark.mark == Mark.NOT_APPLICABLE:
        text = _("%(item)s：不适用") % {"item": item.words}
    else:
        text = str(item.words)
    return review.placed(text, mark)
