"""Checks of the whole audit log: on demand, as a job that a person asked for, and every day before a head is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.language import on_record
from pilot.merkle import Frontier
from pilot.models import AuditCheck, AuditEntry, AuditHead, AuditSeal
from pilot.selectors import people
from pilot.services import audit, audit_heads, notices, outbox

SYSTEM: Final = Actor.system("audit")
DAILY: Final = timedelta(days=1)
SILENT: Final = timedelta(minutes=10)  # longer than a job may run


@dataclass(frozen=True, slots=True)
class KeptHead:
    """What somebody kept of a head: how many entries, the digest of the last one, and the root if that was kept."""

    size: int
    digest: str
    root: str = ""


def verify(*, kept: Sequence[KeptHead] = ()) -> dict[str, Any]:
    """Recompute the whole chain and its tree, and hold them against the heads on record and those kept elsewhere.

    Returns ``{ok, entries, unsealed, heads, head: {seq, digest}, fault}``: ``heads`` counts those that were found
    unchanged, ``fault`` names the first thing that is wrong in words.
    """
    reading = _Reading(kept)
    for link in AuditSeal.objects.select_related("entry").order_by("seq").iterator(chunk_size=5_000):
        reading.take(link)
        if reading.fault:
            break
    else:
        reading.end()
    return {
        "ok": not reading.fault,
        "entries": reading.seq,
        "unsealed": AuditEntry.objects.filter(seal__isnull=True).count(),
        "heads": reading.heads,
        "head": {"seq": reading.seq, "digest": reading.digest},
        "fault": reading.fault,
    }


class _Reading:
    """The log as far as it was read and found whole."""

    def __init__(self, kept: Sequence[KeptHead]) -> None:
        self.seq, self.digest, self.fault, self.heads = 0, audit.GENESIS, "", 0
        self._tree = Frontier()
        self._kept: dict[int, list[KeptHead]] = {}
        signed = list(AuditHead.objects.all())
        for head in [*(KeptHead(h.size, h.digest, h.root) for h in signed), *kept]:
            self._kept.setdefault(head.size, []).append(head)
        forged = next((head.size for head in signed if not audit_heads.is_signed(head)), None)
        if forged is not None:
            self.fault = f"the signature of the head over {forged} entries is wrong"

    def take(self, link: AuditSeal) -> None:
        """The next link, or what is wrong with it."""
        self.fault = self.fault or self._wrong(link)
        if self.fault:
            return
        self.seq, self.digest = link.seq, link.digest
        self._tree.append(audit.leaf(link.digest))
        if heads := self._kept.pop(link.seq, None):
            self._compare(heads)

    def end(self) -> None:
        """After the last link every head was met, or the log lost its end."""
        if not self.fault and self._kept:
            lost = self._kept[min(self._kept)][0]
            self.fault = f"the kept head {lost.size} {lost.digest[:12]}… is not in the chain"

    def _wrong(self, link: AuditSeal) -> str:
        if link.seq != self.seq + 1:
            return f"seal {self.seq + 1} is missing"
        if link.previous != self.digest:
            return f"seal {link.seq} does not continue seal {link.seq - 1}"
        if audit.chain(self.digest, link.entry) != link.digest:
            return f"entry {link.entry_id} (seal {link.seq}) was changed"
        return ""

    def _compare(self, heads: Sequence[KeptHead]) -> None:
        root = self._tree.root().hex()
        for head in heads:
            if head.digest != self.digest:
                self.fault = f"the kept head {head.size} {head.digest[:12]}… is not in the chain"
                return
            if head.root and head.root != root:
                self.fault = f"the root of the head over {head.size} entries is not that of the log"
                return
            self.heads += 1


# --- checks on record --------------------------------------------------------------------------------
@transaction.atomic
def request(*, actor: Actor) -> AuditCheck:
    """Have the whole log checked by a job; one that is already waiting is not begun again."""
    audit.lock()
    waiting = AuditCheck.objects.filter(finished_at__isnull=True, person__isnull=False).first()
    if waiting is not None:
        return waiting
    check = AuditCheck.objects.create(requested_at=clock.security_now(), person_id=actor.acting_person)
    audit.record(action="audit.check", actor=actor, subject=check)
    outbox.post_task("pilot.tasks.check_audit", check_id=check.pk)
    return check


def run(*, check_id: int) -> bool:
    """Do one check; False when there is nothing to do: finished, gone, or somebody is at it."""
    check = _take(check_id)
    if check is None:
        return False
    while audit.seal(everything=True):
        pass
    found = verify()
    check.entries, check.unsealed, check.heads = found["entries"], found["unsealed"], found["heads"]
    check.fault = found["fault"][:255]
    _end(check)
    return True


def daily() -> AuditHead | None:
    """Once a day: check the whole log, then sign a head over it. A broken log is told of and never signed.

    Checks whose job was lost are taken up, too. Returns the head that was signed.
    """
    now = clock.security_now()
    for pk in list(AuditCheck.objects.filter(finished_at__isnull=True).values_list("pk", flat=True)):
        run(check_id=pk)
    if AuditCheck.objects.filter(person__isnull=True, requested_at__gt=now - DAILY).exists():
        return None
    check = AuditCheck.objects.create(requested_at=now)
    run(check_id=check.pk)
    check.refresh_from_db()
    return None if check.fault else audit_heads.sign()


@transaction.atomic
def _take(check_id: int) -> AuditCheck | None:
    """Claim a check for this worker (house rule 12)."""
    now = clock.security_now()
    free = Q(seen_at__isnull=True) | Q(seen_at__lt=now - SILENT)
    rows = AuditCheck.objects.filter(free, pk=check_id, finished_at__isnull=True)
    check: AuditCheck | None = rows.select_for_update(of=("self",), skip_locked=True).first()
    if check is not None:
        check.seen_at = now
        check.save(update_fields=["seen_at"])
    return check


@transaction.atomic
def _end(check: AuditCheck) -> None:
    check.finished_at = clock.security_now()
    check.save()
    outcome = AuditEntry.Outcome.FAILED if check.fault else AuditEntry.Outcome.DONE
    detail = {"entries": check.entries, "heads": check.heads}
    audit.record(action="audit.checked", actor=SYSTEM, outcome=outcome, subject=check, detail=detail)
    if check.fault:
        with on_record():
            subject = _("审计日志核验未通过，请立即处理")
        notices.send(
            members=people.ministry([Role.AUDIT_ADMIN]),
            subject=subject,
            machine="audit-check",
            object_id=check.pk,
            source=f"audit-check:{check.pk}",
            url=reverse("audit_check", args=[check.pk]),
        )
