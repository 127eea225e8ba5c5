"""Pages whose personal data are masked, and the one way to look at a group of them in full (C12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from pilot import policy
from pilot.context import EXTRA
from pilot.enums import DataGroup, ExportReason, Role, UnmaskReason
from pilot.errors import Refused
from pilot.masking import groups_in, mask_name, own_in_full, reveal
from pilot.models import AuditEntry
from pilot.registry import Group
from pilot.services import disclosure, export_limits
from pilot.ui import Column, Empty, Link, ListPage, Row, Tag
from pilot.views.audit_words import action_words, object_words

PAGE: Final = 20
AUDIT_EXPORT: Final = "audit.export"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asked to see in full: a group that is on record by now, or why not. GET asks for nothing."""

    group: DataGroup | None = None
    error: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """What ``components/unmask.html`` prints: the groups on offer, the reasons, what is shown in full right now."""

    offers: list[tuple[str, Any]]
    reasons: list[tuple[str, Any]]
    reason: str
    shown: Any = ""
    error: str = ""


def asked(request: Any, subject: Any) -> Asked:
    """Take what was posted to a page about ``subject``; the answer to it alone shows the group in full.

    Raises :class:`NotPermitted` for a group that the page does not offer this role.
    """
    if request.method != "POST":
        return Asked()
    reason = request.POST.get("reason", "")
    try:
        group = disclosure.unmask(
            actor=request.actor, subject=subject, group=request.POST.get("group", ""), reason=reason
        )
    except Refused as refusal:
        return Asked(error=str(refusal.message), reason=reason)
    return Asked(group, reason=reason)


def answer(request: Any, template: str, page: Any, about: Asked, **context: Any) -> HttpResponse:
    """The page, masked but for the group that was asked for, with what can be asked for."""
    page = own_in_full(page, request.actor.person_id)
    found = groups_in(page)
    panel = Panel(
        offers=[
            (group.value, group.label)
            for group in DataGroup
            if group in found and group != about.group and policy.may_unmask(group, request.actor.role)
        ],
        reasons=UnmaskReason.choices,
        reason=about.reason,
        shown=about.group.label if about.group else "",
        error=about.error,
    )
    shown = reveal(page, about.group) if about.group else page
    needed = panel.offers or panel.shown or panel.error
    return render(
        request,
        template,
        {"page": shown, "unmask": panel if needed else None, **context},
        status=422 if about.error else 200,
    )


# --- what left, and what was looked at ------------------------------------------------------------
KINDS: Final[dict[str, tuple[Any, list[str]]]] = {
    "": (gettext_lazy("全部"), [export_limits.EXPORT, AUDIT_EXPORT, disclosure.UNMASK]),
    "export": (gettext_lazy("导出"), [export_limits.EXPORT, AUDIT_EXPORT]),
    "unmask": (gettext_lazy("查看未遮盖的个人信息"), [disclosure.UNMASK]),
}
WORDS: Final[dict[str, Any]] = {**dict(UnmaskReason.choices), **dict(ExportReason.choices)}

EXTRA.append((Group.SYSTEM, "disclosure_list", gettext_lazy("导出与查看记录"), "file-down"))


class KindFilter(forms.Form):
    """Exports, or looking at what is masked."""

    kind = forms.ChoiceField(
        label=gettext_lazy("操作"),
        required=False,
        choices=[(key, words) for key, (words, _a) in KINDS.items()],
    )


@require_safe
def disclosure_list(request: Any) -> HttpResponse:
    """Every export and every look at personal data in full, newest first, for the security administrator."""
    form = KindFilter(request.GET or None)
    kind = form.cleaned_data["kind"] if form.is_bound and form.is_valid() else ""
    entries = AuditEntry.objects.filter(action__in=KINDS[kind][1]).order_by("-at", "-pk")
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    listing = ListPage(
        title=_("导出与查看记录"),
        intro=_("列出全部列表导出和对遮盖的个人信息的查看；导出的个人信息始终遮盖。"),
        columns=[
            Column("at", _("时间")), Column("actor", _("人员")), Column("role", _("角色")),
            Column("action", _("操作")), Column("what", _("内容")), Column("rows", _("记录数"), "end"),
            Column("reason", _("理由")), Column("outcome", _("结果")),
        ],
        rows=[_row(entry) for entry in page.object_list],
        total=page.paginator.count,
        empty=Empty(_("暂无记录")),
        crumbs=[Link(_("首页"), reverse("home"))],
        filter_form=form,
        filtered=bool(kind),
        page=page,
    )  # fmt: skip
    return render(request, "pages/list.html", {"page": listing})


def _row(entry: AuditEntry) -> Row:
    detail, done = entry.detail, entry.outcome == AuditEntry.Outcome.DONE
    name = mask_name(entry.actor)
    return Row("", [
        entry.at,
        Link(name, reverse("person_detail", args=[entry.person_id])) if entry.person_id else name,
        str(Role(entry.role).label) if entry.role in Role.values else entry.role,
        action_words(entry.action),
        _what(entry),
        detail.get("rows"),
        str(WORDS.get(detail.get("reason", ""), detail.get("reason", ""))),
        Tag(entry.get_outcome_display(), "success" if done else "danger"),
    ])  # fmt: skip


def _what(entry: AuditEntry) -> str:
    """The list that was exported, or the group and the object that was looked at."""
    if (group := entry.detail.get("group", "")) in DataGroup.values:
        return f"{DataGroup(group).label} · {object_words(entry.object_type)} {entry.object_id}"
    machine = entry.detail.get("machine") or entry.object_id or entry.object_type
    return object_words(machine)
