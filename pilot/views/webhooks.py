"""A unit's webhooks in the browser: addresses named, changed, paused, tested; the log, from which one is sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from pilot import clock
from pilot.context import EXTRA
from pilot.errors import PilotError, StateChanged
from pilot.forms import ActForm, refuse
from pilot.models import PilotUnit, WebhookDelivery, WebhookEndpoint, WebhookOutcome
from pilot.registry import Group
from pilot.services import webhooks
from pilot.services.webhook_delivery import RETRIES
from pilot.ui import ActPage, Column, Fact, Link, PlainPage, Row, Section, Tag

SHOWN: Final = 100  # entries of the log on the page of an address
# Why no answer came, in words; the code is what :mod:`pilot.outward` or the sender noted.
REASONS: Final = {
    "timeout": gettext_lazy("超时未答复"),
    "connection": gettext_lazy("无法连接"),
    "name": gettext_lazy("域名无法解析"),
    "address": gettext_lazy("地址不允许访问（内网、本机或保留地址）"),
    "certificate": gettext_lazy("证书不可信"),
    "tls": gettext_lazy("TLS 握手失败"),
    "protocol": gettext_lazy("答复不是 HTTP"),
    "secret": gettext_lazy("签名密钥无法读取"),
}
TONES: Final = {WebhookOutcome.DELIVERED: "success", WebhookOutcome.GIVEN_UP: "danger"}

EXTRA.append((Group.RUN, "webhook_list", gettext_lazy("事件推送"), "webhook"))


class Plain(NamedTuple):
    """An act that asks for nothing: its words, what it brings about, and what is said afterwards."""

    service: Callable[..., Any]
    title: Any
    effect: Any
    done: Any
    danger: bool = False


ACTS: Final = {
    "pause": Plain(
        webhooks.pause,
        gettext_lazy("暂停推送"),
        gettext_lazy("不再向该地址发送；期间的事件保留，恢复后补发"),
        gettext_lazy("已暂停推送"),
    ),
    "resume": Plain(
        webhooks.resume,
        gettext_lazy("恢复推送"),
        gettext_lazy("立即恢复发送，先补发暂停期间的事件"),
        gettext_lazy("已恢复推送"),
    ),
    "test": Plain(
        webhooks.send_test,
        gettext_lazy("发送测试消息"),
        gettext_lazy("向该地址发送一条 webhook.test 消息，结果见推送记录"),
        gettext_lazy("测试消息已进入发送队列，稍后刷新查看结果"),
    ),
    "remove": Plain(
        webhooks.remove,
        gettext_lazy("删除地址"),
        gettext_lazy("该地址、推送记录和尚未送达的消息一并删除，不能恢复"),
        gettext_lazy("已删除接收地址"),
        danger=True,
    ),
}


class EndpointForm(ActForm):
    """Where messages go, and of which events."""

    url = forms.CharField(
        label=gettext_lazy("接收地址"),
        max_length=500,
        help_text=gettext_lazy(
            "https:// 开头的公网地址，端口 443 或 8443，例如 https://hooks.example.cn/pilot"
        ),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("事件"), choices=webhooks.events, widget=forms.CheckboxSelectMultiple
    )


class NewEndpointForm(EndpointForm):
    """One more address; ``seen`` is the newest when the form was opened, so that a reload is told as such."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class RotateForm(ActForm):
    """``seen`` is the time of the secret that is to be replaced: a reload does not replace its successor."""

    seen = forms.DateTimeField(widget=forms.HiddenInput, required=False)


def _unit(request: Any) -> PilotUnit | None:
    units = PilotUnit.objects.visible_to(request.actor).select_related("organisation")
    unit: PilotUnit | None = units.order_by("-pk").first()
    return unit


def _endpoint(request: Any, pk: int) -> WebhookEndpoint:
    visible = WebhookEndpoint.objects.visible_to(request.actor).select_related("unit", "created_by")
    endpoint: WebhookEndpoint = get_object_or_404(visible, pk=pk)
    return endpoint


def _crumbs(endpoint: WebhookEndpoint | None = None) -> list[Link]:
    crumbs = [Link(_("首页"), reverse("home")), Link(_("事件推送"), reverse("webhook_list"))]
    return [*crumbs, Link(str(endpoint), _address("detail", endpoint))] if endpoint else crumbs


def _address(act: str, endpoint: WebhookEndpoint) -> str:
    return reverse(f"webhook_{act}", args=[endpoint.pk])


def standing(endpoint: WebhookEndpoint) -> Tag:
    """Whether messages reach an address."""
    if endpoint.paused:
        tone: Any = "danger" if endpoint.paused == WebhookEndpoint.Paused.FAILING else "muted"
        return Tag(str(endpoint.get_paused_display()), tone)
    return Tag(_("未能送达"), "warning") if endpoint.failing_since else Tag(_("正常"), "success")


def _labels(endpoint: WebhookEndpoint) -> list[str]:
    return [str(webhooks.label_of(event)) for event in endpoint.events]


