"""Whom every transition of intake tells, by which channel, from when: the whole table, and no word about a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from applications.models import Application, LateAdmission
from applications.services.late_admissions import propose_late_admission
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.machines import declared
from pilot.models import Notice, Organisation, OutboxMessage, Person, Window, WindowExtension
from pilot.services import programmes
from pilot.workflow import fire, label
from tests.applications import builders
from tests.factories import world

# Who is told of each transition. "held" waits 30 seconds, so that an act taken back tells nobody.
APPLICANT, BUREAU, LEAD = {"provider"}, {"reviewer", "lead"}, {"lead"}
TABLE: dict[tuple[str, str], tuple[set[str], bool]] = {
    ("application", "submit"): (APPLICANT | BUREAU, False),
    ("application", "resubmit"): (APPLICANT | BUREAU, False),
    ("application", "accept"): (APPLICANT, True),
    ("application", "return_for_correction"): (APPLICANT, True),
    ("application", "refuse"): (APPLICANT, True),
    ("application", "deem_accepted"): (APPLICANT | LEAD, False),
    ("application", "lapse"): (APPLICANT | BUREAU, False),
    ("application", "revert"): (set(), False),
    ("application", "withdraw"): (BUREAU, False),
    ("application", "recommend"): (set(), False),
    ("application", "disrecommend"): (set(), False),
    ("application", "reopen"): (set(), False),
    ("application", "report"): (APPLICANT, False),
    ("application", "admit"): (APPLICANT, False),
    ("application", "decline"): (APPLICANT, False),
    ("application", "reinstate"): (APPLICANT | BUREAU, False),
    ("late-admission", "approve"): (APPLICANT | BUREAU | {"officer"}, False),
    ("late-admission", "reject"): ({"officer"}, False),
    ("window-extension", "approve"): (BUREAU | {"far reviewer", "officer"}, False),
    ("window-extension", "reject"): ({"officer"}, False),
}


@dataclass
class Cast:
    """Everybody who might be told, each with an address; the far ones have nothing to do with the case."""

    people: dict[str, Actor]

    def __getitem__(self, name: str) -> Actor:
        return self.people[name]

    def name_of(self, person_id: int) -> str:
        return next(name for name, actor in self.people.items() if actor.person_id == person_id)


@pytest.fixture
def cast(programme: Any) -> Cast:
    people = {
        "provider": world.provider(),
        "reviewer": world.bureau(),
        "lead": world.bureau(Role.BUREAU_LEAD),
        "officer": world.ministry(),
        "approver": world.ministry(Role.MINISTRY_APPROVER),
        "far provider": world.provider(province=11),
        "far reviewer": world.bureau(province=11),
    }
    for name, actor in people.items():
        email = f"{name.replace(' ', '.')}@example.cn"
        Person.objects.filter(pk=actor.person_id).update(email=email)
    return Cast(people)


def prepared(cast: Cast, machine: str, name: str) -> tuple[Any, Actor, dict[str, Any]]:
    """A case that may take the step, who takes it, and what is handed in with it."""
    provider, reviewer = cast["provider"], cast["reviewer"]
    system = builders.system()
    match machine, name:
        case "application", "submit":
            return builders.drafted(provider), provider, {"declaration": True}
        case "application", "resubmit":
            case = builders.returned(provider, reviewer)
            builders.corrected(case, provider)
            return case, provider, {"declaration": True}
        case "application", "accept" | "withdraw" | "return_for_correction" | "refuse":
            data = {
                "return_for_correction": {"items": builders.ITEMS},
                "refuse": {"condition": 3, "reason": "示例"},
            }.get(name, {})
            return builders.submitted(provider), provider if name == "withdraw" else reviewer, data
        case "application", "deem_accepted":
            case = builders.submitted(provider)
            programmes.set_rule(
                actor=world.SETUP, programme=case.programme, key="deemed_acceptance", value=True, basis="示例"
            )
            return case, system, {"at": case.due_at}
        case "application", "lapse":
            case = builders.returned(provider, reviewer)
            return case, system, {"at": case.due_at}
        case "application", "revert":
            return builders.accepted(provider, reviewer), reviewer, {}
        case "application", "reinstate":
            return builders.refused(provider, reviewer), system, {}
        case "application", _:
            steps = {
                "recommend": [],
                "disrecommend": [],
                "reopen": ["recommend"],
                "report": ["recommend"],
                "admit": ["recommend", "report"],
                "decline": ["recommend", "report"],
            }[name]
            case = builders.accepted(provider, reviewer)
            for step in steps:
                fire(case, step, actor=system)
            return case, system, {}
        case "late-admission", _:
            organisation = Organisation.objects.get(pk=provider.organisation_id)
            until = world.moment("2019-04-20 00:00")
            admission = propose_late_admission(
                actor=cast["officer"], provider=organisation, until=until, reason="示例"
            )
            return admission, cast["approver"], {"reason": "示例"}
        case _:
            extension = programmes.propose_extension(
                actor=cast["officer"],
                window=Window.objects.get(kind="application"),
                closes=world.moment("2019-04-20 00:00"),
                reason="示例",
            )
            return extension, cast["approver"], {"reason": "示例"}


def test_the_table_names_every_transition() -> None:
    machines = (Application, LateAdmission, WindowExtension)
    assert TABLE.keys() == {(model.slug(), move.name) for model in machines for move in declared(model)}


@pytest.mark.parametrize(("machine", "name"), TABLE)
def test_whom_a_transition_tells(cast: Cast, machine: str, name: str) -> None:
    audience, held = TABLE[machine, name]
    case, actor, data = prepared(cast, machine, name)
    notices, mails = (
        set(Notice.objects.values_list("pk", flat=True)),
        OutboxMessage.objects.filter(kind="mail"),
    )
    earlier = set(mails.values_list("pk", flat=True))

    moved = fire(case, name, actor=actor, **data)

    told = Notice.objects.exclude(pk__in=notices)
    assert sorted(cast.name_of(notice.person_id) for notice in told) == sorted(audience)
    posted = mails.exclude(pk__in=earlier)
    assert sorted(mail.target for mail in posted) == sorted(
        f"{person.replace(' ', '.')}@example.cn" for person in audience
    )
    subject = f"{moved.number} · {label(type(moved), name)}"
    seen = f"{moved.number} · {moved.called} · {label(type(moved), name)}"
    assert {notice.subject for notice in told} == ({seen} if audience else set())
    now = clock.security_now()
    assert {notice.visible_from > now for notice in told} == ({held} if audience else set())
    assert {mail.not_before > now for mail in posted} == ({held} if audience else set())
    names = {actor.name for actor in cast.people.values()} | {
        actor.organisation_name for actor in cast.people.values()
    }
    said = [text for mail in posted for text in (mail.payload["subject"], mail.payload["text"])]
    assert [word for word in names for text in said if word and word in text] == []
    assert {mail.payload["text"].splitlines()[0] for mail in posted} == ({subject} if audience else set())
    assert all(f"/cases/{machine}/{moved.pk}/" in mail.payload["text"] for mail in posted)


def test_the_ministry_hears_of_a_withdrawal_after_the_report(cast: Cast) -> None:
    case = builders.accepted(cast["provider"], cast["reviewer"])
    for step in ("recommend", "report"):
        fire(case, step, actor=builders.system())
    Notice.objects.all().delete()
    fire(case, "withdraw", actor=cast["provider"], reason="示例")
    told = {cast.name_of(pk) for pk in Notice.objects.values_list("person", flat=True)}
    assert told == {"reviewer", "lead", "officer"}


def test_what_was_taken_back_is_never_told(cast: Cast) -> None:
    case = builders.accepted(cast["provider"], cast["reviewer"])
    fire(case, "revert", actor=cast["reviewer"])
    assert Notice.objects.filter(subject__endswith="受理").count() == 0
    mails = OutboxMessage.objects.filter(kind="mail", payload__subject__endswith=" · 受理")
    assert [mail.cancelled_at is not None for mail in mails] == [True]
