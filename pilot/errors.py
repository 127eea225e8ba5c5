"""Errors the portal raises on purpose: each has words for the user and an HTTP status."""

from __future__ import annotations

from typing import Any


class PilotError(Exception):
    """Base of all refusals. ``message`` is for people; ``code`` is stable; ``status`` is the HTTP answer.

    ``field`` names the argument at fault, where it is one: a form says it at the field of that name.
    """

    status = 400
    code = "refused"

    def __init__(self, message: Any, *, field: str = "") -> None:
        self.message = message
        self.field = field
        super().__init__(str(message))


class Refused(PilotError):
    """A condition of the act is not met; the reason is in words."""

    status = 422
    code = "condition"


class ContentDestroyed(PilotError):
    """What was asked for was destroyed for good when its retention period was over."""

    status = 410
    code = "content.destroyed"


class StateChanged(PilotError):
    """Somebody else moved the case since the actor saw it."""

    status = 409
    code = "state.changed"


class NotPermitted(PilotError):
    """The actor's role may not do this."""

    status = 403
    code = "permission"


class NotReady(PilotError):
    """Something the portal stands on is missing (database, programme); try again or set it up."""

    status = 503
    code = "not.ready"
