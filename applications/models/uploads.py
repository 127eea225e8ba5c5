"""A file on its way: kept in pieces until it is whole, so that an upload resumes after a cut."""

from __future__ import annotations

import secrets

from django.db import models

from applications.enums import FileKind
from applications.models.application import Application, PartOfApplication
from pilot.machines import Owned


def new_token() -> str:
    """What opens an upload: 128 random bits, also the name of its file on disk."""
    return secrets.token_hex(16)


class PartialUpload(PartOfApplication):
    """An upload that has begun. ``received`` bytes have come; removed when it is whole, cancelled or stale."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="uploads")
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    kind = models.CharField(max_length=16, choices=FileKind.choices)
    name = models.CharField(max_length=255)
    size = models.PositiveIntegerField()
    received = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()  # security time
    begun_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.received}/{self.size}"
