"""The guide before login (办事指南), read from the programme's data."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from pilot import clock, rules
from pilot.models import Condition, Window
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Row, Section


def page() -> dict[str, Any]:
    """Title, windows with their faces, flow, conditions and promises of the current programme."""
    programme = programmes.current()
    return {
        "title": _("办事指南"),
        "intro": programme.heading,
        "windows": [_window(window) for window in Window.objects.filter(programme=programme)],
        "steps": _steps(programme),
        "sections": [
            Section(
                title=_("参与条件"),
                columns=[Column("number", _("序号")), Column("text", _("条件")), Column("clause", _("依据"))],
                rows=[
                    Row("", [row.number, str(row), row.clause])
                    for row in Condition.objects.filter(programme=programme)
                ],
            ),
            Section(
                title=_("办理时限（工作日）"),
                facts=[
                    Fact(_("受理"), programmes.rule(programme, "acceptance_days")),
                    Fact(_("补正"), programmes.rule(programme, "correction_days")),
                    Fact(_("申诉"), programmes.rule(programme, "objection_days")),
                ],
                note=_("工作日按国务院办公厅公布的节假日安排计算，补正期间受理时限中止"),
            ),
        ],
        "crumbs": (),
    }


def _window(window: Window) -> dict[str, Any]:
    now = clock.now()
    opens, closes = programmes.window(window.programme, window.kind)
    if now < opens:
        face, text = (
            "before",
            _("%(days)s 天后开始") % {"days": (rules.local_day(opens) - rules.local_day(now)).days},
        )
    elif now < closes:
        left = closes - now
        face = "open"
        text = _("距截止还有 %(days)s 天 %(hours)s 小时（以服务器时间为准）") % {
            "days": left.days,
            "hours": left.seconds // 3600,
        }
    else:
        face, text = "closed", _("已截止；如确有特殊原因，请联系注册地通信管理局")
    return {"label": window.get_kind_display(), "face": face, "opens": opens, "closes": closes, "text": text}


def _steps(programme: Any) -> list[Fact]:
    days = programmes.rule(programme, "acceptance_days")
    return [
        Fact(_("提交申请"), _("网络接入服务提供者"), _("向注册地通信管理局在线提交申请表及材料")),
        Fact(_("受理"), _("通信管理局"), _("%(days)s 个工作日内") % {"days": days}),
        Fact(_("审核"), _("通信管理局"), _("对照三项条件提出意见，汇总报送")),
        Fact(_("技术能力评估"), _("评估机构"), _("两名以上评估人员独立评分")),
        Fact(_("公布名单"), _("部机关"), _("确定并公布试点单位名单")),
        Fact(_("试点运行"), _("试点单位"), _("提交电子化核验单，接受监督检查")),
    ]
