"""The few signals by which the kernel tells the apps above it that something happened (all inside the transaction)."""

from django.dispatch import Signal

# objection: Objection; actor: Actor; at: datetime. Receivers change the decision objected to.
objection_upheld = Signal()

# person_id: int. Receivers return a filter (Q): the objections to decisions in which this person had a hand elsewhere
# than on the case's own timeline. Whoever decided does not review.
decision_hands = Signal()

# unit: PilotUnit; at: datetime; kind: UnitStatusKind value; reason: str.
unit_status_changed = Signal()

# programme: Programme. Receivers return, as {"applied": {province: number}, "accepted": {…}}, how many providers took
# which step towards the pilot: the final report asks for it.
participation_asked = Signal()

# sender: the case's model; case: the case after the move; act: pilot.workflow.Act. Sent inside the transaction, after
# the history row is written: how an app above learns of a move below (acceptance opens an opinion, and the like).
case_moved = Signal()
