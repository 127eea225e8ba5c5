"""The national system's answers as the portal shows them: on a form, in the reconciliation of a month, per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.forms.national import LISTS
from filings.intake.v3_download import Unreadable
from filings.models import NationalCheck, NationalFile, NationalReceipt, VerificationForm
from filings.pages import common
from filings.selectors import national as selector
from filings.services.national import STORED, masked, reference_of, why, words_of
from filings.v3.record_codes import in_words
from pilot import policy
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.masking import mask_name, staff
from pilot.models import PilotUnit
from pilot.services import export_limits, exports
from pilot.ui import Checksum, Column, Fact, Link, Row, Section, Tag, Tone

OPERATIONS: Final = {
    0: gettext_lazy("未注明"),
    1: gettext_lazy("新增备案"),
    2: gettext_lazy("新增网站"),
    3: gettext_lazy("新增接入"),
    4: gettext_lazy("变更备案"),
    5: gettext_lazy("取消接入"),
    6: gettext_lazy("注销主体"),
    7: gettext_lazy("注销网站"),
    8: gettext_lazy("单独提交核验材料"),
    35: gettext_lazy("单独提交核验材料"),
}
RESULTS: Final[Mapping[tuple[str, int], tuple[Any, Tone]]] = {
    ("access", 1): (gettext_lazy("多报"), "warning"),
    ("access", 2): (gettext_lazy("少报"), "warning"),
    ("shell", 0): (gettext_lazy("存活"), "success"),
    ("shell", 1): (gettext_lazy("空壳"), "warning"),
}
COUNTS: Final = {
    "rows": gettext_lazy("记录数"),
    "receipts": gettext_lazy("新增上报结果"),
    "matched": gettext_lazy("上报结果中已对应核验单"),
    "formless": gettext_lazy("上报结果中无对应核验单"),
    "reviews": gettext_lazy("新增通信管理局审核意见"),
    "checks": gettext_lazy("新增核查结果"),
    "findings": gettext_lazy("由核查转为差错"),
    "duplicates": gettext_lazy("重复"),
    "refused": gettext_lazy("拒收"),
}


# --- one answer -------------------------------------------------------------------------------------
def _said(record: NationalReceipt | NationalCheck) -> str:
    """The texts of a record in one cell; long numbers and names masked."""
    words = words_of(record)
    if words is None:
        return _("内容已销毁")
    texts = [*words.get("Dmms", ()), words.get("Shyj"), words.get("Cwyy"), words.get("Bz")]
    said = "；".join(masked(text) for text in texts if text)
    return said if not words.get("Shrxm") else f"{said}（{mask_name(words['Shrxm'])}）"


def _outcome(receipt: NationalReceipt) -> Any:
    if receipt.passed is not None:
        return Tag(_("审核通过"), "success") if receipt.passed else Tag(_("审核未通过"), "danger")
    said = "；".join(in_words(code) for code in receipt.codes)
    return Tag(said, "success" if receipt.stored else "warning")


def _checked(check: NationalCheck) -> Any:
    if check.result is None:
        return None
    label, tone = RESULTS[check.kind, check.result]
    return Tag(str(label), tone)


def _operation(receipt: NationalReceipt) -> str:
    return str(OPERATIONS.get(receipt.operation, receipt.operation))


# --- on the page of a form --------------------------------------------------------------------------
def form_sections(form: VerificationForm) -> list[Section]:
    """What the national system says of a form; whether there is a receipt is always said."""
    receipts, checks = selector.of_form(form)
    acknowledged = any(receipt.stored for receipt in receipts)
    sections = [
        Section(
            _("全国系统回执"),
            columns=[
                Column("kind", _("类别")),
                Column("outcome", _("结果")),
                Column("said", _("说明")),
                Column("at", _("时间")),
                Column("source", _("来源文件")),
            ],
            rows=[
                Row(
                    "",
                    [str(one.get_kind_display()), _outcome(one), _said(one), one.at, _source(one)],
                )
                for one in receipts
            ],
            empty=_("尚无全国系统回执"),
            note=""
            if acknowledged or not receipts
            else _("尚无核验单入库回执（%(code)s）") % {"code": STORED},
        )
    ]
    if checks:
        sections.append(
            Section(
                _("全国系统核查"),
                columns=_check_columns()[1:],
                rows=[Row("", _check_cells(one)[1:]) for one in checks],
                note=_("主体核查注明错误原因的，另列为差错"),
            )
        )
    return sections


def _source(record: NationalReceipt | NationalCheck) -> str:
    return _("%(file)s 第 %(row)s 条") % {"file": record.file.name, "row": record.row}


# --- reconciliation ---------------------------------------------------------------------------------
def _form_columns() -> list[Column]:
    return [
        Column("form_no", _("核验单编号")),
        Column("type", _("备案类型")),
        Column("province", _("主体所在省")),
        Column("version", _("版次"), "end"),
        Column("received", _("接收时间")),
    ]


def _form_row(form: Any) -> Row:
    cells = [
        form.form_no,
        str(form.get_filing_type_display()),
        str(form.get_subject_province_display()),
        form.version,
        form.received_at,
    ]
    return Row(reverse("verification-form_detail", args=[form.pk]), cells)


def _receipt_columns() -> list[Column]:
    return [
        Column("reference", _("结果标识")),
        Column("form", _("核验单编号")),
        Column("operation", _("操作类型")),
        Column("outcome", _("结果")),
        Column("said", _("说明")),
        Column("at", _("时间")),
        Column("source", _("来源文件")),
    ]


def _receipt_row(one: NationalReceipt) -> Row:
    form = common.form_link(one.form) if one.form else None
    cells = [
        masked(reference_of(one)),
        form,
        _operation(one),
        _outcome(one),
        _said(one),
        one.at,
        _source(one),
    ]
    return Row("", cells)


def _check_columns() -> list[Column]:
    return [
        Column("form", _("核验单编号")),
        Column("kind", _("核查类别")),
        Column("reference", _("全国系统标识")),
        Column("result", _("结果")),
        Column("said", _("说明")),
        Column("at", _("时间")),
        Column("source", _("来源文件")),
    ]


def _check_cells(one: NationalCheck) -> list[Any]:
    return [
        common.form_link(one.form) if one.form else None,
        str(one.get_kind_display()),
        masked(reference_of(one)),
        _checked(one),
        _said(one),
        one.at,
        _source(one),
    ]


_ROWS: Final[Mapping[str, tuple[Callable[[], list[Column]], Callable[[Any], Row]]]] = {
    "without_receipt": (_form_columns, _form_row),
    "without_form": (_receipt_columns, _receipt_row),
    "not_passed": (_receipt_columns, _receipt_row),
    "checks": (_check_columns, lambda one: Row("", _check_cells(one))),
}


def columns(show: str) -> list[Column]:
    """The columns of one of the month's lists."""
    return _ROWS[show][0]()


