"""How jobs, findings, orders and the unit look to programs: plain data, each field named on purpose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from filings.models import Finding, UploadJob
from filings.selectors import orders
from filings.services import rejects
from pilot.models import PilotUnit


def moment(at: datetime | None) -> str | None:
    """A moment as RFC 3339 in Asia/Shanghai."""
    return None if at is None else localtime(at).isoformat(timespec="milliseconds")


def job_shape(job: UploadJob) -> dict[str, Any]:
    """A job with its counts. ``done`` says that nothing will change any more."""
    key = job.case_key
    return {
        "id": str(key),
        "url": reverse("api_upload", args=[key]),
        "state": job.state,
        "done": job.state in {"done", "failed"},
        "name": job.source_name,
        "format": job.format,
        "size": job.size,
        "sha256": job.sha256,
        "received_at": moment(job.received_at),
        "dry_run": job.dry_run,
        "rows": job.rows,
        "accepted": job.accepted,
        "duplicates": job.duplicates,
        "rejected_rows": job.rejected_rows,
        "code_counts": job.code_counts,
        "fault_code": job.fault_code,
        "fault": job.fault,
        "rejects": reverse("api_upload_rejects", args=[key]) if rejects.available(job) else None,
    }


def finding_shape(finding: Finding) -> dict[str, Any]:
    """A finding of one of the unit's forms."""
    return {
        "number": finding.number,
        "state": finding.state,
        "form_no": finding.form.form_no,
        "source": finding.source,
        "kind": finding.kind,
        "field": finding.field,
        "opened_at": moment(finding.opened_at),
        "dispute_until": moment(finding.due_at),
    }


def rectification_shape(order: Any) -> dict[str, Any]:
    """An order to put something right, with the parts of its deadline (``orders.deadline_parts``)."""
    return {
        "number": order.number,
        "state": order.state,
        "round": order.round,
        "issued_at": moment(order.opened_at),
        "answer_until": moment(orders.answer_end(order)),
    }


def unit_shape(unit: PilotUnit, status: str | None) -> dict[str, Any]:
    """The unit as the register has it."""
    return {
        "code": unit.code,
        "national_id": unit.national_id,
        "name": unit.organisation.name,
        "province": f"{unit.province}0000",
        "status": status,
        "enrolled_at": moment(unit.enrolled_at),
        "licence_expires_on": unit.licence_expires_on.isoformat() if unit.licence_expires_on else None,
    }
