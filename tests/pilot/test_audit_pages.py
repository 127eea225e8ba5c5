"""The audit administrator searches the log, takes it away and has it checked; everyone may keep its heads."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localtime

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.masking import mask_name
from pilot.models import AuditCheck, AuditEntry, AuditHead, OutboxMessage
from pilot.selectors import audit as selector
from pilot.services import audit, audit_checks, audit_heads
from tests.factories import world
from tests.pilot.test_audit_offline import offline
from tests.pilot.test_door import signed_in

OUTCOME = AuditEntry.Outcome


@pytest.fixture
def auditor(programme: Any) -> Actor:
    return world.ministry(Role.AUDIT_ADMIN)


@pytest.fixture
def entries(auditor: Actor, provider: Actor) -> list[AuditEntry]:
    """What a provider and a job did today, the day before and two days before; oldest first."""
    today = localtime(clock.security_now()).replace(hour=12)
    rows = [
        (provider, "application.submit", OUTCOME.DONE, "10.0.0.1", "7", 2),
        (provider, "application.submit", OUTCOME.DENIED, "10.0.0.2", "8", 1),
        (Actor.system("deadlines"), "application.lapse", OUTCOME.DONE, None, "7", 0),
    ]
    return AuditEntry.objects.bulk_create(
        AuditEntry(
            at=today - timedelta(days=ago), business_at=today, action=action, outcome=outcome, actor=who.name,
            person_id=who.person_id, role=who.role, channel=who.channel, address=address,
            object_type="application", object_id=key, detail={"code": "条件"},
        )
        for who, action, outcome, address, key, ago in rows
    )  # fmt: skip


def found(client: Client, **query: str) -> list[int]:
    """The entries a search shows."""
    response = client.get(reverse("audit_list"), query)
    assert response.status_code == 200
    return [int(row.url.rstrip("/").rsplit("/", 1)[1]) for row in response.context["page"].rows]


def day(entry: AuditEntry) -> str:
    return f"{localtime(entry.at):%Y-%m-%d}"


def test_every_criterion_finds_its_rows_and_others_narrow_it(
    auditor: Actor, provider: Actor, entries: list[AuditEntry]
) -> None:
    client, (first, second, third) = signed_in(auditor), entries
    keys = [third.pk, second.pk, first.pk]
    today = day(third)
    for query, expected in (
        ({"subject": "application", "until": today}, keys),
        ({"subject": "application", "since": "0001-01-01", "until": "9999-12-31"}, keys),
        ({"subject": "application 7"}, [third.pk, first.pk]),
        ({"subject": "试点申请 7"}, [third.pk, first.pk]),
        ({"person": provider.name, "subject": "application"}, [second.pk, first.pk]),
        ({"person": "deadlines"}, [third.pk]),
        ({"act": "application.submit"}, [second.pk, first.pk]),
        ({"act": "application.submit", "outcome": "denied"}, [second.pk]),
        ({"address": "10.0.0.1"}, [first.pk]),
        ({"since": day(second), "until": day(second)}, [second.pk]),
        ({"since": day(second), "subject": "application"}, [third.pk, second.pk]),
        ({"person": "谁也不是"}, []),
    ):
        assert found(client, **query) == expected, query
    page = client.get(reverse("audit_list"), {"address": "nowhere"}).content.decode()
    assert "输入一个有效的" in page or "请输入" in page


def test_pages_go_back_in_time_and_cost_the_same(
    auditor: Actor, entries: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(auditor)
    found(client, subject="application")
    with CaptureQueriesContext(connection) as of_three:
        found(client, subject="application")
    monkeypatch.setattr(selector, "PAGE", 1)
    with CaptureQueriesContext(connection) as of_one:
        newest = client.get(reverse("audit_list"), {"subject": "application"})
    assert len(of_one) == len(of_three)
    shown, query = [], "subject=application"
    for _ in entries:
        response = client.get(f"{reverse('audit_list')}?{query}")
        shown.append(response.context["page"].rows[0].url)
        older = [link.url for link in response.context["page"].toolbar if link.label == "更早的记录"]
        following = response.context["page"].following
        assert [following.url if following else ""] == (older or [""])
        assert response.content.decode().count("更早的记录") == 2 * len(older)
        query = older[0].lstrip("?") if older else ""
    assert shown == [reverse("audit_detail", args=[entry.pk]) for entry in reversed(entries)]
    assert query == ""
    assert newest.context["page"].rows[0].url == shown[0]


def test_one_entry_shows_all_of_it_and_its_place(auditor: Actor, entries: list[AuditEntry]) -> None:
    client, address = signed_in(auditor), reverse("audit_detail", args=[entries[1].pk])
    facts = {fact.label: fact.value for s in client.get(address).context["page"].sections for fact in s.facts}
    assert (facts["操作"], facts["来源地址"], facts["code"]) == ("试点申请 · 提交申请", "10.0.0.2", "条件")
    assert (facts["对象"], facts["途径"]) == ("试点申请 8", "网页")
    export = audit.record(action="list.export", actor=auditor, object_type="list", object_id="national")
    page = client.get(reverse("audit_detail", args=[export.pk])).context["page"]
    assert {fact.label: fact.value for s in page.sections for fact in s.facts}[
        "对象"
    ] == "列表 与全国系统核对"
    assert facts["链上序号"] == "尚未入链，通常十秒内完成"
    audit.seal()
    head = audit_heads.sign()
    assert head is not None
    facts = {fact.label: fact.value for s in client.get(address).context["page"].sections for fact in s.facts}
    assert (facts["覆盖本条的树根"], facts["本条摘要"]) == (head.root, entries[1].seal.digest)
    assert client.get(reverse("audit_detail", args=[0])).status_code == 404


def test_an_export_needs_a_reason_is_on_record_and_verifies(
    auditor: Actor, entries: list[AuditEntry]
) -> None:
    client, address = signed_in(auditor), reverse("audit_export")
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": " "}).status_code == 422
    assert AuditEntry.objects.filter(action="audit.export").count() == 0
    response = client.post(address, {"reason": "年度检查"})
    lines = gzip.decompress(b"".join(response.streaming_content)).decode().splitlines()
    sealed = len(lines) - 1
    entry = AuditEntry.objects.get(action="audit.export")
    assert entry.detail == {"first": 1, "last": sealed, "rows": sealed, "reason": "年度检查"}
    assert entry.person_id == auditor.person_id
    assert offline.verify_log(iter(lines), []) == ("", sealed, 0)
    part = client.post(address, {"reason": "一天", "since": day(entries[1]), "until": day(entries[1])})
    rows = [
        json.loads(line) for line in gzip.decompress(b"".join(part.streaming_content)).decode().splitlines()
    ]
    assert [row["entry"]["id"] for row in rows[1:]] == [entries[1].pk]
    future = client.post(address, {"reason": "没有", "since": "2999-01-01"})
    empty = gzip.decompress(b"".join(future.streaming_content)).decode().splitlines()
    assert offline.verify_log(iter(empty), []) == ("", 0, 0)


def test_a_check_is_a_job_with_a_result_page(auditor: Actor, entries: list[AuditEntry]) -> None:
    client = signed_in(auditor)
    assert client.get(reverse("audit_check_create")).status_code == 200
    response = client.post(reverse("audit_check_create"))
    check = AuditCheck.objects.get()
    assert response["Location"] == reverse("audit_check", args=[check.pk])
    assert client.post(reverse("audit_check_create"))["Location"] == response["Location"]  # one at a time
    posted = OutboxMessage.objects.get(target="pilot.tasks.check_audit")
    assert posted.payload == {"check_id": check.pk}
    assert client.get(response["Location"]).context["page"].waiting is True
    assert (audit_checks.run(check_id=check.pk), audit_checks.run(check_id=check.pk)) == (True, False)
    page = client.get(response["Location"]).context["page"]
    assert (page.waiting, page.failed, page.facts[0].value.label) == (False, "", "完整无改动")
    row = client.get(reverse("audit_check_list")).context["page"].sections[0].rows[0]
    assert (row.url, row.cells[1]) == (response["Location"], mask_name(auditor.name))
    assert list(AuditEntry.objects.filter(action__startswith="audit.").values_list("action", flat=True)) == [
        "audit.check",
        "audit.checked",
    ]


def test_everyone_may_keep_the_heads(auditor: Actor, entries: list[AuditEntry], tmp_path: Path) -> None:
    audit.seal()
    head = audit_heads.sign()
    assert head is not None
    client = Client()
    assert client.get(reverse("audit_heads")).context["page"].sections[0].rows[0].cells[2] == head.root
    as_json = client.get(reverse("audit_heads_json")).json()
    assert as_json == {
        "format": "audit-heads-v1",
        "key": audit_heads.public_key(),
        "heads": [audit_heads.plain(head)],
        "handovers": [],
    }
    text = client.get(reverse("audit_heads_text")).content.decode()
    assert offline.heads_of(text) == as_json["heads"] == offline.heads_of(json.dumps(as_json))
    assert client.get(reverse("audit_verifier")).content == Path(offline.__file__).read_bytes()

    kept = tmp_path / "heads"
    for content in (text, json.dumps(as_json), f"# by hand\n{head.size} {head.digest}\n"):
        kept.write_text(content)
        call_command("verify_audit", heads=kept)
    for content, told in (
        (
            text.replace(head.root, "0" * 64),
            f"the root of the head over {head.size} entries is not that of the log",
        ),
        (
            f"{head.size + 9} {head.digest}",
            f"the kept head {head.size + 9} {head.digest[:12]}… is not in the chain",
        ),
        ("nonsense", """heads: ValueError("invalid literal for int() with base 10: 'nonsense'")"""),
    ):
        kept.write_text(content)
        with pytest.raises(CommandError, match=r".*") as refused:
            call_command("verify_audit", heads=kept)
        assert str(refused.value) == told


def test_the_command_writes_the_same_export_and_says_who_ran_it(
    auditor: Actor, entries: list[AuditEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ops")
    for name, read in (("log.ndjson", bytes), ("log.ndjson.gz", gzip.decompress)):
        call_command("export_audit", str(tmp_path / name), reason="移交")
        lines = read((tmp_path / name).read_bytes()).decode().splitlines()
        assert offline.verify_log(iter(lines), []) == ("", len(lines) - 1, 0)
    entry = AuditEntry.objects.filter(action="audit.export").latest("pk")
    assert (entry.actor, entry.channel, entry.detail["reason"]) == ("ops@console", "console", "移交")
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_audit", str(tmp_path / "log.ndjson"), reason="移交")


def test_the_audit_administrator_starts_at_the_log_and_sees_no_case(auditor: Actor) -> None:
    assert signed_in(auditor).get(reverse("home"))["Location"] == reverse("audit_list")
    own = [name for name in policy.pages() if policy.may_open(name, Role.AUDIT_ADMIN)]
    others = [name for name in own if not policy.may_open(name, Role.PROVIDER_OPERATOR)]
    assert {name.split("_")[0] for name in others} == {"audit", "person", "role-change"}
    readers = [role for role in Role if policy.may_open("audit_list", role)]
    assert readers == [Role.AUDIT_ADMIN]


def test_heads_and_checks_are_law_once_written(entries: list[AuditEntry]) -> None:
    audit.seal()
    head = audit_heads.sign()
    assert head is not None
    assert (head.at.microsecond, AuditHead.objects.get()) == (0, head)
    for change in (head.save, head.delete):
        with pytest.raises(ProgrammingError, match="Cannot update or delete rows"), transaction.atomic():
            change()


def test_what_runs_by_itself_is_called_the_system_and_its_job_stands_beside_it(
    auditor: Actor, entries: list[AuditEntry]
) -> None:
    client, job = signed_in(auditor), entries[2]
    [row] = client.get(reverse("audit_list"), {"person": "deadlines"}).context["page"].rows
    assert row.cells[1] == "系统"
    facts = client.get(reverse("audit_detail", args=[job.pk])).context["page"].sections[0].facts
    assert [(fact.value, fact.hint) for fact in facts if fact.label == "人员"] == [("系统", "deadlines")]
