"""What happens to the eight units from June 2019 until the pilot is over; ``run_phase`` says with what means.

A is clean; B has one error in one form fewer than the threshold asks for, C in just as many; D corrects one form before
and one after it was checked; E has a published finding overturned; F is suspended and comes back; G is removed; H never
hands anything in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from filings.enums import BulletinKind, FindingState, SanctionKind
from filings.models import Inspection, InspectionItem, Rectification, Sanction
from filings.services import comparison
from filings.services.inspections import Plan, plan_inspection, read_item, settle
from filings.services.supervision import draft_rectification, propose_sanction, record_hearing
from pilot.services import programmes
from pilot.workflow import fire
from tests.factories import world
from tests.filings.builders import looked
from tests.scenarios.run_phase import MONTHS, Event, Form, Pilot, company, correction

PUBLISHED: Final = dict(
    zip(MONTHS, ("07-08", "08-08", "09-09", "10-09", "11-08", "12-09", "01-08"), strict=True)
)
FORMATS: Final = ("csv", "xlsx", "xml", "ndjson.gz", "csv", "ndjson")  # in which A hands in from July on
STEADY: Final = "BCDE"
FAULT: Final = "网站名称与实际不符（示例）"
ALL_FORMS: Final = 100  # more than any unit that is inspected has


def story(pilot: Pilot, *, many: tuple[int, int]) -> list[Event]:
    """Everything that happens; ``many`` is how many forms B and C hand in in June."""
    return [
        *june(pilot, many),
        *later_months(pilot),
        *answering(pilot),
        *inspecting(pilot),
        *suspending(pilot),
        *removing(pilot),
        *ending(pilot),
        *reporting(pilot),
    ]


def rules(pilot: Pilot) -> None:
    """The ministry's rules of this story: a silence is one of five weeks, and there are sanctions."""
    for key, value in (("silence_alert_days", 25), ("sanctions", True)):
        programmes.set_rule(
            actor=pilot.officer, programme=pilot.programme, key=key, value=value, basis="示例规则"
        )


def event(day: str, act: Any, *args: Any) -> Event:
    """``"06-18 10:00"``; January is of 2020."""
    year = 2020 if day.startswith("01") else 2019
    return world.moment(f"{year}-{day}"), partial(act, *args)


# --- forms --------------------------------------------------------------------------------------------
def june(pilot: Pilot, many: tuple[int, int]) -> Iterator[Event]:
    yield event("06-18 10:00", twice, pilot)
    for letter, number in zip("BCEFG", (*many, 4, 4, 4), strict=True):
        yield event("06-18 11:00", one_differs, pilot, letter, number)
    yield from corrected(pilot)


def twice(pilot: Pilot) -> None:
    """A sends its file once more by mistake."""
    forms = pilot.send("A", 5, "2019-06-17 09:00")
    assert pilot.hand_in("A", forms).duplicates == 5


def one_differs(pilot: Pilot, letter: str, number: int) -> None:
    forms = pilot.make(letter, number, "2019-06-17 09:00")
    pilot.on_record(forms, differ=[company(forms)])
    pilot.hand_in(letter, forms, "ndjson.gz")
    pilot.compare(letter)


def corrected(pilot: Pilot) -> Iterator[Event]:
    """Two of D's four forms misspell a name; one is corrected before anybody looked, the other one day later."""
    forms = pilot.make("D", 4, "2019-06-17 09:00")
    companies = [form for form in forms if form["subject_kind"] == "unit"][:2]
    wrong = [form | {"principal": form["principal"] | {"name": "示例误写"}} for form in companies]
    kept = [form for form in forms if form not in companies]
    right = [correction(form) for form in companies]
    yield event("06-18 10:00", pilot.on_record, forms)
    yield event("06-18 10:30", pilot.hand_in, "D", [*kept, *wrong])
    yield event("06-18 15:00", pilot.hand_in, "D", right[:1])
    yield event("06-18 18:00", pilot.compare, "D")
    yield event("06-19 10:00", pilot.hand_in, "D", right[1:], "csv")
    yield event("06-19 10:30", pilot.compare, "D")


def later_months(pilot: Pilot) -> Iterator[Event]:
    yield event("07-18 10:00", unknown_and_refused, pilot)
    yield event("08-12 09:00", becomes_known, pilot)
    for month, form in zip(range(8, 13), FORMATS[1:], strict=True):
        yield event(f"{month:02}-18 10:00", pilot.send, "A", 5, f"2019-{month:02}-17 09:00", form)
    for month in range(7, 13):
        letters = STEADY + ("" if month == 8 else "F") + ("G" if month < 9 else "")
        for letter in letters:
            yield event(f"{month:02}-18 11:00", pilot.send, letter, 1, f"2019-{month:02}-17 09:00")


