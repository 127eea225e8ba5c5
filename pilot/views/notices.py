"""A person's own notices: what came, what of it is unread, and the way to what each is about."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pilot import clock
from pilot.models import Notice
from pilot.registry import all_pages
from pilot.ui import Column, Empty, Link, ListPage, Row, Tag

PAGE = 20
UNREAD = "unread"  # what ``?state=`` may ask for


@require_http_methods(["GET", "HEAD", "POST"])
def notice_list(request: Any) -> HttpResponse:
    """The person's notices, newest first, or only the unread ones; a POST marks all of them as read."""
    unread = _own(request).filter(read_at=None)
    if request.method == "POST":
        read = unread.update(read_at=clock.security_now())
        messages.success(request, _("已将 %(n)s 条通知标为已读") % {"n": read})
        return redirect("notice_list")
    only = request.GET.get("state") == UNREAD
    page = Paginator(unread if only else _own(request), PAGE).get_page(request.GET.get("page"))
    address, waiting = reverse("notice_list"), unread.count()
    listing = ListPage(
        title=_("通知"),
        columns=[
            Column("subject", _("内容")),
            Column("about", _("事项")),
            Column("at", _("时间")),
            Column("state", _("状态")),
        ],
        rows=[_row(notice) for notice in page.object_list],
        total=page.paginator.count,
        empty=Empty(_("没有未读的通知") if only else _("暂无通知"), _("事项有进展时会在这里通知您")),
        crumbs=[Link(_("首页"), reverse("home"))],
        filtered=only,
        page=page,
        toolbar=[
            Link(_("全部通知"), address)
            if only
            else Link(_("只看未读（%(n)s）") % {"n": waiting}, f"{address}?state={UNREAD}")
        ],
        buttons=[Link(_("全部标为已读"), address, "check-check")] if waiting else [],
    )
    return render(request, "pages/list.html", {"page": listing})


@require_safe
def notice_read(request: Any, pk: int) -> HttpResponse:
    """Mark a notice as read and go to what it is about."""
    notice = get_object_or_404(_own(request), pk=pk)
    if notice.read_at is None:
        notice.read_at = clock.security_now()
        notice.save(update_fields=["read_at"])
    return redirect(notice.url)


def _own(request: Any) -> QuerySet[Notice]:
    return Notice.objects.filter(person=request.user, visible_from__lte=clock.security_now())


def _row(notice: Notice) -> Row:
    state = Tag(_("已读"), "muted") if notice.read_at else Tag(_("未读"), "info")
    return Row(
        reverse("notice_read", args=[notice.pk]), [notice.subject, _about(notice.url), notice.at, state]
    )


def _about(url: str) -> str:
    """What kind of case an address of the portal belongs to; empty for anything else."""
    try:
        name = resolve(urlsplit(url).path).url_name or ""
    except Resolver404:
        return ""
    slug = name.rpartition("_")[0]
    return next((str(pages.label) for pages in all_pages() if pages.slug == slug), "")
