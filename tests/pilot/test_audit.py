"""The audit chain finds every change, deletion, insertion and reordering."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import AuditCheck, AuditEntry, AuditHead, AuditSeal, Notice, Programme
from pilot.services import audit, audit_checks, audit_heads, audit_watch
from pilot.services.audit_checks import KeptHead
from tests.factories import world
from tests.factories.audited import audited

WHO = Actor.system("tests")


@pytest.fixture
def sealed(db: None) -> list[AuditEntry]:
    entries = [audit.record(action=f"test.{n}", actor=WHO) for n in range(10)]
    assert audit.seal() == 10
    return entries


def tamper(sql: str) -> None:
    """Do as a superuser what the triggers refuse everybody else."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_untouched_chain_verifies(sealed: list[AuditEntry]) -> None:
    result = audit_checks.verify()
    head = AuditSeal.objects.get(seq=10)
    assert result == {
        "ok": True,
        "entries": 10,
        "unsealed": 0,
        "heads": 0,
        "head": {"seq": 10, "digest": head.digest},
        "fault": "",
    }


def test_the_unsealed_tail_is_reported(sealed: list[AuditEntry]) -> None:
    audit.record(action="test.tail", actor=WHO)
    assert audit_checks.verify()["unsealed"] == 1


def test_a_row_that_came_very_late_is_sealed_by_the_look_at_everything(
    sealed: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "RECENT", 3)
    hole, *_others = [audit.record(action=f"test.{n}", actor=WHO) for n in range(8)]
    tamper(f"DELETE FROM pilot_auditentry WHERE id = {hole.pk}")
    assert audit.seal() == 7
    late = audit.record(action="test.late", actor=WHO)
    tamper(f"UPDATE pilot_auditentry SET id = {hole.pk} WHERE id = {late.pk}")
    assert (audit.seal(), audit_checks.verify()["unsealed"]) == (0, 1)
    assert (audit.seal(everything=True), audit_checks.verify()["unsealed"]) == (1, 0)


def test_a_changed_entry_is_found(sealed: list[AuditEntry]) -> None:
    tamper(f"UPDATE pilot_auditentry SET action = 'forged' WHERE id = {sealed[4].pk}")
    assert audit_checks.verify()["fault"] == f"entry {sealed[4].pk} (seal 5) was changed"


def test_a_deleted_entry_is_found(sealed: list[AuditEntry]) -> None:
    tamper(f"DELETE FROM pilot_auditseal WHERE entry_id = {sealed[4].pk}")
    tamper(f"DELETE FROM pilot_auditentry WHERE id = {sealed[4].pk}")
    assert audit_checks.verify()["fault"] == "seal 5 is missing"


def test_a_seal_that_was_cut_off_from_the_one_before_is_found(sealed: list[AuditEntry]) -> None:
    tamper("UPDATE pilot_auditseal SET previous = repeat('0', 64) WHERE seq = 5")
    assert audit_checks.verify()["fault"] == "seal 5 does not continue seal 4"


def test_a_check_whose_job_was_lost_is_made_up_for(sealed: list[AuditEntry]) -> None:
    lost = AuditCheck.objects.create(requested_at=clock.security_now() - timedelta(days=2))
    assert audit_checks.daily() is not None
    lost.refresh_from_db()
    assert (lost.finished_at is not None, lost.fault, AuditCheck.objects.count()) == (True, "", 2)


def test_swapped_entries_are_found(sealed: list[AuditEntry]) -> None:
    a, b = sealed[3].pk, sealed[4].pk
    tamper(f"UPDATE pilot_auditseal SET entry_id = -1 WHERE entry_id = {a}")
    tamper(f"UPDATE pilot_auditseal SET entry_id = {a} WHERE entry_id = {b}")
    tamper(f"UPDATE pilot_auditseal SET entry_id = {b} WHERE entry_id = -1")
    assert audit_checks.verify()["fault"] == f"entry {b} (seal 4) was changed"


