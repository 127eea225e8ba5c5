"""What officials are told of other cases under the applicant's unified social credit code."""

from __future__ import annotations

from django.utils.translation import gettext as _

from applications.models import Application
from applications.selectors import duplicates
from pilot.actors import Actor
from pilot.ui import Column, Row, Section, Tag


def section(case: Application, actor: Actor) -> Section | None:
    """The flagged section of the case page; nobody but bureau and ministry sees it, and only where there is one."""
    if not (actor.is_bureau or actor.is_ministry):
        return None
    found = duplicates.twins(case)
    if not found:
        return None
    return Section(
        _("同一统一社会信用代码的其他申请和账号申请（%(n)s 件）") % {"n": len(found)},
        columns=[
            Column("what", _("事项")),
            Column("number", _("编号")),
            Column("province", _("省份")),
            Column("state", _("状态")),
            Column("at", _("时间")),
            Column("flag", _("提示")),
        ],
        rows=[
            Row(
                "",
                [
                    twin.what,
                    twin.number,
                    twin.province,
                    twin.state,
                    twin.at,
                    Tag(_("外省"), "warning") if twin.other_province else Tag(_("本省"), "muted"),
                ],
                marker="warning" if twin.other_province else "",
            )
            for twin in found
        ],
        note=_("同一单位只向注册地通信管理局申请；外省事项的内容不在此显示，如需核实请联系该省通信管理局"),
    )
