"""Signed heads of the audit log, and proofs that an entry lies under one. Others keep them (docs/audit.md)."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import transaction

from pilot import clock, keyring, merkle, sealing
from pilot.actors import Actor
from pilot.models import AuditBlock, AuditEntry, AuditHead, AuditSeal
from pilot.services import audit
from pilot.services.audit import BLOCK, leaf

SYSTEM: Final = Actor.system("audit")
HANDOVER: Final = "audit.key"
HANDOVER_STATEMENT: Final = "audit-key-v1\n{old}\n{new}\n"
STATEMENT: Final = "audit-head-v1\n{size}\n{root}\n{digest}\n{at}\n"
AT: Final = "%Y-%m-%dT%H:%M:%S+00:00"


class BrokenLog(RuntimeError):
    """What was signed before is not what the log holds now: nothing is signed on top of that."""


def public_key() -> str:
    """The Ed25519 key by which heads are signed now, hex."""
    return _private_key().public_key().public_bytes_raw().hex()


def signature(words: bytes) -> str:
    """What the key in use says under these bytes, hex."""
    return _private_key().sign(words).hex()


def says(key: str, words: bytes, signed: str) -> bool:
    """Whether this is the signature of a key (both hex) under these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signed), words)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> list[str]:
    """The keys of all configured secrets, the one in use first."""
    keys = map(_private, keyring.newest_first(settings.PILOT_AUDIT_KEY))
    return [key.public_key().public_bytes_raw().hex() for key in keys]


def hand_over(*, actor: Actor) -> bool:
    """After a rotation, have the key before say which key follows it; whoever trusts the one can trust the other.

    Returns whether the key in use is vouched for, or was the first: False where the key before is configured no more.
    """
    new, *older = public_keys()
    first, before = AuditHead.objects.first(), AuditHead.objects.filter(key__in=older).last()
    if first is None or first.key == new or any(row["new"] == new for row in handovers()):
        return True
    if before is None:
        return False
    old = _private(keyring.newest_first(settings.PILOT_AUDIT_KEY)[1 + older.index(before.key)])
    words = HANDOVER_STATEMENT.format(old=before.key, new=new).encode("ascii")
    detail = {"old": before.key, "new": new, "signature": old.sign(words).hex()}
    audit.record(action=HANDOVER, actor=actor, detail=detail)
    return True


def handovers() -> list[dict[str, Any]]:
    """Which key said which key follows it, oldest first: ``{old, new, signature}``."""
    return list(AuditEntry.objects.filter(action=HANDOVER).order_by("pk").values_list("detail", flat=True))


def statement(head: AuditHead) -> bytes:
    """The bytes a head's signature covers."""
    words = STATEMENT.format(size=head.size, root=head.root, digest=head.digest, at=stamp(head))
    return words.encode("ascii")


def stamp(head: AuditHead) -> str:
    """When a head was signed, as its statement has it."""
    return head.at.astimezone(UTC).strftime(AT)


def is_signed(head: AuditHead) -> bool:
    """Whether the signature is that of the head's own key over its statement."""
    return says(head.key, statement(head), head.signature)


@transaction.atomic
def sign() -> AuditHead | None:
    """The head over everything sealed so far: the newest one where nothing was sealed since, None for an empty log.

    Raises :class:`BrokenLog` when the newest head does not hold any more.
    """
    audit.lock()
    newest = AuditHead.objects.last()
    last = AuditSeal.objects.order_by("-seq").first()
    if newest is not None:
        _must_hold(newest)
    if last is None or (newest is not None and newest.size == last.seq):
        return newest
    if newest is not None and newest.key != public_key():
        hand_over(actor=SYSTEM)
    head = AuditHead(size=last.seq, root=root(last.seq).hex(), digest=last.digest, key=public_key())
    head.at = clock.security_now().replace(microsecond=0)
    head.signature = signature(statement(head))
    head.save(force_insert=True)
    return head


def covering(entry: AuditEntry) -> AuditHead | None:
    """The first head over an entry, signed now if there is none yet; None while the log is broken."""
    seal = AuditSeal.objects.filter(entry=entry).first()
    while seal is None and audit.seal():
        seal = AuditSeal.objects.filter(entry=entry).first()
    if seal is None:
        return None
    try:
        return over(entry) or sign()
    except BrokenLog:
        return None


def over(entry: AuditEntry) -> AuditHead | None:
    """The first head over an entry, if one was signed."""
    return AuditHead.objects.filter(size__gte=AuditSeal.objects.filter(entry=entry).values("seq")).first()


def proof(entry: AuditEntry) -> dict[str, Any] | None:
    """That an entry lies under the first head over it: the head, the entry's place and the path to the root.

    None where no head covers the entry yet. The entry itself stays out, for it names people.
    """
    head = over(entry)
    if head is None:
        return None
    seal = AuditSeal.objects.get(entry=entry)
    return {
        "format": "audit-proof-v1",
        "seq": seal.seq,
        "digest": seal.digest,
        "path": [step.hex() for step in path(seal.seq, head.size)],
        "head": plain(head),
    }


def plain(head: AuditHead) -> dict[str, Any]:
    """A head as plain data."""
    return {
        "size": head.size,
        "root": head.root,
        "digest": head.digest,
        "at": stamp(head),
        "key": head.key,
        "signature": head.signature,
    }


def line(head: AuditHead) -> str:
    """A head as one line of text, in the order in which ``verify_audit --heads`` reads it."""
    return " ".join(str(value) for value in plain(head).values())


def root(size: int) -> bytes:
    """The root of the tree over the first ``size`` seals."""
    return merkle.root(_nodes(size))


def path(seq: int, size: int) -> list[bytes]:
    """The neighbours from seal ``seq`` up to the root of the tree over the first ``size``."""
    number = (seq - 1) // BLOCK
    leaves = _leaves(number, size)
    inside = merkle.path(leaves, (seq - 1) % BLOCK)
    return [*inside, *merkle.path(_nodes(size), number)]


def _nodes(size: int) -> list[bytes]:
    """The roots of the full blocks among the first ``size`` seals, and of the rest as one more."""
    full, rest = divmod(size, BLOCK)
    roots = AuditBlock.objects.filter(number__lt=full).order_by("number").values_list("root", flat=True)
    nodes = [bytes.fromhex(each) for each in roots]
    if len(nodes) != full:
        raise BrokenLog(f"{full - len(nodes)} of {full} blocks are missing")
    return [*nodes, merkle.root(_leaves(full, size))] if rest else nodes


def _leaves(number: int, size: int) -> list[bytes]:
    """The leaves of one block, as far as they belong to the first ``size`` seals."""
    first, last = number * BLOCK, min((number + 1) * BLOCK, size)
    rows = AuditSeal.objects.filter(seq__gt=first, seq__lte=last).order_by("seq")
    return [leaf(digest) for digest in rows.values_list("digest", flat=True)]


def _must_hold(head: AuditHead) -> None:
    digest = AuditSeal.objects.filter(seq=head.size).values_list("digest", flat=True).first()
    if digest != head.digest or root(head.size).hex() != head.root or not is_signed(head):
        raise BrokenLog(f"the head over {head.size} entries does not hold")


def _private_key() -> Ed25519PrivateKey:
    return _private(keyring.newest_first(settings.PILOT_AUDIT_KEY)[0])


def _private(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sealing.derive(secret, "audit heads"))
