"""Rotating keys: everything opens before, between and after; a key removed too early is named and breaks nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from filings.models import UnitMonthKey, V3Access, VerificationForm
from filings.services import comparison, crypto, deltas, spool, storage, uploads
from pilot import clock
from pilot.errors import NotReady
from pilot.models import AuditEntry, Person
from tests.filings import builders

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def first_keys(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"
    settings.PILOT_MASTER_KEY = settings.PILOT_INDEX_KEY = "first"


def rotate() -> Any:
    out = io.StringIO()
    call_command("rotate_keys", "--json", stdout=out)
    return json.loads(out.getvalue())


def receive(unit: Any) -> Any:
    return uploads.receive_upload(
        actor=builders.SYSTEM, unit=unit, source=io.BytesIO(b'{"form_no":"A"}\n'), name="a.ndjson"
    )


def test_keys_are_wrapped_anew_and_the_report_tells_which_may_go(unit: Any, settings: Any) -> None:
    form = builders.form(unit, "A-1", content={"form_no": "A-1"})
    builders.form(unit, "A-2", "2019-05-20 10:00")
    waiting = receive(unit)
    settings.PILOT_MASTER_KEY = "2:second,1:first"
    assert rotate()["master"] == {
        "current": 2,
        "configured": [1, 2],
        "rewrapped": {"data_keys": 2, "v3_secrets": 0, "webhook_secrets": 0, "second_factors": 0},
        "left": {},
        "spooled_files": {"1": 1},
        "removable": [],
    }
    assert AuditEntry.objects.get(action="keys.rotate").detail == {
        "master": 2,
        "data_keys": 2,
        "v3_secrets": 0,
        "webhook_secrets": 0,
        "second_factors": 0,
    }
    assert uploads.process(job_id=waiting.pk).state == "done"
    spool.remove(waiting.case_key)
    again = rotate()["master"]
    assert (again["rewrapped"]["data_keys"], again["spooled_files"], again["removable"]) == (0, {}, [1])
    settings.PILOT_MASTER_KEY = "2:second"
    form.refresh_from_db()
    assert storage.open_form(VerificationForm.unscoped.get(pk=form.pk)) == {"form_no": "A-1"}


def test_what_was_tampered_with_holds_up_nothing_else_and_keeps_its_key(unit: Any, settings: Any) -> None:
    for number, month in (("A-1", "06"), ("A-2", "05")):
        builders.form(unit, number, f"2019-{month}-20 10:00", content={"form_no": number})
    sealed = {"sealed_secret": b"0" * 90, "master_version": 1, "secret_at": clock.security_now()}
    V3Access.unscoped.create(unit=unit, **sealed)
    UnitMonthKey.objects.filter(month="2019-05-01").update(wrapped=b"0" * 60)
    settings.PILOT_MASTER_KEY = "2:second,1:first"
    master = rotate()["master"]
    assert (master["rewrapped"]["data_keys"], master["rewrapped"]["v3_secrets"]) == (1, 0)
    assert (master["left"], master["removable"]) == ({"1": 2}, [])
    settings.PILOT_MASTER_KEY = "2:second"
    assert storage.open_form(VerificationForm.unscoped.get(form_no="A-1")) == {"form_no": "A-1"}


def test_a_master_key_removed_too_early_is_named_and_breaks_nothing(
    unit: Any, settings: Any, bureau_reviewer: Any
) -> None:
    form = builders.form(unit, "A-1", content={"form_no": "A-1"})
    waiting = receive(unit)
    kept = bytes(UnitMonthKey.objects.get().wrapped)
    settings.PILOT_MASTER_KEY = "2:second"
    words = "主密钥第 1 版仍在使用"
    with pytest.raises(CommandError, match=words):
        rotate()
    with pytest.raises(NotReady, match=words):
        storage.open_form(form)
    client = Client(raise_request_exception=False)
    client.force_login(Person.objects.get(pk=bureau_reviewer.person_id), backend=BACKEND)
    page = client.get(reverse("verification-form_detail", args=[form.pk]))
    assert (page.status_code, words in page.content.decode()) == (503, True)
    for _attempt in range(uploads.MAX_ATTEMPTS + 1):
        with pytest.raises(NotReady, match=words):
            uploads.process(job_id=waiting.pk)

    settings.PILOT_MASTER_KEY = "2:second,1:first"
    assert bytes(UnitMonthKey.objects.get().wrapped) == kept
    assert uploads.process(job_id=waiting.pk).state == "done"
    assert rotate()["master"]["rewrapped"]["data_keys"] == 1


def test_forms_and_records_are_found_under_every_version_of_the_index_key(unit: Any, settings: Any) -> None:
    principal = (2, "440101199001010011", "示例甲")
    subject = (1, "91440000MA0000001X", "示例科技有限公司")
    builders.on_record(principal)
    settings.PILOT_INDEX_KEY = "2:second,1:first"
    builders.on_record(subject)
    form = builders.form(unit, "A-1", content=builders.content(subject, principal))
    wrong = builders.form(unit, "A-2", content=builders.content(subject, (2, principal[1], "示例乙")))
    comparison.compare_everything(unit=unit)
    assert [one.determinations.get().outcome for one in (form, wrong)] == ["match", "mismatch"]

    index = rotate()["index"]
    assert (index["current"], index["configured"]) == (2, [1, 2])
    assert (index["authority"], index["removable"]) == ({"1": 1, "2": 1}, [])
    settings.PILOT_INDEX_KEY = "2:second"
    assert 1 in rotate()["index"]["missing"]


def test_a_search_finds_forms_of_an_older_index_key(unit: Any, settings: Any) -> None:
    old = crypto.certificate_index(1, "91440000MA0000001X")
    settings.PILOT_INDEX_KEY = "2:second,1:first"
    new = crypto.certificate_index(1, "91440000MA0000001X")
    for number, index in enumerate((old, new)):
        form = builders.form(unit, f"A-{number}")
        form.pk, form.form_no, form.subject_index = None, f"B-{number}", index
        form.chain_no = form.form_no
        with deltas.arriving(unit_id=unit.pk, arrivals=[builders.arrival(form)]):
            form.save(force_insert=True)
    found = VerificationForm.unscoped.filter(
        subject_index__in=crypto.certificate_indexes(1, "91440000MA0000001X")
    )
    assert sorted(found.values_list("form_no", flat=True)) == ["B-0", "B-1"]
    settings.PILOT_INDEX_KEY = "2:second"
    left = VerificationForm.unscoped.filter(
        subject_index__in=crypto.certificate_indexes(1, "91440000MA0000001X")
    )
    assert left.get().form_no == "B-1"
