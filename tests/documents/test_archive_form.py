"""Papers are PDF/A-2a (ISO 19005-2): what the standard asks for that a program can read from the file.

No validator is to be had where these tests run; they look at each clause that our engine could break.
"""

import io
import re
from typing import Any

import pikepdf
import pytest

from tests.documents.cases import paper_of
from tests.documents.samples import SAMPLES

FORBIDDEN = {"/JavaScript", "/Launch", "/Sound", "/Movie", "/EmbeddedFile", "/Filespec", "/PS", "/3D"}


@pytest.mark.parametrize("name", SAMPLES)
def test_paper_can_be_kept_for_decades(name: str) -> None:
    with pikepdf.open(io.BytesIO(paper_of(name))) as pdf:
        root = pdf.Root
        assert not pdf.is_encrypted  # 6.1.3
        assert len(pdf.trailer.ID) == 2
        assert _described(pdf) == ("2", "A", SAMPLES[name][0], "WeasyPrint 70.0")  # 6.6.4
        assert (str(pdf.docinfo["/Title"]), str(pdf.docinfo["/Producer"])) == (
            SAMPLES[name][0],
            "WeasyPrint 70.0",
        )
        (intent,) = root.OutputIntents  # 6.2.3
        assert (str(intent.S), int(intent.DestOutputProfile.N)) == ("/GTS_PDFA1", 3)
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert (str(root.Lang), bool(root.MarkInfo.Marked)) == ("zh-CN", True)  # 6.7
        assert _roles(root.StructTreeRoot) >= {"/Document", "/H1", "/P"}
        assert {"/AA", "/OpenAction", "/AcroForm"} & set(root.keys()) == set()  # 6.5
        dictionaries = [found for found in pdf.objects if isinstance(found, pikepdf.Dictionary)]
        assert FORBIDDEN & {str(found.get(key)) for found in dictionaries for key in ("/S", "/Type")} == set()
        assert [found.F for found in dictionaries if str(found.get("/Type")) == "/Annot"] == []
        assert _faults_of_fonts(dictionaries) == []


def _described(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Part, conformance, title and producer as the XMP packet has them."""
    packet = pdf.Root.Metadata.read_bytes().decode()
    patterns = (
        r'pdfaid:part="(.)"',
        r'pdfaid:conformance="(.)"',
        r"<dc:title>.*?<rdf:li[^>]*>(.*?)</rdf:li>",
        r'pdf:Producer="([^"]*)"',
    )
    return tuple(found[1] if (found := re.search(pattern, packet)) else "" for pattern in patterns)


def _roles(node: Any) -> set[str]:
    """The roles in the tree of what the paper consists of."""
    roles = {str(node.S)} if "/S" in node else set()
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary):
            roles |= _roles(kid)
    return roles


def _faults_of_fonts(dictionaries: list[Any]) -> list[str]:
    """Faces without their outlines or without a way back to the characters (6.2.11)."""
    faults = []
    for found in dictionaries:
        if str(found.get("/Type")) != "/Font":
            continue
        name = str(found.BaseFont)
        if "/DescendantFonts" in found and "/ToUnicode" not in found:
            faults.append(f"{name}: no characters")
        descriptor = found.get("/FontDescriptor")
        if descriptor is not None and not {"/FontFile2", "/FontFile3"} & set(descriptor.keys()):
            faults.append(f"{name}: not embedded")
        if descriptor is None and "/DescendantFonts" not in found:
            faults.append(f"{name}: not described")
    return faults
