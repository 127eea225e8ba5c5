"""Builders of units, forms, comparisons and findings for the tests of the run phase."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from filings.enums import FindingKind, FindingSource
from filings.models import (
    AuthorityRecord,
    Determination,
    Finding,
    FormRefusal,
    InspectionItem,
    UploadJob,
    VerificationForm,
)
from filings.services import crypto, deltas, reading, storage
from filings.services.findings import Fault, open_findings
from pilot.actors import Actor
from pilot.enums import UnmaskReason
from pilot.models import Organisation, PilotUnit, Programme
from pilot.rules import local_day
from pilot.services import register
from pilot.workflow import open_case
from tests.factories import world

SYSTEM = Actor.system("tests")
_serial = count(1)


def enrol(programme: Programme, provider: Actor, *, since: str = "2019-05-16 00:00") -> PilotUnit:
    """Enter a provider into the register, active since the run phase opened."""
    return register.enrol_unit(
        actor=world.SETUP,
        programme=programme,
        organisation=Organisation.objects.get(pk=provider.organisation_id),
        case_key=uuid4(),
        at=world.moment(since),
        effective_from=world.moment(since),
    )


def job(unit: PilotUnit, received_at: datetime, **fields: Any) -> UploadJob:
    """An upload job with the given counts."""
    row = UploadJob(
        case_key=uuid4(),
        unit=unit,
        source_name="示例.ndjson",
        format="ndjson",
        sha256="0" * 64,
        size=1,
        received_at=received_at,
        **fields,
    )
    open_case(row, actor=SYSTEM, at=received_at)
    return row


def form(
    unit: PilotUnit,
    form_no: str,
    received: str | datetime = "2019-06-18 10:00",
    *,
    corrects: VerificationForm | None = None,
    late: bool = False,
    province: int = 44,
    kind: str = "unit",
    content: dict[str, Any] | None = None,
    subject_known: bool = True,
    filing_type: str = "new_filing",
    subject_index: bytes = b"-",
) -> VerificationForm:
    """A stored form as the intake writes it, sealed under the unit's data key of the month."""
    received_at = world.moment(received) if isinstance(received, str) else received
    day = corrects.day if corrects else local_day(received_at)
    key, uuid = storage.month_key(unit_id=unit.pk, month=day.replace(day=1)), uuid4()
    canonical = json.dumps(content or {}).encode()
    upload = UploadJob.unscoped.filter(unit=unit).first() or job(unit, received_at)
    row = VerificationForm(
        uuid=uuid,
        unit=unit,
        job=upload,
        row=1,
        form_no=form_no,
        chain_no=corrects.chain_no if corrects else form_no,
        version=corrects.version + 1 if corrects else 1,
        supersedes=corrects.form_no if corrects else "",
        day=day,
        received_at=received_at,
        collected_at=received_at - timedelta(minutes=5),
        late=late,
        filing_type=filing_type,
        subject_province=province,
        subject_kind=kind,
        source="ndjson",
        rule_version="2019-87/1",
        subject_known=subject_known,
        digest=form_no.encode(),
        subject_index=subject_index,
        key=key,
        ciphertext=storage.close_content(storage.data_key(key), uuid, canonical=canonical, raw=canonical),
    )
    with deltas.arriving(unit_id=unit.pk, arrivals=[arrival(row)]):
        row.save()
    return row


def arrival(row: VerificationForm) -> deltas.Arrival:
    """What the counts need to know of a form that comes in."""
    return deltas.Arrival(
        row.chain_no, row.version, row.day, row.subject_province, row.subject_kind, row.late
    )


def forms(unit: PilotUnit, number: int, received: str = "2019-06-18 10:00") -> list[VerificationForm]:
    """Many forms at once, without corrections."""
    first = form(unit, f"A-{next(_serial)}", received)
    rows = []
    for _n in range(number - 1):
        copy = VerificationForm.unscoped.get(pk=first.pk)
        copy.pk, copy.uuid = None, uuid4()
        copy.form_no = copy.chain_no = f"A-{next(_serial)}"
        rows.append(copy)
    with deltas.arriving(unit_id=unit.pk, arrivals=[arrival(row) for row in rows]):
        return [first, *VerificationForm.unscoped.bulk_create(rows)]


def compared(*rows: VerificationForm, outcome: str = "match") -> None:
    """The comparison of forms came to this outcome; a mismatch has its finding on the subject."""
    for row in rows:
        number = Determination.unscoped.filter(form=row.pk).count() + 1
        with deltas.recorded(unit_id=row.unit_id, chains=[row.chain_no]):
            Determination.unscoped.create(
                form=row,
                unit_id=row.unit_id,
                number=number,
                outcome=outcome,
                fields=["subject"] if outcome == "mismatch" else [],
                at=row.received_at,
            )
        if outcome == "mismatch":
            found(row, source=FindingSource.COMPARISON, field="subject")


