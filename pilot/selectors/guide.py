"""The guide before login (办事指南), read from the programme's data: the twelve elements of a service guide.

Who may apply, the materials and the questions are the affair of the app that takes applications; it fills them in
through ``pilot.registry.on_guide``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from pilot import rules
from pilot.enums import OrganisationKind, WindowKind
from pilot.models import Condition, Organisation, Programme, Window
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Link, Row
from pilot.ui_guide import Countdown, Face, GuideElement, GuidePage, WindowFace

type Values = Mapping[str, Any]  # the programme's rules as they hold today, by key


def page(programme: Programme, *, at: datetime) -> GuidePage:
    """The guide as it stands at ``at`` (business time)."""
    faces = {window.kind: face(window, at=at) for window in Window.objects.filter(programme=programme)}
    windows = list(faces.values())
    rules_of = programmes.values_in_force(programme)
    headline = _headline(faces)
    return GuidePage(
        title=_("办事指南"),
        intro=programme.heading,
        as_of=at,
        headline=headline,
        applying=headline is not None
        and headline is faces.get(WindowKind.APPLICATION)
        and headline.face != "after",
        elements=[
            _matter(programme, rules_of),
            _authorities(),
            GuideElement("applicants", _("谁可以申请")),
            _conditions(programme),
            GuideElement("materials", _("材料清单")),
            _windows(windows),
            _promises(rules_of),
            _flow(rules_of),
            _contact(rules_of),
            _complaints(rules_of),
            _fee(rules_of),
            GuideElement("questions", _("常见问题")),
        ],
    )


def _headline(faces: Mapping[str, WindowFace]) -> WindowFace | None:
    """Applying, whose end has to be told who comes too late, until the run phase begins; then the run phase."""
    applying, run = faces.get(WindowKind.APPLICATION), faces.get(WindowKind.RUN)
    return run if run is not None and run.face != "before" else applying


def face(window: Window, *, at: datetime) -> WindowFace:
    """One window's face at ``at``; windows are half-open, so the moment of opening is open and of closing is not."""
    opens, closes = window.opens, programmes.closing(window)
    shown: Face = "before" if at < opens else "open" if at < closes else "after"
    return WindowFace(
        label=window.get_kind_display(),
        opens=opens,
        closes=closes,
        face=shown,
        text=_what_now(window.kind, shown, closes),
        links=_to_read(window.kind, shown),
        countdown=_countdown(shown, opens, closes, at),
        note=_("原定截止时间 %(closes)s，已依程序延长")
        % {"closes": f"{rules.last_moment(window.closes).astimezone(rules.SHANGHAI):%Y-%m-%d %H:%M:%S}"}
        if closes != window.closes
        else "",
    )


