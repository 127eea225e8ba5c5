"""The law of review as questions to the database, put otherwise than in the code that upholds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from applications.models import Application
from assessment.models import (
    ApprovalList,
    ApprovalListEntry,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    OpinionVersion,
    ProvincialReport,
    ReportLine,
    ScoreSheet,
)
from pilot.actors import Actor
from pilot.machines import MACHINES
from pilot.models import Objection, PilotUnit, TransitionRecord, UnitStatus

REVIEW = (Application, Opinion, ProvincialReport, CapabilityAssessment, InterestDeclaration, ApprovalList)


class Law:
    """Checks after every step; remembers which case was ever open to which assessor."""

    def __init__(self, assessors: Sequence[Actor]) -> None:
        self.assessors = assessors
        self.ever_seen: set[tuple[int, int]] = set()
        self.looked_at: object = None

    def check(self) -> None:
        """Raise AssertionError where the law is broken."""
        self.nobody_is_listed_on_less()
        self.nobody_saw_a_case_of_interest()
        every_application_stands_in_one_combination()
        ranges_of_a_unit_follow_each_other()
        four_eyes()

    def nobody_is_listed_on_less(self) -> None:
        """No listed unit without signed opinion, received report, concluded assessment, list of two hands."""
        listed = Application.unscoped.filter(state="listed")
        if not listed:
            assert not PilotUnit.unscoped.exists()
            return
        of = {"application": OuterRef("pk")}
        opinion = Opinion.unscoped.filter(
            **of, state="signed", drafted_by__isnull=False, signed_by__isnull=False
        )
        line = ReportLine.unscoped.filter(**of, report__state="received", version=F("report__version"))
        entry = ApprovalListEntry.unscoped.filter(
            **of,
            listed=True,
            approval_list__state="published",
            approval_list__prepared_by__isnull=False,
            approval_list__approved_by__isnull=False,
        ).exclude(approval_list__prepared_by=F("approval_list__approved_by"))
        for basis in (opinion, line, entry):
            assert list(listed.filter(~Exists(basis))) == []
        # Whoever objected with success is taken in for that; everybody else for a recommendation and a pass.
        upheld = Objection.unscoped.filter(
            against_machine="application",
            against_id=OuterRef("pk"),
            state="upheld",
            against_state="not_listed",
        )
        passed = CapabilityAssessment.unscoped.filter(
            **of, state="concluded", passed=True, concluded_by__isnull=False
        ).exclude(
            concluded_by__in=InterestDeclaration.unscoped.values("assessor").filter(assessment=OuterRef("pk"))
        )
        for basis in (passed, opinion.filter(recommended=True), line.filter(recommended=True)):
            assert list(listed.filter(~Exists(basis), ~Exists(upheld))) == []
        units = PilotUnit.unscoped.values_list("organisation", flat=True)
        assert sorted(units) == sorted(listed.values_list("provider", flat=True))

    def nobody_saw_a_case_of_interest(self) -> None:
        """An assessor sees what was declared free of interest and nothing else, and never saw what was not.

        Looked at again whenever anything moved that it may rest on.
        """
        columns = ("assessor", "assessment__application", "state", "released_at", "pk", "assessment__state")
        rows = list(InterestDeclaration.unscoped.order_by("pk").values_list(*columns))
        rests_on = (rows, ScoreSheet.unscoped.count())
        if rests_on == self.looked_at:
            return
        self.looked_at = rests_on
        for actor in self.assessors:
            self._look_through_the_eyes_of(
                actor,
                {
                    case
                    for who, case, state, released, *_ in rows
                    if who == actor.person_id and state == "clear" and released is None
                },
            )
        declared = TransitionRecord.objects.filter(machine="interest-declaration", name="declare")
        keys = set(declared.values_list("object_id", flat=True))
        assert not self.ever_seen & {(who, case) for who, case, _s, _r, pk, _a in rows if pk in keys}

    def _look_through_the_eyes_of(self, actor: Actor, may: set[int]) -> None:
        assert set(Application.objects.visible_to(actor).values_list("pk", flat=True)) == may
        assessments = CapabilityAssessment.objects.visible_to(actor)
        assert set(assessments.values_list("application", flat=True)) == may
        others = ScoreSheet.objects.visible_to(actor).exclude(declaration__assessor=actor.person_id)
        assert set(others.values_list("declaration__assessment__application", flat=True)) <= may
        self.ever_seen |= {(actor.person_id or 0, case) for case in may}


class Standing(NamedTuple):
    """What the other machines say of an application."""

    opinion: str = ""  # of the living one: pending, drafted, yes, no
    line: str = ""  # the report that has it: sent, received
    assessment: str = ""  # of the living one: running, passed, failed
    published: str = ""  # its last published entry: in, out
    fixed: bool = False  # stands on a prepared or approved list
    unit: bool = False


UNREVIEWED = {Standing()}
RECEIVED = [("yes", "received", verdict) for verdict in ("running", "passed", "failed")] + [
    ("no", "received")
]
# State of an application → every combination it may stand in.
COMBINATIONS: dict[str, set[Standing]] = {
    **dict.fromkeys(("draft", "submitted", "returned", "refused", "lapsed"), UNREVIEWED),
    "accepted": {Standing("pending"), Standing("drafted")},
    "recommended": {Standing("yes"), Standing("yes", "sent")},
    "not_recommended": {Standing("no"), Standing("no", "sent")},
    # Nobody stands on a fixed list while the assessment runs.
    "reported": {
        Standing(*basis, fixed=fixed)
        for basis in RECEIVED
        for fixed in (False, True)
        if not (fixed and "running" in basis)
    },
    # Left off although passed is nobody; on the list after a fault only by an objection (``nobody_is_listed_on_less``).
    "listed": {Standing(*b, published="in", unit=True) for b in RECEIVED if "running" not in b},
    "not_listed": {
        Standing(*b, published="out", fixed=fixed) for b in RECEIVED[2:] for fixed in (False, True)
    },
    "withdrawn": {
        Standing("", line, verdict)
        for line in ("", "sent", "received")
        for verdict in ("", "passed", "failed")
    },
}


def every_application_stands_in_one_combination() -> None:
    """Opinion, report, assessment, list and register say of every application what its state says."""
    standing: dict[int, dict[str, Any]] = defaultdict(dict)
    rows: Iterable[tuple[Any, ...]]
    rows = Opinion.unscoped.exclude(state="void").values_list("application", "state", "recommended")
    for pk, state, recommended in rows:
        _say(standing[pk], "opinion", {True: "yes", False: "no"}[recommended] if state == "signed" else state)
    lines = ReportLine.unscoped.filter(report__state__in=["sent", "received"], version=F("report__version"))
    for pk, state in lines.values_list("application", "report__state"):
        _say(standing[pk], "line", state)
    living = CapabilityAssessment.unscoped.exclude(state="cancelled")
    for pk, state, passed in living.values_list("application", "state", "passed"):
        _say(standing[pk], "assessment", _verdict(passed) if state == "concluded" else "running")
    entries = ApprovalListEntry.unscoped.order_by("approval_list__sequence")
    for pk, state, listed in entries.values_list("application", "approval_list__state", "listed"):
        if state == "published":
            standing[pk]["published"] = "in" if listed else "out"
        elif state != "draft":
            _say(standing[pk], "fixed", True)
    units = set(PilotUnit.unscoped.values_list("case_key", flat=True))
    for pk, state, key in Application.unscoped.values_list("pk", "state", "case_key"):
        found = Standing(**standing[pk], unit=key in units)
        assert found in COMBINATIONS[state], (pk, state, found)


def _verdict(passed: bool | None) -> str:
    return "passed" if passed else "failed"


def _say(standing: dict[str, Any], what: str, value: Any) -> None:
    """There is one of each at most."""
    assert what not in standing
    standing[what] = value


def ranges_of_a_unit_follow_each_other() -> None:
    """Every moment from a unit's first on has one status; no province and filing type is opened twice at once."""
    by_unit: dict[int, list[Any]] = defaultdict(list)
    for unit, during in UnitStatus.objects.order_by("unit", "during").values_list("unit", "during"):
        by_unit[unit].append(during)
    for ranges in by_unit.values():
        assert [r.upper for r in ranges] == [*(r.lower for r in ranges[1:]), None]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pilot_unitscope a JOIN pilot_unitscope b ON a.id < b.id AND a.unit_id = b.unit_id "
            "AND a.province = b.province AND a.filing_type = b.filing_type AND a.during && b.during"
        )
        assert cursor.fetchone() == (0,)


