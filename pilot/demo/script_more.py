"""What happens when beside the forms: alerts are seen to, the ministry inspects, the national system answers.

Also questions become answers for everybody, and the pilot is reported on when it is over.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from filings.enums import AlertKind, BulletinKind, CoordinationCategory, FaqState, InspectionStrata
from filings.models import (
    Alert,
    Bulletin,
    CoordinationCase,
    FaqEntry,
    Inspection,
    InspectionItem,
    VerificationForm,
)
from filings.services import alerts, bulletins, coordination, faq, inspections, national
from filings.v3.answers import RecordResult, download_data
from pilot.demo import world
from pilot.demo.cast import Applicant
from pilot.demo.script import Event
from pilot.demo.script_run import CLEAN, CORRECTING, ONE_ERROR, SILENT
from pilot.demo.world import fire, moment
from pilot.enums import OrganisationKind, UnmaskReason
from pilot.models import Organisation
from pilot.selectors import programmes
from pilot.services import programmes as programme_services

STORED = (1060, "")
IN_USE = (1005, "域名已被使用")


def events(forms: int) -> Iterator[Event]:
    """Everything of this file; without forms only what needs none."""
    yield from asking()
    yield from reporting()
    if forms:
        yield from heeding()
        yield from answering()
        yield from inspecting()


# --- alerts -----------------------------------------------------------------------------------------
def heeding() -> Iterator[Event]:
    """The offices take note of some alerts; the others wait to be seen to. Units hand in by the month here."""
    yield Event(moment("2019-05-20 09:00"), enter_silence)
    yield Event(moment("2019-06-19 10:00"), partial(take_note, ONE_ERROR, AlertKind.M1, "已要求核实（示例）"))
    yield Event(
        moment("2019-06-24 09:00"),
        partial(take_note, SILENT, AlertKind.SILENCE, "系统改造中，已催办（示例）"),
    )


def enter_silence() -> None:
    programme_services.set_rule(
        actor=world.officer(),
        programme=programmes.current(),
        key="silence_alert_days",
        value=25,
        basis="示例规则（演示中按月报送）",
    )


def take_note(applicant: Applicant, kind: str, remark: str) -> None:
    rows = Alert.unscoped.filter(unit=world.unit(applicant), kind=kind, acknowledged_at=None)
    if case := rows.order_by("pk").first():
        alerts.acknowledge(case=case, actor=world.reviewer(applicant.province), reason=remark)


# --- the national system answers ----------------------------------------------------------------------
def answering() -> Iterator[Event]:
    yield Event(moment("2019-06-29 10:00"), partial(import_answers, CLEAN, "2019-06-20", "BAJG_20190629.xml"))
    yield Event(moment("2019-06-29 10:10"), partial(import_answers, ONE_ERROR, "2019-06-20", "BAJG_1002.xml"))
    yield Event(moment("2019-10-08 10:00"), partial(import_answers, CLEAN, "2019-10-01", "BAJG_20191008.xml"))


def import_answers(applicant: Applicant, before: str, name: str) -> None:
    """Forms received before a day have receipts, but the last; the first was refused; one answer fits no form."""
    unit = world.unit(applicant)
    rows = VerificationForm.unscoped.filter(unit=unit, day__lt=before, version=1).order_by("pk")
    numbers = list(rows.values_list("form_no", flat=True))
    results = [
        RecordResult(1, number, [STORED if place else IN_USE]) for place, number in enumerate(numbers[:-1])
    ]
    content = download_data([*results, RecordResult(1, "SL-unknown-1", [STORED])])
    national.import_national(actor=world.officer(), unit=unit, source=io.BytesIO(content), name=name)


# --- the ministry inspects, with a second reader ------------------------------------------------------
def inspecting() -> Iterator[Event]:
    yield Event(moment("2019-08-13 09:00"), plan)
    for at, name in (("13 10:00", "commit"), ("14 09:00", "draw"), ("14 10:00", "begin")):
        yield Event(moment(f"2019-08-{at}"), partial(advance, name))
    yield Event(moment("2019-08-15 10:00"), read_twice)
    yield Event(moment("2019-08-16 10:00"), settle)
    yield Event(moment("2019-08-19 10:00"), conclude)


def plan() -> None:
    inspections.plan_inspection(
        actor=world.officer(1),
        unit=world.unit(CORRECTING),
        period="2019-06",
        size=10,
        plan=inspections.Plan(strata=InspectionStrata.KIND, second=50),
    )


def _inspection() -> Any:
    return Inspection.unscoped.get(unit=world.unit(CORRECTING))


def advance(name: str) -> None:
    fire(_inspection(), name, world.officer(1))


def read_twice() -> None:
    """All is right; but the first form that is read twice the two readers judge differently."""
    case = _inspection()
    disputed = True
    for item in InspectionItem.unscoped.filter(inspection=case).order_by("rank"):
        world.looked(world.officer(1), item)
        inspections.read_item(actor=world.officer(1), case=case, item=item)
        if item.second:
            world.looked(world.officer(2), item)
            wrong, remark = (["websites.0.name"], "网站名称与证件不符（示例）") if disputed else ([], "")
            inspections.read_item(actor=world.officer(2), case=case, item=item, wrong=wrong, remark=remark)
            disputed = False


def settle() -> None:
    case = _inspection()
    for item in InspectionItem.unscoped.filter(inspection=case, identity_right=None):
        world.looked(world.approver(1), item, UnmaskReason.DISPUTE)
        inspections.settle(actor=world.approver(1), case=case, item=item)


def conclude() -> None:
    fire(_inspection(), "conclude", world.approver(2), conclusion="经复核裁定，未发现差错（示例）")


# --- questions and answers ----------------------------------------------------------------------------
def asking() -> Iterator[Event]:
    yield Event(moment("2019-05-31 09:00"), partial(draft_answer, CLEAN, *RARE))
    yield Event(moment("2019-06-03 09:00"), publish_answer)
    yield Event(moment("2019-06-21 09:00"), ask_ministry)
    yield Event(moment("2019-06-24 11:00"), reply)
    yield Event(moment("2019-06-25 09:00"), close)
    yield Event(moment("2019-06-26 09:00"), partial(draft_answer, ONE_ERROR, *NIGHT))


RARE = (
    "个人主体姓名含罕见字，与权威库比对不一致，怎样处理？",
    "按“无法判定”处理，不计入准确率分母；可以补充证明材料。（示例）",
    CoordinationCategory.COMPARISON,
)
NIGHT = (
    "权威库暂时没有应答时，核验单要不要重报？",
    "不需要。系统会按间隔自动重新比对，期间该核验单计为“待比对”。（示例）",
    CoordinationCategory.INTERFACE,
)


def _thread(applicant: Applicant) -> Any:
    return CoordinationCase.unscoped.filter(unit=world.unit(applicant)).latest("pk")


def draft_answer(applicant: Applicant, question: str, answer: str, category: str) -> None:
    actor = world.reviewer(applicant.province)
    faq.make_faq(case=_thread(applicant), actor=actor, question=question, answer=answer, category=category)


def publish_answer() -> None:
    entry = FaqEntry.unscoped.filter(state=FaqState.DRAFTED).earliest("pk")
    fire(entry, "publish", world.lead(CLEAN.province))


def ask_ministry() -> None:
    """A bureau takes a unit's question to the ministry."""
    coordination.open_case(
        actor=world.reviewer(ONE_ERROR.province),
        unit=world.unit(ONE_ERROR),
        subject="权威库无应答时的处理口径",
        text="辖区单位询问是否需要重报（示例）",
        owner=Organisation.objects.get(kind=OrganisationKind.MINISTRY),
        category=CoordinationCategory.INTERFACE,
    )


def reply() -> None:
    fire(_thread(ONE_ERROR), "reply", world.officer(), "无需重报，系统自动重新比对（示例）")


def close() -> None:
    fire(_thread(ONE_ERROR), "close", world.reviewer(ONE_ERROR.province))


# --- the end ------------------------------------------------------------------------------------------
def reporting() -> Iterator[Event]:
    """The report on the whole pilot, once its last month is public."""
    yield Event(moment("2020-01-09 09:00"), compile_report)
    yield Event(moment("2020-01-09 14:00"), partial(act_on_report, "sign"))
    yield Event(moment("2020-01-09 15:00"), partial(act_on_report, "publish"))


def compile_report() -> None:
    words = "试点覆盖六个省份的八家单位，电子化核验流程可行；身份信息比对质量仍需持续监督。（示例）"
    bulletins.compile_bulletin(actor=world.officer(), kind=BulletinKind.FINAL, conclusions=words)


def act_on_report(name: str) -> None:
    fire(Bulletin.unscoped.get(kind=BulletinKind.FINAL), name, world.approver())
