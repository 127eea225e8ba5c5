"""Filled-in forms of varied kinds: each comes out exactly as it must, and nothing is taken wrongly in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from applications.models import Application
from applications.rules.form import FIELDS
from applications.services.drafts import start_application
from applications.services.prefill import Taken, take
from applications.writers.form_pdf import blank_form
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Programme
from tests.applications.prefill.cases import CASES, Case
from tests.applications.prefill.filling import TRUTH

TYPED = [key for key, field in FIELDS.items() if not field.fixed]
SHARE_RIGHT = 0.95


@dataclass
class Count:
    """Fields of all files: read as meant, said to be unreadable, read otherwise than meant."""

    right: int = 0
    unreadable: int = 0
    wrong: int = 0

    def add(self, meant: dict[str, Any], case: Application, taken: Taken) -> None:
        said = {remark.key for remark in taken.unreadable}
        for key in TYPED:
            value = case.proposals.get(key, {}).get("value")
            if value == meant.get(key):
                self.right += 1
            elif value is None and key in said:
                self.unreadable += 1
            else:
                self.wrong += 1


@pytest.fixture
def case(provider: Actor) -> Application:
    return start_application(actor=provider)


def meant(kind: Case) -> dict[str, Any]:
    """What the author of a file means; nothing where the field is blank."""
    return {key: value for key, value in {**TRUTH, **kind.meant}.items() if value is not None}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_comes_out_exactly(name: str, case: Application, provider: Actor) -> None:
    kind = CASES[name]
    content = kind.make(blank_form(case.programme))
    if kind.refused:
        with pytest.raises(Refused) as refusal:
            take(case=case, actor=provider, content=content, name=f"申请表.{kind.suffix}")
        case.refresh_from_db()
        assert (str(refusal.value), case.proposals) == (kind.refused, {})
        return
    taken = take(case=case, actor=provider, content=content, name=f"申请表.{kind.suffix}")
    expected = {key: value for key, value in meant(kind).items() if key not in kind.unread}
    assert {key: proposal["value"] for key, proposal in case.proposals.items()} == expected
    assert {remark.key: remark.reason for remark in taken.unreadable} == dict(kind.unread)
    assert tuple(remark.key for remark in taken.contradicting) == kind.contradicting
    assert (set(taken.filled), taken.conflicting, taken.closed, case.draft) == (set(expected), (), (), {})


@pytest.mark.slow
def test_over_all_hardly_a_field_is_missed_and_none_is_wrong(
    programme: Programme, case: Application, provider: Actor, record_property: Any
) -> None:
    count = Count()
    files = [kind for kind in CASES.values() if not kind.refused]
    for kind in files:
        Application.unscoped.filter(pk=case.pk).update(proposals={})
        content = kind.make(blank_form(programme))
        taken = take(case=case, actor=provider, content=content, name=f"申请表.{kind.suffix}")
        count.add(meant(kind), case, taken)
    record_property("files", len(files))
    record_property("fields", vars(count))
    print(f"{len(files)} files, {vars(count)}")  # noqa: T201  (the figures of the row P06)
    assert len(files) >= 30
    assert count.wrong == 0
    assert count.right >= SHARE_RIGHT * (count.right + count.unreadable)


def test_encrypted_file_is_refused_in_words(case: Application, provider: Actor) -> None:
    from tests.applications.prefill.filling import encrypted

    with pytest.raises(Refused) as refusal:
        take(case=case, actor=provider, content=encrypted(blank_form(case.programme)), name="申请表.pdf")
    assert "加密" in str(refusal.value)
