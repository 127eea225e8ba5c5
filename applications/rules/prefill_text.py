"""Texts out of files: what may be taken as it stands, and what broke on the way (wrong code page, lost characters)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from django.utils.translation import gettext as _

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LOST: Final = re.compile(r"\?{2,}|\ufffd|锟斤|斤拷|烫烫|屯屯")
_PAIR_OF_HIGH: Final = re.compile(r"[\u00a1-\u00ff]{2}")
_NUMBERING: Final = re.compile(r"\(?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[.、)]")
_REMARK: Final = re.compile(r"\((?:必填|选填|可选)\)$")


class Unclear(ValueError):
    """What stands in a file cannot be read surely; the message says why, in words."""


def narrow(text: str) -> str:
    """Full-width letters, digits and signs in their usual width, without white space at the ends."""
    return unicodedata.normalize("NFKC", text).strip()


def squeezed(text: str) -> str:
    """A name as it is compared: usual width, no white space, no difference between capital and small letters."""
    return "".join(narrow(text).split()).casefold()


def bare_label(text: str) -> str:
    """A label as it is compared: without its number, the mark of a required field, colon and (必填)."""
    label = squeezed(text).strip("*★※☆:")
    label = _REMARK.sub("", _NUMBERING.sub("", label, count=1)).strip("*★※☆:")
    return _REMARK.sub("", label)


def clean(text: str) -> str:
    """The text trimmed, with plain line ends. Raises :class:`Unclear` when characters were lost on the way."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip(" \t\n\u3000\u00a0\ufeff")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Co"} and char not in "\n\t" for char in text):
        raise Unclear(_("含有无法识别的字符"))
    if _LOST.search(text) or _is_of_another_code_page(text):
        raise Unclear(_("文字编码不正确（乱码）"))
    return text


def _is_of_another_code_page(text: str) -> bool:
    """GBK read as Latin-1 (ÊµÀý), or UTF-8 read as GBK (绀轰緥)."""
    if _PAIR_OF_HIGH.search(text) and _reads_as(text, "latin-1", "gb18030"):
        return True
    return bool(_HAN.search(text)) and _reads_as(text, "gb18030", "utf-8")


def _reads_as(text: str, written: str, read: str) -> bool:
    try:
        return bool(_HAN.search(text.encode(written).decode(read)))
    except UnicodeError:
        return False
