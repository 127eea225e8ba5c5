"""A portal with very many applications and forms, made in minutes: a few cases by the acts a click calls, then copies.

Every machine has its cases, made by services and transitions as anybody would. All of them are then copied by SQL
(:mod:`pilot.benchmarks.copies`) until there are so many applications, spread evenly over the provinces: each stands in
one of eleven stages from draft to conclusion, with its versions, files, notices, opinion, assessment and history.
The stored forms are narrow rows made by SQL (:class:`forms_world.History`), compared, findings opened and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count, cycle, islice
from typing import Any, Final

from django.apps import apps
from django.db import models

from applications.models import Application, FormEdition, PartialUpload
from applications.rules.completeness import REQUIRED_FILES
from applications.services.drafts import save_draft, start_application
from applications.services.files import add_file
from applications.services.late_admissions import propose_late_admission
from assessment.models import (
    ApprovalList,
    ApprovalListEntry,
    CapabilityAssessment,
    CatalogueEdition,
    Criterion,
    Deferral,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
    ReportLine,
)
from assessment.services import lists, reports, scores
from filings.enums import FindingSource
from filings.models import (
    CoordinationCase,
    CoordinationMessage,
    FaqEntry,
    FormRefusal,
    FormRepeat,
    Inspection,
    InspectionItem,
    InspectionReading,
    Rectification,
    Sanction,
    UploadJob,
    VerificationForm,
)
from filings.services import alerts, bulletins, coordination, faq, inspections, supervision
from pilot import clock
from pilot.actors import Actor
from pilot.benchmarks import browsers, copies, forms_world
from pilot.benchmarks.forms_world import NOW, History
from pilot.demo import scoring, world
from pilot.demo.cast import Applicant, Fate
from pilot.demo.world import fire, moment
from pilot.enums import OrganisationKind, Province, Role
from pilot.machines import MACHINES
from pilot.models import (
    AuditEntry,
    AuditSeal,
    Document,
    Membership,
    Notice,
    Objection,
    Organisation,
    Person,
    PilotUnit,
    Programme,
    ProviderRegistration,
    RoleChange,
    TransitionRecord,
    Window,
    WindowExtension,
)
from pilot.selectors import people as people_selectors
from pilot.services import audit, objections, people, programmes

INTAKE: Final = moment("2019-04-12 09:00")
REVIEW: Final = moment("2019-04-24 09:00")
EFFECT: Final = moment("2019-05-16 00:00")
UNITS: Final = 64
HANDED_IN: Final = 200  # forms that come in through the real door, with their content
SAMPLE: Final = 20
HOME: Final = Province.GUANGDONG
_PROVINCES: Final = [HOME, *(province for province in Province if province != HOME)]
CONDITIONS: Final = {n: {"verdict": "met", "evidence": f"示例材料第{n}页"} for n in (1, 2, 3)}
ITEMS: Final = [{"target": "test_report_number", "text": "与所附报告不一致（示例）"}]
# Each stage stands for one application of the originals, in this order.
STAGES: Final = (
    "draft", "submitted", "returned", "corrected", "refused", "accepted", "drafted", "recommended",
    "planned", "scored", "concluded",
)  # fmt: skip
REPORTED: Final = ("planned", "scored", "concluded")
_serial = count(1)


def fill(*, applications: int, forms: int) -> None:
    """The whole world: people, at least so many applications with their cases, so many stored forms."""
    programme = forms_world.install()
    _add_people()
    _apply()
    _review()
    _beside(programme)
    units = [forms_world.enrol(programme, province) for province in islice(cycle(_PROVINCES), UNITS)]
    browsers.person("unit", units[0].organisation, Role.PROVIDER_ADMIN)
    clock.set_business_time(NOW)
    _hand_in(units, forms)
    _supervise(units[0], units[2 * len(_PROVINCES)])
    while audit.seal():
        pass
    copies.multiply(_chosen(), copies=-(-applications // len(STAGES)), other=_other(units))


# --- people -----------------------------------------------------------------------------------------
def _add_people() -> None:
    ministry = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    for bureau in Organisation.objects.filter(kind=OrganisationKind.BUREAU):
        browsers.person(f"reviewer{bureau.province}", bureau, Role.BUREAU_REVIEWER)
        browsers.person(f"lead{bureau.province}", bureau, Role.BUREAU_LEAD)
    for login, role in (
        ("officer1", Role.MINISTRY_OFFICER),
        ("officer2", Role.MINISTRY_OFFICER),
        ("approver1", Role.MINISTRY_APPROVER),
        ("sysadmin", Role.SYSTEM_ADMIN),
        ("secadmin", Role.SECURITY_ADMIN),
        ("auditor", Role.AUDIT_ADMIN),
    ):
        browsers.person(login, ministry, role)
    for number, name in enumerate(world.AGENCIES, start=1):
        agency = people.add_organisation(actor=world.SETUP, kind=OrganisationKind.AGENCY, name=name)
        browsers.person(f"assessor{number}", agency, Role.ASSESSOR)


@cache
def _who(login: str) -> Actor:
    return world.actor(login)


def _provider() -> Actor:
    """Somebody of one more provider."""
    number = next(_serial)
    code = Applicant(number=number, province=HOME, day=12, fate=Fate.UNIT).uscc
    organisation = people.add_organisation(
        actor=world.SETUP,
        kind=OrganisationKind.PROVIDER,
        name=f"示例规模{number}网络科技有限公司",
        province=HOME,
        uscc=code,
    )
    return browsers.person(f"provider{number:02d}", organisation, Role.PROVIDER_ADMIN).as_actor()


# --- applications -----------------------------------------------------------------------------------
_cases: dict[str, Any] = {}  # stage → application


def _apply() -> None:
    """One application for every stage, as far as the bureau's desk."""
    clock.set_business_time(INTAKE)
    reviewer = _who("reviewer44")
    for stage in STAGES:
        provider = _provider()
        case = _cases[stage] = _draft(provider)
        if stage == "draft":
            continue
        case = fire(case, "submit", provider, declaration=True)
        if stage in {"returned", "corrected"}:
            case = fire(case, "return_for_correction", reviewer, items=ITEMS)
        if stage == "corrected":
            case.refresh_from_db()
            save_draft(case=case, actor=provider, revision=case.revision, test_report_number="示例-2019-002")
            case = fire(case, "resubmit", provider, declaration=True)
        if stage == "refused":
            case = fire(case, "refuse", reviewer, "材料不全（示例）", condition=2)
        if stage in REPORTED:
            case = fire(case, "accept", reviewer)
        _cases[stage] = case


