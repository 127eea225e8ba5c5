"""The application form of a programme as it stands now."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from applications.models import FormEdition
from applications.rules.form import ApplicationForm, worded
from applications.rules.prefill_text import bare_label
from pilot.models import Programme
from pilot.pdf import LANGUAGE


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


def form_marker(programme: Programme) -> str:
    """What a blank form carries to tell where it comes from: programme and edition (0: the shipped catalogue)."""
    edition = latest_edition(programme)
    return f"{programme.code}/{edition.number if edition else 0}"


def labels_of(programme: Programme) -> dict[str, str]:
    """Every Chinese label a field has or had → its key, as labels are compared; one that two fields had is left out."""
    settings: list[Any] = [
        {},
        *FormEdition.objects.filter(programme=programme).values_list("settings", flat=True),
    ]
    found: dict[str, set[str]] = {}
    with translation.override(LANGUAGE):
        for form in map(worded, settings):
            for key, field in form.fields.items():
                found.setdefault(bare_label(str(field.label)), set()).add(key)
    return {label: next(iter(keys)) for label, keys in found.items() if len(keys) == 1}
