"""The list of a machine: which rows in which order for an address, and the page that shows them (C03 – C08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Case, Count, F, Max, QuerySet, SmallIntegerField, When, Window
from django.db.models.functions import Lag, Lead, RowNumber
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pilot import policy
from pilot.actors import Actor
from pilot.enums import ExportReason
from pilot.errors import Refused
from pilot.machines import declared
from pilot.masking import mask_name
from pilot.models import SavedView
from pilot.registry import Batch, Creation, ListColumn, MachinePages, pages_of
from pilot.selectors import saved_views
from pilot.services import exports
from pilot.tones import state_tag
from pilot.ui import BatchBar, Column, Empty, Link, ListPage, Row, ViewBar, ViewTab
from pilot.views.filters import CaseFilter
from pilot.views.paging import page_of
from pilot.workflow import states

ALL = "?view=all"  # the list without any filter, whatever view opens by default


# --- rows -----------------------------------------------------------------------------------------
def visible_rows(pages: MachinePages, actor: Actor) -> QuerySet[Any]:
    """The cases this actor may know of, with what the machine's pages read beside them."""
    rows: QuerySet[Any] = pages.model.objects.visible_to(actor).annotate(**pages.annotations)
    rows = rows.prefetch_related(*pages.prefetched)
    # Called without names, select_related would join everything.
    return rows.select_related(*pages.related) if pages.related else rows


def rows_for(pages: MachinePages, actor: Actor, params: Mapping[str, Any]) -> QuerySet[Any]:
    """Exactly the rows of the list for these parameters of its address, in the order in which it shows them."""
    return _ordered(pages, CaseFilter(params, pages=pages, actor=actor), params)


def _ordered(pages: MachinePages, form: CaseFilter, params: Mapping[str, Any]) -> QuerySet[Any]:
    rows = form.apply(visible_rows(pages, form.actor))
    sort = sort_of(pages, params)
    if not sort:
        return rows.order_by(*(pages.order or _urgency(pages, form.actor)))
    column = _orders(pages)[sort.removeprefix("-")]
    path = pages.deadline(form.actor) if column.deadline else F(column.order_by)
    order = path.desc(nulls_last=True) if sort.startswith("-") else path.asc(nulls_last=True)
    return rows.order_by(order, "-pk")


def _urgency(pages: MachinePages, actor: Actor) -> list[Any]:
    """By turn; what waits for this reader by its deadline, all else the latest first."""
    waiting = pages.waiting(actor)
    mine = [Case(When(waiting, then=pages.deadline(actor))).asc(nulls_last=True)] if waiting else []
    return [_turn(pages, actor), *mine, "-state_since", "-pk"]


def _turn(pages: MachinePages, actor: Actor) -> Case:
    """First what waits for this reader, then what is under way, last what is over: no step leads on from there."""
    model = pages.model
    going = {str(move.source) for move in declared(model)}
    over = [state for state, _label in states(model) if state not in going]
    waiting = pages.waiting(actor)
    mine = [When(waiting, then=0)] if waiting else []
    return Case(When(state__in=over, then=2), *mine, default=1, output_field=SmallIntegerField())


class PlaceInList(NamedTuple):
    """Where a case stands in a list: from 1, of how many, between which keys."""

    at: int
    total: int
    before: int | None
    after: int | None


def place_in(rows: QuerySet[Any], key: int) -> PlaceInList | None:
    """The place of one case among ordered rows, found by the database; None where it is not among them."""
    order: Any = rows.query.order_by
    placed = rows.annotate(
        place_at=Window(RowNumber(), order_by=order),
        place_total=Window(Count("pk")),
        place_before=Window(Lag("pk"), order_by=order),
        place_after=Window(Lead("pk"), order_by=order),
        # A condition on a window is asked of the whole list; one on the key itself would leave a list of one.
        place_key=Window(Max("pk"), partition_by="pk"),
    )
    names = ("place_at", "place_total", "place_before", "place_after")
    found = placed.filter(place_key=key).values_list(*names).first()
    return PlaceInList(*found) if found else None


def sort_of(pages: MachinePages, params: Mapping[str, Any]) -> str:
    """The order asked for, if the list has it; ``-`` in front turns it round."""
    sort = str(params.get("sort", ""))
    return sort if sort.removeprefix("-") in _orders(pages) and not sort.startswith("--") else ""


def _orders(pages: MachinePages) -> dict[str, ListColumn]:
    """Value of ``sort`` → the column it sorts by."""
    return {c.column.key: c for c in columns_of(pages) if c.order_by}


