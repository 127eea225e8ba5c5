"""Addresses of a pilot unit's own systems that want to be told of events, and what was or will be sent to them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Owned
from pilot.models.register import PilotUnit


class WebhookOutcome(models.TextChoices):
    """How sending ended, if it has."""

    WAITING = "waiting", _("待发送")
    DELIVERED = "delivered", _("已送达")
    GIVEN_UP = "given_up", _("已放弃")


class WebhookEndpoint(Owned):
    """An address of one unit and the events it is told of. All times are security time.

    The secret lies encrypted under the webhook key of ``master_version``; after a rotation those before, sealed
    together, sign along until ``previous_until``. While paused, events are kept as long as the log (30 days) and sent
    afterwards.
    """

    class Paused(models.TextChoices):
        BY_PERSON = "person", _("已由管理员暂停")
        FAILING = "failing", _("因持续失败自动暂停")

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    events: Any = ArrayField(models.CharField(max_length=32))
    sealed_secret = models.BinaryField()
    master_version = models.PositiveSmallIntegerField()
    secret_at = models.DateTimeField()
    previous_secret = models.BinaryField(null=True)
    previous_version = models.PositiveSmallIntegerField(null=True)
    previous_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    paused = models.CharField(max_length=8, choices=Paused.choices, blank=True, default="", db_default="")
    failing_since = models.DateTimeField(null=True)  # the first failure after the last success
    rests_until = models.DateTimeField(null=True)  # an address that does not answer holds up nobody else's

    class Meta(Owned.Meta):
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "url"], name="webhook_url_once"),
            models.CheckConstraint(condition=~Q(events=[]), name="webhook_has_event"),
        ]

    def __str__(self) -> str:
        return self.url

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


class WebhookDelivery(Owned):
    """One message to one address, written in the transaction of the act that it tells of.

    ``message_id`` is the same over all attempts and replays; ``body`` is sent as it stands and holds ids, numbers,
    counts and states, never personal data. What the other side answers is not kept, but for the status.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=48)
    event = models.CharField(max_length=32)
    body = models.TextField()
    replay = models.BooleanField(default=False, db_default=False)
    outcome = models.CharField(max_length=12, choices=WebhookOutcome.choices, default=WebhookOutcome.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()  # while an attempt is under way: when a killed one is made up for
    last_at = models.DateTimeField(null=True)
    last_code = models.PositiveSmallIntegerField(null=True)  # HTTP status; null: no answer
    note = models.CharField(max_length=200, blank=True, default="")  # why not, a word of ours

    class Meta(Owned.Meta):
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(outcome=WebhookOutcome.WAITING), name="webhook_waiting"
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_log"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(endpoint__unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING
