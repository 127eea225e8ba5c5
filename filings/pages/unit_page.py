"""A pilot unit's own page: its figures, its status over time, what is open for it, its licence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from filings.accuracy.counting import Counts
from filings.models import CoordinationCase, Inspection, Rectification, Sanction
from filings.pages import alerts, common, overview, unit_scope
from filings.pages.dashboard import figures_of, unit_figure
from filings.pages.register import licence_tag
from filings.periods import EVER, TO_DATE
from filings.selectors import counting, rollups
from filings.selectors.units import UnitView
from filings.services.figures import demanded, shape
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import DataGroup, UnitStatusKind
from pilot.machines import Case
from pilot.masking import Personal, mask_name
from pilot.models import ScopeChange, UnitStatus
from pilot.registry import pages_of
from pilot.rules import local_day
from pilot.selectors import register
from pilot.tones import tone
from pilot.ui import ActionItem, Column, DetailPage, Fact, Link, Row, Section, Tag

SHOWN = 20
type Door = tuple[int, int]  # rows refused, rows repeated
BESIDE = ("pending", "undeterminable", "m2_provisional", "errors_corrected", "late")


@dataclass(frozen=True, slots=True)
class StatusStep:
    """One range of the status history: since when, until when, why, by whom, and on which decision."""

    tag: Tag
    since: datetime
    until: datetime | None
    mark: Tag | None  # still to come, or in force
    current: bool
    reason: str
    by: Any  # an office, or an office and a masked name
    link: Link | None


@dataclass(slots=True)
class UnitPage(DetailPage):
    """A unit's page: beside figures, its status over time, its scope and its licence."""

    warning: str = ""
    history: Sequence[StatusStep] = ()
    grid: unit_scope.ScopeGrid | None = None
    records: Sequence[Section] = ()


def detail(view: UnitView, actor: Actor, *, at: datetime, form: Any) -> UnitPage:
    """A unit's page. A bureau of another province reads the figures of its part only.

    ``at`` is the moment of the scope's grid, ``form`` asks for another one.
    """
    unit, now = view.unit, clock.now()
    shown, decided = unit_figure(view), register.decisions(unit)
    statuses, sanctions = list(unit.statuses.all()), list(_about(unit, actor, Sanction))
    door = counting.at_the_door(units=[unit.pk], period=EVER)[unit.pk] if view.whole else None
    tag = licence_tag(unit, today=local_day(now), days=register.watch_days(unit.programme))
    return UnitPage(
        title=unit.organisation.name,
        number=unit.code,
        state=shown.status,
        facts=[
            Fact(_("试点单位编号"), unit.code),
            Fact(_("单位 ID"), str(unit.national_id), _("全国备案系统")),
            Fact(_("注册省"), unit.get_province_display()),
            Fact(_("列入名录时间"), unit.enrolled_at),
            Fact(_("许可证有效期至"), unit.licence_expires_on),
            Fact(_("到期提醒"), tag),
        ],
        sections=[
            _to_date(view, door),
            *alerts.of_unit(unit, actor),
            *_trend(view, actor, door),
            _by_month(view),
            _found(unit, actor),
        ],
        actions=_actions(unit, actor),
        related=_related(unit, actor, sanctions),
        warning=_what_to_do(unit, actor, tag.label) if tag else "",
        history=_history(statuses, sanctions, actor, decided, now),
        grid=unit_scope.grid(register.scope_of(unit), at=at, left=_left(statuses, at), form=form),
        records=[unit_scope.changes(_changes(unit), actor, now=now), *_renewals(decided, actor)],
    )


def _left(statuses: Sequence[UnitStatus], at: datetime) -> UnitStatus | None:
    """The status with which the unit left the pilot, if at this moment it is out of it."""
    return next((one for one in statuses if at in one.during and one.kind in register.LEFT), None)