def unknown_and_refused(pilot: Pilot) -> None:
    """One of A's principals is not on record, and one of its rows lacks the verifier."""
    forms = pilot.make("A", 6, "2019-07-17 09:00")
    unknown = company(forms[:5])
    pilot.on_record(forms[:5], missing=[unknown])
    del forms[5]["verifier_name"]
    job = pilot.hand_in("A", forms, FORMATS[0])
    assert (job.accepted, job.code_counts) == (5, {"field.required": 1})
    pilot.compare("A")
    pilot.unknown = unknown


def becomes_known(pilot: Pilot) -> None:
    """The authority's next extract knows everybody."""
    assert pilot.unknown is not None
    pilot.on_record([pilot.unknown])
    assert comparison.compare_again(unit=pilot.units["A"]) == 1


def at_the_edge(pilot: Pilot, letter: str, before: str, after: str, code: str) -> None:
    """Two forms collected before and after a moment: the second is refused with this code."""
    forms = [*pilot.make(letter, 1, before), *pilot.make(letter, 1, after)]
    pilot.on_record(forms)
    job = pilot.hand_in(letter, forms)
    assert (job.accepted, job.code_counts) == (1, {code: 1})
    pilot.compare(letter)


# --- findings -----------------------------------------------------------------------------------------
def answering(pilot: Pilot) -> Iterator[Event]:
    for letter in "FG":
        yield event("06-20 09:00", confirm, pilot, letter)
    yield event("06-20 10:00", dispute, pilot)
    yield event("07-10 16:00", overturn, pilot)


def confirm(pilot: Pilot, letter: str) -> None:
    (finding,) = pilot.findings(letter)
    fire(finding, "confirm", actor=pilot.people[letter], cause_text="录入环节缺少复核（示例）")


def dispute(pilot: Pilot) -> None:
    (finding,) = pilot.findings("E")
    fire(finding, "dispute_finding", actor=pilot.people["E"], reason="权威库尚未同步更名（示例）")


def overturn(pilot: Pilot) -> None:
    (finding,) = pilot.findings("E", FindingState.DISPUTED)
    fire(finding, "overturn", actor=pilot.lead, reason="经核，权威库记录有误（示例）")


# --- inspection of G ----------------------------------------------------------------------------------
def inspecting(pilot: Pilot) -> Iterator[Event]:
    yield event("07-09 09:00", plan, pilot)
    yield event("07-09 10:00", inspect, pilot, "commit")
    yield event("07-10 09:00", inspect, pilot, "draw")
    yield event("07-10 10:00", inspect, pilot, "begin")
    yield event("07-10 11:00", read, pilot)
    yield event("07-11 10:00", conclude, pilot)


def plan(pilot: Pilot) -> None:
    unit = pilot.units["G"]
    plan_inspection(actor=pilot.reviewer, unit=unit, period="2019-06", size=ALL_FORMS, plan=Plan(second=100))


def inspection(pilot: Pilot) -> Any:
    return Inspection.unscoped.get(unit=pilot.units["G"])


def inspect(pilot: Pilot, name: str) -> None:
    fire(inspection(pilot), name, actor=pilot.reviewer)


def read(pilot: Pilot) -> None:
    """Two readers find everything right but differ over one form that agrees with the authority; a third decides."""
    case = inspection(pilot)
    known = {finding.form_id for finding in pilot.findings("G")}
    items = list(InspectionItem.unscoped.filter(inspection=case).select_related("form").order_by("form"))
    disputed = next(item for item in items if item.form_id not in known)
    for item in items:
        wrong, remark = (["form"], FAULT) if item == disputed else ([], "")
        looked(pilot.reviewer, item)
        looked(pilot.second, item)
        read_item(actor=pilot.reviewer, case=case, item=item, wrong=wrong, remark=remark)
        read_item(actor=pilot.second, case=case, item=item)
    looked(pilot.lead, disputed)
    settle(actor=pilot.lead, case=case, item=disputed, wrong=["form"], remark=FAULT)


def conclude(pilot: Pilot) -> None:
    fire(inspection(pilot), "conclude", actor=pilot.lead, conclusion="已逐份检查（示例）")


