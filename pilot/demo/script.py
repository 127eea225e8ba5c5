"""What happens when: the demonstration's chapters up to the list, as events in order of business time.

An event is one person's click (or a clock running out) at one moment. The run phase is in ``script_run``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from applications.enums import FileKind
from applications.models import LateAdmission
from applications.services.drafts import save_draft, start_application
from applications.services.files import add_file
from applications.services.late_admissions import propose_late_admission
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
)
from assessment.selectors import capability
from assessment.services import lists, reports, scores
from pilot.demo import scoring, world
from pilot.demo.cast import APPLICANTS, ASSESSED, REVIEWED, Applicant, Fate, of_fate
from pilot.demo.world import fire, moment
from pilot.enums import Province
from pilot.models import (
    Membership,
    Objection,
    Organisation,
    ProviderRegistration,
    RoleChange,
    Window,
    WindowExtension,
)
from pilot.selectors import programmes
from pilot.services import objections, people
from pilot.services import programmes as programme_services


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens at a moment of business time."""

    at: datetime
    run: Callable[[], Any]


def events() -> Iterator[Event]:
    """Intake, review, assessment and the list."""
    yield from intake()
    yield from review()
    yield from assessing()
    yield from listing()


# --- intake: 1 to 15 April --------------------------------------------------------------------------
def intake() -> Iterator[Event]:
    for applicant in APPLICANTS:
        start = moment(f"2019-04-{applicant.day:02d} 09:10") + timedelta(minutes=7 * applicant.number)
        if applicant.fate != Fate.LATE:
            yield from applying(applicant, start)
    yield Event(moment("2019-04-02 10:00"), request_registration)
    yield Event(moment("2019-04-03 10:00"), confirm_registration)
    yield Event(moment("2019-04-11 10:00"), request_another_registration)
    yield Event(moment("2019-04-10 09:30"), propose_extension)
    yield Event(moment("2019-04-11 15:00"), reject_extension)
    yield Event(moment("2019-04-08 09:00"), request_role_change)
    yield Event(moment("2019-04-08 11:00"), approve_role_change)


def applying(applicant: Applicant, start: datetime) -> Iterator[Event]:
    """From the first draft to acceptance, return or refusal, as the applicant's fate has it."""
    yield Event(start, partial(write, applicant))
    if applicant.fate == Fate.DRAFT:
        return
    yield Event(start + timedelta(minutes=20), partial(submit, applicant))
    answer = start + timedelta(days=2 if applicant.day < 9 else 4, hours=1)
    match applicant.fate:
        case Fate.REFUSED:
            yield Event(answer, partial(refuse, applicant))
        case Fate.LAPSED:
            yield Event(answer, partial(return_for_correction, applicant))
        case Fate.CORRECTED:
            yield Event(answer, partial(return_for_correction, applicant))
            yield Event(answer + timedelta(days=3), partial(correct, applicant))
            yield Event(answer + timedelta(days=4), partial(accept, applicant))
        case Fate.WITHDRAWN:
            yield Event(
                start + timedelta(days=1), partial(withdraw, applicant, "材料准备不足，拟以后再申请（示例）")
            )
        case _:
            yield Event(answer, partial(accept, applicant))
    if applicant.number == 9:  # a slip of the hand, taken back within its 30 seconds
        yield Event(answer + timedelta(seconds=10), partial(revert, applicant))
        yield Event(answer + timedelta(minutes=5), partial(accept, applicant))
    if applicant.fate == Fate.WITHDRAWN_LATE:
        yield Event(answer + timedelta(days=3), partial(withdraw, applicant, "业务调整（示例）"))


def write(applicant: Applicant) -> None:
    who = world.provider(applicant)
    case = start_application(actor=who)
    content = world.form_content(applicant)
    if applicant.fate == Fate.DRAFT:
        content = dict(list(content.items())[: 8 + applicant.number % 9])
    save_draft(case=case, actor=who, revision=case.revision, **content)
    if applicant.fate != Fate.DRAFT:
        for kind in (FileKind.FORM, FileKind.LICENCE, FileKind.TEST_REPORT, FileKind.COMPARISON):
            add_file(case=case, actor=who, kind=kind, upload=world.material(kind, str(kind.label)))


