"""What makes a fillable PDF of WeasyPrint's output: fields as ISO 32000-1, 12.7 wants them, and values put into them.

WeasyPrint names the buttons of a radio group a second time and lists them beside their group, which readers show as
fields of their own; it gives no button an "off" face, and leaves it to the reader how text looks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf

from pilot.pdf_appearance import INK, empty_face, text_face, tick_face

MARKER: Final = "_form"
"""Name of the hidden field that says which form and edition a file is."""
_HIDDEN: Final = 1 << 1
_READ_ONLY: Final = 1
_MULTILINE: Final = 1 << 12
_OFF: Final = "/Off"
_FONT: Final = re.compile(r"(/\S+) [\d.]+ Tf")


def mended(content: bytes) -> bytes:
    """The form with proper radio groups, and its marker hidden; the same content gives the same bytes.

    A radio button is set to the code of its choice (the ``value`` in the HTML), a checkbox to ``on``. Text takes the
    size that fits its field.
    """
    with Pdf.open(io.BytesIO(content)) as pdf:
        form = pdf.Root.AcroForm
        form.Fields = Array([field for field in form.Fields if "/Parent" not in field])
        del form.NeedAppearances  # every face is drawn here
        for field in form.Fields:
            if _is_button(field):
                _mend_buttons(pdf, field)
            else:
                _mend_text(pdf, field)
        return _saved(pdf)


def filled(content: bytes, values: Mapping[str, str], *, read_only: Collection[str] = ()) -> bytes:
    """The form with values put in: text, the code of a radio group's choice, ``on`` for a checkbox."""
    with Pdf.open(io.BytesIO(content)) as pdf:
        for field in pdf.Root.AcroForm.Fields:
            name = str(field.T)
            if name in read_only:
                field.Ff = int(field.get("/Ff", 0)) | _READ_ONLY
            if name not in values:
                continue
            if _is_button(field):
                _press(field, Name(f"/{values[name]}"))
            else:
                _write(pdf, field, values[name])
        return _saved(pdf)


def names_of(content: bytes) -> list[str]:
    """The names of the form's fields."""
    with Pdf.open(io.BytesIO(content)) as pdf:
        return [str(field.T) for field in pdf.Root.AcroForm.Fields]


def _saved(pdf: Pdf) -> bytes:
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True)
    return out.getvalue()


def _press(field: Any, state: Name) -> None:
    field.V = state
    for button in _buttons(field):
        button.AS = state if str(state) in button.AP.N else Name.Off


def _write(pdf: Pdf, field: Any, text: str) -> None:
    # Always UTF-16: in PDFDocEncoding a short word could be taken for one of the system's code page.
    field.V = pikepdf.String(b"\xfe\xff" + text.encode("utf-16-be"))
    lines = bool(int(field.get("/Ff", 0)) & _MULTILINE)
    field.AP = Dictionary(N=text_face(pdf, field, text, font=_font_of(field), lines=lines))


def _is_button(field: Any) -> bool:
    return str(field.FT) == "/Btn"


def _buttons(field: Any) -> list[Any]:
    return list(field.Kids) if "/Kids" in field else [field]


def _font_of(field: Any) -> str:
    match = _FONT.search(str(field.DA))
    return match[1] if match else ""


def _mend_text(pdf: Pdf, field: Any) -> None:
    if str(field.T) == MARKER:
        field.Ff = _READ_ONLY
        field.F = int(field.F) | _HIDDEN
    size = 10 if int(field.get("/Ff", 0)) & _MULTILINE else 0  # 0: as large as fits
    field.DA = pikepdf.String(f"{_font_of(field)} {size} Tf {INK} rg")
    field.AP = Dictionary(N=empty_face(pdf, field))


def _mend_buttons(pdf: Pdf, field: Any) -> None:
    if "/Kids" not in field:
        _mend_button(pdf, field, "on", tick_face(pdf, field))
        field.V = field.AS
        return
    for button, code in zip(field.Kids, field.Opt, strict=True):
        _mend_button(pdf, button, str(code), next(iter(button.AP.N.values())))
        for key in ("/T", "/TU"):  # the group has them
            if key in button:
                del button[key]
    del field["/Opt"]
    field.V = next((button.AS for button in field.Kids if str(button.AS) != _OFF), Name.Off)


def _mend_button(pdf: Pdf, button: Any, state: str, face: Any) -> None:
    is_on = str(button.AS) != _OFF
    button.AP = Dictionary(N=Dictionary({f"/{state}": face, _OFF: empty_face(pdf, button)}))
    button.AS = Name(f"/{state}" if is_on else _OFF)