def _draft(provider: Actor) -> Application:
    case = start_application(actor=provider)
    sample = Applicant(number=1, province=HOME, day=12, fate=Fate.UNIT)
    content = {**world.form_content(sample), "licence_holder": provider.organisation_name}
    save_draft(case=case, actor=provider, revision=0, **content)
    for kind in REQUIRED_FILES:
        add_file(case=case, actor=provider, kind=kind, upload=world.material(kind, str(kind.label)))
    case.refresh_from_db()
    return case


def _review() -> None:
    """Opinions, Guangdong's report with what is signed by then, and assessments as far as their stages."""
    clock.set_business_time(REVIEW)
    reports.open_reports(programme=_cases["accepted"].programme, actor=world.SETUP)
    for stage in REPORTED:
        _sign(_cases[stage])
    report = fire(ProvincialReport.unscoped.get(province=HOME), "send", _who("lead44"))
    fire(report, "receive", _who("officer1"))
    for stage in (
        "accepted",
        "drafted",
        "recommended",
    ):  # a report waits for the opinions of all that is accepted
        _cases[stage] = fire(_cases[stage], "accept", _who("reviewer44"))
    _sign(_cases["recommended"])
    _draft_opinion(_cases["drafted"])
    for stage, sheets in (("scored", 1), ("concluded", 2)):
        _assess(CapabilityAssessment.unscoped.get(application=_cases[stage]), sheets)
    done = CapabilityAssessment.unscoped.get(application=_cases["concluded"])
    fire(done, "conclude", _who("officer1"), conclusion="示例结论。")
    lists.create_list(actor=_who("officer1"), effective_from=EFFECT)