def _actions(unit: Any, actor: Actor) -> list[ActionItem]:
    """What this actor may do to the unit's entry, or why not."""
    left = _("该单位已不在试点中") if unit.status in register.LEFT else ""
    items = []
    if policy.may_act("pilot-unit", "set_scope", actor.role):
        url = reverse("pilot-unit_scope", args=[unit.code])
        items.append(ActionItem("set_scope", _("调整开通范围"), not left, left, url, primary=True))
    if policy.may_act("pilot-unit", "renew_licence", actor.role) and actor.province == unit.province:
        url = reverse("pilot-unit_licence", args=[unit.code])
        items.append(ActionItem("renew_licence", _("登记延续后的许可证"), not left, left, url))
    return items


def _what_to_do(unit: Any, actor: Actor, state: str) -> str:
    """What follows from a licence that ends: for the unit, for its bureau, for everybody else."""
    bureau = _("%(province)s通信管理局") % {"province": unit.get_province_display()}
    if actor.is_provider:
        words = _(
            "许可证%(state)s：请尽快向发证机关办理延续，并将新证报送%(bureau)s登记。到期不影响试点状态。"
        )
    elif actor.province == unit.province:
        words = _(
            "许可证%(state)s：请督促该单位延续；收到新证后，在本页登记延续后的有效期。到期不影响试点状态。"
        )
    else:
        words = _("许可证%(state)s：由%(bureau)s督促延续并登记新证。到期不影响试点状态。")
    return words % {"state": state, "bureau": bureau}


def _changes(unit: Any) -> list[ScopeChange]:
    return list(unit.scope_changes.select_related("decided_by").order_by("-decided_at", "-pk"))


def _to_date(view: UnitView, door: Door | None) -> Section:
    if door:
        counts = view.tally.counts + Counts(refused=door[0], duplicates=door[1])
        figures = shape(unit=view.unit, period=EVER, counts=counts, as_of=clock.now(), asked=view.targets)
        demands = demanded(view.targets[0]), demanded(view.targets[1])
        return Section(_("准确率（截至目前）"), facts=common.figure_facts(figures, demands))
    (m1, m2), counts, code = figures_of(view.tally, view), view.tally.counts, view.unit.code
    facts = [
        Fact(_("M1 准确率"), common.ratio(m1, code, TO_DATE, "m1"), _("主体身份信息")),
        Fact(_("M1 差错情况"), common.met(m1, whole=False)),
        Fact(_("M2 准确率"), common.ratio(m2, code, TO_DATE, "m2"), _("核验单信息")),
        Fact(_("M2 差错情况"), common.met(m2, whole=False)),
        Fact(_("待比对"), common.opened(counts.pending, code, TO_DATE, "pending")),
        Fact(_("无法判定"), common.opened(counts.undeterminable, code, TO_DATE, "undeterminable")),
        Fact(_("数据截至"), clock.now()),
    ]
    return Section(_("准确率（本省主体部分）"), facts=facts)


def _found(unit: Any, actor: Actor) -> Section:
    section = common.finding_section(_("最近的差错"), common.visible_findings(actor, unit=unit)[:SHOWN])
    section.screen_only = True
    return section


def _trend(view: UnitView, actor: Actor, door: Door | None) -> list[Section]:
    daily = rollups.days_visible(actor).filter(unit=view.unit)
    submitted = overview.submitted(view.tally, [door]) if door else None
    return overview.charts_of([view], daily, view.tally, submitted)


def _by_month(view: UnitView) -> Section:
    rows, heads = [], common.met_heads(whole=view.whole)
    for month, tally in reversed(list(view.months.items())):
        m1, m2 = figures_of(tally, view, month)
        beside = [common.opened(getattr(tally.counts, name), view.unit.code, month, name) for name in BESIDE]
        rows.append(
            Row(
                "",
                [
                    month,
                    common.ratio(m1, view.unit.code, month, "m1"),
                    common.met(m1, whole=view.whole),
                    common.ratio(m2, view.unit.code, month, "m2"),
                    common.met(m2, whole=view.whole),
                    *beside,
                ],
            )
        )
    return Section(
        _("各月准确率"),
        columns=[
            Column("month", _("月份")),
            Column("m1", _("M1 准确率"), "end"),
            Column("m1_met", heads[0]),
            Column("m2", _("M2 准确率"), "end"),
            Column("m2_met", heads[1]),
            Column("pending", _("待比对"), "end"),
            Column("undeterminable", _("无法判定"), "end"),
            Column("provisional", _("待定差错"), "end"),
            Column("corrected", _("事后更正"), "end"),
            Column("late", _("迟报"), "end"),
        ],
        rows=rows,
        empty=_("尚未收到核验单"),
        note=_("待定差错为尚未确认的抽查、核查或来函差错；事后更正不消除已计入的差错。"),
    )


