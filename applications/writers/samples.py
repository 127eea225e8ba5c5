"""The samples of the materials, as the guide offers them: one PDF for each kind, the same bytes for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from django.utils import translation

from applications.enums import FileKind
from applications.rules.form import FormField
from applications.rules.materials import Line, Material, Sheet, materials_of
from applications.selectors.form_schema import form_of
from applications.writers import form_pdf
from applications.writers.form_xlsx import written
from pilot.models import Programme
from pilot.pdf import LANGUAGE, render_form, render_kept
from pilot.pdf_forms import filled, names_of
from pilot.services import letters

TEMPLATE: Final = "documents/guide_sample.html"


def sample(programme: Programme, material: Material) -> bytes:
    """The sample of a material of this programme. The first call takes a second or two, later ones read a file."""
    content = materials_of(programme.code).form
    fields = form_of(programme).fields
    with translation.override(LANGUAGE):
        words = {
            "musts": [str(must) for must in material.musts],
            "sheets": [_sheet(sheet, fields, content) for sheet in material.sheets],
        }
        if material.kind == FileKind.FORM:
            return _form(programme, material.title, words, form_pdf.values_of(fields, content))
        ministry = letters.programme_words(programme)
    context = {**words, "programme": ministry, "issuer": ministry["ministry"]}
    return render_kept(TEMPLATE, context, title=material.title)


def _form(programme: Programme, title: str, words: Mapping[str, Any], values: Mapping[str, str]) -> bytes:
    """The fillable form, marked as a sample, with an invented content that cannot be typed over."""
    # A sample says on each page that it is one, in the demonstration as elsewhere.
    context = {**form_pdf.form_words(programme), **words, "sample": True, "demo_mark": False}
    blank = render_form(form_pdf.TEMPLATE, context, title=title)
    return filled(blank, values, read_only=names_of(blank))


def _sheet(sheet: Sheet, fields: Mapping[str, FormField], content: Mapping[str, Any]) -> dict[str, Any]:
    return {**asdict(sheet), "lines": [_line(line, fields, content) for line in sheet.lines]}


def _line(line: Line, fields: Mapping[str, FormField], content: Mapping[str, Any]) -> dict[str, Any]:
    if not line.field:
        return asdict(line)
    field = fields[line.field]
    return {**asdict(line), "text": written(field, content[field.key]), "field": str(field.label)}