def test_a_rewritten_chain_is_found_by_a_head_kept_elsewhere(sealed: list[AuditEntry]) -> None:
    kept = AuditSeal.objects.get(seq=10)
    head = KeptHead(kept.seq, kept.digest)
    tamper(f"UPDATE pilot_auditentry SET action = 'forged' WHERE id = {sealed[0].pk}")
    tamper("DELETE FROM pilot_auditseal")
    audit.seal()
    assert audit_checks.verify()["ok"] is True
    assert (
        audit_checks.verify(kept=[head])["fault"]
        == f"the kept head 10 {kept.digest[:12]}… is not in the chain"
    )


def test_a_head_on_record_is_found_unchanged_or_names_what_is_wrong(sealed: list[AuditEntry]) -> None:
    head = audit_heads.sign()
    assert head is not None
    again = audit_heads.sign()
    assert again == head  # nothing was sealed since
    audit.record(action="test.later", actor=WHO)
    audit.seal()
    assert (audit_checks.verify()["ok"], audit_checks.verify()["heads"]) == (True, 1)

    tamper(f"UPDATE pilot_audithead SET root = '{'0' * 64}'")
    assert audit_checks.verify()["fault"] == "the signature of the head over 10 entries is wrong"
    with pytest.raises(audit_heads.BrokenLog):
        audit_heads.sign()


def test_a_root_that_was_kept_elsewhere_must_be_that_of_the_log(sealed: list[AuditEntry]) -> None:
    kept = KeptHead(10, AuditSeal.objects.get(seq=10).digest, "0" * 64)
    fault = audit_checks.verify(kept=[kept])["fault"]
    assert fault == "the root of the head over 10 entries is not that of the log"


def test_a_log_that_lost_its_end_is_found(sealed: list[AuditEntry]) -> None:
    audit_heads.sign()
    digest = AuditSeal.objects.get(seq=10).digest
    tamper("DELETE FROM pilot_auditseal WHERE seq > 8")
    tamper(f"DELETE FROM pilot_auditentry WHERE id >= {sealed[8].pk}")
    assert audit_checks.verify()["fault"] == f"the kept head 10 {digest[:12]}… is not in the chain"


def test_every_day_the_log_is_checked_and_a_head_signed_unless_it_is_broken(
    sealed: list[AuditEntry], programme: Programme
) -> None:
    auditor = world.ministry(Role.AUDIT_ADMIN)
    head = audit_checks.daily()
    assert head is not None
    assert audit_checks.daily() is None  # not twice a day
    assert [(check.fault, check.entries) for check in AuditCheck.objects.all()] == [("", head.size)]

    AuditCheck.objects.update(requested_at=clock.security_now() - timedelta(days=1))
    tamper(f"UPDATE pilot_auditentry SET action = 'forged' WHERE id = {sealed[4].pk}")
    assert audit_checks.daily() is None
    fault = f"entry {sealed[4].pk} (seal 5) was changed"
    check = AuditCheck.objects.first()
    assert check is not None
    assert check.fault == fault
    notice = Notice.objects.get(person=auditor.person_id)
    assert (notice.subject, notice.url) == ("审计日志核验未通过，请立即处理", f"/audit/checks/{check.pk}/")
    assert AuditHead.objects.count() == 1


def test_many_refusals_within_a_minute_are_told_once(programme: Programme, settings: Any) -> None:
    settings.PILOT_DENIED_PER_MINUTE = 3
    security = world.ministry(Role.SECURITY_ADMIN)
    for n in range(2):
        audit.record(action=f"test.{n}", actor=WHO, outcome=AuditEntry.Outcome.DENIED)
    assert audit_watch.watch() == 0
    audit.record(action="test.failed", actor=WHO, outcome=AuditEntry.Outcome.FAILED)
    assert (audit_watch.watch(), audit_watch.watch()) == (3, 0)
    assert audited("audit.alarm") == ("done", None, "audit", "")
    assert [n.subject for n in Notice.objects.filter(person=security.person_id)] == [
        "一分钟内出现 3 次被拒绝或失败的操作，请核查"
    ]
