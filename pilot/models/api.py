"""Keys with which a pilot unit's own systems call the portal, and the answers kept for their retries."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from pilot.actors import Actor
from pilot.enums import ApiMode
from pilot.machines import EVERYTHING, NOTHING, Owned
from pilot.models.register import PilotUnit


class ApiKey(Owned):
    """A key of one unit. Only its digest is kept; ``prefix`` is what people and logs may see of it.

    All times are security time. ``window_started`` and ``window_calls`` count the calls of the current minute.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=64)
    mode = models.CharField(max_length=4, choices=ApiMode.choices)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)  # SHA-256 of the whole key, which holds 256 random bits
    scopes: Any = ArrayField(models.CharField(max_length=16))
    networks: Any = ArrayField(
        models.CharField(max_length=43), default=list, blank=True
    )  # empty: from anywhere
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    window_started = models.DateTimeField(null=True, blank=True)
    window_calls = models.PositiveIntegerField(default=0)

    class Meta(Owned.Meta):
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_key_expires"),
            models.CheckConstraint(condition=~Q(scopes=[]), name="api_key_has_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


class IdempotentAnswer(models.Model):
    """The answer to a request that carried an ``Idempotency-Key``, given again to whoever repeats the request.

    Kept for the unit in one mode, not for a key: both keys of a rotation share it.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=4, choices=ApiMode.choices)
    endpoint = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    content_type = models.CharField(max_length=64)
    location = models.CharField(max_length=255, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_index=True)  # security time

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "mode", "endpoint", "key"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.key}"
