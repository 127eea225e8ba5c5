"""Files of an application: checked by content, kept by hash, replaced but never lost."""

from __future__ import annotations

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
MAX_UNANSWERED = 3
SYSTEM = Actor.system("applications.files")
FORGOTTEN = "application.forget"  # of a draft, see services.forgetting


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
    """Scan what waits for the scanner; returns how many are clean and how many were taken out.

    Safe beside another worker. An infected file leaves the application, its content leaves the disk, and the provider
    is told; it stays unreadable for good.
    """
    done = {"clean": 0, "infected": 0}
    unanswered = 0
    waiting = ApplicationFile.unscoped.filter(scan=ScanState.PENDING, replaced_at__isnull=True)
    for pk in list(waiting.values_list("pk", flat=True)[:RESCANNED_AT_ONCE]):
        with transaction.atomic():
            file = waiting.filter(pk=pk).select_for_update(of=("self",), skip_locked=True).first()
            outcome = _rescan(file) if file else ""
        if outcome in done:
            done[outcome] += 1
        unanswered += outcome == ScanState.PENDING
        if unanswered == MAX_UNANSWERED:
            break  # the scanner is still away: the rest would only wait for the same time-out
    return done


def _rescan(file: ApplicationFile) -> str:
    try:
        scanned = scanning.scan(documents.read_bytes(file.sha256))
    except scanning.Infected as found:
        _take_out(file, str(found.message))
        return "infected"
    if scanned == ScanState.PENDING:
        return scanned
    ApplicationFile.unscoped.filter(sha256=file.sha256, scan=ScanState.PENDING).update(scan=scanned)
    return "clean"


def _take_out(file: ApplicationFile, why: str) -> None:
    case = file.application
    same = ApplicationFile.unscoped.filter(sha256=file.sha256)
    same.filter(scan=ScanState.PENDING, replaced_at__isnull=True).update(replaced_at=clock.now())
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
    if not same.exclude(scan=ScanState.PENDING).exists():
        documents.forget(file.sha256)
