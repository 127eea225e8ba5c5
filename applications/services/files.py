"""Files of an application: checked by content, kept by hash, replaced but never lost."""

from __future__ import annotations

import logging
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import FileKind, ScanState
from applications.models import Application, ApplicationFile
from applications.selectors import content, tellings
from applications.selectors.form_schema import form_of
from applications.services import scanning
from applications.services.drafts import editing_obstacle
from applications.validators import files as validator
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import ContentDestroyed, Refused
from pilot.language import on_record
from pilot.services import audit, documents, notices

MAX_FILES = 60  # of one application, replaced ones included
MAX_OTHER = 10
RESCANNED_AT_ONCE = 50
SYSTEM = Actor.system("applications.files")
FORGOTTEN = "application.forget"  # of a draft, see services.forgetting
logger = logging.getLogger(__name__)


class Upload(Protocol):
    """What a browser hands over: a name, a size in bytes, and the content."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def read(self) -> bytes: ...


def add_file(*, case: Application, actor: Actor, kind: str, upload: Upload) -> ApplicationFile:
    """Add a file; one of the same kind (other than 其他材料) is replaced and stays on record.

    Raises :class:`Refused` naming the rule: not the actor's application, not open for change, too large, empty, of
    another type than it claims, harmful, or one too many. An identical file is not stored twice. The file is looked
    into and scanned before the application is locked: nobody waits for that.
    """
    check_may_add(Application.unscoped.get(pk=case.pk), actor, kind)
    validator.check_size(upload.size or 0)
    body = upload.read()
    examined = validator.examine(body, upload.name or "")
    scanned = scanning.scan(body)
    with transaction.atomic():
        locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
        check_may_add(locked, actor, kind)
        file = ApplicationFile(
            application=locked,
            kind=kind,
            name=validator.safe_name(upload.name or ""),
            sha256=documents.put_bytes(body),
            size=len(body),
            content_type=examined.content_type,
            pages=examined.pages,
            scan=scanned,
            uploaded_at=clock.now(),
            uploaded_by_id=actor.person_id,
        )
        return _keep(file, actor)


def _keep(file: ApplicationFile, actor: Actor) -> ApplicationFile:
    present = content.current_files(file.application).filter(kind=file.kind)
    if identical := present.filter(sha256=file.sha256, name=file.name).first():
        return identical
    check_room(file.application, file.kind)
    if file.kind != FileKind.OTHER:
        present.update(replaced_at=file.uploaded_at)
    file.save()
    detail = {"kind": file.kind, "sha256": file.sha256}
    audit.record(action="application.add_file", actor=actor, subject=file.application, detail=detail)
    return file


def check_may_add(case: Application, actor: Actor, kind: str) -> None:
    """Raises :class:`Refused` unless the actor may hand over this kind of file now."""
    if not policy.may_act(case.slug(), "add_file", actor.role):
        raise Refused(_("只能填写本单位的申请"))
    if obstacle := editing_obstacle(case, actor):
        raise Refused(obstacle)
    if kind not in FileKind.values:
        raise Refused(_("没有这种材料"))
    if kind not in content.open_targets(case):
        raise Refused(_("补正告知未列“%(what)s”，不能修改") % {"what": form_of(case.programme).targets[kind]})


def check_room(case: Application, kind: str) -> None:
    """Raises :class:`Refused` when one more file of this kind is one too many."""
    if ApplicationFile.unscoped.filter(application=case).count() >= MAX_FILES:
        raise Refused(_("一件申请最多上传 %(n)s 个文件（含已替换的）") % {"n": MAX_FILES})
    if kind == FileKind.OTHER and content.current_files(case).filter(kind=kind).count() >= MAX_OTHER:
        raise Refused(_("“其他材料”最多 %(n)s 个文件") % {"n": MAX_OTHER})


@transaction.atomic
def remove_file(*, file: ApplicationFile, actor: Actor) -> None:
    """Take a file out of what will be handed in; it stays on record. Raises :class:`Refused` as :func:`add_file`."""
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=file.application_id)
    check_may_add(locked, actor, file.kind)
    if not content.current_files(locked).filter(pk=file.pk).update(replaced_at=clock.now()):
        raise Refused(_("该文件已被替换或移除"))
    detail = {"kind": file.kind, "sha256": file.sha256}
    audit.record(action="application.remove_file", actor=actor, subject=locked, detail=detail)


@transaction.atomic
def read_file(*, file: ApplicationFile, actor: Actor) -> bytes:
    """The content of a file the actor may see. The reading is on record.

    Raises :class:`Refused` while the file waits for the virus scanner, ``OSError`` if it was damaged.
    """
    check_readable(file)
    body = bytes_of(file)
    audit.record(
        action="application.read_file", actor=actor, subject=file, detail={"application": file.application_id}
    )
    return body


def bytes_of(file: ApplicationFile) -> bytes:
    """The stored content; raises :class:`ContentDestroyed` for that of a forgotten draft, ``OSError`` if damaged."""
    try:
        return documents.read_bytes(file.sha256)
    except FileNotFoundError:
        if audit.has_row(action=FORGOTTEN, subject=file.application):
            raise ContentDestroyed(_("内容已销毁")) from None
        raise


def check_readable(file: ApplicationFile) -> None:
    """Raises :class:`Refused` for a file the scanner has not seen yet though there is one."""
    if file.scan == ScanState.PENDING:
        raise Refused(_("文件正在等待病毒扫描，扫描通过后才能查看和下载"))


def rescan_pending() -> dict[str, int]:
    """Scan what waits for the scanner; returns how much of it is clean and how much was taken out.

    Safe beside another worker. An infected file leaves the applications it is in, its content leaves the disk, and
    the providers are told; it stays unreadable for good. The order is by chance: what the scanner never answers for,
    or what nobody can read any more, keeps none of the others waiting for ever.
    """
    done = {"clean": 0, "infected": 0}
    waiting = ApplicationFile.unscoped.filter(scan=ScanState.PENDING, replaced_at__isnull=True)
    found = waiting.order_by("?").values_list("sha256", flat=True)[:RESCANNED_AT_ONCE]
    for digest in dict.fromkeys(found):
        try:
            outcome = _rescan(digest)
        except OSError as error:
            logger.error("file %s… waits for the virus scanner: %s", digest[:12], error)
            continue
        if outcome == ScanState.PENDING:
            break  # the scanner is away: the rest would only wait for the same time-out
        if outcome in done:
            done[outcome] += 1
    return done


def _rescan(digest: str) -> str:
    """What came of it. Nothing is locked while the scanner works: nobody waits for that."""
    try:
        scanned = scanning.scan(documents.read_bytes(digest))
    except scanning.Infected as found:
        return _take_out(digest, str(found.message))
    if scanned == ScanState.PENDING:
        return scanned
    ApplicationFile.unscoped.filter(sha256=digest, scan=ScanState.PENDING).update(scan=scanned)
    return "clean"


def _take_out(digest: str, why: str) -> str:
    same = ApplicationFile.unscoped.filter(sha256=digest, scan=ScanState.PENDING)
    with transaction.atomic():
        waiting = same.filter(replaced_at__isnull=True).select_related("application").order_by("pk")
        found = list(waiting.select_for_update(of=("self",)))
        if not found:  # taken out, removed or replaced while it was scanned
            return ""
        same.filter(pk__in=[file.pk for file in found]).update(replaced_at=clock.now())
        for file in found:
            _tell_infected(file, why)
    # Only now that it is on record; whoever hands in the same meanwhile keeps it until the next run.
    documents.forget_unless_needed({digest}, without=same.filter(replaced_at__isnull=False))
    return "infected"


def _tell_infected(file: ApplicationFile, why: str) -> None:
    case = file.application
    detail = {"sha256": file.sha256, "why": why}
    audit.record(action="application.file_infected", actor=SYSTEM, subject=file, detail=detail)
    with on_record():
        words = _("%(number)s · “%(what)s”未通过病毒扫描，请重新上传")
        subject = words % {"number": case.number, "what": file.get_kind_display()}
    notices.send(
        members=tellings.applicant(case),
        subject=subject,
        machine=case.slug(),
        object_id=case.pk,
        source=f"file:{file.pk}",
    )