def submit(applicant: Applicant) -> None:
    case = fire(world.application(applicant), "submit", world.provider(applicant), declaration=True)
    world.receive(case)


def accept(applicant: Applicant) -> None:
    fire(world.application(applicant), "accept", world.reviewer(applicant.province))


def revert(applicant: Applicant) -> None:
    fire(world.application(applicant), "revert", world.reviewer(applicant.province), "误操作")


def refuse(applicant: Applicant) -> None:
    reason = "未提供具备采集确认主体真实身份信息能力的证明材料（示例）"
    fire(world.application(applicant), "refuse", world.reviewer(applicant.province), reason, condition=2)


def return_for_correction(applicant: Applicant) -> None:
    items = [
        {"target": "test_report_number", "text": "测试报告编号与所附报告不一致，请核对（示例）"},
        {"target": "test_report", "text": "测试报告缺签章页，请补充完整（示例）"},
    ]
    fire(
        world.application(applicant), "return_for_correction", world.reviewer(applicant.province), items=items
    )


def correct(applicant: Applicant) -> None:
    who, case = world.provider(applicant), world.application(applicant)
    save_draft(
        case=case,
        actor=who,
        revision=case.revision,
        test_report_number=f"示例检字2019-{applicant.number:03d}A",
    )
    add_file(
        case=case,
        actor=who,
        kind=FileKind.TEST_REPORT,
        upload=world.material("corrected", "识别能力测试报告（补正）"),
    )
    world.receive(fire(world.application(applicant), "resubmit", who, declaration=True))


def withdraw(applicant: Applicant, reason: str) -> None:
    fire(world.application(applicant), "withdraw", world.provider(applicant), reason)


def request_registration() -> None:
    _request("示例云新登网络有限公司", 900, Province.HUNAN)


def request_another_registration() -> None:
    _request("示例云待登信息有限公司", 901, Province.SHANDONG)


def _request(name: str, serial: int, province: Province) -> None:
    code = Applicant(serial, province, 1, Fate.DRAFT).uscc
    people.request_registration(
        actor=world.SETUP,
        name=name,
        uscc=code,
        province=province,
        contact="示例联系人",
        email="register@example.cn",
        phone="400-800-0000",
    )


def confirm_registration() -> None:
    fire(ProviderRegistration.unscoped.earliest("pk"), "confirm", world.reviewer(Province.HUNAN))


def propose_extension() -> None:
    programme_services.propose_extension(
        actor=world.officer(),
        window=Window.objects.get(programme=programmes.current(), kind="application"),
        closes=moment("2019-04-18 00:00"),
        reason="部分企业反映准备时间不足（示例）",
    )


def reject_extension() -> None:
    fire(WindowExtension.unscoped.earliest("pk"), "reject", world.approver(), "按通知规定的时间执行")


def request_role_change() -> None:
    person = Membership.objects.get(person__username="officer2")
    people.request_role_change(
        actor=world.actor("sysadmin"),
        person=person.person,
        organisation=person.organisation,
        role="ministry_approver",
        grant=True,
        reason="轮岗需要（示例）",
    )


def approve_role_change() -> None:
    fire(RoleChange.unscoped.earliest("pk"), "reject", world.actor("secadmin"), "同一人不宜同时经办和审批")


# --- review: 16 April on ----------------------------------------------------------------------------
def review() -> Iterator[Event]:
    yield Event(moment("2019-04-16 08:30"), open_reports)
    yield Event(moment("2019-04-17 09:00"), propose_late_admission_for_the_late_one)
    yield Event(moment("2019-04-18 09:30"), approve_late_admission)
    for applicant in of_fate(Fate.LATE):
        yield from applying(applicant, moment("2019-04-19 09:00"))
    for applicant in APPLICANTS:
        if applicant.fate in REVIEWED:
            yield from opinion(applicant)
    for index, province in enumerate(Province):
        yield from report(index, province)