def _countdown(shown: Face, opens: datetime, closes: datetime, at: datetime) -> Countdown | None:
    """To the next of the two bells; whole milliseconds, rounded up. None after the last."""
    if shown == "after":
        return None
    bell, label = (opens, _("距开始还有")) if shown == "before" else (closes, _("距截止还有"))
    return Countdown(label, -((at - bell) // timedelta(milliseconds=1)))


def _what_now(kind: str, shown: Face, closes: datetime) -> str:
    words = {
        (WindowKind.APPLICATION, "before"): _(
            "尚未开始接收申请。可以先下载空白申请表、准备材料；没有账号的单位可以先申请账号。"
        ),
        (WindowKind.APPLICATION, "open"): _(
            "正在接收申请。请登录填写申请表、上传材料，并在截止前确认并提交。"
        ),
        (WindowKind.APPLICATION, "after"): _(
            "已停止接收申请。已提交的单位可以登录查看进度，收到补正告知的仍可在补正期限内提交；"
            "确有特殊原因未能按期提交的，请联系注册地通信管理局，由部机关决定是否逾期准入。"
        ),
        (WindowKind.REVIEW, "before"): _(
            "申请阶段结束后，通信管理局审核并汇总报送，部机关组织技术能力评估。"
        ),
        (WindowKind.REVIEW, "open"): _("正在审核和评估。申请单位可以登录查看进度，并按要求配合核实。"),
        (WindowKind.REVIEW, "after"): _("审核和评估已结束，结果见已公布的试点单位名单。"),
        (WindowKind.RUN, "before"): _("列入名单的单位从此时起提交电子化核验单。"),
        (WindowKind.RUN, "open"): _("试点单位正在提交电子化核验单，并接受监督检查。"),
        (WindowKind.RUN, "after"): _("试点已于 %(day)s 结束，此后采集的核验单不再接收。")
        % {"day": rules.local_day(rules.last_moment(closes))},
    }
    return words[WindowKind(kind), shown]


def _to_read(kind: str, shown: Face) -> list[Link]:
    units = Link(_("试点单位名单"), reverse("published_list"))
    bulletins = Link(_("试点运行情况通报"), reverse("published_bulletin"))
    if kind == WindowKind.REVIEW:
        return [units] if shown == "after" else []
    return [units, bulletins] if kind == WindowKind.RUN and shown != "before" else []


def _matter(programme: Programme, rules_of: Values) -> GuideElement:
    return GuideElement(
        "matter",
        _("事项名称与依据"),
        facts=[
            Fact(_("事项名称"), programme.title),
            Fact(_("依据"), rules_of.get("notice_title")),
            Fact(_("文号"), programme.number),
            Fact(_("印发日期"), programme.issued_on),
            Fact(_("公开日期"), programme.published_on),
        ],
    )


def _authorities() -> GuideElement:
    bureaus = Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("province")
    rows = [Row("", [bureau.name, bureau.get_province_display(), bureau.phone]) for bureau in bureaus]
    return GuideElement(
        "authorities",
        _("受理机构"),
        text=[_("由申请单位注册地的通信管理局受理，与备案主体所在地无关。")],
        columns=[
            Column("bureau", _("通信管理局")),
            Column("province", _("受理范围")),
            Column("phone", _("电话")),
        ],
        rows=rows,
        folded=_("查看全部 %(n)s 个通信管理局及联系电话") % {"n": len(rows)},
    )


def _conditions(programme: Programme) -> GuideElement:
    return GuideElement(
        "conditions",
        _("参与条件"),
        text=[_("以下条件须同时具备：")],
        columns=[Column("text", _("条件")), Column("clause", _("依据"))],
        rows=[
            Row("", [f"{row.number}. {row}", row.clause])
            for row in Condition.objects.filter(programme=programme)
        ],
    )


def _windows(windows: Sequence[WindowFace]) -> GuideElement:
    return GuideElement(
        "windows",
        _("申报窗口"),
        windows=windows,
        note=_("时间均为北京时间，以本平台时钟为准，所列起止时刻均在该阶段之内"),
    )


def _promises(rules_of: Values) -> GuideElement:
    promised = [
        (_("受理"), "acceptance_days", _("自提交之日的次日起，作出受理、一次性告知补正或不予受理的答复")),
        (
            _("补正"),
            "correction_days",
            _("自告知之日的次日起，一次性提交；补正期间受理时限中止，提交后重新计算"),
        ),
        (_("申诉"), "objection_days", _("自决定或公布之日的次日起，可以提出申诉")),
    ]
    return GuideElement(
        "promises",
        _("办理时限"),
        facts=[Fact(label, _working_days(rules_of, key), hint) for label, key, hint in promised],
        note=_("工作日按国务院办公厅公布的节假日和调休安排计算"),
    )


def _working_days(rules_of: Values, key: str) -> str:
    days = rules_of.get(key)
    return "" if days is None else _("%(days)s 个工作日") % {"days": days}


def _flow(rules_of: Values) -> GuideElement:
    days = rules_of.get("acceptance_days")
    return GuideElement(
        "flow",
        _("办理流程"),
        steps=[
            Fact(_("提交申请"), _("网络接入服务提供者"), _("向注册地通信管理局在线提交申请表及材料")),
            Fact(_("受理"), _("通信管理局"), _("%(days)s 个工作日内") % {"days": days}),
            Fact(_("审核"), _("通信管理局"), _("对照三项条件提出意见，汇总报送")),
            Fact(_("技术能力评估"), _("评估机构"), _("两名以上评估人员独立评分")),
            Fact(_("公布名单"), _("部机关"), _("确定并公布试点单位名单")),
            Fact(_("试点运行"), _("试点单位"), _("提交电子化核验单，接受监督检查")),
        ],
    )


def _contact(rules_of: Values) -> GuideElement:
    return GuideElement(
        "contact",
        _("联系方式"),
        facts=[
            Fact(_("申请与受理"), _("注册地通信管理局"), _("电话见“受理机构”")),
            Fact(
                _("政策咨询"),
                rules_of.get("ministry_phone"),
                str(rules_of.get("ministry_name") or ""),
            ),
            Fact(_("账号"), _("本单位管理员或注册地通信管理局")),
        ],
    )


def _complaints(rules_of: Values) -> GuideElement:
    return GuideElement(
        "complaints",
        _("监督投诉与申诉"),
        text=[
            _(
                "对不予受理、未列入名单等决定不服的，可在 %(days)s内登录本平台提出申诉，由未参与原决定的人员复核。"
            )
            % {"days": _working_days(rules_of, "objection_days")},
            _("对办理时限、服务态度等有意见的，可向受理机构或部机关反映，电话见“受理机构”和“联系方式”。"),
        ],
    )


def _fee(rules_of: Values) -> GuideElement:
    charged = bool(rules_of.get("fee"))
    return GuideElement(
        "fee", _("费用"), text=[_("按项目规定收费。") if charged else _("不收费。评估和复核同样不收费。")]
    )
