"""Receipts of what was handed in: the paper of a version, and the version behind a code."""

from __future__ import annotations

import re

from django.conf import settings
from django.urls import reverse

from applications.models import Application, ApplicationVersion
from pilot.models import Document

CODE = re.compile(r"[0-9a-f]{32}")
KIND = "receipt"


def code_of(version: ApplicationVersion) -> str:
    """What a third person types in to check a receipt: 128 bits of the version's digest, so nobody guesses one."""
    return version.digest[:32]


def check_address(version: ApplicationVersion) -> str:
    """The public address that checks this receipt, as its QR code holds it."""
    return settings.PILOT_SITE + reverse("receipt_check", args=[code_of(version)])


def title_of(version: ApplicationVersion) -> str:
    """The title of a version's receipt; a document is found by it, so it is the same in every language."""
    return f"申请材料接收回执（第{version.number}版）"


def document_of(version: ApplicationVersion) -> Document | None:
    """The receipt as PDF; None while it is still being made."""
    return Document.objects.filter(
        machine=Application.slug(), object_id=version.application_id, kind=KIND, title=title_of(version)
    ).first()


def versions_of(code: str) -> list[ApplicationVersion]:
    """The versions a code belongs to, oldest first, with application, provider and programme; none for other text.

    They are several where an answer brought back what had been handed in before: equal content has an equal code.

    This read asks for no actor: whoever holds the paper may check it, and without the paper's code nothing is found.
    It serves the public check page alone, which shows nothing beyond what stands on the receipt, and no person.
    """
    normal = "".join(code.split()).replace("-", "").lower()
    if not CODE.fullmatch(normal):
        return []
    found = ApplicationVersion.unscoped.filter(digest__startswith=normal).order_by("pk")
    return list(found.select_related("application__provider", "application__programme"))
