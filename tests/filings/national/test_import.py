"""Importing national answers: what each becomes, to which form it belongs, and that twice is once."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from filings.intake.records import Reference
from filings.intake.v3_references import NUMBER, SUBJECT_ID
from filings.models import (
    Finding,
    NationalCheck,
    NationalFile,
    NationalReceipt,
    SubjectReference,
    VerificationForm,
)
from filings.services import crypto, national
from filings.services.national_matching import Asked, forms_of
from filings.tasks import match_national
from filings.v3.answers import RecordResult, download_data
from pilot.errors import Refused
from pilot.models import AuditEntry, Notice, PilotUnit
from tests.factories import world
from tests.filings import builders
from tests.filings.national import files

FIRM = (1, "91440000MA0000001X", "示例科技有限公司")
PERSON = (2, "440101199001010011", "示例甲")


def form(
    unit: PilotUnit, operation: str, record: object, version: int = 1, **fields: Any
) -> VerificationForm:
    """A V3.0 form of the record with this id."""
    return builders.form(unit, f"V3-{unit.national_id}-{operation}-{record}-{version:012x}", **fields)


def take(unit: PilotUnit, content: bytes, *, name: str = "BAJG_1.xml", **options: Any) -> dict[str, int]:
    """Import a file; the counts that are not zero."""
    actor = options.pop("actor", builders.SYSTEM)
    imported = national.import_national(
        actor=actor, unit=unit, source=io.BytesIO(content), name=name, **options
    )
    return {name: count for name, count in asdict(imported.counts).items() if count}


def linked() -> dict[str, str | None]:
    """Reference of each receipt → number of its form."""
    rows = NationalReceipt.unscoped.order_by("pk").select_related("form", "file__key")
    return {national.reference_of(row): row.form.form_no if row.form else None for row in rows}


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8", "GB18030"])
def test_a_receipt_finds_its_form(unit: PilotUnit, encoding: str) -> None:
    row = form(unit, "XZBA", 7)
    other = form(unit, "XZBA", 77)
    content = files.download([files.result(7, words="已入库"), files.result(8)], encoding=encoding)
    assert take(unit, content) == {"rows": 2, "receipts": 2, "matched": 1, "formless": 1}
    made = NationalReceipt.unscoped.get(form=row.pk)
    assert (made.row, made.codes, made.stored, made.passed, made.operation) == (1, [1060], True, None, 1)
    assert (made.file.name, made.at, made.file.imported_by) == ("BAJG_1.xml", made.file.imported_at, None)
    assert national.words_of(made) == {"reference": "7", "Dmms": ["已入库"]}
    assert NationalReceipt.unscoped.filter(form=other.pk).exists() is False
    assert AuditEntry.objects.get(action="national.import").detail["matched"] == 1


def test_each_kind_of_id_leads_to_its_form(unit: PilotUnit) -> None:
    """Reference and operation → which form; ids of one kind are never taken for those of another."""
    first = form(unit, "XZBA", 5)
    form(unit, "XZBA", "5-6")  # begins alike
    newer = builders.form(unit, f"V3-{unit.national_id}-XZBA-5-{2:012x}", "2019-06-20 10:00", corrects=first)
    website = form(unit, "XZWZ", 5)
    access = form(unit, "XZJR", 5)
    old_change, new_change = form(unit, "BGBA", 5), form(unit, "BGBA", 5, version=2)
    own = builders.form(unit, "HYD-000001")
    at = world.moment

    def found(operation: int, reference: str, day: str | None = None) -> VerificationForm | None:
        asked = Asked(operation, reference, b"", at(f"{day} 08:00") if day else None)
        (pk,) = forms_of(unit, [asked])
        return VerificationForm.unscoped.get(pk=pk) if pk else None

    assert found(1, "5") == newer
    assert found(1, "5", "2019-06-19") == first
    assert found(1, "5", "2019-06-20") == newer
    assert found(1, "5", "2019-06-01") == first
    assert found(2, "5") is None  # there it would be the subject's
    assert found(2, "5", "2019-06-19") == website
    assert found(3, "5") == access
    assert found(4, "5") == new_change
    assert old_change != new_change
    assert found(1, "HYD-000001") == own
    assert found(0, "5", "2019-06-19") is None  # four operations know it
    assert [found(operation, "5") for operation in (5, 6, 7, 8, 35)] == [None] * 5
    assert [found(1, text) for text in ("", "%", "5-", "6")] == [None] * 4


def test_an_addition_is_found_by_its_subject_where_only_one_waits(unit: PilotUnit) -> None:
    def named(row: VerificationForm, *references: Reference) -> None:
        SubjectReference.objects.bulk_create(
            SubjectReference(
                unit=unit, form=row, named=True, kind=one.kind, index=crypto.reference_index(*one)
            )
            for one in references
        )

    number, subject_id = Reference(NUMBER, "粤ICP备19000001号"), Reference(SUBJECT_ID, "9001")
    site = form(unit, "XZWZ", 1, filing_type="new_website")
    named(site, number, subject_id)
    answer = files.result("粤ICP备19000001号", operation=2)
    assert take(unit, files.download([answer])) == {"rows": 1, "receipts": 1, "matched": 1}
    assert take(unit, files.download([answer], encoding="UTF-8")) == {"rows": 1, "duplicates": 1}
    for record in (2, 3):
        named(form(unit, "XZWZ", record, filing_type="new_website"), subject_id)
    again = files.download([files.result(9001, operation=2)])
    assert take(unit, again) == {"rows": 1, "receipts": 1, "formless": 1}
    assert linked() == {"粤ICP备19000001号": site.form_no, "9001": None}


def test_importing_again_changes_nothing(unit: PilotUnit) -> None:
    row = form(unit, "XZBA", 7)
    content = files.download([files.result(7), files.result(7)], [files.review(7)], [files.access()])
    assert take(unit, content) == {
        "rows": 4,
        "receipts": 1,
        "matched": 1,
        "reviews": 1,
        "checks": 1,
        "duplicates": 1,
    }
    for repeat in (
        content,
        gzip.compress(content),
        content.decode("gbk").replace('"GBK"', '"UTF-8"').encode(),
    ):
        assert take(unit, repeat) == {"rows": 4, "duplicates": 4}
    corrected = builders.form(
        unit, f"V3-{unit.national_id}-XZBA-7-{2:012x}", "2019-06-20 10:00", corrects=row
    )
    assert take(unit, content) == {"rows": 4, "duplicates": 4}
    assert take(unit, files.download([files.result(7)])) == {"rows": 1, "receipts": 1, "matched": 1}
    assert NationalReceipt.unscoped.latest("pk").form == corrected


def test_a_form_that_comes_later_is_found(unit: PilotUnit) -> None:
    take(unit, files.download([files.result(7), files.result(5, operation=6)]))
    assert match_national() == national.match_again(unit=unit) == 0
    row = form(unit, "XZBA", 7)
    assert (match_national(), match_national()) == (1, 0)
    assert linked() == {"7": row.form_no, "5": None}
    receipt = NationalReceipt.unscoped.get(form=row.pk)
    changes: list[dict[str, Any]] = [{"form_id": None}, {"row": 8}, {"codes": []}]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            NationalReceipt.unscoped.filter(pk=receipt.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        NationalReceipt.unscoped.filter(form__isnull=True).update(form_id=row.pk, row=9)


def of_firm(unit: PilotUnit, record: int, name: str = FIRM[2]) -> VerificationForm:
    """A form of this firm, found by its certificate, under this name."""
    content = builders.content((*FIRM[:2], name), PERSON)
    return form(unit, "XZBA", record, content=content, subject_index=crypto.certificate_index(*FIRM[:2]))


def test_a_subject_check_that_names_an_error_is_a_finding(unit: PilotUnit) -> None:
    old, row, renamed = of_firm(unit, 7), of_firm(unit, 8), of_firm(unit, 9, "示例贸易有限公司")
    checks = [
        files.subject(FIRM, "证件号码 91440000MA0000001X 与 440101199001010011 不符"),
        files.subject((1, FIRM[1], "从未上报的名称")),
        files.subject((1, FIRM[1], "示例贸易有限公司"), None),
        files.access(),
    ]
    content = files.download(checks=checks)
    officer = world.ministry()
    assert take(unit, content, actor=officer) == {"rows": 4, "checks": 4, "findings": 1}
    found = Finding.unscoped.get()
    assert (found.form, found.source, found.kind, found.field, found.state, found.found_by_id) == (
        row,
        "national",
        "identity",
        "subject",
        "open",
        officer.person_id,
    )
    assert found.description == "全国系统主体核查有误：证件号码 ********MA0000001X 与 ******** 不符"
    assert Notice.objects.filter(url=f"/cases/finding/{found.pk}/").count() == 1
    made = NationalCheck.unscoped.order_by("row").values_list("kind", "form_id", "result")
    assert list(made) == [
        ("subject", row.pk, None),
        ("subject", None, None),
        ("subject", renamed.pk, None),
        ("access", None, 1),
    ]
    assert old.pk not in NationalCheck.unscoped.values_list("form_id", flat=True)
    assert take(unit, files.download(checks=checks[:1]), actor=officer) == {"rows": 1, "duplicates": 1}
    assert Finding.unscoped.count() == 1
    with connection.cursor() as cursor:  # nothing in clear tells the subject
        cursor.execute("SELECT string_agg(c::text, '') FROM filings_nationalcheck c")
        stored = cursor.fetchone()[0]
    assert [word for word in FIRM[1:] if word in stored] == []


def test_records_that_cannot_be_read_are_refused_one_by_one_in_words(unit: PilotUnit) -> None:
    form(unit, "XZBA", 7)
    content = files.download(
        [files.result(1, operation=None), files.result(7), files.result(2, operation="新增")],
        [files.review(7, 2), files.review(7, at="昨天"), files.review(7, at=None)],
        [files.access(3), files.subject((1, "", "示例"))],
    )
    imported = national.import_national(
        actor=builders.SYSTEM, unit=unit, source=io.BytesIO(content), name="BAJG_1.xml"
    )
    assert [(one.row, national.why(one)) for one in imported.refused] == [
        (1, "缺少 Czlx"),
        (3, "Czlx 的值不符合接口规范"),
        (4, "Shjg 的值不符合接口规范"),
        (5, "Shsj 的值不符合接口规范"),
        (6, "缺少 Shsj"),
        (7, "Hcjg 的值不符合接口规范"),
        (8, "缺少 Zjhm"),
    ]
    assert (imported.counts.matched, imported.counts.refused, imported.counts.rows) == (1, 7, 8)
    assert NationalFile.unscoped.get().refused[0] == [1, "Czlx", "missing"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "文件为空或没有数据行"),
        (b"PK\x03\x04", "文件不完整或已损坏，无法解析；请重新导出或下载"),
        (b"no xml", "文件内容不是可以接收的格式，或与所选的格式不符"),
        (files.download([files.result(1)])[:-20], "文件不完整或已损坏，无法解析；请重新导出或下载"),
        (files.download([files.result(1)], business="IP"), "只接收 ICP 备案业务"),
        (files.download(rest="<BASJ/>"), "文件中没有备案结果（BAJG），也没有核查结果（HCJG）"),
        (b'<UploadData version="V.3.0"/>', "根元素不是 DownloadData"),
        (b'<DownloadData version="V.2.0"/>', "接口版本不是 V.3.0"),
        (b'<!DOCTYPE x [<!ENTITY e "1">]><DownloadData version="V.3.0"/>', "XML 不得含有 DOCTYPE 声明"),
        (
            b'<?xml version="1.0" encoding="KLINGON"?><DownloadData version="V.3.0"/>',
            "文件不完整或已损坏，无法解析；请重新导出或下载",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(unit: PilotUnit, content: bytes, why: str) -> None:
    with pytest.raises(Refused, match="^" + why.replace("（", ".").replace("）", ".") + "$"):
        take(unit, content)
    assert NationalFile.unscoped.exists() is False


def test_a_trial_tells_the_same_and_keeps_nothing(unit: PilotUnit) -> None:
    row = of_firm(unit, 7)
    content = files.download([files.result(7)], checks=[files.subject(FIRM)], rest="<HMDLB/>")
    tried = take(unit, content, dry_run=True)
    kept = (NationalFile.unscoped, NationalReceipt.unscoped, NationalCheck.unscoped, Finding.unscoped)
    assert [rows.count() for rows in kept] == [0, 0, 0, 0]
    assert (
        take(unit, content)
        == tried
        == {
            "rows": 2,
            "receipts": 1,
            "matched": 1,
            "checks": 1,
            "findings": 1,
        }
    )
    assert NationalFile.unscoped.get().counts["ignored"] == ["HMDLB"]
    assert Finding.unscoped.get().form == row


def test_what_the_portal_itself_answers_can_be_read(unit: PilotUnit) -> None:
    row = form(unit, "XZBA", 7)
    results = [
        RecordResult(1, "7", [(1060, "核验单已入库")]),
        RecordResult(1, "8", [(1008, "证件"), (1015, "号码")]),
    ]
    assert take(unit, download_data(results)) == {"rows": 2, "receipts": 2, "matched": 1, "formless": 1}
    made = NationalReceipt.unscoped.order_by("row").values_list("form_id", "codes", "stored")
    assert list(made) == [(row.pk, [1060], True), (None, [1008, 1015], False)]


def test_the_command_prints_its_shape(unit: PilotUnit, tmp_path: Path) -> None:
    form(unit, "XZBA", 7)
    path = tmp_path / "BAJG_1.xml"
    path.write_bytes(files.download([files.result(7), files.result(8, operation=None)]))

    def run(*arguments: str) -> Any:
        out = io.StringIO()
        call_command(*arguments, "--unit", unit.code, "--json", stdout=out)
        return json.loads(out.getvalue())

    expected = {
        "rows": 2,
        "receipts": 1,
        "matched": 1,
        "formless": 0,
        "reviews": 0,
        "checks": 0,
        "findings": 0,
        "duplicates": 0,
        "refused": 1,
        "refused_rows": [{"row": 2, "message": "缺少 Czlx"}],
        "ignored": [],
    }
    assert run("import_national", str(path), "--dry-run") == expected
    assert run("import_national", str(path)) == expected
    with pytest.raises(CommandError, match="没有代码为 PU-99 的试点单位"):
        call_command("import_national", str(path), "--unit", "PU-99")
    reconciled = run("reconcile_national", "--month", "2019-06")
    assert (reconciled["counts"]["forms"], reconciled["forms_without_receipt"]) == (1, [])
    with pytest.raises(CommandError, match="月份应写作 2019-06 的形式"):
        run("reconcile_national", "--month", "2019-6")
