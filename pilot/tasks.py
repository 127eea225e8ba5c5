"""The kernel's recurring jobs: thin, idempotent, safe beside a second worker."""

from celery import shared_task

from pilot.services import audit, outbox


@shared_task
def sweep_outbox() -> int:
    """Send what did not leave right after its commit."""
    return outbox.relay()


@shared_task
def seal_audit() -> int:
    """Chain the audit rows written since the last run."""
    return audit.seal()
