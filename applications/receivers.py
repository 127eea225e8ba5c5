"""Answers to signals from below; thin: one service call each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from applications.selectors import participation
from applications.services import deadlines, objections
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import Objection, Programme, WindowExtension
from pilot.signals import case_moved, objection_upheld, participation_asked
from pilot.workflow import Act


@receiver(objection_upheld, dispatch_uid="applications.objection_upheld")
def change_refusal(sender: Any, *, objection: Objection, actor: Actor, at: datetime, **kwargs: Any) -> None:
    """An objection against a refusal was upheld."""
    objections.answer(objection=objection, actor=actor, at=at)


@receiver(case_moved, sender=WindowExtension, dispatch_uid="applications.window_extended")
def tell_drafts(sender: Any, *, case: WindowExtension, act: Act, **kwargs: Any) -> None:
    """The application window closes later: whoever has not handed in yet still can."""
    if act.name == "approve" and case.window.kind == WindowKind.APPLICATION:
        deadlines.tell_extended(programme=case.window.programme, source=act.key)


@receiver(participation_asked, dispatch_uid="applications.participation")
def count_applications(sender: Any, *, programme: Programme, **kwargs: Any) -> dict[str, dict[int, int]]:
    """How many providers of each province applied and were accepted."""
    return participation.by_province(programme)
