"""Opinions that begin and end with their application, and the law of the checklist."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application
from assessment.enums import ItemVerdict, OpinionState
from assessment.models import Opinion
from assessment.rules import scores as rules
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Condition
from pilot.workflow import Act, open_case


@transaction.atomic
def open_opinion(*, application: Application, actor: Actor, at: datetime) -> Opinion:
    """A pending opinion for an accepted application, on the same timeline."""
    opinion = Opinion(application=application, province=application.province, case_key=application.case_key)
    open_case(opinion, actor=actor.downward(), at=at)
    return opinion


def void_opinion(*, application: Application, act: Act) -> None:
    """End the living opinion of an application whose acceptance is gone."""
    for opinion in Opinion.unscoped.filter(application=application).exclude(state=OpinionState.VOID):
        act.downward(opinion, "void")


def clean_checklist(opinion: Opinion, items: Mapping[Any, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The checklist with one verdict for every condition of the programme, keyed by condition number.

    Raises :class:`Refused` for a condition left out or unknown, an unknown verdict, or a verdict other than "met"
    without evidence.
    """
    given = {str(number): item for number, item in items.items()}
    conditions = Condition.objects.filter(programme=opinion.application.programme_id)
    numbers = [str(number) for number in conditions.values_list("number", flat=True)]
    if set(given) != set(numbers):
        raise Refused(_("请逐条核对 %(n)s 项参与条件") % {"n": len(numbers)})
    checklist = {}
    for number in numbers:
        verdict = str(given[number].get("verdict", ""))
        evidence = str(given[number].get("evidence", "")).strip()
        if verdict not in ItemVerdict.values:
            raise Refused(_("第 %(n)s 项条件没有核对结论") % {"n": number})
        if verdict != ItemVerdict.MET and not evidence:
            raise Refused(_("第 %(n)s 项条件须写明依据") % {"n": number})
        checklist[number] = {"verdict": verdict, "evidence": evidence}
    return checklist


def verdict_of(checklist: Mapping[str, Mapping[str, str]], *, stated: bool | None) -> bool:
    """What the checklist recommends. Raises :class:`Refused` when the stated recommendation contradicts it."""
    derived = rules.recommends(item["verdict"] for item in checklist.values())
    if stated is None or stated is derived:
        return derived
    if stated:
        raise Refused(_("有条件不符合，不能同意推荐"))
    raise Refused(_("各项条件均无不符合，不能作出不同意推荐的意见"))


def faults_in(checklist: Mapping[str, Mapping[str, str]]) -> str:
    """The evidence of the conditions that are not met, for the report and for letters."""
    unmet = [item["evidence"] for item in checklist.values() if not rules.recommends([item["verdict"]])]
    return "；".join(unmet)
