"""The face of what is typed into a fillable form. It is embedded whole, so it holds no more than is needed."""

from __future__ import annotations

import io
import string
from pathlib import Path
from typing import Final

from django.conf import settings
from fontTools import subset
from pylopdf_fonts_zh_cn import sans_path

from pilot import disk

FAMILY: Final = "Pilot Form"
_UNUSED_TABLES: Final = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG")


def font_path() -> Path:
    """The face for what is typed: Latin, signs and the 6,763 characters of GB 2312. Made once and kept."""
    source = sans_path()
    path: Path = settings.VAR / disk.FONTS / f"form-{source.stat().st_size}.otf"
    if not disk.is_kept(path):
        disk.keep_whole(path, _subset_of(source))
    return path


def _subset_of(source: Path) -> bytes:
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.drop_tables += _UNUSED_TABLES
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, _characters()))
    subsetter.subset(font)
    made = io.BytesIO()
    subset.save_font(font, made, options)
    return made.getvalue()


def _characters() -> set[str]:
    pairs = (bytes([row, cell]) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    chinese = {pair.decode("gb2312", "ignore") for pair in pairs} - {""}
    return chinese | set(string.printable[:95])
