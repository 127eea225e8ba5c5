"""The register and the stored forms as spreadsheets: what the list shows for a filter, to whom it may be shown."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from filings.models import VerificationForm
from pilot.actors import Actor
from pilot.models import AuditEntry, Export, Organisation, PilotUnit, Programme
from pilot.services import exports
from pilot.tasks import write_export
from tests.factories import world
from tests.filings import builders
from tests.filings.test_pages import signed_in

FORMS = "verification-form"
REGISTER = "pilot-unit"


@pytest.fixture
def two(unit: PilotUnit, programme: Programme) -> tuple[PilotUnit, PilotUnit]:
    """Two units of Guangdong; the first handed in three forms, one of them for Beijing."""
    for number, province in enumerate((44, 44, 11)):
        builders.form(unit, f"F-{number}", province=province)
    return unit, builders.enrol(programme, world.provider())


def taken(actor: Actor, machine: str, query: str = "", columns: str = "") -> list[list[Any]]:
    answer = signed_in(actor).post(f"{reverse('list_export', args=[machine])}?{query}", {"columns": columns})
    assert (answer.status_code, answer["Content-Type"]) == (200, exports.CONTENT_TYPE)
    rows: list[list[Any]] = (
        CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    )
    return rows


def test_the_stored_forms_leave_as_the_list_shows_them(two: Any, ministry_officer: Actor) -> None:
    address = f"{reverse('verification-form_list')}?province=44"
    page = signed_in(ministry_officer).get(address).context["page"]
    assert page.export_url == f"{reverse('list_export', args=[FORMS])}?province=44"
    rows = taken(ministry_officer, FORMS, "province=44")
    assert rows[0] == [str(column.label) for column in page.columns]
    assert [row[0] for row in rows[1:]] == [row.cells[0] for row in page.rows] == ["F-1", "F-0"]
    assert taken(ministry_officer, FORMS, "", "form_no,province")[1:] == [
        ["F-2", "北京市"],
        ["F-1", "广东省"],
        ["F-0", "广东省"],
    ]
    taken(ministry_officer, FORMS, "late=&x=1&province=11&sort=code")
    assert AuditEntry.objects.filter(action="list.export").latest("pk").detail["filter"] == "province=11"
    told = AuditEntry.objects.filter(action="list.export").order_by("pk").first()
    assert told is not None
    assert told.detail == {"machine": FORMS, "filter": "province=44", "rows": 2}


def test_the_register_leaves_in_its_order_with_figures(two: Any, ministry_officer: Actor) -> None:
    client = signed_in(ministry_officer)
    page = client.get(f"{reverse('pilot-unit_list')}?sort=-code&status=").context["page"]
    assert page.export_url == f"{reverse('list_export', args=[REGISTER])}?sort=-code"
    rows = taken(ministry_officer, REGISTER, "sort=-code")
    codes = [unit.code for unit in two]
    assert (rows[0][:2], [row[1] for row in rows[1:]]) == (["试点单位", "编号"], codes[::-1])


def test_who_sees_less_takes_less(two: tuple[PilotUnit, PilotUnit], provider: Actor) -> None:
    stranger = world.person(Organisation.objects.get(pk=two[1].organisation_id), "provider_admin")
    assert [len(taken(actor, FORMS)) - 1 for actor in (provider, stranger, world.bureau(province=11))] == [
        3,
        0,
        1,
    ]
    assert [row[1] for row in taken(stranger, REGISTER)[1:]] == [
        row.cells[1] for row in signed_in(stranger).get(reverse("pilot-unit_list")).context["page"].rows
    ]


@pytest.mark.parametrize(
    ("machine", "query"),
    [(FORMS, "province=nonsense"), (FORMS, "since=yesterday"), (REGISTER, "status=nonsense")],
)
def test_a_filter_with_a_fault_takes_nothing(
    two: Any, ministry_officer: Actor, machine: str, query: str
) -> None:
    client = signed_in(ministry_officer)
    assert client.post(f"{reverse('list_export', args=[machine])}?{query}").status_code == 404
    assert client.get(f"{reverse(f'{machine}_list')}?{query}").context["page"].export_url == ""


def test_whoever_opens_no_list_takes_none(two: Any) -> None:
    client = signed_in(world.assessor())
    answers = [
        client.post(reverse("list_export", args=[machine])).status_code for machine in (FORMS, REGISTER)
    ]
    assert answers == [404, 404]


def test_an_empty_list_offers_nothing(unit: PilotUnit, ministry_officer: Actor) -> None:
    assert VerificationForm.unscoped.count() == 0
    page = signed_in(ministry_officer).get(reverse("verification-form_list")).context["page"]
    assert page.export_url == ""


def test_a_long_list_is_written_by_the_job(
    two: Any, ministry_officer: Actor, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    client = signed_in(ministry_officer)
    answer = client.post(f"{reverse('list_export', args=[FORMS])}?late=no", {"columns": "form_no"})
    export = Export.unscoped.get()
    assert (answer["Location"], write_export(export.pk)) == (f"/exports/{export.pk}/", True)
    done = client.get(answer["Location"]).context["page"]
    assert (done.title, done.back) == ("导出：核验单", f"{reverse('verification-form_list')}?late=no")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(client.get(done.file_url).content)).get_sheet_by_index(0)
    assert rows.to_python() == [["核验单编号"], ["F-2"], ["F-1"], ["F-0"]]
