"""The law of review as questions to the database, put otherwise than in the code that upholds it."""

from __future__ import annotations

from collections.abc import Sequence

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
)
from pilot.actors import Actor
from pilot.machines import MACHINES
from pilot.models import Objection, PilotUnit, TransitionRecord

REVIEW = (Application, Opinion, ProvincialReport, CapabilityAssessment, InterestDeclaration, ApprovalList)


class Law:
    """Checks after every step; remembers which case was ever open to which assessor."""

    def __init__(self, assessors: Sequence[Actor]) -> None:
        self.assessors = assessors
        self.ever_seen: set[tuple[int, int]] = set()

    def check(self) -> None:
        """Raise AssertionError where the law is broken."""
        self.nobody_is_listed_on_less()
        self.nobody_saw_a_case_of_interest()
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
        """An assessor sees what was declared free of interest and nothing else, and never saw what was not."""
        rows = list(
            InterestDeclaration.unscoped.values_list(
                "assessor", "assessment__application", "state", "released_at", "pk"
            )
        )
        may = {
            (who, case) for who, case, state, released, _pk in rows if state == "clear" and released is None
        }
        for actor in self.assessors:
            seen = Application.objects.visible_to(actor).values_list("pk", flat=True)
            now = {(actor.person_id or 0, pk) for pk in seen}
            assert now == {pair for pair in may if pair[0] == actor.person_id}
            self.ever_seen |= now
        declared = TransitionRecord.objects.filter(machine="interest-declaration", name="declare")
        keys = set(declared.values_list("object_id", flat=True))
        assert not self.ever_seen & {(who, case) for who, case, _s, _r, pk in rows if pk in keys}


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
