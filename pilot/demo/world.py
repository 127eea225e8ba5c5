"""Finding the people and cases of the demonstration; made by name, so a later run finds what an earlier one made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile

from applications.documents import make_receipt
from applications.models import Application, ApplicationVersion
from filings.models import Finding, InspectionItem
from filings.services.reading import unmask_form
from pilot import workflow
from pilot.actors import Actor
from pilot.demo.cast import APPLICANTS, PASSWORD, Applicant
from pilot.enums import OrganisationKind, Province, Role, UnmaskReason
from pilot.models import Membership, Organisation, PilotUnit
from pilot.pdf import render_pdf
from pilot.rules import SHANGHAI
from pilot.services import people

SETUP = Actor.system("demo")
SINCE = datetime(2019, 1, 1, tzinfo=SHANGHAI)
AGENCIES = ("示例网络安全测评中心", "示例信息技术研究院", "示例互联网应急评估中心")


def moment(text: str) -> datetime:
    """``"2019-04-12 09:00"`` in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def actor(login: str) -> Actor:
    """The person with this login, in the only role he or she has."""
    membership = Membership.objects.select_related("person", "organisation").get(person__username=login)
    return membership.as_actor(channel="demo")


def reviewer(province: int) -> Actor:
    return actor(f"reviewer{int(province)}")


def lead(province: int) -> Actor:
    return actor(f"lead{int(province)}")


def officer(number: int = 1) -> Actor:
    return actor(f"officer{number}")


def approver(number: int = 1) -> Actor:
    return actor(f"approver{number}")


def provider(applicant: Applicant) -> Actor:
    return actor(applicant.login)


def application(applicant: Applicant) -> Any:
    """The applicant's latest application."""
    return Application.unscoped.filter(provider__uscc=applicant.uscc).latest("pk")


def unit(applicant: Applicant) -> PilotUnit:
    """The applicant as a pilot unit."""
    found: PilotUnit = PilotUnit.unscoped.select_related("organisation").get(
        organisation__uscc=applicant.uscc
    )
    return found


def findings(applicant: Applicant, state: str = "open") -> list[Finding]:
    """The unit's findings in a state, oldest first."""
    return list(Finding.unscoped.filter(unit__organisation__uscc=applicant.uscc, state=state).order_by("pk"))


def fire(case: Any, name: str, who: Actor, reason: str = "", **data: Any) -> Any:
    """One click of one person."""
    return workflow.fire(case, name, actor=who, reason=reason, **data)


def looked(who: Actor, item: InspectionItem, reason: str = UnmaskReason.CERTIFICATE) -> None:
    """An inspector has the content of a drawn form shown in full, before the verdict."""
    unmask_form(actor=who, form=item.form, reason=reason)


def receive(case: Any) -> None:
    """What the worker does after a submission; there is none yet while the demonstration's April is played."""
    make_receipt(version_id=ApplicationVersion.unscoped.filter(application=case).latest("number").pk)


def add_people() -> None:
    """Everybody with a login: 31 bureaus, the ministry, the administrators, six assessors, the providers."""
    ministry = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    for bureau in Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("province"):
        short = Province(bureau.province or 0).label
        _person(f"reviewer{bureau.province}", f"{short}审核员（示例）", bureau, Role.BUREAU_REVIEWER)
        _person(f"lead{bureau.province}", f"{short}负责人（示例）", bureau, Role.BUREAU_LEAD)
    for number, mark in enumerate("甲乙", start=1):  # masked, the four still read as four
        _person(f"officer{number}", f"经办员{mark}（示例）", ministry, Role.MINISTRY_OFFICER)
        _person(f"approver{number}", f"审批人{mark}（示例）", ministry, Role.MINISTRY_APPROVER)
    _person("sysadmin", "系统管理员（示例）", ministry, Role.SYSTEM_ADMIN)
    _person("secadmin", "安全管理员（示例）", ministry, Role.SECURITY_ADMIN)
    _person("auditor", "审计管理员（示例）", ministry, Role.AUDIT_ADMIN)
    for number in range(1, 7):
        agency = _organisation(OrganisationKind.AGENCY, AGENCIES[(number - 1) % 3])
        _person(f"assessor{number}", f"评估员{number}（示例）", agency, Role.ASSESSOR)
    for applicant in APPLICANTS:
        organisation = _organisation(
            OrganisationKind.PROVIDER, applicant.name, province=applicant.province, uscc=applicant.uscc
        )
        _person(applicant.login, f"{applicant.name[2:5]}经办（示例）", organisation, Role.PROVIDER_ADMIN)


