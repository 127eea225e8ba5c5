"""Retention: the content of a unit's month is destroyed with its data key, and what lies beside it is swept.

Forms stay as rows that count: number, day, type, province, comparison, so no figure changes. docs/storage.md lists
what goes, what stays, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import monotonic, sleep
from typing import Any, Final

import pgtrigger
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from filings.enums import FindingState, InspectionState, RectificationState
from filings.models import (
    Determination,
    Finding,
    FindingCause,
    FormPicture,
    FormSupplement,
    Inspection,
    InspectionItem,
    InspectionReading,
    NationalFile,
    PictureContent,
    Rectification,
    Sanction,
    SubjectLink,
    SubjectReference,
    UnitMonthKey,
    UploadJob,
    V3Upload,
    VerificationForm,
)
from filings.periods import Period
from filings.services import comparison, loading, spool, storage, subjects, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Document, Objection, ObjectionState, PilotUnit
from pilot.rules import SHANGHAI
from pilot.selectors import programmes
from pilot.services import audit, documents

RULE: Final = "retention_days"
"""Rule of the programme: days after the month's end until its content may go."""
GONE: Final = "内容已销毁"
"""Stands on record in place of free text that was swept, so Chinese only."""
_OVER: Final = {
    Finding: (FindingState.CONFIRMED, FindingState.UPHELD, FindingState.OVERTURNED),
    Inspection: (InspectionState.CONCLUDED, InspectionState.CANCELLED),
    Rectification: (RectificationState.CLOSED, RectificationState.CANCELLED),
}
PATIENCE: Final = 30.0  # seconds
# Who reads here, and who writes anywhere on this server: rewriting takes a snapshot, which writers of every database
# hold back.
_AT_WORK: Final = """
SELECT pid, xact_start::text FROM pg_stat_activity
WHERE pid <> pg_backend_pid()
    AND (backend_xmin IS NOT NULL AND datname = current_database() OR backend_xid IS NOT NULL)
"""
_UNDER_REVIEW: Final = (ObjectionState.FILED, ObjectionState.UNDER_REVIEW)


@dataclass(frozen=True, slots=True)
class UnitMonth:
    """A unit and a calendar month (Asia/Shanghai), and everything that belongs to the two."""

    unit: PilotUnit
    first: date
    end: date  # the first day after the month

    @classmethod
    def of(cls, unit: PilotUnit, month: str) -> UnitMonth:
        """Read ``2019-06``; raises :class:`Refused` in words for anything else."""
        with suppress(ValueError):
            period = Period.parse(month)
            if period.is_month and period.first is not None and period.end is not None:
                return cls(unit, period.first, period.end)
        raise Refused(_("月份应写作 2019-06 的形式"))

    @property
    def name(self) -> str:
        """``2019-06``"""
        return f"{self.first:%Y-%m}"

    @property
    def closes(self) -> datetime:
        """The first moment after the month in Asia/Shanghai."""
        return datetime.combine(self.end, time.min, SHANGHAI)

    @property
    def forms(self) -> QuerySet[VerificationForm]:
        """Forms sealed under the month's key: those received in it."""
        return VerificationForm.unscoped.filter(unit=self.unit, key__month=self.first, key__unit=self.unit)

    @property
    def jobs(self) -> QuerySet[UploadJob]:
        """Uploads received in the month."""
        opens = datetime.combine(self.first, time.min, SHANGHAI)
        return UploadJob.unscoped.filter(unit=self.unit, received_at__gte=opens, received_at__lt=self.closes)

    @property
    def findings(self) -> QuerySet[Finding]:
        """Findings on the month's forms, and those that count in the month."""
        return Finding.unscoped.filter(
            Q(form__key__month=self.first) | Q(day__gte=self.first, day__lt=self.end), unit=self.unit
        )

    @property
    def items(self) -> QuerySet[InspectionItem]:
        """Forms of the month that were drawn for an inspection."""
        return InspectionItem.unscoped.filter(form__unit=self.unit, form__key__month=self.first)

    @property
    def readings(self) -> QuerySet[InspectionReading]:
        """What inspectors said of these forms, each in words of their own."""
        return InspectionReading.unscoped.filter(item__in=self.items)

    @property
    def contents(self) -> QuerySet[PictureContent]:
        """Pictures sealed under the month's key."""
        return PictureContent.objects.filter(key__unit=self.unit, key__month=self.first)

    @property
    def references(self) -> QuerySet[SubjectReference]:
        """By what the month's forms bring or name a subject."""
        return SubjectReference.objects.filter(form__in=self.forms)

    @property
    def v3_uploads(self) -> QuerySet[V3Upload]:
        """Files that came by the V3.0 service in the month."""
        opens = datetime.combine(self.first, time.min, SHANGHAI)
        return V3Upload.unscoped.filter(unit=self.unit, received_at__gte=opens, received_at__lt=self.closes)

    @property
    def proofs(self) -> QuerySet[Document]:
        """Files that the unit or an official handed in about the month's findings."""
        return Document.objects.filter(
            machine=Finding.slug(), kind="proof", object_id__in=self.findings.values("pk")
        )

    def inspections(self) -> list[Inspection]:
        """Inspections whose period has a day in common with the month."""
        return [one for one in Inspection.unscoped.filter(unit=self.unit) if self._shares(one.period)]

    def _shares(self, name: str) -> bool:
        other = Period.parse(name)
        if other.first is None or other.end is None:
            return True
        return other.first < self.end and self.first < other.end