def row(show: str, one: Any) -> Row:
    """A line of that list."""
    return _ROWS[show][1](one)


def intro(month: str, counts: Mapping[str, int]) -> str:
    """The month in one sentence."""
    return _(
        "%(month)s 收到核验单 %(forms)s 份，其中 %(without_receipt)s 份尚无全国回执；"
        "另有 %(without_form)s 份回执无对应核验单，%(not_passed)s 条未入库或审核未通过，%(checks)s 条核查结果。"
    ) % {"month": month, **{name: f"{count:,}" for name, count in counts.items()}}


# --- its spreadsheet --------------------------------------------------------------------------------
EXPORT: Final = "national"


ASKED: Final = ("unit", "month", "show")


def export_url(scope: selector.Scope, show: str) -> str:
    """Where a list is taken away from."""
    asked = {"unit": scope.unit.code, "month": scope.month.name, "show": show}
    return f"{reverse('list_export', args=[EXPORT])}?{urlencode(asked)}"


def _asked(asked: QueryDict) -> dict[str, str]:
    return {key: asked.get(key, "") for key in ASKED}


def _address(query: str) -> str:
    """The page of the list that a query of an export names."""
    asked = QueryDict(query)
    rest = urlencode({key: asked[key] for key in ASKED[1:]})
    return f"{reverse('national', args=[asked['unit']])}?{rest}"


def _read(machine: str, actor: Actor, query: str, chosen: str) -> exports.Table:
    """All rows of a list. A month is the least that can be asked for, so it may be as long as a day's exports."""
    code, month, show = (QueryDict(query)[key] for key in ASKED)
    unit = PilotUnit.objects.visible_to(actor).filter(code=code).first()
    if unit is None or not policy.may_open("national", actor.role):
        raise Refused(_("没有权限"))
    scope = selector.Scope(actor, unit, selector.month_of(month))
    if scope.month.name != month or show not in selector.LISTS:
        raise Refused(_("筛选条件有误"))
    rows = selector.LISTS[show](scope)
    return common.export_table(
        f"{unit.code}-{scope.month.name}-{dict(LISTS)[show]}",
        columns(show),
        chosen,
        total=rows.count(),
        rows=(row(show, one) for one in rows.iterator(chunk_size=exports.STEP)),
        most=max(export_limits.ROWS_A_DAY.values()),
    )


exports.offer(EXPORT, exports.OwnList(gettext_lazy("与全国系统核对"), _asked, _read, _address))


# --- a file -----------------------------------------------------------------------------------------
def file_link(file: NationalFile) -> Link:
    """The way to an imported file."""
    return Link(file.name, reverse("national_file", args=[file.unit.code, file.pk]), "file-down")


def other_files(files: Iterable[NationalFile]) -> Iterator[Section]:
    """The unit's other files, each with the way to its page."""
    if rows := [Row(file_link(one).url, [one.name, one.imported_at, one.counts["rows"]]) for one in files]:
        yield Section(
            _("该单位的其他反馈文件"),
            columns=[
                Column("name", _("文件名")),
                Column("at", _("导入时间")),
                Column("rows", _("记录数"), "end"),
            ],
            rows=rows,
        )


def result_sections(
    counts: Mapping[str, int], refused: Iterable[Unreadable], ignored: Sequence[str], *, title: str
) -> Iterator[Section]:
    """What became of a file: counts, then the refused records in words."""
    facts = [Fact(str(label), counts[name]) for name, label in COUNTS.items()]
    if ignored:
        facts.append(Fact(_("未导入的部分"), ignored, _("本平台只导入备案结果（BAJG）和核查结果（HCJG）")))
    yield Section(title, facts=facts)
    if rows := [Row("", [one.row, why(one)]) for one in refused]:
        yield Section(
            _("拒收明细"), columns=[Column("row", _("序号"), "end"), Column("message", _("说明"))], rows=rows
        )


def file_result(file: NationalFile) -> Iterator[Section]:
    """What became of an imported file."""
    refused = [Unreadable(*one) for one in file.refused]
    return result_sections(file.counts, refused, file.counts["ignored"], title=_("导入结果"))


def file_facts(file: NationalFile) -> list[Fact]:
    """Whose file, when and by whom it was imported."""
    return [
        Fact(_("试点单位"), common.unit_link(file.unit)),
        Fact(_("文件名"), file.name),
        Fact("SHA-256", Checksum(file.sha256)),
        Fact(_("导入时间"), file.imported_at),
        Fact(_("导入人"), staff(file.imported_by) or _("系统")),
    ]