# --- columns --------------------------------------------------------------------------------------
def columns_of(
    pages: MachinePages, actor: Actor | None = None, chosen: Sequence[str] = ()
) -> list[ListColumn]:
    """The machine's own columns as far as they serve the actor (None: all), then state and since when.

    Only those ``chosen``, if any of them is known.
    """
    columns = [
        *(column for column in pages.columns if actor is None or column.serves(actor)),
        ListColumn(Column("state", _("状态")), state_tag),
        ListColumn(Column("since", _("状态时间")), lambda case: case.state_since, "state_since"),
    ]
    return [c for c in columns if c.column.key in chosen] or columns


def heading(column: ListColumn, *, by_default: bool = False) -> Column:
    """The head of a column; one with an order is a link that sorts. ``by_default``: the list has it unasked."""
    if not column.order_by:
        return column.column
    return replace(column.column, sort=column.column.key, sorted=by_default)


def _headings(columns: Sequence[ListColumn], form: CaseFilter, sort: str) -> list[Column]:
    """The heads of the list's columns. What waits for its reader stands by deadline, if no other order is asked for;
    the whole list begins with it, but goes on otherwise."""
    by_deadline = not sort and "waiting" in form.wanted and not form.pages.order
    return [heading(column, by_default=by_deadline and column.deadline) for column in columns]


def row_of(pages: MachinePages, case: Any, columns: Sequence[ListColumn]) -> Row:
    """A case as a row of its list."""
    url = reverse(f"{pages.slug}_detail", args=[case.pk])
    return Row(url, [c.value(case) for c in columns], key=str(case.pk))


# --- addresses ------------------------------------------------------------------------------------
def list_query(pages: MachinePages, actor: Actor, params: Mapping[str, Any]) -> str:
    """Filter and order of an address, the same for the same list: what is saved, exported and worked off."""
    form = CaseFilter(params, pages=pages, actor=actor)
    return _query(pages, form, params)


def _query(pages: MachinePages, form: CaseFilter, params: Mapping[str, Any]) -> str:
    parts = [form.query(), urlencode({"sort": sort}) if (sort := sort_of(pages, params)) else ""]
    return "&".join(part for part in parts if part)


def open_batches(pages: MachinePages, actor: Actor) -> list[Batch]:
    """What this actor may do to several cases of the list at once."""
    return [batch for batch in pages.batches if policy.may_act(pages.slug, batch.name, actor.role)]


def crumbs(pages: MachinePages) -> list[Link]:
    """The way from the first page to a machine's list."""
    return [Link(_("首页"), reverse("home")), Link(str(pages.label), reverse(f"{pages.slug}_list"))]


# --- the page -------------------------------------------------------------------------------------
@require_safe
def case_list(request: Any, slug: str) -> HttpResponse:
    """The cases of a machine this actor may know of, filtered and paged; the address holds the whole view (C03).

    Opened without anything in the address it goes to the reader's default view, if there is one (C06).
    """
    pages, actor, params = pages_of(slug), request.actor, request.GET
    views = saved_views.views_of(actor, slug)
    if not params and (view := saved_views.default_of(views, actor)):
        return redirect(f"{request.path}?{view.query}")
    form = CaseFilter(params, pages=pages, actor=actor)
    query = _query(pages, form, params)
    page = page_of(_ordered(pages, form, params).values_list("pk", flat=True), params)
    columns = columns_of(pages, actor)
    shortcut = _shortcut(pages, actor, query)
    filtered = bool(form.wanted)
    batches = open_batches(pages, actor)
    rows = [_listed(pages, case, columns, shortcut, batches) for case in _shown(pages, actor, page)]
    creation = _creation(pages, actor)
    obstacle = creation.obstacle(actor) if creation else None
    listing = ListPage(
        title=str(pages.label),
        columns=[
            *_headings(columns, form, sort_of(pages, params)),
            *([Column("open", _("操作"))] if shortcut else []),
        ],
        rows=rows,
        total=page.paginator.count,
        empty=_empty(pages, filtered),
        intro=str(obstacle or ""),
        crumbs=crumbs(pages)[:1],
        filter_form=form,
        filtered=filtered,
        page=page,
        toolbar=[] if creation is None or obstacle else [_beginning(pages, creation)],
        views=_view_bar(pages, actor, views, query),
        batch=_batch_bar(pages, form, batches, query),
        export_url=f"{reverse('list_export', args=[slug])}?{query}" if page.paginator.count else "",
        export_reasons=ExportReason.choices if any(c.personal for c in columns) else (),
    )
    return render(request, "pages/list.html", {"page": listing})


