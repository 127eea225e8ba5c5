"""Alerts: once per state, never about a state that has passed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from filings import tasks
from filings.accuracy.counting import Counts
from filings.enums import FindingSource
from filings.models import AccuracyResult, Alert, Finding
from filings.pages import alerts as alert_pages
from filings.pages import dashboard
from filings.pages.alerts import words
from filings.services import alerts, figures
from pilot import clock, tiles
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.masking import mask_name
from pilot.models import AuditEntry, Notice, Person, PilotUnit, ProgrammeRule, TransitionRecord
from pilot.services import outbox, register
from pilot.ui import Dashboard, Link, Tile
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders
from tests.filings.test_pages import signed_in


def open_ones(unit: PilotUnit) -> set[tuple[str, str]]:
    return set(Alert.unscoped.filter(unit=unit, state="open").values_list("kind", "period"))


def notices_of(*sources: str) -> list[tuple[int, str]]:
    return sorted(Notice.objects.filter(source__in=sources).values_list("person_id", "subject"))


def page_of(actor: Actor, name: str, *args: Any) -> str:
    client = Client()
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(Person.objects.get(pk=actor.person_id), backend=backend)
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def people_told(bureau_reviewer: Actor, ministry_officer: Actor) -> list[Actor]:
    """Those an alert is for; the bureau's reviewer has a mail address."""
    Person.objects.filter(pk=bureau_reviewer.person_id).update(email="reviewer@example.cn")
    return [bureau_reviewer, ministry_officer]


@pytest.fixture
def no_silence(programme: Any) -> None:
    """The programme holds no rule on silence: these tests are about something else."""
    ProgrammeRule.objects.filter(programme=programme, key="silence_alert_days").delete()


@pytest.mark.usefixtures("no_silence")
def test_an_error_is_told_once_and_withdrawn_with_the_finding(
    unit: PilotUnit, finding: Finding, people_told: list[Actor], provider: Actor, bureau_lead: Actor
) -> None:
    # One mismatch: M1 of the month and to date, and one M2 error. A second look opens nothing again.
    assert (alerts.review(), alerts.review()) == (3, 0)
    assert open_ones(unit) == {("m1", "2019-06"), ("m1", "to-date"), ("m2", "2019-06")}
    one = Alert.unscoped.get(kind="m2")
    assert (one.figures["errors"], one.figures["n"], one.result.counts["m2_errors"]) == (1, 1, 1)
    assert one.basis == "一（二）准确率达到100%"
    subject = f"{unit.code} · 预警：核验单信息有差错（M2），2019-06"
    people = [*people_told, bureau_lead]
    assert notices_of(alerts.opening(one)) == sorted((person.person_id, subject) for person in people)
    assert provider.person_id not in set(Notice.objects.values_list("person", flat=True)) - {
        row.person_id for row in Notice.objects.filter(source__startswith="finding:")
    }
    Notice.objects.filter(source=alerts.opening(one), person=people_told[1].person_id).update(
        read_at=clock.security_now()
    )
    # The error is overturned before the mail leaves: the mail is withheld though no job has looked at the alert yet.
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    outbox.relay()
    assert [m.subject for m in mail.outbox if "预警" in m.subject] == []
    assert "已不成立，即将解除" in page_of(bureau_lead, "alert_detail", one.pk)
    assert (alerts.review(), open_ones(unit)) == (3, set())
    # Who had not read it is no longer told; who had read it is told that it is over.
    over = f"{one.number} · {one} · 解除预警"
    assert notices_of(alerts.opening(one), f"alert:{one.pk}:2") == sorted(
        (people_told[1].person_id, text) for text in (subject, over)
    )
    one.refresh_from_db()
    assert (one.cleared_at, one.state) == (one.state_since, "cleared")
    cleared = TransitionRecord.objects.get(machine="alert", object_id=one.pk, name="clear")
    assert cleared.reason == "按最新数据为 0 / 1，不再符合预警条件"
    assert "已解除" in page_of(people_told[0], "alert_detail", one.pk)


