"""The published approval lists as page, JSON, CSV and PDF (docs/published-list.md): public, only who was taken in."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assessment.rules import scope
from assessment.selectors import publication
from assessment.selectors.publication import NOT_STARTED, PublishedList, PublishedUnit
from pilot import clock
from pilot.downloads import as_download
from pilot.enums import Province, UnitStatusKind
from pilot.formulas import inert
from pilot.language import on_record
from pilot.selectors import programmes
from pilot.services import documents
from pilot.tones import tone
from pilot.ui import Column, Fact, Link, PlainPage, Row, Section, Tag
from pilot.views.shell import file_response

KEPT = "public, max-age=60"  # a suspension shows within a minute
SCHEMA_VERSION = 1
CSV_HEAD = ["名单", "公布日期", "生效日期", "试点单位编号", "单位名称", "省份", "许可证编号", "试点范围"]
CSV_HEAD += ["当前状态", "变更名单"]


@require_safe
def published_list(request: HttpRequest) -> HttpResponse:
    """Every published list, newest first."""
    programme, now = programmes.current(), clock.now()
    sections = [_section(found) for found in publication.published(programme, at=now)]
    as_of = _("%(programme)s。各单位状态和范围截至 %(at)s。") % {
        "programme": programme.heading,
        "at": localtime(now).strftime("%Y-%m-%d %H:%M"),
    }
    page = PlainPage(
        title=_("试点单位名单"),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=as_of if sections else _("尚未公布试点单位名单"),
        sections=sections,
        toolbar=[
            Link("CSV", reverse("published_list_csv"), "download"),
            Link("JSON", reverse("published_list_json"), "braces"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


def _section(found: PublishedList) -> Section:
    facts = [
        Fact(_("名单编号"), found.number),
        Fact(_("列入单位"), _("%(n)s 家") % {"n": len(found.units)}),
        Fact(_("公布日期"), _day(found.published_at)),
        Fact(_("生效日期"), _day(found.effective_from)),
        *([Fact(_("变更"), _changes(_("变更%(lists)s名单"), found.amends))] if found.amends else []),
        *([Fact(_("后续变更"), _changes(_("由%(lists)s名单变更"), found.amended_by))] if found.amended_by else []),
        Fact(_("名单文件"), Link("PDF", reverse("published_list_pdf", args=[found.sequence]))),
    ]  # fmt: skip
    columns = [
        Column("code", _("试点单位编号")),
        Column("name", _("单位名称")),
        Column("province", _("省份")),
        Column("licence", _("许可证编号")),
        Column("scope", _("试点范围")),
        Column("status", _("当前状态")),
    ]
    rows = [
        Row(
            "",
            [
                unit.code,
                unit.name,
                str(Province(unit.province).label),
                unit.licence,
                scope.matrix_words(unit.scope),
                Tag(_status(unit), tone(unit.status)),
            ],
        )
        for unit in found.units
    ]
    title = _("第 %(n)s 号名单") % {"n": found.sequence}
    return Section(title, facts=facts, columns=columns, rows=rows, empty=_("本名单没有列入单位"))


def _changes(words: str, sequences: tuple[int, ...]) -> str:
    numbers = _("、").join(_("第 %(n)s 号") % {"n": sequence} for sequence in sequences)
    return words % {"lists": numbers}


@require_safe
def published_list_json(request: HttpRequest) -> HttpResponse:
    """The same for programs; field names are stable within ``version``."""
    programme, now = programmes.current(), clock.now()
    with on_record():
        lists = [_as_json(request, found) for found in publication.published(programme, at=now)]
    body = {"version": SCHEMA_VERSION, "programme": programme.number, "as_of": _moment(now), "lists": lists}
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False})
    return _kept(request, response, json.dumps(lists, ensure_ascii=False))


def _as_json(request: HttpRequest, found: PublishedList) -> dict[str, Any]:
    # shown to the asker only; ALLOWED_HOSTS holds
    url = request.build_absolute_uri(  # nosemgrep: address-of-the-host-header
        reverse("published_list_pdf", args=[found.sequence])
    )
    return {
        "sequence": found.sequence,
        "number": found.number,
        "published_at": _moment(found.published_at),
        "effective_from": _moment(found.effective_from),
        "amends": list(found.amends),
        "amended_by": list(found.amended_by),
        "document": {"url": url, "sha256": found.document},
        "units": [
            {
                "code": unit.code,
                "name": unit.name,
                "province": str(Province(unit.province).label),
                "province_code": str(unit.province),
                "licence": unit.licence,
                "scope": {kind: [str(code) for code in codes] for kind, codes in unit.scope.items()},
                "status": unit.status,
                "status_label": _status(unit),
            }
            for unit in found.units
        ],
    }


@require_safe
def published_list_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV (UTF-8 with signature, for spreadsheets); formulas are inert."""
    response = as_download(HttpResponse(content_type="text/csv; charset=utf-8"), "published-list.csv")
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(CSV_HEAD)
    with on_record():
        for found in publication.published(programmes.current(), at=clock.now()):
            days = [_day(found.published_at), _day(found.effective_from)]
            for unit in found.units:
                row = [str(found.sequence), *days, unit.code, unit.name, str(Province(unit.province).label)]
                row += [unit.licence, scope.matrix_words(unit.scope), _status(unit)]
                row.append(" ".join(map(str, found.amends)))
                writer.writerow(map(inert, row))
    return _kept(request, response, response.content.decode())


@require_safe
def published_list_pdf(request: HttpRequest, sequence: int) -> HttpResponse:
    """The list as it was published, with the place for the seal."""
    paper = publication.paper(programmes.current(), sequence)
    if paper is None:
        raise Http404
    content = documents.read_bytes(paper.sha256)
    return _kept(
        request, file_response(content, paper.content_type, f"published-list-{sequence}.pdf"), paper.sha256
    )


def _kept(request: HttpRequest, response: HttpResponse, content: str) -> HttpResponse:
    """The answer with its validator, or 304 for who has the same content already."""
    etag = f'W/"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    response["ETag"] = etag
    response["Cache-Control"] = KEPT
    return get_conditional_response(request, etag=etag, response=response) or response


def _status(unit: PublishedUnit) -> str:
    return _("尚未开始") if unit.status == NOT_STARTED else str(UnitStatusKind(unit.status).label)


def _moment(moment: datetime) -> str:
    return localtime(moment).isoformat(timespec="seconds")


def _day(moment: datetime) -> str:
    return localtime(moment).date().isoformat()