def open_reports() -> None:
    reports.open_reports(programme=programmes.current(), actor=world.SETUP)


def propose_late_admission_for_the_late_one() -> None:
    (applicant,) = of_fate(Fate.LATE)
    propose_late_admission(
        actor=world.officer(),
        provider=Organisation.objects.get(uscc=applicant.uscc),
        until=moment("2019-04-20 00:00"),
        reason="申请阶段末日该省网络故障（示例）",
    )


def approve_late_admission() -> None:
    fire(LateAdmission.unscoped.earliest("pk"), "approve", world.approver())


def opinion(applicant: Applicant) -> Iterator[Event]:
    """Drafted by a reviewer, one of them sent back first, signed by the lead on the next day."""
    day = moment("2019-04-22 09:00") if applicant.number % 2 else moment("2019-04-24 10:00")
    if applicant.fate == Fate.LATE or applicant.day >= 14:
        day = moment("2019-04-25 09:00")
    drafted = day + timedelta(minutes=3 * applicant.number)
    yield Event(drafted, partial(draft_opinion, applicant))
    if applicant.number % 10 == 5:
        yield Event(drafted + timedelta(hours=3), partial(send_back_opinion, applicant))
        yield Event(drafted + timedelta(hours=5), partial(draft_opinion, applicant))
    yield Event(drafted + timedelta(days=1), partial(sign_opinion, applicant))


def _opinion(applicant: Applicant) -> Any:
    return Opinion.unscoped.exclude(state="void").get(application=world.application(applicant))


def draft_opinion(applicant: Applicant) -> None:
    fails = applicant.fate in {Fate.NOT_RECOMMENDED, Fate.LATE}
    checklist = {
        1: {"verdict": "met", "evidence": "许可证编号、业务种类与材料一致（示例）"},
        2: {"verdict": "met", "evidence": "测试报告齐备（示例）"},
        3: {
            "verdict": "not_met" if fails else "met",
            "evidence": "权威库比对授权已过期（示例）" if fails else "比对授权和接口说明齐备（示例）",
        },
    }
    fire(
        _opinion(applicant),
        "draft",
        world.reviewer(applicant.province),
        checklist=checklist,
        remark="不具备与权威库比对的能力（示例）" if fails else "符合三项条件，建议推荐（示例）",
        internal_remark="内部备注：已电话核实（示例）",
    )


def send_back_opinion(applicant: Applicant) -> None:
    fire(_opinion(applicant), "send_back", world.lead(applicant.province), "请补充核实经过（示例）")


def sign_opinion(applicant: Applicant) -> None:
    fire(_opinion(applicant), "sign", world.lead(applicant.province))


LATE_REPORT = Province.HUBEI
RETURNED_REPORT = Province.FUJIAN


def report(index: int, province: Province) -> Iterator[Event]:
    """Sent by the lead (nil where nobody is left), received by the officer; one comes late, one is returned once."""
    has_applicants = any(a.province == province and a.fate in REVIEWED for a in APPLICANTS)
    if not has_applicants:
        sent = moment("2019-04-23 09:00") + timedelta(minutes=11 * index)
    elif province == LATE_REPORT:
        sent = moment("2019-05-05 10:20")
    else:
        sent = moment("2019-04-28 09:00") + timedelta(minutes=11 * index)
    yield Event(sent, partial(send_report, province))
    if province == RETURNED_REPORT:
        yield Event(sent + timedelta(hours=5), partial(return_report, province))
        yield Event(sent + timedelta(days=1), partial(send_report, province))
        sent += timedelta(days=1)
    received = moment("2019-04-30 09:00") + timedelta(minutes=4 * index)
    yield Event(max(received, sent + timedelta(hours=2)), partial(receive_report, province))


def _report(province: Province) -> Any:
    return ProvincialReport.unscoped.get(province=province, sequence=1)


