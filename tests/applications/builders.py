"""Applications in any state of intake, made by the same services and transitions a click calls. All invented."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from applications.models import Application
from applications.rules.completeness import REQUIRED_FILES
from applications.services.drafts import save_draft, start_application
from applications.services.files import add_file
from pilot import clock
from pilot.actors import Actor
from pilot.models import OutboxMessage, Person
from pilot.workflow import fire

CONTENT: Final[dict[str, Any]] = {
    "registered_address": "示例市示例路1号",
    "postal_address": "示例市示例路1号",
    "legal_representative": "示例甲",
    "enterprise_nature": "private",
    "filed_subjects": 12000,
    "filed_websites": 15000,
    "licence_number": "B1-20180123",
    "licence_categories": ["B11", "B14"],
    "licence_coverage": "national",
    "licence_authority": "示例发证机关",
    "licence_issued_on": date(2018, 5, 20),
    "licence_expires_on": date(2023, 5, 19),
    "principal_name": "示例乙",
    "principal_title": "副总经理",
    "principal_mobile": "13900000001",
    "principal_email": "pilot@example.cn",
    "contact_name": "示例丙",
    "contact_mobile": "13900000002",
    "contact_email": "contact@example.cn",
    "technical_name": "示例丁",
    "technical_mobile": "13900000003",
    "emergency_phone": "020-00000010",
    "collection_methods": ["face", "action"],
    "liveness_method": "随机动作",
    "product": "示例核验 2.0",
    "product_supplier": "示例智能有限公司",
    "false_accept_rate": "0.01%",
    "false_reject_rate": "1%",
    "test_report_number": "示例-2019-001",
    "organisation_database": "统一社会信用代码库",
    "organisation_access": "专线",
    "population_database": "个人身份证件库",
    "population_access": "专线",
    "compared_fields": ["name", "cert_type", "cert_no"],
    "daily_capacity": 5000,
    "interface_readiness": "testing",
    "protection_level": "3",
    "protection_certificate": "示例备案证明001",
    "crypto_assessment": "under_way",
    "storage_place": "示例机房",
    "storage_days": 180,
    "deletion": "到期自动删除",
    "emergency_plan": "两小时内切换到备用系统",
    "provinces": ["44", "45"],
    "channels": ["app"],
    "planned_start": date(2019, 5, 16),
}
ITEMS: Final = [
    {"target": "licence_authority", "text": "与许可证所载不一致"},
    {"target": "licence", "text": "缺附页"},
]


def pdf(text: str) -> bytes:
    """The least a PDF has: a catalogue, a blank page, and something of its own in a comment."""
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    )
    content, places = f"%PDF-1.4\n% {text}\n".encode(), []
    for number, part in enumerate(parts, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(content)
    return content + b"xref\n0 4\n0000000000 65535 f \n" + table + end


def upload(name: str, body: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body)


def content_of(provider: Actor, **changes: Any) -> dict[str, Any]:
    """A form this provider can hand in, unless ``changes`` take something away."""
    return {**CONTENT, "licence_holder": provider.organisation_name, **changes}


def drafted(provider: Actor, **changes: Any) -> Application:
    """A draft that can be handed in, unless ``changes`` take something away."""
    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, **content_of(provider, **changes))
    for kind in REQUIRED_FILES:
        add_file(case=case, actor=provider, kind=kind, upload=upload(f"{kind}.pdf", pdf(str(kind))))
    case.refresh_from_db()
    return case


def submitted(provider: Actor) -> Application:
    case: Application = fire(drafted(provider), "submit", actor=provider, declaration=True)
    return case


def accepted(provider: Actor, reviewer: Actor) -> Application:
    case: Application = fire(submitted(provider), "accept", actor=reviewer)
    return case


def returned(provider: Actor, reviewer: Actor) -> Application:
    case: Application = fire(submitted(provider), "return_for_correction", actor=reviewer, items=ITEMS)
    return case


def corrected(case: Application, provider: Actor) -> None:
    """Answer both items of the notice; not yet handed in."""
    case.refresh_from_db()
    save_draft(case=case, actor=provider, revision=case.revision, licence_authority="示例发证机关（更正）")
    add_file(case=case, actor=provider, kind="licence", upload=upload("licence2.pdf", pdf("new")))


def refused(provider: Actor, reviewer: Actor) -> Application:
    case: Application = fire(
        submitted(provider), "refuse", actor=reviewer, condition=3, reason="未提供权威库比对授权"
    )
    return case


def system() -> Actor:
    return Actor.system("tests")


def client_of(actor: Actor) -> Client:
    """A browser in which this actor has signed in."""
    client = Client()
    person = Person.objects.get(pk=actor.person_id)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def run_tasks() -> list[str]:
    """Do what waits for the worker, as the worker does it; returns the names of the tasks."""
    current_app.loader.import_default_modules()
    waiting = OutboxMessage.objects.filter(
        kind=OutboxMessage.Kind.TASK, sent_at__isnull=True, cancelled_at__isnull=True
    )
    messages = list(waiting.order_by("pk"))
    for message in messages:
        current_app.tasks[message.target].run(**message.payload)
        message.sent_at = clock.security_now()
        message.save(update_fields=["sent_at"])
    return [message.target for message in messages]
