"""People and roles, for the administrators: list, account, invite, disable, reopen, unlock, end sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from pilot import policy
from pilot.context import EXTRA
from pilot.enums import Role
from pilot.errors import PilotError, Refused
from pilot.forms import ActForm, OrganisationField, ReasonForm, refuse
from pilot.masking import account, mask_email, mask_name, mask_phone
from pilot.models import Person, RoleChange
from pilot.registry import Group
from pilot.selectors import directory
from pilot.selectors.directory import Standing
from pilot.services import accounts
from pilot.ui import ActPage, Column, Empty, Fact, Link, ListPage, PlainPage, Row, Section, Tag
from pilot.views import disclosure
from pilot.workflow import state_label

PAGE: Final = 20
TONES: Final[dict[Standing, Any]] = {
    Standing.ACTIVE: "success",
    Standing.INVITED: "info",
    Standing.LOCKED: "warning",
    Standing.DISABLED: "muted",
}
ROLES: Final = [choice for choice in Role.choices if choice[0] != Role.SYSTEM]

EXTRA.append((Group.SYSTEM, "person_list", gettext_lazy("人员与角色"), "users"))


class PeopleFilter(forms.Form):
    """What may be asked of the list."""

    q = forms.CharField(label=gettext_lazy("姓名或登录名"), required=False, max_length=64)
    state = forms.ChoiceField(
        label=gettext_lazy("状态"), required=False, choices=[("", gettext_lazy("全部")), *Standing.choices]
    )
    role = forms.ChoiceField(
        label=gettext_lazy("角色"), required=False, choices=[("", gettext_lazy("全部")), *ROLES]
    )
    office = forms.CharField(label=gettext_lazy("单位"), required=False, max_length=255)


class InviteForm(ActForm):
    """Who is invited, in which first role, and why."""

    name = forms.CharField(label=gettext_lazy("姓名"), max_length=64)
    username = forms.RegexField(
        label=gettext_lazy("登录名"),
        regex=r"^[A-Za-z0-9._-]{3,64}$",
        help_text=gettext_lazy("3 至 64 个字母、数字或 . _ -，不区分大小写"),
    )
    email = forms.EmailField(label=gettext_lazy("邮箱"), help_text=gettext_lazy("开通账号的链接发送到此邮箱"))
    organisation = OrganisationField(label=gettext_lazy("单位"))
    role = forms.ChoiceField(label=gettext_lazy("角色"), choices=ROLES)
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )


def _crumbs(*more: Link) -> list[Link]:
    return [Link(_("首页"), reverse("home")), Link(_("人员与角色"), reverse("person_list")), *more]


@require_safe
def person_list(request: Any) -> HttpResponse:
    """Everybody with a login: first who cannot sign in yet or for now, then by name."""
    form = PeopleFilter(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = directory.everybody(
        text=wanted.get("q", ""),
        standing=wanted.get("state", ""),
        role=wanted.get("role", ""),
        office=wanted.get("office", ""),
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    people = list(page.object_list)
    locked = directory.locked_among(people)
    listing = ListPage(
        title=_("人员与角色"),
        columns=[
            Column("username", _("登录名")),
            Column("name", _("姓名")),
            Column("roles", _("角色")),
            Column("state", _("状态")),
            Column("second", _("多因素认证")),
            Column("last", _("最近登录")),
        ],
        rows=[_row(person, locked) for person in people],
        total=page.paginator.count,
        empty=Empty(_("没有符合条件的人员")),
        crumbs=_crumbs()[:1],
        filter_form=form,
        filtered=any(wanted.values()),
        page=page,
        toolbar=[Link(_("邀请人员"), reverse("person_invite"), "user-plus")]
        if policy.may_open("person_invite", request.actor.role)
        else [],
    )
    return render(request, "pages/list.html", {"page": listing})


def _row(person: Any, locked: set[str]) -> Row:
    return Row(
        reverse("person_detail", args=[person.pk]),
        [
            person.username,
            account(person.name),
            [f"{m.organisation.name} · {m.get_role_display()}" for m in person.open_roles],
            _tag(person, locked),
            Tag(_("已启用"), "success") if person.has_second else Tag(_("未启用"), "muted"),
            person.last_login,
        ],
    )


def _tag(person: Person, locked: set[str]) -> Tag:
    standing = directory.standing_of(person, locked=locked)
    return Tag(str(standing.label), TONES[standing])


@require_http_methods(["GET", "HEAD", "POST"])
def person_detail(request: Any, pk: int) -> HttpResponse:
    """One account: state, roles, changes asked for, and what this administrator can do. A post unmasks (C12)."""
    person: Any = get_object_or_404(directory.everybody(), pk=pk)
    asked = disclosure.asked(request, person)
    locked = directory.locked_among([person])
    standing = directory.standing_of(person, locked=locked)
    sessions = UserSession.objects.filter(user=person).count()
    changes = RoleChange.objects.visible_to(request.actor).filter(person=person).order_by("-pk")[:20]
    page = PlainPage(
        title=mask_name(person.name),
        crumbs=_crumbs(),
        toolbar=_toolbar(request, person, standing, sessions),
        sections=[
            Section(
                _("账号"),
                facts=[
                    Fact(_("登录名"), person.username),
                    Fact(_("姓名"), account(person.name)),
                    Fact(_("邮箱"), account(person.email, mask_email)),
                    Fact(_("电话"), account(person.phone, mask_phone)),
                    Fact(_("状态"), _tag(person, locked)),
                    Fact(_("多因素认证"), _("已启用") if person.has_second else _("未启用")),
                    Fact(_("最近登录"), person.last_login),
                    Fact(_("登录会话"), sessions),
                ],
            ),
            Section(
                _("角色"),
                columns=[
                    Column("organisation", _("单位")), Column("role", _("角色")), Column("from", _("开始时间")),
                ],
                rows=[
                    Row("", [m.organisation.name, str(m.get_role_display()), m.valid_from])
                    for m in person.open_roles
                ],
                empty=_("没有角色"),
            ),
            Section(
                _("角色变更"),
                columns=[
                    Column("what", _("操作")), Column("role", _("角色")), Column("state", _("状态")),
                    Column("at", _("状态时间")),
                ],
                rows=[
                    Row(
                        reverse("role-change_detail", args=[change.pk]),
                        [str(change.what), str(change.get_role_display()),
                         state_label(RoleChange, change.state), change.state_since],
                    )
                    for change in changes
                ],
                empty=_("暂无角色变更"),
            ),
        ],
    )  # fmt: skip
    return disclosure.answer(request, "pages/plain.html", page, asked)


def _toolbar(request: Any, person: Person, standing: Standing, sessions: int) -> list[Link]:
    """What can be done to this account in its state, as far as this role may."""
    off = standing == Standing.DISABLED
    offers = [
        (not off, "role-change_create", _("变更角色"), "user-cog"),
        (standing == Standing.INVITED, "person_invite_again", _("重发邀请"), "mail"),
        (standing == Standing.LOCKED, "person_unlock", _("解除锁定"), "lock-open"),
        (not off and sessions > 0, "person_sessions", _("强制下线"), "log-out"),
        (not off, "person_disable", _("停用账号"), "user-x"),
        (off, "person_reopen", _("申请恢复账号"), "user-check"),
        (True, "audit_list", _("审计记录"), "scroll-text"),
    ]
    return [
        Link(
            label,
            f"{reverse(name)}?{urlencode({'person': person.username})}"
            if name in {"role-change_create", "audit_list"}
            else reverse(name, args=[person.pk]),
            icon,
            danger=name == "person_disable",
        )
        for open_now, name, label, icon in offers
        if open_now and policy.may_open(name, request.actor.role)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def person_invite(request: Any) -> HttpResponse:
    """Ask for a new person with a first role."""
    form = InviteForm(request.POST or None, actor=request.actor, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        try:
            change = accounts.invite(actor=request.actor, **form.cleaned_data)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已提交：%(what)s") % {"what": _("邀请人员")})
            return redirect("person_detail", change.person_id)
    return _act(
        request,
        form,
        title=_("邀请人员"),
        subject=_("新账号"),
        effect=_("另一名管理员批准后，开通账号的链接发送到其邮箱，72 小时内有效"),
        back=reverse("person_list"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def person_invite_again(request: Any, pk: int) -> HttpResponse:
    """Send the invitation once more."""
    effect = _("发送新的链接，之前的链接失效")
    return _do(request, pk, title=_("重发邀请"), effect=effect, service=accounts.invite_again)


@require_http_methods(["GET", "HEAD", "POST"])
def person_disable(request: Any, pk: int) -> HttpResponse:
    """Switch an account off at once."""
    effect = _("账号立即不能使用，所有会话退出；恢复须由两名管理员办理")
    return _do(
        request,
        pk,
        title=_("停用账号"),
        effect=effect,
        service=accounts.disable,
        form=ReasonForm,
        danger=True,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def person_reopen(request: Any, pk: int) -> HttpResponse:
    """Ask for a disabled account to be opened again."""
    effect = _("另一名管理员批准后恢复；原密码和多因素认证作废，链接发送到其邮箱")
    return _do(
        request,
        pk,
        title=_("申请恢复账号"),
        effect=effect,
        service=accounts.request_reopening,
        form=ReasonForm,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def person_unlock(request: Any, pk: int) -> HttpResponse:
    """Let a person try to sign in again before the lock ends by itself."""
    effect = _("清除密码输错的次数，可以立即登录")
    return _do(request, pk, title=_("解除锁定"), effect=effect, service=accounts.unlock)


@require_http_methods(["GET", "HEAD", "POST"])
def person_sessions(request: Any, pk: int) -> HttpResponse:
    """End all sessions of a person."""
    effect = _("该账号的全部登录会话立即结束，须重新登录")
    return _do(request, pk, title=_("强制下线"), effect=effect, service=accounts.end_sessions_of, danger=True)


def _do(
    request: Any, pk: int, *, title: str, effect: str, service: Callable[..., Any],
    form: type[ActForm] = ActForm, danger: bool = False,
) -> HttpResponse:  # fmt: skip
    """Something done to one account: shown first, done by POST."""
    person = get_object_or_404(Person, pk=pk)
    bound = form(request.POST if request.method == "POST" else None, actor=request.actor)
    back = reverse("person_detail", args=[pk])
    if request.method == "POST" and bound.is_valid():
        try:
            service(actor=request.actor, person=person, **bound.cleaned_data)
        except Refused as refusal:
            refuse(bound, refusal)
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": title})
            return redirect(back)
    subject = f"{mask_name(person.name)}（{person.username}）"
    return _act(
        request, bound, title=title, subject=subject, effect=effect, back=back, danger=danger,
        crumbs=[Link(mask_name(person.name), back)],
    )  # fmt: skip


def _act(
    request: Any, form: Any, *, title: str, subject: str, effect: str, back: str,
    danger: bool = False, crumbs: Any = (),
) -> HttpResponse:  # fmt: skip
    page = ActPage(
        title=title,
        subject=subject,
        effect=effect,
        back=back,
        form=form,
        danger=danger,
        crumbs=_crumbs(*crumbs),
    )
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "pages/act.html", {"page": page}, status=status)
