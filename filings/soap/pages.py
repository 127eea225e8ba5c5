"""A unit's V3.0 service in the browser: switched on and off, bound to addresses and hours, its secret shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from filings.models import V3Access
from filings.selectors import v3 as selector
from filings.services import v3_access
from filings.services.v3_callers import user_name
from filings.v3.codes import MsgCode
from filings.v3.package import Secret
from pilot.context import EXTRA
from pilot.errors import PilotError
from pilot.forms import ActForm, ReauthenticatedForm, refuse
from pilot.models import AuditEntry, PilotUnit
from pilot.registry import Group
from pilot.ui import ActPage, Column, Fact, Link, PlainPage, Row, Section, Tag, Tone

EXTRA.append((Group.RUN, "v3_access", gettext_lazy("V3.0 接口"), "plug"))
ACTING = require_http_methods(["GET", "HEAD", "POST"])


class SettingsForm(ActForm):
    """From where and when calls are taken."""

    networks = forms.CharField(
        label=gettext_lazy("允许的 IP 地址或网段"),
        help_text=gettext_lazy("每行一个；不填则不限制"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )
    hours_from = forms.TimeField(
        label=gettext_lazy("每日开始时刻"),
        help_text=gettext_lazy("格式 08:00，北京时间；开始和结束都不填则不限制"),
        required=False,
    )
    hours_until = forms.TimeField(
        label=gettext_lazy("每日结束时刻"),
        help_text=gettext_lazy("到此刻为止，不含此刻；早于开始时刻的，算到次日"),
        required=False,
    )


class PasswordForm(ReauthenticatedForm):
    """The person's password once more, and nothing else."""

    reason = None  # type: ignore[assignment]


@require_safe
def overview(request: Any) -> HttpResponse:
    """Whether the service is on, how it is called, where the sequence stands, and the last calls."""
    unit = selector.own_unit(request.actor)
    access = selector.access_of(unit) if unit is not None else None
    if unit is None:
        sections = [
            Section(_("本单位的接口"), columns=_call_columns(), empty=_("列入试点单位名录后可以启用"))
        ]
    elif access is None:
        sections = [Section(_("本单位的接口"), facts=[Fact(_("状态"), Tag(_("未启用"), "muted"))])]
    else:
        # nosemgrep: address-of-the-host-header  (shown to the asker only; ALLOWED_HOSTS holds)
        address = request.build_absolute_uri(reverse("v3_service"))
        sections = [_connection(access, address), _progress(access), _calls(access)]
    page = PlainPage(
        title=_("V3.0 接口"),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=_("已对接全国备案系统企业接口（V3.0）的系统，可以不作改动向本平台上报。"),
        sections=sections,
        toolbar=_toolbar(access) if unit is not None else [],
    )
    return render(request, "pages/plain.html", {"page": page})


def _toolbar(access: V3Access | None) -> list[Link]:
    if access is None:
        return [Link(_("启用 V3.0 接口"), reverse("v3_access_on"), "power")]
    switch = (
        Link(_("停用 V3.0 接口"), reverse("v3_access_off"), "power-off")
        if access.enabled
        else Link(_("启用 V3.0 接口"), reverse("v3_access_on"), "power")
    )
    return [
        Link(_("查看密码和密钥"), reverse("v3_access_secret"), "eye"),
        Link(_("更换密码和密钥"), reverse("v3_access_rotate"), "refresh-cw"),
        Link(_("地址和时段"), reverse("v3_access_settings"), "settings"),
        switch,
    ]


def _connection(access: V3Access, address: str) -> Section:
    state = Tag(_("已启用"), "success") if access.enabled else Tag(_("未启用"), "muted")
    hours = _("不限")
    if access.hours_from and access.hours_until:
        hours = f"{access.hours_from:%H:%M}–{access.hours_until:%H:%M}"
    return Section(
        _("本单位的接口"),
        facts=[
            Fact(_("状态"), state),
            Fact(_("服务地址"), address, _("服务描述见该地址后加 ?wsdl")),
            Fact("ispId", str(access.unit.national_id)),
            Fact("userName", user_name(access)),
            Fact(_("密码和密钥"), access.secret_at, _("生成时间；凭登录密码可以再次查看")),
            Fact(_("允许的 IP"), access.networks or _("不限")),
            Fact(_("允许的时段"), hours),
        ],
    )


def _progress(access: V3Access) -> Section:
    last = access.last_sequence
    return Section(
        _("上报进度"),
        facts=[
            Fact(_("最后受理的序号"), last, _("尚未受理文件") if not last else ""),
            Fact(_("下一个序号"), last + 1),
            Fact(_("等待处理的文件"), selector.files_waiting(access.unit)),
            Fact(_("等待取走的结果"), selector.results_waiting(access.unit).count()),
        ],
    )


def _call_columns() -> list[Column]:
    return [
        Column("at", _("时间")),
        Column("operation", _("调用")),
        Column("sequence", _("序号"), "end"),
        Column("code", _("返回")),
        Column("address", _("来源地址")),
    ]


def _calls(access: V3Access) -> Section:
    return Section(
        _("最近的调用"),
        columns=_call_columns(),
        rows=[_call_row(entry) for entry in selector.last_calls(access)],
        empty=_("近 30 天没有调用"),
    )


