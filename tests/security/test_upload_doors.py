"""S10: the corpus of hostile files at every door that takes files; the application's own door has its test beside it.

What a door takes all the same is harmless there: read as rows that are each refused, never run, never shown.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from applications.services import prefill
from applications.services.drafts import start_application
from assessment.rules import test_runs
from filings.models import AuthorityRecord, NationalCheck, NationalReceipt
from filings.services import attachments, authority, national
from pilot.actors import Actor
from pilot.errors import Refused
from tests.applications.files.hostile import HOSTILE, NAMES, OTHERS, PDFS, PICTURES, WORKBOOKS, Case
from tests.applications.files.test_corpus import FAST
from tests.faults import test_hostile_files as reader

PROOF = "仅接收完整的 PDF、JPG 或 PNG 文件"
LARGE = "文件不得超过 10 MB"
CONTENTS = [*PDFS, *PICTURES, *WORKBOOKS, *OTHERS]
FEW = [case for case in CONTENTS if case in FAST][::5]


def said(act: Callable[[], Any]) -> str:
    """The words of a refusal; empty where there was none."""
    try:
        act()
    except Refused as refusal:
        return str(refusal.message)
    return ""


def proof(case: Case) -> str:
    return said(lambda: attachments.examine(SimpleUploadedFile(case.name, case.make())))


def unheard(cases: list[Case], door: Callable[[Case], str], *words: str) -> dict[str, str]:
    """The files that a door did not refuse in the words of the rule or in its own."""
    answers = {case.name: (door(case), case.words) for case in cases}
    return {name: answer for name, (answer, rule) in answers.items() if answer not in (rule, *words)}


def test_there_are_enough_files_and_hidden_content_is_no_proof() -> None:
    """A PDF that begins and ends like one, with a script in it, is refused as the application's door refuses it."""
    assert len(CONTENTS) >= 40
    script, packed, two = (
        next(c for c in PDFS if c.name == n) for n in ("open.pdf", "hidden.pdf", "web.pdf")
    )
    assert [proof(case) for case in (script, packed, two)] == [script.words, packed.words, two.words]


@pytest.mark.slow
def test_every_hostile_file_as_proof_in_a_case() -> None:
    assert unheard(CONTENTS, proof, PROOF, LARGE) == {}


@pytest.mark.slow
def test_a_misleading_name_is_no_part_of_what_a_proof_is_called() -> None:
    titles = [attachments._title(case.name) for case in NAMES]
    assert [title for title in titles if set(title) & set("/\\\0\n\r\u202e") or not title] == []


@pytest.mark.parametrize(
    "cases", [FEW[:3], pytest.param(HOSTILE, marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_hostile_files_as_a_filled_in_form(provider: Actor, cases: list[Case]) -> None:
    application = start_application(actor=provider)

    def door(case: Case) -> str:
        return said(
            lambda: prefill.take(case=application, actor=provider, content=case.make(), name=case.name)
        )

    assert [case.name for case in cases if not door(case)] == []
    application.refresh_from_db()
    assert application.proposals == {}


@pytest.mark.parametrize("cases", [FEW, pytest.param(CONTENTS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_hostile_files_as_national_answers_and_authority_extract(unit: Any, cases: list[Case]) -> None:
    """The first are refused in words; an extract's lines are each named as bad, and none is kept."""
    answers = {
        case.name: said(
            lambda case=case: national.import_national(
                actor=Actor.system("test"), unit=unit, source=io.BytesIO(case.make()), name=case.name
            )
        )
        for case in cases
    }
    assert [name for name, words in answers.items() if not words] == []
    for case in cases:
        extract = said(
            lambda case=case: authority.load_authority(
                source=io.BytesIO(case.make()), actor=Actor.system("test")
            )
        )
        assert isinstance(extract, str)
    kept = [model.objects.count() for model in (AuthorityRecord,)]
    kept += [model.unscoped.count() for model in (NationalReceipt, NationalCheck)]
    assert kept == [0, 0, 0]
    assert connection.needs_rollback is False


@pytest.mark.parametrize("cases", [FEW, pytest.param(CONTENTS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_hostile_files_as_key_and_as_result_of_a_test_run(cases: list[Case]) -> None:
    def door(case: Case) -> str:
        content = case.make()
        return said(lambda: (test_runs.check_size(len(content)), test_runs.read_key(content)))

    def second(case: Case) -> str:
        content = case.make()
        key = {"1": "genuine"}
        return said(lambda: (test_runs.check_size(len(content)), test_runs.read_results(content, key)))

    assert [case.name for case in cases if not (door(case) and second(case))] == []


@pytest.mark.slow
def test_hostile_files_as_verification_forms(tmp_path: Path) -> None:
    """Each as each format: refused as a whole, or row by row; within the limits of time and memory."""
    kept = [case for case in CONTENTS if not case.name.startswith("大")]
    for form in ("ndjson", "csv", "xlsx", "v3"):
        names = {f"{form}-{number}": case.make() for number, case in enumerate(kept)}
        outcome = reader.read(*reader.written(tmp_path, names))
        taken = {
            case.name: (code, rows, faulty)
            for case, (code, rows, faulty) in zip(kept, outcome["results"], strict=True)
            if code is None and rows != faulty
        }
        if form != "xlsx":  # a workbook with a macro is one: its rows are read, the macro is not
            assert taken == {}
        assert outcome["peak_mb"] <= reader.MOST_MB
        assert outcome["cpu_seconds"] <= 5 * len(kept)
