"""Stored forms: append-only by trigger, nothing personal in clear, opened by their key only."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from filings.models import FormRefusal, VerificationForm
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE filings_verificationform SET late = true",
        "DELETE FROM filings_verificationform",
        "UPDATE filings_formrefusal SET form_no = ''",
        "DELETE FROM filings_formrefusal",
    ],
)
def test_stored_rows_can_neither_be_changed_nor_removed(sent: dict[str, Any], statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (VerificationForm.unscoped.count(), FormRefusal.unscoped.count()) == (1, 1)
