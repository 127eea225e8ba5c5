"""A random walk through review: anybody tries anything on any case, by the acts and services a click calls.

Acts that are refused in words are allowed outcomes and leave nothing behind. What the law of review is, is looked at
after every step that was done (:class:`Law`), by other means than the code that upholds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

from django.db import transaction

from applications.models import Application, LateAdmission
from applications.services.deadlines import pass_deadlines
from applications.services.late_admissions import propose_late_admission
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
)
from assessment.services.lists import create_list, refresh
from assessment.services.reports import open_reports, open_supplement
from assessment.services.scores import submit_scores
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import FilingType, OrganisationKind, Province, Role, WindowKind
from pilot.errors import PilotError
from pilot.machines import declared
from pilot.models import Membership, Objection, Organisation, PilotUnit, TransitionRecord, Window
from pilot.rules import end_of, local_day
from pilot.selectors import people, programmes
from pilot.services import objections, register
from pilot.services.programmes import propose_extension, set_rule
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders
from tests.assessment.law import Law, whole_histories
from tests.factories import world

PROVINCES: Final = (44, 45)
MOST_PROVIDERS: Final = 120
# Every machine of review, those below that carry it, and how often each is tried.
MACHINES: Final[dict[type, int]] = {
    Application: 3,
    Opinion: 4,
    ProvincialReport: 3,
    CapabilityAssessment: 5,
    InterestDeclaration: 4,
    ApprovalList: 4,
    Objection: 3,
    LateAdmission: 1,
}
# Steps back are tried less often, or nothing would ever get to its end.
RARE: Final = {
    "withdraw", "refuse", "revert", "send_back", "reopen", "return_to_bureau",
    "declare", "recuse", "reject",
}  # fmt: skip
OVER: Final = {
    "withdrawn", "lapsed", "void", "cancelled", "concluded", "published", "conflicted", "upheld", "dismissed", "listed",
    "granted", "rejected",
}  # fmt: skip


@dataclass(slots=True)
class World:
    """The people of a walk: officials and assessors, some of whom hold two offices, and the providers so far."""

    cast: list[Actor]
    providers: list[Actor] = field(default_factory=list)

    def copy(self) -> World:
        """The same people for another walk."""
        return World(list(self.cast), list(self.providers))


class Walk:
    """``steps`` are taken one savepoint each, each up to ``minutes`` of business time after the one before."""

    def __init__(self, people: World, *, seed: int, minutes: int) -> None:
        self.random, self.minutes = Random(seed), minutes  # noqa: S311
        self.done: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[str] = Counter()
        self.cast, self.providers = people.cast, people.providers
        self.law = Law([actor for actor in self.cast if actor.is_assessor])
        self.moment = clock.now()
        self.errands: Sequence[tuple[float, Callable[[], tuple[str, str]]]] = (
            (55, self.act),
            (9, self.apply),
            (12, self.score),
            (2, self.begin_list),
            (1, self.refresh_list),
            (6, self.supplement),
            (3, self.object),
            (2, self.correct),
            (2, self.take_back),
            (2, self.switch),
            (1, self.decree),
            (2, self.housekeeping),
            (0.1, self.pause),
        )

    # --- stepping ---------------------------------------------------------------------------------
    def step(self) -> None:
        """Try one thing that there is something to try on; a refusal says why in words and changes nothing."""
        self.moment += timedelta(minutes=self.random.randint(1, self.minutes))
        clock.set_business_time(self.moment)
        weights = [weight for weight, _errand in self.errands]
        while True:
            ((_weight, errand),) = self.random.choices(self.errands, weights)
            with suppress(NothingThere):
                return self.attempt(errand)

    def attempt(self, errand: Callable[[], tuple[str, str]]) -> None:
        """Do it in a savepoint and look at the law, or be refused."""
        before, known = TransitionRecord.objects.count(), len(self.providers)
        words, what = "", ("", "")
        try:
            with transaction.atomic():
                what = errand()
        except PilotError as refusal:
            words = str(refusal)
        if what != ("", ""):
            self.done[what] += 1
            self.law.check()
        else:
            del self.providers[known:]  # who came with what was refused is not there
            self.refused[words] += 1
            assert words
            assert TransitionRecord.objects.count() == before

    def act(self) -> tuple[str, str]:
        """Any transition of any case by anybody; more often than not one that is possible, by the right office."""
        model = self.random.choices(list(MACHINES), list(MACHINES.values()))[0]
        case = self.pick(model)
        moves = [
            move for move in declared(model) if policy.roles_for(case.slug(), move.name) != {Role.SYSTEM}
        ]
        possible = [move for move in moves if move.source == case.state]
        likely = possible if possible and self.random.random() < 0.9 else moves
        name = self.random.choices(likely, [1 if move.name in RARE else 5 for move in likely])[0].name
        if {move.name for move in likely} <= RARE and self.random.random() < 0.85:
            raise NothingThere
        fire(case, name, actor=self.actor(case, name), reason=self.words(), **self.data(case, name))
        return case.slug(), name

    def pick(self, model: Any) -> Any:
        """Any case of a machine, of all there are; those of the provinces played with, and mostly one not over."""
        rows = model.unscoped.order_by("pk")
        if model is ProvincialReport:
            rows = rows.filter(province__in=PROVINCES)
            rows = rows.exclude(state="received") if self.random.random() < 0.9 else rows
        if self.random.random() < 0.95:
            rows = rows.exclude(state__in=OVER)
        if model is InterestDeclaration and self.random.random() < 0.9:
            rows = rows.filter(released_at__isnull=True).exclude(assessment__state__in=OVER)
        keys = list(rows.values_list("pk", flat=True))
        if not keys:
            raise NothingThere
        return model.unscoped.get(pk=self.random.choice(keys))

    def actor(self, case: Any, name: str) -> Actor:
        """Whoever holds an office that may do it, now and then anybody at all."""
        everybody = [*self.cast, *self.providers]
        if isinstance(case, Objection) and case.reviewer_id and self.random.random() < 0.5:
            return next(actor for actor in everybody if actor.person_id == case.reviewer_id)
        roles = policy.roles_for(case.slug(), name)
        fitting = [a for a in everybody if a.role in roles and _concerns(a, case)]
        return self.random.choice(fitting if fitting and self.random.random() < 0.85 else everybody)

    def words(self) -> str:
        return "" if self.random.random() < 0.05 else "示例"

    def data(self, case: Any, name: str) -> dict[str, Any]:
        """What a form would hand over for an act."""
        match case.slug(), name:
            case "application", "return_for_correction":
                return {"items": intake.ITEMS}
            case "application", "refuse":
                return {"condition": 3}
            case "application", "submit" | "resubmit":
                return {"declaration": True}
            case "opinion", "draft":
                good = self.random.random() < 0.8
                return {"checklist": builders.MET if good else builders.NOT_MET, "remark": "示例意见"}
            case "provincial-report", "send":
                return {"nil": self.random.random() < 0.3}
            case "capability-assessment", "assign" | "reassign":
                return {"assessors": self.members(self.random.choice([1, 2, 2, 2, 3]))}
            case "capability-assessment", "replace":
                return {"moderator": self.members(1)[0]}
            case "capability-assessment", "conclude":
                return {"conclusion": "示例结论。"}
        return {}

    def members(self, number: int) -> list[Membership]:
        """Assessors, and now and then somebody who is none."""
        assessors = [actor for actor in self.cast if actor.is_assessor]
        pool = assessors if self.random.random() < 0.95 else self.cast
        return builders.memberships(self.random.sample(pool, number))

    # --- what is no transition --------------------------------------------------------------------
    def apply(self) -> tuple[str, str]:
        """A provider hands in an application; who comes after the window has somebody ask for an admission first."""
        if Application.unscoped.filter(state__in=["submitted", "accepted"]).count() > 2:
            raise NothingThere
        if programmes.is_open(programmes.current(), WindowKind.APPLICATION, self.moment):
            provider = self.anybody()
        elif self.random.random() < 0.5:
            return self.ask_for_admission(self.anybody())
        else:
            provider = self.admitted()
        if self.random.random() < 0.1:
            intake.drafted(provider)
            return "application", "open"
        intake.submitted(provider)
        return "application", "submit"

    def anybody(self) -> Actor:
        """A provider nobody has heard of as long as there are few, else mostly one of those known."""
        if len(self.providers) < 3 or (len(self.providers) < MOST_PROVIDERS and self.random.random() < 0.5):
            self.providers.append(world.provider(self.random.choice(PROVINCES)))
            return self.providers[-1]
        return self.random.choice(self.providers)

    def ask_for_admission(self, provider: Actor) -> tuple[str, str]:
        """An officer proposes that a provider may apply late."""
        propose_late_admission(
            actor=self.official(Role.MINISTRY_OFFICER),
            provider=Organisation.objects.get(pk=provider.organisation_id),
            until=self.moment + timedelta(days=self.random.randint(1, 5)),
            reason=self.words(),
        )
        return "late-admission", "open"

    def admitted(self) -> Actor:
        """A provider that was let in and has not applied yet; now and then any provider at all."""
        if self.random.random() < 0.1:
            return self.random.choice(self.providers)
        case = self._one_of(LateAdmission, state="granted", until__gt=self.moment)
        return next(actor for actor in self.providers if actor.organisation_id == case.provider_id)

    def official(self, role: str) -> Actor:
        return self.random.choice([actor for actor in self.cast if actor.role == role])

    def correct(self) -> tuple[str, str]:
        """A provider works on an answer to a completeness notice."""
        case = self._one_of(Application, state="returned")
        provider = self._provider(case)
        intake.corrected(case, provider)
        fire(case, "resubmit", actor=provider, declaration=True)
        return "application", "resubmit"

    def score(self) -> tuple[str, str]:
        """An assessor, mostly the one asked, hands in scores: good, apart, or failing a least number of points."""
        case = self._one_of(
            InterestDeclaration,
            state="clear",
            score_sheet__isnull=True,
            assessment__state__in=["in_progress", "in_moderation"],
        )
        own = [actor for actor in self.cast if actor.person_id == case.assessor_id and actor.is_assessor]
        actor = self.random.choice(own if self.random.random() < 0.95 else self.cast)
        sheets = [builders.FULL, builders.less(10), builders.less(30), {**builders.FULL, "protection": 0}]
        scores = self.random.choices(sheets, [5, 4, 2, 1])[0]
        submit_scores(
            case=case, actor=actor, scores=scores, comment=self.words(), evidence=builders.grounds(scores)
        )
        return "interest-declaration", "submit_scores"

    def begin_list(self) -> tuple[str, str]:
        """An officer begins a list that takes effect in a few days."""
        opens, _closes = programmes.window(programmes.current(), WindowKind.RUN)
        days = timedelta(days=self.random.randint(0, 4))
        actor = self.official(Role.MINISTRY_OFFICER)
        create_list(actor=actor, effective_from=max(opens, end_of(local_day(self.moment)) + days))
        return "approval-list", "create"

    def refresh_list(self) -> tuple[str, str]:
        actor = self.official(Role.MINISTRY_OFFICER)
        refresh(case=self._one_of(ApprovalList), actor=actor)
        return "approval-list", "refresh"

    def supplement(self) -> tuple[str, str]:
        province = self.random.choice(PROVINCES)
        leads = [a for a in self.cast if (a.role, a.province) == (Role.BUREAU_LEAD, province)]
        open_supplement(bureau=people.bureau_of(province), actor=self.random.choice(leads))
        return "provincial-report", "create"

    def object(self) -> tuple[str, str]:
        """A provider objects to having been left off or refused."""
        case = self._one_of(Application, state__in=["not_listed", "refused"])
        objections.file_objection(
            actor=self._provider(case), machine="application", object_id=case.pk, grounds="示例"
        )
        return "objection", "create"

    def take_back(self) -> tuple[str, str]:
        """A bureau's word taken back within half a minute, mostly by whoever gave it."""
        case = self._one_of(Application, state="submitted")
        name = self.random.choice(["accept", "return_for_correction", "refuse"])
        actor = self.actor(case, name)
        fire(case, name, actor=actor, reason="示例", **self.data(case, name))
        clock.set_business_time(self.moment + timedelta(seconds=10))
        other = self.random.random() < 0.2
        fire(case, "revert", actor=self.actor(case, "revert") if other else actor)
        return "application", "revert"

    def switch(self) -> tuple[str, str]:
        """A unit is suspended, taken up again or removed, or part of its scope is opened or closed, today or later."""
        unit = self._one_of(PilotUnit)
        days = self.random.randint(0, 5)
        if self.random.random() < 0.4:
            kind = self.random.choices(["suspended", "active", "removed"], [5, 5, 1])[0]
            start = max(self.moment, unit.statuses.earliest("during").during.lower) + timedelta(days=days)
            register.set_status(
                actor=self.official(Role.MINISTRY_APPROVER), unit=unit, kind=kind, start=start, reason="示例"
            )
            return "register", "set_status"
        register.set_scope(
            actor=self.official(Role.MINISTRY_OFFICER),
            unit=unit,
            provinces=self.random.sample(list(Province), self.random.randint(1, 3)),
            filing_types=self.random.sample(list(FilingType), self.random.randint(1, 2)),
            opened=self.random.random() < 0.5,
            effective_from=local_day(self.moment + timedelta(days=days)),
            reason=self.words(),
        )
        return "register", "set_scope"

    def decree(self) -> tuple[str, str]:
        """The ministry says whether a bureau's silence counts as acceptance."""
        set_rule(
            actor=self.official(Role.MINISTRY_OFFICER),
            programme=programmes.current(),
            key="deemed_acceptance",
            value=self.random.random() < 0.7,
            basis="示例",
        )
        return "programme", "set_rule"

    def housekeeping(self) -> tuple[str, str]:
        """What the clock brings about: the reports open, answers lapse, silence counts."""
        open_reports(programme=programmes.current(), actor=world.SETUP)
        pass_deadlines(at=self.moment)
        return "system", "housekeeping"

    def pause(self) -> tuple[str, str]:
        """Nobody works for a week or more."""
        self.moment += timedelta(days=self.random.randint(7, 10))
        clock.set_business_time(self.moment)
        return self.housekeeping()

    def _one_of(self, model: Any, **wanted: Any) -> Any:
        keys = list(model.unscoped.filter(**wanted).order_by("pk").values_list("pk", flat=True))
        if not keys:
            raise NothingThere
        return model.unscoped.get(pk=self.random.choice(keys))

    def _provider(self, case: Application) -> Actor:
        return next(actor for actor in self.providers if actor.organisation_id == case.provider_id)


