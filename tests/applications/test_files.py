"""Files: replaced but never lost, whose they are, fetched as attachments only."""

from __future__ import annotations

import pytest
from django.test import Client

from applications.models import ApplicationFile
from applications.selectors import content
from applications.services import files
from applications.services.drafts import start_application
from applications.services.files import MAX_OTHER, add_file, remove_file
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Document
from pilot.services import documents
from tests.applications import builders
from tests.factories import world


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


def test_an_application_holds_so_many_files_and_no_more(
    provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 1)
    case = start_application(actor=provider)
    first, second = (builders.upload("a.pdf", builders.pdf(text)) for text in ("first", "second"))
    add_file(case=case, actor=provider, kind="licence", upload=first)
    with pytest.raises(Refused) as refusal:
        add_file(case=case, actor=provider, kind="licence", upload=second)
    assert str(refusal.value) == "一件申请最多上传 1 个文件（含已替换的）"


def test_a_lost_file_is_not_called_destroyed(provider: Actor) -> None:
    """Only what was forgotten on record was destroyed; anything else is a loss that somebody has to hear of."""
    lost = ApplicationFile(application=start_application(actor=provider), sha256="0" * 64)
    with pytest.raises(FileNotFoundError):
        files.bytes_of(lost)
    with pytest.raises(FileNotFoundError):
        documents.content_of(Document(pk=0, sha256="0" * 64))


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
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    entry = AuditEntry.objects.get(action="application.read_file")
    assert (entry.person_id, entry.object_id) == (bureau_reviewer.person_id, str(file.pk))
    assert builders.client_of(world.provider()).get(url).status_code == 404
    assert builders.client_of(world.bureau(province=11)).get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_a_file_is_kept_with_its_pages_and_without_a_scanner_unscanned(provider: Actor) -> None:
    case = start_application(actor=provider)
    file = add_file(
        case=case, actor=provider, kind="licence", upload=builders.upload("a.pdf", builders.pdf("a"))
    )
    assert (file.content_type, file.pages, file.scan) == ("application/pdf", 1, "not_scanned")


def test_a_removed_file_leaves_the_application_and_stays_on_record(provider: Actor) -> None:
    case = builders.drafted(provider)
    file = ApplicationFile.unscoped.get(kind="licence")
    remove_file(file=file, actor=provider)
    file.refresh_from_db()
    assert file.replaced_at is not None
    assert documents.read_bytes(file.sha256) == builders.pdf("licence")
    assert [
        entry.detail["kind"] for entry in AuditEntry.objects.filter(action="application.remove_file")
    ] == ["licence"]
    assert "licence" in {fault.target for fault in content.current_faults(case, at=clock.now())}
    with pytest.raises(Refused) as refusal:
        remove_file(file=file, actor=provider)
    assert str(refusal.value) == "该文件已被替换或移除"


def test_only_the_provider_removes_and_only_what_is_open(provider: Actor, bureau_reviewer: Actor) -> None:
    builders.returned(provider, bureau_reviewer)
    form = ApplicationFile.unscoped.get(kind="form")
    for actor, words in (
        (world.provider(), "只能填写本单位的申请"),
        (bureau_reviewer, "只能填写本单位的申请"),
        (provider, "补正告知未列“盖章申请表”，不能修改"),
    ):
        with pytest.raises(Refused) as refusal:
            remove_file(file=form, actor=actor)
        assert str(refusal.value) == words
    form.refresh_from_db()
    assert form.replaced_at is None