def inventory(month: UnitMonth) -> dict[str, int]:
    """What would go, by kind; nothing is changed. A second look after destroying finds no more than the rows."""
    return {
        "forms": month.forms.count(),
        "supplements": FormSupplement.objects.filter(key__unit=month.unit, key__month=month.first).count(),
        "blind_indexes": month.forms.exclude(subject_index=b"").count(),
        "subject_references": month.references.count(),
        "pictures": month.contents.count(),
        "v3_record_ids": len(_listing_ids(month)),
        "finding_texts": _described(month).count(),
        "inspection_remarks": month.items.exclude(remark__in=["", GONE]).count()
        + month.readings.exclude(remark__in=["", GONE]).count(),
        "cause_texts": _causes(month).count(),
        "order_texts": _orders(month).count(),
        "national_file_names": _national_files(month).count(),
        "file_names": month.jobs.exclude(source_name=GONE).count(),
        "spooled_files": sum(1 for _path in _spooled(month)),
        "proofs": len(_proofs(month)),
    }


def obstacles(month: UnitMonth, *, force: bool = False) -> list[str]:
    """Why the month's content must stay, in words; ``force`` looks past the retention period, past nothing else."""
    return [*([] if force else _too_early(month)), *_in_hand(month)]


def destroy_month(*, actor: Actor, month: UnitMonth, reason: str, force: bool = False) -> dict[str, Any]:
    """Destroy the content of a unit's month for good; returns ``{unit, month, destroyed_at, forced, swept}``.

    The key goes first, in one transaction with all that lies in the database; then the files. Doing it again sweeps
    what an interrupted sweep left. Raises :class:`Refused` without a reason, or with every obstacle named.
    """
    if not reason.strip():
        raise Refused(_("请说明销毁的理由"))
    with transaction.atomic():
        _lock(month.unit)
        if month.closes > clock.now():
            raise Refused(_("当月尚未结束，不能销毁"))
        if found := obstacles(month, force=force):
            raise Refused("；".join(found))
        swept, proofs = inventory(month), _proofs(month)
        key, destroyed_at = _destroy_key(month)
        _sweep_rows(month)
        for proof in proofs:
            documents.record_destroyed(actor=actor, document=proof)
        detail = {"unit": month.unit.code, "month": month.name, "reason": reason.strip()}
        audit.record(
            action="unit-month.destroy",
            actor=actor,
            subject=key,
            detail=detail | {"forced": force, "swept": swept},
        )
    _sweep_files(month, proofs)
    return {
        "unit": month.unit.code,
        "month": month.name,
        "destroyed_at": destroyed_at.isoformat(),
        "forced": force,
        "swept": swept,
    }


