"""Normalising of typed text before it is judged."""

from __future__ import annotations

import unicodedata


def narrow(value: str) -> str:
    """Trim, and turn full-width digits and Latin letters into half-width ones (NFKC).

    For codes, phones, e-mail and domains only: names are kept as typed.
    """
    return value.strip() if value.isascii() else unicodedata.normalize("NFKC", value).strip()
