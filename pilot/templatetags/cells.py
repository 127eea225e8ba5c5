"""Template tags that draw what stands on a page many times: cells, tags, tiles (builtins of the template engine).

In Python and not in templates, which took half the time of a list for it.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.template.defaulttags import querystring
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from pilot.templatetags.icons import lucide
from pilot.ui import (
    Align,
    Checksum,
    Column,
    Folded,
    Link,
    MenuItem,
    Noted,
    ProvinceTile,
    Ratio,
    Row,
    Tag,
    Tone,
    UnitFigure,
)

register = template.Library()

EMPTY = SafeString("--")
CURRENT = SafeString(' aria-current="page"')
NUMBER = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)+")
LONGEST_NUMBER = 24  # a longer one has to break where columns are narrow


@register.simple_tag
def status_tag(tag: Tag) -> SafeString:
    """A status as text with a tone; never clickable."""
    return format_html('<span class="tag tag-{}">{}</span>', tag.tone, tag.label)


@register.simple_tag
def tag(tone: Tone, label: str) -> SafeString:
    """A status whose words stand in the template."""
    return status_tag(Tag(label, tone))


@register.simple_tag
def cell(value: Any) -> SafeString:
    """A value the way every table and description list of the portal prints it."""
    match value:
        case None | "":
            return EMPTY
        case Tag():
            return status_tag(value)
        case Link():
            return format_html('<a href="{}">{}</a>', value.url, value.label)
        case Ratio():
            counts = format_html(
                '<span class="ratio-counts">{} / {}</span>', cell(value.errors), cell(value.n)
            )
            words = _("%(figure)s（%(counts)s）") % {"figure": "{}", "counts": "{}"}
            shown = format_html(words, value.shown, counts)
            figure = format_html("<span>{}</span>", shown) if value.shown else counts
            return format_html("{}<br>{}", figure, status_tag(value.verdict)) if value.verdict else figure
        case Folded():
            return format_html(
                "<details><summary>{}</summary><code>{}</code></details>", value.short, value.full
            )
        case Noted():
            return format_html("{}<br><small>{}</small>", cell(value.value), value.note)
        case Checksum():
            return format_html('<code class="checksum">{}</code>', value)
        case bool():
            return conditional_escape(_("是") if value else _("否"))
        case int():
            return conditional_escape(f"{value:,}")
        case datetime() | date():
            return _time(value)
        case list() | tuple():
            between = " " if any(isinstance(item, Tag) for item in value) else _("、")
            return format_html_join(between, "{}", ((cell(item),) for item in value)) or EMPTY
        case str() if "\n" in value and not isinstance(value, SafeString):
            return format_html_join(SafeString("<br>"), "{}", ((line,) for line in value.splitlines()))
        case _:
            return conditional_escape(value)


def _time(value: date) -> SafeString:
    """``2026-11-24 14:08:00`` or ``2026-11-24``, in the portal's zone (C11)."""
    if not isinstance(value, datetime):
        return format_html('<time datetime="{0}">{0}</time>', value.isoformat())
    local = localtime(value) if is_aware(value) else value
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def as_heads(columns: Sequence[Column]) -> list[tuple[Align, SafeString]]:
    """Alignment and label of each column, translated once for all rows of a table."""
    return [(column.align, conditional_escape(str(column.label))) for column in columns]


@register.simple_tag(takes_context=True)
def sort_header(context: template.Context, column: Column) -> SafeString:
    """The head of a column; one that sorts is a link that turns the order round."""
    if not column.sort:
        return format_html('<th scope="col" class="{}">\n{}\n</th>\n', column.align, column.label)
    orders = {column.sort: ("ascending", "chevron-up"), f"-{column.sort}": ("descending", "chevron-down")}
    asked = context["request"].GET.get("sort", "") or (column.sort if column.sorted else "")
    direction, icon = orders.get(asked, ("", "chevrons-up-down"))
    turned = f"-{column.sort}" if direction == "ascending" else column.sort
    return format_html(
        '<th scope="col" class="{}"{}>\n<a class="sort" href="{}">{}{}</a>\n</th>\n',
        column.align,
        format_html(' aria-sort="{}"', direction) if direction else "",
        querystring(context, sort=turned, page=None),
        column.label,
        lucide(icon, size=14, aria_hidden="true"),
    )


