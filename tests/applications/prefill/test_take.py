"""Taking a file over: proposals beside the draft, nothing written, only what is open, all of it on record."""

from __future__ import annotations

import hashlib

import pytest

from applications.models import Application, FormEdition
from applications.selectors.form_schema import form_of
from applications.services.drafts import save_draft, start_application
from applications.services.prefill import Remark, take
from applications.writers.form_pdf import blank_form, form_with
from applications.writers.form_xlsx import form_xlsx
from pilot import clock
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Organisation
from tests.applications import builders
from tests.applications.prefill.filling import TRUTH, rows, workbook
from tests.factories import world


@pytest.fixture
def case(provider: Actor) -> Application:
    return start_application(actor=provider)


def test_blank_same_and_conflicting_fields(case: Application, provider: Actor) -> None:
    save_draft(
        case=case,
        actor=provider,
        revision=0,
        deletion="人工删除",
        filed_subjects=12000,
        provinces=["45", "44"],
    )
    content = workbook(rows())
    taken = take(case=case, actor=provider, content=content, name="C:\\表\\申请表.xlsx")
    assert (taken.conflicting, set(taken.same)) == (("deletion",), {"filed_subjects", "provinces"})
    assert set(taken.filled) == set(TRUTH) - {"deletion", "filed_subjects", "provinces"}
    assert case.draft == {"deletion": "人工删除", "filed_subjects": 12000, "provinces": ["45", "44"]}
    assert case.revision == 1
    proposal = case.proposals["deletion"]
    assert (proposal["value"], proposal["source"]) == ("到期自动删除", "申请表.xlsx")
    assert proposal["at"][:10] == clock.now().isoformat()[:10]
    entry = AuditEntry.objects.get(action="application.prefill")
    assert entry.detail == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "filled": list(taken.filled),
        "same": list(taken.same),
        "conflicting": ["deletion"],
        "unreadable": [],
        "contradicting": [],
        "closed": [],
    }


def test_the_newest_file_counts(case: Application, provider: Actor) -> None:
    take(case=case, actor=provider, content=workbook(rows(deletion="人工删除")), name="一.xlsx")
    save_draft(case=case, actor=provider, revision=0, storage_place="示例机房")
    take(
        case=case,
        actor=provider,
        content=workbook(rows({"deletion": "自动删除", "storage_place": "示例机房"})),
        name="二.xlsx",
    )
    assert (case.proposals["deletion"]["value"], case.proposals["deletion"]["source"]) == (
        "自动删除",
        "二.xlsx",
    )
    assert case.proposals["product"]["source"] == "一.xlsx"
    assert "storage_place" not in case.proposals


def test_a_file_that_contradicts_the_registration_is_told_so(case: Application, provider: Actor) -> None:
    own = Organisation.objects.get(pk=provider.organisation_id)
    lines = [
        ("单位名称", "示例别家有限公司", "unit_name"),
        ("统一社会信用代码", own.uscc, "uscc"),
        *rows({"deletion": "自动删除"}),
    ]
    taken = take(case=case, actor=provider, content=workbook(lines), name="表.xlsx")
    assert taken.contradicting == (
        Remark("unit_name", "示例别家有限公司", f"与登记信息“{own.name}”不符，以登记信息为准"),
    )
    assert (taken.same, taken.filled, set(case.proposals)) == (("uscc",), ("deletion",), {"deletion"})


def test_name_and_code_are_the_same_in_any_width(case: Application, provider: Actor) -> None:
    own = Organisation.objects.get(pk=provider.organisation_id)
    lines = [
        ("单位名称", f" {own.name[:2]} {own.name[2:]}", "unit_name"),
        ("统一社会信用代码", own.uscc.lower(), "uscc"),
    ]
    taken = take(case=case, actor=provider, content=workbook(lines), name="表.xlsx")
    assert (taken.same, taken.contradicting) == (("unit_name", "uscc"), ())


@pytest.mark.parametrize("suffix", ["pdf", "xlsx"])
def test_what_was_downloaded_says_nothing_new(provider: Actor, suffix: str) -> None:
    case = builders.drafted(provider)
    content = {**case.draft, "unit_name": case.provider.name, "uscc": case.uscc}
    made = (form_with if suffix == "pdf" else form_xlsx)(case.programme, content)
    taken = take(case=case, actor=provider, content=made, name=f"申请表.{suffix}")
    assert set(taken.same) == set(content)
    assert (taken.filled, taken.conflicting, taken.unreadable, case.proposals) == ((), (), (), {})


