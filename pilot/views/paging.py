"""The page of a list that an address asks for: ``page``, and ``size`` from a closed set (C05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.paginator import Paginator

from pilot.forms import whole_number
from pilot.ui import PAGE_SIZES

DEFAULT_SIZE: Final = 20


def page_of(rows: Any, params: Mapping[str, Any], *, total: int | None = None) -> Any:
    """The page; the first one for what is none. ``total``: how many rows there are, where counting takes too long."""
    size = whole_number(str(params.get("size", "")))
    paginator = Paginator(rows, size if size in PAGE_SIZES else DEFAULT_SIZE)
    if total is not None:
        paginator.count = total
    return paginator.get_page(params.get("page"))
