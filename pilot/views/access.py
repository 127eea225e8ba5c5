"""A person's own account: the link by which a password is set, a forgotten password, the own page, own sessions."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pilot import browsers, clock, passwords
from pilot.accounts import SecondFactorForm
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.middleware import client_address
from pilot.models import AccessLink, Person
from pilot.services import accounts
from pilot.ui import Column, Fact, Link, PlainPage, Row, Section, Tag


class ForgottenForm(forms.Form):
    """Whose password is forgotten."""

    username = forms.CharField(
        label=gettext_lazy("登录名"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )


class NewPasswordForm(forms.Form):
    """A new password, twice; and the second factor where the account has one."""

    password = forms.CharField(
        label=gettext_lazy("新密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("再次输入新密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    code = forms.CharField(
        label=gettext_lazy("动态口令或恢复码"),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["password"].help_text = " ".join(password_validators_help_texts())
        if not is_mfa_enabled(person):
            del self.fields["code"]

    def clean_password(self) -> str:
        """Good enough for the policy."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.person)
        return password

    def clean_again(self) -> str:
        """The same once more."""
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("password") not in {None, again}:
            raise forms.ValidationError(_("两次输入的密码不一致"))
        return again

    def clean(self) -> dict[str, Any]:
        """Only when all else is right is the code asked, for it is good for one time."""
        data = super().clean() or self.cleaned_data
        if "code" in self.fields and not self.errors:
            second = SecondFactorForm(user=self.person, data={"code": data["code"]})
            if not second.is_valid():
                self.add_error("code", list(second.errors["code"]))
        return data


@require_http_methods(["GET", "HEAD", "POST"])
def password_forgotten(request: Any) -> HttpResponse:
    """Ask for a link; the answer is the same whether or not there is such an account."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        accounts.request_reset(actor=_nobody(request), username=form.cleaned_data["username"])
        return render(request, "account/forgotten.html", {"asked": True})
    return render(request, "account/forgotten.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def access_link(request: Any, secret: str) -> HttpResponse:
    """Set the password by a link that came by mail."""
    link = accounts.find_link(secret)
    if link is None:
        return render(request, "account/link_ended.html", status=404)
    form = NewPasswordForm(request.POST or None, person=link.person)
    if request.method == "POST" and form.is_valid():
        actor = Actor(
            role="", person_id=link.person_id, name=link.person.name, address=client_address(request)
        )
        try:
            accounts.use_link(actor=actor, secret=secret, password=form.cleaned_data["password"])
        except Refused:  # the same link at the same moment
            return render(request, "account/link_ended.html", status=404)
        messages.success(request, _("密码已设置，请登录"))
        return redirect("account_login")
    context = {
        "form": form,
        "username": link.person.username,
        "invitation": link.purpose == AccessLink.Purpose.INVITATION,
    }
    return render(request, "account/new_password.html", context, status=422 if form.errors else 200)


def _nobody(request: HttpRequest) -> Actor:
    return Actor(role="", name="anonymous", address=client_address(request))


@require_safe
def my_account(request: Any) -> HttpResponse:
    """Who I am here, how I sign in, where I am signed in."""
    person: Person = request.user
    kinds = Authenticator.objects.filter(user=person).values_list("type", flat=True)
    page = PlainPage(
        title=_("我的账号"),
        crumbs=[Link(_("首页"), reverse("home"))],
        sections=[
            Section(
                _("账号"),
                facts=[
                    Fact(_("姓名"), person.name),
                    Fact(_("登录名"), person.username),
                    Fact(_("邮箱"), person.email),
                    Fact(
                        _("角色"),
                        [f"{m.organisation} · {m.get_role_display()}" for m in request.memberships],
                    ),
                ],
            ),
            Section(
                _("登录方式"),
                facts=[
                    Fact(
                        _("密码"),
                        Link(_("修改密码"), reverse("account_change_password")),
                        _password_age(person),
                    ),
                    Fact(_("多因素认证"), Link(_("管理"), reverse("mfa_index")), _factors(set(kinds))),
                ],
            ),
            _sessions(request),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


def _password_age(person: Person) -> str:
    if settings.PILOT_PASSWORD_POLICY != passwords.MLPS:
        return ""
    due = person.password_set_at + passwords.LONGEST_AGE
    return clock.real_label(_("请于 %(day)s 前更换") % {"day": f"{due:%Y-%m-%d}"})


def _factors(kinds: set[str]) -> str:
    names = {
        Authenticator.Type.TOTP: _("动态口令"),
        Authenticator.Type.WEBAUTHN: _("安全密钥"),
        Authenticator.Type.RECOVERY_CODES: _("恢复码"),
    }
    return _("、").join(name for kind, name in names.items() if kind in kinds) or _("未启用")


def _sessions(request: Any) -> Section:
    own = UserSession.objects.purge_and_list(request.user)
    current = request.session.session_key
    return Section(
        _("登录会话"),
        columns=[
            Column("at", clock.real_label(_("登录时间"))),
            Column("ip", _("网络地址")),
            Column("browser", _("浏览器")),
            Column("state", _("说明")),
        ],
        rows=[
            Row(
                "",
                [
                    one.created_at,
                    one.ip,
                    browsers.folded(one.user_agent),
                    Tag(_("当前会话"), "info")
                    if one.session_key == current
                    else Link(_("管理"), reverse("usersessions_list")),
                ],
            )
            for one in own
        ],
        empty=_("没有登录会话"),
    )


@require_POST
def session_end(request: Any, pk: int) -> HttpResponse:
    """End one of the own sessions; the next request of that browser is refused."""
    if not accounts.end_own_session(actor=request.actor, person=request.user, session_id=pk):
        raise Http404
    messages.success(request, _("会话已退出"))
    return redirect("usersessions_list")