@pytest.mark.usefixtures("no_silence")
def test_a_mail_about_what_holds_leaves_once(
    unit: PilotUnit, finding: Finding, people_told: list[Actor]
) -> None:
    alerts.review()
    outbox.relay()
    alerts.review()
    outbox.relay()
    told = sorted(m.subject.split("：")[1] for m in mail.outbox if "预警" in m.subject)
    assert told == [
        "主体身份信息准确率（M1）未达线，2019-06",
        "主体身份信息准确率（M1）未达线，累计（截至预警时）",
        "核验单信息有差错（M2），2019-06",
    ]


@pytest.mark.usefixtures("no_silence")
def test_a_state_that_comes_back_is_another_alert(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor
) -> None:
    alerts.review()
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    alerts.review()
    other = builders.form(unit, "F-2")
    builders.compared(other)
    builders.found(other, source=FindingSource.COMPARISON)
    assert (alerts.review(), Alert.unscoped.filter(kind="m2").count()) == (3, 2)
    one = Alert.unscoped.get(kind="m2", state="open")
    one.pk, one._state.adding = None, True
    with pytest.raises(IntegrityError, match="one_open_alert"), transaction.atomic():
        one.save()


@pytest.mark.usefixtures("no_silence")
@pytest.mark.parametrize(("unknown", "raised"), [(1, False), (2, True)])
def test_undeterminable_comparisons_above_one_percent(unit: PilotUnit, unknown: int, raised: bool) -> None:
    rows = builders.forms(unit, 100)
    builders.compared(*rows[:unknown], outcome="undeterminable")
    builders.compared_all(rows[unknown:])
    tasks.nightly_recount()
    expected = {("undeterminable", "2019-06"), ("undeterminable", "to-date")} if raised else set()
    assert open_ones(unit) == expected


def why_cleared() -> str:
    """The reason of the last alert that was cleared."""
    return TransitionRecord.objects.filter(machine="alert", name="clear").latest("pk").reason


def test_a_silence_offers_neither_order_nor_inspection_and_ends_with_the_first_form(
    unit: PilotUnit, bureau_reviewer: Actor
) -> None:
    world.at("2019-07-10 09:00")
    assert alerts.review() == 1
    one = Alert.unscoped.get()
    subject = Notice.objects.filter(source=alerts.opening(one)).values_list("subject", flat=True)[0]
    assert subject == f"{unit.code} · 预警：连续无报送，自 {one.period} 起"
    offered = [link.label for link in alert_pages.links(one, bureau_reviewer)]
    assert offered == ["该单位的准确率", "该单位的差错"]
    builders.form(unit, "F-1", "2019-07-10 08:00")
    assert (alerts.review(), why_cleared()) == (1, "按最新数据，不再符合预警条件")


def test_a_silence_ends_with_the_unit_s_part_in_the_pilot(unit: PilotUnit) -> None:
    world.at("2019-07-10 09:00")
    alerts.review()
    start = world.moment("2019-07-11 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=start, reason="示例")
    world.at("2019-07-11 09:00")
    assert (alerts.review(), why_cleared()) == (1, "该单位已不是有效试点单位，不再计算连续无报送")


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "试点项目已停用这项预警规则"), (500, "预警标准已调整，按现行标准不再符合预警条件")],
)
def test_it_is_told_when_a_rule_and_not_the_unit_has_changed(
    unit: PilotUnit, value: int | None, words: str
) -> None:
    world.at("2019-07-10 09:00")
    alerts.review()
    rule = ProgrammeRule.objects.filter(key="silence_alert_days")
    if value is None:
        rule.delete()
    else:
        rule.update(value=value)
    assert (alerts.review(), why_cleared()) == (1, words)


