"""What this app tells of that is no move of a case; sent inside the transaction."""

from django.dispatch import Signal

# unit: PilotUnit; findings: list[Finding], all of one batch, at least one; at: datetime (business time).
findings_opened = Signal()
