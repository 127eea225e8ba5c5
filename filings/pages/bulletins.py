"""Bulletins as the portal shows them, to officials and to the public."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.documents import adjustment_words, error_chart
from filings.enums import BulletinState
from filings.forms import BulletinForm
from filings.models import Bulletin
from filings.pages import common
from filings.services import bulletins
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Column, Fact, Row, Section

S = BulletinState


def facts(bulletin: Bulletin, actor: Actor | None) -> list[Fact]:
    """Which month, as of when, by which rules; who compiled and signed it is for officials."""
    shown = [
        Fact(_("月份"), bulletin.period),
        Fact(_("期号"), bulletin.number),
        Fact(_("更正"), bulletin.corrects.number if bulletin.corrects else None),
        Fact(_("数据截至"), bulletin.as_of),
        Fact(_("计算规则"), bulletin.figures["rule_version"]),
    ]
    if actor is not None and not actor.is_provider:
        shown += [
            Fact(_("编制人"), bulletin.compiled_by.name),
            Fact(_("签发人"), bulletin.signed_by.name if bulletin.signed_by else None),
        ]
    return shown


def sections(bulletin: Bulletin, actor: Actor | None) -> list[Section]:
    """The frozen table, its chart, and adjustments of earlier months."""
    frozen = bulletin.figures
    shown = [_table(frozen)]
    if frozen["units"]:
        shown.append(Section(_("各试点单位 M1 差错数"), svg=str(error_chart(frozen["units"]))))
    if frozen["adjustments"]:
        rows = [Row("", [adjustment_words(change)]) for change in frozen["adjustments"]]
        shown.append(Section(_("对已通报数据的调整"), columns=[Column("text", _("内容"))], rows=rows))
    return shown


def _table(frozen: dict[str, Any]) -> Section:
    columns = [
        Column("unit", _("试点单位")),
        Column("province", _("省份")),
        Column("accepted", _("接受"), "end"),
        Column("m1", _("M1 差错 / 计数"), "end"),
        Column("m1_shown", _("M1 准确率"), "end"),
        Column("m1_interval", _("95% 置信区间"), "end"),
        Column("m1_verdict", _("M1 结论")),
        Column("m2", _("M2 差错 / 计数"), "end"),
        Column("m2_shown", _("M2 准确率"), "end"),
        Column("m2_met", _("M2 结论")),
        Column("pending", _("待比对"), "end"),
        Column("undeterminable", _("无法判定"), "end"),
    ]
    rows = [
        Row(
            "",
            [
                unit["name"],
                unit["province"],
                unit["accepted"],
                common.counts(unit["m1"]),
                unit["m1"]["shown"],
                unit["interval"],
                common.verdict(unit["verdict"]),
                common.counts(unit["m2"]),
                unit["m2"]["shown"],
                common.met(unit["m2"]),
                unit["counts"]["pending"],
                unit["counts"]["undeterminable"],
            ],
        )
        for unit in frozen["units"]
    ]
    return Section(
        _("各试点单位准确率"),
        columns=columns,
        rows=rows,
        empty=_("该月没有试点单位"),
        note=_("准确率按整数判定，截位显示；待比对和无法判定的核验单不计入 M1。"),
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
            ListColumn(Column("period", gettext_lazy("月份")), lambda b: b.period),
            ListColumn(Column("as_of", gettext_lazy("数据截至")), lambda b: b.as_of),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"sign": ReauthenticatedForm, "discard": ReasonForm},
        effects={
            "sign": gettext_lazy("对冻结的数据负责；签发后可以发布"),
            "publish": gettext_lazy("生成通报文件，任何人可以查阅；此后只能以更正通报修改"),
        },
        danger=frozenset({"discard"}),
        creation=Creation(
            gettext_lazy("编制通报"),
            BulletinForm,
            bulletins.compile_bulletin,
            gettext_lazy("重新计算该月全部试点单位的数据并冻结"),
        ),
        search=["period"],
        related=["compiled_by", "signed_by", "corrects", "programme"],
        empty=gettext_lazy("每月结束后由部编制"),
    )
)
