"""Questions and answers (常见问题) made of closed coordination cases, rewritten without names."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import CoordinationState, FaqState
from filings.models import CoordinationCase, FaqEntry
from filings.services.acting import beginner
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.services import audit
from pilot.workflow import open_case


@audit.denials_recorded("faq-entry.open")
@transaction.atomic
def make_faq(*, case: CoordinationCase, actor: Actor, question: str, answer: str, category: str) -> FaqEntry:
    """Draft an entry from a closed case, in words of its own; another person publishes it.

    Raises :class:`NotPermitted` for units, :class:`Refused` for a case that is not closed or has its entry already,
    and where the words name the unit or a person of the thread.
    """
    if not policy.may_act(CoordinationCase.slug(), "make_faq", actor.role):
        raise NotPermitted(_("由主管部门整理问答"))
    locked: CoordinationCase = (
        CoordinationCase.unscoped.select_for_update(of=("self",))
        .select_related("unit__organisation")
        .get(pk=case.pk)
    )
    if why := obstacle(locked):
        raise Refused(why)
    if named := _named(locked, f"{question}\n{answer}"):
        raise Refused(_("问答面向全部用户，请删去名称：%(names)s") % {"names": _("、").join(named)})
    writer = beginner(actor)
    entry = FaqEntry(
        case_key=locked.case_key,
        category=category,
        question=question.strip(),
        answer=answer.strip(),
        source=locked,
        drafted_by_id=writer.person,
        organisation_id=writer.organisation,
    )
    open_case(entry, actor=actor, at=clock.now())
    return entry


def obstacle(case: CoordinationCase) -> str | None:
    """Why no entry can be made of a case, in words; None where one can."""
    if case.state != CoordinationState.CLOSED:
        return _("办结后可以整理为问答")
    standing = FaqEntry.unscoped.filter(source=case).exclude(state=FaqState.WITHDRAWN)
    return _("已整理为问答") if standing.exists() else None


def _named(case: CoordinationCase, words: str) -> list[str]:
    """The names of this case that stand in the words: of the unit, and of who wrote in the thread."""
    people = case.messages.order_by("pk").values_list("person__name", flat=True)
    names = dict.fromkeys([case.unit.organisation.name, case.unit.code, *people])
    return [name for name in names if name in words]
