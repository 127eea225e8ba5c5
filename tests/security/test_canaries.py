"""S14: planted words (23), carried through the real doors, are then in no log, page, mail, queue, file or dump."""

from __future__ import annotations

import copy
import io
import json
import logging
import logging.config
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from lxml import etree

from filings import v3_writer
from filings.models import UploadJob, VerificationForm
from filings.services import uploads, v3_access
from filings.synthetic import make_forms
from pilot.models import AuditEntry, OutboxMessage, Person
from pilot.services import outbox, webhooks
from pilot.views import notices
from tests.factories import world
from tests.filings.api.caller import Caller, admin_of, forms, issued
from tests.filings.v3_service.client import System
from tests.filings.v3_service.conftest import post
from tests.pilot.accounts.helpers import GOOD, code_now, give_factor, login, mailed_links, person_of
from tests.security import canaries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LINK = "link"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the portal's own handler writes, at the most talkative level but for statements of the database."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    converter = logging.config.DictConfigurator({"version": 1})
    handler.setFormatter(converter.configure_formatter(dict(configured.LOGGING["formatters"]["line"])))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``PILOT_VAR`` and the folder for temporary files, both new."""
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "var" / "files"
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def planted() -> dict[str, str]:
    """Personal data as units send it, spelt so that the checks take it."""
    (record,) = (form.record for form in make_forms(1, unit_code="9", seed=4711, **SPAN))
    person = record["principal"]
    return {
        "subject": f"{canaries.name()}商行",
        "name": canaries.name(),
        "certificate": person["cert_no"],
        "mobile": "13977712345",
        "landline": "020-77712345",
        "mailbox": "zander7771@example.cn",
        "site name": canaries.name(),
        "site certificate": "44010619840719003X",
        "site mobile": "13977754321",
        "verifier": canaries.name(),
        "faulty certificate": "440101199001017779",
        "faulty mailbox": "zander7772@@example.cn",
    }


SPAN = {
    "collected_from": world.moment("2019-06-03 00:00"),
    "collected_to": world.moment("2019-06-20 00:00"),
}


def marked(row: dict[str, Any], planted: dict[str, str]) -> dict[str, Any]:
    """A form with the words in it."""
    row = copy.deepcopy(row)
    row["subject"]["name"], row["verifier_name"] = planted["subject"], planted["verifier"]
    row["principal"] |= {
        "name": planted["name"],
        "cert_type": 2,
        "cert_no": planted["certificate"],
        "mobile": planted["mobile"],
        "landline": planted["landline"],
        "email": planted["mailbox"],
    }
    for site in row["websites"]:
        site["principal"] |= {
            "name": planted["site name"],
            "cert_type": 2,
            "cert_no": planted["site certificate"],
            "mobile": planted["site mobile"],
        }
    return row


def faulty(row: dict[str, Any], planted: dict[str, str]) -> dict[str, Any]:
    row = copy.deepcopy(row)
    row["form_no"] += "-X"
    row["principal"] |= {"cert_no": planted["faulty certificate"], "email": planted["faulty mailbox"]}
    return row


def in_v3(unit: Any, planted: dict[str, str]) -> bytes:
    """An upload of the V3.0 service with the words in it."""
    (form,) = make_forms(1, unit_code=unit.code, seed=77, provinces=["440000"], **SPAN)
    element = v3_writer.record_element(marked(form.record, planted), 1)
    text = etree.tostring(element, encoding="unicode")
    return (
        '<?xml version="1.0" encoding="GBK"?><UploadData version="V.3.0"><ICP>'
        f"<XZBA>{text}</XZBA><Qqdwid>{unit.national_id}</Qqdwid></ICP></UploadData>"
    ).encode("gbk")


def at_the_door(secret: str) -> dict[str, str]:
    """A person signs in, mistypes, gets a second factor and a link; returns every secret that was used."""
    officer = person_of(world.ministry())
    Person.objects.filter(pk=officer.pk).update(email="officer@portal.example")
    planted = {"password": GOOD, "typed as login": "Zander-Login-7773", "wrong password": "Zander-Wrong-7774"}
    login(planted["typed as login"], secret)
    login(officer.username, planted["wrong password"])
    factor, codes = give_factor(officer)
    planted |= {"second factor": factor, "recovery code": codes[0]}
    client, _answer = login(officer.username)
    client.post(reverse("mfa_authenticate"), {"code": f"{planted['wrong password']}"})
    client.post(reverse("mfa_authenticate"), {"code": code_now(factor)})
    client.get(reverse("mfa_activate_totp"))
    Client().post(reverse("password_forgotten"), {"username": officer.username})
    (path,) = mailed_links()
    planted[LINK] = path.split("/")[2]
    Client().post(path, {"password": GOOD, "again": "x"})  # the link still holds, the answer is 422
    Client().post(path, {"password": GOOD, "again": GOOD, "code": codes[0]})
    Client().get(path)
    return planted


def broken(client: Client, planted: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Error pages after faults whose words hold what was sent: of the database, of Python, of a program."""

    def duplicate(*_given: Any) -> None:
        words = (planted["name"], planted["subject"])
        with connection.cursor() as cursor:
            insert = "INSERT INTO pilot_numbersequence (series, last) VALUES (%s, 0), (%s, 0)"
            cursor.execute(insert, [planted["name"], planted["name"]])
        raise AssertionError(words)

    def value(*_given: Any) -> None:
        int(planted["name"])

    def syntax(*_given: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::jsonb", [f'{{"name": "{planted["name"]}" "cert"}}'])

    def missing(*_given: Any) -> None:
        {}[planted["site name"]]

    answers = []
    client.raise_request_exception = False
    for fault in (duplicate, value, syntax, missing):
        with monkeypatch.context() as patched:
            patched.setattr(notices, "Notice", type("Broken", (), {"objects": property(fault)})())
            answers.append(client.get(reverse("notice_list"), {"q": planted["mobile"]}))
    return answers


def at_the_console(folder: Path, planted: dict[str, str], body: bytes) -> str:
    """What commands print about an extract and a file with faults, to people and to programs."""
    (folder / "in").mkdir()
    extract, rows = folder / "in" / "authority.csv", folder / "in" / "forms.ndjson"
    lines = [
        "cert_type,cert_no,name,valid_from,valid_to",
        f"2,{planted['certificate']},{planted['name']},2010-01-01,",
        f"2,{planted['faulty certificate']},{planted['site name']},2010-13-01,",
    ]
    extract.write_text("\n".join([*lines, ""]), encoding="utf-8")
    rows.write_bytes(body)
    said = io.StringIO()
    for words in (
        ["load_authority", str(extract)],
        ["ingest", str(rows), "--unit", "1001"],
        ["accuracy", "--unit", "1001", "--period", "2019-07"],
        ["register"],
        ["rotate_keys"],
    ):
        for form in ([], ["--json"]):
            call_command(*words, *form, stdout=said, stderr=said)
    return said.getvalue()


def test_twenty_words_are_nowhere_they_should_not_be(
    unit: Any,
    folder: Path,
    log: io.StringIO,
    planted: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    receiver_of: Callable[..., Any],
) -> None:
    admin, key = admin_of(unit), issued(unit)
    caller, pages = Caller(key.secret), []
    sent = marked(forms(1)[0], planted)
    wrong = faulty(sent, planted)

    # A request, a file with faults, a broken file, a key that is none; the worker does the rest.
    pages.append(caller.post("forms/", [sent, wrong]))
    body = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in (sent, wrong))
    pages.append(caller.post("uploads/", body, content_type="application/x-ndjson"))
    pages.append(caller.post("forms/", f'[{{"form_no": "{planted["name"]}"'.encode()))
    pages.append(Caller(f"live_00000000_{'zander7775' * 5}").get("unit/"))
    pages.append(caller.get(f"uploads/?name={planted['name']}&cert={planted['certificate']}"))

    # The browser: a spreadsheet of text with faults, and pages that break.
    desk = Client()
    desk.force_login(person_of(admin), backend="allauth.account.auth_backends.AuthenticationBackend")
    upload = {"file": SimpleUploadedFile("forms.ndjson", body), "format": "", "encoding": "utf-8"}
    pages.append(desk.post(reverse("upload-job_create"), upload, follow=True))

    # The V3.0 service.
    v3_access.switch_on(actor=admin, unit=unit)
    v3 = v3_access.reveal(actor=admin, unit=unit)
    system = System(post, unit.national_id, unit.code, v3.password, v3.key, v3.vector)
    assert system.upload(1, in_v3(unit, planted)).code == 0
    system.but(pwdHash=v3.password).upload(2, in_v3(unit, planted))

    receiver = receiver_of(204)
    hook = webhooks.register(actor=admin, unit=unit, url=receiver.url, events=["upload.finished"])
    outbox.relay()
    for job in UploadJob.unscoped.filter(state__in=uploads.OPEN_STATES):
        uploads.process(job_id=job.pk)
    outbox.relay()
    printed = at_the_console(folder, planted, body)
    assert "cert.check_digit" in printed
    assert VerificationForm.unscoped.count() >= 2
    errors = broken(desk, planted, monkeypatch)
    assert [answer.status_code for answer in errors] == [500] * 4

    canary = planted | at_the_door(key.secret)
    canary |= {
        "key": key.secret.rpartition("_")[2],
        "no key": "zander7775" * 5,
        "webhook": hook.secret.removeprefix(webhooks.PREFIX),
        "v3 password": v3.password,
        "v3 key": v3.key,
    }
    assert len(set(canary.values())) == 23

    mails = "\n".join(f"{m.subject}\n{m.body}\n{m.to}" for m in mail.outbox).encode()
    assert canaries.hits(canary, mails) == [LINK]  # that is what the mail is for
    keys, queue = canaries.broker()
    assert keys > 0
    places = {
        "log": log.getvalue().encode(),
        "error pages": b"".join(answer.content for answer in [*errors, *pages[2:5]]),
        "answers": b"".join(answer.content for answer in pages[:2]),
        "console": printed.encode(),
        "broker": queue,
        "outbox": json.dumps(list(OutboxMessage.objects.values("payload", "last_error"))).encode(),
        "audit": json.dumps(list(AuditEntry.objects.values("detail", "object_id", "actor"))).encode(),
        "temporary files": canaries.files_under(folder / "tmp"),
        "PILOT_VAR": canaries.files_under(folder / "var"),
        "dump": canaries.dump(),
    }
    assert b"Traceback" in places["log"]
    assert b"pilot_auditentry" in places["dump"]
    assert list((folder / "var" / "spool").rglob("*")) != []
    assert {place: canaries.hits(canary, content) for place, content in places.items()} == {
        place: [] for place in places
    }


def test_the_search_finds_what_lies_open() -> None:
    """The harness itself: each spelling is found, in text, bytes, base64 and hex."""
    word, text = "鲐鲑鲔", "440106198407190031"
    for content in (
        f"a{word}b".encode(),
        f"a{word}b".encode("gbk"),
        json.dumps({"a": word}).encode(),
        f"x{word}".encode().hex().encode(),
        *(canaries.b64encode(b"-" * n + word.encode() + b"--") for n in range(3)),
    ):
        assert canaries.hits({"name": word, "other": text}, content) == ["name"]
    assert canaries.hits({"name": word, "other": text}, text.encode()) == ["other"]
    assert canaries.hits({"name": word}, b"nothing") == []
