"""The pages of upload jobs: handing in, reading the outcome, fetching refused rows; for whom each is."""

from __future__ import annotations

import io
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings import column_guide, writers
from filings.models import UploadJob
from filings.services import spool, uploads
from pilot.actors import Actor
from pilot.models import Person
from pilot.services import register
from pilot.ui import Tag
from tests.factories import world

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def upload(client: Client, content: bytes, name: str = "forms.ndjson", **fields: Any) -> Any:
    data = {"file": SimpleUploadedFile(name, content), "format": "", "encoding": "utf-8", **fields}
    return client.post(reverse("upload-job_create"), data)


@pytest.fixture
def job(made: Any, hand_in: Any) -> Any:
    """A job of three rows, the second refused."""
    forms = made(3)
    return hand_in(forms[0], {**forms[1], "verifier_name": ""}, forms[2])


def test_a_provider_hands_in_a_file(unit: Any, provider: Actor, made: Any) -> None:
    content = "\n".join(json.dumps(form) for form in made(2)).encode()
    response = upload(client_of(provider), content)
    job = UploadJob.unscoped.get()
    assert (response.status_code, response["Location"]) == (302, reverse("upload-job_detail", args=[job.pk]))
    assert (job.unit, job.source_name, job.dry_run) == (unit, "forms.ndjson", False)
    assert uploads.process(job_id=job.pk).accepted == 2


def test_a_failed_file_waits_until_a_later_one_is_taken(
    provider: Actor, receive: Any, hand_in: Any, made: Any
) -> None:
    def waits() -> list[int]:
        page = client_of(provider).get(f"{reverse('upload-job_list')}?waiting=me").context["page"]
        return [int(row.url.rstrip("/").rsplit("/", 1)[1]) for row in page.rows]

    first = receive(*made(1))
    for state in ("processing", "failed"):
        UploadJob.unscoped.filter(pk=first.pk).update(state=state)
    assert waits() == [first.pk]
    later = hand_in(made(2)[1])
    UploadJob.unscoped.filter(pk=later.pk).update(received_at=first.received_at + timedelta(minutes=1))
    assert waits() == []


def test_a_file_is_received_when_its_request_arrived(settings: Any, unit: Any, provider: Actor) -> None:
    settings.PILOT_ARRIVAL_HEADER = "X-Arrived"
    client, bell = client_of(provider), world.moment("2019-07-01 00:00")
    world.at("2019-07-01 00:00:01")
    for before in (3, 0):
        data = {"file": SimpleUploadedFile("a.ndjson", b"{}\n"), "format": "", "encoding": "utf-8"}
        stamp = {"X-Arrived": f"t={time.time() - before:.3f}"}
        assert client.post(reverse("upload-job_create"), data, headers=stamp).status_code == 302
    assert [job.received_at < bell for job in UploadJob.unscoped.order_by("pk")] == [True, False]


def test_a_file_refused_as_a_whole_says_why_on_the_form(unit: Any, provider: Actor) -> None:
    response = upload(client_of(provider), b"\x00\x01 garbage", name="a.bin")
    assert (response.status_code, UploadJob.unscoped.count()) == (422, 0)
    assert "文件是二进制数据，不是文本" in response.content.decode()


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_template_handed_back_empty_says_so_on_the_form(
    unit: Any, provider: Actor, made: Any, ending: str
) -> None:
    out = io.BytesIO()
    write = {"csv": writers.write_csv, "xlsx": writers.write_xlsx}[ending]
    write([], out, writers.columns_of(made(1)))
    response = upload(client_of(provider), out.getvalue(), name=f"template.{ending}")
    assert (response.status_code, UploadJob.unscoped.count()) == (422, 0)
    assert "文件为空或没有数据行" in response.content.decode()


