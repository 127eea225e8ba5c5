"""A unit's API keys in the browser: listed, issued (the key is shown once), revoked."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from pilot import clock
from pilot.context import EXTRA
from pilot.enums import ApiMode, ApiScope
from pilot.errors import PilotError, StateChanged
from pilot.forms import ActForm, refuse
from pilot.models import ApiKey, PilotUnit
from pilot.registry import Group
from pilot.services import api_keys
from pilot.ui import ActPage, Column, Link, PlainPage, Row, Section, Tag

EXPIRES_SOON: Final = timedelta(days=14)
_SHORT: Final = {ApiScope.SUBMIT: gettext_lazy("上报"), ApiScope.FIGURES: gettext_lazy("查询")}

EXTRA.append((Group.RUN, "api_key_list", gettext_lazy("接口密钥"), "key-round"))


class KeyForm(ActForm):
    """What a new key is for and how far it reaches."""

    name = forms.CharField(
        label=gettext_lazy("名称"), max_length=64, help_text=gettext_lazy("例如使用该密钥的系统名称")
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("用途"),
        choices=ApiMode.choices,
        initial=ApiMode.TEST,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("测试密钥完成全部校验并答复，但不保存任何核验单"),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("权限"),
        choices=ApiScope.choices,
        initial=ApiScope.values,
        widget=forms.CheckboxSelectMultiple,
    )
    expires_at = forms.DateField(
        label=gettext_lazy("到期日"),
        help_text=gettext_lazy("格式 2026-12-31，当日结束时到期，最长一年"),
    )
    networks = forms.CharField(
        label=gettext_lazy("允许的 IP 地址或网段"),
        help_text=gettext_lazy("每行一个；不填则不限制"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )

    # The newest key when the form was opened: the same form sent again, by a reload, makes no second key.
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        data = super().clean() or self.cleaned_data
        if day := data.get("expires_at"):
            data["expires_at"] = make_aware(datetime.combine(day, time.max))
        data["networks"] = data.get("networks", "").split()
        return data


def _unit(request: Any) -> PilotUnit | None:
    units = PilotUnit.objects.visible_to(request.actor).select_related("organisation")
    unit: PilotUnit | None = units.order_by("-pk").first()
    return unit


def _crumbs() -> list[Link]:
    return [Link(_("首页"), reverse("home")), Link(_("接口密钥"), reverse("api_key_list"))]


@require_safe
def key_list(request: Any) -> HttpResponse:
    """The unit's keys, newest first; never the key itself."""
    unit = _unit(request)
    keys = ApiKey.objects.visible_to(request.actor).select_related("created_by", "revoked_by")
    columns = [
        Column("name", _("名称")),
        Column("prefix", _("密钥前缀")),
        Column("mode", _("用途")),
        Column("state", _("状态")),
        Column("scopes", _("权限")),
        Column("networks", _("允许的 IP")),
        Column("expires", _("到期日")),
        Column("used", _("最近使用")),
        Column("by", _("创建人")),
        Column("act", _("操作")),
    ]
    rows = [_row(key) for key in keys]
    page = PlainPage(
        title=_("接口密钥"),
        crumbs=_crumbs()[:1],
        intro=_("供本单位的系统调用接口。密钥只在创建时显示一次；轮换时先创建新密钥，切换后停用旧密钥。"),
        sections=[
            Section(_("本单位的密钥"), columns=columns, rows=rows, empty=_("尚未创建密钥"))
            if unit
            else Section(_("本单位的密钥"), columns=columns, empty=_("列入试点单位名录后可以创建密钥"))
        ],
        toolbar=[
            *([Link(_("创建密钥"), reverse("api_key_create"), "plus")] if unit else []),
            Link(_("接口说明"), reverse("api_docs"), "book-open"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


def standing(key: ApiKey) -> Tag:
    """Whether a key opens anything now, and whether it is time for its successor."""
    now = clock.security_now()
    if key.revoked_at is not None:
        return Tag(_("已停用"), "muted")
    if key.expires_at <= now:
        return Tag(_("已到期"), "muted")
    if key.expires_at <= now + EXPIRES_SOON:
        return Tag(
            _("%(days)s 天内到期") % {"days": -((now - key.expires_at) // timedelta(days=1))}, "warning"
        )
    return Tag(_("有效"), "success")


def _row(key: ApiKey) -> Row:
    state = standing(key)
    open_now = state.tone != "muted"
    return Row(
        "",
        [
            key.name,
            f"{key.prefix}…",
            str(key.get_mode_display()),
            state,
            [_SHORT.get(scope, scope) for scope in key.scopes],
            key.networks or _("不限"),
            localtime(key.expires_at).date(),
            key.last_used_at or _("尚未使用"),
            key.created_by,
            Link(_("停用"), reverse("api_key_revoke", args=[key.pk])) if open_now else None,
        ],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def key_create(request: Any) -> HttpResponse:
    """Make a key; the answer to the POST is the only page that ever shows it."""
    unit = _unit(request)
    if unit is None:
        raise Http404
    form = KeyForm(request.POST or None, actor=request.actor, initial={"seen": api_keys.newest(unit)})
    if request.method == "POST" and form.is_valid():
        try:
            issued = api_keys.issue(actor=request.actor, unit=unit, **form.cleaned_data)
        except StateChanged as refusal:
            return _made_before(request, refusal)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            return _shown_once(request, issued)
    page = ActPage(
        title=_("创建密钥"),
        subject=unit.organisation.name,
        effect=_("新密钥立即可用，并只显示一次；同一用途最多两个有效密钥"),
        back=reverse("api_key_list"),
        form=form,
        crumbs=_crumbs(),
    )
    return render(request, "pages/act.html", {"page": page}, status=422 if form.errors else 200)


def _made_before(request: Any, refusal: StateChanged) -> HttpResponse:
    lost = _("密钥只在创建时显示一次，不能再次查看；没有保存的，请在密钥列表中停用后重新创建")
    page = PlainPage(
        title=_("密钥没有再次创建"),
        crumbs=_crumbs(),
        intro=f"{refusal.message}{_('。')}{lost}",
        toolbar=[Link(_("返回密钥列表"), reverse("api_key_list"))],
    )
    return render(request, "pages/plain.html", {"page": page}, status=refusal.status)


def _shown_once(request: Any, issued: api_keys.Issued) -> HttpResponse:
    page = PlainPage(
        title=_("密钥已创建"),
        crumbs=_crumbs(),
        toolbar=[Link(_("接口说明"), reverse("api_docs"), "book-open")],
    )
    context = {
        "page": page,
        "subject": issued.key.name,
        "tag": issued.key.get_mode_display(),
        "label": _("新密钥"),
        "secret": issued.secret,
        "hint": _("请立即复制保存，离开本页后无法再次查看"),
        "back": reverse("api_key_list"),
        "back_label": _("我已保存，返回密钥列表"),
    }
    return render(request, "pages/secret_once.html", context)  # like every page after sign-in: no-store


@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: Any, pk: int) -> HttpResponse:
    """Make a key worthless at once."""
    visible = ApiKey.objects.visible_to(request.actor).select_related("unit__organisation")
    key = get_object_or_404(visible, pk=pk)
    form = ActForm(request.POST or None, actor=request.actor)
    if request.method == "POST":
        try:
            api_keys.revoke(actor=request.actor, key=key)
        except PilotError as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, _("已停用密钥：%(key)s") % {"key": key})
        return redirect("api_key_list")
    page = ActPage(
        title=_("停用密钥"),
        subject=str(key),
        effect=_("使用该密钥的调用立即被拒绝，不能恢复"),
        back=reverse("api_key_list"),
        form=form,
        crumbs=_crumbs(),
        danger=True,
    )
    return render(request, "pages/act.html", {"page": page})
