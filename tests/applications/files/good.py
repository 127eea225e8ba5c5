"""Files as providers really make them: every one has to be taken."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
import pypdfium2
import xlsxwriter
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, PngImagePlugin
from pypdf import PdfReader, PdfWriter
from weasyprint import HTML

from applications.validators.limits import JPEG, MAX_BYTES, PDF, PNG, XLSX
from tests.applications import builders

TEXT: Final = (
    "<h1>增值电信业务经营许可证</h1><p>示例 /JavaScript /Launch <a href='https://example.cn/'>链接</a></p>"
)
FORM: Final = "<form><input name='unit_name' value='示例'><textarea name='note'></textarea></form>"


@dataclass(frozen=True, slots=True)
class Good:
    """A file under a name; what it is, and the pages of a PDF."""

    name: str
    make: Callable[[], bytes]
    kind: str
    pages: int | None = None


# --- PDF ------------------------------------------------------------------------------------------
def printed(html: str = TEXT, **options: Any) -> bytes:
    content: bytes = HTML(string=html).write_pdf(**options)
    return content


def pdf(change: Callable[[pikepdf.Pdf], None] = lambda made: None, pages: int = 1, **options: Any) -> bytes:
    made, out = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        made.add_blank_page()
    change(made)
    made.save(out, **options)
    return out.getvalue()


def at_page(made: pikepdf.Pdf) -> None:
    made.Root.OpenAction = Array([made.pages[0].obj, Name.Fit])


def linked(made: pikepdf.Pdf) -> None:
    act = Dictionary(S=Name.URI, URI=String("https://example.cn/"))
    note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=act)
    made.pages[0].Annots = Array([made.make_indirect(note)])


def named(made: pikepdf.Pdf) -> None:
    """Words of danger in a title and in a name of one's own are no danger."""
    made.docinfo[Name.Title] = "/JavaScript /EmbeddedFile /XFA"
    made.Root.PieceInfo = Dictionary({"/JavaScripts": 1, "/EFG": 2})


def scanned() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((1240, 1754), 60).convert("RGB").save(out, "PDF", resolution=150)
    return out.getvalue()


def written(change: Callable[[PdfWriter], None]) -> bytes:
    made, out = PdfWriter(), io.BytesIO()
    made.add_blank_page(595, 842)
    change(made)
    made.write(out)
    return out.getvalue()


def bookmarked(made: PdfWriter) -> None:
    made.add_outline_item(title="第一章", page_number=0)
    made.add_metadata({"/Title": "示例"})


def filled() -> bytes:
    """A fillable form, filled in and written as an incremental update."""
    blank = printed(FORM, pdf_forms=True)
    made, out = PdfWriter(io.BytesIO(blank), incremental=True), io.BytesIO()
    made.update_page_form_field_values(made.pages[0], {"unit_name": "示例网络"}, auto_regenerate=False)
    made.write(out)
    return out.getvalue()


def packed() -> bytes:
    made, out = PdfWriter(clone_from=PdfReader(io.BytesIO(printed()))), io.BytesIO()
    made.compress_identical_objects()
    for page in made.pages:
        page.compress_content_streams()
    made.write(out)
    return out.getvalue()


def drawn() -> bytes:
    made, out = pypdfium2.PdfDocument.new(), io.BytesIO()
    made.new_page(595, 842)
    made.new_page(842, 595)
    made.save(out)
    return out.getvalue()


def full_size() -> bytes:
    """Exactly as many bytes as are allowed."""
    spare = b"% " + b"x" * (MAX_BYTES - len(pdf()) - 3) + b"\n"
    whole = pdf(static_id=True)
    start = whole.index(b"startxref")
    return whole[:start] + spare[: MAX_BYTES - len(whole)] + whole[start:]


PDFS: Final = [
    Good("材料.pdf", printed, PDF, 1),
    Good("无障碍.pdf", lambda: printed(pdf_variant="pdf/ua-1"), PDF, 1),
    Good("归档.pdf", lambda: printed(pdf_variant="pdf/a-2b"), PDF, 1),
    Good("未压缩.pdf", lambda: printed(uncompressed_pdf=True), PDF, 1),
    Good("空白申请表.pdf", lambda: printed(FORM, pdf_forms=True), PDF, 1),
    Good("已填申请表.pdf", filled, PDF, 1),
    Good(
        "三页.pdf",
        lambda: printed("<p style='break-after: page'>1<p style='break-after: page'>2<p>3"),
        PDF,
        3,
    ),
    Good("linear.pdf", lambda: pdf(linearize=True), PDF, 1),
    Good("packed.pdf", lambda: pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate), PDF, 1),
    Good("qdf.pdf", lambda: pdf(qdf=True), PDF, 1),
    Good("v14.pdf", lambda: pdf(force_version="1.4"), PDF, 1),
    Good("v20.pdf", lambda: pdf(force_version="2.0"), PDF, 1),
    Good("300.pdf", lambda: pdf(pages=300), PDF, 300),
    Good("start.pdf", lambda: pdf(at_page), PDF, 1),
    Good("link.pdf", lambda: pdf(linked), PDF, 1),
    Good("words.pdf", lambda: pdf(named), PDF, 1),
    Good("扫描件.pdf", scanned, PDF, 1),
    Good("pypdf.pdf", lambda: written(bookmarked), PDF, 1),
    Good("pypdf2.pdf", packed, PDF, 1),
    Good("pdfium.pdf", drawn, PDF, 2),
    Good("full.pdf", full_size, PDF, 1),
]


