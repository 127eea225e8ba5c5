"""Files: known by content, refused in words, replaced but never lost, fetched as attachments only."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client

from applications.models import ApplicationFile
from applications.services.drafts import start_application
from applications.services.files import MAX_OTHER, add_file
from applications.validators import files as validator
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry
from pilot.services import documents
from tests.applications import builders
from tests.factories import world

SHEET = validator.XLSX.removesuffix("sheet") + "sheet.main+xml"


def png(width: int = 2, height: int = 2) -> bytes:
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)
    return head + b"\x08\x02\x00\x00\x00" + b"\x00" * 4 + b"\x00\x00\x00\x00IEND\xaeB`\x82"


def jpeg(width: int = 2, height: int = 2) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\x00" * 9
    return b"\xff\xd8\xff\xe0\x00\x10" + b"JFIF" + b"\x00" * 10 + frame + b"\xff\xd9"


def xlsx(*extra: tuple[str, bytes], types: str = SHEET) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Override ContentType="{types}"/>')
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for name, body in extra:
            archive.writestr(name, body)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.pdf", builders.pdf("a"), "application/pdf"),
        ("照片.PNG", png(), "image/png"),
        ("b.jpg", jpeg(), "image/jpeg"),
        ("b.jpeg", jpeg(), "image/jpeg"),
        ("c.xlsx", xlsx(), validator.XLSX),
    ],
)
def test_accepted_files_are_known_by_content(name: str, body: bytes, kind: str) -> None:
    assert validator.content_type(body, name) == kind


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("a.pdf", lambda: b"", "文件是空的"),
        ("a.pdf", lambda: builders.pdf("x" * validator.MAX_BYTES), "文件超过 20 MB 的上限"),
        ("a.pdf", lambda: b"<html>", "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"),
        ("a.svg", lambda: b"<svg onload=x>", "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"),
        ("a.pdf", lambda: png(), "文件扩展名与内容不符：内容为 PNG"),
        ("a.pdf.exe", lambda: builders.pdf("a"), "文件扩展名与内容不符：内容为 PDF"),
        ("a.pdf", lambda: b"%PDF-1.4 cut off", "PDF 文件不完整，请重新导出后上传"),
        (
            "a.pdf",
            lambda: builders.pdf("/JavaScript (app.alert)"),
            "PDF 文件含脚本、启动命令、嵌入文件或加密，请另存为普通 PDF 后上传",
        ),
        ("a.png", lambda: png()[:-12], "PNG 文件不完整，请重新上传"),
        ("a.png", lambda: png(100_000, 100_000), "图像尺寸过大，请缩小到 5000 万像素以内"),
        ("a.jpg", lambda: jpeg(65_000, 65_000), "图像尺寸过大，请缩小到 5000 万像素以内"),
        ("a.jpg", lambda: jpeg()[:-2], "JPG 文件不完整，请重新上传"),
        (
            "a.jpg",
            lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 30 + b"\xff\xd9",
            "JPG 文件已损坏，请重新上传",
        ),
        ("a.xlsx", lambda: xlsx()[:-30], "XLSX 文件已损坏或已加密，请重新上传"),
        ("a.xlsx", lambda: xlsx(("xl/vbaProject.bin", b"x")), "工作簿含宏，请去除后上传"),
        (
            "a.xlsx",
            lambda: xlsx(types="wordprocessingml"),
            "压缩文件不是 XLSX 工作簿；含宏的工作簿请另存为 XLSX 后上传",
        ),
        ("a.xlsx", lambda: xlsx(("../../evil", b"x")), "XLSX 文件含非法路径"),
        (
            "a.xlsx",
            lambda: xlsx(("xl/big.xml", b"\x00" * (validator.MAX_UNPACKED + 1))),
            "XLSX 文件解压后过大",
        ),
    ],
)
def test_refused_files_name_the_rule(name: str, make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(Refused) as refusal:
        validator.content_type(make(), name)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\文件\\许可证.pdf", "许可证.pdf"),
        ("evil\u202efdp.exe\x00.pdf", "evilfdp.exe.pdf"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
        ("", "file"),
    ],
)
def test_names_are_made_safe(name: str, kept: str) -> None:
    assert validator.safe_name(name) == kept


def test_a_replaced_file_stays(provider: Actor) -> None:
    case = start_application(actor=provider)
    for text in ("first", "second"):
        add_file(
            case=case, actor=provider, kind="licence", upload=builders.upload("a.pdf", builders.pdf(text))
        )
    first, second = ApplicationFile.unscoped.order_by("pk")
    assert (first.replaced_at is not None, second.replaced_at) == (True, None)
    assert documents.read_bytes(first.sha256) == builders.pdf("first")


def test_an_identical_file_is_stored_once(provider: Actor) -> None:
    case = start_application(actor=provider)
    body = builders.pdf("same")
    files = [
        add_file(case=case, actor=provider, kind="licence", upload=builders.upload("a.pdf", body))
        for _ in range(2)
    ]
    assert files[0] == files[1]
    assert ApplicationFile.unscoped.count() == 1


def test_other_material_adds_up_to_its_limit(provider: Actor) -> None:
    case = start_application(actor=provider)
    for n in range(MAX_OTHER):
        add_file(
            case=case, actor=provider, kind="other", upload=builders.upload("a.pdf", builders.pdf(str(n)))
        )
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=provider, kind="other", upload=builders.upload("a.pdf", builders.pdf("x")))
    assert str(refusal.value) == "“其他材料”最多 10 个文件"


def test_a_notice_opens_only_the_files_it_names(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=provider, kind="form", upload=builders.upload("a.pdf", builders.pdf("x")))
    assert str(refusal.value) == "补正告知未列“盖章申请表”，不能修改"
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=provider, kind="poem", upload=builders.upload("a.pdf", builders.pdf("x")))
    assert str(refusal.value) == "没有这种材料"


def test_nobody_adds_to_another_or_a_closed_application(provider: Actor) -> None:
    case = builders.submitted(provider)
    upload = builders.upload("a.pdf", builders.pdf("x"))
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=world.provider(), kind="form", upload=upload)
    assert str(refusal.value) == "只能填写本单位的申请"
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=provider, kind="form", upload=upload)
    assert str(refusal.value) == "申请已提交，内容不能修改；需要补正时由通信管理局一次性告知"


def test_a_file_not_handed_in_yet_is_the_providers_alone(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    new = ApplicationFile.unscoped.get(handed_in_with__isnull=True)
    counts = [
        ApplicationFile.objects.visible_to(actor).count()
        for actor in (provider, bureau_reviewer, ministry_officer, world.provider())
    ]
    assert counts == [5, 4, 4, 0]
    assert new not in ApplicationFile.objects.visible_to(bureau_reviewer)


def test_a_file_is_fetched_as_attachment_by_whoever_sees_the_case(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    builders.submitted(provider)
    file = ApplicationFile.unscoped.get(kind="licence")
    url = f"/application-files/{file.pk}/"
    response = builders.client_of(bureau_reviewer).get(url)
    assert (response.status_code, response.content) == (200, documents.read_bytes(file.sha256))
    assert {
        name: response[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")
    } == {
        "Content-Type": "application/pdf",
        "Content-Disposition": 'attachment; filename="licence.pdf"',
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    entry = AuditEntry.objects.get(action="application.read_file")
    assert (entry.person_id, entry.object_id) == (bureau_reviewer.person_id, str(file.pk))
    assert builders.client_of(world.provider()).get(url).status_code == 404
    assert builders.client_of(world.bureau(province=11)).get(url).status_code == 404
    assert Client().get(url).status_code == 302
