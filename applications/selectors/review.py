"""Reads of a bureau's work on an application: its desk, its marks, what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from applications.enums import ApplicationState, Mark
from applications.models import Application, ChecklistMark, Claim
from applications.rules import checklist
from applications.rules.checklist import Item, Verdict
from applications.selectors import cases, content
from pilot import clock
from pilot.actors import Actor
from pilot.language import on_record
from pilot.masking import mask_name

STALE = timedelta(minutes=30)  # without a sign of life; security time
MAX_TEXT = 500
APPLICANT_ALONE = frozenset({"open", "submit", "withdraw"})  # the steps a bureau has no part in


def alive_since() -> datetime:
    """A desk without a sign of life since this moment is free for anyone."""
    return clock.security_now() - STALE


def claim_of(case: Application) -> Claim | None:
    """Who has the application on the desk now; None when nobody has, or no longer gives a sign of life."""
    claim: Claim | None = (
        Claim.unscoped.filter(application=case, seen_at__gte=alive_since())
        .select_related("person")
        .only("claimed_at", "person__name")
        .first()
    )
    return claim


def on_another_desk(case: Application, actor: Actor) -> str | None:
    """Who else is at it and since when, in words; None while it is free or on the actor's own desk (R05)."""
    return elsewhere(claim_of(case), actor)


def elsewhere(claim: Claim | None, actor: Actor) -> str | None:
    """The same of a claim: who has it and since when, in words; None of no claim, or of the actor's own."""
    if claim is None or claim.person_id == actor.person_id:
        return None
    return _("%(name)s 正在审核 %(since)s") % {
        "name": mask_name(claim.person.name),
        "since": localtime(clock.business(claim.claimed_at)).strftime("%H:%M"),
    }


def is_begun(case: Application) -> bool:
    """Whether the bureau has set to work on the application: a word was said, it is on a desk, or something is marked.

    From then on its provider withdraws with a reason (P13). Answers from the record, whatever the state is by now.
    """
    told = cases.history(case)
    if any(step.name not in APPLICANT_ALONE for step in told):
        return True
    on_a_desk = Claim.unscoped.filter(application=case).exists()
    return on_a_desk or ChecklistMark.unscoped.filter(application=case).exists()


def on_desk_of(person_id: int | None) -> Q:
    """The applications waiting for the bureau's word that this person has claimed."""
    return Q(state=ApplicationState.SUBMITTED, claim__person=person_id)


def on_no_desk(actor: Actor) -> Q:
    """The applications waiting for the bureau's word that nobody has claimed, or not been seen at since."""
    free = Q(claim__isnull=True) | (Q(claim__seen_at__lt=alive_since()) & ~Q(claim__person=actor.person_id))
    return Q(state=ApplicationState.SUBMITTED) & free


def items(case: Application) -> tuple[Item, ...]:
    """The checklist of the application's programme."""
    return checklist.items_of(case.programme.code)


def marks(case: Application, *, version: int | None = None) -> dict[str, ChecklistMark]:
    """The marks on the version handed in last (or another one) by item."""
    rows = _marked(case, version).select_related("file", "marked_by")
    return {row.item: row for row in rows}


def _marked(case: Application, version: int | None) -> QuerySet[ChecklistMark]:
    number = _latest(case) if version is None else version
    rows: QuerySet[ChecklistMark] = ChecklistMark.unscoped.filter(application=case, version=number)
    return rows


def _latest(case: Application) -> int:
    """The number of the version handed in last; 0 before the first submission."""
    number: int | None = content.versions(case).values_list("number", flat=True).last()
    return number or 0


def earlier_marks(case: Application, *, latest: int | None = None) -> dict[str, ChecklistMark]:
    """What was marked on the version before the last one (its number, where it is known), by item.

    An answer is read against it.
    """
    number = latest or _latest(case)
    return marks(case, version=number - 1) if number > 1 else {}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the checklist says about an application now."""

    verdict: Verdict
    conditions: dict[int, Verdict]
    not_met: tuple[Item, ...]
    unmarked: tuple[Item, ...]


def standing(case: Application, *, version: int | None = None) -> Standing:
    """The verdict that follows from the marks on the version handed in last (its number, where it is known)."""
    listed, given = items(case), dict(_marked(case, version).values_list("item", "mark"))
    return Standing(
        checklist.verdict(listed, given),
        checklist.by_condition(listed, given),
        tuple(item for item in listed if given.get(item.key) == Mark.NOT_MET),
        tuple(item for item in listed if item.key not in given),
    )


def bars_acceptance(case: Application) -> str | None:
    """Why the checklist does not let the application be accepted, in words.

    A checklist that nobody has begun says nothing: paper may have been read.
    """
    found = standing(case)
    if found.verdict is Verdict.CANNOT_ACCEPT:
        what = _("、").join(str(item.words) for item in found.not_met)
        return _("审核清单中有不符合项，不能受理：%(what)s") % {"what": what}
    if found.verdict is Verdict.UNDECIDED:
        if found.unmarked:
            return _("审核清单还有 %(n)s 项未审，不能受理") % {"n": len(found.unmarked)}
        return _("审核清单中有参与条件没有一项符合，不能受理")
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """What the checklist leaves for one place in form or files.

    ``text`` is what the reviewer wrote about it, ``unwritten`` the items marked 不符合 without a word: what is wrong
    there nobody has said yet, and no standard phrase says it instead, for it would go out as the bureau's ground.
    """

    text: str
    unwritten: tuple[str, ...]


def faults(case: Application) -> dict[str, Found]:
    """What a completeness notice has to say of the items marked 不符合, by target."""
    given = marks(case)
    wrong: dict[str, list[tuple[Item, ChecklistMark]]] = {}
    for item in items(case):
        row = given.get(item.key)
        if row is not None and row.mark == Mark.NOT_MET:
            wrong.setdefault(item.target, []).append((item, row))
    return {target: _found(rows) for target, rows in wrong.items()}


def _found(rows: Sequence[tuple[Item, ChecklistMark]]) -> Found:
    with on_record():
        text = _("；").join(placed(row.text, row) for _item, row in rows if row.text)[:MAX_TEXT]
    return Found(text, tuple(placed(str(item.words), row) for item, row in rows if not row.text))


def placed(text: str, row: ChecklistMark) -> str:
    """Words about an item with the page on which it was seen, where the mark names one."""
    if row.file is None:
        return text
    place = {"text": text, "file": row.file.get_kind_display(), "page": row.page or 1}
    return _("%(text)s（见%(file)s第%(page)s页）") % place


def phrases(case: Application) -> dict[str, list[str]]:
    """The standard phrases for each place in form and files that an item of the checklist is read from."""
    found: dict[str, list[str]] = {}
    for item in items(case):
        for target in item.targets:
            found.setdefault(target, []).extend(item.phrases)
    return found
