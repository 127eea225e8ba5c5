"""Licences of pilot units: who is told when, that nothing follows from it, and how a renewal is recorded."""

from __future__ import annotations

from datetime import date

import pytest

from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Notice, PilotUnit, Programme
from pilot.selectors import register as selectors
from pilot.services import licences, register
from pilot.tasks import watch_licences
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders

LAST = date(2019, 10, 1)


@pytest.fixture
def unit(programme: Programme, provider: Actor) -> PilotUnit:
    made = builders.enrol(programme, provider)
    PilotUnit.unscoped.filter(pk=made.pk).update(licence_expires_on=LAST)
    made.refresh_from_db()
    return made


def told() -> list[str]:
    """The marks told of so far, one entry per notice, oldest first."""
    rows = Notice.objects.filter(source__startswith="licence:").order_by("pk")
    return [source.rsplit(":", 1)[1] for source in rows.values_list("source", flat=True)]


def test_every_mark_is_told_once_to_whom_it_concerns(
    unit: PilotUnit, provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    people = [provider, world.bureau(), world.bureau("bureau_lead"), ministry_officer]
    world.bureau(province=11)
    runs = [("2019-07-02", 0), ("2019-07-03", 1), ("2019-08-31", 0), ("2019-09-01", 1), ("2019-10-02", 1)]
    for day, number in runs:
        world.at(f"{day} 09:00")
        assert [watch_licences(), watch_licences()] == [number, 0], day
    assert told() == ["90"] * 4 + ["30"] * 4 + ["0"] * 4
    assert audited("register.licence_watch") == ("done", None, "pilotunit", str(unit.pk))
    assert {n.person_id for n in Notice.objects.all()} == {actor.person_id for actor in people}
    assert [n.subject for n in Notice.objects.filter(person=provider.person_id).order_by("pk")] == [
        "1001 · 许可证将于 2019-10-01 到期（还有 90 天），请延续并报送新证",
        "1001 · 许可证将于 2019-10-01 到期（还有 30 天），请延续并报送新证",
        "1001 · 许可证已于 2019-10-01 到期，请延续并报送新证",
    ]
    assert selectors.status_at(unit, world.moment("2019-10-02 10:00")) == "active"


def test_a_late_run_tells_of_the_last_mark_only_and_nobody_of_a_unit_that_left(
    unit: PilotUnit, provider: Actor, programme: Programme
) -> None:
    gone = builders.enrol(programme, world.provider())
    PilotUnit.unscoped.filter(pk=gone.pk).update(licence_expires_on=LAST)
    world.at("2019-09-20 09:00")
    register.set_status(
        actor=world.SETUP, unit=gone, kind="removed", start=world.moment("2019-09-19 00:00"), reason="示例"
    )
    assert licences.watch() == 1
    assert told() == ["30"]


def test_the_home_bureau_records_a_renewal_and_the_watch_begins_afresh(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    world.at("2019-10-02 09:00")
    assert licences.watch() == 1
    renewed = licences.renew_licence(
        actor=bureau_reviewer, unit=unit, expires_on=date(2019, 12, 20), reason="已核对新证"
    )
    unit.refresh_from_db()
    assert renewed.licence_expires_on == unit.licence_expires_on == date(2019, 12, 20)
    entry = AuditEntry.objects.get(action="register.licence")
    assert (entry.person_id, entry.detail) == (
        bureau_reviewer.person_id,
        {"from": "2019-10-01", "to": "2019-12-20", "reason": "已核对新证"},
    )
    assert Notice.objects.get(source=f"licence-renewed:{entry.pk}").person_id == provider.person_id
    assert licences.watch() == 1
    assert Notice.objects.filter(person=provider.person_id, source__startswith="licence:").count() == 2


def test_who_may_not_record_a_renewal_and_what_is_none(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    world.at("2019-10-02 09:00")
    for actor in (provider, ministry_officer, world.bureau(province=11)):
        with pytest.raises(NotPermitted, match="注册省的通信管理局"):
            licences.renew_licence(actor=actor, unit=unit, expires_on=date(2024, 10, 1), reason="示例")
    for match, day, reason in [
        ("请填写理由", date(2024, 10, 1), " "),
        ("应晚于今天和原有效期", LAST, "示例"),
        ("日期过远", date(2091, 10, 1), "示例"),
    ]:
        with pytest.raises(Refused, match=match):
            licences.renew_licence(actor=bureau_reviewer, unit=unit, expires_on=day, reason=reason)
    world.at("2020-01-02 09:00")
    with pytest.raises(Refused, match="已不在试点中"):
        licences.renew_licence(actor=bureau_reviewer, unit=unit, expires_on=date(2024, 10, 1), reason="示例")
    assert PilotUnit.unscoped.get().licence_expires_on == LAST