def _draft_opinion(case: Application) -> Opinion:
    opinion: Opinion = Opinion.unscoped.get(application=case)
    return fire(opinion, "draft", _who("reviewer44"), checklist=CONDITIONS, remark="示例意见")


def _sign(case: Application) -> None:
    fire(_draft_opinion(case), "sign", _who("lead44"))


def _assess(case: CapabilityAssessment, sheets: int) -> None:
    """Two assessors are asked and clear; so many of them hand in their scores."""
    panel = [_who("assessor1"), _who("assessor2")]
    asked = [Membership.objects.get(pk=actor.membership_id or 0) for actor in panel]
    fire(case, "assign", _who("officer1"), assessors=asked)
    for actor in panel:
        fire(
            InterestDeclaration.unscoped.get(assessment=case, assessor=actor.person_id), "declare_none", actor
        )
    for actor in panel[:sheets]:
        given, evidence = scoring.sheet(case, 100)
        declaration = InterestDeclaration.unscoped.get(assessment=case, assessor=actor.person_id)
        scores.submit_scores(
            case=declaration, actor=actor, scores=given, comment="示例评语", evidence=evidence
        )


def _beside(programme: Programme) -> None:
    """What stands beside the applications: an objection, a late admission, and proposals of the kernel's machines."""
    officer, lead = _who("officer1"), _who("lead44")
    refused = _cases["refused"]
    objections.file_objection(
        actor=people_selectors.providers(refused.provider_id).get().as_actor(),
        machine="application",
        object_id=refused.pk,
        grounds="示例",
    )
    late = Organisation.objects.get(pk=_provider().acting_organisation)
    propose_late_admission(actor=officer, provider=late, until=moment("2019-05-10 00:00"), reason="示例")
    window = Window.objects.get(programme=programme, kind="review")
    programmes.propose_extension(
        actor=officer, window=window, closes=moment("2019-05-20 00:00"), reason="示例"
    )
    people.request_registration(
        actor=world.SETUP,
        name="示例登记有限公司",
        uscc=Applicant(number=9_999, province=HOME, day=12, fate=Fate.UNIT).uscc,
        province=HOME,
        contact="示例甲",
        email="a@example.cn",
        phone="020-00000002",
    )
    people.request_role_change(
        actor=_who("sysadmin"),
        person=Person.objects.get(pk=lead.acting_person),
        organisation=Organisation.objects.get(pk=lead.acting_organisation),
        role=Role.BUREAU_REVIEWER,
        grant=True,
        reason="示例",
    )


# --- the run phase ----------------------------------------------------------------------------------
def _hand_in(units: Sequence[PilotUnit], forms: int) -> None:
    """Forms of the past with their findings, and a file through the real door; then who has an alert."""
    forms_world.grow_compared(History(units), forms, units)
    lines = forms_world.make_lines(HANDED_IN, seed=87, error_rate=0.02)
    forms_world.load(units[0], b"\n".join(lines), "ndjson")
    alerts.review()


def _supervise(unit: PilotUnit, small: PilotUnit) -> None:
    """Of every machine of the run phase one case of the first unit; the inspection is of a unit with fewer forms."""
    officer, reviewer, lead, provider = map(_who, ("officer1", "reviewer44", "lead44", "unit"))
    case = inspections.plan_inspection(actor=reviewer, unit=small, period="2019-06", size=SAMPLE)
    for name in ("commit", "draw", "begin"):
        case = fire(case, name, reviewer)
    item = case.items.earliest("pk")
    world.looked(reviewer, item)
    inspections.record_verdict(
        case=case,
        actor=reviewer,
        item=item,
        identity_right=True,
        form_right=False,
        remark="示例",
    )
    told = VerificationForm.unscoped.filter(unit=unit).order_by("-pk")[:5]
    found = forms_world.open_in_batches([forms_world.fault(form, FindingSource.REPORT) for form in told])
    order = supervision.draft_rectification(
        actor=reviewer, unit=unit, findings=found, reasons="示例", measures="示例"
    )
    fire(order, "issue", lead)
    programmes.set_rule(actor=officer, programme=unit.programme, key="sanctions", value=True, basis="示例")
    supervision.propose_sanction(actor=reviewer, unit=unit, kind="suspension", grounds="示例")
    thread = coordination.open_case(
        actor=provider, unit=unit, subject="示例事项", text="示例", owner=people_selectors.bureau_of(HOME)
    )
    thread = fire(thread, "reply", reviewer, "示例答复")
    thread = fire(thread, "close", provider)
    faq.make_faq(case=thread, actor=reviewer, question="示例问题", answer="示例解答", category="other")
    bulletins.compile_bulletin(actor=officer, period="2019-06")