# --- suspension of F ----------------------------------------------------------------------------------
def suspending(pilot: Pilot) -> Iterator[Event]:
    yield event("07-02 09:00", order, pilot, "F")
    yield event("07-15 10:00", answer, pilot)
    yield event("07-16 10:00", judge, pilot, "reject", "未说明根本原因（示例）")
    yield event("07-26 10:00", answer, pilot)
    yield event("08-01 09:00", propose, pilot, "F", SanctionKind.SUSPENSION)
    yield event("08-05 10:00", state_case, pilot)
    yield event("08-06 10:00", receive_statement, pilot)
    yield event("08-07 10:00", impose, pilot, "F", "2019-08-12 00:00")
    edge = ("2019-08-09 09:00", "2019-08-13 09:00", "unit.not_active")
    yield event("08-18 11:00", at_the_edge, pilot, "F", *edge)
    yield event("09-11 10:00", judge, pilot, "accept", "已更换比对服务（示例）")
    yield event("09-16 09:00", lift, pilot)


def order(pilot: Pilot, letter: str) -> None:
    drafted = draft_rectification(
        actor=pilot.reviewer,
        unit=pilot.units[letter],
        findings=pilot.findings(letter, FindingState.CONFIRMED),
        reasons="身份信息与权威库记录不一致（示例）",
        measures="查明原因，完善比对流程（示例）",
    )
    fire(drafted, "issue", actor=pilot.lead)


def answer(pilot: Pilot) -> None:
    case = Rectification.unscoped.get(unit=pilot.units["F"])
    fire(case, "answer", actor=pilot.people["F"], answer_text="已增加人工复核（示例）")


def judge(pilot: Pilot, name: str, reason: str) -> None:
    fire(Rectification.unscoped.get(unit=pilot.units["F"]), name, actor=pilot.lead, reason=reason)


def propose(pilot: Pilot, letter: str, kind: str) -> None:
    case = propose_sanction(
        actor=pilot.officer, unit=pilot.units[letter], kind=kind, grounds="整改不到位（示例）"
    )
    fire(case, "notify", actor=pilot.officer)


def sanction(pilot: Pilot, letter: str) -> Any:
    return Sanction.unscoped.get(unit=pilot.units[letter])


def state_case(pilot: Pilot) -> None:
    fire(sanction(pilot, "F"), "close_hearing", actor=pilot.people["F"], statement="正在更换服务（示例）")


def receive_statement(pilot: Pilot) -> None:
    record_hearing(case=sanction(pilot, "F"), actor=pilot.officer, opinion="不影响事实的认定（示例）")


def impose(pilot: Pilot, letter: str, effect: str) -> None:
    fire(sanction(pilot, letter), "impose", actor=pilot.approver, effect_from=world.moment(effect))


def lift(pilot: Pilot) -> None:
    fire(sanction(pilot, "F"), "lift", actor=pilot.approver, reason="已整改到位（示例）")


# --- removal of G -------------------------------------------------------------------------------------
def removing(pilot: Pilot) -> Iterator[Event]:
    yield event("07-19 09:00", order, pilot, "G")
    yield event("08-12 09:00", propose, pilot, "G", SanctionKind.REMOVAL)
    yield event("08-21 10:00", impose, pilot, "G", "2019-09-01 00:00")
    edge = ("2019-08-30 09:00", "2019-09-02 09:00", "unit.not_active")
    yield event("09-05 10:00", at_the_edge, pilot, "G", *edge)


# --- the end ------------------------------------------------------------------------------------------
def ending(pilot: Pilot) -> Iterator[Event]:
    """C's last forms are compared only when the last month has been published; F comes in too late."""
    last: list[Form] = pilot.make("C", 2, "2019-12-29 09:00")
    yield event("12-30 09:00", pilot.on_record, last)
    yield event("12-30 10:00", pilot.hand_in, "C", last)
    edge = ("2019-12-30 09:00", "2020-01-01 09:00", "time.outside_run_phase")
    yield event("01-03 10:00", at_the_edge, pilot, "F", *edge)
    yield event("01-09 10:00", pilot.compare, "C")


def reporting(pilot: Pilot) -> Iterator[Event]:
    """Every month is published in the next one; when the pilot is over, its final report."""
    for period, day in PUBLISHED.items():
        yield event(f"{day} 15:00", partial(pilot.publish, period=period))
    final = {"kind": BulletinKind.FINAL, "conclusions": "试点达到预期（示例）"}
    yield event("01-10 10:00", partial(pilot.publish, **final))
