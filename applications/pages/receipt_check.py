"""The public check of a receipt as plain data: what stands on the paper, and no person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.models import ApplicationVersion
from applications.selectors import receipts
from applications.services import proofs
from pilot.models import AuditHead
from pilot.ui import Fact, Link


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of the receipt: its kind, size in bytes and SHA-256. Its name stays out, for names may name people."""

    kind: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckPage:
    """``code`` as typed; without ``facts`` a code that was typed belongs to no receipt."""

    title: str
    code: str
    facts: tuple[Fact, ...] = ()
    files: tuple[ListedFile, ...] = ()
    crumbs: Sequence[Link] = ()


def page(code: str) -> CheckPage:
    """The check page for a code, or for none."""
    way = [Link(_("办事指南"), reverse("guide"))]
    versions = receipts.versions_of(code)
    if not versions:
        return CheckPage(_("回执查验"), code, crumbs=way)
    return CheckPage(_("回执查验"), code, _facts(versions), _files(versions[0]), way)


def _facts(versions: Sequence[ApplicationVersion]) -> tuple[Fact, ...]:
    """What stands on the paper; of several papers with this code the time and number of each."""
    version = versions[0]
    case = version.application
    return (
        Fact(_("试点项目"), case.programme.number),
        Fact(_("申办流水号"), case.case_number),
        Fact(_("申请单位"), case.provider.name),
        *(fact for each in versions for fact in _received(each)),
        Fact(_("材料件数"), len(version.files)),
        Fact(_("查验码"), receipts.code_of(version)),
        *(fact for each in versions for fact in _under(proofs.head(each))),
    )


def _received(version: ApplicationVersion) -> list[Fact]:
    number = _("第 %(n)s 版") % {"n": version.number}
    return [Fact(_("接收时间"), version.at), Fact(_("版本"), number)]


def _under(head: AuditHead | None) -> list[Fact]:
    """The signed head of the audit log that vouches for the submission, as it is published."""
    return [Fact(_("存证树根"), head.root)] if head else []


def _files(version: ApplicationVersion) -> tuple[ListedFile, ...]:
    return tuple(
        ListedFile(str(FileKind(file["kind"]).label), file["size"], file["sha256"]) for file in version.files
    )
