"""Dotted column names of CSV and XLSX, and the nested row they stand for: as data, or at once as its JSON text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from filings.intake import check, sections
from filings.intake.records import FileRefused
from filings.rules import ImageUse
from filings.validators.text import narrow

Converter = Callable[[str], Any]
Place = tuple[tuple[str, ...], Converter]

_PLAIN_DIGITS: Final = 18
_INTEGER: Final = re.compile(rf"-?[0-9]{{1,{_PLAIN_DIGITS}}}").fullmatch


def _text(cell: str) -> Any:
    return cell


def _integer(cell: str) -> Any:
    """Return the integer a cell spells; other text stays text, for the check to refuse by its type."""
    if len(cell) <= _PLAIN_DIGITS and cell.isascii() and cell.isdigit():  # as nearly all are
        return int(cell)
    typed = narrow(cell)
    return int(typed) if _INTEGER(typed) else cell


def _items(convert: Converter) -> Converter:
    return lambda cell: [convert(item.strip()) for item in cell.replace("；", ";").split(";") if item.strip()]


_texts: Final = _items(_text)
_integers: Final = _items(_integer)

_SUBJECT: Final = {
    name: _integer if name in ("nature", "cert_type") else _text for name in sections.SUBJECT_FIELDS
}
_PERSON: Final = {name: _integer if name == "cert_type" else _text for name in sections.PERSON_FIELDS}
_ACCESS: Final = {name: _integer if name == "mode" else _text for name in sections.ACCESS_FIELDS}
_APPROVAL: Final[dict[str, Converter]] = {"type": _integer, "number": _text, "files": _texts}
_IMAGE: Final[dict[str, Converter]] = {"format": _text, "sha256": _text, "bytes": _integer}
_COMPARE: Final = {"result": _text, "at": _text, "database": _text, "query_id": _text}


def _under(prefix: tuple[str, ...], columns: Mapping[str, Converter]) -> dict[str, Place]:
    return {".".join((*prefix, name)): ((*prefix, name), convert) for name, convert in columns.items()}


def _website_columns() -> dict[str, Place]:
    plain: dict[str, Converter] = {"site_name": _text, "domain": _text, "home_url": _text}
    codes = {"service_content": _integers, "languages": _integers}
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
    "collection_methods": _texts,
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


def given_back(header: Sequence[str]) -> bool:
    """Whether a table is one of refused rows; those columns that its reader has no use for may be gone."""
    return any(name.strip() in ERROR_COLUMNS for name in header)


MAX_COLUMNS: Final = 4_096
"""A hundred websites have fewer; every row costs time for every column."""
_MOST_PLACES: Final = 32_768
"""How the JSON text goes is kept for the sets of columns that rows fill while they have no more columns together."""
_MARK: Final = "\ue000"  # private use: in no name of the contract
_MARKED: Final = re.compile(f'"{_MARK}([0-9]+)"').split


class Layout:
    """The columns of one table, compiled once from its header.

    Raises ``FileRefused`` when the header lacks ``form_no``, repeats a name, or is wider than any table of forms.
    A column the contract does not have is kept: where its cell is filled, the row is refused with ``field.unknown``.
    """

    def __init__(self, header: Sequence[str]) -> None:
        names = [name.strip() for name in header]
        while names and not names[-1]:
            names.pop()
        if len(names) > MAX_COLUMNS:
            raise FileRefused("file.too_large")
        if "form_no" not in names:
            raise FileRefused("file.no_header")
        if len(set(names)) != len(names):
            raise FileRefused("file.column_repeated")
        self.names = names
        self._sections = _sections(names)
        self._known: dict[bytes, _Text | None] = {}

    def row(self, cells: Sequence[str]) -> dict[str, Any] | None:
        """Return the nested row, ``None`` when it has filled cells beyond the header.

        Empty cells are absent.
        """
        width = len(self.names)
        texts = [*map(str.strip, cells)]
        if len(texts) != width:
            if any(texts[width:]):
                return None
            texts.extend([""] * (width - len(texts)))
        row: dict[str, Any] = {}
        for section in self._sections:
            found = {
                name: text for name, text in zip(section.names, section.pick(texts), strict=True) if text
            }
            if not found:
                continue
            for name, convert in section.converters:
                if name in found:
                    found[name] = convert(found[name])
            target = row
            for step in section.path:
                target = target.setdefault(step, {})
            target.update(found)
        if "websites" in row:
            row["websites"] = [row["websites"][index] for index in sorted(row["websites"], key=int)]
        if "images" in row:
            row["images"] = [{"use": use, **image} for use, image in row["images"].items()]
        return row

    def text(self, cells: Sequence[str]) -> str | None:
        """Return the JSON text of the row, ``None`` when only :meth:`row` can tell what it is.

        Cells stand in it as they are, so it may be no JSON, and values are in no normal form.
        """
        filled = bytes(map(bool, cells))
        if filled not in self._known:
            if (len(self._known) + 1) * len(cells) > _MOST_PLACES:
                return None
            self._known[filled] = self._compile(cells)
        text = self._known[filled]
        return None if text is None else text.of(cells)

    def _compile(self, cells: Sequence[str]) -> _Text | None:
        """How the text goes of rows that fill the same columns as this one; None when they can be no sound row's."""
        row = self.row([f"{_MARK}{index}" if cell else "" for index, cell in enumerate(cells)])
        if row is None or not check.FORM_FIELDS.issuperset(row):
            return None
        pieces = _MARKED(msgspec.json.encode(row).decode())
        places = len(pieces) // 2
        return _Text(pieces, [_place(name)[1] for name in self.names]) if places > 1 else None