@register.simple_tag
def row_cells(row: Row, heads: Sequence[tuple[Align, SafeString]]) -> SafeString:
    """The cells of one row of a table, of which the first leads to the row's page.

    Here and not in the template, which took half the time of a list for it. Raises ValueError for a row of another
    length than the head. Narrow screens show a row as a card: without its ``blank`` cells, under its first cell, which
    is ``told`` with its label where it does not name the row.
    """
    shown = [cell(value) for value in row.cells]
    marks = [
        " blank" if text is EMPTY else " number" if _is_number(value) else ""
        for value, text in zip(row.cells, shown, strict=True)
    ]
    if row.cells and not _names(row.cells[0]):
        marks[0] = " told"
    if row.url and shown:
        shown[0] = format_html('<a href="{}">{}</a>', row.url, shown[0])
    return format_html_join(
        "\n",
        '<td class="{}{}" data-label="{}">{}</td>',
        ((align, mark, label, text) for (align, label), mark, text in zip(heads, marks, shown, strict=True)),
    )


@register.simple_tag
def unit_cells(
    unit: UnitFigure, name: str, province: str, state: str, met: tuple[str, str], trend: str
) -> SafeString:
    """The cells of a unit's line, with the words that label them on narrow screens; in Python as ``row_cells``."""
    return format_html(
        '<td data-label="{}"><a href="{}">{}</a><small>{}</small></td>\n'
        '<td data-label="{}">{}</td>\n'
        '<td data-label="{}">{}</td>\n'
        '<td class="end" data-label="M1"><span class="figure">{}</span><small>{}</small></td>\n'
        '<td data-label="{}">{}</td>\n'
        '<td class="end" data-label="M2"><span class="figure">{}</span><small>{}</small></td>\n'
        '<td data-label="{}">{}</td>\n'
        '<td data-label="{}">{}</td>',
        *(name, unit.url, unit.name, unit.code),
        *(province, unit.province),
        *(state, status_tag(unit.status)),
        *(unit.m1_shown, cell(unit.m1_counts)),
        *(met[0], status_tag(unit.m1)),
        *(unit.m2_shown, cell(unit.m2_counts)),
        *(met[1], status_tag(unit.m2)),
        *(trend, svg(unit.trend) if unit.trend else EMPTY),
    )


@register.simple_tag
def province_tile(tile: ProvinceTile) -> SafeString:
    """One of the 31 tiles of a grid of provinces; a first page has two grids."""
    return format_html(
        '<li class="at-row-{} at-column-{}">\n'
        '<a class="province province-{}" href="{}" aria-label="{} {}" title="{}">\n'
        "<span>{}</span>\n<strong>{}</strong>\n</a>\n</li>\n",
        *(tile.row, tile.column, tile.tone, tile.url, tile.name, tile.value, tile.name),
        *(tile.short, tile.value),
    )


@register.simple_tag
def menu_item(item: MenuItem) -> SafeString:
    """An entry of the left menu, of which every page has some thirty."""
    waiting = '<span class="count">{}<span class="visually-hidden">{}</span></span>'
    return format_html(
        '<li>\n<a href="{}"{} title="{}">\n{}\n<span class="menu-label">{}</span>\n{}\n</a>\n</li>\n',
        item.url,
        CURRENT if item.current else "",
        item.label,
        lucide(item.icon or "dot", size=18, aria_hidden="true"),
        item.label,
        format_html(waiting, item.count, _("件待办")) if item.count else "",
    )


def _is_number(value: Any) -> bool:
    """Whether a cell holds the number of a case, a unit or a form, which reads as one word."""
    text = value.label if isinstance(value, Link) else value
    return isinstance(text, str) and len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) is not None


def _names(value: Any) -> bool:
    """Whether a row's first cell says by itself which row it is: words do, a number, a day or nothing does not."""
    text = getattr(value, "label", value)
    return not isinstance(text, int | date | list | tuple | Ratio | None) and any(map(str.isalpha, str(text)))


@register.simple_tag
def svg(markup: str) -> SafeString:
    """A drawing made by ``pilot.charts`` or ``pilot.diagram``; anything else is escaped, not trusted."""
    if not markup.startswith("<svg"):
        return conditional_escape(markup)
    # nosemgrep: markup-made-of-data
    return mark_safe(markup)  # nosec B703  # noqa: S308  (both modules escape every text they draw)