def _call_row(entry: AuditEntry) -> Row:
    code = MsgCode(entry.detail["code"])
    tone: Tone = "success" if entry.outcome == AuditEntry.Outcome.DONE else "warning"
    return Row(
        "",
        [
            entry.at,
            entry.action.removeprefix("v3."),
            entry.detail.get("sequence"),
            Tag(f"{code.value} {code.label}", tone),
            entry.address,
        ],
    )


# --- acts -------------------------------------------------------------------------------------------
def _act(
    request: Any,
    *,
    form: ActForm,
    title: str,
    effect: str,
    act: Callable[[PilotUnit], HttpResponse],
    danger: bool = False,
    label: str = "",
) -> HttpResponse:
    """One act on the unit's access: its page, or what came of it."""
    unit = selector.own_unit(request.actor)
    if unit is None:
        raise Http404
    if request.method == "POST" and form.is_valid():
        try:
            return act(unit)
        except PilotError as refusal:
            refuse(form, refusal)
    page = ActPage(
        title=title,
        subject=unit.organisation.name,
        effect=effect,
        back=reverse("v3_access"),
        form=form,
        crumbs=_crumbs(),
        danger=danger,
        submit_label=label,
    )
    return render(request, "pages/act.html", {"page": page}, status=422 if form.errors else 200)


def _sent(request: Any) -> Any:
    """What was posted, even if there was nothing to fill in."""
    return request.POST if request.method == "POST" else None


def _crumbs() -> list[Link]:
    return [Link(_("首页"), reverse("home")), Link(_("V3.0 接口"), reverse("v3_access"))]


def _back(request: Any, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("v3_access")


@ACTING
def switch_on(request: Any) -> HttpResponse:
    """Open the service for the unit."""

    def act(unit: PilotUnit) -> HttpResponse:
        v3_access.switch_on(actor=request.actor, unit=unit)
        return _back(request, _("V3.0 接口已启用"))

    return _act(
        request,
        form=ActForm(_sent(request), actor=request.actor),
        title=_("启用 V3.0 接口"),
        effect=_("系统按全国备案系统企业接口接收本单位上报；密码和密钥由平台生成，与接口密钥无关"),
        act=act,
    )


@ACTING
def switch_off(request: Any) -> HttpResponse:
    """Close the service for the unit."""

    def act(unit: PilotUnit) -> HttpResponse:
        v3_access.switch_off(actor=request.actor, unit=unit)
        return _back(request, _("V3.0 接口已停用"))

    return _act(
        request,
        form=ActForm(_sent(request), actor=request.actor),
        title=_("停用 V3.0 接口"),
        effect=_("本单位系统的调用立即被拒绝；序号、结果和密码保留，可以重新启用"),
        act=act,
        danger=True,
    )


@ACTING
def configure(request: Any) -> HttpResponse:
    """Say from where and when calls are taken."""
    unit = selector.own_unit(request.actor)
    access = selector.access_of(unit) if unit is not None else None
    initial = {}
    if access is not None:
        initial = {
            "networks": "\n".join(access.networks),
            "hours_from": access.hours_from,
            "hours_until": access.hours_until,
        }
    form = SettingsForm(_sent(request), actor=request.actor, initial=initial)

    def act(unit: PilotUnit) -> HttpResponse:
        data = form.cleaned_data
        chosen = data | {"networks": data["networks"].split()}
        v3_access.configure(actor=request.actor, unit=unit, **chosen)
        return _back(request, _("地址和时段已保存"))

    return _act(
        request,
        form=form,
        title=_("地址和时段"),
        effect=_("不在所列地址或时段内的调用被拒绝"),
        act=act,
        label=_("保存"),
    )


@ACTING
def secret(request: Any) -> HttpResponse:
    """Show the secret again, to whoever proves to be the administrator."""
    return _act(
        request,
        form=PasswordForm(_sent(request), actor=request.actor),
        title=_("查看密码和密钥"),
        effect=_("在下一页显示密码和密钥；查看记入审计日志"),
        act=lambda unit: _shown(request, v3_access.reveal(actor=request.actor, unit=unit)),
    )


@ACTING
def rotate(request: Any) -> HttpResponse:
    """Make a new secret and show it."""
    return _act(
        request,
        form=PasswordForm(_sent(request), actor=request.actor),
        title=_("更换密码和密钥"),
        effect=_("原密码和密钥立即失效，本单位系统换上新的才能继续调用"),
        act=lambda unit: _shown(request, v3_access.rotate(actor=request.actor, unit=unit)),
        danger=True,
    )


def _shown(request: Any, shown: Secret) -> HttpResponse:
    page = PlainPage(
        title=_("V3.0 接口的密码和密钥"),
        crumbs=_crumbs(),
        sections=[
            Section(
                _("密码和密钥"),
                facts=[
                    Fact(_("密码"), shown.password, _("用于计算 pwdHash")),
                    Fact(_("AES 密钥"), shown.key, _("16 个字符，CBC 模式，PKCS5 填充")),
                    Fact(_("AES 初始向量"), shown.vector, _("16 个字符")),
                ],
            )
        ],
        toolbar=[Link(_("返回"), reverse("v3_access"))],
    )
    return render(request, "pages/plain.html", {"page": page})
