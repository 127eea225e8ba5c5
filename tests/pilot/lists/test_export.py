"""Lists as spreadsheets (C08): what the list shows and no more, long numbers whole, formulas inert, on record."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.timezone import localtime
from python_calamine import CalamineWorkbook

from pilot import clock, policy
from pilot.actors import Actor
from pilot.celery import app
from pilot.enums import Province, Role
from pilot.errors import Refused
from pilot.machines import MACHINES
from pilot.models import AuditEntry, Export, Membership, Notice, OutboxMessage, ProviderRegistration
from pilot.services import exports, workbooks
from pilot.tasks import sweep_exports, write_export
from pilot.ui import Link, Tag
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.applications.builders import client_of
from tests.factories import world
from tests.pilot.lists.helpers import LIST, asked, find, messages, page

FORMULA = '=HYPERLINK("http://example.cn","示例")'


def url(query: str = "", machine: str = LIST) -> str:
    return f"{reverse('list_export', args=[machine])}?{query}"


def cells(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def exported(actor: Actor, query: str = "", machine: str = LIST, columns: str = "") -> list[list[Any]]:
    response = client_of(actor).post(url(query, machine), {"columns": columns, "reason": "work"})
    assert response.status_code == 200
    assert response["Content-Type"] == exports.CONTENT_TYPE
    return cells(response.content)


def sheet(content: bytes) -> str:
    """The XML of the first sheet."""
    return zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()


def many(number: int) -> None:
    """Rows of a long list: the history of each is not the matter here."""
    now = clock.now()
    ProviderRegistration.unscoped.bulk_create(
        ProviderRegistration(
            case_key=uuid4(), opened_at=now, state_since=now, name=f"示例{serial:05d}", contact="示例甲",
            uscc=world.uscc(serial, 45), province=Province.GUANGDONG, email="a@example.cn", phone="020-00000001",
        )
        for serial in range(number)
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _files_of_this_test(settings: Any, tmp_path: Path) -> None:
    """The suite's processes have databases of their own, but one folder: files named by keys would meet there."""
    settings.MEDIA_ROOT = tmp_path / "files"


# --- what it holds --------------------------------------------------------------------------------
def test_it_holds_the_columns_and_rows_of_the_list(bureau_reviewer: Actor) -> None:
    case = asked("示例甲")
    fire(asked("示例乙"), "reject", actor=bureau_reviewer, reason="示例")
    head, *rows = exported(bureau_reviewer, "state=requested")
    assert head == ["单位名称", "统一社会信用代码", "注册地", "状态", "状态时间"]
    assert [row[:4] for row in rows] == [["示例甲", case.uscc, "广东省", "待确认"]]
    since = localtime(case.state_since).replace(tzinfo=None)
    assert abs(rows[0][4] - since) < timedelta(seconds=1)


def test_it_keeps_the_order_and_takes_the_columns_that_show(bureau_reviewer: Actor) -> None:
    for name in ("示例乙", "示例甲"):
        asked(name)
    assert exported(bureau_reviewer, "sort=since", columns="name,state,nonsense") == [
        ["单位名称", "状态"],
        ["示例乙", "待确认"],
        ["示例甲", "待确认"],
    ]


def test_eighteen_digits_survive_and_formulas_are_words(bureau_reviewer: Actor) -> None:
    asked(FORMULA, uscc="110101199003070134")
    asked("+1+1", uscc="911101080000000001")
    response = client_of(bureau_reviewer).post(url("sort=since"))
    _head, first, second = cells(response.content)
    assert first[:2] == [FORMULA, "110101199003070134"]
    assert second[:2] == ["+1+1", "911101080000000001"]
    xml = sheet(response.content)
    assert ("<f>" in xml, "<hyperlink" in xml) == (False, False)
    assert ('topLeftCell="B2" activePane="bottomRight" state="frozen"' in xml, "<autoFilter" in xml) == (
        True,
        True,
    )


def test_the_file_is_named_after_the_list_and_the_day(bureau_reviewer: Actor) -> None:
    world.at("2019-04-12 23:30")
    asked("示例甲")
    response = client_of(bureau_reviewer).post(url())
    assert unquote(response["Content-Disposition"]) == "attachment; filename*=utf-8''企业登记_20190412.xlsx"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_an_export_is_on_record_with_its_filter_and_its_count(bureau_reviewer: Actor) -> None:
    asked("示例甲")
    exported(bureau_reviewer, "q=示例&page=2")
    entry = AuditEntry.objects.get(action="list.export")
    assert (entry.person_id, entry.object_type, entry.object_id) == (bureau_reviewer.person_id, "list", LIST)
    assert entry.detail == {"machine": LIST, "filter": "q=%E7%A4%BA%E4%BE%8B", "rows": 1}


