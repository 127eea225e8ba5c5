"""What an uploaded file really is, told from its content; a file that breaks a rule is refused in words."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from django.utils.translation import gettext_lazy

from applications.validators import names
from applications.validators.limits import (
    JPEG,
    MAX_BYTES,
    MAX_PAGES,
    MAX_PIXELS,
    MAX_WAIT,
    MEBIBYTE,
    PDF,
    PNG,
    XLSX,
    BrokenRule,
    Rule,
)
from pilot.errors import Refused

__all__ = [
    "JPEG",
    "PDF",
    "PNG",
    "SUFFIXES",
    "TYPE_NAMES",
    "WORDS",
    "XLSX",
    "Examined",
    "check_name",
    "check_size",
    "examine",
    "look_into",
    "refusal",
    "safe_name",
]

SUFFIXES: Final = {PDF: (".pdf",), PNG: (".png",), JPEG: (".jpg", ".jpeg"), XLSX: (".xlsx",)}
TYPE_NAMES: Final = {PDF: "PDF", PNG: "PNG", JPEG: "JPG", XLSX: "XLSX"}
NUMBERS: Final = {"mebibytes": MAX_BYTES // MEBIBYTE, "pages": MAX_PAGES, "pixels": MAX_PIXELS // 10_000}
COMMAND: Final = (sys.executable, "-m", "applications.validators.inspection")
ROOT: Final = Path(__file__).parents[2]
REMEMBERED: Final = 512  # files known to be good
logger = logging.getLogger(__name__)

WORDS: Final[dict[Rule, Any]] = {
    Rule.EMPTY: gettext_lazy("文件是空的"),
    Rule.SIZE: gettext_lazy("文件超过 %(mebibytes)s MB 的上限，请压缩或拆分后上传"),
    Rule.NAME_CHARACTERS: gettext_lazy("文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
    Rule.NAME_PATH: gettext_lazy("文件名含上级目录“..”，请重新命名后上传"),
    Rule.NAME_DEVICE: gettext_lazy("文件名是操作系统保留的设备名，请重新命名后上传"),
    Rule.NAME_PROGRAM: gettext_lazy("文件名含程序的扩展名（%(detail)s），请重新命名后上传"),
    Rule.SUFFIX: gettext_lazy("文件扩展名与内容不符：内容为 %(detail)s"),
    Rule.KIND: gettext_lazy("只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"),
    Rule.OLD_OFFICE: gettext_lazy("文件是旧版或加密的 Office 文件，请去除密码并另存为 XLSX 或 PDF 后上传"),
    Rule.TWO_KINDS: gettext_lazy("文件中夹带其他类型的内容，请用原软件重新导出后上传"),
    Rule.BEYOND: gettext_lazy("文件结构过于复杂，无法在限定的时间和内存内检查，请重新导出后上传"),
    Rule.PDF_DAMAGED: gettext_lazy("PDF 文件不完整或已损坏，请重新导出后上传"),
    Rule.PDF_ENCRYPTED: gettext_lazy("PDF 文件已加密或设有密码，请去除密码后上传"),
    Rule.PDF_ACTIVE: gettext_lazy("PDF 文件含脚本、命令或多媒体（%(detail)s），请打印为普通 PDF 后上传"),
    Rule.PDF_EMBEDDED: gettext_lazy("PDF 文件内嵌有其他文件，请把附件作为单独的材料上传"),
    Rule.PDF_XFA: gettext_lazy("PDF 文件含 XFA 动态表单，请打印为普通 PDF 后上传"),
    Rule.PDF_PAGES: gettext_lazy("PDF 文件超过 %(pages)s 页的上限，请拆分后上传"),
    Rule.PDF_UNPACKED: gettext_lazy("PDF 文件展开后过大，请降低图像分辨率后重新导出"),
    Rule.IMAGE_DAMAGED: gettext_lazy("%(detail)s 文件不完整或已损坏，请重新导出后上传"),
    Rule.IMAGE_PIXELS: gettext_lazy("图像尺寸过大，请缩小到 %(pixels)s 万像素以内"),
    Rule.XLSX_DAMAGED: gettext_lazy("XLSX 文件不完整或已损坏，请重新保存后上传"),
    Rule.XLSX_ENCRYPTED: gettext_lazy("XLSX 文件已加密，请去除密码后上传"),
    Rule.XLSX_UNPACKED: gettext_lazy("XLSX 文件解压后过大"),
    Rule.XLSX_NESTED: gettext_lazy("XLSX 文件内含压缩包，请去除后上传"),
    Rule.XLSX_PATH: gettext_lazy("XLSX 文件含非法路径"),
    Rule.XLSX_LINK: gettext_lazy("XLSX 文件含符号链接"),
    Rule.XLSX_OTHER: gettext_lazy("压缩文件不是 XLSX 工作簿"),
    Rule.XLSX_MACRO: gettext_lazy("工作簿含宏，请另存为不含宏的 XLSX 后上传"),
    Rule.XLSX_ENTITY: gettext_lazy("工作簿含外部实体声明（DTD），请重新保存后上传"),
    Rule.XLSX_EMBEDDED: gettext_lazy("工作簿内嵌有对象或控件（OLE），请去除后上传"),
    Rule.XLSX_EXTERNAL: gettext_lazy("工作簿引用外部文件或数据连接，请断开链接后上传"),
}


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found: the media type, and the pages of a PDF."""

    content_type: str
    pages: int | None


