"""Random walks by hypothesis through the machines of intake and of the run phase (F05).

Anybody of a small cast tries any transition of any case, time passes, and the timetable does its part. What may
happen is looked up in the tables that were written by hand from the design, not asked of the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from applications.models import Application, ApplicationVersion
from applications.services.deadlines import pass_deadlines as intake_deadlines
from filings.models import Bulletin, FaqEntry, Finding, Rectification, Sanction, VerificationForm
from filings.services import alerts, supervision
from filings.services.bulletins import compile_bulletin
from filings.services.deadlines import pass_deadlines as run_deadlines
from filings.services.faq import make_faq
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import PilotError
from pilot.machines import MACHINES
from pilot.models import AuditEntry, NumberSequence, TransitionRecord
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.test_machine import APPLICATION
from tests.factories import cases, world
from tests.factories.cases import Cast
from tests.factories.scenes import ACTS
from tests.filings import builders as run
from tests.filings.test_machines import MACHINES as RUN_MACHINES

type Table = dict[str, set[tuple[str, str, str]]]

UPLOADS: Final = {
    ("received", "start", "processing"),
    ("processing", "finish", "done"),
    ("processing", "fail", "failed"),
    ("received", "fail", "failed"),
}
INTAKE: Final[Table] = {"application": set(APPLICATION)}
RUN: Final[Table] = {model.slug(): table for model, table in RUN_MACHINES.items()} | {"upload-job": UPLOADS}
CAST: Final = ("provider", "stranger", "reviewer", "lead", "elsewhere", "officer", "approver", "system")
MOST: Final = 12  # cases of one walk

seen: Counter[tuple[str, str, str]] = Counter()
"""Steps taken by every walk so far."""


class Crowd(Cast):
    """The cast, a provider it does not know, and a reviewer of another province."""

    def __init__(self) -> None:
        self.stranger: Actor = world.provider()
        self.elsewhere: Actor = world.bureau(Role.BUREAU_REVIEWER, 45)


def answered_question(cast: Cast) -> FaqEntry:
    """A draft for the list of common questions, from a question that was answered and closed."""
    asked = fire(cases.coordination_case(cast), "reply", actor=cast.reviewer, reason="示例")
    closed = fire(asked, "close", actor=cast.provider)
    return make_faq(case=closed, actor=cast.reviewer, question="示例", answer="示例", category="other")


def mismatch(cast: Cast) -> Finding:
    """A finding on a form of its own."""
    number = VerificationForm.unscoped.filter(unit=cast.unit).count() + 1
    return run.found(run.form(cast.unit, f"F-{number}"), at=clock.now())


def order(cast: Cast) -> Rectification:
    """A rectification order for a finding of its own."""
    return supervision.draft_rectification(
        actor=cast.reviewer, unit=cast.unit, findings=[mismatch(cast)], reasons="示例", measures="示例"
    )


def alert(cast: Cast) -> None:
    """Whatever the figures of the moment give reason for."""
    row = VerificationForm.unscoped.filter(unit=cast.unit, determinations__isnull=True).first()
    if row:
        run.compared(row, outcome="mismatch")
    alerts.review()


MAKERS: Final[dict[str, Callable[[Any], object]]] = {
    "inspection": cases.all_read,
    "faq-entry": answered_question,
    "finding": mismatch,
    "rectification": order,
    "alert": alert,
    "bulletin": lambda cast: compile_bulletin(actor=cast.officer, period="2019-06"),
}


class Walk(RuleBasedStateMachine):
    """One walk in a savepoint of its own, undone at the end."""

    table: Table = {}

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.cast = Crowd()
        self.cases: dict[tuple[str, int], Any] = {}
        self.states: dict[tuple[str, int], str] = {}
        self.read = TransitionRecord.objects.aggregate(last=Max("pk"))["last"] or 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # --- what may be tried ------------------------------------------------------------------------
    @rule(share=st.integers(0, 9), minutes=st.integers(1, 6 * 60))
    def wait(self, share: int, minutes: int) -> None:
        """Time passes, now and then a great deal of it, and the timetable does what is due."""
        clock.set_business_time(clock.now() + timedelta(minutes=minutes * (40 if share == 0 else 1)))
        self.attempt(intake_deadlines)
        self.attempt(run_deadlines)

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """Somebody tries something."""
        self._act(data)

    def _act(self, data: st.DataObject) -> None:
        """A transition, mostly one out of the present state, and mostly by the office meant for it."""
        if not self.cases:
            return
        slug, pk = data.draw(st.sampled_from(sorted(self.cases)))
        case = MACHINES[slug].unscoped.get(pk=pk)
        every = sorted({name for _source, name, _target in self.table[slug]})
        likely = sorted({name for source, name, _target in self.table[slug] if source == case.state})
        name = data.draw(st.sampled_from(likely if likely and data.draw(st.integers(0, 9)) else every))
        meant, given = ACTS[f"{slug}.{name}"]
        who = meant if data.draw(st.integers(0, 9)) else data.draw(st.sampled_from(CAST))
        values = given(self.cast, case) if callable(given) else given
        if who != "system" and data.draw(st.integers(0, 19)) == 0:
            values = {}  # people leave out what is asked for
        self.attempt(lambda: fire(case, name, actor=getattr(self.cast, who), **values))

    act_again = rule(data=st.data())(lambda self, data: self._act(data))
    act_more = rule(data=st.data())(lambda self, data: self._act(data))

    def attempt(self, act: Any) -> bool:
        """Do it whole, or be refused in words and change nothing."""
        before = TransitionRecord.objects.count()
        try:
            with transaction.atomic():
                act()
        except PilotError as refusal:
            words = str(refusal.message).strip()
        else:
            return True
        assert words
        assert TransitionRecord.objects.count() == before
        return False

    # --- what holds after every step --------------------------------------------------------------
    @invariant()
    def every_step_is_one_of_the_design(self) -> None:
        """And begins where the one before ended, is on the audit record once, and leads to where the case stands."""
        steps = TransitionRecord.objects.filter(pk__gt=self.read, machine__in=self.table).order_by("pk")
        for step in steps:
            key, self.read = (step.machine, step.object_id), step.pk
            if step.name == "open":
                self.cases[key], self.states[key] = step.object_id, step.target
                continue
            assert step.source == self.states[key]
            assert (step.source, step.name, step.target) in self.table[step.machine]
            self.states[key] = step.target
            seen[step.machine, step.source, step.name] += 1
            entries = AuditEntry.objects.filter(
                action=f"{step.machine}.{step.name}", object_id=str(step.object_id), outcome="done"
            )
            same = TransitionRecord.objects.filter(
                machine=step.machine, object_id=step.object_id, name=step.name
            )
            assert entries.count() == same.count()
        for slug in self.table:
            stored = dict(MACHINES[slug].unscoped.values_list("pk", "state"))
            assert stored == {pk: state for (name, pk), state in self.states.items() if name == slug}


class IntakeWalk(Walk):
    """Applications: handing in, completeness, correction, refusal, silence, withdrawal, second thoughts."""

    table = INTAKE

    @initialize()
    def first(self) -> None:
        self.begin(who=0)

    @rule(who=st.integers(0, 3))
    def begin(self, who: int) -> None:
        """Somebody applies, who may have an application under way already."""
        if len(self.cases) < MOST:
            provider = (self.cast.provider, self.cast.stranger, self.cast.provider, None)[who]
            self.attempt(lambda: builders.drafted(provider or world.provider()))

    @rule()
    def correct(self) -> None:
        """The provider answers what is wanted."""
        for case in Application.unscoped.filter(
            state="returned", provider=self.cast.provider.organisation_id
        ):
            self.attempt(lambda case=case: builders.corrected(case, self.cast.provider))

    @invariant()
    def what_was_handed_in_has_a_number_and_a_version(self) -> None:
        """Numbers have no gap, drafts have none, and a provider has one living application."""
        rows = Application.unscoped.order_by("case_number")
        handed_in = set(ApplicationVersion.unscoped.values_list("application", flat=True))
        assert {case.pk for case in rows if case.case_number} == handed_in
        numbers = [case.case_number for case in rows if case.case_number]
        assert numbers == [f"SQ2019-44-{n:05d}" for n in range(1, len(numbers) + 1)]
        drawn = NumberSequence.objects.filter(series="SQ2019-44").values_list("last", flat=True).first() or 0
        assert drawn == len(numbers)
        for case in rows:
            assert case.state == "withdrawn" or (case.state == "draft") == (case.case_number == "")
            assert (case.state in ("submitted", "returned")) == (case.due_at is not None)
        over = ("withdrawn", "lapsed", "refused")
        living = Counter(case.provider_id for case in rows if case.state not in over)
        assert max(living.values(), default=0) <= 1

    @invariant()
    def a_bureau_decides_on_its_own_province(self) -> None:
        """And nobody hands in outside the window."""
        steps = TransitionRecord.objects.filter(machine="application")
        decided = steps.filter(name__in=["accept", "return_for_correction", "refuse"])
        assert not decided.exclude(organisation__province=44).exists()
        closes = world.moment("2019-04-16 00:00")
        assert not steps.filter(name="submit", at__gte=closes).exists()
        assert not steps.filter(name="submit").exclude(role__startswith="provider").exists()


class RunWalk(Walk):
    """Findings, inspections, rectification, sanctions, alerts, questions, bulletins of one unit."""

    table = RUN

    @initialize()
    def first(self) -> None:
        assert self.cast.form

    @rule(slug=st.sampled_from(sorted(RUN)))
    def begin(self, slug: str) -> None:
        """A case more of any machine."""
        makers = {**cases.FIRST, **MAKERS}
        if len(self.cases) < MOST:
            self.attempt(lambda: makers[slug](self.cast))

    @invariant()
    def nobody_decides_alone(self) -> None:
        """A sanction is imposed by another person than proposed it, and only after the unit could be heard."""
        imposed = Sanction.unscoped.filter(state__in=["imposed", "lifted", "annulled"])
        for case in imposed:
            steps = TransitionRecord.objects.filter(machine="sanction", object_id=case.pk).order_by("number")
            assert [step.name for step in steps][:4] == ["open", "notify", "close_hearing", "impose"]
            assert case.approved_by_id == steps[3].person_id != steps[0].person_id
        for case in Bulletin.unscoped.filter(state="published"):
            names = TransitionRecord.objects.filter(machine="bulletin", object_id=case.pk).order_by("number")
            assert list(names.values_list("name", flat=True)) == ["open", "sign", "publish"]
