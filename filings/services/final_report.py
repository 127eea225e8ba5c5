"""What the final report of the pilot says beside its figures: frozen as whole numbers, shown as tables.

The notice asks for the pilot's phases (三), its two accuracies (一), a mechanism by which problems are found and solved
(四（一）) and supervision (四（二）): the tables follow these, so that the ministry can say what became of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any, Final

from django.utils.translation import gettext as _

from filings.accuracy import thresholds
from filings.enums import (
    CoordinationCategory,
    CoordinationState,
    FindingSource,
    FindingState,
    RectificationState,
    SanctionKind,
    SanctionState,
)
from filings.models import Bulletin
from filings.selectors import closing
from filings.selectors.closing import INSPECTION_COUNTS, NATIONAL_COUNTS
from pilot.enums import Province
from pilot.models import PilotUnit, Programme
from pilot.signals import participation_asked

STEPS: Final = ("applied", "accepted", "listed")


def freeze(*, programme: Programme, units: Sequence[PilotUnit]) -> dict[str, Any]:
    """Everything but the figures themselves, as JSON."""
    keys = [unit.pk for unit in units]
    names = {unit.pk: unit.organisation.name for unit in units}
    return {
        "participants": _participants(programme),
        "inspections": _named(names, closing.inspections(keys)),
        "findings": closing.findings(keys),
        "causes": closing.causes(keys),
        "without_cause": closing.without_cause(keys),
        "rectifications": closing.rectifications(keys),
        "sanctions": closing.sanctions(keys),
        "coordination": closing.coordination(keys),
        "answers": closing.published_answers(keys),
        "national": _named(names, closing.national(keys)),
    }


def _participants(programme: Programme) -> list[list[int]]:
    """Per province with anybody in it: applied, accepted, listed."""
    counted: dict[str, dict[int, int]] = {"listed": closing.listed(programme)}
    answer: Any
    for _receiver, answer in participation_asked.send(sender=Bulletin, programme=programme):
        counted |= answer
    rows = [
        [int(province), *(counted.get(step, {}).get(province, 0) for step in STEPS)] for province in Province
    ]
    return [row for row in rows if any(row[1:])]


def _named(names: dict[int, str], found: dict[int, dict[str, int]]) -> list[dict[str, Any]]:
    return [{"name": name, **found[unit]} for unit, name in names.items() if unit in found]


# --- tables ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Table:
    """A part of the report: title, heads, rows (the first cell is words), and what is said where there are none."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = ""
    note: str = ""


def tables(frozen: dict[str, Any]) -> list[Table]:
    """The parts of the report in order, for page, paper and workbook alike."""
    final = frozen["final"]
    return [
        _participation(final),
        _months(frozen),
        _inspections(final),
        _by_source(final),
        _by_cause(final),
        _orders(final),
        _states(
            _("暂停和退出"),
            _("措施"),
            final["sanctions"],
            SanctionKind,
            SanctionState,
            _("未对试点单位作出暂停或退出处理"),
        ),
        _coordination(final),
        _national(final),
    ]


