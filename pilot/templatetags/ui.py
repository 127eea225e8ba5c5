"""Template tags and filters of the UI kit (builtins of the template engine).

They turn the values of ``pilot.ui`` into markup; what to show is decided where these values are built.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, ModelChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from pilot import browsers, clock, masking, rules, shortcuts, tiles
from pilot import help as texts
from pilot import preferences as choices
from pilot.ui import (
    PAGE_SIZES,
    ActionItem,
    Fact,
    Link,
    ListPage,
    Place,
    Tag,
    TimelineEntry,
)
from pilot.views import signing

register = template.Library()

SHOWN_FILTERS = 3

register.filter("browser", browsers.folded)
register.filter("last_moment", rules.last_moment)
register.filter("leading_tiles", tiles.leading)
register.filter("idle_tiles", tiles.idle)
register.filter("mask_name", masking.mask_name)
register.filter("mask_phone", masking.mask_phone)
register.filter("mask_cert", masking.mask_cert)
register.filter("mask_email", masking.mask_email)


@register.filter
def grouped(number: int) -> str:
    """A count with its thousands set apart, as in tables: ``10,000`` (C10)."""
    return f"{number:,}"


@register.filter
def unbroken(title: str) -> SafeString:
    """A title that breaks between its parts (``甲公司 · 6 月``) before it breaks inside one."""
    parts = str(title).split(" · ")
    if len(parts) == 1:
        return conditional_escape(title)
    return format_html_join(" · ", '<span class="whole">{}</span>', ((part,) for part in parts))


@register.inclusion_tag("components/page_head.html", takes_context=True)
def page_head(
    context: template.Context,
    title: str,
    *,
    kind: str = "",
    state: Tag | None = None,
    number: str = "",
    copy: bool = False,
    note: str = "",
    as_of: datetime | None = None,
    due: datetime | None = None,
    due_mark: Tag | None = None,
    place: Place | None = None,
    links: Sequence[Link] = (),
    tools: bool = False,
    keys: bool = False,
) -> dict[str, Any]:
    """The head of a page: kind of case, title, state, number (``copy``: with a button), a line beside them, and links.

    ``tools`` adds what serves a page that is read: the offer to look at masked data, and printing. A desk adds when
    it is ``due``, its ``place`` among the cases that are worked through, and its ``keys`` (``keys_dialog``).
    """
    return {
        "title": title,
        "kind": kind,
        "state": state,
        "number": number,
        "copy": copy,
        "note": note,
        "as_of": as_of,
        "due": due,
        "due_mark": due_mark,
        "place": place,
        "links": links,
        "tools": tools,
        "keys": keys,
        "unmask": context.get("unmask"),
    }


ACCOUNT_PAGES = {
    "account_change_password": gettext_lazy("修改密码"),
    "account_set_password": gettext_lazy("设置密码"),
    "account_logout": gettext_lazy("退出登录"),
    "account_inactive": gettext_lazy("账号已停用"),
    "account_reauthenticate": gettext_lazy("确认身份"),
    "mfa_reauthenticate": gettext_lazy("确认身份"),
    "mfa_reauthenticate_webauthn": gettext_lazy("确认身份"),
    "mfa_index": gettext_lazy("多因素认证"),
    "mfa_activate_totp": gettext_lazy("启用动态口令"),
    "mfa_deactivate_totp": gettext_lazy("停用动态口令"),
    "mfa_view_recovery_codes": gettext_lazy("恢复码"),
    "mfa_generate_recovery_codes": gettext_lazy("生成恢复码"),
    "mfa_list_webauthn": gettext_lazy("安全密钥"),
    "mfa_add_webauthn": gettext_lazy("添加安全密钥"),
    "mfa_edit_webauthn": gettext_lazy("修改安全密钥名称"),
    "mfa_remove_webauthn": gettext_lazy("移除安全密钥"),
    "usersessions_list": gettext_lazy("登录会话"),
}


def _url_name(context: Mapping[str, Any]) -> str:
    match = context["request"].resolver_match
    return match.url_name or "" if match else ""


@register.simple_tag(takes_context=True)
def account_crumbs(context: Mapping[str, Any]) -> list[Link]:
    """Where a page about one's own account hangs."""
    crumbs = [Link(_("首页"), reverse("home")), Link(_("我的账号"), reverse("my_account"))]
    name = _url_name(context)
    if name.startswith("mfa_") and "reauthenticate" not in name and name != "mfa_index":
        crumbs.append(Link(_("多因素认证"), reverse("mfa_index")))
    return crumbs


@register.simple_tag
def real_time(label: str) -> str:
    """The label of a time by the real clock, marked as that where business time is simulated."""
    return clock.real_label(label)


@register.simple_tag(takes_context=True)
def account_title(context: Mapping[str, Any]) -> str:
    """What a page about one's own account is called; empty for other pages of the library."""
    return str(ACCOUNT_PAGES.get(_url_name(context), ""))


@register.inclusion_tag("components/keys_dialog.html")
def keys_dialog(desk: str, *, choosing: bool = True) -> dict[str, Any]:
    """The dialog that lists the shortcuts of a desk; ``choosing``: whether there are verdicts to choose."""
    return {"desk": desk, "shortcuts": shortcuts.of_desk(desk, choosing=choosing)}


@register.inclusion_tag("components/facts.html")
def facts(facts: Sequence[Fact]) -> dict[str, Any]:
    """A description list."""
    return {"facts": facts}


