"""``manage.py ingest`` and ``load_authority``: exact outcomes over the sample files, and every way to be refused."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from filings.management.commands.ingest import Command
from filings.models import (
    AuthorityRecord,
    Determination,
    FormPicture,
    FormRefusal,
    UnitMonthKey,
    UploadJob,
    VerificationForm,
)
from filings.services import comparison, spool, uploads
from tests.factories.audited import audited

pytestmark = pytest.mark.django_db
RECEIVED = "2019-06-30T12:00:00+08:00"
COUNTS = ("rows", "accepted", "duplicates", "rejected_rows")


@pytest.fixture(autouse=True)
def spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


def run(*arguments: Any) -> Any:
    out = io.StringIO()
    call_command(*map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def ingest(file: Path, *arguments: str) -> Any:
    return run("ingest", file, "--unit", "1001", "--received-at", RECEIVED, *arguments)


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[key] for key in COUNTS)


def stored() -> tuple[int, ...]:
    models = (UploadJob, VerificationForm, FormRefusal)
    return *(model.unscoped.count() for model in models), UnitMonthKey.objects.count()


def test_the_samples_come_out_exactly(unit: Any, samples: Path) -> None:
    expected = json.loads((samples / "expected.json").read_text(encoding="utf-8"))
    run("load_authority", samples / "authority.csv")
    result = ingest(samples / "forms.ndjson")
    assert counts(result) == tuple(expected[key] for key in COUNTS)
    assert result["code_counts"] == expected["code_counts"]
    rejected = {str(row["row"]): sorted({one["code"] for one in row["errors"]}) for row in result["rejected"]}
    assert rejected == expected["rejected"]
    figures = run("accuracy", "--unit", "1001", "--period", "2019-06")
    found = {key: {name: figures[key][name] for name in ("n", "errors", "met")} for key in ("m1", "m2")}
    assert found == {key: expected[key] for key in ("m1", "m2")}
    assert figures["undeterminable"] == expected["undeterminable"]
    assert (figures["pending"], figures["refused"], figures["duplicates"]) == (0, 41, 5)


def test_a_second_time_everything_is_a_repeat(unit: Any, samples: Path) -> None:
    ingest(samples / "forms.ndjson")
    again = ingest(samples / "forms.ndjson")
    assert counts(again) == (1005, 0, 964, 41)
    assert VerificationForm.unscoped.count() == 959


def test_the_national_format_makes_forms_with_pictures(unit: Any, samples: Path) -> None:
    assert counts(ingest(samples / "forms.xml")) == (50, 50, 0, 0)
    assert counts(ingest(samples / "forms.xml", "--format", "v3")) == (50, 0, 50, 0)
    form = VerificationForm.unscoped.order_by("form_no").first()
    assert (form.source, form.version, form.subject_known) == ("v3", 1, True)
    assert FormPicture.objects.filter(unit=unit, form_no=form.form_no).count() == 5


def test_a_dry_run_tells_the_same_and_stores_no_form(unit: Any, samples: Path) -> None:
    trial = ingest(samples / "forms.ndjson", "--dry-run")
    assert (counts(trial), trial["code_counts"]["cert.check_digit"]) == ((1005, 959, 5, 41), 4)
    assert (VerificationForm.unscoped.count(), UnitMonthKey.objects.count()) == (0, 0)
    assert len(list(spool.folders())) == 1  # its refused rows, to be corrected
    assert counts(ingest(samples / "forms.ndjson")) == (1005, 959, 5, 41)


@pytest.mark.parametrize(
    ("name", "content", "arguments", "words"),
    [
        ("forms.ndjson", b"{}", ["--unit", "9999"], "没有代码为 9999 的试点单位"),
        ("forms.ndjson", b"", [], "文件为空或没有数据行"),
        ("forms.ndjson", b"\n \n", [], "文件为空或没有数据行"),
        ("forms.csv", b"", [], "文件为空或没有数据行"),
        ("forms.xlsx", b"", [], "文件为空或没有数据行"),
        ("forms.xml", b"", [], "文件为空或没有数据行"),
        ("forms.ndjson", b"\x00\x01\x02" * 500, [], "文件是二进制数据，不是文本"),
        ("forms.dat", b"\x00\x01\x02" * 500, [], "文件是二进制数据，不是文本"),
        ("forms.ndjson", b"form_no,a\nX,Y\n", [], "文件内容不是可以接收的格式，或与所选的格式不符"),
        ("forms.csv", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, [], "文件是二进制数据，不是文本"),
        ("forms.xlsx", b"no workbook", [], "文件内容不是可以接收的格式，或与所选的格式不符"),
        ("forms.csv", "form_no,主体\n".encode("gbk"), [], "无法按所声明的字符编码读取文件"),
        ("forms.csv", b"form_no\n", ["--encoding", "utf-32"], "无法按所声明的字符编码读取文件"),
        ("forms.csv", b"a,b\n1,2\n", [], "缺少含 form_no 的表头"),
        ("forms.xml", b"<Other/>", [], "根元素不是 UploadData"),
        (
            "forms.xml",
            b'<UploadData version="V.3.0"><ICP>',
            [],
            "文件不完整或已损坏，无法解析；请重新导出或下载",
        ),
        ("forms.ndjson.gz", b"\x1f\x8b broken", [], "文件不完整或已损坏，无法解析；请重新导出或下载"),
        (
            "forms.ndjson",
            b"{}",
            ["--received-at", "2019-07-01T10:00:00+08:00"],
            "接收时间不得晚于当前业务时间",
        ),
    ],
)
def test_a_file_refused_as_a_whole_leaves_nothing(
    unit: Any, tmp_path: Path, name: str, content: bytes, arguments: list[str], words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    before = stored()
    with pytest.raises(CommandError) as refusal:
        call_command(
            "ingest", str(file), *(arguments if "--unit" in arguments else ["--unit", "1001", *arguments])
        )
    assert (str(refusal.value), refusal.value.returncode) == (words, 1)
    assert stored() == before
    assert list(spool.folders()) == []


def test_a_file_that_is_not_there(unit: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("ingest", str(tmp_path / "none.csv"), "--unit", "1001")
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["forms.csv"],
        ["forms.csv", "--unit", "1001", "--format", "pdf"],
        ["a", "--unit", "1", "--received-at", "x"],
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = Command().create_parser("manage.py", "ingest")
    parser.called_from_command_line = True
    with pytest.raises(SystemExit) as end:
        parser.parse_args(arguments)
    assert end.value.code == 2
    capsys.readouterr()


def test_broken_rows_in_the_middle_are_row_errors(unit: Any, samples: Path, tmp_path: Path) -> None:
    lines = (samples / "forms.ndjson").read_bytes().splitlines(keepends=True)
    file = tmp_path / "forms.ndjson"
    file.write_bytes(lines[0] + b"{broken\n" + b'{"form_no":"' + b"9" * 3_000_000 + b'"}\n' + lines[1])
    result = ingest(file)
    assert counts(result) == (4, 2, 0, 2)
    assert result["rejected"] == [
        {
            "row": 2,
            "form_no": "",
            "errors": [{"code": "json.invalid", "field": "", "message": "该行不是一条可读取的记录"}],
        },
        {
            "row": 3,
            "form_no": "",
            "errors": [{"code": "row.too_long", "field": "", "message": "该行超过 1 MB"}],
        },
    ]


def test_what_a_file_brought_before_it_broke_off_is_compared(
    unit: Any, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 50)
    packed = bytearray(gzip.compress((samples / "forms.ndjson").read_bytes()))
    packed[-5_000] ^= 0xFF
    file = tmp_path / "forms.ndjson.gz"
    file.write_bytes(packed)
    with pytest.raises(CommandError, match=r"^文件不完整或已损坏，无法解析；请重新导出或下载$") as refusal:
        ingest(file)
    accepted = UploadJob.unscoped.get().accepted
    assert (refusal.value.returncode, accepted > 0) == (1, True)
    assert (comparison.pending(unit=unit), Determination.unscoped.count()) == (0, accepted)


def test_the_outcome_in_words(unit: Any, samples: Path) -> None:
    out = io.StringIO()
    call_command(
        "ingest", str(samples / "forms.ndjson"), "--unit", "1001", "--received-at", RECEIVED, stdout=out
    )
    first, second, *_rest = out.getvalue().splitlines()
    assert first == f"上报批次 {UploadJob.unscoped.get().number}：共 1005 行，接收 959，重复 5，拒收 41"
    assert second.startswith("  第 4 行 HYD-87-00000003：field.required /")


def test_an_extract_is_loaded_once_and_bad_lines_are_named(unit: Any, samples: Path, tmp_path: Path) -> None:
    good = (samples / "authority.csv").read_text(encoding="utf-8")
    file = tmp_path / "authority.csv"
    bad = ["x,y", "1,,示例,2010-01-01,", "2,110101199001010011,示例,2010-13-01,"]
    bad += ["2,110101199001010011,示例,2010-01-02,2010-01-01"]  # ends before it begins: valid on no day
    file.write_text(good + "\n".join([*bad, ""]), encoding="utf-8")
    first = run("load_authority", file)
    assert (first["rows"], first["loaded"], first["bad_lines"]) == (1929, 1925, [1926, 1927, 1928, 1929])
    assert run("load_authority", file)["loaded"] == 0
    assert audited("authority.load")[:2] == ("done", None)
    assert AuthorityRecord.objects.count() == 1925


@pytest.mark.parametrize("content", [b"", b"a,b,c\n", "证件,号码\n".encode("gbk")])
def test_no_extract_at_all(programme: Any, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "authority.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="不是权威库数据文件"):
        call_command("load_authority", str(file))
    assert AuthorityRecord.objects.count() == 0


def test_an_extract_settles_what_was_undeterminable(unit: Any, samples: Path) -> None:
    ingest(samples / "forms.ndjson")
    assert run("load_authority", samples / "authority.csv")["compared"] == 956


@pytest.fixture
def made(unit: Any) -> Callable[..., bytes]:
    """What ``make_forms`` writes."""

    def make(*arguments: Any) -> bytes:
        held = io.BytesIO()
        out = io.TextIOWrapper(held, encoding="utf-8", write_through=True)
        call_command("make_forms", *map(str, arguments), "--unit", "1001", stdout=out)
        return held.getvalue()

    return make


@pytest.mark.parametrize("file_format", ["ndjson", "csv", "xlsx", "v3"])
def test_made_forms_pass_the_door_in_every_format(made: Any, tmp_path: Path, file_format: str) -> None:
    file, extract = tmp_path / "made", tmp_path / "authority.csv"
    file.write_bytes(made(60, "--seed", 7, "--format", file_format, "--authority", extract))
    run("load_authority", extract)
    assert counts(ingest(file)) == (60, 60, 0, 0)
    figures = run("accuracy", "--unit", "1001", "--period", "to-date")
    assert [figures["m1"][key] for key in ("n", "errors", "shown")] == [60, 0, "100.0000%"]


def test_the_same_arguments_make_the_same_file(made: Any) -> None:
    assert made(20, "--seed", 7) == made(20, "--seed", 7) != made(20, "--seed", 8)


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_planted_faults_are_found(made: Any, tmp_path: Path, file_format: str) -> None:
    file = tmp_path / "made"
    file.write_bytes(made(200, "--seed", 3, "--error-rate", "0.5", "--format", file_format))
    result = ingest(file)
    assert result["rows"] == 200
    assert 60 < result["rejected_rows"] < 140
    assert result["accepted"] + result["rejected_rows"] == 200


def test_too_many_forms_for_a_format_is_wrong_usage(unit: Any) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("make_forms", "1001", "--unit", "1001", "--seed", "1", "--format", "v3")
    assert refusal.value.returncode == 2