class NothingThere(Exception):
    """There is nothing to try this on yet."""


def _concerns(actor: Actor, case: Any) -> bool:
    """Whether a case is of the actor's province, of its own organisation, or its own declaration."""
    if isinstance(case, InterestDeclaration) and actor.is_assessor:
        return case.assessor_id == actor.person_id
    if actor.is_provider:
        return isinstance(case, Application) and case.provider_id == actor.organisation_id
    return not actor.is_bureau or getattr(case, "province", actor.province) == actor.province


def _also(actor: Actor, role: str, organisation_id: Any = None) -> Actor:
    """The same person in a second office."""
    return Membership.objects.create(
        person_id=actor.person_id,
        organisation_id=organisation_id or actor.organisation_id,
        role=role,
        valid_from=world.moment("2019-01-01 00:00"),
    ).as_actor()


def _cast() -> list[Actor]:
    """Two bureaus, the ministry and ten assessors; in each place somebody who could be both hands."""
    cast: list[Actor] = []
    for province in PROVINCES:
        both = world.bureau(Role.BUREAU_REVIEWER, province)
        cast += [
            both,
            _also(both, Role.BUREAU_LEAD),
            world.bureau(Role.BUREAU_REVIEWER, province),
            world.bureau(Role.BUREAU_LEAD, province),
        ]
    both = world.ministry(Role.MINISTRY_OFFICER)
    approvers = [world.ministry(Role.MINISTRY_APPROVER) for _ in range(3)]
    cast += [both, _also(both, Role.MINISTRY_APPROVER), world.ministry(Role.MINISTRY_OFFICER), *approvers]
    assessors = [world.assessor() for _ in range(9)]
    supplier = world.people.add_organisation(
        actor=world.SETUP, kind=OrganisationKind.AGENCY, name="示例智能有限公司"
    )
    judge = _also(assessors[0], Role.MINISTRY_OFFICER, both.organisation_id)
    return [*cast, *assessors, world.assessor(supplier), judge]