def test_silence_counts_working_days_of_an_active_unit(unit: PilotUnit) -> None:
    # The last form came on Tuesday 18 June: five working days later, the 25th, is over at midnight.
    builders.form(unit, "F-1")
    world.at("2019-06-25 23:59")
    assert alerts.review() == 0
    world.at("2019-06-26 00:00")
    assert (alerts.review(), open_ones(unit)) == (1, {("silence", "2019-06-18")})
    assert words(Alert.unscoped.get()) == "连续 5 个工作日没有报送核验单"
    builders.form(unit, "F-2", "2019-06-26 08:00")
    world.at("2019-06-26 09:00")
    assert (alerts.review(), open_ones(unit)) == (1, set())
    # Not while suspended, and afresh from the day of return.
    register.set_status(
        actor=world.SETUP, unit=unit, kind="suspended", start=world.moment("2019-06-27 00:00"), reason="示例"
    )
    world.at("2019-07-10 09:00")
    assert alerts.review() == 0
    register.set_status(
        actor=world.SETUP, unit=unit, kind="active", start=world.moment("2019-07-10 10:00"), reason="示例"
    )
    world.at("2019-07-17 23:00")
    assert alerts.review() == 0
    world.at("2019-07-18 00:00")
    assert (alerts.review(), open_ones(unit)) == (1, {("silence", "2019-07-10")})


@pytest.mark.slow
def test_sudden_changes_against_the_month_before(unit: PilotUnit) -> None:
    # 150 forms in the 11 working days of May, 120 in the 19 of June, 700 in the first 5 of July.
    may, june = builders.forms(unit, 150, "2019-05-20 10:00"), builders.forms(unit, 120)
    july = builders.forms(unit, 700, "2019-07-03 10:00")
    builders.compared_all([*may, *june[10:], *july])
    builders.compared(*june[:10], outcome="mismatch")
    world.at("2019-07-05 12:00")  # the fifth working day is not over
    alerts.review()
    changes = {key for key in open_ones(unit) if key[0].endswith("change")}
    assert changes == {("error_change", "2019-06")}
    world.at("2019-07-06 00:00")
    alerts.review()
    changes = {key for key in open_ones(unit) if key[0].endswith("change")}
    assert changes == {("error_change", "2019-06"), ("error_change", "2019-07"), ("volume_change", "2019-07")}
    volume = Alert.unscoped.get(kind="volume_change")
    assert volume.figures == {
        "before": "2019-06", "old": [120, 19], "new": [700, 5], "times": 3, "direction": "up",
    }  # fmt: skip
    assert volume.basis == "部内工作规则：差错占比和报送量突变预警"
    assert words(volume) == "份数 / 工作日由 2019-06 的 120 / 19 变为 700 / 5"


@pytest.mark.usefixtures("no_silence")
def test_a_morning_s_alerts_are_taken_note_of_together(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor
) -> None:
    alerts.review()
    raised = list(Alert.unscoped.values_list("pk", flat=True))
    client, address = signed_in(bureau_reviewer), reverse("list_batch", args=["alert", "acknowledge"])
    shown = client.post(address, {"pick": raised})
    asked = shown.context["page"]
    assert (asked.count, asked.effect) == (len(raised), "记录由您签收；预警在情况消失后自动解除")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    client.post(address, hidden)
    noted = Alert.unscoped.filter(acknowledged_by=bureau_reviewer.person_id)
    assert (noted.count(), len(raised)) == (3, 3)


@pytest.mark.usefixtures("no_silence", "finding")
def test_what_a_recount_does_not_find_opens_nothing(unit: PilotUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "from_numbers", lambda numbers: Counts())  # the forms say: no error
    assert (alerts.review(), Alert.unscoped.count(), AccuracyResult.unscoped.count()) == (0, 0, 0)


def test_without_its_rule_there_is_no_such_alert(unit: PilotUnit) -> None:
    ProgrammeRule.objects.filter(key__in=["silence_alert_days", "change_alert"]).delete()
    builders.form(unit, "F-1")
    assert alerts.review() == 0


@pytest.mark.usefixtures("no_silence")
def test_taking_note_is_on_record_and_once(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor, ministry_officer: Actor, provider: Actor
) -> None:
    alerts.review()
    one = Alert.unscoped.get(kind="m2")
    for stranger in (provider, world.bureau(province=11)):
        with pytest.raises(NotPermitted):
            alerts.acknowledge(case=one, actor=stranger)
    alerts.acknowledge(case=one, actor=bureau_reviewer, reason="已电话联系")
    with pytest.raises(Refused, match="已有人签收"):
        alerts.acknowledge(case=one, actor=ministry_officer)
    entry = AuditEntry.objects.get(action="alert.acknowledge", outcome="done")
    assert (entry.person_id, entry.detail) == (bureau_reviewer.person_id, {"remark": "已电话联系"})
    one.refresh_from_db()
    assert one.acknowledged_by_id == bureau_reviewer.person_id
    # Masked here; the page of a case tells a reader the own name (tests/pilot/test_own_name.py).
    facts = {str(fact.label): fact.value for fact in alert_pages.facts(one, ministry_officer)}
    assert (str(facts["签收人"]), facts["签收时间"]) == (mask_name(bureau_reviewer.name), one.acknowledged_at)