def send_report(province: Province) -> None:
    nil = not any(a.province == province and a.fate in REVIEWED for a in APPLICANTS)
    who = world.lead(province)
    fire(_report(province), "send", who, nil=nil, filled_in_by=who.name, phone="010-00001234")


def return_report(province: Province) -> None:
    fire(_report(province), "return_to_bureau", world.officer(), "采集方式一栏与申请表不一致，请核对（示例）")


def receive_report(province: Province) -> None:
    fire(_report(province), "receive", world.officer())


# --- capability assessment: after the May holiday ---------------------------------------------------
def assessing() -> Iterator[Event]:
    for index, applicant in enumerate(a for a in APPLICANTS if a.fate in ASSESSED):
        start = moment("2019-05-05 17:00") + timedelta(minutes=index)
        yield Event(start, partial(assign, applicant, index))
        declared = moment("2019-05-06 09:00") + timedelta(minutes=9 * index)
        if index == 4:
            yield Event(declared, partial(declare_interest, applicant))
            yield Event(declared + timedelta(hours=1), partial(declare_none, applicant))
            yield Event(declared + timedelta(hours=2), partial(reassign, applicant))
            declared += timedelta(hours=3)
        yield Event(declared + timedelta(minutes=1), partial(declare_none, applicant))
        if index < 3:
            yield Event(declared + timedelta(hours=1), partial(issue_test_set, applicant))
            yield Event(declared + timedelta(hours=5), partial(hand_in_results, applicant, index))
        first = moment("2019-05-07 09:00") + timedelta(hours=3 * index)
        first = min(first, moment("2019-05-12 09:00") + timedelta(minutes=index))
        yield Event(first, partial(score, applicant, 0))
        yield Event(first + timedelta(hours=1), partial(score, applicant, 1))
        concluded = first + timedelta(hours=4)
        if index == 7:
            yield Event(concluded, partial(call_moderator, applicant))
            yield Event(concluded + timedelta(hours=2), partial(declare_none, applicant))
            yield Event(concluded + timedelta(days=2), partial(score, applicant, 2))
            concluded += timedelta(days=2, hours=1)
        yield Event(concluded, partial(conclude, applicant))


def _assessment(applicant: Applicant) -> Any:
    return CapabilityAssessment.unscoped.get(application=world.application(applicant))


def _declarations(applicant: Applicant) -> list[Any]:
    return list(
        InterestDeclaration.unscoped.filter(assessment=_assessment(applicant), released_at=None).order_by(
            "pk"
        )
    )


def _member(number: int) -> Membership:
    return Membership.objects.get(person__username=f"assessor{number}")


def assign(applicant: Applicant, index: int) -> None:
    first = index % 6 + 1
    second = (index + 1) % 6 + 1
    fire(_assessment(applicant), "assign", world.officer(), assessors=[_member(first), _member(second)])


def declare_interest(applicant: Applicant) -> None:
    declaration = _declarations(applicant)[0]
    who = world.actor(declaration.assessor.username)
    fire(declaration, "declare", who, "曾为该单位提供测评服务（示例）")


def reassign(applicant: Applicant) -> None:
    taken = {d.assessor_id for d in InterestDeclaration.unscoped.filter(assessment=_assessment(applicant))}
    spare = next(m for m in map(_member, range(1, 7)) if m.person_id not in taken)
    fire(_assessment(applicant), "reassign", world.officer(), "评估人员回避", assessors=[spare])


def declare_none(applicant: Applicant) -> None:
    for declaration in _declarations(applicant):
        if declaration.state == "asked":
            fire(declaration, "declare_none", world.actor(declaration.assessor.username))


def issue_test_set(applicant: Applicant) -> None:
    scoring.issue_test_set(_assessment(applicant), world.officer())


def hand_in_results(applicant: Applicant, faults: int) -> None:
    scoring.hand_in_results(_assessment(applicant), world.provider(applicant), faults)


