"""What every page shows around its content: menu with what waits for me, who I am, banners, the clock."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from pilot import clock, policy
from pilot.actors import Actor
from pilot.models import Notice
from pilot.registry import MachinePages, all_pages
from pilot.selectors import people
from pilot.ui import MenuGroup, MenuItem


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
        "session_seconds": settings.SESSION_COOKIE_AGE,
        "menu": [],
        "unread": 0,
        "memberships": [],
    }
    if actor is not None:
        own = list(people.memberships(request.user))
        context |= {
            "menu": menu(actor, request.path),
            "unread": Notice.objects.filter(
                person=actor.person_id, read_at__isnull=True, visible_from__lte=clock.security_now()
            ).count(),
            "memberships": [(m.pk, f"{m.organisation} · {m.get_role_display()}") for m in own]
            if len(own) > 1
            else [],
        }
    return context


def waiting_count(pages: MachinePages, actor: Actor) -> int:
    """How many cases of a machine wait for this actor."""
    waiting = pages.waiting(actor)
    if waiting is None:
        return 0
    count: int = pages.model.objects.visible_to(actor).filter(waiting).count()
    return count


def menu(actor: Actor, path: str) -> list[MenuGroup]:
    """The left menu of an actor, with the number of cases that wait for this actor (C01)."""
    groups: dict[str, list[MenuItem]] = {}
    if policy.may_open("dashboard", actor.role):
        groups[_("总览")] = [
            MenuItem(
                _("工作台"), reverse("dashboard"), "layout-dashboard", current=path == reverse("dashboard")
            )
        ]
    for pages in all_pages():
        if policy.may_open(f"{pages.slug}_list", actor.role):
            url = reverse(f"{pages.slug}_list")
            item = MenuItem(
                str(pages.label), url, pages.icon, waiting_count(pages, actor), current=path.startswith(url)
            )
            groups.setdefault(str(pages.group), []).append(item)
    for name, label, group, icon in EXTRA:
        if policy.may_open(name, actor.role):
            url = reverse(name)
            groups.setdefault(str(group), []).append(
                MenuItem(str(label), url, icon, current=path.startswith(url))
            )
    return [MenuGroup(label, items) for label, items in groups.items()]


# Lists that are no machines: URL name, label, group, icon. The apps add theirs in ``AppConfig.ready``.
EXTRA: list[tuple[str, Any, Any, str]] = []
