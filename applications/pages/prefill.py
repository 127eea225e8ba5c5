"""The page on which a filled-in form is read into the application, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.models import Application
from applications.pages.form import Bell, bell, crumbs, task_list
from applications.rules.form import FormField, is_blank, shown
from applications.selectors import content as contents
from applications.selectors.form_schema import form_of
from applications.services.prefill import Remark, Taken
from pilot.ui import Link, Tag


@dataclass(frozen=True, slots=True)
class Line:
    """A field of the file beside the same field of the record."""

    field: Link
    in_file: Any
    in_record: Any
    state: Tag
    note: str = ""


@dataclass(slots=True)
class PrefillPage:
    """``lines`` want to be looked at; ``same`` stand in the record as the file has them. ``taken`` after an upload."""

    title: str
    crumbs: Sequence[Link]
    bell: Bell
    ways: Sequence[tuple[Link, str]]
    form: Any
    obstacle: str
    lines: Sequence[Line]
    same: Sequence[Line]
    summary: Sequence[tuple[str, int]]
    back: Link


def prefill_page(
    case: Application, *, form: Any, obstacle: str, at: datetime, taken: Taken | None = None
) -> PrefillPage:
    """Three ways to one record; the values waiting to be looked at; and, after an upload, what became of the file."""
    lines = list(_lines(case, taken or Taken()))
    return PrefillPage(
        title=_("上传已填好的申请表"),
        crumbs=crumbs(case, task_list(case)),
        bell=bell(case, at=at),
        ways=_ways(case),
        form=form,
        obstacle=obstacle,
        lines=lines,
        same=[
            _line(case, field, value, Tag(_("与已填一致"), "success"))
            for field, value in _of(case, taken.same if taken else ())
        ],
        summary=_summary(taken) if taken else (),
        back=task_list(case),
    )


def _ways(case: Application) -> list[tuple[Link, str]]:
    return [
        (task_list(case), _("在网页上逐部分填写，内容自动保存")),
        (
            Link(_("下载可填写的 PDF"), reverse("application_prefill_pdf", args=[case.pk]), "file-text"),
            _("用 PDF 阅读软件离线填写并保存，再上传读入；已填内容随表带出"),
        ),
        (
            Link(_("下载 XLSX"), reverse("application_prefill_xlsx", args=[case.pk]), "file-spreadsheet"),
            _("用电子表格软件离线填写，再上传读入；字段与网页相同"),
        ),
    ]


def _summary(taken: Taken) -> list[tuple[str, int]]:
    return [
        (_("自动识别，请核对"), len(taken.filled)),
        (_("与已填不一致"), len(taken.conflicting)),
        (_("未能识别"), len(taken.unreadable)),
        (_("与登记不符"), len(taken.contradicting)),
        (_("不在补正范围"), len(taken.closed)),
        (_("与已填一致"), len(taken.same)),
    ]


def _lines(case: Application, taken: Taken) -> Iterator[Line]:
    """Everything to be looked at, in the order of the form; proposals of earlier files are among it."""
    current = contents.current_content(case)
    remarks = {remark.key: (remark, _("未能识别")) for remark in taken.unreadable}
    remarks |= {remark.key: (remark, _("与登记不符")) for remark in taken.contradicting}
    for key, field in form_of(case.programme).fields.items():
        if key in remarks:
            yield _remark_line(case, field, *remarks[key])
        if key in case.proposals:
            is_new = is_blank(current.get(key))
            tag = Tag(_("自动识别，请核对"), "info") if is_new else Tag(_("与已填不一致"), "warning")
            yield _line(case, field, case.proposals[key]["value"], tag)
        elif key in taken.closed:
            note = _("补正告知未列此项，不能修改，未读入")
            yield _line(case, field, None, Tag(_("不在补正范围"), "muted"), note)


def _remark_line(case: Application, field: FormField, remark: Remark, label: str) -> Line:
    return _line(case, field, remark.text, Tag(label, "danger"), remark.reason, plain=True)


def _line(
    case: Application, field: FormField, value: Any, state: Tag, note: str = "", *, plain: bool = False
) -> Line:
    current = contents.current_content(case).get(field.key)
    return Line(
        field=Link(str(field.label), _place(case, field)),
        in_file=value if plain else _cell(field, value),
        in_record=_cell(field, current),
        state=state,
        note=note,
    )


def _cell(field: FormField, value: Any) -> Any:
    return "" if is_blank(value) else shown(field, value)


def _place(case: Application, field: FormField) -> str:
    """The very control of the section's page; what comes from the registration has none."""
    section = next(part for part in form_of(case.programme).sections if field in part.fields)
    address = reverse("application_section", args=[case.pk, section.key])
    return address if field.fixed else f"{address}#id_{field.key}"


def _of(case: Application, keys: Sequence[str]) -> Iterator[tuple[FormField, Any]]:
    fields: Mapping[str, FormField] = form_of(case.programme).fields
    current = contents.current_content(case)
    for key in keys:
        yield fields[key], current.get(key)
