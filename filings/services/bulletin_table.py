"""The table of a bulletin: one set of columns for the page, the paper and the workbook, from the frozen figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.accuracy.thresholds import NO_FIGURE
from filings.accuracy.verdicts import M1Verdict
from filings.periods import Period
from pilot.enums import Province
from pilot.ui import Align

type Line = dict[str, Any]
VERDICTS: Final = {
    "": NO_FIGURE,
    M1Verdict.ACHIEVED: gettext_lazy("达标"),
    M1Verdict.NOT_ACHIEVED: gettext_lazy("不达标"),
    M1Verdict.UNDECIDED: gettext_lazy("尚不能判定"),
}
MET: Final = {True: gettext_lazy("达线"), False: gettext_lazy("未达线"), None: NO_FIGURE}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its words, how a frozen line's cell is read, whether totals have it, and what a figure counts.

    ``count`` names the count whose forms the cell opens, ``part`` the table it stands in where one table is too wide.
    """

    key: str
    label: Promise
    value: Callable[[Line], Any]
    align: Align = "end"
    total: bool = True
    count: str = ""
    part: str = "forms"


def _count(name: str) -> Callable[[Line], int]:
    return lambda line: int(line["counts"][name])


def _ratio(key: str) -> Callable[[Line], str]:
    return lambda line: f"{line[key]['errors']}/{line[key]['n']}"


def _shown(key: str) -> Callable[[Line], str]:
    return lambda line: str(line[key]["shown"])


def _interval(line: Line) -> str:
    return str(line["interval"]).replace("% ～ ", "–")


def rank_words(line: Line) -> Any:
    """The place, or why there is none."""
    rank = line["rank"]
    if rank["place"] is not None:
        return rank["place"]
    if not line["m1"]["n"]:
        return _("--（无数据）")
    return _("--（区间重叠）")


def _province(line: Line) -> str:
    return str(Province(line["home"]).label)


COLUMNS: Final = (
    TableColumn("unit", gettext_lazy("试点单位"), lambda line: line["name"], "start", total=False),
    TableColumn("province", gettext_lazy("省份"), _province, "start", total=False),
    TableColumn("submitted", gettext_lazy("提交"), lambda line: line["submitted"]),
    TableColumn("accepted", gettext_lazy("接收"), lambda line: line["accepted"]),
    TableColumn("duplicates", gettext_lazy("重复"), _count("duplicates"), count="duplicates"),
    TableColumn("refused", gettext_lazy("拒收"), _count("refused"), count="refused"),
    TableColumn("late", gettext_lazy("迟报"), _count("late"), count="late"),
    TableColumn("m1", gettext_lazy("M1 差错/计数"), _ratio("m1"), part="m1"),
    TableColumn("m1_shown", gettext_lazy("M1 准确率"), _shown("m1"), part="m1"),
    TableColumn("m1_interval", gettext_lazy("M1 置信区间"), _interval, total=False, part="m1"),
    TableColumn(
        "m1_verdict",
        gettext_lazy("M1 统计结论"),
        lambda line: str(VERDICTS[line["verdict"]]),
        "start",
        total=False,
        part="m1",
    ),
    TableColumn("m2", gettext_lazy("M2 差错/计数"), _ratio("m2"), part="m2"),
    TableColumn("m2_shown", gettext_lazy("M2 准确率"), _shown("m2"), part="m2"),
    TableColumn(
        "m2_verdict",
        gettext_lazy("M2 是否达线"),
        lambda line: str(MET[line["m2"]["met"]]),
        "start",
        total=False,
        part="m2",
    ),
    TableColumn("pending", gettext_lazy("待比对"), _count("pending"), count="pending"),
    TableColumn("undeterminable", gettext_lazy("无法判定"), _count("undeterminable"), count="undeterminable"),
    TableColumn("change", gettext_lazy("M1 较上期"), lambda line: line["change"], total=False, part="m1"),
    TableColumn("rank", gettext_lazy("M1 名次"), rank_words, total=False, part="m1"),
)


NAME: Final = COLUMNS[0]


def columns_of(part: str) -> list[tuple[int, TableColumn]]:
    """The unit and the columns of one part, each with its place among all columns."""
    return [(i, column) for i, column in enumerate(COLUMNS) if column is NAME or column.part == part]


def headings() -> list[str]:
    """The words above the columns."""
    return [str(column.label) for column in COLUMNS]


def cells(line: Line) -> list[Any]:
    """A unit's line: whole numbers and words."""
    return [column.value(line) for column in COLUMNS]


def total_cells(frozen: dict[str, Any]) -> list[Any]:
    """The sum of all units; what cannot be summed is left empty."""
    words = _("合计（%(number)s 家）") % {"number": len(frozen["units"])}
    rest = [column.value(frozen["totals"]) if column.total else "" for column in COLUMNS]
    return [words, *rest[1:]]


# --- what changed ---------------------------------------------------------------------------------
def corrections(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Every cell in which a corrigendum differs from what it corrects, unit by unit and in the totals.

    Cells are compared by their words in the language in force; the portal freezes them in its own.
    """
    old = {unit["code"]: unit for unit in before["units"]}
    changes = []
    for unit in after["units"]:
        changes += _differences(unit["name"], old.pop(unit["code"], None), unit, whole=True)
    changes += [
        {"name": unit["name"], "column": "", "before": _("列入"), "after": _("不再列入")}
        for unit in old.values()
    ]
    return [*changes, *_differences(_("合计"), before["totals"], after["totals"], whole=False)]


def _differences(name: str, before: Line | None, after: Line, *, whole: bool) -> list[dict[str, Any]]:
    if before is None:
        return [{"name": name, "column": "", "before": _("未列入"), "after": _("列入")}]
    columns = [column for column in COLUMNS if whole or column.total]
    found = []
    for column in columns:
        was, now = column.value(before), column.value(after)
        if was != now:
            found.append({"name": name, "column": column.key, "before": str(was), "after": str(now)})
    return found


def correction_words(change: dict[str, Any]) -> str:
    """One change of a corrigendum in words."""
    labels = {column.key: str(column.label) for column in COLUMNS}
    return _("%(name)s：%(column)s由 %(before)s 改为 %(after)s") % {
        **change,
        "column": labels.get(change["column"], ""),
    }


def adjustment_words(change: dict[str, Any]) -> str:
    """An adjustment of a published month in words: errors / n before and after, of each figure that moved."""
    before, after = change["before"], change["after"]
    parts = [
        _("%(figure)s差错/计数由 %(before)s 改为 %(after)s")
        % {
            "figure": name,
            "before": f"{before[f'{key}_errors']}/{before[f'{key}_n']}",
            "after": f"{after[f'{key}_errors']}/{after[f'{key}_n']}",
        }
        for key, name in (("m1", "M1"), ("m2", "M2"))
        if (before[f"{key}_errors"], before[f"{key}_n"]) != (after[f"{key}_errors"], after[f"{key}_n"])
    ]
    return _("%(period)s %(name)s：%(changes)s。") % {
        "period": Period.parse(change["period"]).words,
        "name": change["name"],
        "changes": _("，").join(parts),
    }
