"""The pictures of V3.0 records.

Format and use codes, owner, size, and whether each decodes as what it claims.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from filings.intake.fields import FieldReader, Record
from filings.intake.records import Attachment
from filings.intake.v3_map import text_of
from filings.validators.pictures import is_jpeg, is_png

USES: Final = {
    "1": "form",
    "2": "subject_cert",
    "3": "principal_cert",
    "4": "site_principal_cert",
    "5": "face",
}
"""``Fjyt`` → use. One picture of a certificate stands for both its sides."""

_FORMATS: Final[dict[str, tuple[str, Callable[[bytes], bool]]]] = {
    "1": ("jpg", is_jpeg),
    "2": ("png", is_png),
}
_OWNER_KINDS: Final = {"1": "subject", "2": "website"}
_OWNERS_OF_USE: Final = {
    "form": ("subject", "website"),
    "subject_cert": ("subject",),
    "principal_cert": ("subject",),
    "site_principal_cert": ("website",),
    "face": ("subject", "website"),
}
MAX_OWNER: Final = 64
"""Characters of the id or 备案号 that names a picture's owner."""
_KILO: Final = 1024
_FORM_LIMIT_KB: Final = 150
_OTHER_LIMIT_KB: Final = 100

BAD_FORMAT: Final = 1056
BAD_USE: Final = 1057
NO_SUBJECT: Final = 1058
NO_WEBSITE: Final = 1059
USE_NOT_OF_OWNER: Final = 1061
BAD_CONTENT: Final = 5010


def read_picture(
    reader: FieldReader, element: Any, base: str, owners: dict[str, set[str]] | None = None
) -> tuple[str | None, Record | None, Attachment | None]:
    """Judge one ``Fjxx``; returns its use, and its metadata and content when it is sound.

    ``owners`` holds the ids a record itself defines, by owner kind, when the picture must belong to one of
    them.
    """
    use = USES.get(text_of(element, "Fjyt") or "")
    if use is None:
        reader.add("field.enum", f"{base}/use", national=BAD_USE)
    owner = _read_owner(reader, element, base, use, owners)
    known_format = _FORMATS.get(text_of(element, "Fjwjgs") or "")
    if known_format is None:
        reader.add("field.enum", f"{base}/format", national=BAD_FORMAT)
    limit_kb = _FORM_LIMIT_KB if use == "form" else _OTHER_LIMIT_KB
    content = read_content(reader, text_of(element, "Fjnr"), base, limit_kb, known_format and known_format[1])
    if use is None or owner is None or known_format is None or content is None:
        return use, None, None
    attachment = Attachment.of(use, known_format[0], *owner, content)
    image = {"use": use, "format": attachment.format, "sha256": attachment.sha256, "bytes": len(content)}
    return use, image, attachment


def read_content(
    reader: FieldReader,
    encoded: str | None,
    base: str,
    limit_kb: int,
    decodes: Callable[[bytes], bool] | None,
) -> bytes | None:
    """Judge a picture's base64: its size as sent, since the interface limits that, and what it decodes to."""
    if encoded is None:
        reader.add("field.required", f"{base}/content", national=BAD_CONTENT)
        return None
    if len(encoded) > limit_kb * _KILO:
        reader.add("image.size", f"{base}/bytes", national=BAD_CONTENT, limit_kb=limit_kb)
        return None
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        content = b""
    if not content or (decodes is not None and not decodes(content)):
        reader.add("field.format", f"{base}/content", national=BAD_CONTENT)
        return None
    return content


def _read_owner(
    reader: FieldReader, element: Any, base: str, use: str | None, owners: dict[str, set[str]] | None
) -> tuple[str, str] | None:
    """Return ``(kind, id or 备案号)`` of the picture's owner."""
    kind = _OWNER_KINDS.get(text_of(element, "Fjssdx/Ssdxlx") or "")
    node = element.find("Fjssdx/Ssdxbs")
    owner = None if node is None else text_of(node, "Jlid") or text_of(node, "Baxh") or text_of(node, ".")
    if kind is None or (use is not None and kind not in _OWNERS_OF_USE[use]):
        reader.add("field.enum", f"{base}/owner", national=USE_NOT_OF_OWNER)
        return None
    if owner is None or len(owner) > MAX_OWNER or (owners is not None and owner not in owners[kind]):
        reader.add("image.owner", f"{base}/owner", national=NO_SUBJECT if kind == "subject" else NO_WEBSITE)
        return None
    return kind, owner
