"""Files made to harm or to mislead, each with the words it is refused in. All made here; none does anything."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, PngImagePlugin

from applications.validators.limits import MAX_BYTES
from tests.applications import builders
from tests.applications.files import archives

type Make = Callable[[], bytes]

NO_KIND: Final = "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"
TWO_KINDS: Final = "文件中夹带其他类型的内容，请用原软件重新导出后上传"
BEYOND: Final = "文件结构过于复杂，无法在限定的时间和内存内检查，请重新导出后上传"
DAMAGED: Final = "PDF 文件不完整或已损坏，请重新导出后上传"
ENCRYPTED: Final = "PDF 文件已加密或设有密码，请去除密码后上传"
EMBEDDED: Final = "PDF 文件内嵌有其他文件，请把附件作为单独的材料上传"
XFA: Final = "PDF 文件含 XFA 动态表单，请打印为普通 PDF 后上传"
PAGES: Final = "PDF 文件超过 300 页的上限，请拆分后上传"
UNPACKED: Final = "PDF 文件展开后过大，请降低图像分辨率后重新导出"
PIXELS: Final = "图像尺寸过大，请缩小到 4000 万像素以内"
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def active(what: str) -> str:
    return f"PDF 文件含脚本、命令或多媒体（{what}），请打印为普通 PDF 后上传"


@dataclass(frozen=True, slots=True)
class Case:
    """A file under a name, and the words that refuse it."""

    name: str
    make: Make
    words: str


# --- PDF ------------------------------------------------------------------------------------------
def pdf(change: Callable[[pikepdf.Pdf], None], *, packed: bool = False, **options: object) -> bytes:
    """A page with something done to it; ``packed`` hides every dictionary in object streams."""
    made = pikepdf.new()
    made.add_blank_page()
    change(made)
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    made.save(out, object_stream_mode=mode, **options)
    return out.getvalue()


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def opening(action: Dictionary) -> Callable[[pikepdf.Pdf], None]:
    def change(made: pikepdf.Pdf) -> None:
        made.Root.OpenAction = made.make_indirect(action)

    return change


def annotated(**entries: object) -> Callable[[pikepdf.Pdf], None]:
    def change(made: pikepdf.Pdf) -> None:
        note = Dictionary(Type=Name.Annot, Rect=[0, 0, 9, 9], **entries)
        made.pages[0].Annots = Array([made.make_indirect(note)])

    return change


def named_script(made: pikepdf.Pdf) -> None:
    made.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script()])))


def page_script(made: pikepdf.Pdf) -> None:
    made.pages[0].AA = Dictionary(O=script())


def lost_script(made: pikepdf.Pdf) -> None:
    """Nothing refers to it; a reader that repairs a file may find it all the same."""
    made.Root.PieceInfo = made.make_indirect(Dictionary(Deep=Array([Array([script()])])))


def attached(made: pikepdf.Pdf) -> None:
    made.attachments["a.txt"] = b"hidden"


def xfa(made: pikepdf.Pdf) -> None:
    made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=made.make_stream(b"<xdp/>"))


def many_pages(made: pikepdf.Pdf) -> None:
    for _ in range(300):
        made.add_blank_page()


def page_bomb(made: pikepdf.Pdf) -> None:
    """Ten times ten times ten … pages out of ten dictionaries."""
    node = made.pages[0].obj
    for _ in range(9):
        node = made.make_indirect(Dictionary(Type=Name.Pages, Kids=Array([node] * 10), Count=10))
    made.Root.Pages = node


def page_ring(made: pikepdf.Pdf) -> None:
    made.Root.Pages.Kids = Array([made.Root.Pages])


def content_bomb(*, layers: int = 1, mebibytes: int = 300) -> bytes:
    """What a page shows unpacks to hundreds of MiB, perhaps from a stream packed several times over."""
    data = zeros(mebibytes)
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    head = b"<</Filter[%s]/Length %d>>" % (b"/FlateDecode" * layers, len(data))
    return raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        head + b"\nstream\n" + data + b"\nendstream",
    )


def zeros(mebibytes: int, *, head: bytes = b"") -> bytes:
    """So many MiB of nothing behind a head, deflated a thousandfold without making them first."""
    packer = zlib.compressobj(9)
    piece = bytes(1024 * 1024)
    start = packer.compress(head)
    return start + b"".join(packer.compress(piece) for _ in range(mebibytes)) + packer.flush()


def raw(*parts: bytes) -> bytes:
    """A PDF written by hand, with a right table of references."""
    content, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(parts) + 1
    return content + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        size, table, size, len(content),
    )  # fmt: skip


def page_of(catalogue: bytes) -> bytes:
    return raw(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    )


def reference_bomb() -> bytes:
    """A table of references that claims two thousand million entries."""
    rows = zeros(1)
    head = b"<</Type/XRef/Size 2000000000/W[1 8 2]/Root 1 0 R/Filter/FlateDecode/Length %d>>" % len(rows)
    body = b"%PDF-1.7\n1 0 obj\n" + head + b"\nstream\n" + rows + b"\nendstream\nendobj\n"
    return body + b"startxref\n9\n%%EOF"


def object_stream_bomb() -> bytes:
    """Objects in a stream that unpacks to more than the process may have."""
    packed = zeros(400, head=b"3 0 <</Type/Pages/Kids[<</Type/Page>>]/Count 1>> ")
    body = b"%PDF-1.7\n"
    places = []
    for number, text in enumerate((b"<</Type/Catalog/Pages 3 0 R>>",), start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    places.append(len(body))
    head = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>" % len(packed)
    body += b"2 0 obj\n" + head + b"\nstream\n" + packed + b"\nendstream\nendobj\n"
    start = len(body)
    rows = bytes(8) + b"".join(
        b"\x01" + place.to_bytes(5) + b"\x00\x00" for place in places
    ) + b"\x02" + (2).to_bytes(5) + b"\x00\x00" + b"\x01" + start.to_bytes(5) + b"\x00\x00"  # fmt: skip
    head = b"<</Type/XRef/Size 5/W[1 5 2]/Root 1 0 R/Length %d>>" % len(rows)
    body += b"4 0 obj\n" + head + b"\nstream\n" + rows + b"\nendstream\nendobj\n"
    return body + b"startxref\n%d\n%%%%EOF" % start


def plain_pdf(**options: object) -> bytes:
    return pdf(lambda made: None, **options)


def locked(user: str) -> Make:
    return lambda: plain_pdf(encryption=pikepdf.Encryption(owner="o", user=user))


PDFS: Final = [
    Case("密码.pdf", locked("secret"), ENCRYPTED),
    Case("owner.pdf", locked(""), ENCRYPTED),
    Case("open.pdf", lambda: pdf(opening(script())), active("JavaScript")),
    Case("packed.pdf", lambda: pdf(opening(script()), packed=True), active("JavaScript")),
    Case("escaped.pdf", lambda: page_of(b"/OpenAction<</S/J#61v#61Script/#4aS(1)>>"), active("JavaScript")),
    Case("names.pdf", lambda: pdf(named_script, packed=True), active("JavaScript")),
    Case("page.pdf", lambda: pdf(page_script), active("JavaScript")),
    Case("lost.pdf", lambda: pdf(lost_script, packed=True), active("JavaScript")),
    Case("run.pdf", lambda: pdf(annotated(A=Dictionary(S=Name.Launch, F=String("cmd")))), active("Launch")),
    Case("send.pdf", lambda: pdf(opening(Dictionary(S=Name.SubmitForm))), active("SubmitForm")),
    Case("import.pdf", lambda: pdf(opening(Dictionary(S=Name.ImportData))), active("ImportData")),
    Case("play.pdf", lambda: pdf(opening(Dictionary(S=Name.Rendition))), active("Rendition")),
    Case("rich.pdf", lambda: pdf(annotated(Subtype=Name.RichMedia), packed=True), active("RichMedia")),
    Case("film.pdf", lambda: pdf(annotated(Subtype=Name.Movie)), active("Movie")),
    Case("attached.pdf", lambda: pdf(attached), EMBEDDED),
    Case("hidden.pdf", lambda: pdf(attached, packed=True), EMBEDDED),
    Case("pin.pdf", lambda: pdf(annotated(Subtype=Name.FileAttachment)), EMBEDDED),
    Case("xfa.pdf", lambda: pdf(xfa), XFA),
    Case("xfa2.pdf", lambda: pdf(xfa, packed=True), XFA),
    Case("301.pdf", lambda: pdf(many_pages), PAGES),
    Case("pages.pdf", lambda: pdf(page_bomb), DAMAGED),
    Case("ring.pdf", lambda: pdf(page_ring), DAMAGED),
    Case("cut.pdf", lambda: plain_pdf()[:-200], DAMAGED),
    Case("cut-linear.pdf", lambda: pdf(many_pages_cut, linearize=True)[:9000], DAMAGED),
    Case("head.pdf", lambda: b"%PDF-1.4 cut off", DAMAGED),
    Case("no-table.pdf", lambda: b"%PDF-1.4\n" + b"a" * 3000 + b"\n%%EOF", DAMAGED),
    Case("table.pdf", reference_bomb, DAMAGED),
    Case("objects.pdf", object_stream_bomb, DAMAGED),
    Case("bomb.pdf", content_bomb, UNPACKED),
    Case("bomb2.pdf", lambda: content_bomb(layers=2), UNPACKED),
    Case("bomb3.pdf", lambda: content_bomb(layers=3, mebibytes=1), UNPACKED),
    Case("deep.pdf", lambda: page_of(b"/X" + b"[" * 200_000 + b"]" * 200_000), DAMAGED),
    Case("array.pdf", lambda: page_of(b"/X[" + b"0 " * 9_000_000 + b"]"), DAMAGED),
    Case("web.pdf", lambda: b"%PDF-1.4\n<html><script>1</script>\n" + plain_pdf(), TWO_KINDS),
    Case("tail.pdf", lambda: plain_pdf() + b"<script>1</script>", TWO_KINDS),
    Case("zip.pdf", lambda: plain_pdf() + archives.plain(), TWO_KINDS),
]


def many_pages_cut(made: pikepdf.Pdf) -> None:
    for _ in range(100):
        made.add_blank_page()


# --- pictures ---------------------------------------------------------------------------------------
def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, None if mode == "1" else 0).save(out, kind, **options)
    return out.getvalue()


def noise(kind: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 90).save(out, kind)
    return out.getvalue()


def huge_png() -> bytes:
    """Says that it is a hundred thousand pixels wide and high."""
    small = picture("PNG")
    head = b"IHDR" + (100_000).to_bytes(4) * 2 + small[24:29]
    return small[:12] + head + zlib.crc32(head).to_bytes(4) + small[33:]


def huge_jpeg(side: int = 65_000, *, progressive: bool = False) -> bytes:
    small = picture("JPEG", progressive=progressive)
    at = small.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return small[:at] + side.to_bytes(2) * 2 + small[at + 4 :]


def told_png() -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "x" * 2000 + "<script>1</script>")
    return picture("PNG", pnginfo=told)


PICTURES: Final = [
    Case("cut.png", lambda: noise("PNG")[:-400], "PNG 文件不完整或已损坏，请重新导出后上传"),
    Case("sum.png", lambda: _broken(noise("PNG")), "PNG 文件不完整或已损坏，请重新导出后上传"),
    Case("huge.png", huge_png, PIXELS),
    Case("bomb.png", lambda: picture("PNG", (20_000, 20_000), "1"), PIXELS),
    Case("zip.png", lambda: picture("PNG") + archives.plain(), TWO_KINDS),
    Case("tail.png", lambda: picture("PNG") + b"tail", TWO_KINDS),
    Case("web.png", told_png, TWO_KINDS),
    Case("cut.jpg", lambda: noise("JPEG")[:-900], "JPG 文件不完整或已损坏，请重新导出后上传"),
    Case("head.jpg", lambda: b"\xff\xd8\xff\xe0" + bytes(40), "JPG 文件不完整或已损坏，请重新导出后上传"),
    Case("huge.jpg", huge_jpeg, PIXELS),
    Case("whole.jpg", lambda: huge_jpeg(6000, progressive=True), BEYOND),
    Case("php.jpg", lambda: picture("JPEG", comment=b"<?php system(1);"), TWO_KINDS),
    Case("pdf.jpg", lambda: picture("JPEG", comment=b"%PDF-1.4"), TWO_KINDS),
    Case("zip.jpg", lambda: picture("JPEG") + archives.plain(), TWO_KINDS),
    Case("a.png", lambda: picture("GIF"), NO_KIND),
    Case("a.jpg", lambda: picture("TIFF"), NO_KIND),
    Case("a.svg", lambda: b"<svg onload=x>", NO_KIND),
]


def _broken(content: bytes) -> bytes:
    """A bit of the picture's data turned over, so that its checksum is wrong."""
    at = content.index(b"IDAT") + 60
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


