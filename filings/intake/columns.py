"""Dotted column names of CSV and XLSX, and the nested row they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from filings.intake import check, sections
from filings.intake.records import FileRefused
from filings.rules import ImageUse
from filings.validators.text import narrow

MAX_WEBSITES: Final = 100
"""Highest number of websites a table row can hold; columns beyond it do not exist."""

Converter = Callable[[str], Any]
Place = tuple[tuple[str, ...], Converter]

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}").fullmatch


def _text(cell: str) -> Any:
    return cell


def _integer(cell: str) -> Any:
    """Return the integer a cell spells; other text stays text, for the check to refuse by its type."""
    typed = narrow(cell)
    return int(typed) if _INTEGER(typed) else cell


def _items(convert: Converter) -> Converter:
    return lambda cell: [convert(item.strip()) for item in cell.replace("；", ";").split(";") if item.strip()]


_SUBJECT: Final = {
    name: _integer if name in ("nature", "cert_type") else _text for name in sections.SUBJECT_FIELDS
}
_PERSON: Final = {name: _integer if name == "cert_type" else _text for name in sections.PERSON_FIELDS}
_ACCESS: Final = {name: _integer if name == "mode" else _text for name in sections.ACCESS_FIELDS}
_APPROVAL: Final[dict[str, Converter]] = {"type": _integer, "number": _text, "files": _items(_text)}
_IMAGE: Final[dict[str, Converter]] = {"format": _text, "sha256": _text, "bytes": _integer}
_COMPARE: Final = {"result": _text, "at": _text, "database": _text, "query_id": _text}


def _under(prefix: tuple[str, ...], columns: Mapping[str, Converter]) -> dict[str, Place]:
    return {".".join((*prefix, name)): ((*prefix, name), convert) for name, convert in columns.items()}


def _website_columns() -> dict[str, Place]:
    plain: dict[str, Converter] = {"site_name": _text, "domain": _text, "home_url": _text}
    codes = {"service_content": _items(_integer), "languages": _items(_integer)}
    return {
        **_under((), plain),
        **_under((), codes),
        **_under(("approval",), _APPROVAL),
        **_under(("principal",), _PERSON),
        **_under(("access",), _ACCESS),
    }


_NESTED: Final = (
    "compare_supplied_cert",
    "compare_authority_db",
    "subject",
    "principal",
    "websites",
    "checks",
    "images",
)
_FLAT: Final[dict[str, Converter]] = {
    **{name: _text for name in check.FORM_FIELDS if name not in _NESTED},
    "collection_methods": _items(_text),
}
_COLUMNS: Final[dict[str, Place]] = {
    **_under((), _FLAT),
    **_under(("compare_supplied_cert",), {name: _COMPARE[name] for name in ("result", "at")}),
    **_under(("compare_authority_db",), _COMPARE),
    **_under(("subject",), _SUBJECT),
    **_under(("principal",), _PERSON),
    **_under(("checks",), dict.fromkeys(sections.CHECK_FIELDS, _text)),
}
_WEBSITE: Final = _website_columns()
_WEBSITE_COLUMN: Final = re.compile(r"websites\.(0|[1-9][0-9]?)\.(.+)").fullmatch
_IMAGE_COLUMN: Final = re.compile(rf"images\.({'|'.join(ImageUse)})\.({'|'.join(_IMAGE)})").fullmatch


FIXED_COLUMNS: Final = (
    "form_no",
    *sorted(name for name in _COLUMNS if name != "form_no"),
    *sorted(f"websites.0.{name}" for name in _WEBSITE),
    *sorted(f"images.{use}.{name}" for use in ImageUse for name in _IMAGE),
)
"""The columns of a table whose forms have one website each."""


ERROR_COLUMNS: Final = ("errors.row", "errors.code", "errors.field", "errors.message")
"""What a table of refused rows adds to each; they may stay when the rows come again, corrected."""


class Layout:
    """The columns of one table, compiled once from its header.

    Raises ``FileRefused`` when the header lacks ``form_no`` or repeats a name. A column the contract does not
    have is kept: where its cell is filled, the row is refused with ``field.unknown``.
    """

    def __init__(self, header: Sequence[str]) -> None:
        names = [name.strip() for name in header]
        while names and not names[-1]:
            names.pop()
        if "form_no" not in names:
            raise FileRefused("file.no_header")
        if len(set(names)) != len(names):
            raise FileRefused("file.column_repeated")
        self.names = names
        self._places = [None if name in ERROR_COLUMNS else _place(name) for name in names]

    def row(self, cells: Sequence[str]) -> dict[str, Any] | None:
        """Return the nested row, ``None`` when it has filled cells beyond the header.

        Empty cells are absent.
        """
        if len(cells) > len(self._places) and any(cell.strip() for cell in cells[len(self._places) :]):
            return None
        row: dict[str, Any] = {}
        for place, cell in zip(self._places, cells, strict=False):
            if place is None or not cell or cell.isspace():
                continue
            path, convert = place
            target = row
            for step in path[:-1]:
                target = target.setdefault(step, {})
            target[path[-1]] = convert(cell)
        if "websites" in row:
            row["websites"] = [row["websites"][index] for index in sorted(row["websites"], key=int)]
        if "images" in row:
            row["images"] = [{"use": use, **image} for use, image in row["images"].items()]
        return row


def _place(name: str) -> Place:
    if place := _COLUMNS.get(name):
        return place
    if match := _WEBSITE_COLUMN(name):
        place = _WEBSITE.get(match[2])
        if place is not None:
            path, convert = place
            return ("websites", match[1], *path), convert
    if match := _IMAGE_COLUMN(name):
        return ("images", match[1], match[2]), _IMAGE[match[2]]
    return (name,), _text
