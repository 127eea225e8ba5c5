"""The programme as data: windows, working days, rules."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import translation

from pilot import rules
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.errors import Refused
from pilot.models import (
    AuditEntry,
    CalendarChange,
    Organisation,
    Programme,
    ProgrammeRule,
    Window,
    WindowExtension,
)
from pilot.registry import pages_of
from pilot.selectors import programmes
from pilot.services import programmes as services
from tests.factories import world
from tests.factories.audited import audited


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2019, 4, 26), 5, date(2019, 5, 6)),  # 28 April and 5 May are worked, 1-3 May are not
        (date(2019, 4, 15), 5, date(2019, 4, 22)),
        (date(2019, 5, 16), 20, date(2019, 6, 14)),  # 端午 on 7 June
        (date(2019, 9, 27), 5, date(2019, 10, 10)),  # 29 September is worked, 1-7 October are not
    ],
)
def test_working_days_follow_the_calendar(programme: Programme, start: date, days: int, last: date) -> None:
    assert rules.add_working_days(start, days, programmes.calendar(programme)) == last


def test_working_days_of_the_three_phases(programme: Programme) -> None:
    calendar = programmes.calendar(programme)
    counts = {
        kind: rules.working_days_between(
            rules.local_day(opens) - rules.timedelta(days=1),
            rules.local_day(closes) - rules.timedelta(days=1),
            calendar,
        )
        for kind in WindowKind
        for opens, closes in [programmes.window(programme, kind)]
    }
    assert counts == {WindowKind.APPLICATION: 10, WindowKind.REVIEW: 21, WindowKind.RUN: 159}


@pytest.mark.django_db
def test_authorities_are_named_in_chinese_though_the_installer_reads_english() -> None:
    with translation.override("en"):
        world.install()
    names = (
        Organisation.objects.filter(province__in=[11, 44]).order_by("province").values_list("name", flat=True)
    )
    assert list(names) == ["北京市通信管理局", "广东省通信管理局"]


def test_windows_are_half_open_in_shanghai(programme: Programme) -> None:
    before = world.moment("2019-04-15 23:59:59.999999")
    assert programmes.is_open(programme, WindowKind.APPLICATION, before) is True
    assert programmes.is_open(programme, WindowKind.APPLICATION, world.moment("2019-04-16 00:00")) is False


def test_install_twice_changes_nothing(programme: Programme) -> None:
    again = services.install(code="2019-87", actor=world.SETUP)
    assert again == programme
    assert Organisation.objects.filter(kind="bureau").count() == 31


def test_a_second_installation_adds_the_rules_that_are_new_and_changes_none(
    programme: Programme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (services.FOLDER / "2019-87.toml").read_text(encoding="utf-8")
    text = text.replace('key = "acceptance_days"\nvalue = 5', 'key = "acceptance_days"\nvalue = 9')
    for key, value in (("new_days", 3), ("new_words", '"示例"')):
        text += f'\n[[rules]]\nkey = "{key}"\nvalue = {value}\nbasis = "示例依据"\n'
    (tmp_path / "2019-87.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(services, "FOLDER", tmp_path)
    before = dict(ProgrammeRule.objects.values_list("key", "value"))
    for _again in range(2):
        assert services.install(code="2019-87", actor=world.SETUP) == programme
    after = dict(ProgrammeRule.objects.values_list("key", "value"))
    assert after == {**before, "new_days": 3, "new_words": "示例"}
    assert programmes.rule_basis(programme, "new_days") == "示例依据"
    [entry] = AuditEntry.objects.filter(action="programme.add_rules")
    assert (entry.detail, entry.object_id) == ({"keys": ["new_days", "new_words"]}, str(programme.pk))
    text = text.replace('key = "new_days"\nvalue = 3', 'key = "new_share"\nvalue = 30')
    monkeypatch.setitem(services.SHARES, WindowKind.REVIEW, ("审查阶段", ("new_share",)))
    (tmp_path / "2019-87.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match="超过该阶段的 21 个工作日"), transaction.atomic():
        services.install(code="2019-87", actor=world.SETUP)
    (tmp_path / "2019-87.toml").unlink()  # one that was entered by hand has no file
    assert services.install(code="2019-87", actor=world.SETUP) == programme
    assert dict(ProgrammeRule.objects.values_list("key", "value")) == after


def test_the_shares_of_review_are_no_more_than_its_working_days(
    programme: Programme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "审查阶段各环节共 22 个工作日，超过该阶段的 21 个工作日"
    with pytest.raises(Refused, match=f"^{words}$"), transaction.atomic():
        services.set_rule(actor=world.SETUP, programme=programme, key="list_days", value=4, basis="示例")
    assert programmes.rule(programme, "list_days") == 3
    services.set_rule(actor=world.SETUP, programme=programme, key="list_days", value=2, basis="示例")
    text = (services.FOLDER / "2019-87.toml").read_text(encoding="utf-8")
    text = text.replace('key = "list_days"\nvalue = 3', 'key = "list_days"\nvalue = 4')
    (tmp_path / "2019-88.toml").write_text(text.replace("87号", "88号").replace("2019-87", "2019-88"))
    monkeypatch.setattr(services, "FOLDER", tmp_path)
    with pytest.raises(Refused, match=f"^{words}$"), transaction.atomic():
        services.install(code="2019-88", actor=world.SETUP)
    assert [Programme.objects.get().code, Programme.objects.get().is_current] == ["2019-87", True]


def test_calendar_change_keeps_its_history(programme: Programme) -> None:
    services.change_calendar(
        actor=world.SETUP,
        programme=programme,
        day=date(2019, 12, 30),
        working=False,
        name="示例",
        announced_on=date(2019, 12, 1),
        basis="示例文件",
    )
    assert programmes.calendar(programme)[date(2019, 12, 30)] is False
    change = CalendarChange.objects.get(day=date(2019, 12, 30))
    assert audited("programme.calendar") == ("done", None, "programme", str(programme.pk))
    assert (change.was_working, change.is_working) == (True, False)


def test_windows_are_written_in_shanghai_time_wherever_the_reader_is(programme: Programme) -> None:
    window = Window.objects.get(programme=programme, kind=WindowKind.APPLICATION)
    assert str(window) == "申请阶段 2019-04-01 00:00:00 ～ 2019-04-15 23:59:59"
    closes = world.moment("2019-04-18 00:00").astimezone(UTC)
    assert str(WindowExtension(window=window, closes=closes)) == "申请阶段延长至 2019-04-17 23:59:59"


def test_the_end_of_a_window_reads_like_in_the_guide(programme: Programme, ministry_officer: Actor) -> None:
    window = Window.objects.get(programme=programme, kind=WindowKind.APPLICATION)
    extension = services.propose_extension(
        actor=ministry_officer, window=window, closes=world.moment("2019-04-18 00:00"), reason="示例"
    )
    pages = pages_of("window-extension")
    ends = [fact.value for fact in pages.facts(extension, ministry_officer)[1:3]]
    assert ends == [world.moment("2019-04-15 23:59:59"), world.moment("2019-04-17 23:59:59")]
    assert pages.columns[1].value(extension) == world.moment("2019-04-17 23:59:59")


def test_what_the_ministry_alone_decides_is_refused_in_words(
    programme: Programme, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    with pytest.raises(Refused, match="没有试点项目数据文件 2030-1"):
        services.install(code="2030-1", actor=world.SETUP)
    with pytest.raises(Refused, match="项目规则由部机关录入"):
        services.set_rule(actor=bureau_reviewer, programme=programme, key="list_days", value=1, basis="示例")
    window = Window.objects.get(programme=programme, kind=WindowKind.APPLICATION)
    with pytest.raises(Refused, match="延长后的截止时间应晚于原截止时间"):
        services.propose_extension(actor=ministry_officer, window=window, closes=window.closes, reason="示例")
    assert (Programme.objects.count(), WindowExtension.unscoped.count()) == (1, 0)
    assert programmes.rule(programme, "list_days") == 3
