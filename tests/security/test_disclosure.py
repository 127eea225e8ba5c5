"""Personal data are masked wherever they show (C12); looking, and taking lists away, is bounded and on record."""

from __future__ import annotations

import io
import json
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pikepdf
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from applications.models import Application
from pilot import policy, watermark
from pilot.actors import Actor
from pilot.enums import DataGroup, Role
from pilot.masking import Personal, contact, groups_in, mask_name, mask_phone, reveal, staff
from pilot.models import AuditEntry, Document, Person, ProviderRegistration
from pilot.registry import all_pages
from pilot.services import disclosure, documents, export_limits, workbooks
from pilot.ui import Fact, Row, Section
from tests.applications import builders as intake
from tests.applications.builders import client_of
from tests.assessment import builders as review
from tests.documents.reading import text_of
from tests.factories import world
from tests.filings.storage.test_masking import readable
from tests.pilot.lists.helpers import asked, messages

pytestmark = pytest.mark.django_db
NAME, PHONE, MAIL = "欧阳密密", "13987654321", "ouyangmimi@example.cn"


@pytest.fixture
def registration() -> ProviderRegistration:
    case = asked("示例甲")
    ProviderRegistration.unscoped.filter(pk=case.pk).update(contact=NAME, phone=PHONE, email=MAIL)
    return case


def seen(text: str) -> list[bool]:
    return [value in text for value in (NAME, PHONE, MAIL)]


# --- the value ------------------------------------------------------------------------------------
def test_whatever_prints_a_personal_value_prints_it_masked() -> None:
    value = contact(PHONE, mask_phone)
    assert isinstance(value, Personal)
    printed = [
        str(value),
        repr(value),
        f"{value}",
        workbooks.words([value]),
        json.dumps({"x": value}, default=str),
    ]
    assert [PHONE in text for text in printed] == [False] * 5
    assert (contact(""), contact(None), staff(None)) == ("", "", None)
    page = Section(
        "示例",
        facts=[Fact("电话", value), Fact("人", staff(Person(name=NAME), "局 · "))],
        rows=[Row("", [1])],
    )
    assert groups_in(page) == {DataGroup.CONTACT, DataGroup.STAFF}
    pair = namedtuple("pair", "key value")("电话", value)
    held = reveal({"rows": MappingProxyType({1: [pair, (value,)]})}, DataGroup.CONTACT)
    assert held == {"rows": {1: [pair._replace(value=PHONE), (PHONE,)]}}
    shown = reveal(page, DataGroup.CONTACT)
    assert [str(fact.value) for fact in shown.facts] == [PHONE, "局 · 欧**密"]
    assert [str(fact.value) for fact in page.facts] == ["139****4321", "局 · 欧**密"]


# --- looking at it --------------------------------------------------------------------------------
def test_a_reason_shows_one_group_for_one_answer_and_is_one_row(
    registration: Any, bureau_reviewer: Actor
) -> None:
    client, url = client_of(bureau_reviewer), reverse("provider-registration_detail", args=[registration.pk])
    wanted = {"group": "contact", "reason": "reach"}
    answers = [
        client.get(url),
        client.post(url, {**wanted, "reason": "好奇"}),
        client.post(url, {**wanted, "group": "account"}),
        client.post(url, wanted),
        client.get(url),
    ]  # fmt: skip
    assert [(answer.status_code, seen(answer.text)) for answer in answers] == [
        (200, [False] * 3), (422, [False] * 3), (403, [False] * 3), (200, [True] * 3), (200, [False] * 3),
    ]  # fmt: skip
    assert "no-store" in answers[3]["Cache-Control"]
    log = client_of(world.ministry(Role.AUDIT_ADMIN)).get(reverse("audit_list")).text
    assert (bureau_reviewer.name in log, mask_name(bureau_reviewer.name) in log) == (False, True)
    denied, row = AuditEntry.objects.filter(action=disclosure.UNMASK).order_by("pk")
    assert (denied.outcome, denied.detail) == ("denied", {**wanted, "group": "account"})
    assert (row.person_id, row.object_type, row.object_id, row.outcome, row.detail) == (
        bureau_reviewer.person_id, "providerregistration", str(registration.pk), "done", wanted,
    )  # fmt: skip