# --- pictures ---------------------------------------------------------------------------------------
def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (120, 80), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


def deep(mode: str = "I;16") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (50, 40), 4000).save(out, "PNG")
    return out.getvalue()


def told() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", "许可证扫描件")
    return info


def camera() -> bytes:
    """As a camera writes it: turned by a tag, with a second picture behind the first (MPO)."""
    out = io.BytesIO()
    image, second = Image.effect_noise((90, 60), 60).convert("RGB"), Image.new("RGB", (30, 20))
    image.save(out, "MPO", save_all=True, append_images=[second])
    return out.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PICTURES: Final = [
    *(
        Good(f"{mode}.png", lambda mode=mode: picture("PNG", mode), PNG)
        for mode in ("RGB", "L", "1", "P", "RGBA", "LA")
    ),
    Good("16位.png", deep, PNG),
    Good("说明.png", lambda: picture("PNG", pnginfo=told(), dpi=(300, 300)), PNG),
    Good("A4扫描件.png", lambda: picture("PNG", "1", (4960, 7016)), PNG),
    Good("透明.png", lambda: picture("PNG", "P", transparency=0), PNG),
    *(Good(f"{mode}.jpg", lambda mode=mode: picture("JPEG", mode), JPEG) for mode in ("RGB", "L", "CMYK")),
    Good("渐进.jpeg", lambda: picture("JPEG", progressive=True), JPEG),
    Good("大图.JPG", lambda: picture("JPEG", "RGB", (6000, 4000), quality=60), JPEG),
    Good("高质量.jpg", lambda: picture("JPEG", quality=100, subsampling=0, dpi=(600, 600)), JPEG),
    Good("手机.jpg", lambda: picture("JPEG", exif=turned(), comment="示例".encode()), JPEG),
    Good("相机.jpg", camera, JPEG),
]


# --- workbooks --------------------------------------------------------------------------------------
def book(fill: Callable[[Any, Any], None], **options: Any) -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    fill(made, made.add_worksheet("申请表"))
    made.close()
    return out.getvalue()


def table(made: Any, sheet: Any) -> None:
    for row in range(2000):
        sheet.write_row(row, 0, [row, f"示例{row}", "=A1+1"])


def rich(made: Any, sheet: Any) -> None:
    sheet.write_url("A1", "https://example.cn/", string="链接")
    sheet.write_comment("B1", "批注")
    sheet.insert_image("C1", "a.png", {"image_data": io.BytesIO(picture("PNG"))})
    chart = made.add_chart({"type": "column"})
    chart.add_series({"values": "=申请表!$A$1:$A$3"})
    sheet.insert_chart("D5", chart)
    sheet.data_validation("A3", {"validate": "list", "source": ["是", "否"]})


def several(made: Any, sheet: Any) -> None:
    for number in range(40):
        made.add_worksheet(f"第{number}页").write(0, 0, "示例")
    sheet.protect()


WORKBOOKS: Final = [
    Good("空.xlsx", lambda: book(lambda made, sheet: None), XLSX),
    Good("表.xlsx", lambda: book(table), XLSX),
    Good("流式.xlsx", lambda: book(table, constant_memory=True, in_memory=False), XLSX),
    Good("图文.xlsx", lambda: book(rich), XLSX),
    Good("多页.XLSX", lambda: book(several), XLSX),
]

# --- names ------------------------------------------------------------------------------------------
SMALL: Final = builders.pdf("示例")
NAMED: Final = [
    Good(name, lambda: SMALL, PDF, 1)
    for name in (
        "增值电信业务经营许可证（2019年）.pdf",
        "👨‍👩‍👧 许可证 📄.pdf",
        "长" * 300 + ".pdf",
        "C:\\文件\\许可证.pdf",
        " 前后 空格 .pdf",
        "许可证.v2.final.PDF",
        'Ünïcödé – ‘quotes’ & "double".pdf',
        "رخصة.pdf",
        "e\u0301te\u0301.pdf",
        "contract.pdf",
        "１２３４．ＰＤＦ.pdf",
    )
]
GOOD: Final = [*PDFS, *PICTURES, *WORKBOOKS, *NAMED]
