"""Uploads in pieces: they go on where they broke off, belong to their provider, and leave nothing behind."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from applications.models import Application, ApplicationFile, PartialUpload
from applications.services import uploads
from applications.services.drafts import start_application
from applications.tasks import sweep_uploads
from applications.validators.limits import MAX_BYTES
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from tests.applications import builders
from tests.factories import world

BODY = builders.pdf("x" * 3_000_000)
CHUNK = 1024 * 1024


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.VAR = tmp_path
    return tmp_path / "uploads"


@pytest.fixture
def case(provider: Actor) -> Application:
    return start_application(actor=provider)


class Browser:
    """What the page's script sends."""

    def __init__(self, actor: Actor, case: Application) -> None:
        self.client: Client = builders.client_of(actor)
        self.case = case

    def begin(
        self, body: bytes = BODY, *, name: str = "许可证.pdf", kind: str = "licence", size: int = 0
    ) -> Any:
        data = {"kind": kind, "name": name, "size": size or len(body)}
        return self.client.post(f"/applications/{self.case.pk}/uploads/", data, **self.json())

    def put(self, url: str, offset: int, chunk: bytes) -> Any:
        headers = {"Accept": "application/json", "Upload-Offset": str(offset)}
        return self.client.post(url, chunk, content_type="application/octet-stream", headers=headers)

    def finish(self, url: str) -> Any:
        return self.client.post(url, **self.json())

    @staticmethod
    def json() -> dict[str, Any]:
        return {"headers": {"Accept": "application/json"}}


@pytest.fixture
def browser(provider: Actor, case: Application) -> Browser:
    return Browser(provider, case)


def test_an_upload_cut_at_half_goes_on_where_it_broke_off(browser: Browser, folder: Path) -> None:
    begun = browser.begin().json()
    half = len(BODY) // 2
    for at in range(0, half, CHUNK):
        answer = browser.put(begun["url"], at, BODY[at : min(at + CHUNK, half)])
        assert answer.status_code == 200
    # The line was cut and the page opened anew: the portal is asked how much has come.
    standing = browser.client.get(begun["url"]).json()
    assert (standing["received"], standing["size"]) == (half, len(BODY))
    for at in range(standing["received"], len(BODY), CHUNK):
        answer = browser.put(begun["url"], at, BODY[at : at + CHUNK])
    assert answer["Upload-Offset"] == str(len(BODY))
    done = browser.finish(begun["finish"])
    file = ApplicationFile.unscoped.get()
    assert (done.status_code, done.json()["sha256"]) == (200, hashlib.sha256(BODY).hexdigest())
    assert (file.name, file.size, file.pages, file.sha256) == (
        "许可证.pdf",
        len(BODY),
        1,
        done.json()["sha256"],
    )
    assert f"/application-files/{file.pk}/" in done.json()["rows"]
    assert (PartialUpload.unscoped.count(), list(folder.iterdir())) == (0, [])


def test_a_piece_at_the_wrong_place_is_told_the_right_one(browser: Browser) -> None:
    begun = browser.begin().json()
    browser.put(begun["url"], 0, BODY[:1000])
    for offset in (0, 999, 1001):
        answer = browser.put(begun["url"], offset, b"x")
        assert (answer.status_code, answer["Upload-Offset"], answer["Content-Type"]) == (
            409,
            "1000",
            "application/problem+json",
        )
        assert answer.json()["detail"] == "已收到 1000 字节，请从该处继续上传"
    answer = browser.finish(begun["finish"])
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "1000")


def test_a_piece_written_without_its_row_is_written_again(
    browser: Browser, provider: Actor, folder: Path
) -> None:
    browser.begin()
    upload = PartialUpload.unscoped.get()
    uploads.path_of(upload).write_bytes(b"half of a piece that never committed")
    uploads.append(upload=upload, actor=provider, offset=0, chunk=BODY[:10])
    assert uploads.path_of(upload).read_bytes() == BODY[:10]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"size": MAX_BYTES + 1}, "文件超过 20 MB 的上限，请压缩或拆分后上传"),
        ({"body": b""}, "文件是空的"),
        ({"size": -1}, "缺少文件大小或位置"),
        ({"name": "a\u202efdp.pdf"}, "文件名含控制字符或改变文字方向的字符，请重新命名后上传"),
        ({"name": "../a.pdf"}, "文件名含上级目录“..”，请重新命名后上传"),
        ({"kind": "poem"}, "没有这种材料"),
    ],
)
def test_what_is_wrong_from_the_start_is_refused_at_the_start(
    browser: Browser, sent: dict[str, Any], words: str
) -> None:
    answer = browser.begin(**sent)
    assert (answer.status_code, answer.json()["detail"]) == (422, words)
    assert PartialUpload.unscoped.count() == 0


def test_more_than_was_said_is_refused(browser: Browser) -> None:
    begun = browser.begin(size=10).json()
    answer = browser.put(begun["url"], 0, b"x" * 11)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "收到的内容多于声明的 10 字节，请重新选择文件上传",
    )
    begun = browser.begin().json()
    answer = browser.put(begun["url"], 0, BODY[: CHUNK + 1])
    assert (answer.status_code, answer.json()["detail"]) == (422, "一次最多上传 1048576 字节")