def test_who_looks_too_often_is_refused_on_record(
    registration: Any, bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(disclosure.PER_HOUR, DataGroup.CONTACT, 1)
    client, url = client_of(bureau_reviewer), reverse("provider-registration_detail", args=[registration.pk])
    answers = [client.post(url, {"group": "contact", "reason": "reach"}) for _turn in range(2)]
    assert [(answer.status_code, seen(answer.text)) for answer in answers] == [
        (200, [True] * 3),
        (422, [False] * 3),
    ]
    rows = AuditEntry.objects.filter(action=disclosure.UNMASK).order_by("pk")
    assert list(rows.values_list("outcome", flat=True)) == ["done", "denied"]


def test_the_policy_names_who_may_look_at_what() -> None:
    """By hand: a role that may look at more than this is a leak, one at less cannot do its work."""
    people = [role for role in Role if role != Role.SYSTEM]
    assert {
        str(group): sorted(str(role) for role in people if policy.may_unmask(group, role))
        for group in DataGroup
    } == {
        "contact": sorted([*OFFICIALS, "provider_admin", "provider_operator"]),
        "account": ["security_admin", "system_admin"],
        "staff": sorted([*OFFICIALS, "security_admin"]),
        "form": sorted(OFFICIALS),
    }


OFFICIALS = ["bureau_lead", "bureau_reviewer", "ministry_approver", "ministry_officer"]


# --- papers ---------------------------------------------------------------------------------------
def test_a_copy_carries_the_readers_name_and_the_original_stays(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = intake.submitted(provider)
    content = intake.pdf("示例")
    paper = documents.keep(case=case, kind="receipt", title="示例", content=content)
    client = client_of(bureau_reviewer)
    copy = client.get(reverse("document_copy", args=[paper.pk]))
    original = client.get(reverse("document", args=[paper.pk]))
    assert (copy.status_code, original.content) == (200, content)
    words = f"{bureau_reviewer.organisation_name}{bureau_reviewer.name}2019-04-12"
    text, plain = ("".join(text_of(pdf).split()) for pdf in (copy.content, content))
    assert (words in text, paper.sha256 in text, words in plain) == (True, True, False)
    assert documents.content_of(paper) == content
    listed = client.get(reverse("application_detail", args=[case.pk])).context["page"].documents
    assert [(item.copy_first, item.copy_url) for item in listed if item.sha256 == paper.sha256] == [
        (True, reverse("document_copy", args=[paper.pk]))
    ]
    assert list(
        AuditEntry.objects.filter(action__startswith="document.").values_list("action", flat=True)
    ) == [
        "document.copy",
        "document.read",
    ]
    table = documents.keep(case=case, kind="table", title="表", content=b"PK", content_type="x/y")
    other = client_of(world.provider())
    assert [
        client.get(reverse("document_copy", args=[table.pk])).status_code,
        other.get(reverse("document_copy", args=[paper.pk])).status_code,
    ] == [404, 404]
    picture = client.get(reverse("watermark"))
    assert (picture["Content-Type"], f"{bureau_reviewer.name} 2019-04-12" in picture.text) == (
        "image/svg+xml",
        True,
    )


def test_a_copy_has_marks_on_pages_of_few_sizes_turned_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    first = watermark._sheet((100, 100), "示例", "0")

    def sheet(size: tuple[int, int], *_words: str) -> bytes:
        sizes.append(size)
        return first

    def copy(*pages: tuple[int, int, int], box: Any = None) -> bytes:
        pdf, out = pikepdf.new(), io.BytesIO()
        for width, height, turn in pages:
            page = pdf.add_blank_page(page_size=(width, height))
            page.obj.Rotate = turn
            if box:
                page.obj.TrimBox = pikepdf.Array(box)
        pdf.save(out)
        return watermark.on_pdf(out.getvalue(), text="示例", digest="0")

    monkeypatch.setattr(watermark, "_sheet", sheet)
    copy((200, 300, 0), (200, 300, 90), (200, 300, 180))
    assert sizes == [(200, 300), (300, 200)]
    for wrong in (
        lambda: copy(*((100, 100 + number, 0) for number in range(21))),
        lambda: copy((200, 300, 0), box=[1, 2]),
    ):
        with pytest.raises(watermark.UnmarkableError):
            wrong()


# --- lists that leave -----------------------------------------------------------------------------
def test_a_list_with_people_leaves_with_a_reason_and_within_bounds(
    programme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, guard = world.ministry(Role.SYSTEM_ADMIN), world.ministry(Role.SECURITY_ADMIN)
    person = world.bureau()
    review_case(person, admin)
    client, url = client_of(admin), reverse("list_export", args=["role-change"])
    refused = client.post(url, {"reason": "好奇"}, follow=True)
    assert list(messages(refused)) == ["列表含个人信息，请选择导出理由"]
    answer = client.post(url, {"reason": "work"})
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    mark = f"{admin.organisation_name} {admin.name} 2019-04-12"
    assert (book.sheet_names[1], mark in str(book.get_sheet_by_index(1).to_python())) == ("导出说明", True)
    xml = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
    assert (f"&amp;L{mark}" in xml, person.name in str(book.get_sheet_by_index(0).to_python())) == (
        True,
        False,
    )
    entry = AuditEntry.objects.get(action=export_limits.EXPORT, outcome="done")
    assert {key: entry.detail[key] for key in ("rows", "personal", "reason")} == {
        "rows": 1, "personal": True, "reason": "work",
    }  # fmt: skip
    monkeypatch.setattr(export_limits, "PERSONAL_ROWS_A_DAY", 1)
    over = client.post(url, {"reason": "work"}, follow=True)
    assert list(messages(over)) == ["24 小时内最多导出 1 条含个人信息的记录"]
    listing = client_of(guard).get(reverse("disclosure_list")).context["page"]
    assert [[*row.cells[3:7], row.cells[7].label] for row in listing.rows] == [
        ["导出列表", "角色变更", None, "", "拒绝"],
        ["导出列表", "角色变更", 1, "办理事项或会商", "成功"],
        ["导出列表", "角色变更", None, "", "拒绝"],
    ]


def review_case(person: Actor, admin: Actor) -> None:
    from pilot.services import people

    people.request_role_change(
        actor=admin,
        person=Person.objects.get(pk=person.person_id),
        organisation=review.membership(person).organisation,
        role=Role.BUREAU_LEAD,
        grant=True,
        reason="示例",
    )


def test_the_record_asks_as_much_for_many_rows_as_for_one(registration: Any, bureau_reviewer: Actor) -> None:
    client = client_of(world.ministry(Role.SECURITY_ADMIN))
    client.get(reverse("disclosure_list"))  # prolongs the session
    counts = []
    for _turn in range(2):
        for _more in range(2):
            disclosure.unmask(actor=bureau_reviewer, subject=registration, group="contact", reason="reach")
        with CaptureQueriesContext(connection) as asked_for:
            assert client.get(reverse("disclosure_list"), {"kind": "unmask"}).status_code == 200
        counts.append(len(asked_for))
    assert counts[0] == counts[1]


# --- every field, every role, every page ----------------------------------------------------------
def planted() -> dict[str, str]:
    """Field → a value found nowhere else, written over what the builders made."""
    values = {}
    for number, person in enumerate(Person.objects.order_by("pk")):
        name = f"欧{chr(0x4E00 + number)}密{chr(0x5E00 + number)}某"
        mail, phone = f"secretmail{number}@example.cn", f"1390000{number:04d}"
        Person.objects.filter(pk=person.pk).update(name=name, email=mail, phone=phone)
        values |= {
            f"person{number}.name": name,
            f"person{number}.email": mail,
            f"person{number}.phone": phone,
        }
    ProviderRegistration.unscoped.update(contact=NAME, phone=PHONE, email=MAIL)
    values |= {"registration.contact": NAME, "registration.phone": PHONE, "registration.email": MAIL}
    return values


APPLIED = {
    "legal_representative": "司马法定某人", "principal_name": "上官负责某人", "principal_mobile": "13711112222",
    "principal_email": "shangguan.leader@example.cn", "contact_name": "诸葛联系某人", "contact_mobile": "13733334444",
    "contact_email": "zhuge.contact@example.cn", "technical_name": "公孙技术某人", "technical_mobile": "13755556666",
}  # fmt: skip


@pytest.fixture
def everybody(programme: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Actor]:
    """One of every role, an application under assessment, a registration, a change of roles."""
    for key, value in APPLIED.items():
        monkeypatch.setitem(intake.CONTENT, key, value)
    staff_of = review.desk()
    experts = [world.assessor(), world.assessor()]
    asked("示例甲")
    assessment = review.planned(staff_of)
    review.started(assessment, staff_of, experts)
    admins = {
        role: world.ministry(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
    }
    review_case(staff_of.reviewer, admins[Role.SYSTEM_ADMIN])
    owner = Person.objects.get(memberships__organisation=assessment.application.provider_id)
    return {
        "provider_admin": actor_of(owner), "bureau_reviewer": staff_of.reviewer, "bureau_lead": staff_of.lead,
        "ministry_officer": staff_of.officer, "ministry_approver": staff_of.approver, "assessor": experts[0],
        **{str(role): actor for role, actor in admins.items()},
    }  # fmt: skip


def actor_of(person: Person) -> Actor:
    from pilot.selectors import people

    actor = people.actor_of(person)
    assert actor is not None
    return actor


def addresses(role: str, actor: Actor) -> Iterator[str]:
    """Every list and every case of it that this role may open, and every other page on which people stand."""
    for pages in all_pages():
        if policy.may_open(f"{pages.slug}_list", role):
            yield reverse(f"{pages.slug}_list")
            for key in pages.model.objects.visible_to(actor).values_list("pk", flat=True):
                yield reverse(f"{pages.slug}_detail", args=[key])
    single = [
        "dashboard", "notice_list", "person_list", "audit_list", "disclosure_list", "role-change_create",
        "report_inbox", "form_settings", "criteria", "faq", "test_run_list", "verification-form_list",
    ]  # fmt: skip
    yield from (reverse(name) for name in single if policy.may_open(name, role))
    if policy.may_open("person_detail", role):
        yield from (reverse("person_detail", args=[pk]) for pk in Person.objects.values_list("pk", flat=True))
    if policy.may_open("application_review", role):
        yield from (
            reverse("application_review", args=[pk])
            for pk in Application.unscoped.values_list("pk", flat=True)
        )
    if policy.may_open("audit_detail", role):
        yield from (
            reverse("audit_detail", args=[pk]) for pk in AuditEntry.objects.values_list("pk", flat=True)[:40]
        )
    yield from (reverse(name) for name in ("published_list_json", "published_list_csv", "guide"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "role",
    ["provider_admin", "bureau_reviewer", "bureau_lead", "ministry_officer", "ministry_approver", "assessor",
     "system_admin", "security_admin", "audit_admin"],
)  # fmt: skip
def test_every_personal_field_is_masked_on_every_page_and_in_every_export(
    everybody: dict[str, Actor], role: str
) -> None:
    values = planted() | APPLIED
    actor = everybody[role]
    own = {value for key, value in values.items() if value == Person.objects.get(pk=actor.person_id).name}
    client: Client = client_of(actor)
    leaks, opened = {}, 0
    for address in addresses(role, actor):
        answer = client.get(address, follow=True)
        assert answer.status_code in {200, 404}, (address, answer.status_code)
        opened += answer.status_code == 200
        if found := [key for key, value in values.items() if value in answer.text and value not in own]:
            leaks[address] = found
    for name in [*(pages.slug for pages in all_pages()), "pilot-unit", "verification-form"]:
        answer = client.post(reverse("list_export", args=[name]), {"reason": "work"})
        text = readable(answer.content, answer.get("Content-Type", ""))
        if found := [key for key, value in values.items() if value in text and value not in own]:
            leaks[f"export {name}"] = found
    for paper in Document.objects.filter(content_type=documents.PDF).exclude(kind__in=SIGNED):
        text = readable(documents.content_of(paper), documents.PDF)
        if found := [key for key, value in values.items() if value in text]:
            leaks[f"{paper.kind} {paper.title}"] = found
    assert leaks == {}
    assert opened > 10


# Papers that whoever made them signs by name, as the law of papers has it (docs/security, 个人信息的显示).
SIGNED = {"assessment_report", "provincial_report", "hearing_record", "inspection_report"}