def test_only_what_a_notice_names_is_open(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    content = workbook(rows(licence_authority="更正的发证机关", deletion="人工删除"))
    taken = take(case=case, actor=provider, content=content, name="表.xlsx")
    assert (taken.conflicting, taken.closed, set(case.proposals)) == (
        ("licence_authority",),
        ("deletion",),
        {"licence_authority"},
    )


def test_nobody_else_and_nothing_handed_in(
    case: Application, provider: Actor, bureau_reviewer: Actor
) -> None:
    content = workbook(rows())
    with pytest.raises(NotPermitted):
        take(case=case, actor=bureau_reviewer, content=content, name="表.xlsx")
    with pytest.raises(Refused) as refusal:
        take(case=case, actor=world.provider(), content=content, name="表.xlsx")
    assert str(refusal.value) == "只能填写本单位的申请"
    handed_in = world.provider()
    done = builders.submitted(handed_in)
    with pytest.raises(Refused) as refusal:
        take(case=done, actor=handed_in, content=content, name="表.xlsx")
    assert str(refusal.value) == "申请已提交，内容不能修改；需要补正时由通信管理局一次性告知"


def test_a_picture_has_no_fields(case: Application, provider: Actor) -> None:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, "PNG")
    with pytest.raises(Refused) as refusal:
        take(case=case, actor=provider, content=out.getvalue(), name="扫描件.png")
    assert str(refusal.value) == "没有可读取的表单域，请下载可填写的 PDF 或 XLSX"


def test_files_follow_the_ministrys_edition_and_old_ones_are_still_read(
    case: Application, provider: Actor
) -> None:
    old = workbook(rows({"deletion": "自动删除"}), keys=False)
    edition = {"deletion": {"label": "数据销毁办法", "required": False, "position": 1}}
    FormEdition.objects.create(programme=case.programme, number=1, settings=edition, made_at=clock.now())
    case = Application.unscoped.select_related("programme").get(pk=case.pk)
    assert str(form_of(case.programme).fields["deletion"].label) == "数据销毁办法"
    new = workbook([("数据销毁办法", "人工销毁", "")], keys=False)
    take(case=case, actor=provider, content=new, name="新.xlsx")
    assert case.proposals["deletion"]["value"] == "人工销毁"
    case = Application.unscoped.select_related("programme").get(pk=case.pk)
    take(case=case, actor=provider, content=old, name="旧.xlsx")
    assert case.proposals["deletion"]["value"] == "自动删除"


def test_the_blank_pdf_follows_the_edition(case: Application) -> None:
    from tests.documents.reading import squeezed, text_of

    before = blank_form(case.programme)
    edition = {"deletion": {"label": "数据销毁办法", "required": False}}
    FormEdition.objects.create(programme=case.programme, number=1, settings=edition, made_at=clock.now())
    case = Application.unscoped.select_related("programme").get(pk=case.pk)
    after = squeezed(text_of(blank_form(case.programme)))
    assert "到期删除方式*" in squeezed(text_of(before))
    assert ("数据销毁办法" in after, "数据销毁办法*" in after, "2019-87/1" in after) == (True, False, True)


def test_what_cannot_be_read_of_the_registration_is_told_with_its_reason(
    case: Application, provider: Actor
) -> None:
    own = Organisation.objects.get(pk=provider.organisation_id)
    lines = [
        ("单位名称", own.name, "unit_name"),
        ("单位名称", "示例别家有限公司", "unit_name"),
        ("统一社会信用代码", f"{own.uscc}\ue863", "uscc"),
        *rows(
            {"deletion": "自动删除", "channels": ["app"]}, channels="APP□ H5□"
        ),  # no box is ticked: nothing is said
    ]
    taken = take(case=case, actor=provider, content=workbook(lines), name="表.xlsx")
    assert [(remark.key, remark.reason) for remark in taken.unreadable] == [
        ("unit_name", "文件中有两处，内容不一致"),
        ("uscc", "含有无法识别的字符"),
    ]
    assert (taken.same, taken.contradicting, set(case.proposals)) == ((), (), {"deletion"})
