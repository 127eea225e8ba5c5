"""The audit chain finds every change, deletion, insertion and reordering."""

from __future__ import annotations

import pytest
from django.db import connection

from pilot.actors import Actor
from pilot.models import AuditEntry, AuditSeal
from pilot.services import audit

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
    result = audit.verify()
    head = AuditSeal.objects.get(seq=10)
    assert result == {
        "ok": True,
        "entries": 10,
        "unsealed": 0,
        "head": {"seq": 10, "digest": head.digest},
        "fault": "",
    }


def test_the_unsealed_tail_is_reported(sealed: list[AuditEntry]) -> None:
    audit.record(action="test.tail", actor=WHO)
    assert audit.verify()["unsealed"] == 1


def test_a_changed_entry_is_found(sealed: list[AuditEntry]) -> None:
    tamper(f"UPDATE pilot_auditentry SET action = 'forged' WHERE id = {sealed[4].pk}")
    assert audit.verify()["fault"] == f"entry {sealed[4].pk} (seal 5) was changed"


def test_a_deleted_entry_is_found(sealed: list[AuditEntry]) -> None:
    tamper(f"DELETE FROM pilot_auditseal WHERE entry_id = {sealed[4].pk}")
    tamper(f"DELETE FROM pilot_auditentry WHERE id = {sealed[4].pk}")
    assert audit.verify()["fault"] == "seal 5 is missing"


def test_swapped_entries_are_found(sealed: list[AuditEntry]) -> None:
    a, b = sealed[3].pk, sealed[4].pk
    tamper(f"UPDATE pilot_auditseal SET entry_id = -1 WHERE entry_id = {a}")
    tamper(f"UPDATE pilot_auditseal SET entry_id = {a} WHERE entry_id = {b}")
    tamper(f"UPDATE pilot_auditseal SET entry_id = {b} WHERE entry_id = -1")
    assert audit.verify()["fault"] == f"entry {b} (seal 4) was changed"


def test_a_rewritten_chain_is_found_by_a_head_kept_elsewhere(sealed: list[AuditEntry]) -> None:
    kept = AuditSeal.objects.get(seq=10)
    head = (kept.seq, kept.digest)
    tamper(f"UPDATE pilot_auditentry SET action = 'forged' WHERE id = {sealed[0].pk}")
    tamper("DELETE FROM pilot_auditseal")
    audit.seal()
    assert audit.verify()["ok"] is True
    assert audit.verify(head=head)["fault"] == f"the kept head 10 {kept.digest[:12]}… is not in the chain"
