"""Values of the fields of a filled-in PDF (ISO 32000-1, 12.7), whichever program filled it in."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
from django.utils.translation import gettext as _

from applications.intake.found import FormFile, Unread
from applications.rules.prefill_text import Unclear
from pilot.errors import Refused
from pilot.pdf_forms import MARKER

MAX_DEPTH: Final = 16
MAX_FIELDS: Final = 2_000
_OFF: Final = "Off"
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_INDEX: Final = re.compile(r"\[\d+\]$")
_LANGUAGE: Final = re.compile("\x1b[^\x1b]*\x1b")  # escape of 7.9.2.2 that names the language of what follows


@dataclass(frozen=True, slots=True)
class _Field:
    """A terminal field: its last partial name, type, value, and the buttons that show it."""

    name: str
    kind: str
    value: Any
    options: Any
    widgets: tuple[Any, ...]


def read_pdf(content: bytes, keys: Collection[str]) -> FormFile:
    """What stands in the form's fields. Raises :class:`Refused` where the PDF is none or holds no field of the form."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            return _read(pdf, keys)
    except pikepdf.PasswordError as error:
        raise Refused(_("PDF 已加密，请去除密码后上传")) from error
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise Refused(_("PDF 文件已损坏，请重新保存后上传")) from error


def _read(pdf: pikepdf.Pdf, keys: Collection[str]) -> FormFile:
    file = FormFile()
    ticks: dict[str, set[str]] = {}
    known = 0
    for field in _fields(pdf):
        key, _dash, code = field.name.partition("-")
        if field.name == MARKER:
            file.marker = str(_text(field.value) or "")
        elif key in keys and field.kind == "/Btn" and code:
            known += 1
            _tick(file, ticks.setdefault(key, set()), key, code, field)
        elif field.name in keys:
            known += 1
            file.add(key, _state_of(field) if field.kind == "/Btn" else _text_of(field))
    for key, codes in ticks.items():
        if not isinstance(file.values.get(key), Unread):
            file.add(key, frozenset(codes))
    if not known:
        raise Refused(_("没有可读取的表单域，请下载可填写的 PDF 或 XLSX"))
    return file


def _tick(file: FormFile, ticked: set[str], key: str, code: str, field: _Field) -> None:
    state = _state_of(field)
    if isinstance(state, Unread):
        file.values[key] = state
    elif state:
        ticked.add(code)


# --- fields -------------------------------------------------------------------------------------------------


def _fields(pdf: pikepdf.Pdf) -> Iterator[_Field]:
    """All terminal fields: those of the form, and loose ones that only a page still knows."""
    seen: set[tuple[int, int]] = set()
    form = pdf.Root.get("/AcroForm", pikepdf.Dictionary())
    for node in form.get("/Fields", []):
        yield from _under(node, {}, seen, 0)
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            if annotation.get("/Subtype") == "/Widget":
                yield from _under(_root_of(annotation), {}, seen, 0)


def _root_of(node: Any) -> Any:
    for _step in range(MAX_DEPTH):
        if "/Parent" not in node:
            break
        node = node.Parent
    return node


def _under(node: Any, inherited: dict[str, Any], seen: set[tuple[int, int]], depth: int) -> Iterator[_Field]:
    if depth > MAX_DEPTH or len(seen) > MAX_FIELDS:
        raise Refused(_("PDF 的表单结构异常，请重新下载表格填写"))
    if node.is_indirect and node.objgen in seen:
        return
    seen.add(node.objgen if node.is_indirect else (0, -len(seen)))
    held = {key: node.get(key, inherited.get(key)) for key in ("/FT", "/V", "/Opt", "/T")}
    kids = list(node.get("/Kids", []))
    named = [kid for kid in kids if "/T" in kid]
    if named:
        for kid in named:
            yield from _under(kid, held, seen, depth + 1)
        return
    if held["/T"] is not None and held["/FT"] is not None:
        yield _Field(
            name=_INDEX.sub("", str(_text(held["/T"]))).rsplit(".", 1)[-1],
            kind=str(held["/FT"]),
            value=held["/V"],
            options=held["/Opt"],
            widgets=tuple(kids or [node]),
        )


# --- values -------------------------------------------------------------------------------------------------


def _text_of(field: _Field) -> str | Unread:
    try:
        return _text(field.value) or ""
    except Unclear as error:
        return Unread(_bytes_of(field.value).decode("latin-1"), str(error))


def _state_of(field: _Field) -> frozenset[str] | Unread:
    """The state of a checkbox or radio group. What it says and what its buttons show must agree."""
    shown = {str(widget.AS).lstrip("/") for widget in field.widgets if "/AS" in widget}
    said = _name(field.value)
    on = shown - {_OFF}
    if said is None:
        chosen = on
    elif said == _OFF:
        chosen = set()
    else:
        chosen = {said}
    if len(chosen) > 1 or (shown and on != chosen):
        states = "、".join(sorted(on | ({said} if said else set())))
        return Unread(states, _("勾选标记与所存的值不一致"))
    return frozenset(_export_value(field, state) for state in chosen)


def _export_value(field: _Field, state: str) -> str:
    """The code a state stands for: programs that number the states list the codes beside them (12.7.4.2.4)."""
    if (
        isinstance(field.options, pikepdf.Array)
        and state.isascii()
        and state.isdigit()
        and int(state) < len(field.options)
    ):
        return str(_text(field.options[int(state)]))
    return state


def _name(value: Any) -> str | None:
    if value is None:
        return None
    return (_text(value) or "").lstrip("/") or _OFF  # some programs write a string, slash and all


def _bytes_of(value: Any) -> bytes:
    return bytes(value.read_bytes()) if isinstance(value, pikepdf.Stream) else bytes(value)


def _text(value: Any) -> str | None:
    """A text string (7.9.2.2) or text stream. Raises ``prefill_text.Unclear`` where its encoding is not sure."""
    if value is None:
        return None
    if isinstance(value, pikepdf.Name):
        return str(value).lstrip("/")
    if isinstance(value, pikepdf.Array):  # a list box: one choice at most is ours
        return _text(value[0]) if len(value) == 1 else "、".join(str(_text(item)) for item in value)
    raw = _bytes_of(value)
    try:
        for mark, encoding in (
            (b"\xfe\xff", "utf-16-be"),
            (b"\xff\xfe", "utf-16-le"),
            (b"\xef\xbb\xbf", "utf-8"),
        ):
            if raw.startswith(mark):
                return _LANGUAGE.sub("", raw[len(mark) :].decode(encoding))
        text = raw.decode("pdfdoc")
    except UnicodeError as error:
        raise Unclear(_("文字编码不正确（乱码）")) from error
    if _may_be_gbk(raw):
        raise Unclear(_("文字编码不正确（乱码）"))
    return text


def _may_be_gbk(raw: bytes) -> bool:
    """Old programs write the system's code page where the standard wants PDFDocEncoding."""
    try:
        return not raw.isascii() and bool(_HAN.search(raw.decode("gb18030")))
    except UnicodeError:
        return False