def found(
    row: VerificationForm,
    *,
    source: str = FindingSource.REPORT,
    kind: str = FindingKind.IDENTITY,
    field: str = "subject",
    by: Actor = SYSTEM,
    at: datetime | None = None,
) -> Finding:
    """An open finding on a form, notified at ``at`` (default: two days after receipt, so after the count closed)."""
    fault = Fault(form=row, source=source, kind=kind, field=field, description="与权威库记录不一致（示例）")
    return open_findings(actor=by, faults=[fault], at=at or row.received_at + timedelta(days=2))[0]


def decide(finding: Finding, *states: str) -> None:
    """Move a finding along its machine's pairs without its ceremony (the database checks the pairs)."""
    for state in states:
        with deltas.recorded(unit_id=finding.unit_id, chains=[finding.chain_no]):
            Finding.unscoped.filter(pk=finding.pk).update(state=state)


def refusal(unit: PilotUnit, received_at: datetime, *, row: int, upload: UploadJob) -> FormRefusal:
    """A row refused at the door."""
    return FormRefusal.unscoped.create(
        job=upload,
        unit=unit,
        row=row,
        form_no=f"R-{row}",
        received_at=received_at,
        errors=[{"code": "field.required", "field": "/subject/name"}],
    )


def compared_all(rows: list[VerificationForm]) -> None:
    """Every form agrees with the authority's record."""
    with deltas.recorded(unit_id=rows[0].unit_id, chains=[row.chain_no for row in rows]):
        Determination.unscoped.bulk_create(
            Determination(
                form=row, unit_id=row.unit_id, number=1, outcome="match", fields=[], at=row.received_at
            )
            for row in rows
        )


def content(
    subject: tuple[int, str, str] = (1, "91440000MA0000001X", "示例科技有限公司"),
    principal: tuple[int, str, str] = (2, "440101199001010011", "示例甲"),
    *websites: tuple[int, str, str],
) -> dict[str, Any]:
    """The people of a form as {cert_type, cert_no, name}; what else a form holds plays no part in comparing."""

    def person(one: tuple[int, str, str]) -> dict[str, Any]:
        return dict(zip(("cert_type", "cert_no", "name"), one, strict=True))

    return {
        "subject": person(subject),
        "principal": person(principal),
        "websites": [{"principal": person(one)} for one in websites],
    }


def full(number: int) -> dict[str, Any]:
    """A form's record as the intake stores it, with everything an inspector looks at."""
    person = {
        "cert_type": 2, "cert_no": "440101199001010011", "name": "示例甲", "mobile": "13800138000",
        "landline": "020-12345678", "email": "zhangsan@example.cn",
    }  # fmt: skip
    return {
        "subject": {
            "name": f"示例科技{number}有限公司", "nature": 4, "cert_type": 1, "cert_no": "91440000MA0000001X",
            "cert_address": "广东省广州市天河区示例路1号", "city": "440100", "county": "440106",
            "post_address": "广东省广州市天河区示例路1号",
        },
        "principal": person,
        "websites": [
            {
                "site_name": f"示例网站{number}", "domain": f"example{number}.cn", "principal": person,
                "access": {"mode": 1, "server_place": "440100", "ip_from": "1.2.3.4", "ip_to": "1.2.3.4"},
            }
        ],
        "collection_methods": ["face", "action"],
        "collected_at": "2019-06-18T09:55:00+08:00",
        "compare_supplied_cert": {"result": "consistent", "at": "2019-06-18T09:56:00+08:00"},
        "compare_authority_db": {"result": "consistent", "at": "2019-06-18T09:57:00+08:00"},
        "checks": dict.fromkeys(["originals_seen", "subject_cert", "mobile", "ip"], "yes") | {"approval": "na"},
        "verifier_name": "示例乙",
        "verifier_promise_at": "2019-06-18T09:58:00+08:00",
    }  # fmt: skip


def on_record(*people: tuple[int, str, str], valid: tuple[str | None, str | None] = (None, None)) -> None:
    """Enter people into the authority's extract."""
    for person in people:
        identity, name = crypto.authority_keys(*person)
        AuthorityRecord.objects.create(identity=identity, name=name, valid_from=valid[0], valid_to=valid[1])


def looked(actor: Actor, item: InspectionItem) -> None:
    """That an inspector had the content of a drawn form shown in full."""
    reading.unmask_form(actor=actor, form=item.form, reason=UnmaskReason.CERTIFICATE)
