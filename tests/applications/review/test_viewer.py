"""Uploaded files as pictures: Chinese without embedded fonts, search, rotation, who may look, what is on record."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO
from threading import Thread

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageChops

from applications.models import Application, ApplicationFile
from applications.services import drawing
from applications.services.drawing import Hits, UndrawableError
from applications.services.files import add_file
from pilot.actors import Actor
from pilot.enums import Province
from pilot.models import AuditEntry
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.review import papers
from tests.factories import world


def draw(body: bytes, page: int = 1, **how: object) -> Image.Image:
    asked = {"zoom": 100, "turn": 0, **how}
    return Image.open(BytesIO(drawing.draw(body, drawing.PDF, page=page, **asked)))  # type: ignore[arg-type]


def ink(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of everything that is not white."""
    return ImageChops.invert(picture.convert("L")).getbbox()


# --- drawing ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("font", ["SimSun", "STSong-Light", "FangSong_GB2312", "KaiTi"])
def test_chinese_is_drawn_though_the_file_embeds_no_font(font: str) -> None:
    picture = draw(papers.pdf("试点申请表", font=font))
    assert picture.size == (794, 1123)
    left, top, right, bottom = ink(picture) or (0, 0, 0, 0)
    # Five signs of 36 pt, 48 pixels each, from 50 pt on; the baseline is 142 pt under the upper edge.
    assert 60 < left < 75
    assert 285 < right < 310
    assert 130 < top < 175
    assert 180 < bottom < 205


def test_zoom_and_turn_come_from_the_page_and_the_pixels_are_bounded() -> None:
    body = papers.pdf("示例")
    sizes = [
        draw(body, zoom=zoom, turn=turn).size for zoom, turn in ((75, 0), (200, 0), (100, 90), (100, 180))
    ]
    assert sizes == [(595, 842), (1587, 2246), (1123, 794), (794, 1123)]
    width, height = draw(papers.pdf("示例", box="[0 0 14000 14000]"), zoom=200).size
    assert width == height
    assert drawing.MAX_PIXELS * 0.99 < width * height < drawing.MAX_PIXELS * 1.01


def test_search_names_the_pages_and_marks_the_place_however_the_page_is_turned() -> None:
    body = papers.pdf("示例申请表", "别的内容", "申请表与申请表")
    assert drawing.search(body, "申请表") == (Hits(1, 1), Hits(3, 2))
    assert drawing.search(body, "没有") == ()
    for turn in drawing.TURNS:
        plain, marked = draw(body, turn=turn), draw(body, turn=turn, find="申请表")
        changed = ImageChops.difference(plain, marked).getbbox()
        written = ink(plain)
        assert changed is not None
        assert written is not None
        # The mark lies on the last three of five signs: inside the line and no longer than that.
        long_side = max(changed[2] - changed[0], changed[3] - changed[1])
        assert 135 < long_side < 155


