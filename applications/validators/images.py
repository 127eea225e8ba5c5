"""Pictures: really decoded, within the limit of pixels, and nothing else besides. Pure."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from applications.validators.limits import JPEG, MAX_COEFFICIENTS, MAX_PIXELS, PNG, BrokenRule, Rule

FORMATS: Final = {PNG: "PNG", JPEG: "JPEG"}
NAMES: Final = {PNG: "PNG", JPEG: "JPG"}
PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
Image.MAX_IMAGE_PIXELS = None  # the limit is ours, in our words
MARKUP: Final = (b"<script", b"<?php", b"<!doctype html", b"<html")


def inspect(content: bytes, kind: str) -> None:
    """Decode the whole picture. Raises :class:`BrokenRule`."""
    try:
        with Image.open(io.BytesIO(content), formats=(FORMATS[kind],)) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise BrokenRule(Rule.IMAGE_PIXELS)
            if "progressive" in picture.info and width * height * len(picture.getbands()) > MAX_COEFFICIENTS:
                raise BrokenRule(Rule.BEYOND)
            # A JPEG is read to its end at an eighth of its size as well: that saves the memory of the full picture.
            picture.draft(None, (width // 8 or 1, height // 8 or 1))
            picture.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BrokenRule(Rule.IMAGE_DAMAGED, NAMES[kind]) from error
    _check_nothing_else(content, kind)


def _check_nothing_else(content: bytes, kind: str) -> None:
    """Nothing may follow a PNG; cameras do append to a JPEG, but neither may be a page of the web as well."""
    if kind == PNG and not content.rstrip(b"\x00\r\n ").endswith(PNG_END.rstrip(b"\x00")):
        raise BrokenRule(Rule.TWO_KINDS)
    lowered = content.lower()
    if any(mark in lowered for mark in MARKUP):
        raise BrokenRule(Rule.TWO_KINDS)