@register.simple_tag(takes_context=True)
def to_be_signed(context: Mapping[str, Any]) -> Sequence[Fact]:
    """What is signed once the reader has said again who it is."""
    return signing.to_be_signed(context["request"])


@register.inclusion_tag("components/actions.html")
def actions(actions: Sequence[ActionItem]) -> dict[str, Any]:
    """What the reader may do now as buttons, and what not yet with the reason in words."""
    return {
        "allowed": [action for action in actions if action.allowed],
        "barred": [action for action in actions if not action.allowed],
    }


@register.inclusion_tag("components/timeline.html")
def timeline(entries: Sequence[TimelineEntry]) -> dict[str, Any]:
    """The steps of a case in the given order (the view gives the newest first)."""
    return {"entries": entries}


@register.inclusion_tag("components/field.html")
def field(bound_field: BoundField) -> dict[str, Any]:
    """A form field: label, help, errors, control, tied together for readers of any kind."""
    return {"field": bound_field}


def _anchor(bound_field: BoundField) -> str:
    """The id of the control that takes the focus: of a group of controls the first one."""
    return f"{bound_field.auto_id}_0" if bound_field.use_fieldset else bound_field.id_for_label


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm, *, heading: str = "", still: bool = False) -> dict[str, Any]:
    """Every error of a submitted form on top of it, in the words of the field and with a link to it.

    It takes the focus, but for a ``still`` one: a sample on a page about something else.
    """
    found: list[dict[str, Any]] = []
    for name, errors in form.errors.items():
        visible = name != NON_FIELD_ERRORS and not form[name].is_hidden
        target = {"anchor": _anchor(form[name]), "label": form[name].label} if visible else {}
        found += [{**target, "message": error} for error in errors]
    return {"errors": found, "heading": heading, "still": still}


@register.inclusion_tag("components/filter_bar.html", takes_context=True)
def filter_bar(context: template.Context, page: ListPage) -> dict[str, Any]:
    """The filter form of a list: three fields in sight, the rest folded, and what is set as chips (C03).

    What a form has as its initial value is no choice of the reader: no chip offers to take it away.
    On a phone all fields are folded, below a ``head`` that tells how many are set.
    """
    form: BaseForm = page.filter_form
    fields = form.visible_fields()
    request: HttpRequest = context["request"]
    chips = [
        {"label": bound_field.label, "value": value, "query": _without(request, bound_field.html_name)}
        for bound_field in form
        if form.is_bound and bound_field.data != bound_field.initial and (value := _shown_value(bound_field))
    ]
    return {
        "form": form,
        "head": _("筛选（%(n)s 项）") % {"n": len(chips)} if chips else _("筛选"),
        "shown": fields[:SHOWN_FILTERS],
        "folded": fields[SHOWN_FILTERS:],
        "opened": bool(form.errors),  # what a field objects to stands in sight
        "unfolded": any(bound_field.data for bound_field in fields[SHOWN_FILTERS:]),
        "chips": chips,
        "request": request,
    }


def _without(request: HttpRequest, name: str) -> str:
    """The query of the present address without one filter and back on the first page."""
    query = request.GET.copy()
    query.pop(name, None)
    query.pop("page", None)
    return f"?{query.urlencode()}"


def _shown_value(bound_field: BoundField) -> str:
    """What a filter is set to, in the words of its choices."""
    values = bound_field.data
    if not values:
        return ""
    if isinstance(bound_field.field, ModelChoiceField):
        return str(bound_field.form.cleaned_data.get(bound_field.name) or "")
    labels: Mapping[str, Any] = {
        str(key): label
        for key, label in getattr(
            bound_field.field, "choices", getattr(bound_field.field.widget, "choices", ())
        )
        if key not in (None, "")
    }
    return _("、").join(
        str(labels.get(value, value)) for value in (values if isinstance(values, list) else [values])
    )


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: ListPage, *, told: bool = False) -> dict[str, Any]:
    """How many there are, the pages, the page size and a jump; every choice stands in the address (C05).

    ``told``: how many there are stands above the list already, so that below a single page it is not said again.
    """
    request: HttpRequest = context["request"]
    current: Page[Any] | None = page.page
    several = current is not None and current.paginator.num_pages > 1
    return {
        "total": page.total,
        "counted": several or not told,
        "current": current,
        "numbers": list(current.paginator.get_elided_page_range(current.number, on_each_side=2))
        if current and several
        else (),
        "sizes": PAGE_SIZES if current and page.total > PAGE_SIZES[0] else (),
        "carried": [(k, v) for k, values in request.GET.lists() if k != "page" for v in values],
        "request": request,
    }


STATUS = {"csrf": "403", "locked": "429"}  # pages of special cases → what is answered


@register.simple_tag
def problem_heading(name: str) -> str:
    """What a refusal or failure is called."""
    return str(texts.problems()[name].heading)


@register.inclusion_tag("components/problem.html", takes_context=True)
def problem(context: template.Context, name: str) -> dict[str, Any]:
    """A refusal or failure: what happened, what became of the work, what to do; below Chinese words also in English."""
    words = texts.problems()[name]
    english = None if (get_language() or "").startswith("en") else words
    return {
        "code": STATUS.get(name, name),
        "words": words,
        "english": english
        and {part: getattr(words, part).en for part in ("heading", "text", "work", "todo")},
        "reason": context.get("reason", ""),
        "request": context.get("request"),
    }


@register.simple_tag(takes_context=True)
def preferences(context: template.Context) -> str:
    """Class names of the reader's display choices (folded menu, dense rows, large text, high contrast)."""
    return " ".join(choices.of_request(context.get("request")))
