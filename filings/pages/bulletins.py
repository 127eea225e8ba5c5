"""Bulletins and the final report as the portal shows them, to officials, units and the public."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import BulletinState
from filings.forms.bulletins import BulletinForm
from filings.models import Bulletin
from filings.pages import common
from filings.phrases import lines
from filings.services import bulletin_papers, bulletin_table, bulletins, final_report
from filings.services.bulletin_table import Line, TableColumn
from pilot.actors import Actor
from pilot.enums import Role, WindowKind
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.masking import staff
from pilot.models import Document, PilotUnit
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.rules import local_day
from pilot.selectors import programmes
from pilot.svg import SLIM, WIDE
from pilot.ui import Column, Fact, Row, Section

S = BulletinState


def facts(bulletin: Bulletin, actor: Actor | None) -> list[Fact]:
    """Which period, as of when, by which rules; who compiled and signed it is for officials."""
    shown = [
        Fact(_("种类"), str(bulletin.get_kind_display())),
        Fact(_("统计期间"), *_period(bulletin)),
        Fact(_("期号"), bulletin.number),
        *([Fact(_("更正"), bulletin.corrects.number)] if bulletin.corrects else []),
        Fact(_("数据截至"), bulletin.as_of),
        Fact(_("计算规则"), bulletin.figures["rule_version"]),
    ]
    if actor is not None and not actor.is_provider:
        shown += [
            Fact(_("编制人"), staff(bulletin.compiled_by)),
            *([Fact(_("签发人"), staff(bulletin.signed_by))] if bulletin.signed_by else []),
        ]
    return shown


def _period(bulletin: Bulletin) -> tuple[str, str]:
    """The month; of the final report, the run phase with its first and its last day."""
    if not bulletin.is_final:
        return bulletin.period, ""
    opens, closes = programmes.window(bulletin.programme, WindowKind.RUN)
    days = {"first": local_day(opens), "last": local_day(closes - timedelta(microseconds=1))}
    return _("试点运行阶段"), _("%(first)s 至 %(last)s") % days


def sections(bulletin: Bulletin, actor: Actor | None) -> list[Section]:
    """Conclusions, what a corrigendum changed, the frozen table, its drawings, adjustments of earlier months."""
    frozen = bulletin.figures
    shown = _tables(bulletin, actor)
    if bulletin.conclusions:
        shown = [_words(_("总结意见"), lines(bulletin.conclusions)), *shown]
    if corrected := frozen.get("corrections"):
        shown = [_words(_("更正内容"), [bulletin_table.correction_words(c) for c in corrected]), *shown]
    if frozen["units"]:
        wide, slim = (bulletin_papers.drawings_of(bulletin, width=width) for width in (WIDE, SLIM))
        shown += [
            Section(title, svg=svg + for_phones)
            for (title, svg), (_title, for_phones) in zip(wide, slim, strict=True)
        ]
    if bulletin.is_final:
        shown += [_part(table) for table in final_report.tables(frozen)]
    if frozen["adjustments"]:
        words = [bulletin_table.adjustment_words(change) for change in frozen["adjustments"]]
        shown.append(_words(_("对已通报数据的调整"), words))
    return shown


def before_deciding(bulletin: Bulletin, actor: Actor) -> list[Section]:
    """What an approver answers for: all that the paper will tell."""
    return [Section(_("基本信息"), facts=facts(bulletin, actor)), *sections(bulletin, actor)]


def _words(title: str, texts: list[str]) -> Section:
    return Section(title, texts=texts)


def _part(table: final_report.Table) -> Section:
    """A table of the final report."""
    numeric = len(table.heads) - 1
    columns = [
        Column(str(place), head, "end" if place and place <= numeric else "start")
        for place, head in enumerate(table.heads)
    ]
    rows = [Row("", list(row)) for row in table.rows]
    return Section(table.title, columns=columns, rows=rows, empty=table.empty, note=table.note)


def _tables(bulletin: Bulletin, actor: Actor | None) -> list[Section]:
    """The figures of every unit in three tables, as the paper has them: one would be wider than the screen."""
    targets = bulletin.figures["targets"]
    titles = {
        "forms": _("各试点单位核验单份数"),
        "m1": _("主体身份信息准确率 M1（%(target)s）") % {"target": targets["m1"]},
        "m2": _("核验单信息准确率 M2（%(target)s）") % {"target": targets["m2"]},
    }
    notes = {
        "forms": _(
            "提交 = 接收 + 重复 + 拒收 + 迟报。接收含各版次；"
            "迟报是运行阶段结束或退出试点后收到的，不计入准确率。待比对和无法判定的已含在接收中。"
        ),
        "m1": _(
            "准确率截位显示；待比对和无法判定的核验单不计入 M1。统计结论按单侧置信界限得出："
            "下限达到要求为达标，上限低于要求为不达标，其余为尚不能判定；所列置信区间为双侧，供比较各单位。"
            "名次只在 M1 置信区间与其他各单位均不重叠时列出。"
        ),
        "m2": _("是否达线只拿差错数和计数与要求比较，不作统计推断。"),
    }
    return [
        _table(bulletin, actor, part, title=title, note=notes.get(part, "")) for part, title in titles.items()
    ]


def _table(bulletin: Bulletin, actor: Actor | None, part: str, *, title: str, note: str) -> Section:
    frozen, columns = bulletin.figures, bulletin_table.columns_of(part)
    whole, period = _whole(actor), bulletin.period
    rows = [
        Row("", [_cell(column, unit, period, whole) for _place, column in columns])
        for unit in frozen["units"]
    ]
    if rows:
        totals = bulletin_table.total_cells(frozen)
        rows.append(Row("", [totals[place] for place, _column in columns], marker="total"))
    return Section(
        title,
        columns=[Column(column.key, column.label, column.align) for _place, column in columns],
        rows=rows,
        empty=_("该月没有试点单位"),
        note=note,
    )


type Whole = Callable[[Line], bool]


def _whole(actor: Actor | None) -> Whole:
    """Whose numbers open the forms they count now: the unit, its home bureau and the ministry count it whole."""
    if actor is None:
        return lambda unit: False
    if actor.is_provider:
        own = set(PilotUnit.objects.visible_to(actor).values_list("code", flat=True))
        return lambda unit: unit["code"] in own
    return lambda unit: actor.is_ministry or unit["home"] == actor.province


def _cell(column: TableColumn, unit: Line, period: str, whole: Whole) -> Any:
    match column.key:
        case "m1" | "m2" if whole(unit):
            return common.ratio(unit[column.key], unit["code"], period, column.key, apart=True)
        case "m1_verdict":
            return common.verdict(unit["verdict"]) or column.value(unit)
        case "m2_verdict" if unit["m2"]["n"]:
            return common.met(unit["m2"])
    if column.count and whole(unit):
        return common.opened(column.value(unit), unit["code"], period, column.count)
    return column.value(unit)


def files(bulletin: Bulletin) -> Section:
    """The papers of a published bulletin, for everyone."""
    rows = Document.objects.filter(machine=bulletin.slug(), object_id=bulletin.pk).order_by("pk")
    kinds = {bulletin_papers.PDF: "pdf", bulletin_papers.WORKBOOK: "xlsx"}
    return Section(
        _("通报文件"),
        columns=[Column("title", _("文件")), Column("kind", _("格式")), Column("size", _("大小"), "end")],
        rows=[
            Row(
                reverse("published_bulletin_file", args=[bulletin.pk, kinds[row.kind]]),
                [row.title, kinds[row.kind].upper(), filesizeformat(row.size)],
            )
            for row in rows
            if row.kind in kinds
        ],
        empty=_("没有文件"),
    )


def waiting(actor: Actor) -> Q | None:
    """An approver signs what another compiled, and publishes."""
    if actor.role != Role.MINISTRY_APPROVER:
        return None
    return Q(state=S.COMPILED) & ~Q(compiled_by=actor.person_id) | Q(state=S.SIGNED)


register(
    MachinePages(
        model=Bulletin,
        label=gettext_lazy("通报"),
        group=common.GROUP,
        icon="newspaper",
        columns=[
            ListColumn(Column("number", gettext_lazy("期号")), lambda b: b.number),
            ListColumn(Column("kind", gettext_lazy("种类")), lambda b: str(b.get_kind_display())),
            ListColumn(
                Column("period", gettext_lazy("统计期间")),
                lambda b: _("试点运行阶段") if b.is_final else b.period,
            ),
            ListColumn(Column("as_of", gettext_lazy("数据截至")), lambda b: b.as_of),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"sign": ReauthenticatedForm, "discard": ReasonForm},
        effects={
            "sign": gettext_lazy("对冻结的数据负责；签发后可以发布"),
            "discard": gettext_lazy("本次冻结的数据不再使用，记录保留；同一期间可以重新编制"),
            "publish": gettext_lazy("生成通报文件，任何人可以查阅；此后只能以更正通报修改"),
        },
        previews=dict.fromkeys(("sign", "publish"), before_deciding),
        danger=frozenset({"discard"}),
        creation=Creation(
            gettext_lazy("编制通报"),
            BulletinForm,
            bulletins.compile_bulletin,
            gettext_lazy("重新计算全部试点单位的数据并冻结"),
        ),
        search=["period"],
        long=True,
        related=["corrects", "programme"],
        empty=gettext_lazy("每月结束后由部编制；试点运行阶段结束后编制总结报告"),
    )
)
