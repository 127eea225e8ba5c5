"""Test runs: the applicant fetches the test set and hands in its result file; everybody concerned reads the figures."""

from __future__ import annotations

import csv
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from assessment.models import TestRun
from assessment.pages.test_runs import facts, rates, standing
from assessment.selectors import test_runs as selector
from assessment.services import test_runs as service
from pilot import clock
from pilot.downloads import as_download
from pilot.errors import Refused
from pilot.forms import ActForm
from pilot.rules import last_moment
from pilot.ui import ActPage, Column, Empty, Link, ListPage, PlainPage, Row, Section

PAGE = 20


class ResultForm(ActForm):
    """The result file."""

    upload = forms.FileField(
        label=gettext_lazy("测试结果文件"),
        help_text=gettext_lazy(
            "CSV，第一行为 sample,result，其后每行一个样本编号和 accept 或 reject；只能提交一次"
        ),
    )


@require_safe
def test_run_list(request: Any) -> HttpResponse:
    """The runs this actor may know of."""
    page = Paginator(selector.visible(request.actor), PAGE).get_page(request.GET.get("page"))
    listing = ListPage(
        title=_("能力测试"),
        columns=[
            Column("number", _("受理编号")),
            Column("applicant", _("申请单位")),
            Column("title", _("测试集")),
            Column("issued", _("下发时间")),
            Column("due", _("提交期限")),
            Column("state", _("状态")),
            Column("far", _("误识率"), "end"),
            Column("frr", _("拒识率"), "end"),
        ],
        rows=[
            Row(
                reverse("test_run", args=[run.pk]),
                [
                    run.application.number,
                    run.application.provider.name,
                    run.title,
                    run.issued_at,
                    last_moment(run.due_at),
                    standing(run),
                    *rates(run),
                ],
            )
            for run in page.object_list
        ],
        total=page.paginator.count,
        empty=Empty(_("暂无能力测试"), _("评估期间由部经办人员向申请单位下发测试集")),
        crumbs=[Link(_("首页"), reverse("home"))],
        page=page,
    )
    return render(request, "pages/list.html", {"page": listing})


@require_safe
def test_run(request: Any, pk: int) -> HttpResponse:
    """One run: what was issued, what came back, and the figures."""
    run = _visible(request, pk)
    tools = []
    if request.actor.is_provider:
        tools.append(Link(_("下载测试集"), reverse("test_run_set", args=[pk]), "download"))
        if service.hand_in_obstacle(run, request.actor, at=clock.now()) is None:
            tools.append(Link(_("提交测试结果"), reverse("test_run_hand_in", args=[pk]), "upload"))
    page = PlainPage(
        title=f"{run.application.provider.name} · {run.title}",
        crumbs=[Link(_("首页"), reverse("home")), Link(_("能力测试"), reverse("test_run_list"))],
        intro=_("结果由平台按测试集逐个核对得出，供评估参考，未规定限值；未提交结果的样本计为错误"),
        sections=[Section(_("测试情况"), facts=facts(run))],
        toolbar=tools,
    )
    return render(request, "pages/plain.html", {"page": page})


@require_safe
def test_run_set(request: Any, pk: int) -> HttpResponse:
    """The samples of a run, without the key."""
    run = _visible(request, pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    writer = csv.writer(response)
    writer.writerow(["sample"])
    writer.writerows([sample] for sample in service.samples(run))
    return as_download(response, f"test-set-{run.pk}.csv")


@require_http_methods(["GET", "HEAD", "POST"])
def test_run_hand_in(request: Any, pk: int) -> HttpResponse:
    """The applicant hands in its result file, once."""
    run = _visible(request, pk)
    back = reverse("test_run", args=[pk])
    if words := service.hand_in_obstacle(run, request.actor, at=request.arrived_at):
        messages.error(request, words)
        return redirect(back)
    data = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = ResultForm(*data, case=run, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            service.hand_in(
                run=run,
                actor=request.actor,
                upload=form.cleaned_data["upload"],
                arrived_at=request.arrived_at,
            )
        except Refused as refusal:
            form.add_error("upload", str(refusal.message))
        else:
            messages.success(request, _("测试结果已提交"))
            return redirect(back)
    page = ActPage(
        title=_("提交测试结果"),
        subject=run.title,
        effect=_("平台随即核对并计算误识率和拒识率；提交后不能更改"),
        back=back,
        form=form,
        crumbs=[Link(_("能力测试"), reverse("test_run_list")), Link(run.title, back)],
        multipart=True,
    )
    return render(
        request, "pages/act.html", {"page": page}, status=422 if form.is_bound and form.errors else 200
    )


def _visible(request: Any, pk: int) -> TestRun:
    run = selector.visible(request.actor).filter(pk=pk).first()
    if run is None:
        raise Http404
    return run