def scrub() -> None:
    """Rewrite the table of keys, so that the database's files hold no older version of a destroyed one.

    Whoever was at work before may still see the older version, and then it would be kept: those are waited for, half
    a minute at most. Not inside a transaction. Write-ahead log and backups age by themselves (docs/storage.md).
    """
    with connection.cursor() as cursor:

        def at_work() -> set[tuple[int, str]]:
            cursor.execute(_AT_WORK)
            return set(cursor.fetchall())

        earlier, end = at_work(), monotonic() + PATIENCE
        while earlier & at_work() and monotonic() < end:
            sleep(0.05)
        cursor.execute(f"VACUUM (FULL) {UnitMonthKey._meta.db_table}")


# --- what stands against it -------------------------------------------------------------------------
def _too_early(month: UnitMonth) -> Iterator[str]:
    days = programmes.rule(month.unit.programme, RULE)
    if days is None:
        yield _("试点项目没有规定保存期限（%(rule)s）") % {"rule": RULE}
    elif clock.now() < (until := month.closes + timedelta(days=days)):
        words = {"days": days, "until": f"{localtime(until):%Y-%m-%d}"}
        yield _("保存期限（%(days)s 天）未满，%(until)s 起才能销毁") % words


def _in_hand(month: UnitMonth) -> Iterator[str]:
    words = {
        _("有 %(count)s 个上报批次尚未处理完"): month.jobs.filter(state__in=uploads.OPEN_STATES).count(),
        _("有 %(count)s 份核验单尚未比对"): _to_compare(month).count(),
        _("有 %(count)s 条差错尚未办结"): month.findings.exclude(state__in=_OVER[Finding]).count(),
        _("有 %(count)s 项抽查尚未办结"): sum(
            one.state not in _OVER[Inspection] for one in month.inspections()
        ),
        _("有 %(count)s 份整改通知尚未办结"): _rectifications(month)
        .exclude(state__in=_OVER[Rectification])
        .count(),
        _("有 %(count)s 件申诉尚未办结"): _objections(month).count(),
    }
    for text, count in words.items():
        if count:
            yield text % {"count": count}


def _to_compare(month: UnitMonth) -> QuerySet[VerificationForm]:
    """Forms that cannot be compared any more once the month is gone: its own, and additions to its subjects."""
    additions = SubjectLink.objects.filter(unit=month.unit, subject_form__in=month.forms)
    return VerificationForm.unscoped.filter(
        subjects.COMPARABLE,
        Q(pk__in=month.forms.values("pk")) | Q(pk__in=additions.values("form")),
        ~Exists(Determination.unscoped.filter(form=OuterRef("pk"))),
        unit=month.unit,
        key__destroyed_at__isnull=True,
    )


def _rectifications(month: UnitMonth) -> QuerySet[Rectification]:
    return Rectification.unscoped.filter(findings__in=month.findings).distinct()


def _objections(month: UnitMonth) -> QuerySet[Objection]:
    """Objections under review against what was decided on this month; a sanction rests on any of them."""
    against = (
        Q(against_machine=Finding.slug(), against_id__in=month.findings.values("pk"))
        | Q(against_machine=Inspection.slug(), against_id__in=[one.pk for one in month.inspections()])
        | Q(against_machine=Rectification.slug(), against_id__in=_rectifications(month).values("pk"))
        | Q(against_machine=Sanction.slug())
    )
    return Objection.unscoped.filter(
        against, organisation=month.unit.organisation_id, state__in=_UNDER_REVIEW
    )


# --- destroying and sweeping ------------------------------------------------------------------------
def _lock(unit: PilotUnit) -> None:
    """Nobody stores or compares forms of the unit meanwhile."""
    with connection.cursor() as cursor:
        for lock in (comparison.COMPARE_LOCK, loading.LOAD_LOCK):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock, unit.pk])


