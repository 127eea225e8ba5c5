"""Taking over what stands in a filled-in form. It is proposed, never written: a person looks at every value first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from stdnum.cn import uscc as uscc_number

from applications.intake.found import FormFile, Unread, is_empty, text_of
from applications.intake.pdf_form import read_pdf
from applications.intake.xlsx_form import read_xlsx
from applications.models import Application
from applications.rules.form import ApplicationForm, FormField
from applications.rules.prefill import EPOCH_1900, is_same, read
from applications.rules.prefill_text import Unclear, clean, squeezed
from applications.selectors import content as contents
from applications.selectors.form_schema import form_of, labels_of
from applications.services.drafts import editing_obstacle
from applications.validators import files as validator
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.services import audit


@dataclass(frozen=True, slots=True)
class Remark:
    """A field of the file nothing was taken from: what stands there, and why, in words."""

    key: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file, by field key in the order of the form.

    ``filled``: proposed for a blank field; ``same``: as in the draft, nothing proposed; ``conflicting``: proposed
    beside another value of the draft. ``contradicting`` speak against the registration; ``closed`` stand outside the
    completeness notice.
    """

    filled: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    conflicting: tuple[str, ...] = ()
    unreadable: tuple[Remark, ...] = ()
    contradicting: tuple[Remark, ...] = ()
    closed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sorting:
    """The values of one file, sorted against one application."""

    proposals: dict[str, Any] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    conflicting: list[str] = field(default_factory=list)
    unreadable: list[Remark] = field(default_factory=list)
    contradicting: list[Remark] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def taken(self) -> Taken:
        return Taken(
            filled=tuple(self.filled),
            same=tuple(self.same),
            conflicting=tuple(self.conflicting),
            unreadable=tuple(self.unreadable),
            contradicting=tuple(self.contradicting),
            closed=tuple(self.closed),
        )


@audit.denials_recorded("application.prefill")
def take(*, case: Application, actor: Actor, content: bytes, name: str) -> Taken:
    """Read a filled-in form (PDF or XLSX) and keep its values as proposals of the application.

    Raises :class:`Refused` when the application is not the actor's to write, the file is none we accept, holds
    nothing of the form, or is another company's or another programme's. Nothing is taken from a file that is refused.
    """
    if not policy.may_act(case.slug(), "prefill", actor.role):
        raise NotPermitted(_("只能填写本单位的申请"))
    if obstacle := editing_obstacle(case, actor):  # before any work is done on the file
        raise Refused(obstacle)
    source = validator.safe_name(name)
    form = form_of(case.programme)
    file, epoch = _read(case, form, content, name)
    with transaction.atomic():
        locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
        if obstacle := editing_obstacle(locked, actor):
            raise Refused(obstacle)
        _check_owner(file, locked)
        sorting = _sorted(file, form, locked, epoch)
        at = clock.now().isoformat()
        for key in (*sorting.same, *sorting.proposals):
            locked.proposals.pop(key, None)  # the newest file counts
        locked.proposals |= {
            key: {"value": value, "source": source, "at": at} for key, value in sorting.proposals.items()
        }
        locked.save(update_fields=["proposals"])
        taken = sorting.taken()
        audit.record(
            action="application.prefill", actor=actor, subject=locked, detail=_on_record(content, taken)
        )
    case.refresh_from_db()
    return taken


def _on_record(content: bytes, taken: Taken) -> dict[str, Any]:
    """Which file, and which fields; never what it says."""
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "filled": list(taken.filled),
        "same": list(taken.same),
        "conflicting": list(taken.conflicting),
        "unreadable": [remark.key for remark in taken.unreadable],
        "contradicting": [remark.key for remark in taken.contradicting],
        "closed": list(taken.closed),
    }


def _read(case: Application, form: ApplicationForm, content: bytes, name: str) -> tuple[FormFile, date]:
    kind = validator.examine(content, name).content_type
    if kind == validator.PDF:
        file, epoch = read_pdf(content, form.fields), EPOCH_1900
    elif kind == validator.XLSX:
        file, epoch = read_xlsx(content, form.fields, labels_of(case.programme))
    else:
        raise Refused(_("没有可读取的表单域，请下载可填写的 PDF 或 XLSX"))
    programme, _slash, _edition = file.marker.strip().partition("/")
    if programme and programme != case.programme.code:
        raise Refused(_("该表格属于另一个试点项目，请下载本项目的表格填写"))
    return file, epoch


def _check_owner(file: FormFile, case: Application) -> None:
    """A file that names another company's code is that company's; nothing of it belongs here."""
    stated = file.values.get("uscc")
    if not isinstance(stated, str):
        return
    code = squeezed(stated).upper()
    if code != case.uscc and uscc_number.is_valid(code):
        raise Refused(_("该表格填写的统一社会信用代码是其他单位的，未读入任何内容"))


def _sorted(file: FormFile, form: ApplicationForm, case: Application, epoch: date) -> _Sorting:
    sorting = _Sorting()
    current = contents.current_content(case)
    opened = contents.open_targets(case)
    for key, form_field in form.fields.items():
        found = file.values.get(key)
        if is_empty(found):
            continue
        if form_field.fixed:
            _compare_fixed(sorting, form_field, found, current[key])
            continue
        try:
            value = _value(form_field, found, epoch)
        except Unclear as error:
            sorting.unreadable.append(Remark(key, text_of(found), str(error)))
            continue
        if value is not None:
            _sort(sorting, form_field, value, current, opened)
    return sorting


def _value(form_field: FormField, found: Any, epoch: date) -> Any:
    if isinstance(found, Unread):
        raise Unclear(found.reason)
    return read(form_field, found, epoch=epoch)


def _sort(
    sorting: _Sorting, form_field: FormField, value: Any, current: Mapping[str, Any], opened: frozenset[str]
) -> None:
    key = form_field.key
    if is_same(form_field, value, current.get(key)):
        sorting.same.append(key)
    elif key not in opened:
        sorting.closed.append(key)
    else:
        sorting.proposals[key] = value
        (sorting.filled if is_empty(current.get(key)) else sorting.conflicting).append(key)


def _compare_fixed(sorting: _Sorting, form_field: FormField, found: Any, registered: str) -> None:
    """What the registration says holds; a file that says otherwise is told so."""
    stated = text_of(found)
    if isinstance(found, Unread):
        sorting.unreadable.append(Remark(form_field.key, stated, found.reason))
        return
    try:
        agrees = isinstance(found, str) and squeezed(clean(found)) == squeezed(registered)
    except Unclear as error:
        sorting.unreadable.append(Remark(form_field.key, stated, str(error)))
        return
    if agrees:
        sorting.same.append(form_field.key)
    else:
        reason = _("与登记信息“%(registered)s”不符，以登记信息为准") % {"registered": registered}
        sorting.contradicting.append(Remark(form_field.key, stated, reason))
