"""The page that reads a form in, and the files it hands out."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from applications.models import Application
from applications.services.drafts import save_draft, start_application
from pilot.actors import Actor
from pilot.models import Programme
from tests.applications.builders import client_of
from tests.applications.prefill.filling import rows, workbook
from tests.factories import world

MEBIBYTE = 1024 * 1024


@pytest.fixture
def case(provider: Actor) -> Application:
    return start_application(actor=provider)


def send(client: Client, case: Application, name: str, content: bytes) -> tuple[int, str]:
    upload = SimpleUploadedFile(name, content)
    response = client.post(reverse("application_prefill", args=[case.pk]), {"upload": upload})
    return response.status_code, response.content.decode()


def test_the_page_is_called_as_the_link_to_it_and_tells_the_deadline(
    case: Application, provider: Actor
) -> None:
    client = client_of(provider)
    page = client.get(reverse("application_prefill", args=[case.pk])).context["page"]
    tasks = client.get(reverse("application_form", args=[case.pk])).context["page"]
    assert (page.title, page.bell.text) == (tasks.prefill.label, tasks.bell.text)


@pytest.mark.parametrize("name", ["application_form_pdf", "application_form_xlsx"])
def test_blank_forms_are_for_everybody(programme: Programme, name: str) -> None:
    response = Client().get(reverse(name))
    assert (response.status_code, response["X-Content-Type-Options"]) == (200, "nosniff")
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%E7%94%B3")


@pytest.mark.slow
def test_the_blank_pdf_is_small(programme: Programme) -> None:
    response = Client().get(reverse("application_form_pdf"))
    assert len(response.content) < 3 * MEBIBYTE
    fields = PdfReader(io.BytesIO(response.content)).get_fields() or {}
    assert {"unit_name", "licence_number", "licence_categories-B11", "enterprise_nature", "_form"} <= set(
        fields
    )
    assert [name for name in fields if "." in name] == []
    assert fields["enterprise_nature"]["/V"] == "/Off"


def test_own_forms_carry_the_record(case: Application, provider: Actor) -> None:
    save_draft(case=case, actor=provider, revision=0, deletion="到期自动删除", provinces=["44"])
    response = client_of(provider).get(reverse("application_prefill_pdf", args=[case.pk]))
    fields = PdfReader(io.BytesIO(response.content)).get_fields() or {}
    values = [fields[name].get("/V") for name in ("deletion", "provinces-44", "provinces-45", "uscc")]
    assert values == ["到期自动删除", "/on", "/Off", case.uscc]
    assert fields["uscc"]["/Ff"] & 1 == 1
    response = client_of(provider).get(reverse("application_prefill_xlsx", args=[case.pk]))
    assert (response.status_code, response.content[:2]) == (200, b"PK")


def test_a_foreign_application_does_not_exist(case: Application) -> None:
    client = client_of(world.provider())
    for name in ("application_prefill", "application_prefill_pdf", "application_prefill_xlsx"):
        assert client.get(reverse(name, args=[case.pk])).status_code == 404


def test_result_shows_both_values_and_leads_to_the_fields(case: Application, provider: Actor) -> None:
    save_draft(case=case, actor=provider, revision=0, deletion="人工删除")
    content = workbook(rows({"deletion": "自动删除", "licence_number": "见附件", "provinces": ["44"]}))
    status, page = send(client_of(provider), case, "表.xlsx", content)
    assert status == 200
    for words in (
        "自动识别，请核对",
        "与已填不一致",
        "未能识别",
        "见附件",
        "不是许可证编号的写法",
        "人工删除",
        "自动删除",
    ):
        assert words in page
    for section, key in (("protection", "deletion"), ("licence", "licence_number"), ("scope", "provinces")):
        assert f'href="{reverse("application_section", args=[case.pk, section])}#id_{key}"' in page
    again = client_of(provider).get(reverse("application_prefill", args=[case.pk])).content.decode()
    assert ("自动删除" in again, "见附件" in again) == (True, False)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("表.xlsx", b"", "文件是空的"),
        ("表.txt", b"x" * 20, "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"),
    ],
)
def test_a_refused_file_is_told_beside_the_control(
    case: Application, provider: Actor, name: str, content: bytes, words: str
) -> None:
    status, page = send(client_of(provider), case, name, content)
    assert (status, words in page) == (422, True)


def test_without_a_file_it_says_so(case: Application, provider: Actor) -> None:
    response = client_of(provider).post(reverse("application_prefill", args=[case.pk]), {})
    assert (response.status_code, "请先选择文件" in response.content.decode()) == (422, True)
