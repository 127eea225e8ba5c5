"""Looking at a drawn form in full: no verdict without it, one reason for a session of reading, each look on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from filings.models import Finding, Inspection, InspectionReading
from filings.pages import inspection_reading
from filings.services import inspection_fields, inspections
from filings.views import standing_reason
from pilot import clock
from pilot.actors import Actor
from pilot.enums import DataGroup
from pilot.models import AuditEntry, PilotUnit
from pilot.services import disclosure
from tests.factories import world
from tests.filings import builders
from tests.filings.test_inspection_readings import CONTENT, PHONE, running, signed_in, turned_away

MASKED = "请先显示该核验单的完整内容"
LOOK = {"act": "unmask", "reason": "contact"}


def looks(actor: Actor) -> list[tuple[str, str, str]]:
    """What is on record of this person's looks: outcome, form, reason."""
    rows = AuditEntry.objects.filter(action=disclosure.UNMASK, person_id=actor.person_id).order_by("pk")
    return [(row.outcome, row.object_id, row.detail["reason"]) for row in rows]


# --- no verdict on what was masked ----------------------------------------------------------------------
def test_no_verdict_rests_on_what_was_shown_masked(
    unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor
) -> None:
    case = running(unit, bureau_reviewer)
    item, other = case.items.all()
    act: dict[str, Any] = {"actor": bureau_reviewer, "case": case, "item": item}
    whole = {"identity_right": True, "form_right": True}

    def barred() -> None:
        turned_away(MASKED, inspections.read_item, **act)
        turned_away(MASKED, inspections.read_item, **act, wrong=["subject.name"], remark="不符")
        turned_away(MASKED, inspections.record_verdict, **act, **whole)
        turned_away(MASKED, inspections.record_verdict, **act, **whole | {"form_right": False}, remark="不符")

    barred()
    builders.looked(second_reader, item)  # somebody else's look is not this person's
    builders.looked(bureau_reviewer, other)  # nor is a look at another form
    barred()
    past = AuditEntry.objects.filter(action=disclosure.UNMASK).values().latest("pk") | {
        "id": None, "at": clock.security_now() - timedelta(minutes=61), "object_id": str(item.form_id),
    }  # fmt: skip
    AuditEntry.objects.create(**past)  # nor one of more than an hour ago
    barred()
    assert (InspectionReading.unscoped.count(), Finding.unscoped.count()) == (0, 0)
    builders.looked(bureau_reviewer, item)
    assert inspections.read_item(**act).form_right is True


