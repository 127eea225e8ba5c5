"""``POST /api/v1/forms/``: every row answered, nothing half-written, retries that change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection

from filings.models import FormRefusal, UploadJob, VerificationForm
from filings.services import loading
from pilot.enums import ApiMode
from pilot.models import AuditEntry, IdempotentAnswer, Notice, OutboxMessage
from tests.filings.api.caller import Caller, forms, issued

pytestmark = pytest.mark.django_db


def stored() -> int:
    return VerificationForm.unscoped.count()


def test_one_form(caller: Caller) -> None:
    response = caller.post("forms/", forms()[0])
    job = UploadJob.unscoped.get()
    assert (response.status_code, response.json()) == (
        200,
        {
            "job": str(job.case_key),
            "dry_run": False,
            "rows": 1,
            "accepted": 1,
            "duplicates": 0,
            "rejected": [],
        },
    )
    assert (job.state, stored()) == ("done", 1)
    assert caller.post("forms/", forms()[0]).json()["duplicates"] == 1
    assert stored() == 1


def test_what_a_request_costs(caller: Caller, django_assert_max_num_queries: Any) -> None:
    """Units send ten a second: nobody is told by notice or mail, and one comparison waits for all of them."""
    caller.post("forms/", forms()[0])
    with django_assert_max_num_queries(22):
        caller.post("forms/", forms(2)[1])
    messages = OutboxMessage.objects.values_list("target", "payload")
    assert (list(messages), Notice.objects.count(), stored()) == (
        [("filings.tasks.compare_unit", {"unit_id": UploadJob.unscoped.first().unit_id})],  # type: ignore[union-attr]
        0,
        2,
    )


def test_good_rows_of_a_mixed_array_are_taken(caller: Caller) -> None:
    bad, good = forms(2)
    bad["subject"]["cert_no"] = bad["subject"]["cert_no"][:-1] + "@"
    del bad["verifier_name"]
    answer = caller.post("forms/", [bad, good, 7]).json()
    assert (answer["rows"], answer["accepted"], answer["duplicates"]) == (3, 1, 0)
    assert [
        (row["row"], row["form_no"], sorted((e["code"], e["field"]) for e in row["errors"]))
        for row in answer["rejected"]
    ] == [
        (1, bad["form_no"], [("cert.format", "/subject/cert_no"), ("field.required", "/verifier_name")]),
        (3, "", [("json.invalid", "")]),
    ]
    assert bad["subject"]["cert_no"] not in json.dumps(answer)
    assert (stored(), FormRefusal.unscoped.count()) == (1, 2)


@pytest.mark.parametrize(
    ("around", "content_type", "rows"),
    [
        (b"%s", "application/json", 1),
        (b"[%s, 7]", "application/json", 2),
        (b"%s\n7", "application/x-ndjson", 2),
    ],
    ids=["object", "array", "lines"],
)
def test_a_row_over_a_megabyte_is_refused_alike(
    caller: Caller, around: bytes, content_type: str, rows: int
) -> None:
    body = around.replace(b"%s", json.dumps({"form_no": "x" * 1024 * 1024}).encode())
    answer = caller.post("forms/", body, content_type=content_type).json()
    assert [(row["row"], [e["code"] for e in row["errors"]]) for row in answer["rejected"]] == [
        (1, ["row.too_long"]),
        (2, ["json.invalid"]),
    ][:rows]


def test_a_character_that_no_column_holds(caller: Caller) -> None:
    """JSON may spell NUL anywhere; the row is refused in words like any other."""
    row = {**forms()[0], "\0": 1, "verifier_name": "\0", "filing_type": "\0"}
    row["subject"] = {**row["subject"], "\0": "\0", "name": "\0"}
    answer = caller.post("forms/", [row, {"form_no": "A\0-000001"}])
    assert (answer.status_code, [one["row"] for one in answer.json()["rejected"]]) == (200, [1, 2])
    assert {"/\ufffd", "/subject/\ufffd"} <= {
        error["field"] for error in answer.json()["rejected"][0]["errors"]
    }
    assert caller.get(f"uploads/{answer.json()['job']}/").json()["rejected_rows"] == 2


def test_ndjson_and_the_language_of_the_answer(caller: Caller) -> None:
    body = json.dumps(forms()[0]).encode() + b"\r\n\r\n{\n"
    german = caller.post("forms/", body, content_type="application/x-ndjson; charset=utf-8")
    assert [e["message"] for row in german.json()["rejected"] for e in row["errors"]] == [
        "该行不是一条可读取的记录"
    ]
    body = json.dumps(forms()[0]).encode() + b"\n{\n"
    english = caller.post(
        "forms/", body, content_type="application/x-ndjson", **{"Accept-Language": "en-GB,en;q=0.8"}
    )
    assert [e["message"] for row in english.json()["rejected"] for e in row["errors"]] == [
        "The row is not a readable record"
    ]


@pytest.mark.parametrize("mode", ["dry_run", "test key"])
def test_a_trial_answers_and_stores_nothing(unit: Any, caller: Caller, mode: str) -> None:
    caller.post("forms/", forms()[0])
    counts = (stored(), FormRefusal.unscoped.count(), UploadJob.unscoped.count())
    trial = Caller(issued(unit, ApiMode.TEST).secret) if mode == "test key" else caller
    path = "forms/" if mode == "test key" else "forms/?dry_run=true"
    rows = [*forms(2), {"form_no": "X-000001"}]
    answer = trial.post(path, rows, key="trial-1" if mode == "test key" else "").json()
    assert (answer["job"], answer["dry_run"], answer["accepted"], answer["duplicates"]) == (None, True, 1, 1)
    assert [row["row"] for row in answer["rejected"]] == [3]
    assert (stored(), FormRefusal.unscoped.count(), UploadJob.unscoped.count()) == counts


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b" ", "application/json", 422, "file.empty"),
        (b"[]", "application/json", 422, "file.empty"),
        (b"nonsense", "application/json", 422, "file.wrong_type"),
        (b"[1", "application/json", 422, "file.wrong_type"),
        (b"[" * 100_000, "application/json", 422, "file.wrong_type"),
        (b"\xff\xfe{", "application/x-ndjson", 422, "file.encoding"),
        (json.dumps([{}] * 1001).encode(), "application/json", 422, "file.too_many_rows"),
        (b"{}\n" * 1001, "application/x-ndjson", 422, "file.too_many_rows"),
        (b"[" + b"0," * 1_000_001 + b"0]", "application/json", 422, "file.too_many_rows"),
        (b"{}", "text/plain", 415, "media.type"),
        (b"x" * (8 * 1024 * 1024 + 1), "application/json", 413, "too.large"),
    ],
)
def test_what_cannot_be_taken_as_a_whole(
    caller: Caller, content: bytes, content_type: str, status: int, code: str
) -> None:
    response = caller.post("forms/", content, content_type=content_type, key="k")
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert (response.json()["code"], response.json()["status"]) == (code, status)
    assert response.json()["instance"] == response["X-Request-Id"]
    assert (UploadJob.unscoped.count(), IdempotentAnswer.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("dryrun=true", "dryrun"), ("dry_run=false&dry_run=true", "dry_run"), ("dry_run=", "dry_run")],
)
def test_a_slip_in_a_parameter_stores_nothing(caller: Caller, query: str, parameter: str) -> None:
    response = caller.post(f"forms/?{query}", forms())
    assert (response.status_code, response.json()["code"]) == (400, "request.parameters")
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]
    assert stored() == 0


def test_a_parameter_named_format_is_the_files(caller: Caller) -> None:
    """REST framework would take it for the format of the answer; and no ``Accept`` is refused."""
    trial = caller.post("uploads/?format=ndjson&dry_run=true", b"{}", content_type="application/octet-stream")
    assert trial.status_code == 202
    assert caller.get("unit/", Accept="text/csv").status_code == 200


# --- retries ----------------------------------------------------------------------------------------
def test_the_same_key_and_body_give_the_same_answer(caller: Caller) -> None:
    first = caller.post("forms/", forms(), key="retry-1")
    again = caller.post("forms/", forms(), key="retry-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert (stored(), UploadJob.unscoped.count()) == (1, 1)


def test_both_keys_of_a_rotation_share_their_answers(unit: Any, caller: Caller) -> None:
    caller.post("forms/", forms(), key="retry-1")
    other = Caller(issued(unit).secret).post("forms/", forms(), key="retry-1")
    assert other["Idempotent-Replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(caller: Caller) -> None:
    caller.post("forms/", forms(), key="retry-1")
    response = caller.post("forms/", forms(2), key="retry-1")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency.reused")
    assert stored() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "\x07"])
def test_a_key_that_is_none(caller: Caller, key: str) -> None:
    response = caller.post("forms/", forms(), key=key)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency.key")
    assert stored() == 0
    trial = caller.post("forms/?dry_run=true", forms(), key=key)  # needs none, but the one it has must be one
    assert trial.status_code == (400 if key else 200)


def test_a_refused_request_may_be_corrected_under_its_key(caller: Caller) -> None:
    assert caller.post("forms/", b"nonsense", key="retry-1").status_code == 422
    assert caller.post("forms/", forms(), key="retry-1").json()["accepted"] == 1


# --- the door ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer nonsense", "Basic dGVzdA==", "Bearer live_00000000_xyz", "Bearer live_\0_\xff"],
)
def test_without_a_good_key(caller: Caller, header: str) -> None:
    response = caller.client.post(
        "/api/v1/forms/", b"{}", content_type="application/json", headers={"Authorization": header}
    )
    assert (response.status_code, response.json()["code"]) == (401, "auth.key")
    assert response["WWW-Authenticate"] == 'Bearer realm="pilot"'


def test_a_key_without_the_scope_is_refused_on_record_and_within_its_limit(unit: Any, settings: Any) -> None:
    settings.PILOT_API_RATE = 1
    reader = Caller(issued(unit, scopes=["figures.read"]).secret)
    responses = [reader.post("forms/", forms()) for _ in range(2)]
    assert [(one.status_code, one.json()["code"]) for one in responses] == [
        (403, "auth.scope"),
        (429, "rate.limit"),
    ]
    assert [one["RateLimit"].partition(";t=")[0] for one in responses] == ['"key";r=0'] * 2
    assert AuditEntry.objects.filter(action="api.denied", outcome="denied").count() == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_fails_is_told_to_the_log_not_only_to_the_caller(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise error("the server closed the connection")

    monkeypatch.setattr("pilot.services.idempotency.once", away)
    answer = caller.post("forms/", forms())
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "not.ready", "5")
    [told] = [record for record in caplog.records if record.name == "pilot.api.views"]
    assert (told.levelname, str(told.exc_info and told.exc_info[1])) == (
        "ERROR",
        "the server closed the connection",
    )


@pytest.mark.django_db(transaction=True)
def test_a_database_that_dies_while_rows_are_written_is_asked_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = loading._form_rows

    def dying(*args: Any) -> Iterator[tuple[Any, ...]]:
        yield from plain(*args)
        pid = connection.connection.info.backend_pid
        with psycopg.connect(
            connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]
        ) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    monkeypatch.setattr(loading, "_form_rows", dying)
    answer = caller.post("forms/", forms(3), key="k")
    assert (answer.status_code, answer.json()["code"], stored()) == (503, "not.ready", 0)
    monkeypatch.undo()
    assert (caller.post("forms/", forms(3), key="k").json()["accepted"], stored()) == (3, 3)


def test_the_limit_is_told_and_kept(caller: Caller, settings: Any) -> None:
    settings.PILOT_API_RATE = 2
    answers = [caller.get("unit/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Policy"] for answer in answers] == ['"key";q=2;w=60'] * 3
    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
        '"key";r=1',
        '"key";r=0',
        '"key";r=0',
    ]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60


def test_unknown_addresses_and_methods_are_problems_too(caller: Caller) -> None:
    lost, method = caller.get("nothing/"), caller.get("forms/")
    assert (lost.status_code, lost.json()["code"]) == (404, "not.found")
    assert (method.status_code, method.json()["code"], method["Allow"]) == (405, "method", "POST")