def assemble(*, window_closes: str) -> World:
    """The people, on the last morning but one of the window, which was extended by the act meant for it."""
    world.at("2019-04-15 09:00")
    cast = _cast()
    officer = next(actor for actor in cast if actor.role == Role.MINISTRY_OFFICER)
    approver = [actor for actor in cast if actor.role == Role.MINISTRY_APPROVER][-1]
    window = Window.objects.get(kind=WindowKind.APPLICATION)
    extension = propose_extension(
        actor=officer, window=window, closes=world.moment(window_closes), reason="示例"
    )
    fire(extension, "approve", actor=approver)
    return World(cast)


def begun(people: World) -> World:
    """A head start: in 广东 one has passed the assessment, one failed, one waits for assessors, one is unwanted."""
    bureau = [actor for actor in people.cast if actor.province == PROVINCES[0]]
    ministry = [actor for actor in people.cast if actor.is_ministry]
    staff = builders.Desk(reviewer=bureau[2], lead=bureau[3], officer=ministry[2], approver=ministry[3])
    people.providers += [world.provider(PROVINCES[0]) for _ in range(4)]
    *recommended, unwanted = [builders.accepted(staff, actor) for actor in people.providers]
    for case in recommended:
        builders.signed(case, staff)
    builders.signed(unwanted, staff, builders.NOT_MET)
    builders.begin_review()
    builders.received(staff)
    panel = [actor for actor in people.cast if actor.is_assessor][1:3]
    passed, failed, _waiting = map(builders.assessment_of, recommended)
    builders.concluded(passed, staff, panel)
    builders.concluded(failed, staff, panel, {**builders.FULL, "protection": 0})
    return people


def walked(walk: Walk, *, steps: int) -> set[tuple[str, str, str]]:
    """Take so many steps; returns every transition that was taken: machine, source, name."""
    for _ in range(steps):
        walk.step()
    assert walk.done.total() + walk.refused.total() == steps
    assert whole_histories() > 0
    return set(TransitionRecord.objects.values_list("machine", "source", "name"))
