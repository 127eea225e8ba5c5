"""Files to begin with: what they hold is taken as it stands, and every column is explained."""

from __future__ import annotations

import io
from typing import Any

import pytest
import python_calamine
from django.urls import reverse

from filings import column_guide
from filings.intake.columns import FIXED_COLUMNS
from filings.models import UploadJob
from filings.services import uploads
from pilot.actors import Actor
from tests.factories import world
from tests.filings.uploads.test_pages import client_of, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def run_phase(unit: Any) -> None:
    world.at("2019-06-18 09:00")


@pytest.mark.parametrize(
    ("kind", "ending"), [("ndjson", "ndjson"), ("csv", "csv"), ("xlsx", "xlsx"), ("v3", "xml")]
)
def test_a_template_passes_a_dry_run_as_it_stands(provider: Actor, kind: str, ending: str) -> None:
    client = client_of(provider)
    answer = client.get(reverse("upload-job_template", args=[kind]))
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert "utf-8''%E6%A0%B8" in answer["Content-Disposition"]
    assert upload(client, content, f"template.{ending}", dry_run="on").status_code == 302
    job = uploads.process(job_id=UploadJob.unscoped.get().pk)
    assert (job.format, job.rows, job.accepted, job.code_counts) == (kind, 1, 1, {})
    if kind in {"ndjson", "csv"}:
        assert "示例" in content.decode()


def test_the_workbook_explains_every_column(provider: Actor) -> None:
    answer = client_of(provider).get(reverse("upload-job_template", args=["xlsx"]))
    book = python_calamine.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    assert book.sheet_names == ["核验单", "填写说明"]
    header, example = book.get_sheet_by_index(0).to_python()
    explained = book.get_sheet_by_index(1).to_python()
    assert header == [row[0] for row in explained[1:]] == column_guide.names()
    assert explained[1][:3] == ["form_no", "核验单编号", "必填"]
    assert str(example[header.index("subject.name")]).startswith("示例")


def test_the_guide_has_the_columns_of_the_contract() -> None:
    assert sorted(column_guide.names()) == sorted(FIXED_COLUMNS)


def test_there_is_no_template_of_another_kind(provider: Actor) -> None:
    assert client_of(provider).get(reverse("upload-job_template", args=["doc"])).status_code == 404
