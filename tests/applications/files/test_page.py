"""The page of files: what is asked for, what is there, what is closed, and handing over without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.datastructures import MultiValueDict

from applications.enums import FileKind
from applications.models import Application, ApplicationFile, PartialUpload
from applications.pages import files as page
from applications.services import uploads
from applications.services.drafts import start_application
from pilot import clock
from pilot.actors import Actor
from tests.applications import builders
from tests.factories import world


def address(case: Application) -> str:
    return f"/applications/{case.pk}/files/"


def card(case: Application, actor: Actor, kind: str) -> page.FileCard:
    return page.card(case, actor, kind)


def test_the_limits_stand_before_anything_is_chosen(provider: Actor) -> None:
    case = start_application(actor=provider)
    built = page.build(case, provider, at=clock.now())
    assert [(fact.label, fact.value) for fact in built.limits] == [
        ("文件类型", "PDF、PNG、JPG、XLSX"),
        ("单个文件", "不超过 20 MB"),
        ("PDF", "不超过 300 页；不得加密、含脚本或内嵌文件"),
        ("图像", "不超过 4000 万像素（A4 幅面 600 dpi 扫描件约 3500 万）"),
        ("工作簿", "不得含宏、内嵌对象或外部链接"),
    ]
    assert [(card.kind, card.required, card.locked) for card in built.cards] == [
        ("form", True, ""),
        ("licence", True, ""),
        ("test_report", True, ""),
        ("comparison", True, ""),
        ("protection", False, ""),
        ("emergency", False, ""),
        ("other", False, ""),
    ]
    assert built.missing == 4
    assert [crumb.label for crumb in built.crumbs] == ["首页", "试点申请", case.number, "填写申请"]
    assert built.step == "第 7 部分，共 7 部分"
    check = f'<a class="btn btn-primary" href="/applications/{case.pk}/check/">核对并提交</a>'
    assert check in builders.client_of(provider).get(address(case)).content.decode()


def test_files_are_handed_over_without_javascript(provider: Actor) -> None:
    case = start_application(actor=provider)
    client = builders.client_of(provider)
    sent = MultiValueDict({"uploads": [builders.upload(f"{n}.pdf", builders.pdf(str(n))) for n in range(3)]})
    response = client.post(address(case), {"kind": "other", "uploads": sent.getlist("uploads")}, follow=True)
    assert response.redirect_chain == [(address(case), 302)]
    assert [file.name for file in card(case, provider, "other").files] == ["0.pdf", "1.pdf", "2.pdf"]
    assert "已上传：2.pdf" in response.content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "licence"}, "请先选择文件"),
        (
            {"kind": "licence", "uploads": builders.upload("a.pdf", b"MZ")},
            "a.pdf：只接收 PDF、PNG、JPG、XLSX 文件",
        ),
        ({"kind": "licence", "uploads": builders.upload("a.pdf", b"")}, "a.pdf：文件是空的"),
    ],
)
def test_a_refusal_stands_at_its_card_and_on_top(provider: Actor, data: dict[str, Any], words: str) -> None:
    case = start_application(actor=provider)
    response = builders.client_of(provider).post(address(case), data)
    text = response.content.decode()
    assert (response.status_code, text.count(words)) == (422, 2)
    assert '<a href="#licence">' in text
    assert ApplicationFile.unscoped.count() == 0


def test_a_file_is_shown_with_its_figures_and_can_be_removed(provider: Actor) -> None:
    case = builders.drafted(provider)
    file = ApplicationFile.unscoped.get(kind="licence")
    shown = card(case, provider, "licence").files[0]
    assert (shown.name, shown.pages, shown.sha256, shown.scan.label) == (
        "licence.pdf",
        1,
        file.sha256[:16],
        "未经病毒扫描",
    )
    response = builders.client_of(provider).post(shown.remove)
    assert (response.status_code, response["Location"]) == (302, address(case))
    assert card(case, provider, "licence").missing is True


def test_a_notice_opens_its_kinds_and_locks_the_rest(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    built = page.build(case, provider, at=clock.now())
    assert {card.kind: (card.locked, card.note) for card in built.cards} == {
        kind.value: ("", "缺附页") if kind == FileKind.LICENCE else ("补正告知未列此项，不能修改", "")
        for kind in FileKind
    }
    text = builders.client_of(provider).get(address(case)).content.decode()
    assert (text.count('name="uploads"'), text.count("补正告知未列此项，不能修改")) == (1, 6)


def test_what_was_handed_in_is_locked_with_the_reason(provider: Actor) -> None:
    case = builders.submitted(provider)
    built = page.build(case, provider, at=clock.now())
    assert (built.check, [crumb.label for crumb in built.crumbs]) == (None, ["首页", "试点申请", case.number])
    reasons = {card.locked for card in built.cards}
    assert reasons == {"申请已提交，内容不能修改；需要补正时由通信管理局一次性告知"}


def test_an_upload_that_broke_off_is_shown(provider: Actor, settings: Any, tmp_path: Any) -> None:
    settings.VAR = tmp_path
    case = start_application(actor=provider)
    upload = uploads.begin(case=case, actor=provider, kind="licence", name="许可证.pdf", size=100)
    uploads.append(upload=upload, actor=provider, offset=0, chunk=b"x" * 40)
    text = builders.client_of(provider).get(address(case)).content.decode()
    assert "“许可证.pdf”已传 40%，重新选择同一文件即可续传" in text
    assert PartialUpload.unscoped.count() == 1


def test_the_page_is_the_providers_own(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    assert [
        builders.client_of(actor).get(address(case)).status_code
        for actor in (provider, world.provider(), bureau_reviewer)
    ] == [200, 404, 403]


def test_a_foreign_file_cannot_be_removed(provider: Actor) -> None:
    builders.drafted(provider)
    file = ApplicationFile.unscoped.get(kind="licence")
    other = world.provider()
    theirs = start_application(actor=other)
    client = builders.client_of(other)
    assert [
        client.post(f"/applications/{case}/files/{file.pk}/remove/").status_code
        for case in (file.application_id, theirs.pk)
    ] == [404, 404]


def test_the_page_costs_the_same_for_one_file_and_for_many(provider: Actor) -> None:
    case = start_application(actor=provider)
    client = builders.client_of(provider)
    counts = []
    for number in range(3):
        upload = builders.upload(f"{number}.pdf", builders.pdf(str(number)))
        builders.add_file(case=case, actor=provider, kind="other", upload=upload)
        with CaptureQueriesContext(connection) as queries:
            client.get(address(case))
        counts.append(len(queries))
    assert counts[1] == counts[2]
