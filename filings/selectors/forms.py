"""The list of stored forms: visible to the actor, filtered by what lies in clear."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from filings.models import Determination, UploadJob, VerificationForm
from filings.selectors import rollups
from pilot.actors import Actor


def listed(actor: Actor, wanted: dict[str, Any]) -> QuerySet[VerificationForm]:
    """Forms this actor may know of, newest first. ``wanted``: form_no, unit, province, job, since/until, late."""
    rows: QuerySet[VerificationForm] = VerificationForm.objects.visible_to(actor)
    filters = {
        "form_no": wanted.get("form_no"),
        "unit__code": wanted.get("unit"),
        "subject_province": wanted.get("province"),
        "day__gte": wanted.get("since"),
        "day__lte": wanted.get("until"),
        "late": {"yes": True, "no": False}.get(wanted.get("late") or ""),
    }
    rows = rows.filter(**{name: value for name, value in filters.items() if value not in (None, "")})
    if number := wanted.get("job"):
        rows = _of_job(rows, int(str(number).removeprefix("#")))
    return rows.defer("ciphertext", "digest", "subject_index").order_by("-received_at", "-id")


def number(actor: Actor, wanted: dict[str, Any]) -> int:
    """How many forms :func:`listed` gives, to the form.

    Whatever the buckets know of is summed up from them, at the cost of their number and not that of the forms; with
    what waits to be folded they hold what is committed. Late forms are few and have an index of their own.
    """
    if wanted.get("form_no") or wanted.get("job") or wanted.get("late") == "yes":
        return listed(actor, wanted).order_by().count()
    if wanted.get("late") == "no":
        return number(actor, wanted | {"late": ""}) - number(actor, wanted | {"late": "yes"})
    conditions = {
        "unit__code": wanted.get("unit"),
        "subject_province": wanted.get("province"),
        "day__gte": wanted.get("since"),
        "day__lte": wanted.get("until"),
    }
    by_day = wanted.get("since") or wanted.get("until")
    rows = (rollups.days_visible(actor) if by_day else rollups.visible(actor)).filter(
        **{name: it for name, it in conditions.items() if it not in (None, "")}
    )
    return sum(rollups.forms_by_province(rows).values())


def _of_job(rows: QuerySet[VerificationForm], pk: int) -> QuerySet[VerificationForm]:
    """The forms of one upload job. Forms carry its unit and its time of receipt, and those are indexed."""
    job = UploadJob.unscoped.filter(pk=pk).values("unit_id", "received_at").first()
    return rows.filter(job=pk, **job) if job else rows.none()


def came_late() -> Exists:
    """Whether what an upload job brought came late: all of it or nothing, for a job has one time of receipt."""
    return Exists(
        VerificationForm.unscoped.filter(
            unit=OuterRef("unit"), received_at=OuterRef("received_at"), job=OuterRef("pk"), late=True
        )
    )


def with_outcome(rows: QuerySet[VerificationForm]) -> QuerySet[VerificationForm]:
    """Each form with ``outcome``, that of its latest comparison (None: not compared yet)."""
    latest = Determination.unscoped.filter(form=OuterRef("pk")).order_by("-number").values("outcome")[:1]
    return rows.annotate(outcome=Subquery(latest)).select_related("unit__organisation")


def subject_of(form: VerificationForm) -> VerificationForm | None:
    """The form whose subject a V3.0 addition names, once it was found (without its content)."""
    rows: QuerySet[VerificationForm] = VerificationForm.unscoped.filter(additions__form=form.pk)
    return rows.defer("ciphertext", "digest", "subject_index").first()


def chain(form: VerificationForm) -> QuerySet[VerificationForm]:
    """All versions of a form's chain, first to last."""
    rows = VerificationForm.unscoped.filter(unit=form.unit_id, chain_no=form.chain_no)
    return with_outcome(rows.defer("ciphertext")).order_by("version")
