"""Published bulletins, readable by anyone: the list, one with its tables, and its papers."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from filings.enums import BulletinState
from filings.models import Bulletin
from filings.pages import bulletins
from filings.services import bulletin_papers
from pilot.models import Document
from pilot.services import documents
from pilot.ui import Column, Link, PlainPage, Row, Section, contents_of
from pilot.views.shell import file_response


@require_safe
def published_bulletin(request: Any, pk: int | None = None) -> HttpResponse:
    """Published bulletins, readable by anyone: all of them, or one with its table."""
    # nosemgrep: unscoped-in-a-view  (published, for everyone)
    rows = Bulletin.unscoped.filter(state=BulletinState.PUBLISHED).select_related("corrects")
    if pk is None:
        page = PlainPage(_("试点运行情况通报"), sections=[_published(rows.order_by("-sequence"))])
        return render(request, "pages/plain.html", {"page": page})
    bulletin = rows.filter(pk=pk).first()
    if bulletin is None:
        raise Http404
    facts = Section(_("基本信息"), facts=bulletins.facts(bulletin, None))
    sections = [facts, bulletins.files(bulletin), *bulletins.sections(bulletin, request.actor)]
    page = PlainPage(
        f"{bulletin} {bulletin.number}",
        crumbs=[Link(_("试点运行情况通报"), reverse("published_bulletin"))],
        sections=sections,
        contents=contents_of(sections),
    )
    return render(request, "pages/plain.html", {"page": page})


@require_safe
def published_bulletin_file(request: Any, pk: int, kind: str) -> HttpResponse:
    """The PDF or the workbook of a published bulletin, for anyone."""
    # nosemgrep: unscoped-in-a-view  (published, for everyone)
    bulletin = get_object_or_404(Bulletin.unscoped.filter(state=BulletinState.PUBLISHED), pk=pk)
    kinds = {"pdf": bulletin_papers.PDF, "xlsx": bulletin_papers.WORKBOOK}
    if kind not in kinds:
        raise Http404
    paper = get_object_or_404(Document, machine=bulletin.slug(), object_id=bulletin.pk, kind=kinds[kind])
    return file_response(documents.content_of(paper), paper.content_type, f"{paper.title}.{kind}")


def _published(rows: Any) -> Section:
    return Section(
        _("已发布的通报"),
        columns=[
            Column("number", _("期号")),
            Column("title", _("标题")),
            Column("corrects", _("更正")),
            Column("at", _("发布时间")),
        ],
        rows=[
            Row(
                reverse("published_bulletin", args=[b.pk]),
                [b.number, str(b), b.corrects.number if b.corrects else None, b.state_since],
            )
            for b in rows
        ],
        empty=_("尚未发布通报"),
    )