def examine(content: bytes, name: str) -> Examined:
    """What ``content`` is; raises :class:`Refused` naming the rule it breaks.

    Accepted are PDF without active content, PNG, JPG and XLSX without macros within the limits of
    ``applications.validators.limits``, under a name that ends accordingly.
    """
    check_name(name)
    check_size(len(content))
    examined = look_into(content)
    if PurePosixPath(name.lower()).suffix not in SUFFIXES[examined.content_type]:
        raise refusal(Rule.SUFFIX, TYPE_NAMES[examined.content_type])
    return examined


def check_name(name: str) -> None:
    """Raises :class:`Refused` for a name that misleads."""
    try:
        names.check(name)
    except BrokenRule as broken:
        raise refusal(broken.rule, broken.detail) from broken


def check_size(size: int) -> None:
    """Raises :class:`Refused` for an empty file and for one beyond ``MAX_BYTES``."""
    if size <= 0:
        raise refusal(Rule.EMPTY)
    if size > MAX_BYTES:
        raise refusal(Rule.SIZE)


def refusal(rule: Rule, detail: str = "") -> Refused:
    """The words of a rule."""
    return Refused(WORDS[rule] % {**NUMBERS, "detail": detail})


safe_name = names.safe

# The same bytes get the same answer: a file that was found good is not looked into again.
_good: OrderedDict[bytes, Examined] = OrderedDict()
_lock = Lock()
_turn = BoundedSemaphore(os.cpu_count() or 1)


def look_into(content: bytes) -> Examined:
    """What ``content`` is, whatever it is called; raises :class:`Refused` naming the rule it breaks."""
    digest = hashlib.sha256(content).digest()
    with _lock:
        if digest in _good:
            _good.move_to_end(digest)
            return _good[digest]
    with _turn:
        answer = _inspect(content)
    if "rule" in answer:
        raise refusal(Rule(answer["rule"]), answer["detail"])
    examined = Examined(answer["kind"], answer["pages"])
    with _lock:
        _good[digest] = examined
        while len(_good) > REMEMBERED:
            _good.popitem(last=False)
    return examined


def _inspect(content: bytes) -> dict[str, Any]:
    """Have a process of its own look into the file. One that ends without an answer says: more than a file may be."""
    try:
        ended = subprocess.run(  # noqa: S603  (a fixed command; the file comes over standard input)
            COMMAND,
            input=content,
            capture_output=True,
            cwd=ROOT,
            timeout=MAX_WAIT,
            env={"LANG": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise refusal(Rule.BEYOND) from error
    if ended.returncode != 0:
        logger.warning(
            "inspection ended with %s: %s", ended.returncode, ended.stderr.decode(errors="replace")[-500:]
        )
        raise refusal(Rule.BEYOND)
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer
