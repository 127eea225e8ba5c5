"""Recurring jobs of intake: thin, idempotent, safe beside a second worker."""

from celery import shared_task

from applications.services import deadlines


@shared_task
def pass_deadlines() -> dict[str, int]:
    """Reminders, lapses, alerts and deemed acceptances that are due."""
    return deadlines.pass_deadlines()
