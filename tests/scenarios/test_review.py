"""From the bureaus' opinions to a published list: states, papers, notices, audit rows, register.

Who is left off the list, and what an objection leads to, stands in ``test_rejection.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from applications.models import Application
from applications.services.late_admissions import propose_late_admission
from assessment.models import (
    ApprovalListEntry,
    CapabilityAssessment,
    InterestDeclaration,
    OpinionVersion,
    ProvincialReport,
    ReportLine,
    ScoreSheet,
)
from assessment.selectors import inbox, reports
from assessment.services import reports as report_services
from assessment.services.reports import open_supplement
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import (
    Organisation,
    Programme,
    TransitionRecord,
    UnitScope,
)
from pilot.selectors import people
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders
from tests.assessment.builders import EFFECT, Desk
from tests.assessment.looking import (
    audited,
    papers,
    published,
    register,
    state_of,
    steps,
    timeline,
    told,
)
from tests.assessment.refusals import refusal
from tests.factories import papers as typesetting
from tests.factories import world


@pytest.fixture
def unset() -> Iterator[None]:
    with typesetting.unset():
        yield


# Only the first scenario sets its papers in type: what they say is looked at in tests/documents.
quick = pytest.mark.usefixtures("unset")


@pytest.fixture
def desk(programme: Programme) -> Desk:
    return builders.desk()


# --- recommended and listed -----------------------------------------------------------------------
def test_recommended_and_listed(desk: Desk, assessors: list[Actor], provider: Actor) -> None:
    application = builders.recommended(desk, provider)
    builders.begin_review()
    report = builders.received(desk)
    case = builders.concluded(builders.assessment_of(application), desk, assessors[:2], builders.less(5))
    world.at("2019-05-14 09:00")
    approval_list = builders.published(desk)
    intake.run_tasks()  # the worker writes receipt and letters
    opinion = builders.opinion_of(application)

    assert [state_of(c) for c in (application, opinion, report, case, approval_list)] == [
        "listed",
        "signed",
        "received",
        "concluded",
        "published",
    ]
    case.refresh_from_db()
    assert (case.points, case.passed, case.concluded_by_id) == (95, True, desk.officer.person_id)
    assert [papers(c) for c in (application, report, case, approval_list)] == [
        ["letter_acceptance", "receipt", "decision-letter-1"],
        ["provincial-report", "provincial-report-xlsx"],
        ["assessment-report"],
        ["approval-list"],
    ]
    assert published() == [(1, ["1001"])]
    assert register() == [("1001", application.provider_id, EFFECT, world.moment("2020-01-01 00:00"))]
    entry = ApprovalListEntry.unscoped.get()
    opened = UnitScope.objects.order_by("province", "filing_type").values_list("province", "filing_type")
    assert list(opened) == sorted(product(entry.provinces, entry.filing_types))

    assert told(provider) == ["提交申请", "受理", "报部", "列入名单"]
    assert told(desk.reviewer) == ["提交申请", "签发", "接收", "公布"]
    assert told(desk.lead) == ["提交申请", "拟写意见", "接收", "公布"]
    assert told(desk.officer) == ["报送", "批准"]
    assert told(desk.approver) == ["提请批准"]
    assert [told(actor) for actor in assessors] == [["请申报有无利害关系"], ["请申报有无利害关系"], []]

    assert audited(application)[-5:] == [
        ("submit", "provider_admin"),
        ("accept", "bureau_reviewer"),
        ("recommend", "system"),
        ("report", "system"),
        ("admit", "system"),
    ]
    assert audited(opinion) == [
        ("open", "system"),
        ("draft", "bureau_reviewer"),
        ("sign", "bureau_lead"),
    ]
    assert audited(report) == [
        ("open", "system"),
        ("send", "bureau_lead"),
        ("receive", "ministry_officer"),
    ]
    assert audited(case) == [
        ("open", "system"),
        ("assign", "ministry_officer"),
        ("start", "system"),
        ("conclude", "ministry_officer"),
    ]
    assert [row for row in audited(approval_list) if row[0] in steps(approval_list)] == [
        ("open", "ministry_officer"),
        ("prepare", "ministry_officer"),
        ("approve", "ministry_approver"),
        ("publish", "ministry_approver"),
    ]
    # The cause stands before what it brings about: the sign of the opinion sets the application.
    assert timeline(application, provider) == [
        f"application.{name}" for name in ("open", "submit", "accept", "recommend", "report", "admit")
    ]
    whole = [
        "application.open",
        "application.submit",
        "application.accept",
        "opinion.open",
        "opinion.draft",
        "opinion.sign",
        "application.recommend",
        "application.report",
        "capability-assessment.open",
        "capability-assessment.assign",
        "interest-declaration.open",
        "interest-declaration.open",
        "interest-declaration.declare_none",
        "interest-declaration.declare_none",
        "capability-assessment.start",
        "capability-assessment.conclude",
        "application.admit",
    ]
    rows = TransitionRecord.objects.filter(case_key=application.case_key).order_by("at", "pk")
    assert [f"{row.machine}.{row.name}" for row in rows] == whole
    # The draft is the bureau's own affair, the assessment the ministry's.
    assert timeline(application, desk.officer) == [step for step in whole if step != "opinion.draft"]
    assert timeline(application, desk.reviewer) == [
        step for step in whole if step.partition(".")[0] in ("application", "opinion")
    ]


# --- the report -----------------------------------------------------------------------------------
@quick
def test_a_returned_report_is_corrected_and_sent_again(desk: Desk) -> None:
    stays, changes = builders.recommended(desk), builders.recommended(desk)
    builders.begin_review()
    first = builders.sent(desk)
    opinion = builders.opinion_of(changes)
    assert refusal(opinion, "reopen", actor=desk.lead, reason="更正")[0] is Refused
    returned = fire(first, "return_to_bureau", actor=desk.officer, reason="第2家比对合同未见")
    # Five working days for the correction, but no earlier than the bureaus' common time limit.
    assert (returned.state, returned.due_at) == ("open", world.moment("2019-05-01 00:00"))

    world.at("2019-04-17 09:00")
    fire(opinion, "reopen", actor=desk.lead, reason="更正")
    assert state_of(changes) == "accepted"
    fire(opinion, "draft", actor=desk.reviewer, checklist=builders.NOT_MET, remark="未见比对合同")
    fire(opinion, "sign", actor=desk.lead)
    second = builders.sent(desk)
    received = fire(second, "receive", actor=desk.officer)

    assert (received.state, received.version, received.late) == ("received", 2, False)
    lines = ReportLine.unscoped.filter(report=received).values_list("version", "application", "recommended")
    assert list(lines) == [
        (1, stays.pk, True),
        (1, changes.pk, True),
        (2, stays.pk, True),
        (2, changes.pk, False),
    ]
    # Both lists are kept, and each still has the digest it was sent with.
    kept = reports.versions_of(received, 1, 2)
    digests = []
    for version, snapshots in enumerate(kept, start=1):
        received.version = version
        digests.append(report_services.digest(received, snapshots))
    assert digests == [first.digest, second.digest]
    assert [[row["opinion_version"] for row in snapshots] for snapshots in kept] == [[1, 1], [1, 2]]
    assert papers(received) == ["provincial-report", "provincial-report-xlsx"] * 2
    signed = OpinionVersion.unscoped.filter(opinion=opinion).values_list("number", "recommended")
    assert list(signed) == [(1, True), (2, False)]

    assert [state_of(case) for case in (stays, changes)] == ["reported", "reported"]
    assert list(CapabilityAssessment.unscoped.values_list("application", "state")) == [(stays.pk, "planned")]
    assert steps(received) == ["open", "send", "return_to_bureau", "send", "receive"]
    assert audited(received) == [
        ("open", "system"),
        ("send", "bureau_lead"),
        ("return_to_bureau", "ministry_officer"),
        ("send", "bureau_lead"),
        ("receive", "ministry_officer"),
    ]
    assert told(desk.lead)[-3:] == ["退回", "拟写意见", "接收"]
    assert told(desk.officer) == ["报送", "报送"]
    why = TransitionRecord.objects.get(machine="provincial-report", name="return_to_bureau")
    assert (why.reason, why.person_id) == ("第2家比对合同未见", desk.officer.person_id)


def row_of(province: int, desk: Desk, programme: Programme) -> inbox.InboxRow:
    """What the ministry sees of a province."""
    rows = inbox.rows(desk.officer, programme, now=clock.now())
    return next(row for row in rows if row.province == province)


@quick
def test_a_province_without_applicants_says_so(programme: Programme, desk: Desk) -> None:
    elsewhere = builders.desk(45)
    builders.recommended(desk)
    builders.begin_review()
    silent, busy = builders.report_of(45), builders.report_of(44)
    assert refusal(silent, "send", actor=elsewhere.lead) == (
        Refused,
        "没有可报送的申请；确无申请的，请确认作零报告",
    )
    assert refusal(busy, "send", actor=desk.lead, nil=True) == (
        Refused,
        "有 1 件申请应当报送，不能作零报告",
    )
    sent = fire(silent, "send", actor=elsewhere.lead, nil=True)
    received = fire(sent, "receive", actor=desk.officer)
    assert (received.state, received.nil, received.version, received.late) == ("received", True, 1, False)
    assert ReportLine.unscoped.filter(report=received).count() == 0
    assert len(received.digest) == 64
    assert papers(received) == ["provincial-report", "provincial-report-xlsx"]
    row = row_of(45, desk, programme)
    assert (row.report, row.recommended, row.not_recommended, row.due, row.overdue) == (
        received,
        0,
        0,
        None,
        False,
    )
    assert CapabilityAssessment.unscoped.count() == 0
    assert told(elsewhere.lead) == ["接收"]
    assert told(desk.officer) == ["报送"]
    assert audited(received) == [
        ("open", "system"),
        ("send", "bureau_lead"),
        ("receive", "ministry_officer"),
    ]


@quick
def test_a_late_bureau_is_seen_and_received_nevertheless(programme: Programme, desk: Desk) -> None:
    application = builders.recommended(desk)
    builders.begin_review()
    # Twelve working days from 16 April end with the 30th; 1 to 3 May are off, Sunday 5 May is worked.
    seen = []
    for at in ("2019-04-30 23:59", "2019-05-01 00:00", "2019-05-05 09:00", "2019-05-06 09:00"):
        world.at(at)
        row = row_of(44, desk, programme)
        seen.append((row.days_left, row.overdue))
    assert seen == [(0, False), (0, True), (-1, True), (-2, True)]
    report = builders.received(desk)
    assert (report.state, report.late, report.sent_at >= world.moment("2019-05-06 09:00")) == (
        "received",
        True,
        True,
    )
    row = row_of(44, desk, programme)
    assert (row.report.late, row.recommended, row.due, row.days_left, row.overdue) == (
        True,
        1,
        None,
        None,
        False,
    )
    assert state_of(application) == "reported"
    assert state_of(builders.assessment_of(application)) == "planned"


@quick
def test_a_late_admission_is_reported_in_a_supplement(
    desk: Desk, provider: Actor, programme: Programme
) -> None:
    first = builders.recommended(desk)
    builders.begin_review()
    builders.received(desk)
    bureau = people.bureau_of(44)
    with pytest.raises(Refused, match=r"^没有尚未报送的申请$"):
        open_supplement(bureau=bureau, actor=desk.lead)

    world.at("2019-04-24 09:00")
    admission = propose_late_admission(
        actor=desk.officer,
        provider=Organisation.objects.get(pk=provider.organisation_id),
        until=world.moment("2019-04-27 00:00"),
        reason="系统故障，经核实",
    )
    fire(admission, "approve", actor=desk.approver)
    late = builders.recommended(desk, provider)
    assert late.late is True
    supplement = open_supplement(bureau=bureau, actor=desk.lead)
    assert (supplement.number, supplement.state) == ("HZ-2019-44-2", "open")
    received = builders.received(desk)

    assert received == supplement
    lines = ReportLine.unscoped.filter(report=received).values_list("application", flat=True)
    assert list(lines) == [late.pk]
    numbers = ProvincialReport.unscoped.filter(province=44).order_by("sequence")
    assert [(report.sequence, report.state, report.late) for report in numbers] == [
        (1, "received", False),
        (2, "received", False),
    ]
    assert [state_of(case) for case in (first, late)] == ["reported", "reported"]
    planned = CapabilityAssessment.unscoped.order_by("pk").values_list("application", "state")
    assert list(planned) == [(first.pk, "planned"), (late.pk, "planned")]
    row = row_of(44, desk, programme)
    assert (row.reports, row.recommended) == (2, 2)
    assert told(provider) == ["批准", "提交申请", "受理", "报部"]
    assert audited(received) == [
        ("open", "bureau_lead"),
        ("send", "bureau_lead"),
        ("receive", "ministry_officer"),
    ]


# --- recusal, disagreement ------------------------------------------------------------------------
def places(case: CapabilityAssessment) -> list[tuple[int, str, bool, bool]]:
    """Everybody ever asked: person, declaration, moderator, still on the case."""
    rows = InterestDeclaration.unscoped.filter(assessment=case).order_by("pk")
    return [(row.assessor_id, row.state, row.moderator, row.released_at is None) for row in rows]


def sees(actor: Actor, case: CapabilityAssessment) -> tuple[bool, bool]:
    """Whether somebody may read the application and the assessment."""
    applications = Application.objects.visible_to(actor).filter(pk=case.application_id)
    return applications.exists(), CapabilityAssessment.objects.visible_to(actor).filter(pk=case.pk).exists()


@quick
def test_whoever_declares_an_interest_never_sees_the_case(desk: Desk, assessors: list[Actor]) -> None:
    one, two, third = assessors
    case = builders.assigned(builders.planned(desk), desk, [one, two])
    assert [sees(actor, case) for actor in assessors] == [(False, False)] * 3
    declaration = builders.declaration_of(case, one)
    fire(declaration, "declare", actor=one, reason="配偶在申请单位任职")
    fire(builders.declaration_of(case, two), "declare_none", actor=two)
    assert state_of(case) == "assigned"
    case = fire(case, "reassign", actor=desk.officer, assessors=builders.memberships([third]))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)

    assert state_of(case) == "in_progress"
    assert places(case) == [
        (one.person_id, "conflicted", False, False),
        (two.person_id, "clear", False, True),
        (third.person_id, "clear", False, True),
    ]
    assert [sees(actor, case) for actor in assessors] == [(False, False), (True, True), (True, True)]
    assert builders.declaration_of(case, one).statement == "配偶在申请单位任职"
    assert told(desk.officer) == ["报送", "申报利害关系"]
    assert [told(actor) for actor in assessors] == [["请申报有无利害关系"]] * 3
    assert audited(declaration) == [("open", "ministry_officer"), ("declare", "assessor")]
    assert steps(case) == ["open", "assign", "reassign", "start"]


@quick
def test_scores_of_somebody_recused_stay_on_record_and_no_longer_count(
    desk: Desk, assessors: list[Actor]
) -> None:
    one, two, third = assessors
    case = builders.planned(desk)
    builders.scored(case, desk, [one, two])
    declaration = builders.declaration_of(case, one)
    fire(declaration, "recuse", actor=one, reason="刚得知持有申请单位股份")
    assert refusal(case, "conclude", actor=desk.officer, conclusion="示例") == (
        Refused,
        "有评估人员回避，请先改派",
    )
    fire(case, "reassign", actor=desk.officer, assessors=builders.memberships([third]))
    assert state_of(case) == "assigned"
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    builders.score(case, third, builders.less(10))
    case = fire(case, "conclude", actor=desk.officer, conclusion="示例结论。")

    assert (case.state, case.points, case.passed) == ("concluded", 95, True)  # of 100 and 90
    sheets = ScoreSheet.unscoped.order_by("pk").values_list("declaration__assessor", "total")
    assert list(sheets) == [(one.person_id, 100), (two.person_id, 100), (third.person_id, 90)]
    assert sees(one, case) == (False, False)
    assert told(desk.officer) == ["报送", "回避"]
    assert audited(declaration) == [
        ("open", "ministry_officer"),
        ("declare_none", "assessor"),
        ("submit_scores", "assessor"),
        ("recuse", "assessor"),
    ]
    assert steps(case) == ["open", "assign", "start", "reassign", "start", "conclude"]
    assert papers(case) == ["assessment-report"]


@quick
def test_where_two_disagree_a_third_decides(desk: Desk, assessors: list[Actor]) -> None:
    one, two, third = assessors
    case = builders.started(builders.planned(desk), desk, [one, two])
    builders.score(case, one)
    # Until both are in nobody but the author reads a sheet.
    visible = [ScoreSheet.objects.visible_to(actor).count() for actor in (desk.officer, one, two)]
    assert visible == [0, 1, 0]
    builders.score(case, two, builders.less(44))
    assert state_of(case) == "in_moderation"
    assert refusal(case, "conclude", actor=desk.officer, conclusion="示例") == (Refused, "复议人员尚未评分")
    fire(case, "replace", actor=desk.officer, moderator=builders.membership(third))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    builders.score(case, third, builders.less(41))
    case = fire(case, "conclude", actor=desk.officer, conclusion="示例结论。")

    # The mean of the first two would have passed; the third's 59 points are one short.
    assert (case.state, case.points, case.passed) == ("concluded", 59, False)
    assert places(case) == [
        (one.person_id, "clear", False, True),
        (two.person_id, "clear", False, True),
        (third.person_id, "clear", True, True),
    ]
    assert told(desk.officer) == ["报送", "提交复议"]
    assert steps(case) == ["open", "assign", "start", "moderate", "replace", "conclude"]
    assert audited(case) == [
        ("open", "system"),
        ("assign", "ministry_officer"),
        ("start", "system"),
        ("moderate", "system"),
        ("replace", "ministry_officer"),
        ("conclude", "ministry_officer"),
    ]
    assert papers(case) == ["assessment-report"]
