"""The kernel's recurring jobs: thin, idempotent, safe beside a second worker."""

from celery import shared_task

from pilot.services import audit, exports, idempotency, licences, outbox, webhook_delivery, webhooks


@shared_task
def sweep_outbox() -> int:
    """Send what did not leave right after its commit."""
    return outbox.relay()


@shared_task
def seal_audit() -> int:
    """Chain the audit rows written since the last run."""
    return audit.seal()


@shared_task
def write_export(export_id: int) -> bool:
    """Write a long list as a spreadsheet."""
    return exports.write(export_id=export_id)


@shared_task
def sweep_exports() -> int:
    """Forget old spreadsheets, take up those left lying."""
    return exports.sweep()


@shared_task
def tidy_answers() -> int:
    """Forget answers kept for retries once nobody retries any more."""
    return idempotency.tidy()


@shared_task
def send_webhooks() -> int:
    """Send what units' systems are to be told, and try again what is due."""
    return webhook_delivery.send_due()


@shared_task
def tidy_webhooks() -> int:
    """Forget what was sent long ago, follow a rotated master key."""
    return webhooks.tidy()


@shared_task
def watch_licences() -> int:
    """Tell of licences of pilot units that end soon or have ended."""
    return licences.watch()
