"""What scores rest on, as links that open the material for whom it stands open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.models import ApplicationFile
from applications.services import drawing
from assessment.models import CapabilityAssessment, TestRun
from assessment.selectors.evidence import Evidence, Material, materials
from pilot.actors import Actor
from pilot.ui import Link


class Opener:
    """The material of one case as one actor may open it."""

    def __init__(self, assessment: CapabilityAssessment, actor: Actor) -> None:
        self.actor = actor
        self.known: Mapping[str, Material] = materials(assessment)
        files = ApplicationFile.objects.visible_to(actor).filter(application=assessment.application_id)
        self.files = frozenset(files.values_list("pk", flat=True))
        runs = TestRun.objects.visible_to(actor).filter(assessment=assessment)
        self.runs = frozenset(runs.values_list("pk", flat=True))

    def links(self) -> list[Link]:
        """Everything this actor may open, by name: files as a whole, test runs as their page."""
        opened = ((material.label, self._whole(material)) for material in self.known.values())
        return [Link(label, url) for label, url in opened if url]

    def _whole(self, material: Material) -> str:
        file = material.file
        if file is None:
            return self._url(material, None)
        return reverse("application_file", args=[file.pk]) if file.pk in self.files else ""

    def cell(self, evidence: Evidence | None) -> Link | str | None:
        """The source as a table cell: a link where this actor may open it, else its name."""
        material = self.known.get(evidence.source) if evidence else None
        if evidence is None or material is None:
            return None
        name = material.label
        words = _("%(name)s 第 %(n)s 页") % {"name": name, "n": evidence.page} if evidence.page else name
        url = self._url(material, evidence.page)
        return Link(words, url) if url else words

    def _url(self, material: Material, page: int | None) -> str:
        if material.run:
            return reverse("test_run", args=[material.run.pk]) if material.run.pk in self.runs else ""
        file: Any = material.file
        if file.pk not in self.files:
            return ""
        if file.content_type in {drawing.PDF, *drawing.PICTURES}:
            return reverse("application_page", args=[file.pk, page or 1])
        return reverse("application_file", args=[file.pk])