def test_foreign_rows_are_never_exported(
    bureau_reviewer: Actor, ministry_officer: Actor, provider: Actor
) -> None:
    asked("示例甲")
    asked("示例桂", province=Province.GUANGXI)
    assert [row[0] for row in exported(bureau_reviewer, "province=45")] == ["单位名称"]
    assert [row[0] for row in exported(ministry_officer)] == ["单位名称", "示例桂", "示例甲"]
    assert client_of(provider).post(url()).status_code == 404
    own = intake.submitted(provider)
    intake.submitted(world.provider())
    assert [row[0] for row in exported(provider, machine="application")] == ["编号", own.number]


@pytest.mark.slow
def test_whoever_may_not_open_a_list_exports_nothing_of_it(programme: Any) -> None:
    actors = [
        world.provider(role=Role.PROVIDER_OPERATOR),
        world.bureau(),
        world.ministry(),
        world.assessor(),
        world.ministry(Role.AUDIT_ADMIN),
        world.ministry(Role.SYSTEM_ADMIN),
    ]
    answers = {
        (actor.role, machine): client_of(actor).post(url(machine=machine), {"reason": "work"}).status_code
        for actor in actors
        for machine in [*MACHINES, "nonsense"]
    }
    assert answers == {
        (role, machine): 200 if policy.may_open(f"{machine}_list", role) else 404 for role, machine in answers
    }


def test_every_list_offers_it_unless_it_is_empty(bureau_reviewer: Actor) -> None:
    client = client_of(bureau_reviewer)
    assert find(page(client), "[data-download]") == []
    asked("示例甲")
    (form,) = find(page(client, "q=示例&size=50"), "[data-download]")
    assert (form.get("method"), form.get("action")) == ("post", url("q=%E7%A4%BA%E4%BE%8B"))


def test_a_filter_the_list_does_not_know_is_no_export_of_everything(bureau_reviewer: Actor) -> None:
    asked("示例甲")
    assert client_of(bureau_reviewer).post(url("province=nonsense")).status_code == 404


def test_cells_are_what_the_list_shows() -> None:
    moment = datetime(2019, 4, 12, 1, 0, tzinfo=UTC)
    values = [
        Tag("待确认", "info"), Link("示例", "/x/"), True, None, ["甲", "乙"], 1234, 10**15, moment,
        date(2019, 4, 13), "长" * 40_000,
    ]  # fmt: skip
    buffer = io.BytesIO()
    assert workbooks.write_list(buffer, headings=["列"] * 10, rows=[values], title="示例") == 1
    row = cells(buffer.getvalue())[1]
    assert row[:7] == ["待确认", "示例", "是", "", "甲、乙", 1234, "1000000000000000"]
    assert row[7:9] == [datetime(2019, 4, 12, 9, 0), date(2019, 4, 13)]
    assert len(row[9]) == workbooks.LONGEST


# --- long lists -----------------------------------------------------------------------------------
@pytest.fixture
def long_list(bureau_reviewer: Actor) -> Export:
    """An export of 1,001 rows that was asked for in the browser."""
    many(exports.AT_ONCE + 1)
    response = client_of(bureau_reviewer).post(url("sort=-since"), {"columns": "name,uscc"})
    export: Export = Export.unscoped.get()
    assert (response.status_code, response["Location"]) == (302, f"/exports/{export.pk}/")
    return export


def test_a_thousand_rows_are_written_at_once(bureau_reviewer: Actor) -> None:
    many(exports.AT_ONCE)
    assert len(exported(bureau_reviewer)) == exports.AT_ONCE + 1
    assert Export.unscoped.count() == 0


def test_more_become_a_job_that_can_be_left_and_tells_when_it_is_done(
    long_list: Export, bureau_reviewer: Actor
) -> None:
    client, address = client_of(bureau_reviewer), f"/exports/{long_list.pk}/"
    message = OutboxMessage.objects.get(target="pilot.tasks.write_export")
    assert message.payload == {"export_id": long_list.pk}
    waiting = client.get(address).context["page"]
    assert (waiting.waiting, waiting.file_url, waiting.facts[2].value) == (True, "", "已写入 0 / 1,001 条")
    assert client.get(f"{address}file/").status_code == 404
    assert write_export(**message.payload) is True
    done = client.get(address).context["page"]
    assert (done.waiting, done.facts[2].value) == (False, "已写入 1,001 / 1,001 条")
    response = client.get(done.file_url)
    assert "企业登记_20190412.xlsx" in unquote(response["Content-Disposition"])
    head, *rows = cells(response.content)
    assert head == ["单位名称", "统一社会信用代码"]
    assert sorted(row[0] for row in rows) == [f"示例{serial:05d}" for serial in range(1001)]
    assert {len(row[1]) for row in rows} == {18}
    notice = Notice.objects.get(person=bureau_reviewer.person_id)
    assert (notice.subject, notice.url) == ("导出已完成：企业登记_20190412.xlsx", address)
    actions = AuditEntry.objects.filter(object_type="export").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["list.export", "list.export_read"]
    assert AuditEntry.objects.get(action="list.export").detail["rows"] == 1001


