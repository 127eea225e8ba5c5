"""催办: the applicant asks the bureau to hurry, once a day."""

from __future__ import annotations

from django.db import models

from applications.models.application import Application, PartOfApplication
from pilot.machines import Owned, append_only


class Urge(PartOfApplication):
    """One request to hurry. ``day`` is the day of business time (Asia/Shanghai): at most one a day."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="urges")
    day = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["application", "day"], name="one_urge_a_day")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.application}: {self.day}"