class _Text:
    """How the JSON text goes of rows that fill the same columns: fixed pieces and cells by turns."""

    def __init__(self, pieces: list[str], convert: Sequence[Converter]) -> None:
        """``pieces``: every other one is the index of a column; ``convert``: what that column's cells are."""
        indexes = [int(piece) for piece in pieces[1::2]]
        self._pick = itemgetter(*indexes)
        self._lists = [place for place, index in enumerate(indexes) if convert[index] is _texts]
        self._code_lists = [place for place, index in enumerate(indexes) if convert[index] is _integers]
        self._pieces = pieces.copy()
        for place, index in enumerate(indexes):
            if convert[index] in (_text, _texts):
                self._pieces[2 * place] += '"'
                self._pieces[2 * place + 2] = '"' + self._pieces[2 * place + 2]
        self._quotes = sum(piece.count('"') for piece in self._pieces[::2])

    def of(self, cells: Sequence[str]) -> str | None:
        """The text of a row; ``None`` when a cell would end what it stands in, or is no plain list."""
        values, quotes = [*self._pick(cells)], self._quotes
        for place in self._lists:
            if "；" in values[place]:
                return None
            quotes += 2 * values[place].count(";")
            values[place] = values[place].replace(";", '","')
        for place in self._code_lists:
            if not values[place].replace(";", "").isdigit():
                return None
            values[place] = values[place].replace(";", ",")
        pieces = self._pieces.copy()
        pieces[1::2] = values
        text = "".join(pieces)
        return text if text.count('"') == quotes and "\\" not in text else None


class TableRow:
    """A row of a table: a :class:`~filings.intake.records.RawRow`, its data put together whenever asked for."""

    __slots__ = ("_cells", "_layout", "number", "raw")

    def __init__(self, number: int, raw: bytes, cells: Sequence[str], layout: Layout) -> None:
        self.number = number
        self.raw = raw
        self._cells = cells
        self._layout = layout

    @property
    def data(self) -> dict[str, Any] | None:
        """The nested row, None when it has filled cells beyond the header."""
        return self._layout.row(self._cells)

    @property
    def text(self) -> str | None:
        """The row in JSON, for whoever needs no data; ``None`` when only :attr:`data` can tell."""
        return self._layout.text(self._cells)


class _Section(NamedTuple):
    """The columns of one object of the row: where it hangs, its members' names, and which are no plain text."""

    path: tuple[str, ...]
    names: list[str]
    pick: Callable[[Sequence[str]], Sequence[str]]
    converters: list[tuple[str, Converter]]


def _sections(columns: Sequence[str]) -> list[_Section]:
    """The objects that these columns fill, in order of their first column."""
    members: dict[tuple[str, ...], list[tuple[int, str, Converter]]] = {}
    for index, column in enumerate(columns):
        if column not in ERROR_COLUMNS:
            (*path, name), convert = _place(column)
            members.setdefault(tuple(path), []).append((index, name, convert))
    return [
        _Section(
            path,
            [name for _index, name, _convert in found],
            _picker([index for index, _name, _convert in found]),
            [(name, convert) for _index, name, convert in found if convert is not _text],
        )
        for path, found in members.items()
    ]


def _picker(indexes: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """As ``itemgetter``, which for one index alone gives no tuple."""
    if len(indexes) == 1:
        return lambda cells: (cells[indexes[0]],)
    return itemgetter(*indexes)


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
    # One named like an object must not stand in that object's place.
    return (f"{name}." if name in _NESTED else name,), _text
