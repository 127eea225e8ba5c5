"""Files a reviewer looks at, made by hand: PDFs in Chinese without an embedded font, pictures, workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import xlsxwriter
from PIL import Image

from applications.models import Application, ApplicationFile
from applications.rules.completeness import REQUIRED_FILES
from applications.services.files import add_file
from pilot.actors import Actor
from pilot.workflow import fire
from tests.applications import builders

A4 = "[0 0 595 842]"


def pdf(*pages: str, box: str = A4, font: str = "SimSun") -> bytes:
    """A PDF with one page per text, set in a Chinese font that the file only names (as office software does)."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (6 + 2 * n) for n in range(len(pages))), len(pages)),
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{font} /Encoding /GBK-EUC-H /DescendantFonts [4 0 R] >>".encode(),
        (
            f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{font} /DW 1000 /FontDescriptor 5 0 R"
            " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>"
        ).encode(),
        (
            f"<< /Type /FontDescriptor /FontName /{font} /Flags 6 /FontBBox [0 -200 1000 900] /ItalicAngle 0"
            " /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
        ).encode(),
    ]
    for number, text in enumerate(pages):
        stream = b"BT /F1 36 Tf 50 700 Td <%s> Tj ET" % text.encode("gbk").hex().encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {7 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 300)) -> bytes:
    target = BytesIO()
    Image.new("RGB", size, (30, 90, 160)).save(target, kind)
    return target.getvalue()


def workbook(rows: int = 3) -> bytes:
    target = BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False})
    table = book.add_worksheet("示例表")
    for number in range(rows):
        table.write_row(number, 0, [f"第{number + 1}行", number + 1, "=cmd"])
    book.close()
    return target.getvalue()


def submitted(provider: Actor) -> Application:
    """A submitted application whose files can be looked at: two pages each."""
    case = builders.drafted(provider)
    for kind in REQUIRED_FILES:
        body = pdf(f"示例材料{case.pk}", "测试报告第二页")
        add_file(case=case, actor=provider, kind=kind, upload=builders.upload(f"{kind}.pdf", body))
    case.refresh_from_db()
    done: Application = fire(case, "submit", actor=provider, declaration=True)
    return done


def file_of(case: Application, kind: str = "form") -> ApplicationFile:
    """The file of this kind that was handed in last."""
    file: ApplicationFile = ApplicationFile.unscoped.get(
        application=case, kind=kind, replaced_at__isnull=True
    )
    return file