def test_asking_again_while_it_is_written_begins_nothing_new(
    long_list: Export, bureau_reviewer: Actor
) -> None:
    client_of(bureau_reviewer).post(url("sort=-since"), {"columns": "name,uscc"})
    assert Export.unscoped.count() == 1
    client_of(bureau_reviewer).post(url("sort=since"), {"columns": "name,uscc"})
    assert Export.unscoped.count() == 2


def test_words_that_cannot_be_stored_are_refused_in_words(long_list: Export, bureau_reviewer: Actor) -> None:
    response = client_of(bureau_reviewer).post(url("q=示例"), {"columns": "name\0"})
    assert (response.status_code, "不能含有空字符" in response.text) == (422, True)
    assert Export.unscoped.count() == 1


def test_it_is_for_whoever_asked_and_in_that_role(long_list: Export, bureau_reviewer: Actor) -> None:
    write_export(long_list.pk)
    address = f"/exports/{long_list.pk}/"
    for other in (world.bureau(Role.BUREAU_LEAD), world.ministry(), world.provider()):
        client = client_of(other)
        assert (client.get(address).status_code, client.get(f"{address}file/").status_code) == (404, 404)
    second = Membership.objects.create(
        person_id=bureau_reviewer.person_id,
        organisation_id=bureau_reviewer.organisation_id,
        role=Role.BUREAU_LEAD,
        valid_from=world.moment("2019-01-01 00:00"),
    )
    client = client_of(bureau_reviewer)
    assert client.get(address).status_code == 200
    client.post(reverse("switch_membership"), {"membership": second.pk})
    assert client.get(address).status_code == 404


def test_two_workers_write_it_once_and_a_dead_one_is_replaced(long_list: Export) -> None:
    assert exports._take(long_list.pk) is not None
    # A worker that is slow is not dead: within the time of a job nobody else begins.
    working = timedelta(seconds=app.conf.task_time_limit)
    Export.unscoped.update(seen_at=clock.security_now() - working)
    assert exports.write(export_id=long_list.pk) is False
    assert exports.sweep() == 0
    Export.unscoped.update(seen_at=clock.security_now() - exports.SILENT - timedelta(seconds=1))
    assert sweep_exports() == 1
    assert write_export(long_list.pk) is False
    assert Notice.objects.count() == 1


def test_a_role_that_ended_meanwhile_exports_nothing(long_list: Export, bureau_reviewer: Actor) -> None:
    Membership.objects.filter(pk=bureau_reviewer.membership_id).update(valid_until=clock.now())
    assert write_export(long_list.pk) is True
    long_list.refresh_from_db()
    assert (long_list.failed, long_list.sha256, long_list.finished_at) == ("role", "", None)
    assert exports.path_of(long_list).exists() is False
    assert Notice.objects.get().subject == "导出未完成：企业登记_20190412.xlsx"


def test_a_job_that_breaks_says_so_and_leaves_no_file(
    long_list: Export, bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = MACHINES[LIST]
    monkeypatch.setattr(broken, "get_province_display", lambda case: 1 / 0)
    Export.unscoped.update(columns="province")
    with pytest.raises(ZeroDivisionError):
        write_export(long_list.pk)
    shown = client_of(bureau_reviewer).get(f"/exports/{long_list.pk}/").context["page"]
    assert shown.failed == "写入文件时出错，请重新导出；仍不成功的，请联系系统管理员"
    assert [path for path in exports.path_of(long_list).parent.iterdir() if path.name.startswith("tmp")] == []


def test_a_file_that_was_changed_is_not_handed_out(long_list: Export, bureau_reviewer: Actor) -> None:
    write_export(long_list.pk)
    long_list.refresh_from_db()
    exports.path_of(long_list).write_bytes(b"other")
    with pytest.raises(OSError, match="changed"):
        exports.read(export=long_list, actor=bureau_reviewer)


def test_it_is_kept_seven_days_and_swept(long_list: Export) -> None:
    write_export(long_list.pk)
    path: Path = exports.path_of(long_list)
    assert sweep_exports() == 0
    assert path.exists()
    Export.unscoped.update(requested_at=clock.security_now() - timedelta(days=7, seconds=1))
    assert sweep_exports() == 1
    assert (Export.unscoped.count(), path.exists()) == (0, False)


def test_more_than_a_spreadsheet_should_hold_is_refused_in_words(
    bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(3)
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    monkeypatch.setattr(exports, "MOST", 2)
    response = client_of(bureau_reviewer).post(url(), follow=True)
    assert list(messages(response)) == ["一次最多导出 2 条，请缩小筛选范围"]
    with pytest.raises(Refused):
        exports.request(
            actor=bureau_reviewer, machine=LIST, table=exports.Table("示例", [], 3, []), query="", columns="",
            language="en",
        )  # fmt: skip
    assert Export.unscoped.count() == 0
