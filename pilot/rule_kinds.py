"""The programme rules that the code asks for: what each is called, how its value is written, what it governs.

A rule whose key is not here would change nothing, so none can be entered. Values and legal bases are the programme's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Shape(TextChoices):
    """How a rule's value is entered and kept."""

    NUMBER = "number"  # a whole number
    DAYS = "days"  # a list of days before something, the earliest first
    SWITCH = "switch"  # the programme holds the rule, or it does not
    WORDS = "words"
    LEVEL = "level"  # a probability as text, so that no float decides
    ACCURACY = "accuracy"  # {errors, out_of}
    CHANGE = "change"  # {level, times, least_forms, least_days}


class Area(TextChoices):
    """Headings of the list, in the order in which they stand there."""

    ACCURACY = "accuracy", _("准确率判定")
    INTAKE = "intake", _("申请与审查")
    SUPERVISION = "supervision", _("监督管理")
    ALERTS = "alerts", _("提醒与预警")
    RECORDS = "records", _("保存与文书")


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One rule. ``unit``: of a number, with ``%(n)s``; ``optional``: the code does without it, so it can be ended."""

    key: str
    area: Area
    label: Any
    governs: Any
    shape: Shape = Shape.NUMBER
    unit: Any = "%(n)s"
    lowest: int = 1
    highest: int = 250
    optional: bool = False

    def written(self, value: Any) -> str:
        """A value in words."""
        if value is None:
            return gettext("未规定")
        match self.shape:
            case Shape.SWITCH:
                return gettext("已规定") if value else gettext("未规定")
            case Shape.NUMBER:
                return str(self.unit) % {"n": f"{value:,}"}
            case Shape.DAYS:
                listed = gettext("、").join(map(str, sorted(value, reverse=True)))
                return gettext("到期前 %(days)s 天") % {"days": listed} if value else gettext("未规定")
            case Shape.ACCURACY:
                if not value["errors"]:
                    return gettext("%(percent)s%%（不允许差错）") % {"percent": _percent(value)}
                words = gettext("不低于 %(percent)s%%（每 %(out_of)s 份允许 %(errors)s 份差错）")
                return words % {"percent": _percent(value), **value}
            case Shape.LEVEL:
                return f"{(Decimal(value) * 100).normalize():f}%"
            case Shape.CHANGE:
                words = gettext(
                    "差错占比显著性 %(level)s；报送量 %(times)s 倍；至少 %(least_forms)s 份、%(least_days)s 个工作日"
                )
                return words % value
        return str(value)


def _percent(value: Any) -> str:
    share = 100 - Decimal(100 * value["errors"]) / Decimal(value["out_of"])
    shown = share.quantize(Decimal("0.0001"), ROUND_DOWN)  # what allows an error never reads as 100 %
    return f"{shown.normalize():f}"


_WORKING_DAYS: Final = _("%(n)s 个工作日")
_FROM_NOW: Final = _("只适用于此后开始计算的期限，已经开始的期限不变")
_AT_ONCE: Final = _("保存后立即适用")
_QUOTED: Final = _("此后制作的文书和页面引用新的文字，已制作的文书不变")

_KINDS: Final = (
    RuleKind(
        "identity_accuracy",
        Area.ACCURACY,
        _("M1 主体身份信息准确率阈值"),
        _("自生效日期起按新阈值判定；此前各月仍按当时的规则判定"),
        Shape.ACCURACY,
    ),
    RuleKind(
        "form_accuracy",
        Area.ACCURACY,
        _("M2 核验单信息准确率阈值"),
        _("自生效日期起按新阈值判定；此前各月仍按当时的规则判定"),
        Shape.ACCURACY,
    ),
    RuleKind(
        "verdict_confidence",
        Area.ACCURACY,
        _("抽查判定的单侧置信水平"),
        _("自生效日期起办结的抽查按新水平判定，已作出的判定不变"),
        Shape.LEVEL,
    ),
    RuleKind("acceptance_days", Area.INTAKE, _("受理时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind("correction_days", Area.INTAKE, _("补正时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind(
        "deemed_acceptance",
        Area.INTAKE,
        _("逾期未答复视为受理"),
        _("规定后，受理时限届满而省局未答复的申请由系统按受理办理；未规定时只提醒"),
        Shape.SWITCH,
    ),
    RuleKind(
        "revert_seconds",
        Area.INTAKE,
        _("误操作撤销时限"),
        _("受理、补正、不予受理后本人可撤销的时间，通知在此期间暂不发出"),
        unit=_("%(n)s 秒"),
        lowest=0,
        highest=600,
    ),
    RuleKind("bureau_report_days", Area.INTAKE, _("审查阶段：省局报送时限"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind("assessment_days", Area.INTAKE, _("审查阶段：能力评估时限"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind("list_days", Area.INTAKE, _("审查阶段：名单决定时限"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind("test_run_days", Area.INTAKE, _("能力测试结果提交时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind(
        "assessment_pass_points",
        Area.INTAKE,
        _("技术能力评估合格分"),
        _("此后办结的评估按新的合格分"),
        unit=_("%(n)s 分"),
        highest=100,
    ),
    RuleKind(
        "assessment_margin",
        Area.INTAKE,
        _("评估分差超过即复议"),
        _("此后提交评分的评估按新的分差"),
        unit=_("%(n)s 分"),
        highest=100,
    ),
    RuleKind("dispute_days", Area.SUPERVISION, _("差错异议时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind("rectification_days", Area.SUPERVISION, _("整改时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind(
        "sanctions",
        Area.SUPERVISION,
        _("暂停和退出试点"),
        _("规定后，可以提出暂停或退出；文书引用所填依据。未规定时不能提出，已提出的按提出时的依据办结"),
        Shape.SWITCH,
    ),
    RuleKind("hearing_days", Area.SUPERVISION, _("陈述申辩时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind("objection_days", Area.SUPERVISION, _("申诉时限"), _FROM_NOW, unit=_WORKING_DAYS),
    RuleKind(
        "coordination_days",
        Area.SUPERVISION,
        _("协调事项答复时限"),
        _FROM_NOW,
        unit=_WORKING_DAYS,
        optional=True,
    ),
    RuleKind(
        "undeterminable_after_hours",
        Area.SUPERVISION,
        _("权威库超时后作无法判定"),
        _("权威库一直没有答复的核验单，超过该时间作无法判定；未规定时为 24 小时"),
        unit=_("%(n)s 小时"),
        highest=2_000,
        optional=True,
    ),
    RuleKind("acceptance_warning_days", Area.ALERTS, _("受理到期前提醒"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind("correction_reminder_days", Area.ALERTS, _("补正到期前提醒"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind("report_reminder_days", Area.ALERTS, _("汇总报送到期前提醒"), _AT_ONCE, unit=_WORKING_DAYS),
    RuleKind(
        "coordination_reminder_days", Area.ALERTS, _("协调事项答复到期前提醒"), _AT_ONCE, unit=_WORKING_DAYS
    ),
    RuleKind(
        "licence_watch_days",
        Area.ALERTS,
        _("许可证到期前提醒"),
        _("在这些天提醒单位、省局和部机关；只提醒，不改变试点单位状态"),
        Shape.DAYS,
        highest=730,
    ),
    RuleKind(
        "silence_alert_days",
        Area.ALERTS,
        _("连续无报送预警"),
        _("正常状态的单位连续这么多个工作日没有上报核验单即预警"),
        unit=_WORKING_DAYS,
        optional=True,
    ),
    RuleKind(
        "undeterminable_alert_permille",
        Area.ALERTS,
        _("无法判定占比预警"),
        _("占比超过该值即预警"),
        unit="%(n)s‰",
        highest=1_000,
        optional=True,
    ),
    RuleKind(
        "change_alert",
        Area.ALERTS,
        _("差错占比和报送量突变预警"),
        _("当月与上月相比超出所列界限即预警"),
        Shape.CHANGE,
        optional=True,
    ),
    RuleKind(
        "retention_days",
        Area.RECORDS,
        _("核验单内容保存期限"),
        _("自接收当月结束起算；期满后内容可以销毁，销毁不能恢复。未规定时不能销毁"),
        unit=_("%(n)s 天"),
        highest=36_500,
        optional=True,
    ),
    RuleKind("notice_title", Area.RECORDS, _("通知标题"), _QUOTED, Shape.WORDS),
    RuleKind("form_name", Area.RECORDS, _("申请表名称"), _QUOTED, Shape.WORDS),
    RuleKind("ministry_name", Area.RECORDS, _("部机关名称"), _QUOTED, Shape.WORDS),
    RuleKind("ministry_phone", Area.RECORDS, _("联系电话"), _QUOTED, Shape.WORDS),
    RuleKind("fee", Area.RECORDS, _("收费"), _("办事指南据此说明是否收费"), Shape.SWITCH),
)
KINDS: Final = {kind.key: kind for kind in _KINDS}
DATED: Final = frozenset({"identity_accuracy", "form_accuracy", "verdict_confidence"})
"""What figures are judged by may change from a day on; every other rule is what it is now."""
