"""Stored forms: append-only by trigger, nothing personal in clear, opened by their key only."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import DatabaseError, connection, transaction

from filings.models import (
    FormPicture,
    FormSupplement,
    PictureContent,
    UploadJob,
    VerificationForm,
)
from filings.rules import RULE_VERSION
from filings.services import crypto, storage, uploads
from filings.synthetic import make_forms
from tests.factories import world
from tests.filings import builders

pytestmark = pytest.mark.django_db
TABLES = ("filings_verificationform", "filings_formrefusal", "filings_uploadjob", "filings_unitmonthkey")


@pytest.fixture
def sent(unit: Any) -> dict[str, Any]:
    """A form that was handed in, next to one refused."""
    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }
    good, bad = (
        form.record for form in make_forms(2, unit_code=unit.code, seed=5, provinces=["330000"], **span)
    )
    bad["principal"]["mobile"] = "12013800138"
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(f"{json.dumps(good, ensure_ascii=False)}\n{json.dumps(bad)}".encode()),
        name="forms.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    uploads.process(job_id=job.pk)
    return good


def test_what_counting_needs_is_in_clear_and_right(unit: Any, sent: dict[str, Any]) -> None:
    form = VerificationForm.unscoped.get()
    assert (form.form_no, form.chain_no, form.version, form.supersedes) == (
        sent["form_no"],
        sent["form_no"],
        1,
        "",
    )
    assert (form.day, form.late, form.source, form.row) == (date(2019, 6, 30), False, "ndjson", 1)
    assert form.collected_at == datetime.fromisoformat(sent["collected_at"])
    assert form.received_at == world.moment("2019-06-30 12:00")
    assert (form.filing_type, form.subject_province) == (sent["filing_type"], 33)
    assert (form.subject_kind, form.subject_known, form.rule_version) == (
        sent["subject_kind"],
        True,
        RULE_VERSION,
    )
    subject = sent["subject"]
    index = crypto.certificate_indexes(subject["cert_type"], subject["cert_no"])
    assert VerificationForm.unscoped.get(subject_index__in=index) == form


def test_the_form_and_the_row_as_sent_come_back(sent: dict[str, Any]) -> None:
    form = VerificationForm.unscoped.get()
    opened = storage.open_form(form)
    assert {key: opened[key] for key in ("form_no", "subject", "principal", "websites")} == {
        key: sent[key] for key in ("form_no", "subject", "principal", "websites")
    }
    assert json.loads(storage.raw_row(form)) == sent


def test_every_byte_of_a_row_comes_back(unit: Any, sent: dict[str, Any]) -> None:
    """Also of one that was sent in its normal form, which is kept once."""
    normal = storage.open_form(VerificationForm.unscoped.get()) | {"form_no": "SL-000002"}
    lines = [msgspec.json.encode(normal), json.dumps(normal | {"form_no": "SL-000003"}).encode()]
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b"\n".join(lines)),
        name="forms.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    uploads.process(job_id=job.pk)
    stored = VerificationForm.unscoped.filter(job=job).order_by("row")
    assert [storage.raw_row(form) for form in stored] == lines
    assert [storage.open_form(form)["form_no"] for form in stored] == ["SL-000002", "SL-000003"]


def test_nothing_personal_lies_in_clear(sent: dict[str, Any]) -> None:
    principal, subject, site = sent["principal"], sent["subject"], sent["websites"][0]
    canaries = [
        *(principal[key] for key in ("name", "cert_no", "mobile", "email", "landline")),
        *(subject[key] for key in ("name", "cert_no", "post_address")),
        site["domain"],
        "12013800138",
    ]
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            for (text,) in cursor.fetchall():
                found = [canary for canary in canaries if canary in text or canary.encode().hex() in text]
                assert found == []


def test_stored_rows_can_neither_be_changed_nor_removed(unit: Any, sent: dict[str, Any]) -> None:
    """Nor can rows of a partition by the partition's own name, nor attachments."""
    key = VerificationForm.unscoped.get().key
    content = PictureContent.objects.create(key=key, sha256="0" * 64, sealed=b"-")
    FormPicture.objects.create(
        unit=unit, form_no="A", use="1", format="jpg", owner_kind="subject", owner="1", content=content
    )
    FormSupplement.objects.create(
        uuid=uuid4(), unit=unit, job=UploadJob.unscoped.get(), row=3, digest=b"-", key=key, ciphertext=b"-"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending checks alone would stop a truncation
        cursor.execute("SELECT tableoid::regclass::text FROM filings_verificationform")
        partition = cursor.fetchone()[0]
    assert partition.startswith("filings_verificationform_p")
    columns = {
        "filings_verificationform": "late = true",
        partition: "late = true",
        "filings_formrefusal": "form_no = ''",
        "filings_picturecontent": "sealed = ''",
        "filings_formpicture": "owner = ''",
        "filings_formsupplement": "row = 4",
    }
    for table, change in columns.items():
        for statement in (
            f"UPDATE {table} SET {change}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(DatabaseError, match=r"append-only|Cannot update or delete"):
                _execute(statement)
    with pytest.raises(DatabaseError, match="append-only"):
        _execute("TRUNCATE filings_verificationform_p3")


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_two_units_may_use_the_same_number(unit: Any, sent: dict[str, Any], programme: Any) -> None:
    world.at("2019-05-10 09:00")
    other = builders.enrol(programme, world.provider())
    world.at("2019-07-01 09:00")
    sound, spoilt = sent, {"form_no": sent["form_no"]}
    for rows, outcome in (([spoilt], (0, 0, 1)), ([sound], (1, 0, 0)), ([sound], (0, 1, 0))):
        job = uploads.receive_upload(
            actor=builders.SYSTEM,
            unit=other,
            source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
            name="forms.ndjson",
            received_at=world.moment("2019-06-30 12:00"),
        )
        job = uploads.process(job_id=job.pk)
        assert (job.accepted, job.duplicates, job.rejected_rows) == outcome
    stored = VerificationForm.unscoped.filter(form_no=sent["form_no"]).order_by("unit")
    assert [form.unit for form in stored] == [unit, other]
    assert [storage.open_form(form)["form_no"] for form in stored] == [sent["form_no"]] * 2


@pytest.mark.parametrize("table", ["pilot_pilotunit", "filings_uploadjob", "filings_unitmonthkey"])
def test_what_stored_forms_refer_to_is_never_deleted(sent: dict[str, Any], table: str) -> None:
    """They have no foreign keys: each row would look up the same three rows again."""
    with pytest.raises(DatabaseError, match="Cannot delete rows"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


def test_stored_forms_refer_to_what_is_there(unit: Any, sent: dict[str, Any]) -> None:
    (form,) = VerificationForm.unscoped.select_related("unit", "job", "key")
    assert (form.unit, form.job.unit, form.key.unit, form.key.month) == (unit, unit, unit, date(2019, 6, 1))