# --- names and everything else ----------------------------------------------------------------------
SMALL: Final = builders.pdf("示例")
NAMES: Final = [
    Case("evil\u202efdp.exe.pdf", lambda: SMALL, "文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
    Case("\u2067a.pdf", lambda: SMALL, "文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
    Case("a.exe\x00.pdf", lambda: SMALL, "文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
    Case("a\r\nSet-Cookie.pdf", lambda: SMALL, "文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
    Case("../../etc/passwd.pdf", lambda: SMALL, "文件名含上级目录“..”，请重新命名后上传"),
    Case("..\\..\\win.pdf", lambda: SMALL, "文件名含上级目录“..”，请重新命名后上传"),
    Case("CON.pdf", lambda: SMALL, "文件名是操作系统保留的设备名，请重新命名后上传"),
    Case("lpt1.tar.pdf", lambda: SMALL, "文件名是操作系统保留的设备名，请重新命名后上传"),
    Case("许可证.exe.pdf", lambda: SMALL, "文件名含程序的扩展名（.exe），请重新命名后上传"),
    Case("a.HTML.pdf", lambda: SMALL, "文件名含程序的扩展名（.html），请重新命名后上传"),
    Case("a.pdf.exe", lambda: SMALL, "文件扩展名与内容不符：内容为 PDF"),
    Case("a.pdf", lambda: picture("PNG"), "文件扩展名与内容不符：内容为 PNG"),
    Case("无扩展名", lambda: SMALL, "文件扩展名与内容不符：内容为 PDF"),
]
OTHERS: Final = [
    Case("空.pdf", lambda: b"", "文件是空的"),
    Case(
        "大.pdf",
        lambda: SMALL + b"\n" * (MAX_BYTES + 1 - len(SMALL)),
        "文件超过 20 MB 的上限，请压缩或拆分后上传",
    ),
    Case("eicar.pdf", lambda: EICAR, NO_KIND),
    Case("web.pdf", lambda: b"<!DOCTYPE html><script>1</script>", NO_KIND),
    Case("程序.pdf", lambda: b"MZ\x90\x00" + bytes(200), NO_KIND),
    Case("说明.pdf", lambda: "增值电信业务经营许可证".encode("gbk"), NO_KIND),
    Case("说明2.pdf", lambda: "增值电信业务经营许可证".encode("utf-16"), NO_KIND),
    Case("名单.xlsx", lambda: "名称,编号\n示例,1\n".encode("utf-8-sig"), NO_KIND),
    Case(
        "旧版.xlsx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000),
        "文件是旧版或加密的 Office 文件，请去除密码并另存为 XLSX 或 PDF 后上传",
    ),
]
WORKBOOKS: Final = [Case(*row) for row in archives.HOSTILE]
HOSTILE: Final = [*PDFS, *PICTURES, *WORKBOOKS, *NAMES, *OTHERS]
