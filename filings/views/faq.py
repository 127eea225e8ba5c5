"""The page of published questions and answers, for everyone who is signed in."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from filings.forms.coordination import FaqSearch
from filings.pages import faq as faq_page
from filings.selectors import faq
from filings.views.common import home
from pilot.views.paging import page_of


@require_safe
def faq_list(request: Any) -> HttpResponse:
    """Search by words and category; ``?similar=`` gives only the list of entries like a subject."""
    if "similar" in request.GET:
        entries = faq.similar(request.GET["similar"][:255])
        return render(request, "filings/faq_similar.html", {"entries": entries})
    form = FaqSearch(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = page_of(faq.search(wanted.get("q", ""), wanted.get("category", "")), request.GET)
    page = faq_page.page(rows, form, rows.paginator.count, [home()], filtered=any(wanted.values()))
    return render(request, "filings/faq.html", {"page": page})
