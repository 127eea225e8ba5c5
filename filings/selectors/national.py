"""Reconciliation of a unit's forms with the national system's answers, month by month.

A form belongs to the month in which it was received, an answer to that of its own time (that of the import where it
says none). Whoever sees the part of one province only sees the forms of that part, and the answers that found them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from filings.models import NationalCheck, NationalReceipt, VerificationForm
from filings.periods import Period
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.rules import local_day


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose forms and answers of which month, and who asks."""

    actor: Actor
    unit: PilotUnit
    month: Period

    @property
    def forms(self) -> QuerySet[VerificationForm]:
        """The forms received in the month."""
        rows: QuerySet[VerificationForm] = VerificationForm.objects.visible_to(self.actor)
        return rows.filter(
            unit=self.unit, received_at__gte=self.month.opens, received_at__lt=self.month.closes
        ).defer("ciphertext", "digest", "subject_index")

    def answers(self, model: type[NationalReceipt] | type[NationalCheck]) -> QuerySet[Any]:
        """The answers of the month."""
        rows: QuerySet[Any] = model.objects.visible_to(self.actor)
        rows = rows.filter(unit=self.unit, at__gte=self.month.opens, at__lt=self.month.closes)
        return rows.select_related("file__key", "form").order_by("-at", "-pk").defer("form__ciphertext")


def month_of(text: str) -> Period:
    """The month written as ``2019-06``; the present one for anything else."""
    with suppress(ValueError):
        period = Period.parse(text)
        if period.is_month:
            return period
    return Period.month_of(local_day(clock.now()))


def without_receipt(scope: Scope) -> QuerySet[VerificationForm]:
    """Forms that the national system has not acknowledged (1060)."""
    receipts = NationalReceipt.unscoped.filter(form=OuterRef("pk"), stored=True)
    return scope.forms.filter(~Exists(receipts)).order_by("-received_at", "-id")


def without_form(scope: Scope) -> QuerySet[NationalReceipt]:
    """Receipts (1060) of forms that the portal does not have."""
    return scope.answers(NationalReceipt).filter(form__isnull=True, expects_form=True, stored=True)


def not_passed(scope: Scope) -> QuerySet[NationalReceipt]:
    """Results without the code of a receipt, and reviews by which a bureau refused."""
    return scope.answers(NationalReceipt).filter(
        Q(passed=False) | Q(passed__isnull=True, stored=False), expects_form=True
    )


def checks(scope: Scope) -> QuerySet[NationalCheck]:
    """What the national system checked by itself."""
    return scope.answers(NationalCheck)


LISTS: Final[Mapping[str, Callable[[Scope], QuerySet[Any]]]] = {
    "without_receipt": without_receipt,
    "without_form": without_form,
    "not_passed": not_passed,
    "checks": checks,
}


def counts(scope: Scope) -> dict[str, int]:
    """How many forms the month has, and how long each of the lists is."""
    return {"forms": scope.forms.count()} | {name: rows(scope).count() for name, rows in LISTS.items()}


def of_form(form: VerificationForm) -> tuple[list[NationalReceipt], list[NationalCheck]]:
    """What the national system says of one form, oldest first."""
    receipts = NationalReceipt.unscoped.filter(form=form.pk).select_related("file__key")
    found = NationalCheck.unscoped.filter(form=form.pk).select_related("file__key")
    return list(receipts.order_by("at", "pk")), list(found.order_by("at", "pk"))