# --- status over time -------------------------------------------------------------------------------
def _history(
    statuses: Sequence[UnitStatus],
    sanctions: Sequence[Sanction],
    actor: Actor,
    decided: Sequence[register.Decision],
    now: datetime,
) -> list[StatusStep]:
    """The unit's statuses, newest first; those to come are marked."""
    numbers = {one.number: one for one in reversed(sanctions)}
    steps = []
    for status in reversed(statuses):
        since, until = status.during.lower, status.during.upper
        sanction = next((one for number, one in numbers.items() if number in status.reason), None)
        steps.append(
            StatusStep(
                tag=Tag(str(status.get_kind_display()), tone(status.kind)),
                since=since,
                until=until,
                mark=_mark(since, until, now),
                current=since <= now and (until is None or now < until),
                reason=status.reason,
                by=_by(status, actor, decided),
                link=Link(sanction.number, reverse("sanction_detail", args=[sanction.pk]))
                if sanction
                else None,
            )
        )
    return steps


def _mark(since: datetime, until: datetime | None, now: datetime) -> Tag | None:
    if since > now:
        return Tag(_("尚未生效"), "info")
    return Tag(_("现行"), "neutral") if until is None or now < until else None


def _by(status: Any, actor: Actor, decided: Sequence[register.Decision]) -> str | Personal:
    """Who brought a status about, from the register's entries in the audit log."""
    if status.kind == UnitStatusKind.COMPLETED:
        return _("系统")
    entry = next((one for one in reversed(decided) if one.effect == status.during.lower), None)
    if entry is None:
        entry = next((one for one in decided if one.action == "register.enrol"), None)
    return _office(entry, actor) if entry else _("系统")


def _office(entry: register.Decision, actor: Actor) -> str | Personal:
    """Providers read the office, not the person."""
    if actor.is_provider or not entry.person:
        return entry.office or _("系统")
    return Personal(entry.person, mask_name, DataGroup.STAFF, f"{entry.office} · ")


def _renewals(decided: Sequence[register.Decision], actor: Actor) -> list[Section]:
    """The renewals of the licence that the bureau recorded; nothing where there was none."""
    renewed = [one for one in reversed(decided) if one.action == "register.licence"]
    if not renewed:
        return []
    return [
        Section(
            _("许可证延续记录"),
            columns=[
                Column("at", _("登记时间")),
                Column("before", _("原有效期至")),
                Column("after", _("延续至")),
                Column("reason", _("说明")),
                Column("by", _("登记人")),
            ],
            rows=[
                Row(
                    "",
                    [one.at, one.detail["from"], one.detail["to"], one.detail["reason"], _office(one, actor)],
                )
                for one in renewed
            ],
        )
    ]


def _about(unit: Any, actor: Actor, model: type[Case]) -> Any:
    """The cases of a machine about this unit that this actor may open, newest first: number and state."""
    return model.objects.visible_to(actor).filter(unit=unit).order_by("-pk").only("opened_at", "state")


def _related(unit: Any, actor: Actor, sanctions: Sequence[Sanction]) -> list[Link]:
    """The last cases of each kind about this unit that this actor may open."""
    links = []
    for model in (Rectification, Inspection, Sanction, CoordinationCase):
        pages = pages_of(model.slug())
        for case in sanctions[:3] if model is Sanction else _about(unit, actor, model)[:3]:
            label = f"{pages.label} {case.number} · {case.get_state_display()}"
            links.append(Link(label, reverse(f"{pages.slug}_detail", args=[case.pk]), pages.icon))
    listing = f"{reverse('verification-form_list')}?unit={unit.code}"
    reconciled = Link(_("与全国系统核对"), reverse("national", args=[unit.code]), "scale")
    return [Link(_("该单位的核验单"), listing, "files"), reconciled, *links]