@pytest.mark.usefixtures("no_silence", "finding")
def test_what_may_follow_is_offered_while_an_alert_holds(
    unit: PilotUnit, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    alerts.review()
    one = Alert.unscoped.get(kind="m2")

    def offered(actor: Actor) -> list[str]:
        return [link.label for link in alert_pages.links(one, actor)][2:]

    labels = [str(fact.label) for fact in alert_pages.facts(one, bureau_reviewer)]
    assert {"解除时间", "签收人", "签收时间"} & set(labels) == set()
    assert (offered(bureau_reviewer), offered(ministry_officer)) == (
        ["起草整改通知", "安排抽查"],
        ["安排抽查"],
    )
    planned = alert_pages.links(one, ministry_officer)[-1].url
    assert planned == f"{reverse('inspection_create')}?unit={unit.pk}&period=2019-06"
    fire(one, "clear", actor=alerts.SYSTEM)
    one = Alert.unscoped.get(pk=one.pk)
    assert offered(bureau_reviewer) == []


@pytest.mark.usefixtures("no_silence", "finding")
def test_the_first_page_tells_alerts_of_one_unit_apart_and_how_many_wait(ministry_officer: Actor) -> None:
    alerts.review()
    alerts.acknowledge(case=Alert.unscoped.get(kind="m2"), actor=ministry_officer)
    (table,) = alert_pages.standing(ministry_officer)
    assert [row.cells[2] for row in table.rows] == ["累计（截至预警时）", "2019-06", "2019-06"]
    assert table.more == Link("全部未解除预警", f"{reverse('alert_list')}?state=open")
    shown = signed_in(ministry_officer).get(reverse("dashboard")).content.decode()
    assert f'最多列 5 条；<a href="{table.more.url}">全部未解除预警</a></p>' in shown
    tile = next(tile for tile in dashboard.tiles(ministry_officer) if tile.label == "未解除预警")
    assert (tile.value, tile.hint) == ("3", "其中待签收 2")


def test_open_work_leads_by_urgency_and_what_is_none_stands_back() -> None:
    board = Dashboard(title="", as_of=datetime(2019, 7, 1, 9, 0), todo=[])
    board.tiles = [
        Tile("甲", "0"),
        Tile("乙", "2", tone="info"),
        Tile("丙", "1", tone="danger"),
        Tile("丁", "0", tone="warning"),  # the last day of a term
        Tile("戊", "3", tone="warning"),
    ]
    shown = [tile.label for tile in tiles.leading(board)], [tile.label for tile in tiles.idle(board)]
    assert shown == (["丙", "丁", "戊", "乙"], ["甲"])
    board.todo = None  # figures of a province, not somebody's work
    assert (list(tiles.leading(board)), tiles.idle(board)) == (board.tiles, [])


@pytest.mark.usefixtures("no_silence")
def test_who_reads_an_alert(
    unit: PilotUnit, finding: Finding, provider: Actor, ministry_officer: Actor
) -> None:
    alerts.review()
    neighbour = world.bureau(province=11)
    assert Alert.objects.visible_to(neighbour).count() == 0
    assert "主体身份信息准确率（M1）未达线" in page_of(ministry_officer, "alert_list")
    assert page_of(ministry_officer, "dashboard").count("签收；核对差错明细；属实的，起草整改通知") == 3
    assert "签收；" not in page_of(neighbour, "dashboard")
    # The unit reads the facts on its own page; a bureau of another province does not.
    assert "核验单信息有差错（M2）" in page_of(provider, "pilot-unit_detail", unit.code)
    assert "核验单信息有差错（M2）" not in page_of(neighbour, "pilot-unit_detail", unit.code)