def test_a_hostile_file_is_refused_when_whole_and_leaves_nothing(browser: Browser, folder: Path) -> None:
    begun = browser.begin(b"<script>").json()
    browser.put(begun["url"], 0, b"<script>")
    answer = browser.finish(begun["finish"])
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种",
    )
    assert (ApplicationFile.unscoped.count(), PartialUpload.unscoped.count()) == (0, 0)
    assert list(folder.iterdir()) == []


def test_a_foreign_upload_does_not_exist(browser: Browser, bureau_reviewer: Actor, case: Application) -> None:
    begun = browser.begin().json()
    other = Browser(world.provider(), case)
    assert [
        other.client.get(begun["url"]).status_code,
        other.put(begun["url"], 0, b"x").status_code,
        other.finish(begun["finish"]).status_code,
        other.client.delete(begun["url"]).status_code,
        other.begin().status_code,
        other.client.get("/uploads/..-etc/").status_code,
    ] == [404] * 6
    official = Browser(bureau_reviewer, case)
    assert official.client.get(begun["url"]).status_code == 403
    assert PartialUpload.unscoped.get().received == 0


def test_a_kind_the_notice_did_not_open_is_closed(provider: Actor, bureau_reviewer: Actor) -> None:
    browser = Browser(provider, builders.returned(provider, bureau_reviewer))
    answer = browser.begin(kind="form")
    assert (answer.status_code, answer.json()["detail"]) == (422, "补正告知未列“盖章申请表”，不能修改")
    assert browser.begin(kind="licence").status_code == 201


def test_what_was_begun_stops_when_the_application_closes(provider: Actor) -> None:
    case = builders.drafted(provider)
    browser = Browser(provider, case)
    begun = browser.begin(kind="other").json()
    browser.put(begun["url"], 0, BODY[:10])
    builders.fire(case, "submit", actor=provider, declaration=True)
    answer = browser.put(begun["url"], 10, BODY[10:20])
    words = "申请已提交，内容不能修改；需要补正时由通信管理局一次性告知"
    assert (answer.status_code, answer.json()["detail"]) == (422, words)


def test_giving_up_leaves_nothing(browser: Browser, folder: Path) -> None:
    begun = browser.begin().json()
    browser.put(begun["url"], 0, BODY[:100])
    assert browser.client.delete(begun["url"]).status_code == 204
    assert (PartialUpload.unscoped.count(), list(folder.iterdir())) == (0, [])
    assert browser.client.get(begun["url"]).status_code == 404


def test_a_foreign_upload_is_not_given_up(provider: Actor, case: Application) -> None:
    upload = uploads.begin(case=case, actor=provider, kind="other", name="a.pdf", size=10)
    with pytest.raises(Refused) as refusal:
        uploads.cancel(upload=upload, actor=world.provider())
    assert (str(refusal.value), PartialUpload.unscoped.count()) == ("只能填写本单位的申请", 1)
    uploads.cancel(upload=upload, actor=provider)
    with pytest.raises(StateChanged, match="该上传已完成或已取消"):  # a piece that was on its way
        uploads.append(upload=upload, actor=provider, offset=0, chunk=b"x")


def test_an_upload_finished_twice_is_one_file(browser: Browser, provider: Actor) -> None:
    body = builders.pdf("once")
    begun = browser.begin(body).json()
    browser.put(begun["url"], 0, body)
    upload = PartialUpload.unscoped.get()
    uploads.finish(upload=upload, actor=provider)
    with pytest.raises(StateChanged):
        uploads.finish(upload=upload, actor=provider)
    assert ApplicationFile.unscoped.count() == 1


def test_only_so_many_at_once(provider: Actor, case: Application) -> None:
    for _ in range(uploads.MAX_UNDER_WAY):
        uploads.begin(case=case, actor=provider, kind="other", name="a.pdf", size=10)
    with pytest.raises(Refused) as refusal:
        uploads.begin(case=case, actor=provider, kind="other", name="a.pdf", size=10)
    assert str(refusal.value) == "同时上传的文件最多 20 个，请等已开始的传完或取消"


def test_what_nobody_goes_on_with_is_swept_after_a_day(
    provider: Actor, case: Application, folder: Path
) -> None:
    def begin() -> PartialUpload:
        return uploads.begin(case=case, actor=provider, kind="other", name="a.pdf", size=10)

    old, lost, slow, new = begin(), begin(), begin(), begin()
    day_ago = clock.security_now() - timedelta(hours=24, seconds=1)
    PartialUpload.unscoped.exclude(pk=new.pk).update(begun_at=day_ago)
    orphan = folder / ("f" * 32)
    orphan.touch()
    for path in (orphan, uploads.path_of(old), uploads.path_of(slow)):
        os.utime(path, (day_ago.timestamp(),) * 2)
    uploads.path_of(lost).unlink()
    uploads.append(upload=slow, actor=provider, offset=0, chunk=b"x")  # over a slow line, and still coming
    assert sweep_uploads() == 2
    assert set(folder.iterdir()) == {uploads.path_of(slow), uploads.path_of(new)}
    assert list(PartialUpload.unscoped.all()) == [slow, new]
    assert sweep_uploads() == 0