def test_the_reader_is_named_faintly_all_over_and_plainly_in_the_corner() -> None:
    body, words = papers.pdf("示例"), "广东省通信管理局 示例甲 2019-04-12 09:00"
    marked = draw(body, watermark=words)
    changed = ImageChops.difference(draw(body), marked).convert("L")
    width, height = changed.size
    thirds = [(width * n // 3, 0, width * (n + 1) // 3, height // 2) for n in range(3)]
    # Everywhere, but light: black text on white stays more than four times as dark.
    assert [0 < changed.crop(box).getextrema()[1] < 40 for box in thirds] == [True] * 3
    corner = changed.crop((width * 3 // 5, height - 40, width, height))
    assert corner.getextrema()[1] > 60


@pytest.mark.parametrize(
    ("body", "content_type", "page"),
    [
        (b"%PDF-1.4\n%%EOF\n", drawing.PDF, 1),
        (papers.pdf("示例"), drawing.PDF, 2),
        (papers.pdf("示例"), drawing.PDF, 0),
        (b"\x89PNG\r\n\x1a\nrubbish", "image/png", 1),
        (papers.picture(), "image/png", 2),
        (papers.workbook(), drawing.SHEET, 1),
        (b"<html>", "text/html", 1),
    ],
)
def test_what_cannot_be_drawn_is_refused(body: bytes, content_type: str, page: int) -> None:
    with pytest.raises(UndrawableError):
        drawing.draw(body, content_type, page=page, zoom=100, turn=0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pictures_are_made_anew(kind: str) -> None:
    body = papers.picture(kind) + b"<script>hidden</script>"
    made = drawing.draw(body, f"image/{kind.lower()}", page=1, zoom=100, turn=90)
    assert b"hidden" not in made
    assert Image.open(BytesIO(made)).size == (596, 794)


def test_a_sheet_is_plain_text_and_ends_after_two_hundred_rows() -> None:
    sheet = drawing.sheet(papers.workbook(250), 1)
    assert (sheet.names, len(sheet.rows), sheet.total) == (("示例表",), 200, 250)
    assert sheet.rows[0] == ("第1行", "1", "=cmd")
    with pytest.raises(UndrawableError):
        drawing.sheet(papers.workbook(), 2)


def test_whole_numbers_and_days_of_a_sheet_are_written_as_people_read_them() -> None:
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_row(0, 0, [20190516.0, 0.5])
        page.write_datetime(0, 2, date(2019, 5, 16), day)
        page.write_datetime(0, 3, datetime(2019, 5, 16, 9, 30), day)
    body = out.getvalue()
    assert drawing.sheet(body, 1).rows == (("20190516", "0.5", "2019-05-16", "2019-05-16 09:30:00"),)
    counted = [(papers.pdf("一", "二"), drawing.PDF), (body, drawing.SHEET), (b"", "image/png")]
    assert [drawing.count_pages(*each) for each in counted] == [2, 1, 1]


def test_what_takes_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    body = papers.pdf("示例申请表")
    assert draw(body, find="没有").tobytes() == draw(body).tobytes()
    monkeypatch.setattr(drawing, "SECONDS", -1)
    assert drawing.search(body, "申请表") == ()
    monkeypatch.setattr(drawing, "MAX_SOURCE_PIXELS", 1)
    with pytest.raises(UndrawableError, match="too many pixels"):
        drawing.draw(papers.picture(), "image/png", page=1, zoom=100, turn=0)


def test_threads_draw_one_after_another() -> None:
    body, made = papers.pdf("示例申请表"), []
    threads = [Thread(target=lambda: made.append(draw(body, find="申请表").size)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [(794, 1123)] * 8


# --- the page ---------------------------------------------------------------------------------------
@pytest.fixture
def case(provider: Actor) -> Application:
    return papers.submitted(provider)


def url(file: ApplicationFile, page: int = 1, query: str = "") -> str:
    return f"/application-files/{file.pk}/pages/{page}/{query}"


def test_a_page_is_a_png_that_nobody_keeps(case: Application, bureau_reviewer: Actor) -> None:
    response = builders.client_of(bureau_reviewer).get(
        url(papers.file_of(case), 2, "?zoom=75&turn=90&q=报告")
    )
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert Image.open(BytesIO(response.content)).size == (842, 595)
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_whoever_sees_the_file_sees_its_pages_and_nobody_else(
    case: Application, provider: Actor, bureau_lead: Actor, ministry_officer: Actor
) -> None:
    file = papers.file_of(case)
    outcomes = {
        name: builders.client_of(actor).get(url(file)).status_code
        for name, actor in {
            "provider": provider,
            "lead": bureau_lead,
            "officer": ministry_officer,
            "other bureau": world.bureau(province=Province.ZHEJIANG),
            "other provider": world.provider(),
            "assessor": world.assessor(),
        }.items()
    }
    assert outcomes == {
        "provider": 200, "lead": 200, "officer": 200, "other bureau": 404, "other provider": 404, "assessor": 404
    }  # fmt: skip


def test_a_draft_file_is_the_providers_alone(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    add_file(
        case=case,
        actor=provider,
        kind="emergency",
        upload=SimpleUploadedFile("plan.pdf", papers.pdf("示例预案")),
    )
    file = papers.file_of(case, "emergency")
    assert builders.client_of(bureau_reviewer).get(url(file)).status_code == 404
    assert builders.client_of(provider).get(url(file)).status_code == 200


def test_reading_is_on_record_once_per_opening(case: Application, bureau_reviewer: Actor) -> None:
    client, form = builders.client_of(bureau_reviewer), papers.file_of(case)
    for page in (1, 2, 1):
        assert client.get(url(form, page)).status_code == 200
    licence = papers.file_of(case, "licence")
    client.get(url(licence))
    builders.client_of(bureau_reviewer).get(url(form))
    entries = AuditEntry.objects.filter(action="application.view_file").order_by("pk")
    assert [int(entry.object_id) for entry in entries] == [form.pk, licence.pk, form.pk]
    assert {entry.person_id for entry in entries} == {bureau_reviewer.person_id}


def test_a_page_that_is_not_there_says_so(case: Application, bureau_reviewer: Actor) -> None:
    response = builders.client_of(bureau_reviewer).get(url(papers.file_of(case), 9))
    assert response.status_code == 422
    assert "无法在线显示" in response.content.decode()
    assert AuditEntry.objects.filter(action="application.view_file").count() == 0


def test_a_replaced_file_of_an_earlier_version_can_still_be_looked_at(
    case: Application, provider: Actor, bureau_reviewer: Actor
) -> None:
    old = papers.file_of(case, "licence")
    fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    case.refresh_from_db()
    body = papers.pdf("更正后的许可证")
    add_file(case=case, actor=provider, kind="licence", upload=builders.upload("new.pdf", body))
    assert builders.client_of(bureau_reviewer).get(url(old)).status_code == 200
