"""The receipt as PDF: made after the commit, once, with what leads to its check."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from applications import documents as papers
from applications.models import ApplicationVersion
from applications.selectors import receipts
from applications.tasks import make_receipt
from pilot import pdf, qr
from pilot.actors import Actor
from pilot.models import AuditHead, Document, OutboxMessage
from pilot.services import audit_heads, documents
from pilot.workflow import fire
from tests.applications import builders
from tests.documents.reading import text_of
from tests.factories import world
from tests.pilot.test_audit_offline import offline

TASK = "applications.tasks.make_receipt"


def handed_in(provider: Actor) -> ApplicationVersion:
    case = builders.drafted(provider)
    fire(case, "submit", actor=provider, at=world.at("2019-04-12 09:00"), declaration=True)
    version: ApplicationVersion = ApplicationVersion.unscoped.get(application=case)
    return version


def test_a_submission_sets_no_paper_and_posts_the_work(
    provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> bytes:
        raise AssertionError("a PDF was set in the submitting request")

    monkeypatch.setattr(documents, "render_pdf", refuse)
    version = handed_in(provider)
    assert receipts.document_of(version) is None
    posted = OutboxMessage.objects.get(target=TASK)
    assert posted.payload == {"version_id": version.pk}


def test_the_task_makes_the_receipt_of_the_time_of_submission(provider: Actor) -> None:
    version = handed_in(provider)
    world.at("2019-04-12 09:30")  # the worker was busy
    assert builders.run_tasks() == [TASK]
    document = receipts.document_of(version)
    assert document is not None
    assert (document.kind, document.title, document.made_at, document.case_key) == (
        "receipt",
        "申请材料接收回执（第1版）",
        version.at,
        version.application.case_key,
    )


def test_a_second_run_finds_the_first_ones_document(provider: Actor) -> None:
    version = handed_in(provider)
    assert make_receipt(version.pk) == make_receipt(version.pk)
    assert Document.objects.filter(kind="receipt").count() == 1


def test_a_worker_that_was_overtaken_while_setting_keeps_nothing(
    provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = handed_in(provider)
    plain = documents.render

    def overtaken(*args: Any, **kwargs: Any) -> bytes:
        monkeypatch.setattr(documents, "render", plain)
        make_receipt(version.pk)
        return plain(*args, **kwargs)

    monkeypatch.setattr(documents, "render", overtaken)
    kept = make_receipt(version.pk)
    assert list(Document.objects.filter(kind="receipt").values_list("pk", flat=True)) == [kept]


def test_each_version_has_its_own_receipt(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    fire(case, "resubmit", actor=provider, declaration=True)
    builders.run_tasks()
    titles = Document.objects.filter(object_id=case.pk, kind="receipt").values_list("title", flat=True)
    assert list(titles) == ["申请材料接收回执（第1版）", "申请材料接收回执（第2版）"]


@override_settings(PILOT_SITE="https://pilot.example.cn")
def test_code_and_address_stand_on_the_paper(provider: Actor) -> None:
    version = handed_in(provider)
    builders.run_tasks()
    document = receipts.document_of(version)
    assert document is not None
    text = re.sub(r"\s", "", text_of(documents.read_bytes(document.sha256)))
    assert text.count(version.digest[:32]) == 1
    assert text.count("https://pilot.example.cn/check/") == 1
    assert "扫码查验" in text


@override_settings(PILOT_SITE="https://pilot.example.cn")
def test_the_drawing_holds_the_address_with_the_code(
    provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = handed_in(provider)
    given: dict[str, Any] = {}

    def render(template: str, context: Any, *, title: str) -> bytes:
        given.update(context)
        return pdf.render_pdf(template, {**context, "demo_mark": False}, title=title)

    monkeypatch.setattr(papers.documents, "render", render)
    make_receipt(version.pk)
    address = f"https://pilot.example.cn/check/{version.digest[:32]}/"
    assert given["qr"] == qr.svg(address, title="回执查验二维码")


def test_a_qr_code_is_squares_on_white_with_its_finders() -> None:
    """The modules drawn are exactly those the library set; the three finder patterns stand in their corners."""
    drawn = qr.svg("https://pilot.example.cn/check/", title="x<y")
    side = int(re.findall(r'viewBox="0 0 (\d+) \1"', drawn)[0])
    dark = {
        (int(x) + step, int(y))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn)
        for step in range(int(length))
    }
    assert "<title>x&lt;y</title>" in drawn
    last = side - 2 * qr.QUIET_ZONE - 7
    for left, top in [(0, 0), (last, 0), (0, last)]:
        finder = {(x, y) for x in range(7) for y in range(7) if max(abs(x - 3), abs(y - 3)) in (0, 1, 3)}
        corner = {
            (x - left - qr.QUIET_ZONE, y - top - qr.QUIET_ZONE)
            for x, y in dark
            if 0 <= x - left - qr.QUIET_ZONE < 7 and 0 <= y - top - qr.QUIET_ZONE < 7
        }
        assert corner == finder
    assert min(min(x, y) for x, y in dark) == qr.QUIET_ZONE


def test_the_receipt_names_a_signed_head_under_which_the_submission_lies(provider: Actor) -> None:
    version = handed_in(provider)
    client = builders.client_of(provider)
    page, proof = (
        reverse(name, args=[version.application_id]) for name in ("application_receipt", "application_proof")
    )
    assert (client.get(proof).status_code, proof in client.get(page).content.decode()) == (404, False)
    assert builders.run_tasks() == [TASK]
    head = AuditHead.objects.get()
    document = receipts.document_of(version)
    assert document is not None
    text = "".join(text_of(documents.content_of(document)).split())
    assert f"第{head.size}号树根{head.root[:16]},签名{head.signature[:16]}" in text.replace("，", ",")

    assert proof in client.get(page).content.decode()
    found = client.get(proof).json()
    assert found["head"] == audit_heads.plain(head)
    assert found["entry"]["detail"] == {"version": 1, "digest": version.digest}
    assert offline.verify_proof(found) == ""
    assert offline.wrong_signature(found["head"], [audit_heads.public_key()]) == ""
    forged = {**found, "entry": {**found["entry"], "detail": {"version": 1, "digest": "0" * 64}}}
    assert offline.verify_proof(forged) == "the entry is not the one that was recorded"
    assert (
        head.root
        in Client().get(receipts.check_address(version).removeprefix(settings.PILOT_SITE)).content.decode()
    )


def test_a_receipt_is_made_even_while_the_log_is_broken(provider: Actor) -> None:
    first = handed_in(provider)
    make_receipt(first.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE pilot_audithead SET root = repeat('0', 64)")
        cursor.execute("SET LOCAL session_replication_role = origin")
    second = handed_in(world.provider())
    assert make_receipt(second.pk) != make_receipt(first.pk)
    assert AuditHead.objects.count() == 1