def score(applicant: Applicant, seat: int) -> None:
    declaration = _declarations(applicant)[seat]
    weak = applicant.fate in {Fate.FAILED, Fate.OBJECTED, Fate.DISMISSED, Fate.CORRECTED}
    apart = seat == 0 and len(_declarations(applicant)) == 2 and applicant == _assessed(7)
    share = 55 if weak else 88 + applicant.number % 7
    share += 30 if weak and apart else -30 if apart else seat * 2
    given, evidence = scoring.sheet(declaration.assessment, share)
    who = world.actor(declaration.assessor.username)
    scores.submit_scores(
        case=declaration, actor=who, scores=given, evidence=evidence, comment="依据材料与演示评分（示例）"
    )


def _assessed(index: int) -> Applicant:
    return [a for a in APPLICANTS if a.fate in ASSESSED][index]


def call_moderator(applicant: Applicant) -> None:
    taken = {d.assessor_id for d in _declarations(applicant)}
    spare = next(m for m in map(_member, range(1, 7)) if m.person_id not in taken)
    fire(_assessment(applicant), "replace", world.officer(), moderator=spare)


def conclude(applicant: Applicant) -> None:
    assessment = _assessment(applicant)
    moderated = capability.moderator(assessment) is not None
    _points, passed = capability.settled(assessment)
    how = "评分分歧经第三人复议，以复议评分为准" if moderated else "各评估人员评分一致"
    conclusion = f"{how}，{'达到' if passed else '未达到'}要求（示例）"
    fire(assessment, "conclude", world.officer(2), conclusion=conclusion)


# --- the list: 14 and 15 May ------------------------------------------------------------------------
def listing() -> Iterator[Event]:
    yield Event(moment("2019-05-14 18:00"), create_list)
    yield Event(moment("2019-05-14 18:30"), partial(act_on_list, 1, "prepare", 1))
    yield Event(moment("2019-05-15 09:00"), partial(act_on_list, 1, "approve", 0))
    yield Event(moment("2019-05-15 10:00"), partial(act_on_list, 1, "publish", 0))
    yield Event(moment("2019-05-17 10:00"), partial(file_objection, Fate.OBJECTED))
    yield Event(moment("2019-05-17 11:00"), partial(file_objection, Fate.DISMISSED))
    yield Event(moment("2019-05-20 10:00"), partial(review_objection, Fate.DISMISSED, "dismiss"))
    yield Event(moment("2019-05-21 10:00"), partial(review_objection, Fate.OBJECTED, "uphold"))
    yield Event(moment("2019-05-22 10:00"), partial(act_on_list, 2, "prepare", 1))
    yield Event(moment("2019-05-22 15:00"), partial(act_on_list, 2, "approve", 0))
    yield Event(moment("2019-05-23 09:00"), partial(act_on_list, 2, "publish", 0))


def create_list() -> None:
    lists.create_list(actor=world.officer(), effective_from=moment("2019-05-16 00:00"))


def act_on_list(sequence: int, name: str, by_officer: int) -> None:
    case = ApprovalList.unscoped.get(sequence=sequence)
    data: dict[str, Any] = (
        {"effective_from": moment("2019-05-24 00:00")} if (sequence, name) == (2, "prepare") else {}
    )
    fire(case, name, world.officer() if by_officer else world.approver(), **data)
    if name == "publish":  # what the worker does at once; played, messages are passed on once a day
        lists.write_letters(list_id=case.pk)


def file_objection(fate: Fate) -> None:
    (applicant,) = of_fate(fate)
    objections.file_objection(
        actor=world.provider(applicant),
        machine="application",
        object_id=world.application(applicant).pk,
        grounds="评估所依据的测试报告不是最新版本（示例）",
    )


def review_objection(fate: Fate, name: str) -> None:
    (applicant,) = of_fate(fate)
    case = Objection.unscoped.get(organisation__uscc=applicant.uscc, against_machine="application")
    who = world.approver(2)
    case = fire(case, "take", who)
    fire(
        case,
        name,
        who,
        "经核对新版测试报告，申诉成立（示例）" if name == "uphold" else "原评估依据充分（示例）",
    )