def _destroy_key(month: UnitMonth) -> tuple[UnitMonthKey, datetime]:
    """The key of the month, destroyed, and when that was.

    A month without one gets it, so that nothing is entered there afterwards.
    """
    made = storage.month_key(unit_id=month.unit.pk, month=month.first)
    key = UnitMonthKey.objects.select_for_update().get(pk=made.pk)
    if key.destroyed_at is None:
        key.wrapped, key.destroyed_at = b"", clock.now()
        key.save(update_fields=["wrapped", "destroyed_at"])
    return key, key.destroyed_at


def _sweep_rows(month: UnitMonth) -> None:
    month.forms.exclude(subject_index=b"").update(subject_index=b"")
    month.references.delete()
    for upload in _listing_ids(month):
        upload.records = [[kind, ""] for kind, _id in upload.records]
        upload.save(update_fields=["records"])
    FormPicture.objects.filter(content__in=month.contents).delete()
    month.contents.delete()
    _described(month).update(description=GONE)
    month.findings.exclude(dispute="").update(dispute=GONE)
    month.items.exclude(remark="").update(remark=GONE)
    month.readings.exclude(remark="").update(remark=GONE)
    with pgtrigger.ignore("filings.FindingCause:append_only", "filings.NationalFile:append_only"):
        _causes(month).update(text=GONE)
        _national_files(month).update(name=GONE)
    Rectification.unscoped.filter(pk__in=[order.pk for order in _orders(month)]).update(
        reasons=GONE, measures=GONE, answer_text=GONE
    )
    month.jobs.update(source_name=GONE)


def _listing_ids(month: UnitMonth) -> list[V3Upload]:
    """V3.0 files that still tell by what id or 备案号 their records were sent."""
    return [one for one in month.v3_uploads if any(record_id for _kind, record_id in one.records)]


def _described(month: UnitMonth) -> QuerySet[Finding]:
    """Findings in somebody's own words; those of the comparison are ours and name nobody."""
    own = Q(description__in=[*comparison.DESCRIPTION.values(), GONE])
    return month.findings.filter(~own | ~Q(dispute__in=["", GONE]))


def _open_elsewhere(month: UnitMonth) -> QuerySet[Finding]:
    """Findings of the unit on forms of other months that are still there: what speaks of them stays with them."""
    return Finding.unscoped.filter(unit=month.unit, form__key__destroyed_at__isnull=True).exclude(
        form__key__month=month.first
    )


def _causes(month: UnitMonth) -> QuerySet[FindingCause]:
    """Causes in the unit's words, with the last month of which they speak."""
    rows = FindingCause.unscoped.filter(pk__in=month.findings.values("cause"), unit=month.unit)
    return rows.exclude(text=GONE).exclude(
        pk__in=_open_elsewhere(month).filter(cause__isnull=False).values("cause")
    )


def _orders(month: UnitMonth) -> QuerySet[Rectification]:
    """Rectification orders whose words are still there, with the last month of which they speak."""
    rows = _rectifications(month).exclude(reasons=GONE)
    return rows.exclude(findings__in=_open_elsewhere(month))


def _national_files(month: UnitMonth) -> QuerySet[NationalFile]:
    """Files of the national system that were imported in the month, by the names they came under."""
    return NationalFile.unscoped.filter(key__unit=month.unit, key__month=month.first).exclude(name=GONE)


def _spooled(month: UnitMonth) -> Iterator[Any]:
    for job in month.jobs.values_list("case_key", flat=True):
        yield from spool.folder(job).glob("*")


def _proofs(month: UnitMonth) -> list[Document]:
    """Proofs whose file is still there and serves nothing else on record."""
    mine = list(month.proofs)
    shared = documents.needed({proof.sha256 for proof in mine}, without=month.proofs)
    return [p for p in mine if p.sha256 not in shared and documents.path_of(p.sha256).exists()]


def _sweep_files(month: UnitMonth, proofs: list[Document]) -> None:
    for job in month.jobs.values_list("case_key", flat=True):
        spool.remove(job)
    documents.forget_unless_needed({proof.sha256 for proof in proofs}, without=month.proofs)
