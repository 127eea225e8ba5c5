"""National answers on the portal's pages: on forms, in the reconciliation of a month, and the import by an officer."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import load_workbook

from filings.models import NationalFile, NationalReceipt, VerificationForm
from filings.services import national
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import Refused
from pilot.models import AuditEntry, Export, Person, PilotUnit
from pilot.services import exports
from pilot.tasks import write_export
from tests.factories import world
from tests.filings import builders
from tests.filings.national import files

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def form(unit: PilotUnit, record: int, **fields: Any) -> VerificationForm:
    return builders.form(unit, f"V3-{unit.national_id}-XZBA-{record}-{1:012x}", **fields)


def take(unit: PilotUnit, *results: str, name: str = "BAJG_1.xml", **parts: Any) -> NationalFile:
    content = io.BytesIO(files.download(results, **parts))
    imported = national.import_national(actor=builders.SYSTEM, unit=unit, source=content, name=name)
    assert imported.file is not None
    return imported.file


def lines(client: Client, unit: PilotUnit, show: str, month: str = "2019-06") -> tuple[str, list[list[Any]]]:
    """The introduction of the page and the cells of its list."""
    page = client.get(reverse("national", args=[unit.code]), {"month": month, "show": show}).context["page"]
    return page.intro, [row.cells for row in page.rows]


@pytest.fixture
def reconciled(unit: PilotUnit) -> PilotUnit:
    """June: a form with receipt, one without in each of two provinces; July: a receipt without form, a refusal."""
    form(unit, 1)
    form(unit, 2)
    form(unit, 3, province=45)
    take(
        unit,
        files.result(1),
        files.result(8),
        files.result(2, 1008, words="证件 440101199001010011 有误"),
        reviews=[files.review(1, 0), files.review(3)],
        checks=[files.access()],
    )
    return unit


def test_a_form_shows_what_the_national_system_says_of_it(reconciled: PilotUnit) -> None:
    client = client_of(world.bureau())
    pages = [client.get(reverse("verification-form_detail", args=[pk])) for pk in form_ids()]
    sections = [
        next(part for part in page.context["page"].sections if part.title == "全国系统回执") for page in pages
    ]
    told = [
        [[str(cell.label) if i == 1 else cell for i, cell in enumerate(row.cells)] for row in part.rows]
        for part in sections
    ]
    at, imported = world.moment("2019-06-25 10:00"), NationalFile.unscoped.get().imported_at
    assert told == [
        [
            ["管局审核", "审核未通过", "材料齐全（示***员）", at, "BAJG_1.xml 第 4 条"],
            ["上报结果", "1060 核验单已入库", "", imported, "BAJG_1.xml 第 1 条"],
        ],
        [["上报结果", "1008 证件信息有误", "证件 ******** 有误", imported, "BAJG_1.xml 第 3 条"]],
        [["管局审核", "审核通过", "材料齐全（示***员）", at, "BAJG_1.xml 第 5 条"]],
    ]
    assert [part.note for part in sections] == ["", *["尚无核验单入库回执（1060）"] * 2]
    assert "440101199001010011" not in "".join(page.content.decode() for page in pages)


def test_only_what_the_reader_chose_can_be_taken_away(reconciled: PilotUnit) -> None:
    client, address = client_of(world.ministry()), reverse("national", args=[reconciled.code])

    def chips(query: str) -> list[str]:
        page = client.get(f"{address}?{query}").content.decode()
        shown = re.search('<ul class="chips".*?</ul>', page, re.DOTALL)
        return [unescape(url) for url in re.findall('href="([^"]*)"', shown[0])] if shown else []

    assert (chips(""), chips("show=checks&month=2019-05")) == ([], ["?show=checks", "?month=2019-05"])


def form_ids() -> list[int]:
    return list(VerificationForm.unscoped.order_by("pk").values_list("pk", flat=True))


def test_both_sides_of_a_month_are_listed_and_counted(reconciled: PilotUnit) -> None:
    client = client_of(world.ministry())
    intro, rows = lines(client, reconciled, "without_receipt")
    assert intro == (
        "2019-06 收到核验单 3 份，其中 2 份尚无全国回执；另有 0 份回执无对应核验单，"
        "1 条未入库或审核未通过，1 条核查结果。"
    )
    number = f"V3-{reconciled.national_id}-XZBA-%d-{1:012x}"
    assert sorted(row[0] for row in rows) == [number % 2, number % 3]
    intro, rows = lines(client, reconciled, "without_form", "2019-07")
    assert intro == (
        "2019-07 收到核验单 0 份，其中 0 份尚无全国回执；另有 1 份回执无对应核验单，"
        "1 条未入库或审核未通过，0 条核查结果。"
    )
    assert [(row[0], row[1], row[2], row[6]) for row in rows] == [
        ("8", None, "新增备案", "BAJG_1.xml 第 2 条")
    ]
    assert [row[3].label for row in lines(client, reconciled, "not_passed")[1]] == ["审核未通过"]
    assert [row[3].label for row in lines(client, reconciled, "checks")[1]] == ["多报"]


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        ("own", (3, 2, 1)),
        ("home bureau", (3, 2, 1)),
        ("other bureau", (1, 1, 0)),
        ("ministry", (3, 2, 1)),
    ],
)
def test_everybody_sees_their_part(
    reconciled: PilotUnit, provider: Actor, viewer: str, seen: tuple[int, ...]
) -> None:
    actor = {
        "own": provider,
        "home bureau": world.bureau(),
        "other bureau": world.bureau(province=Province.GUANGXI),
        "ministry": world.ministry(),
    }[viewer]
    client = client_of(actor)
    intro, rows = lines(client, reconciled, "without_receipt")
    _intro, formless = lines(client, reconciled, "without_form", "2019-07")
    assert (int(intro.split()[2]), len(rows), len(formless)) == seen
    url = reverse("national_file", args=[reconciled.code, NationalFile.unscoped.get().pk])
    assert client.get(url).status_code == (404 if viewer == "other bureau" else 200)


def test_another_unit_is_not_there(reconciled: PilotUnit) -> None:
    stranger = client_of(world.provider())
    assert stranger.get(reverse("national", args=[reconciled.code])).status_code == 404
    asked = f"unit={reconciled.code}&month=2019-06&show=checks"
    assert stranger.post(f"{reverse('list_export', args=['national'])}?{asked}").status_code == 404


@pytest.mark.parametrize("show", ["without_receipt", "without_form", "not_passed", "checks"])
def test_more_rows_cost_no_more_queries(unit: PilotUnit, show: str) -> None:
    client = client_of(world.ministry())
    url = reverse("national", args=[unit.code])

    def cost() -> int:
        with CaptureQueriesContext(connection) as caught:
            page = client.get(url, {"month": "2019-07", "show": show}).context["page"]
        assert page.total == len(NationalFile.unscoped.all())
        return len(caught)

    def add(number: int) -> None:
        form(unit, number, received="2019-07-01 08:00")
        form(unit, 1000 + number, received="2019-06-01 08:00")
        take(
            unit,
            files.result(500 + number),
            files.result(1000 + number, 1008),
            checks=[files.access(at=f"2019-07-0{number}")],
        )

    client.get(url)
    add(1)
    one = cost()
    add(2)
    add(3)
    assert cost() == one


def test_a_list_is_exported_whole(unit: PilotUnit) -> None:
    for number in range(12):
        form(unit, number)
    client, asked = client_of(world.bureau()), {"month": "2019-06", "show": "without_receipt"}
    address = client.get(reverse("national", args=[unit.code]), asked).context["page"].export_url
    answer = client.post(address)
    rows = load_workbook(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert (rows[0], len(rows)) == (["核验单编号", "备案类型", "主体所在省", "版次", "接收时间"], 13)
    assert rows[1][0] == f"V3-{unit.national_id}-XZBA-11-{1:012x}"
    entry = AuditEntry.objects.get(action="list.export")
    asked_for = f"unit={unit.code}&month=2019-06&show=without_receipt"
    assert entry.detail == {"machine": "national", "filter": asked_for, "rows": 12}


def test_an_export_takes_what_the_page_shows_however_it_is_asked_for(unit: PilotUnit) -> None:
    form(unit, 1)
    client, door = client_of(world.bureau()), reverse("list_export", args=["national"])
    asked = f"show=without_receipt&unit={unit.code}&other=1&month="
    assert [client.post(f"{door}?{asked}{month}").status_code for month in ("2019-06", "", "x")] == [
        200,
        404,
        404,
    ]
    entry = AuditEntry.objects.get(action="list.export", outcome="done")
    assert entry.detail["filter"] == f"unit={unit.code}&month=2019-06&show=without_receipt"


def test_a_long_list_is_written_by_a_job_and_not_within_the_request(
    unit: PilotUnit, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    monkeypatch.setattr(exports, "MOST", 2)  # that of the other lists: this one cannot be asked for in parts
    for number in range(3):
        form(unit, number)
    client = client_of(world.bureau())
    page, query = reverse("national", args=[unit.code]), "month=2019-06&show=without_receipt"
    answer = client.post(f"{reverse('list_export', args=['national'])}?unit={unit.code}&{query}")
    export = Export.unscoped.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/exports/{export.pk}/")
    assert write_export(export.pk) is True
    done = client.get(answer["Location"]).context["page"]
    assert (done.title, done.back, done.failed) == ("导出：与全国系统核对", f"{page}?{query}", "")
    rows = load_workbook(io.BytesIO(client.get(done.file_url).content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == [
        f"V3-{unit.national_id}-XZBA-{number}-{1:012x}" for number in (2, 1, 0)
    ]


def test_the_job_reads_no_list_of_a_unit_that_is_not_there(unit: PilotUnit) -> None:
    stranger = world.provider()
    own = exports.own_list("national")
    assert own is not None
    with pytest.raises(Refused):
        own.read("national", stranger, f"unit={unit.code}&month=2019-06&show=checks", "")


def test_an_officer_tries_then_imports(unit: PilotUnit) -> None:
    form(unit, 1)
    officer = world.ministry()
    client, url = client_of(officer), reverse("national_import", args=[unit.code])
    content = files.download([files.result(1), files.result(2, operation=None)])

    def send(dry_run: str = "import") -> Any:
        return client.post(url, {"file": SimpleUploadedFile("BAJG_7.xml", content), "dry_run": dry_run})

    asked = client.get(url).context["page"]
    assert (asked.submit_label, asked.form["dry_run"].initial) == ("提交文件", "try")
    tried = send("try").context["page"]
    assert [section.title for section in tried.sections] == ["试算结果，未保存", "拒收明细"]
    assert [row.cells for row in tried.sections[1].rows] == [[2, "缺少 Czlx"]]
    assert NationalFile.unscoped.exists() is False
    done = send()
    file = NationalFile.unscoped.get()
    assert (done.status_code, done["Location"]) == (302, f"/units/{unit.code}/national/files/{file.pk}/")
    assert (file.name, file.imported_by_id) == ("BAJG_7.xml", officer.person_id)
    page = client.get(done["Location"]).context["page"]
    assert {str(fact.label): fact.value for fact in page.sections[1].facts}["上报结果中已对应核验单"] == 1
    assert [row.cells for row in page.sections[2].rows] == [[2, "缺少 Czlx"]]
    assert send("").context["page"].form.errors == {"dry_run": ["该字段是必填项。"]}
    again = send()
    assert again.context["page"].sections[0].title == "此文件已导入过，没有变化"
    content = b"<x/>"
    refused = send()
    assert (refused.status_code, refused.context["page"].form.errors["file"]) == (
        422,
        ["根元素不是 DownloadData"],
    )
    assert NationalReceipt.unscoped.count() == 1


def test_who_may_import(unit: PilotUnit, provider: Actor) -> None:
    url = reverse("national_import", args=[unit.code])
    actors = [provider, world.bureau(), world.ministry(Role.MINISTRY_APPROVER)]
    assert [client_of(actor).get(url).status_code for actor in actors] == [403, 403, 403]
    pages = [
        client_of(actor).get(reverse("national", args=[unit.code])) for actor in [*actors, world.ministry()]
    ]
    offered = [[link.label for link in page.context["page"].toolbar] for page in pages]
    assert offered == [[]] * 3 + [["导入反馈文件"]]