def test_a_look_that_was_refused_is_none(
    unit: PilotUnit, bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(disclosure.PER_HOUR, DataGroup.FORM, 0)
    case = running(unit, bureau_reviewer, size=1)
    item = case.items.get()
    turned_away("一小时内最多查看 0 次", builders.looked, bureau_reviewer, item)
    turned_away(MASKED, inspections.read_item, actor=bureau_reviewer, case=case, item=item)


def test_who_settles_two_readings_looks_as_well(
    unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor, bureau_lead: Actor
) -> None:
    case = running(unit, bureau_reviewer, size=1, second=100)
    item = case.items.get()
    for actor, wrong in ((bureau_reviewer, ["subject.name"]), (second_reader, [])):
        turned_away(MASKED, inspections.read_item, actor=actor, case=case, item=item)
        builders.looked(actor, item)
        inspections.read_item(actor=actor, case=case, item=item, wrong=wrong, remark="不符")
    turned_away(MASKED, inspections.settle, actor=bureau_lead, case=case, item=item)
    builders.looked(bureau_lead, item)
    assert inspections.settle(actor=bureau_lead, case=case, item=item).form_right is True


def test_a_form_that_hides_nothing_needs_no_look(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    builders.form(unit, "HYD-01", content={"subject": {"name": "示例科技有限公司", "nature": 4}})
    case = running(unit, bureau_reviewer, size=1, of=0)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    page = client.get(url).context["page"]
    assert (page.barred, list(page.reasons)) == (False, [])
    client.post(url, {"item": case.items.get().pk, "turn": 1, "act": "right"})
    assert (case.items.get().form_right, looks(bureau_reviewer)) == (True, [])


PERSONAL = builders.full(1) | {"subject": builders.full(1)["subject"] | {"cert_type": 2, "name": "示例乙"}}


@pytest.mark.parametrize("record", [{}, CONTENT, builders.full(1), PERSONAL])
def test_what_counts_as_hidden_is_what_the_page_masks(record: dict[str, Any]) -> None:
    masked, plain = (inspection_reading._values(record, full=full) for full in (False, True))
    judged = inspection_fields.judged_fields(record)
    differ = [key for key in judged if masked.get(key) != plain.get(key)]
    assert inspection_fields.hidden_fields(record) == differ


def test_the_page_offers_a_verdict_only_after_a_look(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer, size=1)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    masked = client.get(url)
    item = case.items.get()
    refused = client.post(url, {"item": item.pk, "turn": 1, "act": "right"})
    full = client.post(url, {"item": item.pk} | LOOK)
    again = client.get(url)  # masked once more, but it was seen
    assert [(answer.status_code, answer.context["page"].barred) for answer in (masked, refused, full, again)] == [
        (200, True), (422, True), (200, False), (200, False),
    ]  # fmt: skip
    assert [MASKED in refused.text, PHONE in again.text] == [True, False]
    assert [answer.text.count(" disabled") for answer in (masked, refused, full, again)] == [2, 2, 0, 0]
    client.post(url, {"item": item.pk, "turn": 1, "act": "right"})
    assert case.items.get().form_right is True


# --- one reason for a session of reading ----------------------------------------------------------------
def test_the_form_is_masked_until_a_reason_is_given(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer, size=1)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    masked = client.get(url).content.decode()
    item = case.items.get()
    assert (PHONE in masked, "138****8000" in masked, "440101********0011" in masked) == (False, True, True)
    hint = "当前为遮盖显示：被遮盖的内容，请先在“完整内容”中查看再核对"
    assert hint in masked
    refused_page = client.post(url, {"item": item.pk, "act": "unmask", "reason": "好奇"})
    assert (refused_page.status_code, PHONE in refused_page.content.decode()) == (422, False)
    full = client.post(url, {"item": item.pk, "act": "unmask", "reason": "contact", "remark": "写到一半"})
    assert [words in full.content.decode() for words in (PHONE, "写到一半", hint)] == [True, True, False]
    entry = AuditEntry.objects.get(action="personal.unmask")
    assert (entry.person_id, entry.object_id, entry.detail) == (
        bureau_reviewer.person_id, str(item.form_id), {"group": "form", "reason": "contact"},
    )  # fmt: skip
    signed_in(world.bureau()).post(url, {"item": item.pk, "act": "unmask", "reason": "contact"})
    assert AuditEntry.objects.filter(action="personal.unmask").count() == 1  # not in that person's hands
    # The form's own page does the same: one row for one look, in full for that answer alone.
    own, before = reverse("verification-form_detail", args=[item.form_id]), AuditEntry.objects.count()
    shown = client.post(own, {"group": "form", "reason": "dispute"}).content.decode()
    assert (PHONE in shown, AuditEntry.objects.count() - before) == (True, 1)
    assert PHONE not in client.get(own).content.decode()
    provider = signed_in(world.person(unit.organisation, "provider_admin"))
    refused_owner = provider.post(own, {"group": "form", "reason": "dispute"})
    assert (refused_owner.status_code, PHONE in refused_owner.content.decode()) == (403, False)


def test_one_reason_stands_for_the_reading_of_one_inspection(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer, size=3, of=3)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    forms = []
    assert client.get(url).context["page"].standing == ""
    for item, reason in zip(case.items.all(), ("contact", "", "address"), strict=True):
        client.get(url)
        shown = client.post(url, {"item": item.pk, "act": "unmask", "reason": reason})
        assert (shown.status_code, PHONE in shown.text) == (200, True)
        client.post(url, {"item": item.pk, "turn": 1, "act": "right"})
        forms.append(str(item.form_id))
    assert looks(bureau_reviewer) == [
        ("done", forms[0], "contact"),
        ("done", forms[1], "contact"),
        ("done", forms[2], "address"),
    ]


def test_a_standing_reason_counts_towards_the_bound_of_an_hour(
    unit: PilotUnit, bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(disclosure.PER_HOUR, DataGroup.FORM, 1)
    case = running(unit, bureau_reviewer, size=1)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    client.get(url)
    item = case.items.get()
    client.post(url, {"item": item.pk} | LOOK)
    over = client.post(url, {"item": item.pk, "act": "unmask"})
    assert (over.status_code, PHONE in over.text) == (422, False)
    form = str(item.form_id)
    assert looks(bureau_reviewer) == [("done", form, "contact"), ("denied", form, "contact")]


def test_a_reason_stands_for_nothing_else(
    unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor
) -> None:
    """Not for another inspection, another session, another role, another person, nor for ever."""
    case = running(unit, bureau_reviewer, size=1)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    client.get(url)
    item = case.items.get()
    client.post(url, {"item": item.pk} | LOOK)
    assert client.get(url).context["page"].standing == "contact"
    other = further(unit, bureau_reviewer)
    there = reverse("inspection_read", args=[other.pk])
    assert client.get(there).context["page"].standing == ""
    asked = client.post(there, {"item": other.items.get().pk, "act": "unmask"})
    assert (asked.status_code, "请选择查看完整内容的理由" in asked.text) == (422, True)
    assert signed_in(bureau_reviewer).get(url).context["page"].standing == ""
    for change in ({"until": clock.security_now().isoformat()}, {"membership": 0}):
        client.get(url)
        client.post(url, {"item": item.pk} | LOOK)
        session = client.session
        kept = session[standing_reason.KEY]
        session[standing_reason.KEY] = {key: said | change for key, said in kept.items()}
        session.save()
        assert client.get(url).context["page"].standing == ""


def test_a_reason_that_was_refused_does_not_stand(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer, size=1)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    client.get(url)
    item = case.items.get()
    assert client.post(url, {"item": item.pk, "act": "unmask", "reason": "好奇"}).status_code == 422
    assert client.get(url).context["page"].standing == ""


def test_the_reason_for_reading_is_none_for_settling(
    unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor, bureau_lead: Actor
) -> None:
    case = running(unit, bureau_reviewer, size=2, second=100)
    first, other = case.items.all()
    for actor, wrong in ((bureau_reviewer, ["subject.name"]), (second_reader, [])):
        builders.looked(actor, first)
        inspections.read_item(actor=actor, case=case, item=first, wrong=wrong, remark="不符")
    builders.looked(bureau_reviewer, other)
    inspections.read_item(actor=bureau_reviewer, case=case, item=other)
    client = signed_in(bureau_lead)
    read, settle = (reverse(f"inspection_{name}", args=[case.pk]) for name in ("read", "settle"))
    client.get(read)
    client.post(read, {"item": other.pk} | LOOK)
    assert [client.get(url).context["page"].standing for url in (read, settle)] == ["contact", ""]
    client.post(settle, {"item": first.pk, "act": "unmask", "reason": "dispute"})
    assert client.get(settle).context["page"].standing == "dispute"


def further(unit: PilotUnit, actor: Actor) -> Inspection:
    """One more inspection that is being read, of the same month."""
    return running(unit, actor, size=1, of=0)