def _sum(label: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The rows with their sum below; a single row needs none."""
    listed = [list(row) for row in rows]
    if len(listed) < 2:
        return listed
    return [*listed, [label, *(sum(column) for column in list(zip(*listed, strict=True))[1:])]]


def _participation(final: dict[str, Any]) -> Table:
    rows = [[str(Province(row[0]).label), *row[1:]] for row in final["participants"]]
    return Table(
        _("参与情况"),
        [_("省份"), _("提交申请"), _("受理"), _("列入名单")],
        _sum(_("合计"), rows),
        _("没有申请"),
    )


def _months(frozen: dict[str, Any]) -> Table:
    rows = [[line["period"], *_month_cells(line)] for line in frozen["months"]]
    rest, note = _outside(frozen), ""
    if rest:
        rows.append([_("运行阶段外"), *_month_cells(rest)])
        note = _("“运行阶段外”是不属于运行阶段各月、但计入全阶段份数的核验单（如运行阶段结束后到达的迟报）。")
    return Table(
        _("各月运行情况"),
        [
            _("月份"),
            _("提交"),
            _("接收"),
            _("拒收"),
            _("重复"),
            _("迟报"),
            _("M1 差错/计数"),
            _("M1 准确率"),
            _("M2 差错/计数"),
            _("M2 准确率"),
        ],
        rows,
        _("没有核验单"),
        note,
    )


def _month_cells(line: dict[str, Any]) -> list[Any]:
    """What stands behind the month: forms, then errors of counted and the share of both accuracies."""
    accuracies = [line[key] for key in ("m1", "m2")]
    return [
        *(line[key] for key in ("submitted", "accepted")),
        *(line["counts"][key] for key in ("refused", "duplicates", "late")),
        *(text for found in accuracies for text in (f"{found['errors']}/{found['n']}", found["shown"])),
    ]


def _outside(frozen: dict[str, Any]) -> dict[str, Any]:
    """What the totals count and no month of the run phase does, in the form of a month; empty if nothing."""

    def rest(*path: str) -> int:
        number: int = reduce(getitem, path, frozen["totals"])
        return number - sum(reduce(getitem, path, line) for line in frozen["months"])

    counts = {key: rest("counts", key) for key in ("refused", "duplicates", "late")}
    ratios = {key: (rest(key, "errors"), rest(key, "n")) for key in ("m1", "m2")}
    forms = {key: rest(key) for key in ("submitted", "accepted")}
    if not any((*counts.values(), *forms.values(), *(number for pair in ratios.values() for number in pair))):
        return {}
    shown = {
        key: {"errors": errors, "n": n, "shown": thresholds.shown(errors, n)}
        for key, (errors, n) in ratios.items()
    }
    return {**forms, **shown, "counts": counts}


def _inspections(final: dict[str, Any]) -> Table:
    rows = [[line["name"], *(line[key] for key in INSPECTION_COUNTS)] for line in final["inspections"]]
    return Table(
        _("抽查"),
        [
            _("试点单位"),
            _("已结论"),
            _("取消"),
            _("未结束"),
            _("检查份数"),
            _("身份信息差错"),
            _("其他信息差错"),
        ],
        _sum(_("合计"), rows),
        _("没有抽查"),
        _("检查份数和差错只计已结论的抽查。"),
    )


def _states(
    title: str, head: str, counted: dict[str, dict[str, int]], kinds: Any, states: Any, empty: str
) -> Table:
    """Kinds down, states across, with sums of both."""
    rows = []
    for kind in kinds:
        if kind.value in counted:
            numbers = [counted[kind.value].get(state.value, 0) for state in states]
            rows.append([str(kind.label), *numbers, sum(numbers)])
    heads = [head, *(str(state.label) for state in states), _("合计")]
    return Table(title, heads, _sum(_("合计"), rows), empty)


def _by_source(final: dict[str, Any]) -> Table:
    return _states(
        _("差错：按来源"), _("来源"), final["findings"], FindingSource, FindingState, _("没有差错")
    )


def _by_cause(final: dict[str, Any]) -> Table:
    rows = [[text, unit, number] for unit, text, number in final["causes"]]
    if final["without_cause"]:
        rows.append([_("未记录原因"), "", final["without_cause"]])
    return Table(
        _("差错：按原因"),
        [_("原因"), _("试点单位"), _("差错")],
        rows,
        _("没有差错"),
        _("原因由试点单位记录；不含已撤销的差错。"),
    )


def _orders(final: dict[str, Any]) -> Table:
    counted = final["rectifications"]
    rows = [
        [str(state.label), counted[state.value]] for state in RectificationState if counted.get(state.value)
    ]
    return Table(_("整改"), [_("状态"), _("整改通知")], _sum(_("合计"), rows), _("没有整改通知"))


def _coordination(final: dict[str, Any]) -> Table:
    table = _states(
        _("协调沟通"),
        _("类别"),
        final["coordination"],
        CoordinationCategory,
        CoordinationState,
        _("没有协调事项"),
    )
    note = _("由协调事项整理并发布的问答：%(number)s 条。") % {"number": final["answers"]}
    return Table(table.title, table.heads, table.rows, table.empty, note)


def _national(final: dict[str, Any]) -> Table:
    rows = [[line["name"], *(line[key] for key in NATIONAL_COUNTS)] for line in final["national"]]
    return Table(
        _("与全国系统核对"),
        [_("试点单位"), _("核验单"), _("有全国系统回执"), _("未通过的反馈"), _("全国系统核查")],
        _sum(_("合计"), rows),
        _("没有数据"),
    )
