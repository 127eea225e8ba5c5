"""Alerts (预警) as the portal shows them: what the figures were, what they are now, who took note."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import AlertKind, AlertState
from filings.models import Alert
from filings.pages import common
from filings.services import alerts
from pilot import policy
from pilot.actors import Actor
from pilot.forms import RemarkForm
from pilot.masking import staff
from pilot.models import PilotUnit
from pilot.registry import Batch, ListColumn, ListFilter, MachinePages, Task, register
from pilot.rules import local_day
from pilot.ui import Column, Fact, Link, Row, Section, Tag

S = AlertState
SHOWN: Final = 5  # alerts on the first page


def words(alert: Alert) -> str:
    """The whole numbers an alert is about, in words."""
    f = alert.figures
    if alert.kind == AlertKind.SILENCE:
        return _("连续 %(days)s 个工作日没有报送核验单") % f
    if alert.kind == AlertKind.UNDETERMINABLE:
        return _("无法判定 %(errors)s / %(n)s，超过 %(allowed)s / %(per)s") % f
    if alert.kind in {AlertKind.M1, AlertKind.M2}:
        return _("准确率 %(shown)s，差错 %(errors)s / %(n)s") % f
    both = {
        "before": f["before"],
        "old": " / ".join(map(str, f["old"])),
        "new": " / ".join(map(str, f["new"])),
    }
    if alert.kind == AlertKind.ERROR_CHANGE:
        return _("差错 / 计数由 %(before)s 的 %(old)s 变为 %(new)s") % both
    return _("份数 / 工作日由 %(before)s 的 %(old)s 变为 %(new)s") % both


NEXT: Final = {
    AlertKind.M1: gettext_lazy("核对差错明细；属实的，起草整改通知"),
    AlertKind.M2: gettext_lazy("核对差错明细；属实的，起草整改通知"),
    AlertKind.UNDETERMINABLE: gettext_lazy("查看无法判定的核验单，与试点单位核对登记信息"),
    AlertKind.SILENCE: gettext_lazy("联系试点单位，核实没有报送的原因"),
    AlertKind.ERROR_CHANGE: gettext_lazy("查看差错来源，需要时安排抽查"),
    AlertKind.VOLUME_CHANGE: gettext_lazy("向试点单位核实报送量变化的原因，需要时安排抽查"),
}


def _matter(alert: Alert) -> str:
    """What it is about, and how it was when the alert was raised."""
    return _("%(kind)s：%(what)s") % {"kind": alert.get_kind_display(), "what": words(alert)}


def next_step(alert: Alert) -> str:
    """What whoever reads an alert does about it, in one line; empty once it is cleared."""
    if alert.state == S.CLEARED:
        return ""
    step = str(NEXT[AlertKind(alert.kind)])
    return step if alert.acknowledged_at else _("签收；%(step)s") % {"step": step}


def facts(alert: Alert, actor: Actor) -> list[Fact]:
    """What it is about, on which rule, what is so now, and who took note; what is not there yet is left out."""
    shown = [
        Fact(_("试点单位"), common.unit_link(alert.unit)),
        Fact(_("预警事项"), alert.get_kind_display()),
        Fact(_("期间"), alert.period_words),
        Fact(_("预警时情况"), words(alert)),
        Fact(_("目前"), _now(alert)),
        *([Fact(_("下一步"), next_step(alert))] if alert.state == S.OPEN else []),
        Fact(_("依据"), alert.basis),
        Fact(_("预警时间"), alert.opened_at),
    ]
    if alert.cleared_at:
        shown.append(Fact(_("解除时间"), alert.cleared_at))
    if alert.result:
        shown.append(Fact(_("依据的重算"), alert.result.as_of, alert.result.rule_version))
    if alert.acknowledged_at:
        shown += [Fact(_("签收人"), staff(alert.acknowledged_by)), Fact(_("签收时间"), alert.acknowledged_at)]
    return shown


def _now(alert: Alert) -> Tag:
    """Whether it is still so: asked when the page is opened, so that nobody acts on what has passed."""
    if alert.state == S.CLEARED:
        return Tag(_("已解除"), "muted")
    return Tag(_("仍然成立"), "danger") if alerts.holds(alert) else Tag(_("已不成立，即将解除"), "muted")


def links(alert: Alert, actor: Actor) -> list[Link]:
    """The figures it is about, the findings behind them, and what may follow."""
    found = f"{reverse('finding_list')}?q={alert.unit.code}"
    shown = [
        Link(_("该单位的准确率"), reverse("pilot-unit_detail", args=[alert.unit.code]), "chart-line"),
        Link(_("该单位的差错"), found, "file-exclamation-point"),
    ]
    return [*shown, *_measures(alert, actor)] if alert.state == S.OPEN else shown


def _measures(alert: Alert, actor: Actor) -> list[Link]:
    """What this actor may begin about the unit while the alert holds; of a silence there is nothing to look at."""
    if alert.kind == AlertKind.SILENCE or not (actor.is_ministry or actor.province == alert.unit.province):
        return []
    shown = []
    if policy.may_open("rectification_create", actor.role):
        url = f"{reverse('rectification_create')}?unit={alert.unit_id}"
        shown.append(Link(_("起草整改通知"), url, "wrench"))
    if policy.may_open("inspection_create", actor.role):
        query = urlencode({"unit": alert.unit_id, "period": alert.period})
        shown.append(Link(_("安排抽查"), f"{reverse('inspection_create')}?{query}", "search-check"))
    return shown


def _obstacle(alert: Alert, actor: Actor) -> str | None:
    if alert.acknowledged_at is not None:
        return _("该预警已有人签收")
    return None


def waiting(actor: Actor) -> Q | None:
    """Alerts that hold and that nobody has taken note of."""
    if not (actor.is_bureau or actor.is_ministry):
        return None
    return Q(state=S.OPEN, acknowledged_at__isnull=True)


def of_unit(unit: PilotUnit, actor: Actor) -> list[Section]:
    """A unit's alerts that hold, on its page; the unit itself reads the facts, officials open the case."""
    opens = policy.may_open("alert_detail", actor.role)
    rows = Alert.objects.visible_to(actor).filter(unit=unit, state=S.OPEN).order_by("-opened_at", "-pk")
    if not rows:
        return []
    return [
        Section(
            _("预警"),
            columns=[
                Column("kind", _("预警事项")),
                Column("period", _("期间")),
                Column("what", _("预警时情况")),
                Column("since", _("预警时间")),
                Column("basis", _("依据")),
            ],
            rows=[
                Row(
                    reverse("alert_detail", args=[a.pk]) if opens else "",
                    [str(a.get_kind_display()), a.period_words, words(a), a.opened_at, a.basis],
                )
                for a in rows
            ],
            note=_("情况消失后预警自动解除。"),
        )
    ]


