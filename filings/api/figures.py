"""``/api/v1/accuracy/``, ``findings/``, ``rectifications/``, ``unit/``: what a unit's own systems may read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError

from filings.api import schemas
from filings.api.shapes import finding_shape, rectification_shape, unit_shape
from filings.models import Finding, Rectification
from filings.periods import TO_DATE
from filings.selectors import orders
from filings.services.figures import figures
from pilot import clock
from pilot.api.views import KeyView, as_json, plain
from pilot.errors import Refused
from pilot.machines import Case
from pilot.selectors import register
from pilot.workflow import states

PAGE: Final = 100
ID_DIGITS: Final = 18  # as many as surely fit into the column


class Accuracy(KeyView):
    """The unit's figures."""

    accepts = {"GET": schemas.query_names(schemas.ACCURACY_GET)}

    @extend_schema(**schemas.ACCURACY_GET)
    def get(self, request: Any) -> HttpResponse:
        """M1 and M2 of a day, a month, or to date, as the command ``accuracy`` gives them."""
        period = request.query_params.get("period", TO_DATE)
        try:
            return plain(as_json(200, figures(unit=self.unit, period=period, recount=False)))
        except Refused as refusal:
            raise ValidationError({"period": [str(refusal.message)]}) from None


class CaseList(KeyView):
    """The unit's cases of one machine, oldest first; ``after`` continues where a page ended."""

    model: type[Case]
    related: tuple[str, ...]
    annotations: ClassVar[Mapping[str, Any]] = {}
    prefetched: tuple[str, ...] = ()

    def page(self, request: Any, shape: Any) -> HttpResponse:
        """At most 100 cases, and ``next``, the value of ``after`` for those that follow (null: none)."""
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= ID_DIGITS):
            raise ValidationError({"after": [_("应为上一页答复中的 next")]})
        cases = self.model.objects.visible_to(self.actor).filter(unit=self.unit, pk__gt=int(after))
        state = request.query_params.get("state")
        if state is not None:
            if state not in dict(states(self.model)):
                raise ValidationError({"state": [_("没有该状态")]})
            cases = cases.filter(state=state)
        cases = cases.select_related(*self.related).annotate(**self.annotations)
        cases = cases.prefetch_related(*self.prefetched)
        rows = list(cases.order_by("pk")[: PAGE + 1])
        following = str(rows[PAGE - 1].pk) if len(rows) > PAGE else None
        return plain(as_json(200, {"results": [shape(row) for row in rows[:PAGE]], "next": following}))


class Findings(CaseList):
    """Faults found in the unit's forms."""

    accepts = {"GET": schemas.query_names(schemas.FINDINGS_GET)}

    model = Finding
    related = ("form",)

    @extend_schema(**schemas.FINDINGS_GET)
    def get(self, request: Any) -> HttpResponse:
        """The unit's findings."""
        return self.page(request, finding_shape)


class Rectifications(CaseList):
    """Orders to put something right."""

    accepts = {"GET": schemas.query_names(schemas.RECTIFICATIONS_GET)}

    model = Rectification
    related = ("unit__programme",)
    annotations = orders.deadline_parts()
    prefetched = orders.PREFETCHED

    @extend_schema(**schemas.RECTIFICATIONS_GET)
    def get(self, request: Any) -> HttpResponse:
        """The unit's rectification orders."""
        return self.page(request, rectification_shape)


class Unit(KeyView):
    """The unit itself."""

    @extend_schema(**schemas.UNIT_GET)
    def get(self, request: Any) -> HttpResponse:
        """The unit as the register has it now."""
        return plain(as_json(200, unit_shape(self.unit, register.status_at(self.unit, clock.now()))))
