"""Workbooks made to harm, and the archives they are made of."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from typing import Final

SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TYPES: Final = '<Types><Override PartName="/xl/workbook.xml" ContentType="{}"/></Types>'
BIG: Final = 40 * 1024 * 1024
ENTITY: Final = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
LAUGHS: Final = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>'
OUTSIDE: Final = (
    '<Relationships><Relationship Type="http://example.cn/{}" Target="{}"'
    ' TargetMode="External"/></Relationships>'
)
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def plain() -> bytes:
    """An archive with nothing of interest."""
    return _zip([("readme.txt", b"hello")])


def _zip(entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries:
            archive.writestr(name, body)
    return out.getvalue()


def workbook(*more: tuple[str | zipfile.ZipInfo, bytes], kind: str = SHEET) -> bytes:
    """The least a workbook has, and more entries."""
    types = TYPES.format(kind).encode()
    return _zip([("[Content_Types].xml", types), ("xl/workbook.xml", b"<workbook/>"), *more])


def link() -> bytes:
    info = zipfile.ZipInfo("xl/media/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return workbook((info, b"/etc/passwd"))


def nested_bomb() -> bytes:
    inner = _zip([("a", bytes(BIG))])
    for _ in range(3):
        inner = _zip([(f"{n}.zip", inner) for n in range(4)])
    return workbook(("xl/media/a.zip", inner))


def lying_bomb() -> bytes:
    """Every entry says that it unpacks to ten bytes."""
    whole = workbook(("xl/a.bin", bytes(BIG)), ("xl/b.bin", bytes(BIG)), ("xl/c.bin", bytes(BIG)))
    return whole.replace(BIG.to_bytes(4, "little"), (10).to_bytes(4, "little"))


def overlapping() -> bytes:
    """Two entries of the directory share one body (a zip quine is made so)."""
    whole = workbook(("xl/a.bin", bytes(9000)), ("xl/b.bin", bytes(9000)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        first, second = (archive.getinfo(f"xl/{name}.bin").header_offset for name in "ab")
    at = whole.rindex(b"xl/b.bin") - 4
    assert whole[at : at + 4] == second.to_bytes(4, "little")
    return whole[:at] + first.to_bytes(4, "little") + whole[at + 4 :]


def locked() -> bytes:
    """The flag that says: encrypted."""
    whole = bytearray(workbook())
    at = whole.index(b"PK\x01\x02") + 8
    whole[at] |= 1
    return bytes(whole)


def commented() -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"<script>1</script>"
    return out.getvalue()


def relations(kind: str, target: str) -> bytes:
    return workbook(("xl/_rels/workbook.xml.rels", OUTSIDE.format(kind, target).encode()))


TOO_LARGE: Final = "XLSX 文件解压后过大"
BROKEN: Final = "XLSX 文件不完整或已损坏，请重新保存后上传"
PATH: Final = "XLSX 文件含非法路径"
MACRO: Final = "工作簿含宏，请另存为不含宏的 XLSX 后上传"
DECLARED: Final = "工作簿含外部实体声明（DTD），请重新保存后上传"
OBJECT: Final = "工作簿内嵌有对象或控件（OLE），请去除后上传"
LINKED: Final = "工作簿引用外部文件或数据连接，请断开链接后上传"
OTHER: Final = "压缩文件不是 XLSX 工作簿"
MIXED: Final = "文件中夹带其他类型的内容，请用原软件重新导出后上传"

HOSTILE: Final[list[tuple[str, Callable[[], bytes], str]]] = [
    ("bomb.xlsx", lambda: workbook(*((f"xl/{n}.xml", bytes(BIG)) for n in range(3))), TOO_LARGE),
    ("many.xlsx", lambda: workbook(*((f"xl/{n}", b"") for n in range(2001))), TOO_LARGE),
    ("nested.xlsx", nested_bomb, "XLSX 文件内含压缩包，请去除后上传"),
    ("lying.xlsx", lying_bomb, BROKEN),
    ("overlap.xlsx", overlapping, BROKEN),
    ("slip.xlsx", lambda: workbook(("../../evil.sh", b"x")), PATH),
    ("slip2.xlsx", lambda: workbook(("xl\\..\\..\\evil.bat", b"x")), PATH),
    ("root.xlsx", lambda: workbook(("/etc/cron.d/evil", b"x")), PATH),
    ("drive.xlsx", lambda: workbook(("C:/evil.bat", b"x")), PATH),
    ("link.xlsx", link, "XLSX 文件含符号链接"),
    ("macro.xlsx", lambda: workbook(("xl/vbaProject.bin", b"x")), MACRO),
    ("macro4.xlsx", lambda: workbook(("xl/macrosheets/sheet1.xml", b"<a/>")), MACRO),
    ("xlsm.xlsx", lambda: workbook(kind="application/vnd.ms-excel.sheet.macroEnabled.main+xml"), MACRO),
    ("entity.xlsx", lambda: workbook(("xl/sharedStrings.xml", ENTITY.encode())), DECLARED),
    ("entity16.xlsx", lambda: workbook(("xl/sharedStrings.xml", ENTITY.encode("utf-16"))), DECLARED),
    ("laughs.xlsx", lambda: workbook(("xl/styles.xml", LAUGHS.encode())), DECLARED),
    ("ole.xlsx", lambda: workbook(("xl/embeddings/oleObject1.bin", OLE)), OBJECT),
    ("ole2.xlsx", lambda: workbook(("xl/media/image1.png", OLE + bytes(99))), OBJECT),
    ("activex.xlsx", lambda: workbook(("xl/activeX/activeX1.xml", b"<a/>")), OBJECT),
    ("dde.xlsx", lambda: relations("externalLinkPath", "cmd"), LINKED),
    ("image.xlsx", lambda: relations("image", "http://example.cn/a.png"), LINKED),
    ("word.xlsx", lambda: workbook(kind="application/vnd.x.wordprocessingml.document.main+xml"), OTHER),
    ("plain.xlsx", plain, OTHER),
    ("locked.xlsx", locked, "XLSX 文件已加密，请去除密码后上传"),
    ("cut.xlsx", lambda: workbook()[:-30], BROKEN),
    ("torn.xlsx", lambda: workbook(("xl/styles.xml", b"<a><b></a>")), BROKEN),
    ("comment.xlsx", commented, MIXED),
]
