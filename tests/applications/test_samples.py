"""The samples of the materials: what is asked for is what they show, and nobody can take them for the real thing."""

from __future__ import annotations

import io
import re

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from applications.enums import FileKind
from applications.intake.pdf_form import read_pdf
from applications.rules.completeness import REQUIRED_FILES, faults
from applications.rules.form import FIELDS, STANDARD
from applications.rules.materials import Material, materials_of
from applications.rules.prefill import read
from applications.validators.inspection import look
from applications.writers.form_xlsx import written
from applications.writers.samples import sample
from pilot.models import Programme
from tests.documents.reading import pages, squeezed

MATERIALS = materials_of("2019-87")
FORM = dict(MATERIALS.form)
ENGLISH = re.compile(r"[A-Z][\x20-\x7e]+")


def fetched(kind: str) -> bytes:
    response = Client().get(reverse("material_sample", args=[kind]))
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return response.content


@pytest.mark.parametrize("kind", FileKind)
def test_each_kind_has_a_sample_that_says_what_it_must(programme: Programme, kind: FileKind) -> None:
    """Open to everybody, one or two pages, marked on each; a file of the kind that the portal takes."""
    content = fetched(kind)
    assert look(content) == {"kind": "application/pdf", "pages": len(pages(content))}
    texts = [squeezed(page.extract_text()) for page in pages(content)]
    assert len(texts) in (1, 2)
    assert [text for text in texts if text.count("样例，请勿照抄提交") != 2] == []  # head line and watermark
    text = "".join(texts)
    material = MATERIALS.kinds[kind]
    assert [str(must) for must in material.musts if squeezed(str(must)) not in text] == []
    told = [
        line.text or written(FIELDS[line.field], FORM[line.field])
        for s in material.sheets
        for line in s.lines
    ]
    assert [said for said in told if squeezed(said) not in text] == []
    assert sample(programme, material) == content


@pytest.mark.parametrize("material", MATERIALS.kinds.values(), ids=MATERIALS.kinds)
def test_every_must_has_its_place_on_a_sheet(material: Material) -> None:
    marks = {line.must for sheet in material.sheets for line in sheet.lines}
    marks |= {sheet.seal_must for sheet in material.sheets}
    numbers = set(range(1, len(material.musts) + 1))
    # That the whole form is the same and scanned whole has no single place on it.
    assert marks - {0} == ({2} if material.kind == FileKind.FORM else numbers)


@pytest.mark.parametrize("kind", ["x-x", "licences", "LICENCE"])
def test_an_unknown_kind_is_not_found(programme: Programme, kind: str) -> None:
    assert Client().get(reverse("material_sample", args=[kind])).status_code == 404


def test_a_programme_without_samples_offers_none(programme: Programme) -> None:
    Programme.objects.filter(pk=programme.pk).update(code="other")
    assert Client().get(reverse("material_sample", args=["licence"])).status_code == 404
    assert "/guide/samples/" not in Client().get(reverse("guide")).content.decode()


def test_the_sample_form_reads_back_as_its_invented_content(programme: Programme) -> None:
    file = read_pdf(fetched("form"), FIELDS)
    assert {key: read(FIELDS[key], found) for key, found in file.values.items()} == FORM
    assert file.marker == "2019-87/0"


def test_nothing_in_the_sample_form_can_be_typed_over(programme: Programme) -> None:
    fields = PdfReader(io.BytesIO(fetched("form"))).get_fields() or {}
    assert [name for name, field in fields.items() if not field.get("/Ff", 0) & 1] == []


def test_the_sample_form_is_complete_and_nobody_elses(programme: Programme) -> None:
    """As its invented unit's own it has no fault; handed in by another unit, the licence gives it away."""
    assert set(FORM) == set(FIELDS)
    day = programme.issued_on
    assert faults(STANDARD, FORM, REQUIRED_FILES, today=day) == []
    copied = {**FORM, "unit_name": "示例接入有限公司", "uscc": "91110000600037341L"}
    assert [fault.target for fault in faults(STANDARD, copied, REQUIRED_FILES, today=day)] == [
        "licence_holder"
    ]


def test_everything_that_identifies_is_recognisably_invented() -> None:
    """Serial numbers and telephones are zeros, no area has the code 000000, mail goes to a reserved domain."""
    numbers = {
        key: re.sub(r".*?(0*)\D?$", r"\1", FORM[key]) for key in ("licence_number", "uscc", "emergency_phone")
    }
    assert numbers == {"licence_number": "0000", "uscc": "0" * 15, "emergency_phone": "0" * 8}
    assert {FORM[key][3:] for key in FORM if key.endswith("_mobile")} == {"0" * 8}
    assert {FORM[key].partition("@")[2] for key in FORM if key.endswith("_email")} == {"example.com"}
    named = ("unit_name", "licence_holder", "legal_representative", "product", "product_supplier")
    named += (
        "principal_name",
        "contact_name",
        "technical_name",
        "test_report_number",
        "protection_certificate",
    )
    assert [key for key in named if not FORM[key].startswith("示例")] == []


def test_the_guide_asks_for_what_the_samples_show(programme: Programme) -> None:
    client = Client()
    html = client.get(reverse("guide")).content.decode()
    rows = re.findall(r'data-label="应当载明">(.*?)</td>\s*<td[^>]*data-label="样例"><a href="(.*?)"', html)
    asked = {kind: "；".join(map(str, MATERIALS.kinds[kind].musts)) for kind in FileKind}
    assert rows == [(asked[kind], f"/guide/samples/{kind}.pdf") for kind in FileKind]
    client.cookies["django_language"] = "en"
    english = client.get(reverse("guide")).content.decode()
    materials = english[english.index('id="materials"') : english.index('id="windows"')]
    cells = re.findall(r"<td[^>]*>([^<]*; [^<]*)</td>", materials)
    assert len(cells) == len(FileKind)
    assert [cell for cell in cells if not ENGLISH.fullmatch(cell)] == []
