"""The application form of a programme as it stands now."""

from __future__ import annotations

from applications.models import FormEdition
from applications.rules.form import ApplicationForm, worded
from pilot.models import Programme


def latest_edition(programme: Programme) -> FormEdition | None:
    """The edition in force; None while the shipped catalogue holds unchanged."""
    edition: FormEdition | None = FormEdition.objects.filter(programme=programme).order_by("number").last()
    return edition


def form_of(programme: Programme) -> ApplicationForm:
    """The form as the ministry last worded it. Kept with the programme object, so a page asks once."""
    kept: ApplicationForm | None = programme.__dict__.get("_application_form")
    if kept is None:
        edition = latest_edition(programme)
        kept = programme.__dict__["_application_form"] = worded(edition.settings if edition else {})
    return kept
