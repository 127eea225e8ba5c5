"""``{% lucide %}`` as the package has it, each icon drawn once: a page has some forty, most of them on every page."""

from __future__ import annotations

from functools import lru_cache

from django import template
from lucide.templatetags import lucide as package

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=512)
def lucide(name: str, *, size: int | None = 24, **attributes: object) -> str:
    """An icon of this name as inline SVG; attributes are those of its element."""
    drawn: str = package.lucide(name, size=size, **attributes)
    return drawn