@pytest.mark.parametrize("name", ["forms.json", "forms"])
def test_an_array_of_forms_is_no_file_of_lines(unit: Any, provider: Actor, made: Any, name: str) -> None:
    """And is told so, before three forms become three hundred refusals of the unit."""
    response = upload(client_of(provider), json.dumps(made(3), indent=1).encode(), name=name)
    assert (response.status_code, UploadJob.unscoped.count()) == (422, 0)
    assert "文件应每行一个 JSON 对象" in response.content.decode()


def test_the_page_shows_counts_codes_and_refused_rows(provider: Actor, job: Any) -> None:
    page = client_of(provider).get(reverse("upload-job_detail", args=[job.pk])).content.decode()
    for text in ("field.required", "缺少必填项", "/verifier_name", "forms.ndjson", "下载拒收文件"):
        assert text in page


def test_the_list_counts_rows_and_filters_by_file(provider: Actor, job: Any) -> None:
    client, address = client_of(provider), reverse("upload-job_list")
    assert "forms.ndjson" in client.get(address, {"q": "forms"}).content.decode()
    assert "forms.ndjson" not in client.get(address, {"q": "others"}).content.decode()


def test_refused_rows_are_for_the_unit_alone(provider: Actor, job: Any) -> None:
    address = reverse("upload-job_rejects", args=[job.pk])
    response = client_of(provider).get(address)
    row = json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]
    assert (row["_row"], row["_errors"][0]["code"]) == (2, "field.required")
    assert response["Content-Disposition"] == f'attachment; filename="rejects-{job.pk}.ndjson"'
    answers = [
        client_of(actor).get(address).status_code
        for actor in (world.provider(), world.bureau(), world.ministry(), world.assessor())
    ]
    assert answers == [404, 403, 403, 403]


def test_without_refused_rows_there_is_nothing_to_fetch(provider: Actor, made: Any, hand_in: Any) -> None:
    job = hand_in(*made(1))
    assert client_of(provider).get(reverse("upload-job_rejects", args=[job.pk])).status_code == 404


def test_a_job_with_refused_rows_does_not_look_well(provider: Actor, made: Any, hand_in: Any) -> None:
    good, bad = made(2)
    del bad["verifier_name"]
    tags = [
        client_of(provider).get(reverse("upload-job_detail", args=[hand_in(form).pk])).context["page"].state
        for form in (good, bad)
    ]
    assert tags == [Tag("已完成", "success"), Tag("已完成", "warning")]


def test_who_sees_a_job(unit: Any, provider: Actor, job: Any) -> None:
    address = reverse("upload-job_detail", args=[job.pk])
    seen = {
        name: client_of(actor).get(address).status_code
        for name, actor in {
            "its provider": provider,
            "another provider": world.provider(),
            "home bureau": world.bureau(),
            "another bureau": world.bureau(province=11),
            "ministry": world.ministry(),
        }.items()
    }
    assert seen == {
        "its provider": 200,
        "another provider": 404,
        "home bureau": 200,
        "another bureau": 404,
        "ministry": 200,
    }


def test_the_list_costs_the_same_whatever_its_length(provider: Actor, hand_in: Any) -> None:
    client, address, costs = client_of(provider), reverse("upload-job_list"), []
    for more in (1, 2):
        for _n in range(more):
            hand_in(b"{}\n")
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        costs.append(len(captured))
    assert costs[0] == costs[1]


