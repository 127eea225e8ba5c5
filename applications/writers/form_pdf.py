"""The application form as a fillable PDF (AcroForm). Field names are the form's keys and stay the same for good.

A text is the field ``key``; a single choice a radio group ``key`` whose buttons are the codes; several choices one
checkbox ``key-code`` each. Papers are Chinese whatever language the person works in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils import translation

from applications.rules.form import FormField, FormSection, Kind, is_blank, shown
from applications.rules.prefill import MAX_LENGTH
from applications.selectors.form_schema import form_marker, form_of
from pilot import clock
from pilot.models import Programme
from pilot.pdf import LANGUAGE, render_form
from pilot.pdf_forms import filled
from pilot.services import letters

TEMPLATE: Final = "documents/application_form.html"
STATEMENT: Final = "本单位承诺所填内容和所附材料真实、准确、完整，并对其真实性负责。"
_WIDE: Final = (Kind.LONG_TEXT, Kind.CHOICE, Kind.CHOICES)


def blank_form(programme: Programme) -> bytes:
    """The form with nothing in it. The first call for an edition takes a second or two, later ones read a file."""
    with translation.override(LANGUAGE):
        words = form_words(programme)
    return render_form(TEMPLATE, words, title=words["programme"]["form_name"])


def form_with(programme: Programme, content: Mapping[str, Any]) -> bytes:
    """The form with a content filled in; what comes from the registration cannot be typed over."""
    fields = form_of(programme).fields
    fixed = [key for key, field in fields.items() if field.fixed]
    return filled(blank_form(programme), values_of(fields, content), read_only=fixed)


def values_of(fields: Mapping[str, FormField], content: Mapping[str, Any]) -> dict[str, str]:
    """What a content puts into the fields of the PDF."""
    with translation.override(LANGUAGE):
        return {
            name: value
            for key, field in fields.items()
            if not is_blank(content.get(key))
            for name, value in _values(field, content[key])
        }


def form_words(programme: Programme) -> dict[str, Any]:
    """The context of ``documents/application_form.html``."""
    words = letters.programme_words(programme)
    return {
        "programme": words,
        "issuer": words["ministry"],
        "marker": form_marker(programme),
        "sections": [_section(section) for section in form_of(programme).sections],
        "statement": STATEMENT,
        "demo_mark": clock.is_demo(),
    }


def _section(section: FormSection) -> dict[str, Any]:
    return {"title": str(section.title), "rows": list(_rows(section.fields))}


def _rows(fields: tuple[FormField, ...]) -> Iterator[list[dict[str, Any]]]:
    """Two short fields stand side by side; choices, long texts and an odd one out have a line of their own."""
    waiting: list[dict[str, Any]] = []
    for field in fields:
        wide = field.kind in _WIDE
        if waiting and (wide or len(waiting) == 2):
            yield _line(waiting)
            waiting = []
        if wide:
            yield _line([_cell(field)])
        else:
            waiting.append(_cell(field))
    if waiting:
        yield _line(waiting)


def _line(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**cell, "span": 1 if len(cells) == 2 else 3} for cell in cells]


def _cell(field: FormField) -> dict[str, Any]:
    return {
        "name": field.key,
        "label": str(field.label),
        "required": field.required,
        "help": str(field.help),
        "kind": {Kind.CHOICE: "one", Kind.CHOICES: "many", Kind.LONG_TEXT: "long"}.get(field.kind, "line"),
        "length": MAX_LENGTH[field.kind],
        "options": [
            {
                "name": f"{field.key}-{code}" if field.kind is Kind.CHOICES else field.key,
                "code": code,
                "label": str(words),
            }
            for code, words in field.choices
        ],
    }


def _values(field: FormField, value: Any) -> Iterator[tuple[str, str]]:
    """The fields of the PDF a kept value goes to. What is no choice of the form has no place in it."""
    codes = {code for code, _words in field.choices}
    if field.kind is Kind.CHOICES:
        yield from ((f"{field.key}-{code}", "on") for code in value if code in codes)
    elif field.kind is Kind.CHOICE:
        yield from ((field.key, code) for code in [str(value)] if code in codes)
    else:
        yield field.key, str(shown(field, value))
