"""What an inspection draws from, what is still to be read, and how far two readers agreed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from filings.accuracy.agreement import Agreement, agreement
from filings.enums import FindingKind, FindingSource, InspectionStrata
from filings.models import Finding, Inspection, InspectionItem, InspectionReading, VerificationForm
from filings.periods import Period
from filings.selectors import counting
from pilot.actors import Actor

FIRST: Final = 1
SECOND: Final = 2
SETTLING: Final = 3
COLUMNS: Final = {
    InspectionStrata.PROVINCE: "subject_province",
    InspectionStrata.KIND: "subject_kind",
    InspectionStrata.FILING_TYPE: "filing_type",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The counted versions of a unit's period: form number → id, and the numbers by stratum (one, ``""``, if none)."""

    ids: dict[str, int]
    strata: dict[str, list[str]]

    @property
    def sizes(self) -> dict[str, int]:
        """How many forms each stratum holds."""
        return {key: len(form_nos) for key, form_nos in self.strata.items()}


def frame(*, unit: int, period: Period, strata: str = InspectionStrata.NONE) -> Frame:
    """The frame as of now, form numbers and strata in ascending order."""
    ids = counting.frame(unit=unit, period=period)
    if not strata:
        return Frame(ids, {"": sorted(ids)} if ids else {})
    rows = VerificationForm.unscoped.filter(unit=unit)
    if period.first is not None and period.end is not None:
        rows = rows.filter(day__gte=period.first, day__lt=period.end)
    keys = {pk: str(key) for pk, key in rows.values_list("pk", COLUMNS[InspectionStrata(strata)])}
    found: dict[str, list[str]] = defaultdict(list)
    for form_no in sorted(ids):
        found[keys[ids[form_no]]].append(form_no)
    return Frame(ids, dict(sorted(found.items())))


def behind(finding: Finding, actor: Actor) -> Inspection | None:
    """The inspection that found a fault, if one did and this actor may know of it."""
    if finding.source != FindingSource.INSPECTION:
        return None
    wrong = "identity_right" if finding.kind == FindingKind.IDENTITY else "form_right"
    rows = Inspection.objects.visible_to(actor).filter(
        items__in=InspectionItem.unscoped.filter(form=finding.form_id, **{wrong: False})
    )
    found: Inspection | None = rows.order_by("pk").first()
    return found


def stratum_words(strata: str, key: str) -> str:
    """The words for a stratum."""
    if not strata:
        return ""
    field: Any = VerificationForm._meta.get_field(COLUMNS[InspectionStrata(strata)])
    if not field.choices:
        return _("个人") if key == "person" else _("单位")
    return str({str(value): label for value, label in field.choices}.get(key, key))


# --- what is still to be read -------------------------------------------------------------------------
def _read(turn: int) -> Exists:
    return Exists(InspectionReading.unscoped.filter(item=OuterRef("pk"), turn=turn))


def read_by(person: int | None) -> Exists:
    """Condition on items: whether this person read them."""
    return Exists(InspectionReading.unscoped.filter(item=OuterRef("pk"), read_by=person))


def unread(inspection: int, *, person: int | None, first: bool) -> QuerySet[InspectionItem]:
    """Items that wait for a reading this person may give: nobody reads a form twice.

    ``first``: whether first readings are this person's office; without it only those that one person has read.
    """
    rows = InspectionItem.unscoped.filter(inspection=inspection, identity_right__isnull=True)
    rows = rows.exclude(read_by(person)).exclude(_read(SECOND))
    again = Q(_read(FIRST)) & Q(second=True)
    return rows.filter(again | ~Q(_read(FIRST))) if first else rows.filter(again)


def open_for(inspection: int, *, person: int | None, first: bool, at: datetime) -> QuerySet[InspectionItem]:
    """Of these, what nobody else holds: first readings before second ones."""
    held = Q(held_by__isnull=True) | Q(held_by=person) | Q(held_until__lte=at)
    return unread(inspection, person=person, first=first).filter(held).order_by(_read(FIRST), "rank")


def unsettled(inspection: int) -> QuerySet[InspectionItem]:
    """Items whose two readings differ and that nobody has settled."""
    rows = InspectionItem.unscoped.filter(inspection=inspection, identity_right__isnull=True)
    return differing(rows).order_by("rank")


def differing(rows: QuerySet[InspectionItem]) -> QuerySet[InspectionItem]:
    """Of items without a verdict, those that were read twice."""
    return rows.filter(_read(SECOND))


def may_settle(item: InspectionItem, *, person: int | None) -> bool:
    """Whether a person had no part in the two readings of an item."""
    return not item.readings.filter(read_by=person).exists()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many readings there are of how many; ``unsettled`` items wait for a third person."""

    done: int
    total: int
    unsettled: int
    own: int


def progress(inspection: Inspection, *, person: int | None) -> Progress:
    """How far the reading of an inspection is, and how many readings are this person's own."""
    readings = InspectionReading.unscoped.filter(item__inspection=inspection, turn__lte=SECOND)
    read = readings.aggregate(done=Count("pk"), own=Count("pk", filter=Q(read_by=person)))
    items = InspectionItem.unscoped.filter(inspection=inspection)
    drawn = items.aggregate(all=Count("pk"), twice=Count("pk", filter=Q(second=True)))
    return Progress(
        done=read["done"],
        total=drawn["all"] + drawn["twice"],
        unsettled=unsettled(inspection.pk).count(),
        own=read["own"],
    )


# --- agreement ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Pairs:
    """The forms read twice: how many are the same in every field, and the agreement on what came of them."""

    same: int
    agreement: Agreement


def pairs(inspection: Inspection) -> Pairs:
    """The agreement of first and second readings, of settled items only, so that no reading shows through it."""
    rows = InspectionReading.unscoped.filter(
        item__inspection=inspection, item__second=True, item__identity_right__isnull=False, turn__lte=SECOND
    )
    by_item: dict[int, list[InspectionReading]] = defaultdict(list)
    for reading in rows.order_by("turn"):
        by_item[reading.item_id].append(reading)
    both = [(found[0], found[1]) for found in by_item.values() if len(found) == SECOND]
    return Pairs(
        sum(faults(one) == faults(other) for one, other in both),
        agreement((verdict(one), verdict(other)) for one, other in both),
    )


def faults(reading: InspectionReading) -> set[str]:
    """The fields a reading found wrong."""
    return {field for field, right in reading.fields.items() if not right}


def verdict(reading: InspectionReading) -> str:
    """One of three: ``right``, ``identity`` (wrong there), ``form`` (wrong elsewhere only)."""
    if not reading.identity_right:
        return "identity"
    return "right" if reading.form_right else "form"
