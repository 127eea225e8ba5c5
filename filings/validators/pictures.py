"""Pictures: whether bytes are a whole JPEG or PNG, told from their structure without decompressing them."""

from __future__ import annotations

import zlib
from typing import Final

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_START: Final = b"\xff\xd8"
_JPEG_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
MAX_SIDE: Final = 20_000
"""Pixels; a picture of 100 KB that claims more is made to exhaust its reader."""


def is_jpeg(content: bytes) -> bool:
    """Say whether ``content`` is a whole JPEG.

    That is: marker segments up to a scan, a frame of sane size, an end marker.
    """
    if not content.startswith(_JPEG_START) or not content.rstrip(b"\0").endswith(_JPEG_END):
        return False
    place, framed = 2, False
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        length = int.from_bytes(content[place + 2 : place + 4])
        if marker in _FRAMES:
            height = int.from_bytes(content[place + 5 : place + 7])
            width = int.from_bytes(content[place + 7 : place + 9])
            framed = 0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE
        if marker == _SCAN:
            return framed and place + 2 + length < len(content) - 2
        place += 2 + max(length, 2)
    return False


def is_png(content: bytes) -> bool:
    """Say whether ``content`` is a whole PNG.

    That is: the header first, every checksum right, image data, an end chunk.
    """
    if not content.startswith(_PNG_SIGNATURE):
        return False
    place, kinds = len(_PNG_SIGNATURE), []
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4])
        end = place + 8 + length
        if zlib.crc32(content[place + 4 : end]) != int.from_bytes(content[end : end + 4]):
            return False
        kinds.append(content[place + 4 : place + 8])
        if kinds[-1] == b"IEND":
            break
        place = end + 4
    if len(kinds) < 3 or kinds[0] != b"IHDR" or b"IDAT" not in kinds or kinds[-1] != b"IEND":
        return False
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE
