"""The published approval list as page, JSON and CSV: public, only who was taken in."""

from __future__ import annotations

import csv
from dataclasses import asdict
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assessment.selectors import lists
from pilot.selectors import programmes
from pilot.ui import Column, Link, PlainPage, Row, Section

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@require_safe
def published_list(request: HttpRequest) -> HttpResponse:
    """Every published list, newest first."""
    programme = programmes.current()
    columns = [
        Column("code", _("试点单位编号")),
        Column("name", _("单位名称")),
        Column("province", _("省份")),
        Column("licence", _("许可证编号")),
    ]
    sections = [
        Section(
            _("第 %(n)s 号名单") % {"n": published.sequence},
            columns=columns,
            rows=[Row("", [u.code, u.name, u.province, u.licence]) for u in published.units],
            empty=_("本名单没有列入单位"),
            note=_("公布日期 %(published)s，自 %(effective)s 起参与试点")
            % {"published": _day(published.published_at), "effective": _day(published.effective_from)},
        )
        for published in lists.published(programme)
    ]
    page = PlainPage(
        title=_("试点单位名单"),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=programme.heading if sections else _("尚未公布试点单位名单"),
        sections=sections,
        toolbar=[
            Link("CSV", reverse("published_list_csv"), "download"),
            Link("JSON", reverse("published_list_json"), "braces"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


@require_safe
def published_list_json(request: HttpRequest) -> HttpResponse:
    """The same as ``{programme, lists: [{sequence, published_at, effective_from, units: [{code, name, …}]}]}``."""
    programme = programmes.current()
    content = [
        {
            "sequence": published.sequence,
            "published_at": localtime(published.published_at).isoformat(timespec="seconds"),
            "effective_from": localtime(published.effective_from).isoformat(timespec="seconds"),
            "units": [asdict(unit) for unit in published.units],
        }
        for published in lists.published(programme)
    ]
    body = {"programme": programme.number, "lists": content}
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False})


@require_safe
def published_list_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV (UTF-8 with signature, for spreadsheets); formulas are inert."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="published-list.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(["名单", "公布日期", "生效日期", "试点单位编号", "单位名称", "省份", "许可证编号"])
    for published in lists.published(programmes.current()):
        days = [_day(published.published_at), _day(published.effective_from)]
        for unit in published.units:
            row = [str(published.sequence), *days, unit.code, unit.name, unit.province, unit.licence]
            writer.writerow(map(_inert, row))
    return response


def _day(moment: datetime) -> str:
    return localtime(moment).date().isoformat()


def _inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
