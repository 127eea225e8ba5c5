"""The audit administrator's pages: searching the log, one entry, taking the log away, having it checked."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from pilot import clock
from pilot import help as texts
from pilot.downloads import as_download
from pilot.enums import Role
from pilot.forms import ActForm, whole_number
from pilot.masking import mask_name
from pilot.models import AuditCheck, AuditEntry, AuditHead, AuditSeal, Organisation
from pilot.rules import local_day
from pilot.selectors import audit as selector
from pilot.services import audit_checks, audit_exports
from pilot.ui import (
    ActPage,
    Checksum,
    Column,
    Empty,
    ExportPage,
    Fact,
    Link,
    ListPage,
    PlainPage,
    Row,
    Section,
    Tag,
)
from pilot.views.audit_words import action_choices, action_words, channel_words, object_kinds, object_words

SHOWN: Final = 50  # checks on their page
LAST: Final = date.max - timedelta(days=1)  # the last day that has a next one
_DAY: Final = "%Y-%m-%d"


def _day_field(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format=_DAY)
    return forms.DateField(label=label, required=False, widget=widget, input_formats=[_DAY])


class AuditFilter(forms.Form):
    """What to search for; days are whole days of real time in Asia/Shanghai.

    No field is named ``action``: scripts ask a form for its address by that name.
    """

    since = _day_field(gettext_lazy("开始日期"))
    until = _day_field(gettext_lazy("结束日期"))
    person = forms.CharField(label=gettext_lazy("人员（姓名或登录名）"), required=False, max_length=128)
    act = forms.ChoiceField(label=gettext_lazy("操作"), required=False)
    outcome = forms.ChoiceField(
        label=gettext_lazy("结果"),
        required=False,
        choices=[("", gettext_lazy("全部")), *AuditEntry.Outcome.choices],
    )
    address = forms.GenericIPAddressField(label=gettext_lazy("来源地址"), required=False)
    subject = forms.CharField(label=gettext_lazy("对象（类型，可加编号）"), required=False, max_length=128)

    def __init__(self, params: Any) -> None:
        super().__init__(params or None)
        actions = action_choices(selector.actions())
        self.fields["act"].choices = [("", _("全部")), *actions]  # type: ignore[attr-defined]

    @property
    def wanted(self) -> dict[str, Any]:
        """What is asked for and makes sense."""
        if not self.is_bound:
            return {}
        self.is_valid()
        return {
            **self.cleaned_data,
            **_period(self.cleaned_data),
            "action": self.cleaned_data.get("act"),
            "subject": _subjects(self.cleaned_data.get("subject") or ""),
        }


class AuditExportForm(ActForm):
    """Which days to take away, and why."""

    since = _day_field(gettext_lazy("开始日期"))
    until = _day_field(gettext_lazy("结束日期"))
    reason = forms.CharField(
        label=gettext_lazy("导出理由"),
        help_text=gettext_lazy("记入审计日志"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
    )


def _subjects(words: str) -> tuple[list[str], str] | None:
    """The recorded names of what is asked for and its number: the words may hold blanks, a number never does."""
    if not words.strip():
        return None
    kind, _blank, key = words.strip().rpartition(" ")
    return (object_kinds(kind), key) if kind and key.isdecimal() else (object_kinds(words.strip()), "")


def _period(data: dict[str, Any]) -> dict[str, datetime | None]:
    """From the beginning of the first day to the end of the last, half-open."""
    since, until = data.get("since"), data.get("until")
    after = min(until, LAST) + timedelta(days=1) if until else None
    return {
        "since": make_aware(datetime.combine(since, time())) if since else None,
        "until": make_aware(datetime.combine(after, time())) if after else None,
    }


def _crumbs() -> list[Link]:
    return [Link(_("首页"), reverse("home")), Link(_("审计日志"), reverse("audit_list"))]


def _outcome(entry: AuditEntry) -> Tag:
    return Tag(
        entry.get_outcome_display(), "success" if entry.outcome == AuditEntry.Outcome.DONE else "danger"
    )


def _actor(entry: AuditEntry) -> str:
    """Who: a person masked (the number beside it says which), the system as such, a key by its prefix."""
    if entry.role == Role.SYSTEM:
        return str(Role.SYSTEM.label)
    return entry.actor if entry.person_id is None else mask_name(entry.actor)


def _role(entry: AuditEntry) -> str:
    return str(Role(entry.role).label) if entry.role in Role.values else entry.role


def _subject(entry: AuditEntry) -> str:
    """What it was done to: its kind and number, a page by its name."""
    if entry.object_type == "url" and (topic := texts.by_page().get(entry.object_id)):
        return f"{object_words(entry.object_type)} {topic.title}"
    if entry.object_type == "list":
        return f"{object_words(entry.object_type)} {object_words(entry.object_id)}"
    return f"{object_words(entry.object_type)} {entry.object_id}".strip()


# --- search ------------------------------------------------------------------------------------------
@require_safe
def audit_list(request: Any) -> HttpResponse:
    """The log, newest first."""
    query = request.GET.copy()
    before = query.pop("before", [""])[-1]
    form = AuditFilter(query)
    found = selector.search(form.wanted, before=whole_number(before))
    entries = found[: selector.PAGE]
    older = _older(query, entries[-1]) if len(found) > selector.PAGE else None
    page = ListPage(
        title=_("审计日志"),
        intro=_("日志只增不改，永久保存（不少于六个月），并由每日签名的存证树根证明未被改动。"),
        columns=[
            Column("at", _("时间")), Column("actor", _("人员")), Column("role", _("角色")), Column("action", _("操作")),
            Column("object", _("对象")), Column("outcome", _("结果")), Column("address", _("来源")),
        ],
        rows=[_row(entry) for entry in entries],
        total=0,
        empty=Empty(_("暂无记录"), _("没有符合条件的记录，请放宽条件再查询") if form.is_bound else ""),
        crumbs=_crumbs()[:1],
        filter_form=form,
        filtered=form.is_bound and any(form.wanted.values()),
        following=older,
        toolbar=_tools(query, older=older, paged=bool(before)),
    )  # fmt: skip
    return render(request, "pages/list.html", {"page": page})


def _row(entry: AuditEntry) -> Row:
    cells = [entry.at, _actor(entry), _role(entry), action_words(entry.action), _subject(entry), _outcome(entry),
             entry.address or channel_words(entry.channel)]  # fmt: skip
    return Row(reverse("audit_detail", args=[entry.pk]), cells)


def _older(query: Any, last: AuditEntry) -> Link:
    """The entries of the same search before the last one shown."""
    older = query.copy()
    older["before"] = str(last.pk)
    return Link(_("更早的记录"), f"?{older.urlencode()}", "chevron-right")


def _tools(query: Any, *, older: Link | None, paged: bool) -> list[Link]:
    """Older and newest entries of the same search, then what else can be done with the log."""
    links = []
    if paged:
        links.append(Link(_("最新的记录"), f"?{query.urlencode()}", "chevrons-left"))
    return [
        *links,
        *([older] if older else []),
        Link(_("导出"), reverse("audit_export"), "download"),
        Link(_("核验"), reverse("audit_check_list"), "shield-check"),
        Link(_("存证树根"), reverse("audit_heads"), "list-tree"),
    ]


@require_safe
def audit_detail(request: Any, pk: int) -> HttpResponse:
    """One entry with all that was recorded, and its place in the chain."""
    entry = get_object_or_404(AuditEntry, pk=pk)
    seal = AuditSeal.objects.filter(entry=entry).first()
    head = AuditHead.objects.filter(size__gte=seal.seq).first() if seal else None
    details = [Fact(key, _plain(value)) for key, value in sorted(entry.detail.items())]
    page = PlainPage(
        title=_("审计记录 %(n)s") % {"n": entry.pk},
        crumbs=_crumbs(),
        sections=[
            Section(_("记录"), facts=_facts(entry)),
            Section(_("附加内容"), facts=details, empty="" if details else _("无")),
            Section(_("存证"), facts=_place(seal, head)),
        ],
    )  # fmt: skip
    return render(request, "pages/plain.html", {"page": page})


def _facts(entry: AuditEntry) -> list[Fact]:
    return [
        Fact(_("时间"), entry.at),
        Fact(_("业务时间"), entry.business_at),
        Fact(_("操作"), action_words(entry.action), entry.action),
        Fact(_("结果"), _outcome(entry)),
        Fact(_("人员"), _actor(entry), entry.actor if entry.role == Role.SYSTEM else ""),
        Fact(_("人员编号"), None if entry.person_id is None else str(entry.person_id)),
        Fact(_("角色"), _role(entry)),
        _organisation(entry.organisation_id),
        Fact(_("对象"), _subject(entry), f"{entry.object_type} {entry.object_id}".strip()),
        Fact(_("途径"), channel_words(entry.channel)),
        Fact(_("来源地址"), entry.address),
    ]


def _organisation(key: int | None) -> Fact:
    """The organisation that acted, by the name it has today, with the number that is on record."""
    found = Organisation.objects.filter(pk=key).first() if key else None
    return Fact(_("单位"), found and found.name, _("编号 %(n)s") % {"n": key} if key else "")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _place(seal: AuditSeal | None, head: AuditHead | None) -> list[Fact]:
    if seal is None:
        return [Fact(_("链上序号"), _("尚未入链，通常十秒内完成"))]
    return [
        Fact(_("链上序号"), seal.seq),
        Fact(_("上一条摘要"), Checksum(seal.previous)),
        Fact(_("本条摘要"), Checksum(seal.digest)),
        Fact(_("覆盖本条的树根"), head.root if head else _("将于下一次每日签名后产生")),
    ]


# --- taking it away ----------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def audit_export(request: Any) -> HttpResponse | StreamingHttpResponse:
    """The log of some days, or all of it, as a file that verifies without the portal."""
    form = AuditExportForm(request.POST or None, actor=request.actor)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        found = audit_exports.begin(actor=request.actor, reason=reason, **_period(form.cleaned_data))
        parts = audit_exports.gzipped(audit_exports.lines(found))
        response = StreamingHttpResponse(parts, content_type="application/gzip")
        name = f"{_('审计日志')}_{local_day(clock.security_now()):%Y%m%d}.ndjson.gz"
        return as_download(response, name)
    page = ActPage(
        title=_("导出审计日志"),
        subject=_("所选日期的全部审计记录；不选日期则为全部"),
        effect=_("下载 NDJSON 文件（gzip 压缩），可用核验程序脱离本平台核验；导出和理由记入审计日志"),
        back=reverse("audit_list"),
        form=form,
        crumbs=_crumbs(),
        submit_label=_("导出"),
        download=True,
    )
    return render(request, "pages/act.html", {"page": page}, status=422 if form.errors else 200)


# --- having it checked -------------------------------------------------------------------------------
@require_safe
def audit_check_list(request: Any) -> HttpResponse:
    """The latest checks of the whole log."""
    checks = AuditCheck.objects.select_related("person")[:SHOWN]
    page = PlainPage(
        title=_("审计日志核验"),
        crumbs=_crumbs(),
        intro=_("核验重新计算全部记录的摘要链和存证树，并与每个已签名的树根比对。系统每日核验一次，也可以随时核验。"),
        sections=[
            Section(
                _("核验记录"),
                columns=[
                    Column("at", _("申请时间")), Column("by", _("申请人")), Column("state", _("结果")),
                    Column("entries", _("记录数"), "end"), Column("heads", _("相符的树根"), "end"),
                ],
                rows=[
                    Row(reverse("audit_check", args=[check.pk]),
                        [check.requested_at, _asker(check), _state(check), check.entries, check.heads])
                    for check in checks
                ],
                empty=_("尚未核验"),
            )
        ],
        toolbar=[Link(_("立即核验"), reverse("audit_check_create"), "shield-check")],
    )  # fmt: skip
    return render(request, "pages/plain.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def audit_check_create(request: Any) -> HttpResponse:
    """Ask for a check; the job's result stands on its own page."""
    if request.method == "POST":
        check = audit_checks.request(actor=request.actor)
        messages.success(request, _("已开始核验"))
        return redirect("audit_check", check.pk)
    page = ActPage(
        title=_("核验审计日志"),
        subject=_("全部审计记录"),
        effect=_(
            "后台重新计算摘要链和存证树，与全部已签名的树根比对；每十万条约需十几秒，结果显示在核验页面"
        ),
        back=reverse("audit_check_list"),
        form=ActForm(actor=request.actor),
        crumbs=[*_crumbs(), Link(_("审计日志核验"), reverse("audit_check_list"))],
        submit_label=_("开始核验"),
    )
    return render(request, "pages/act.html", {"page": page})


@require_safe
def audit_check(request: Any, pk: int) -> HttpResponse:
    """How far a check is, and what it found."""
    check = get_object_or_404(AuditCheck.objects.select_related("person"), pk=pk)
    page = ExportPage(
        title=_("审计日志核验"),
        facts=[
            Fact(_("结果"), _state(check)),
            Fact(_("申请人"), _asker(check)),
            Fact(_("申请时间"), check.requested_at),
            Fact(_("完成时间"), check.finished_at),
            Fact(_("核验的记录"), check.entries),
            Fact(_("相符的树根"), check.heads),
            Fact(_("尚未入链的记录"), check.unsealed),
        ],
        back=reverse("audit_check_list"),
        waiting=check.finished_at is None,
        failed=check.fault,
        crumbs=[*_crumbs(), Link(_("审计日志核验"), reverse("audit_check_list"))],
    )
    return render(request, "pages/audit_check.html", {"page": page})


def _asker(check: AuditCheck) -> str:
    return str(check.person or _("系统每日核验"))


def _state(check: AuditCheck) -> Tag:
    if check.finished_at is None:
        return Tag(_("正在核验"), "info")
    return Tag(_("发现改动"), "danger") if check.fault else Tag(_("完整无改动"), "success")
