"""Answers to signals from below; thin: one service call each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from applications.services import objections
from pilot.actors import Actor
from pilot.models import Objection
from pilot.signals import objection_upheld


@receiver(objection_upheld, dispatch_uid="applications.objection_upheld")
def change_refusal(sender: Any, *, objection: Objection, actor: Actor, at: datetime, **kwargs: Any) -> None:
    """An objection against a refusal was upheld."""
    objections.answer(objection=objection, actor=actor, at=at)