# --- list and log -----------------------------------------------------------------------------------
@require_safe
def webhook_list(request: Any) -> HttpResponse:
    """The unit's addresses."""
    unit = _unit(request)
    endpoints = WebhookEndpoint.objects.visible_to(request.actor)
    columns = [
        Column("url", _("接收地址")),
        Column("state", _("状态")),
        Column("events", _("事件")),
        Column("created", _("登记时间")),
    ]
    rows = [
        Row(_address("detail", one), [one.url, standing(one), _labels(one), one.created_at])
        for one in endpoints
    ]
    empty = _("尚未登记接收地址") if unit else _("列入试点单位名录后可以登记接收地址")
    page = PlainPage(
        title=_("事件推送"),
        crumbs=_crumbs()[:1],
        intro=_("上报批次处理完成、新增差错等事件发生时，平台向本单位的系统发送签名消息（Webhook）。"),
        sections=[Section(_("接收地址"), columns=columns, rows=rows, empty=empty)],
        toolbar=[
            *([Link(_("登记接收地址"), reverse("webhook_create"), "plus")] if unit else []),
            Link(_("接口说明"), reverse("api_docs"), "book-open"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


@require_safe
def webhook_detail(request: Any, pk: int) -> HttpResponse:
    """An address and what was sent to it, newest first."""
    endpoint = _endpoint(request, pk)
    deliveries = Paginator(endpoint.deliveries.all(), SHOWN).get_page(1)
    columns = [
        Column("at", _("时间")),
        Column("event", _("事件")),
        Column("id", _("消息编号")),
        Column("state", _("状态")),
        Column("attempts", _("尝试次数"), "end"),
        Column("code", _("应答码"), "end"),
        Column("note", _("说明")),
        Column("act", _("操作")),
    ]
    page = PlainPage(
        title=_("接收地址"),
        crumbs=_crumbs(),
        sections=[
            Section(_("设置"), facts=_facts(endpoint)),
            Section(
                _("推送记录"),
                columns=columns,
                rows=[_row(one) for one in deliveries],
                empty=_("尚无推送记录"),
                note=_("显示最近 %(n)s 条；记录保留 %(days)s 天") % {"n": SHOWN, "days": webhooks.KEPT.days},
            ),
        ],
        toolbar=_tools(endpoint),
    )
    return render(request, "pages/plain.html", {"page": page})


def _facts(endpoint: WebhookEndpoint) -> list[Fact]:
    facts = [
        Fact(_("接收地址"), endpoint.url),
        Fact(_("状态"), standing(endpoint)),
        Fact(_("事件"), _labels(endpoint)),
        Fact(_("签名密钥生成时间"), endpoint.secret_at),
        Fact(_("登记人"), endpoint.created_by),
    ]
    if endpoint.previous_until and endpoint.previous_until > clock.security_now():
        facts.insert(4, Fact(_("旧密钥有效至"), endpoint.previous_until))
    return facts


def _tools(endpoint: WebhookEndpoint) -> list[Link]:
    running = [
        Link(_("发送测试消息"), _address("test", endpoint), "send"),
        Link(_("暂停推送"), _address("pause", endpoint), "pause"),
    ]
    paused = [Link(_("恢复推送"), _address("resume", endpoint), "play")]
    return [
        *(paused if endpoint.paused else running),
        Link(_("修改"), _address("change", endpoint), "pencil"),
        Link(_("轮换密钥"), _address("rotate", endpoint), "refresh-cw"),
        Link(_("删除地址"), _address("remove", endpoint), "trash-2"),
    ]


def _row(delivery: WebhookDelivery) -> Row:
    waiting = delivery.outcome == WebhookOutcome.WAITING
    tone: Any = TONES.get(WebhookOutcome(delivery.outcome), "info")
    return Row(
        "",
        [
            delivery.created_at,
            str(webhooks.label_of(delivery.event)) + (_("（重发）") if delivery.replay else ""),
            delivery.message_id,
            Tag(str(delivery.get_outcome_display()), tone),
            f"{delivery.attempts} / {len(RETRIES) + 1}",
            None if delivery.last_code is None else str(delivery.last_code),
            _note(delivery),
            None if waiting else Link(_("重发"), reverse("webhook_replay", args=[delivery.pk])),
        ],
    )


def _note(delivery: WebhookDelivery) -> str:
    if delivery.last_code is not None and 300 <= delivery.last_code < 400:
        return _("不跟随重定向")
    return str(REASONS.get(delivery.note, delivery.note))


# --- acts -------------------------------------------------------------------------------------------
def _act_page(request: Any, page: ActPage) -> HttpResponse:
    status = 422 if page.form.errors else 200
    return render(request, "pages/act.html", {"page": page}, status=status)


def _shown_once(request: Any, made: webhooks.Secret, title: str, hint: str) -> HttpResponse:
    """The only page that ever shows the secret."""
    context = {
        "page": PlainPage(title=title, crumbs=_crumbs(made.endpoint)),
        "subject": made.endpoint.url,
        "label": _("签名密钥"),
        "secret": made.secret,
        "hint": hint,
        "back": _address("detail", made.endpoint),
        "back_label": _("我已保存，查看该地址"),
    }
    return render(request, "pages/secret_once.html", context)  # like every page after sign-in: no-store


def _done_before(request: Any, refusal: StateChanged, title: str) -> HttpResponse:
    lost = _("签名密钥只显示一次，不能再次查看；没有保存的，请打开该地址轮换密钥")
    page = PlainPage(
        title=title,
        crumbs=_crumbs(),
        intro=f"{refusal.message}{_('。')}{lost}",
        toolbar=[Link(_("返回接收地址列表"), reverse("webhook_list"))],
    )
    return render(request, "pages/plain.html", {"page": page}, status=refusal.status)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_create(request: Any) -> HttpResponse:
    """Name an address; the answer to the POST shows its secret."""
    unit = _unit(request)
    if unit is None:
        raise Http404
    seen = {"seen": webhooks.newest(unit)}
    form = NewEndpointForm(request.POST or None, actor=request.actor, initial=seen)
    if request.method == "POST" and form.is_valid():
        try:
            made = webhooks.register(actor=request.actor, unit=unit, **form.cleaned_data)
        except StateChanged as refusal:
            return _done_before(request, refusal, _("接收地址没有再次登记"))
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            return _shown_once(
                request, made, _("接收地址已登记"), _("请立即复制保存，离开本页后无法再次查看")
            )
    page = ActPage(
        title=_("登记接收地址"),
        subject=unit.organisation.name,
        effect=_("所选事件发生后向该地址发送签名消息；签名密钥只显示一次"),
        back=reverse("webhook_list"),
        form=form,
        crumbs=_crumbs(),
    )
    return _act_page(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_change(request: Any, pk: int) -> HttpResponse:
    """Another address or other events."""
    endpoint = _endpoint(request, pk)
    initial = {"url": endpoint.url, "events": endpoint.events}
    form = EndpointForm(request.POST or None, actor=request.actor, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            webhooks.change(actor=request.actor, endpoint=endpoint, **form.cleaned_data)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已保存"))
            return redirect("webhook_detail", pk)
    page = ActPage(
        title=_("修改接收地址"),
        subject=str(endpoint),
        effect=_("保存后按新的地址和事件发送，签名密钥不变"),
        back=_address("detail", endpoint),
        form=form,
        crumbs=_crumbs(endpoint),
        submit_label=_("保存"),
    )
    return _act_page(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_rotate(request: Any, pk: int) -> HttpResponse:
    """Make a new secret; the answer to the POST shows it."""
    endpoint = _endpoint(request, pk)
    seen = {"seen": endpoint.secret_at.isoformat()}
    form = RotateForm(request.POST, actor=request.actor) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            made = webhooks.rotate(actor=request.actor, endpoint=endpoint, **form.cleaned_data)
        except StateChanged as refusal:
            return _done_before(request, refusal, _("密钥没有再次轮换"))
        hint = _("请立即复制保存，离开本页后无法再次查看；旧密钥 24 小时内同时签名")
        return _shown_once(request, made, _("密钥已轮换"), hint)
    page = ActPage(
        title=_("轮换密钥"),
        subject=str(endpoint),
        effect=_("生成新的签名密钥并只显示一次；24 小时内新旧密钥同时签名"),
        back=_address("detail", endpoint),
        form=form or RotateForm(actor=request.actor, initial=seen),
        crumbs=_crumbs(endpoint),
    )
    return _act_page(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_act(request: Any, pk: int, name: str) -> HttpResponse:
    """Pause, resume, test or remove."""
    endpoint, act = _endpoint(request, pk), ACTS[name]
    if request.method == "POST":
        try:
            act.service(actor=request.actor, endpoint=endpoint)
        except PilotError as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, str(act.done))
        return redirect("webhook_list") if name == "remove" else redirect("webhook_detail", pk)
    page = ActPage(
        title=str(act.title),
        subject=str(endpoint),
        effect=str(act.effect),
        back=_address("detail", endpoint),
        form=ActForm(actor=request.actor),
        crumbs=_crumbs(endpoint),
        danger=act.danger,
    )
    return _act_page(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_replay(request: Any, pk: int) -> HttpResponse:
    """Send one message again."""
    visible = WebhookDelivery.objects.visible_to(request.actor).select_related("endpoint__unit")
    delivery: WebhookDelivery = get_object_or_404(visible, pk=pk)
    if request.method == "POST":
        try:
            webhooks.replay(actor=request.actor, delivery=delivery)
        except PilotError as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, _("消息已进入发送队列，稍后刷新查看结果"))
        return redirect("webhook_detail", delivery.endpoint_id)
    page = ActPage(
        title=_("重发消息"),
        subject=f"{webhooks.label_of(delivery.event)} · {delivery.message_id}",
        effect=_("以原来的消息编号和内容再次发送，时间戳和签名为新"),
        back=_address("detail", delivery.endpoint),
        form=ActForm(actor=request.actor),
        crumbs=_crumbs(delivery.endpoint),
    )
    return _act_page(request, page)
