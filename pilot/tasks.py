"""The kernel's recurring jobs: thin, idempotent, safe beside a second worker."""

from typing import Any

from celery import Task, shared_task

from pilot.services import (
    accounts,
    audit,
    audit_checks,
    audit_watch,
    exports,
    forgetting,
    idempotency,
    leftovers,
    licences,
    operations,
    outbox,
    second_factors,
    webhook_delivery,
    webhooks,
)


@shared_task
def beat() -> None:
    """The pulse of timetable and worker; where it is missing, the portal raises an alarm."""
    operations.beat()


@shared_task
def sweep_outbox() -> int:
    """Send the tasks that did not leave right after their commit, and those that the broker lost."""
    return outbox.sweep()


@shared_task
def send_mails() -> int:
    """Send the mails that are due."""
    return outbox.send_mails()


@shared_task
def seal_audit() -> int:
    """Chain the audit rows written since the last run."""
    return audit.seal()


@shared_task
def check_audit(check_id: int) -> bool:
    """Check the whole audit log for whoever asked."""
    return audit_checks.run(check_id=check_id)


@shared_task
def sign_audit() -> bool:
    """Once a day: check the whole audit log and sign a head over it."""
    return audit_checks.daily() is not None


@shared_task
def watch_denials() -> int:
    """Tell of many refusals within a minute."""
    return audit_watch.watch()


@shared_task(bind=True)
def write_export(self: "Task[Any, Any]", export_id: int) -> bool:
    """Write a long list as a spreadsheet."""
    asked = self.request
    return exports.write(export_id=export_id, run=asked.id or "", again=bool(asked.retries))


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
def clear_leftovers() -> dict[str, int]:
    """Files of transactions that never ended."""
    return leftovers.clear()


@shared_task
def watch_licences() -> int:
    """Tell of licences of pilot units that end soon or have ended."""
    return licences.watch()


@shared_task
def disable_dormant() -> int:
    """Disable accounts that nobody has used for long."""
    return accounts.disable_dormant()


@shared_task
def reseal_second_factors() -> int:
    """Follow a rotated master key."""
    return second_factors.reseal()


@shared_task
def forget() -> dict[str, int]:
    """Everything of the kernel's whose time is over by the inventory."""
    return forgetting.forget()