def _shown(pages: MachinePages, actor: Actor, page: Any) -> list[Any]:
    """The cases of a page of keys: what they are shown with is read of these alone, not of all that were ordered."""
    keys = list(page.object_list)
    found = visible_rows(pages, actor).in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _listed(
    pages: MachinePages,
    case: Any,
    columns: Sequence[ListColumn],
    shortcut: Callable[[Any], Link] | None,
    batches: Sequence[Batch],
) -> Row:
    """A row of the page: with the way straight on, and with a key only where something can be done to several."""
    row = row_of(pages, case, columns)
    return replace(
        row,
        cells=[*row.cells, *([shortcut(case)] if shortcut else [])],
        key=row.key if any(batch.fits(case) for batch in batches) else "",
    )


def _shortcut(pages: MachinePages, actor: Actor, query: str) -> Callable[[Any], Link] | None:
    """The page to which every row leads straight away."""
    shortcut = pages.shortcut
    if shortcut is None or not policy.may_open(shortcut.url_name, actor.role):
        return None
    carried = urlencode({"list": query})
    return lambda case: Link(
        str(shortcut.label(case)), f"{reverse(shortcut.url_name, args=[case.pk])}?{carried}"
    )


def _empty(pages: MachinePages, filtered: bool) -> Empty:
    if filtered:
        return Empty(_("没有符合条件的记录"), _("请放宽筛选条件，或点击“重置”查看全部"))
    return Empty(_("暂无记录"), str(pages.empty))


def _creation(pages: MachinePages, actor: Actor) -> Creation | None:
    """How this actor begins a case of the machine, if at all."""
    return pages.creation if policy.may_open(f"{pages.slug}_create", actor.role) else None


def _beginning(pages: MachinePages, creation: Creation) -> Link:
    return Link(str(creation.label), reverse(f"{pages.slug}_create"), "plus")


def _view_bar(pages: MachinePages, actor: Actor, views: Sequence[SavedView], query: str) -> ViewBar | None:
    """The tabs of saved views and what to save; nothing where there is neither."""
    if not views and not query:
        return None
    base = reverse(f"{pages.slug}_list")
    tabs = [ViewTab(_("全部"), f"{base}{ALL}", current=not query)]
    for view in views:
        mine = view.person_id == actor.person_id
        tabs.append(
            ViewTab(
                view.name
                if mine
                else _("%(view)s（%(who)s）") % {"view": view.name, "who": mask_name(view.person.name)},
                f"{base}?{view.query}",
                current=view.query == query,
                shared=view.shared,
                default=mine and view.is_default,
                manage_url=reverse("list_view", args=[pages.slug, view.pk]) if mine else "",
            )
        )
    save_url = f"{reverse('list_views', args=[pages.slug])}?{query}" if query else ""
    return ViewBar(tabs, save_url, _("与%(office)s的同事共用") % {"office": actor.organisation_name})


def _batch_bar(
    pages: MachinePages, form: CaseFilter, batches: Sequence[Batch], query: str
) -> BatchBar | None:
    """What can be done to several of the rows that answer the filter; nothing where it fits none of them."""
    if not batches:
        return None
    rows = form.apply(visible_rows(pages, form.actor))
    totals = {batch.name: batch.fitting(rows).count() for batch in batches}
    links = [
        Link(str(batch.label), f"{reverse('list_batch', args=[pages.slug, batch.name])}?{query}")
        for batch in batches
        if totals[batch.name]
    ]
    return BatchBar(links, max(totals.values())) if links else None


# --- the spreadsheet ------------------------------------------------------------------------------
def table_of(pages: MachinePages, actor: Actor, query: str, columns: str = "") -> exports.Table:
    """The list of a query as a table; ``columns`` are keys joined by commas, empty for all."""
    shown = columns_of(pages, actor, [key for key in columns.split(",") if key])
    rows = rows_for(pages, actor, QueryDict(query))
    return exports.Table(
        title=str(pages.label),
        headings=[str(c.column.label) for c in shown],
        total=rows.count(),
        rows=_cells(rows, shown),
        personal=any(c.personal for c in shown),
    )


def _cells(rows: QuerySet[Any], columns: Sequence[ListColumn]) -> Iterator[list[Any]]:
    for case in rows.iterator(chunk_size=exports.STEP):
        yield [c.value(case) for c in columns]


@exports.reads_lists
def _read(machine: str, actor: Actor, query: str, columns: str) -> exports.Table:
    """How the export job gets at a list, as the one who asked for it sees it by then."""
    if not policy.may_open(f"{machine}_list", actor.role):
        raise Refused(_("没有权限"))
    return table_of(pages_of(machine), actor, query, columns)
