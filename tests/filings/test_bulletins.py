"""A bulletin's life."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from filings.models import (
    Bulletin,
    Finding,
)
from filings.services import bulletins
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.models import Document, PilotUnit
from pilot.services import documents
from pilot.workflow import fire
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.filings import builders
from tests.filings.acting import refused


def test_a_bulletin_to_its_publication(
    unit: PilotUnit, finding: Finding, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    refused(bulletin, "publish", ministry_approver, "不能", StateChanged)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bulletin.unscoped.filter(pk=bulletin.pk).update(signed_by=ministry_officer.person_id)
    fire(bulletin, "sign", actor=ministry_approver)
    done = fire(bulletin, "publish", actor=ministry_approver)
    line = done.figures["units"][0]
    assert (line["m1"], line["submitted"], line["accepted"]) == (
        {"n": 1, "errors": 1, "met": False, "shown": "0.0000%"},
        1,
        1,
    )
    assert Document.objects.get(machine="bulletin").title == "电子化核验试点运行情况通报（2019年6月）"
    refused(done, "discard", ministry_approver, "不能", StateChanged, reason="错误")


def test_a_month_is_reported_once_after_its_end(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    for period in ("2019-07", "2019-06-18", "to-date"):
        with pytest.raises(Refused, match="已经结束的月份"):
            bulletins.compile_bulletin(actor=ministry_officer, period=period)
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已有通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    fire(first, "discard", actor=ministry_approver, reason="重编")
    assert bulletins.compile_bulletin(actor=ministry_officer, period="2019-06").sequence == 2


def test_a_published_month_changes_only_as_an_adjustment(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor, ministry_officer: Actor,
    ministry_approver: Actor,
) -> None:  # fmt: skip
    june = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    for name in ("sign", "publish"):
        fire(june, name, actor=ministry_approver)
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert Bulletin.unscoped.get(pk=june.pk).figures["units"][0]["m1"]["errors"] == 1
    world.at("2019-08-01 09:00")
    july = bulletins.compile_bulletin(actor=ministry_officer, period="2019-07")
    assert [
        (c["period"], c["code"], c["before"]["m1_errors"], c["after"]["m1_errors"])
        for c in july.figures["adjustments"]
    ] == [("2019-06", unit.code, 1, 0)]
    for name in ("sign", "publish"):
        fire(july, name, actor=ministry_approver)
    world.at("2019-09-01 09:00")
    august = bulletins.compile_bulletin(actor=ministry_officer, period="2019-08")
    assert august.figures["adjustments"] == []


def test_a_mistake_after_publication_is_a_numbered_corrigendum(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已发布的通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    for name in ("sign", "publish"):
        first = fire(first, name, actor=ministry_approver)
    second = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    assert (second.sequence, second.corrects_id) == (2, first.pk)


def test_the_paper_says_what_was_frozen(
    unit: PilotUnit, finding: Finding, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    builders.decide(finding, "disputed", "overturned")  # after freezing: the paper must not know
    for name in ("sign", "publish"):
        fire(bulletin, name, actor=ministry_approver)
    paper = Document.objects.get(machine="bulletin")
    text = squeezed(text_of(documents.read_bytes(paper.sha256)))
    assert f"{unit.organisation.name}广东省110001/10.0000" in text
    assert "2019-06-0100:00至2019-07-0100:00（不含）" in text
    assert "计算规则：2019-87/1" in text
