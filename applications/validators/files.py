"""What an uploaded file really is, told from its content; a file of another kind is refused in words."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from django.utils.translation import gettext as _

from pilot.errors import Refused

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
MAX_UNPACKED: Final = 100 * 1024 * 1024
MAX_ENTRIES: Final = 2_000

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES: Final = {PDF: (".pdf",), PNG: (".png",), JPEG: (".jpg", ".jpeg"), XLSX: (".xlsx",)}
TYPE_NAMES: Final = {PDF: "PDF", PNG: "PNG", JPEG: "JPG", XLSX: "XLSX"}

_ACTIVE_IN_PDF: Final = (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/Encrypt")
_SHEET_TYPE: Final = b"spreadsheetml.sheet.main+xml"


def content_type(content: bytes, name: str) -> str:
    """The media type of ``content``; raises :class:`Refused` naming the rule it breaks.

    Accepted are PDF without active content, PNG, JPG and XLSX without macros, up to ``MAX_BYTES``, under a name that
    ends accordingly.
    """
    if not content:
        raise Refused(_("文件是空的"))
    if len(content) > MAX_BYTES:
        raise Refused(_("文件超过 %(limit)s MB 的上限") % {"limit": MAX_BYTES // 1024 // 1024})
    kind = _sniff(content)
    if PurePosixPath(name.lower()).suffix not in SUFFIXES[kind]:
        raise Refused(_("文件扩展名与内容不符：内容为 %(type)s") % {"type": TYPE_NAMES[kind]})
    return kind


def safe_name(name: str) -> str:
    """The name as it is kept and shown: no folders, no control or direction characters, at most 120 characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    path = PurePosixPath(cleaned or "file")
    return path.stem[: 120 - len(path.suffix)] + path.suffix


def _sniff(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(b"PK\x03\x04"):
        return _xlsx(content)
    raise Refused(_("只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"))


def _pdf(content: bytes) -> str:
    if b"%%EOF" not in content[-2048:]:
        raise Refused(_("PDF 文件不完整，请重新导出后上传"))
    if any(mark in content for mark in _ACTIVE_IN_PDF):
        raise Refused(_("PDF 文件含脚本、启动命令、嵌入文件或加密，请另存为普通 PDF 后上传"))
    return PDF


def _png(content: bytes) -> str:
    if content[12:16] != b"IHDR" or b"IEND" not in content[-12:]:
        raise Refused(_("PNG 文件不完整，请重新上传"))
    _check_pixels(*struct.unpack(">II", content[16:24]))
    return PNG


def _jpeg(content: bytes) -> str:
    """Walk the segments up to the frame header, which holds the size of the picture."""
    if b"\xff\xd9" not in content[-64:]:
        raise Refused(_("JPG 文件不完整，请重新上传"))
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            _check_pixels(width, height)
            return JPEG
        at += 2 + length
    raise Refused(_("JPG 文件已损坏，请重新上传"))


def _check_pixels(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise Refused(_("图像尺寸过大，请缩小到 5000 万像素以内"))


def _xlsx(content: bytes) -> str:
    """Read the directory first: a zip bomb, a macro or a path out of the archive is refused before anything unpacks."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise Refused(_("XLSX 文件解压后过大"))
            names = {entry.filename for entry in entries}
            if any(".." in name or name.startswith("/") for name in names):
                raise Refused(_("XLSX 文件含非法路径"))
            if "xl/workbook.xml" not in names or _SHEET_TYPE not in archive.read("[Content_Types].xml"):
                raise Refused(_("压缩文件不是 XLSX 工作簿；含宏的工作簿请另存为 XLSX 后上传"))
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Refused(_("工作簿含宏，请去除后上传"))
    except (zipfile.BadZipFile, KeyError, RuntimeError, EOFError, zlib.error) as error:
        raise Refused(_("XLSX 文件已损坏或已加密，请重新上传")) from error
    return XLSX
