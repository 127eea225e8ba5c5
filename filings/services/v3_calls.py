"""What the four calls of the V3.0 service do for a unit's system.

What is not carried out raises :class:`CallRefused`. Words are in the language in force, which is Chinese for callers
(``pilot.language.on_record``).
"""

from __future__ import annotations

import hmac
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from filings.intake.decode import FileFormat
from filings.models import UploadJob, V3Access, V3Upload
from filings.selectors import v3 as selector
from filings.services import spool, uploads, v3_results
from filings.services.uploads import FileNotTaken, Waiting
from filings.services.v3_callers import Caller, record
from filings.v3.answers import Answer, Package
from filings.v3.codes import CallRefused, MsgCode
from filings.v3.manifest import Manifest, read_manifest
from filings.v3.package import CIPHERS, MD5, ZIP, Unzipped, content_digest, decrypt, encrypt
from pilot import clock
from pilot.enums import UnitStatusKind
from pilot.selectors import register

MOST_WAITING: Final = 50
MOST_NAMED: Final = 1_000
"""Missing numbers named in one answer; a gap may be as long as a number is large."""
NUMBER_DIGITS: Final = 18
COPIES: Final = 2
"""Times that a file given back counts in memory, as much as the share of all callers for one of the largest."""
_NOT_VALID: Final = 5001


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came in.

    ``content`` gives ``beianInfo`` as bytes; ``hold`` takes memory for an answer. Both raise :class:`CallRefused`.
    """

    caller: Caller
    arguments: Mapping[str, str]
    content: Callable[[], bytes]
    hold: Callable[[int], None]


def perform(operation: str, call: Call) -> Answer:
    """Carry out a call in one transaction with its audit row, or raise :class:`CallRefused`, on record too."""
    caller = call.caller
    try:
        with transaction.atomic():
            answer = OPERATIONS[operation](call)
            record(caller.access, caller.actor, operation, answer.code, sequence=answer.sequence)
    except CallRefused as refusal:
        sequence = _number(call.arguments.get("dataSequence", ""))
        record(caller.access, caller.actor, operation, refusal.code, sequence=sequence)
        raise
    return answer


# --- isp_upload -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _File:
    """A file that can be unpacked, before it is known whether it is taken."""

    sequence: int
    cipher: int
    package_digest: str
    manifest: Manifest
    digest: str


def _upload(call: Call) -> Answer:
    """Accept a file under the next number: 0.

    The same file under its number again is answered 0 again. A file that can be unpacked, but holds no valid upload,
    is accepted: its number is used up and its result says why. Refused with 6 to 11, 14, 15, 17, 18, 19, 999.
    """
    caller, arguments = call.caller, call.arguments
    cipher = _judge_algorithms(arguments)
    sequence = _number(arguments.get("dataSequence", ""))
    if sequence is None:
        raise CallRefused(MsgCode.OTHER, _("dataSequence 应为从 1 开始的整数"))
    if register.status_at(caller.access.unit, caller.at) != UnitStatusKind.ACTIVE:
        raise CallRefused(MsgCode.NO_RIGHT)
    packed = decrypt(call.content(), cipher, caller.secret)
    stated = arguments.get("beianInfoHash", "").strip()
    if not hmac.compare_digest(content_digest(packed).encode(), stated.encode()):
        raise CallRefused(MsgCode.HASH_DIFFERS)
    stream = Unzipped(packed)
    file = _File(sequence, cipher, stated, read_manifest(stream), stream.digest())
    _accept(caller, file, packed)
    return Answer(MsgCode.DONE, sequence=sequence)


def _judge_algorithms(arguments: Mapping[str, str]) -> int:
    cipher = CIPHERS.get(arguments.get("encryptAlgorithm", ""))
    if cipher is None:
        raise CallRefused(MsgCode.CIPHER_UNKNOWN)
    if arguments.get("hashAlgorithm") != MD5:
        raise CallRefused(MsgCode.HASH_UNKNOWN)
    if arguments.get("compressionFormat") != ZIP:
        raise CallRefused(MsgCode.COMPRESSION_UNKNOWN)
    return cipher


def _number(text: str) -> int | None:
    """A sequence number, from 1 on."""
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
        return None
    return int(text) or None


def _accept(caller: Caller, file: _File, packed: bytes) -> None:
    """Use up the number for the file, unless it has been: of several at once one goes first, the rest see it."""
    unit = caller.access.unit
    access = V3Access.unscoped.select_for_update(of=("self",)).get(pk=caller.access.pk)
    expected = access.last_sequence + 1
    if file.sequence < expected:
        if V3Upload.unscoped.get(unit=unit, sequence=file.sequence).digest == file.digest:
            return
        words = _("序号 %(n)s 已用于另一文件，下一序号为 %(next)s") % {"n": file.sequence, "next": expected}
        raise CallRefused(MsgCode.OTHER, words)
    if file.sequence > expected:
        missing = range(expected, min(file.sequence, expected + MOST_NAMED))
        raise CallRefused(MsgCode.EARLIER_MISSING, missing=tuple(missing))
    if selector.files_waiting(unit) >= MOST_WAITING:
        raise CallRefused(MsgCode.TOO_MANY_WAITING)
    before = selector.last_upload(unit)
    job, refusal = _receive(caller, file, uploads.take_in(io.BytesIO(packed)))
    V3Upload.unscoped.create(
        unit=unit,
        sequence=file.sequence,
        job=job,
        refusal=refusal,
        digest=file.digest,
        package_digest=file.package_digest,
        cipher=file.cipher,
        records=file.manifest.records,
        received_at=caller.at,
    )
    access.last_sequence = file.sequence
    access.save(update_fields=["last_sequence"])
    if before is not None and before.job is not None:
        forgotten = before.job.case_key
        transaction.on_commit(lambda: spool.remove_package(forgotten), robust=True)


def _receive(caller: Caller, file: _File, waiting: Waiting) -> tuple[UploadJob | None, int | None]:
    """The job of a file, or the national code that refuses it as a whole."""
    unit = caller.access.unit
    try:
        job = uploads.receive_waiting(
            actor=caller.actor,
            unit=unit,
            waiting=waiting,
            name=v3_results.upload_name(unit, file.sequence),
            format=FileFormat.V3,
            arrived_at=caller.at,
        )
    except FileNotTaken as fault:
        return None, fault.national or _NOT_VALID
    spool.keep_package(job.case_key)
    return job, None


# --- the other calls --------------------------------------------------------------------------------
def _previous(call: Call) -> Answer:
    """The last accepted file with its number, or the number 0; its content while it is kept. Refused with 10, 15."""
    _judge_hash(call)
    unit = call.caller.access.unit
    last = selector.last_upload(unit)
    if last is None:
        return Answer(MsgCode.DONE, sequence=0, numbered=True, package=Package("", b"", "", 0))
    if last.job is not None:
        call.hold(COPIES * last.job.size)
    kept = _kept(last)
    content = encrypt(kept, last.cipher, call.caller.secret) if kept else b""
    package = Package(v3_results.upload_name(unit, last.sequence), content, last.package_digest, last.cipher)
    return Answer(MsgCode.DONE, sequence=last.sequence, numbered=True, package=package)


def _kept(upload: V3Upload) -> bytes:
    try:
        return b"" if upload.job is None else spool.read_package(upload.job.case_key)
    except FileNotFoundError:
        return b""


def _download(call: Call) -> Answer:
    """The oldest result that is ready and not acknowledged, the same until it is; 2 where none is. Refused with 10."""
    _judge_hash(call)
    waiting = selector.results_waiting(call.caller.access.unit).first()
    if waiting is None:
        return Answer(MsgCode.NOTHING_WAITING)
    waiting.fetched_at = clock.security_now()
    waiting.save(update_fields=["fetched_at"])
    package = v3_results.result_package(waiting, call.caller.secret)
    return Answer(MsgCode.DONE, sequence=waiting.sequence, package=package)


def _acknowledge(call: Call) -> Answer:
    """Take note that a result has arrived: 3 while more wait, else 1. Doing so again changes nothing.

    Refused with 10 and 21.
    """
    _judge_hash(call)
    unit = call.caller.access.unit
    sequence = v3_results.sequence_of(unit, call.arguments.get("fileName", "").strip())
    rows = V3Upload.unscoped.filter(unit=unit, sequence=sequence, fetched_at__isnull=False)
    upload = rows.select_for_update().first()
    if upload is None:
        raise CallRefused(MsgCode.FILE_UNKNOWN)
    if upload.acknowledged_at is None:
        upload.acknowledged_at = clock.security_now()
        upload.save(update_fields=["acknowledged_at"])
    more = selector.results_waiting(unit).exists()
    return Answer(MsgCode.MORE_WAITING if more else MsgCode.ALL_FETCHED, sequence=sequence)


def _judge_hash(call: Call) -> None:
    if call.arguments.get("hashAlgorithm", MD5) != MD5:
        raise CallRefused(MsgCode.HASH_UNKNOWN)


OPERATIONS: Final[Mapping[str, Callable[[Call], Answer]]] = {
    "isp_upload": _upload,
    "isp_querypreviousupload": _previous,
    "isp_download": _download,
    "isp_downloadack": _acknowledge,
}
"""Name of the call → what it does."""
