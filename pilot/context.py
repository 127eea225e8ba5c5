"""What every page shows around its content: menu with what waits for me, who I am, banners, the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet, Value
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from pilot import clock, policy, tours
from pilot import help as texts
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Notice
from pilot.registry import Group, MachinePages, all_pages
from pilot.selectors.unions import Statement, rows_of, union_of
from pilot.services import operations
from pilot.ui import MenuGroup, MenuItem

# Beyond it the bell shows only that there are more: counting all of an official's takes longer than the page.
MOST_UNREAD = 99


def shell(request: Any) -> dict[str, Any]:
    """Context processor of ``base.html``."""
    actor: Actor | None = getattr(request, "actor", None)
    demo = clock.is_demo()
    context: dict[str, Any] = {
        "actor": actor,
        "banner": [
            _("演示环境，单位、人员和数据均为虚构（示例）"),
            _("业务时间为模拟时间"),
            _("多因素认证已关闭"),
        ]
        if demo
        else [],
        "business_now": localtime(clock.now()),
        "clock_name": _("业务时间") if demo else _("北京时间"),  # only the demonstration knows two clocks
        "session_seconds": settings.SESSION_COOKIE_AGE,
        "menu": [],
        "unread": "",
        "memberships": [],
        "help_page": page_with_help(request),
        "tour": None,
        "phrases": False,
    }
    if actor is not None:
        own = request.memberships
        if actor.role == Role.SYSTEM_ADMIN:
            context["banner"] = [*operations.in_words(), *context["banner"]]
        context |= {
            "menu": menu(actor, request.path, waiting_counts(request)),
            "unread": unread(actor),
            "memberships": [(m.pk, f"{m.organisation} · {m.get_role_display()}") for m in own]
            if len(own) > 1
            else [],
            "tour": tours.strip(request),
            "phrases": policy.may_open("phrase_list", actor.role),
        }
    return context


def unread(actor: Actor) -> str:
    """How many notices wait to be read, for the bell: nothing for none, ``99+`` above 99."""
    seen_by_now = Notice.objects.filter(
        person=actor.person_id, read_at__isnull=True, visible_from__lte=clock.security_now()
    )
    number = seen_by_now.order_by()[: MOST_UNREAD + 1].count()
    return f"{MOST_UNREAD}+" if number > MOST_UNREAD else str(number or "")


def page_with_help(request: Any) -> str:
    """The URL name of the page, if anything is said about it and the page could be found at all."""
    match = getattr(request, "resolver_match", None)
    return match.url_name if match and match.url_name in texts.by_page() else ""


def waiting_counts(request: Any) -> Mapping[str, int]:
    """Machine → how many cases wait for the actor; once for all parts of a page, empty on a refusal's."""
    counts: dict[str, int] | None = getattr(request, "waiting_counts", None)
    if counts is None:
        counts = request.waiting_counts = waiting(request.actor)
    return counts


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for an actor on one machine: how many cases, and by when the most urgent wants its next step."""

    number: int
    due: datetime | None


def to_do(request: Any) -> dict[str, Waiting]:
    """Machine → what waits for the actor; one query, by which the menu of the page goes as well."""
    found = {
        machine: Waiting(number, nearest)
        for machine, number, nearest in rows_of(_to_do_statement(request.actor.as_reader()))
    }
    request.waiting_counts = {machine: one.number for machine, one in found.items()}
    return found


def waiting(actor: Actor) -> dict[str, int]:
    """Machine → how many cases wait for this actor, of the lists that he or she may open and work from; one query."""
    return dict(rows_of(_waiting_statement(actor.as_reader())))


@lru_cache(maxsize=1_000)
def _waiting_statement(actor: Actor) -> Statement:
    """The counts as SQL, empty where nothing can wait for the actor.

    Kept, because it hangs on the actor alone and stands on every page: to build it takes longer than to run it.
    """
    return union_of([rows.annotate(number=Count("pk")) for _pages, rows in _waiting_rows(actor)])


@lru_cache(maxsize=1_000)
def _to_do_statement(actor: Actor) -> Statement:
    """The counts with the nearest deadline of each; apart, for the menu of every other page needs no deadline."""
    return union_of(
        [
            rows.annotate(number=Count("pk"), nearest=Min(pages.deadline(actor)))
            for pages, rows in _waiting_rows(actor)
        ]
    )


def _waiting_rows(actor: Actor) -> Iterator[tuple[MachinePages, QuerySet[Any, Any]]]:
    """What waits for an actor on each machine, grouped by it."""
    for pages in all_pages():
        wanted = pages.waiting(actor)
        if wanted is not None and policy.may_open(f"{pages.slug}_list", actor.role):
            rows = pages.model.objects.visible_to(actor).filter(wanted).order_by()
            yield pages, rows.values(machine=Value(pages.slug))


def menu(actor: Actor, path: str, counts: Mapping[str, int]) -> list[MenuGroup]:
    """The left menu of an actor, with the number of cases that wait for this actor (C01) where ``counts`` has one."""
    return [
        MenuGroup(
            label,
            [
                replace(
                    item, count=counts.get(name.removesuffix("_list"), 0), current=path.startswith(item.url)
                )
                for name, item in items
            ],
        )
        for label, items in _opened_to(actor.role, get_language())
    ]


@cache
def _opened_to(role: str, language: str | None) -> list[tuple[str, list[tuple[str, MenuItem]]]]:
    """Heading → URL name and entry of what a role may open, in the language that is active."""
    groups: dict[Group, list[tuple[str, MenuItem]]] = {group: [] for group in Group}
    for group, name, label, icon in entries():
        if policy.may_open(name, role):
            groups[group].append((name, MenuItem(str(label), reverse(name), icon)))
    return [(str(group.label), items) for group, items in groups.items() if items]


def entries() -> list[tuple[Group, str, Any, str]]:
    """All that can stand in the menu: heading, URL name, label, icon."""
    return [*EXTRA, *((p.group, f"{p.slug}_list", p.label, p.icon) for p in all_pages())]


def page_names() -> dict[str, str]:
    """URL name → what the page is called in the menu, or in the help where it does not stand there."""
    titles = {page: str(topic.title) for page, topic in texts.by_page().items()}
    return titles | {name: str(label) for _group, name, label, _icon in entries()}


# Pages that are no machine's list: group, URL name, label, icon. The apps add theirs in ``AppConfig.ready``.
EXTRA: list[tuple[Group, str, Any, str]] = [
    (Group.OVERVIEW, "dashboard", gettext_lazy("工作台"), "layout-dashboard"),
    (Group.PROGRAMME, "rule_list", gettext_lazy("项目规则"), "book-marked"),
    (Group.SYSTEM, "audit_list", gettext_lazy("审计日志"), "scroll-text"),
]