# --- how far, and what was refused ----------------------------------------------------------------------
def test_the_page_of_a_job_under_way_refreshes_itself_until_it_is_done(
    provider: Actor, made: Any, receive: Any
) -> None:
    job = receive(*made(2))
    client = client_of(provider)
    page, progress = (reverse(f"upload-job_{name}", args=[job.pk]) for name in ("detail", "progress"))
    assert 'hx-trigger="every 2s"' in client.get(page).content.decode()
    waiting = client.get(progress).content.decode()
    assert ('data-said="等待处理"' in waiting, f'hx-get="{progress}"' in waiting) == (True, True)
    assert "等待处理" in client.get(reverse("upload-job_list")).content.decode()
    UploadJob.unscoped.filter(pk=job.pk).update(state="processing", taken_rows=1)
    spool.note_reached(job.case_key, -(-job.size * 6 // 10))
    halfway = client.get(progress).content.decode()
    assert ('data-said="已处理约 50%"' in halfway, "已处理 1 行，约" in halfway) == (True, True)
    assert "已处理 1 行，约 60%" in client.get(reverse("upload-job_list")).content.decode()
    UploadJob.unscoped.filter(pk=job.pk).update(taken_rows=0)
    uploads.process(job_id=job.pk)
    done = client.get(progress).content.decode()
    assert ("every 2s" in done, f'hx-get="{page}" hx-trigger="load"' in done) == (False, True)
    final = client.get(page).content.decode()
    assert ("every 2s" in final, 'data-said="处理完成：接收 2 行，重复 0 行，拒收 0 行"' in final) == (
        False,
        True,
    )
    assert client_of(world.provider()).get(progress).status_code == 404


def test_tiles_open_what_they_count(provider: Actor, job: Any, made: Any, hand_in: Any) -> None:
    hand_in(*made(5)[3:])
    client = client_of(provider)
    page = client.get(reverse("upload-job_detail", args=[job.pk])).content.decode()
    address = f"{reverse('verification-form_list')}?job={job.pk}"
    assert (f'href="{address}"' in page, 'href="#refusals"' in page) == (True, True)
    counted = {query: client.get(query).context["page"].total for query in (address, address.split("?")[0])}
    assert [*counted.values()] == [2, 4]
    assert client.get(address.replace(str(job.pk), "999999")).context["page"].total == 0


def test_refusals_are_paged_and_filtered_by_code(provider: Actor, made: Any, hand_in: Any) -> None:
    broken = [{**form, "verifier_name": ""} for form in made(24)]
    job = hand_in(*broken, b"{broken\n")
    client, address = client_of(provider), reverse("upload-job_detail", args=[job.pk])

    def shown(**query: Any) -> tuple[int, list[Any]]:
        part = client.get(address, query).context["job"].refusals
        return part.total, [row.cells[0] for row in part.table.rows]

    assert shown() == (25, list(range(1, 21)))
    assert shown(page=2) == (25, [21, 22, 23, 24, 25])
    assert shown(code="json.invalid") == (1, [25])
    assert shown(code="field.required", page=2) == (24, [21, 22, 23, 24])
    assert shown(code="unknown") == (25, list(range(1, 21)))
    costs = []
    for size in (10, 100):
        with CaptureQueriesContext(connection) as captured:
            client.get(address, {"size": size})
        costs.append(len(captured))
    assert costs[0] == costs[1]


def refused_cells(client: Client, job: UploadJob) -> list[list[Any]]:
    """Every fault told of a job: field, place, words."""
    table = client.get(reverse("upload-job_detail", args=[job.pk])).context["job"].refusals.table
    return [list(row.cells[3:]) for row in table.rows]


def test_a_fault_names_its_field_its_place_in_the_file_and_what_should_stand_there(
    provider: Actor, made: Any, hand_in: Any
) -> None:
    form = made(1)[0]
    del form["subject_kind"]
    form["collected_at"] = "2019/06/30 08:57"
    form["websites"][0]["principal"]["mobile"] = "12013800138"
    form["images"][0]["bytes"] = 0
    form["verifier_name"] = ""
    assert refused_cells(client_of(provider), hand_in(form)) == [
        ["核验单：主办者类型", "/subject_kind", "缺少必填项；应填：unit 单位，person 个人"],
        ["采集与比对：采集时间", "/collected_at", "格式不正确；应填：如 2019-06-03T10:00:00+08:00"],
        ["网站 1 负责人：手机号码", "/websites/0/principal/mobile", "手机号码不正确"],
        ["影像 1：字节数", "/images/0/bytes", "格式不正确；应填：不超过 102400"],
        ["核验人", "/verifier_name", "缺少必填项；应填：1 至 128 字"],
    ]


def test_a_fault_in_a_table_names_the_column(unit: Any, provider: Actor, made: Any) -> None:
    out = io.BytesIO()
    form = made(1)[0]
    form["websites"][0]["access"]["mode"] = 3
    writers.write_csv([form], out, column_guide.names())
    client = client_of(provider)
    upload(client, out.getvalue(), "forms.csv")
    job = uploads.process(job_id=UploadJob.unscoped.get().pk)
    page = client.get(reverse("upload-job_detail", args=[job.pk]))
    table = page.context["job"].refusals.table
    assert table.note in page.content.decode()
    assert ([column.label for column in table.columns[3:5]], table.note) == (
        ["字段", "列名"],
        "行号从表头下第一行数据起算",
    )
    assert refused_cells(client, job) == [
        [
            "网站 1：接入方式",
            "websites.0.access.mode",
            "取值不在允许的范围内；应填：1 专线，2 主机托管，4 虚拟主机，8 其他，16 云接入",
        ]
    ]


def test_a_suspended_unit_reads_what_is_still_taken(unit: Any, provider: Actor) -> None:
    client = client_of(provider)
    assert client.get(reverse("upload-job_create")).context["page"].form.warning == ""
    start = world.moment("2019-06-20 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=start, reason="CZ（示例）")
    said = "本单位自 2019-06-20 起暂停试点：暂停期间采集的核验单会被拒收，此前采集的仍可上报。"
    page = client.get(reverse("upload-job_create")).content.decode()
    assert f'<p class="strip strip-warning">{said}</p>' in page


def test_what_comes_after_the_run_phase_is_said_to_count_for_nothing(
    provider: Actor, made: Any, hand_in: Any
) -> None:
    client = client_of(provider)
    assert client.get(reverse("upload-job_create")).context["page"].form.warning == ""
    for received, words in (("2019-06-30 12:00", ""), ("2020-01-06 12:00", "其中迟报 1，不计入准确率")):
        world.at(received)
        job = hand_in(made(1, seed=len(words))[0], received=received)
        accepted = next(
            tile
            for tile in client.get(reverse("upload-job_detail", args=[job.pk])).context["job"].progress.tiles
            if tile.label == "接收"
        )
        assert (accepted.value, accepted.hint) == ("1", words)
        assert accepted.tone == ("warning" if words else "success")
    shown = client.get(reverse("upload-job_list")).context["page"]
    keys = [column.key for column in shown.columns]
    told = [dict(zip(keys, row.cells, strict=True)) for row in shown.rows]
    assert [(row["accepted"], row["late"]) for row in told] == [(1, Tag("迟报", "warning")), (1, None)]
    warned = "试点运行阶段已于 2019-12-31 结束：现在上报的核验单标为迟报，不计入准确率。"
    assert client.get(reverse("upload-job_create")).context["page"].form.warning == warned
    assert (
        f'<p class="strip strip-warning">{warned}</p>'
        in client.get(reverse("upload-job_create")).content.decode()
    )
    page = client.get(client.get(reverse("verification-form_list")).context["page"].rows[0].url).context[
        "page"
    ]
    assert [fact.value for fact in page.facts if fact.label == "计入日期"] == [Tag("迟报，不计入", "warning")]


def test_a_unit_does_not_read_its_own_name_in_every_row(
    job: Any, provider: Actor, ministry_officer: Actor
) -> None:
    def columns(actor: Actor) -> list[tuple[str, str]]:
        shown = client_of(actor).get(reverse("upload-job_list")).context["page"]
        return [(column.key, column.align) for column in shown.columns]

    numbers = [(key, "end") for key in ("rows", "accepted", "duplicates", "rejected", "late")]
    own = [("number", "start"), ("file", "start"), ("received", "start"), *numbers]
    assert columns(provider)[:8] == own
    assert columns(ministry_officer)[:9] == [own[0], ("unit", "start"), *own[1:]]
