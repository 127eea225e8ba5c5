"""The living page of the UI kit: every component once, and the generic pages with sample data."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pilot import clock, ui_kit, ui_parts
from pilot.ui import Link, Tag
from pilot.ui_samples import SAMPLES, STATES, act_page, crumbs, dashboard, detail_page, list_page


@require_safe
def ui_kit_page(request: HttpRequest, sample: str = "") -> HttpResponse:
    """Show the components, or one generic page by the name of its sample.

    404 for an unknown name, and everywhere but in development and demonstration.
    """
    # nosemgrep: debug-decides  (a page of samples)
    if not (settings.DEBUG or clock.is_demo()):
        raise Http404
    if sample:
        if sample not in SAMPLES:
            raise Http404(sample)
        template, build = SAMPLES[sample]
        return render(request, template, {"page": build(request.GET)})
    return render(request, "pages/ui_kit.html", catalogue(request))


def catalogue(request: HttpRequest) -> dict[str, object]:
    """What the living page shows: the parts with their names and code, the tokens, sample data of each part."""
    listed = list_page(request.GET)
    return {
        "page": listed,
        "title": _("页面规范"),
        "crumbs": crumbs()[:1],
        "contents": ui_kit.PARTS,
        "parts": {part.anchor: part for part in ui_kit.PARTS},
        "tokens": {"colours": ui_kit.TOKENS, "spaces": ui_kit.SPACES, "texts": ui_kit.TEXTS},
        "samples": [Link(name, reverse("ui_kit", args=[name])) for name in SAMPLES],
        "tones": [Tag(tone, tone) for tone in ("neutral", "info", "success", "warning", "danger", "muted")],
        "states": STATES,
        "case": detail_page(request.GET),
        "act": act_page(request.GET),
        "board": dashboard(request.GET),
        "kit": ui_parts.samples(),
    }