def four_eyes() -> None:
    """Two hands, by who is written in the rows and by who took the steps."""
    assert not OpinionVersion.unscoped.filter(drafted_by=F("signed_by")).exists()
    assert not ApprovalList.unscoped.filter(prepared_by=F("approved_by")).exists()
    step = Q(machine=OuterRef("machine"), object_id=OuterRef("object_id"), person=OuterRef("person"))
    draft = TransitionRecord.objects.filter(step, name="draft", number=OuterRef("number") - 1)
    signed = TransitionRecord.objects.filter(machine="opinion", name="sign")
    assert not signed.filter(Exists(draft)).exists()
    later = Q(machine=OuterRef("machine"), object_id=OuterRef("object_id"), name="prepare")
    newer = TransitionRecord.objects.filter(later, number__gt=OuterRef("number")).filter(
        number__lt=OuterRef(OuterRef("number"))
    )
    prepare = TransitionRecord.objects.filter(
        step, ~Exists(newer), name="prepare", number__lt=OuterRef("number")
    )
    approved = TransitionRecord.objects.filter(machine="approval-list", name__in=["approve", "publish"])
    assert not approved.filter(Exists(prepare)).exists()
    decided = Objection.unscoped.filter(state__in=["upheld", "dismissed"])
    part = TransitionRecord.objects.filter(
        case_key=OuterRef("case_key"), person=OuterRef("reviewer")
    ).exclude(machine="objection")
    before = part.filter(at__lt=OuterRef("opened_at"))
    assert not decided.filter(Exists(before)).exists()
    for reviewer, case in decided.filter(against_state="not_listed").values_list("reviewer", "against_id"):
        left_off = ApprovalListEntry.unscoped.filter(
            application=case, listed=False, approval_list__state="published"
        )
        steps = TransitionRecord.objects.filter(machine="approval-list", person=reviewer)
        steps = steps.exclude(name="open")  # beginning a list, as an upheld objection does, decides nothing
        assert not steps.filter(object_id__in=left_off.values("approval_list")).exists()


def whole_histories() -> int:
    """No state was skipped: every step begins where the one before ended, the last one where the case stands.

    Returns how many steps were looked at.
    """
    looked_at = 0
    for model in REVIEW:
        assert MACHINES[model.slug()] is model
        states = dict(model.unscoped.values_list("pk", "state"))
        reached: dict[int, str] = {}
        steps = TransitionRecord.objects.filter(machine=model.slug()).order_by("object_id", "number")
        for pk, source, target in steps.values_list("object_id", "source", "target"):
            assert source == reached.get(pk, source)
            reached[pk] = target
            looked_at += 1
        assert reached == states
    return looked_at