def standing(actor: Actor) -> list[Section]:
    """The newest alerts that hold and what to do about each, for the first page of an official."""
    found = Alert.objects.visible_to(actor).filter(state=S.OPEN).select_related("unit__organisation")
    rows = found.order_by(F("acknowledged_at").asc(nulls_first=True), "-opened_at", "-pk")[:SHOWN]
    if not rows:
        return []
    return [
        Section(
            _("未解除预警"),
            columns=[
                Column("unit", _("试点单位")),
                Column("what", _("预警事项")),
                Column("period", _("期间")),
                Column("next", _("下一步")),
                Column("since", _("预警时间")),
            ],
            rows=[
                Row(
                    reverse("alert_detail", args=[a.pk]),
                    [
                        a.unit.organisation.name,
                        _matter(a),
                        a.period_words,
                        next_step(a),
                        local_day(a.opened_at),
                    ],
                )
                for a in rows
            ],
            note=_("未签收的在前，最多列 %(n)s 条；") % {"n": SHOWN},
            more=Link(_("全部未解除预警"), f"{reverse('alert_list')}?state={S.OPEN}"),
            screen_only=True,
        )
    ]


_NOTE: Final = gettext_lazy("签收")
_NOTED: Final = gettext_lazy("记录由您签收；预警在情况消失后自动解除")


def _kinds(actor: Actor) -> list[tuple[str, Any]]:
    return list(AlertKind.choices)


register(
    MachinePages(
        model=Alert,
        label=gettext_lazy("预警"),
        group=common.GROUP,
        icon="bell-ring",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda a: a.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda a: a.unit.organisation.name),
            ListColumn(Column("what", gettext_lazy("预警事项")), _matter),
            ListColumn(Column("period", gettext_lazy("期间")), lambda a: a.period_words),
            ListColumn(Column("next", gettext_lazy("下一步")), next_step),
            ListColumn(
                Column("since", gettext_lazy("预警时间")), lambda a: local_day(a.opened_at), "opened_at"
            ),
            ListColumn(
                Column("noted", gettext_lazy("签收人")),
                lambda a: staff(a.acknowledged_by),
                personal=True,
            ),
        ],
        facts=facts,
        waiting=waiting,
        tasks=[
            Task(
                "acknowledge",
                _NOTE,
                RemarkForm,
                alerts.acknowledge,
                _obstacle,
                _NOTED,
            )
        ],
        search=["unit__organisation__name", "unit__code"],
        related=["unit", "unit__organisation", "unit__programme", "acknowledged_by", "result"],
        province_field="unit__province",
        empty=gettext_lazy("准确率未达线、出现差错、无法判定过多、连续无报送或突变时，预警会列在这里"),
        links=links,
        batches=[
            Batch("acknowledge", _NOTE, alerts.acknowledge, _NOTED, states=frozenset({S.OPEN})),
        ],
        filters=[
            ListFilter("kind", gettext_lazy("预警事项"), _kinds, lambda value, actor: Q(kind=value)),
        ],
    )
)
