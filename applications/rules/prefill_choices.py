"""Choices out of a filled-in form: by code, by label, by a usual short name, or by what is ticked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _

from applications.rules.form import FormField, Kind
from applications.rules.prefill_text import Unclear, narrow, squeezed

ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "licence_categories": {"IDC": "B11", "CDN": "B12", "IP-VPN": "B13", "ISP": "B14"},
    "licence_coverage": {"跨地区": "national", "省内": "province"},
    "protection_level": {
        name: level
        for level, number in (("2", "二"), ("3", "三"), ("4", "四"))
        for name in (f"{number}级", f"{level}级", f"第{level}级", f"等保{number}级")
    },
    "channels": {"APP": "app", "H5": "h5", "网页": "h5"},
}
"""Names in use beside the label and the code of a choice. None of them fits two choices."""

_SEPARATOR: Final = re.compile(r"[、，,;；/|\n\t]+")
_LEADING_CODE: Final = re.compile(r"^[A-Z]\d{2}\s*")
_AREA: Final = re.compile(r"(?:省|市|(?:壮族|回族|维吾尔)?自治区)$")
_TICKED, _EMPTY = "☑■√✓✔●◉", "□☐○◯"
_BOX: Final = re.compile(rf"[{_TICKED}{_EMPTY}]")
_ANSWERED: Final = re.compile(r"(.+?)\s*[:：]?\s*([是否√×])$")
_CHINESE: Final = "zh-hans"


def read(field: FormField, found: str | frozenset[str]) -> Any:
    """The code that is chosen, or the codes in the order of the form; None for none. Raises :class:`Unclear`."""
    chosen = _known(field, found) if isinstance(found, frozenset) else _written(field, found)
    codes = [code for code, _words in field.choices if code in chosen]
    if field.kind is Kind.CHOICES:
        return codes or None
    if len(codes) > 1:
        raise Unclear(_("只能选一项，却选了多项"))
    return codes[0] if codes else None


def _known(field: FormField, codes: frozenset[str]) -> set[str]:
    if codes - {code for code, _words in field.choices}:
        raise Unclear(_("不是选项中的任何一项"))
    return set(codes)


def _written(field: FormField, text: str) -> set[str]:
    names = _names(field)
    if code := names.get(squeezed(text)):
        return {code}
    if _BOX.search(text):
        return set(_ticked(names, text))
    chosen: set[str] = set()
    for part in filter(str.strip, _SEPARATOR.split(text)):
        chosen |= _part(names, part.strip())
    return chosen


def _part(names: Mapping[str, str], part: str) -> set[str]:
    """One item of a list: a name, a name answered with 是 or 否, or names apart by spaces."""
    if code := names.get(squeezed(part)):
        return {code}
    if (answered := _ANSWERED.fullmatch(part)) and (code := names.get(squeezed(answered[1]))):
        return {code} if answered[2] in "是√" else set()
    return {_code(names, word) for word in part.split()}


def _code(names: Mapping[str, str], word: str) -> str:
    code = names.get(squeezed(word))
    if code is None:
        raise Unclear(_("不是选项中的任何一项"))
    return code


def _ticked(names: Mapping[str, str], text: str) -> Iterator[str]:
    """Boxes before their words (☑民营 □其他) or after them (民营√ 其他□), told by what the text begins with."""
    boxes = _BOX.findall(text)
    before, *after = (part.strip(" \t\n\u3000、，,;；") for part in _BOX.split(text))
    words = after if not before else [before, *after[:-1]]
    if before and after[-1]:
        raise Unclear(_("勾选标记的位置无法确定"))
    for box, word in zip(boxes, words, strict=True):
        code = _code(names, word)
        if box in _TICKED:
            yield code


def _names(field: FormField) -> dict[str, str]:
    """Every name of every choice → its code; a name that fits two choices is none."""
    found: dict[str, set[str]] = {}
    for code, words in field.choices:
        with translation.override(_CHINESE):
            label = str(words)
        for name in {code, label, *_short(label)}:
            found.setdefault(squeezed(name), set()).add(code)
    for name, code in ALIASES.get(field.key, {}).items():
        found.setdefault(squeezed(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}


def _short(label: str) -> Iterator[str]:
    """The label without the code before it, a remark in brackets, 业务 or 省 at its end."""
    plain = _LEADING_CODE.sub("", label)
    for name in (
        plain,
        re.sub(r"[（(].*[)）]$", "", plain),
        plain.removesuffix("业务"),
        _AREA.sub("", plain),
    ):
        if narrow(name):
            yield name
