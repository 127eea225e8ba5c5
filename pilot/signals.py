"""The few signals by which the kernel tells the apps above it that something happened (all inside the transaction)."""

from django.dispatch import Signal

# objection: Objection; actor: Actor; at: datetime. Receivers change the decision objected to.
objection_upheld = Signal()

# objection: Objection. Receivers return the ids of the persons who decided the case elsewhere than on its own timeline
# (None where it is not theirs): whoever decided does not review.
decision_hands = Signal()

# unit: PilotUnit; at: datetime; kind: UnitStatusKind value; reason: str.
unit_status_changed = Signal()

# sender: the case's model; case: the case after the move; act: pilot.workflow.Act. Sent inside the transaction, after
# the history row is written: how an app above learns of a move below (acceptance opens an opinion, and the like).
case_moved = Signal()
