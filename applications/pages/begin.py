"""Before an application is begun: whose it will be, who decides on it, by when to hand it in, and what follows."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from applications.selectors import cases
from applications.services.drafts import starting_obstacle
from pilot import clock
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import Organisation, Programme
from pilot.rules import last_moment
from pilot.selectors import programmes
from pilot.selectors.people import bureau_names
from pilot.ui import Fact, Section, Tag


def obstacle(actor: Actor) -> str | None:
    """Why this provider cannot begin an application now, in words."""
    return starting_obstacle(programmes.current(), _own(actor), clock.now())


def preview(form: Any, actor: Actor) -> list[Section]:
    """What the click will begin, or why it cannot."""
    if why := obstacle(actor):
        return [Section(_("现在不能提出申请"), empty=why, blocks=True)]
    programme, provider = programmes.current(), _own(actor)
    return [
        Section(
            _("将要建立的申请"),
            facts=[
                Fact(_("申请单位"), provider.name),
                Fact(_("统一社会信用代码"), provider.uscc),
                Fact(_("试点项目"), programme.number),
                Fact(_("受理单位"), bureau_names().get(provider.province or 0)),
                Fact(_("提交截止"), _until(programme, provider)),
                Fact(
                    _("提交后"),
                    _("取得申办流水号和接收回执，受理单位在 %(days)s 个工作日内答复")
                    % {"days": programmes.rule(programme, "acceptance_days")},
                ),
            ],
            note=_("草稿只有本单位可见，可以随时保存、换设备继续；提交之前不计算期限，也可以放弃。"),
        )
    ]


def _own(actor: Actor) -> Organisation:
    return Organisation.objects.get(pk=actor.organisation_id or 0)


def _until(programme: Programme, provider: Organisation) -> Any:
    """The last second in which it can be handed in: of the window, or of the late admission."""
    opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    now = clock.now()
    late = cases.late_admission(programme=programme, provider_id=provider.pk, at=now)
    until = last_moment(late.until if late and now >= closes else closes)
    return until if now >= opens else [until, Tag(_("申请阶段尚未开始，先存草稿"), "info")]