# --- copies -----------------------------------------------------------------------------------------
# Once a province or a programme: these stay as they are.
_ONCE: Final = {
    ApprovalList, ApprovalListEntry, CatalogueEdition, Criterion, Deferral, FormEdition, PartialUpload,
    ProvincialReport,
}  # fmt: skip
_RUN: Final[tuple[type[models.Model], ...]] = (
    FormRefusal, FormRepeat, CoordinationCase, CoordinationMessage, FaqEntry, Inspection, InspectionItem,
    InspectionReading, Rectification, Sanction,
)  # fmt: skip
_OF_UNITS: Final = (UploadJob, FormRefusal, CoordinationCase, Inspection, Rectification, Sanction)
_OF_PROVINCES: Final = (Organisation, Application, Opinion, Objection, ProviderRegistration)
_NUMBERS: Final = ("case_number", "acceptance_number")


def _chosen() -> dict[type[models.Model], str]:
    """What is copied, with the condition its rows meet."""
    review: dict[type[models.Model], str] = {
        model: "true"
        for app in ("applications", "assessment")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model not in _ONCE
    }
    applicants = "SELECT provider_id FROM applications_application"
    theirs = f"SELECT person_id FROM pilot_membership WHERE organisation_id IN ({applicants})"  # noqa: S608
    cases: dict[type[models.Model], str] = {
        **review,
        **dict.fromkeys((Objection, ProviderRegistration, RoleChange, WindowExtension), "true"),
        **dict.fromkeys(_RUN, "true"),
        UploadJob: "t.state = 'done'",
    }
    slugs = ", ".join(f"'{slug}'" for slug, model in MACHINES.items() if model in cases)
    return {
        Organisation: f"t.id IN ({applicants})",
        Membership: f"t.organisation_id IN ({applicants})",
        Person: f"t.id IN ({theirs})",
        **cases,
        **dict.fromkeys((TransitionRecord, Document), f"t.machine IN ({slugs})"),
        **dict.fromkeys((Notice, AuditEntry, AuditSeal), "true"),
    }  # fmt: skip


def _other(units: Sequence[PilotUnit]) -> dict[tuple[type[models.Model], str], str]:
    """What a copy may not share with the original, and where it lies: provinces and units in turn."""
    province = f"(ARRAY[{', '.join(str(int(code)) for code in Province)}])[1 + mod(k, {len(Province)})]"
    unit = f"(ARRAY[{', '.join(str(unit.pk) for unit in units)}])[1 + mod(k, {len(units)})]"
    report = f"(SELECT id FROM assessment_provincialreport WHERE province = {province})"  # noqa: S608
    code = "overlay(t.uscc placing lpad(k::text, 4, '0') from 5)"
    return {
        (Organisation, "name"): "t.name || '（' || k || '）'",
        (Person, "username"): "t.username || '-' || k",
        **{(model, "uscc"): code for model in (Organisation, Application, ProviderRegistration)},
        **{(Application, name): f"CASE t.{name} WHEN '' THEN '' ELSE t.{name} || '-' || k END" for name in _NUMBERS},
        **{(model, "province"): province for model in _OF_PROVINCES},
        **{(model, "unit"): unit for model in _OF_UNITS},
        (ReportLine, "report"): report,
        (ReportLine, "position"): "t.position + k * 100",
    }  # fmt: skip