def _organisation(kind: str, name: str, **fields: Any) -> Organisation:
    existing = Organisation.objects.filter(kind=kind, name=name).first()
    return existing or people.add_organisation(actor=SETUP, kind=kind, name=name, **fields)


def _person(login: str, name: str, organisation: Organisation, role: str) -> None:
    people.add_person(
        actor=SETUP,
        username=login,
        name=name,
        password=PASSWORD,
        organisation=organisation,
        role=role,
        valid_from=SINCE,
    )


_material: dict[str, bytes] = {}


def material(kind: str, title: str) -> ContentFile[bytes]:
    """A sample file of an application, as a browser would hand it over."""
    if kind not in _material:
        _material[kind] = render_pdf("documents/sample_material.html", {"title": title}, title=title)
    return ContentFile(_material[kind], name=f"{title}（示例）.pdf")


def form_content(applicant: Applicant) -> dict[str, Any]:
    """What an applicant writes into the form: invented, complete, marked 示例."""
    serial = applicant.number
    return {
        "registered_address": f"{Province(applicant.province).label}示例区示例路{serial}号",
        "postal_address": f"{Province(applicant.province).label}示例区示例路{serial}号",
        "legal_representative": "示例法人",
        "enterprise_nature": "private",
        "filed_subjects": 1000 + 37 * serial,
        "filed_websites": 1500 + 53 * serial,
        "licence_number": f"B1.B2-2017{serial:04d}",
        "licence_holder": applicant.name,
        "licence_categories": ["B11", "B14"] if serial % 2 else ["B11", "B12", "B14"],
        "licence_coverage": "national",
        "licence_authority": "工业和信息化部",
        "licence_issued_on": "2017-06-01",
        "licence_expires_on": "2022-06-01",
        "principal_name": "示例负责人",
        "principal_title": "总经理",
        "principal_mobile": f"139000{serial:05d}",
        "principal_email": f"lead{serial}@example.cn",
        "contact_name": "示例联系人",
        "contact_mobile": f"138000{serial:05d}",
        "contact_email": f"contact{serial}@example.cn",
        "technical_name": "示例技术负责人",
        "technical_mobile": f"137000{serial:05d}",
        "emergency_phone": f"400-800-{serial:04d}",
        "collection_methods": ["face", "action"] if serial % 3 else ["face", "lip", "action"],
        "liveness_method": "随机动作与光线活体检测",
        "product": "示例核验产品 2.0",
        "product_supplier": f"示例身份技术{serial % 4 + 1}有限公司",
        "false_accept_rate": "0.01%",
        "false_reject_rate": "1%",
        "test_report_number": f"示例检字2019-{serial:03d}",
        "organisation_database": "统一社会信用代码库",
        "organisation_access": "专线接口",
        "population_database": "个人身份证件库",
        "population_access": "专线接口",
        "compared_fields": ["name", "cert_type", "cert_no"],
        "daily_capacity": 2000,
        "interface_readiness": "ready" if serial % 4 else "testing",
        "protection_level": "3",
        "protection_certificate": f"示例公网安备{serial:05d}",
        "crypto_assessment": "under_way",
        "storage_place": "境内自有机房",
        "storage_days": 180,
        "deletion": "到期后自动清除并留存清除记录",
        "emergency_plan": "发现数据异常立即停止采集，两小时内报告属地通信管理局。（示例）",
        "provinces": [str(p.value) for p in Province],
        "channels": ["app", "h5"],
        "planned_start": "2019-05-16",
    }


def later(start: datetime, *, days: int = 0, hours: int = 0, minutes: int = 0) -> datetime:
    return start + timedelta(days=days, hours=hours, minutes=minutes)
