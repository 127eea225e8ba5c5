"""One-time links by which a person sets a password: an invitation, or a forgotten password."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccessLink(models.Model):
    """A link sent by mail. Only the digest of its secret is kept; a person's newer link ends the older ones."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation", _("开通账号")
        RESET = "reset", _("重置密码")

    person = models.ForeignKey("pilot.Person", on_delete=models.CASCADE, related_name="access_links")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret
    made_at = models.DateTimeField()  # security time, like the other two
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id} {self.purpose} {self.made_at:%Y-%m-%d %H:%M}"
