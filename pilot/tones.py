"""One tone per state of every machine, so that a word looks the same wherever it stands (C13)."""

from __future__ import annotations

from dataclasses import replace

from pilot.machines import Case
from pilot.ui import Tag, Tone
from pilot.workflow import state_label

_TONES: dict[str, Tone] = {
    # somebody has to act
    "submitted": "warning", "pending": "warning", "open": "warning", "asked": "warning", "requested": "warning",
    "proposed": "warning", "drafted": "warning", "prepared": "warning", "answered": "info", "compiled": "warning",
    "received": "info", "heard": "warning", "filed": "warning", "disputed": "warning", "in_moderation": "warning",
    # under way
    "draft": "neutral", "planned": "neutral", "assigned": "info", "in_progress": "info", "sent": "info",
    "processing": "info", "committed": "info", "drawn": "info", "issued": "info", "hearing": "info",
    "under_review": "info", "returned": "info", "signed": "info", "approved": "info", "accepted": "info",
    "reported": "info", "recommended": "info", "suspended": "warning",
    # settled well
    "listed": "success", "published": "success", "done": "success", "closed": "success", "clear": "success",
    "concluded": "success", "confirmed": "neutral", "granted": "success", "effective": "success", "active": "success",
    "lifted": "success", "completed": "neutral",
    # settled otherwise
    "refused": "danger", "not_listed": "danger", "failed": "danger", "overdue": "danger", "conflicted": "danger",
    "imposed": "danger", "rejected": "danger", "not_recommended": "danger", "removed": "danger", "upheld": "neutral",
    "lapsed": "muted", "withdrawn": "muted", "void": "muted", "cancelled": "muted", "dropped": "muted",
    "annulled": "muted", "cleared": "muted", "discarded": "muted", "overturned": "muted", "dismissed": "muted",
}  # fmt: skip


# A state of one machine that means something else than the same word elsewhere.
_OF_MACHINE: dict[tuple[str, str], Tone] = {("objection", "upheld"): "success"}


def tone(state: str, machine: str = "") -> Tone:
    """The tone of a state's tag."""
    return _OF_MACHINE.get((machine, state)) or _TONES.get(state, "neutral")


def state_tag(case: Case) -> Tag:
    """The status tag of a case."""
    tag = tag_of(type(case), case.state)
    return replace(tag, tone="warning") if case.is_marred else tag


def tag_of(model: type[Case], state: str) -> Tag:
    """The status tag of a case of this machine in this state."""
    return Tag(state_label(model, state), tone(state, model.slug()))
