"""What happens when, from the first upload to the last bulletin: forms, findings, supervision."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from filings.enums import FindingState, JobState, SanctionKind
from filings.models import (
    Bulletin,
    CoordinationCase,
    Inspection,
    InspectionItem,
    Rectification,
    Sanction,
    UploadJob,
)
from filings.services import comparison
from filings.services.authority import load_authority
from filings.services.bulletins import compile_bulletin
from filings.services.coordination import open_case
from filings.services.inspections import plan_inspection, record_verdict
from filings.services.supervision import draft_rectification, propose_sanction, record_hearing
from filings.services.uploads import receive_upload
from filings.synthetic import authority_rows, make_forms
from pilot.demo import world
from pilot.demo.cast import Applicant, Fate, of_fate
from pilot.demo.script import Event
from pilot.demo.world import fire, moment
from pilot.enums import UnitStatusKind
from pilot.errors import Refused
from pilot.models import Objection
from pilot.selectors import people, programmes, register
from pilot.services import objections
from pilot.services import programmes as programme_services

FIRST_UPLOAD = moment("2019-05-21 15:00")
UPLOADS = [FIRST_UPLOAD, moment("2019-06-05 15:00"), moment("2019-06-18 15:00"), moment("2019-06-28 15:00")]
MONTHLY = [moment(f"2019-{month:02d}-26 15:00") for month in range(7, 13)]
AFTER_THE_END = moment("2020-01-03 10:00")
JOINED = moment("2019-05-24 00:00")  # the second list takes effect
PATIENCE = 300  # seconds a batch may take before the demonstration says that the worker is stuck

CLEAN, ONE_ERROR, CORRECTING, DISPUTING, SUSPENDED, REMOVED, SILENT = of_fate(Fate.UNIT)
(JOINED_LATE,) = of_fate(Fate.OBJECTED)
UNITS = [CLEAN, ONE_ERROR, CORRECTING, DISPUTING, SUSPENDED, REMOVED, SILENT, JOINED_LATE]
# How many names will differ from the authority's record in the upload of 18 June.
DIFFERING = {ONE_ERROR.number: 1, DISPUTING.number: 2, SUSPENDED.number: 3, REMOVED.number: 5}


def events(forms: int) -> Iterator[Event]:
    """The run phase with ``forms`` forms per unit until the end of June, and a tenth of that in every later month."""
    yield from uploading(forms)
    yield from bulletins()
    yield from coordinating()
    if forms:
        yield from handling_findings()
        yield from inspecting()
        yield from rectifying()
        yield from sanctioning()


# --- forms come in ----------------------------------------------------------------------------------
def uploading(forms: int) -> Iterator[Event]:
    share = forms // len(UPLOADS)
    for index, at in enumerate(UPLOADS):
        n = share if index else forms - share * (len(UPLOADS) - 1)
        since = UPLOADS[index - 1] if index else moment("2019-05-16 08:00")
        if n:
            yield Event(at, partial(upload, index, n, since, at))
    for index, at in enumerate(MONTHLY, start=len(UPLOADS)):
        if monthly := forms // 10:
            yield Event(at, partial(upload, index, monthly, at - timedelta(days=20), at))
    if forms:
        yield Event(
            AFTER_THE_END, partial(upload, 99, 3, moment("2019-12-30 09:00"), moment("2019-12-31 18:00"))
        )


def upload(seed: int, n: int, since: datetime, until: datetime) -> None:
    """Every unit that may sends ``n`` forms collected since the last time; the worker takes them."""
    jobs = []
    for applicant in UNITS:
        if applicant is JOINED_LATE and until < JOINED:
            continue
        unit = world.unit(applicant)
        (since_joined, _until), *_rest = register.active_ranges(unit)
        start = max(since, since_joined)
        active = register.status_at(unit, until) == UnitStatusKind.ACTIVE
        if applicant is SILENT or not active or start >= until - timedelta(hours=2):
            continue
        made = list(
            make_forms(
                n,
                unit_code=unit.code,
                seed=seed,
                error_rate=0.02,
                collected_from=start,
                collected_to=until - timedelta(hours=2),
            )
        )
        good = [form.record for form in made if form.planted is None]
        wrong = DIFFERING.get(applicant.number, 0) if seed == 2 else 0
        differ = {form["form_no"] for form in good[len(good) - wrong :]}
        missing = {f["form_no"] for f in good[:1]} if seed == 1 else set()
        _load_authority(good, differ, missing)
        records = [form.record for form in made]
        if applicant is CORRECTING and seed == 2:
            records += _corrections(good[:3])
        jobs.append(_send(applicant, records, f"{unit.code}-{until:%Y%m%d}.ndjson"))
    _await(jobs)


def _load_authority(forms: list[dict[str, Any]], differ: set[str], missing: set[str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["cert_type", "cert_no", "name", "valid_from", "valid_to"])
    writer.writerows(authority_rows(forms, differ=differ, missing=missing))
    load_authority(source=io.BytesIO(text.getvalue().encode()), actor=world.SETUP)


def _corrections(forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same forms once more, corrected by the unit before anybody looked."""
    return [
        form | {"form_no": f"{form['form_no']}-C", "supersedes_form": form["form_no"], "websites": renamed}
        for form in forms
        if (renamed := [site | {"site_name": f"{site['site_name']}（更正）"} for site in form["websites"]])
    ]


def _send(applicant: Applicant, records: list[dict[str, Any]], name: str) -> UploadJob:
    body = b"\n".join(msgspec.json.encode(record) for record in records) + b"\n"
    return receive_upload(
        actor=world.provider(applicant),
        unit=world.unit(applicant),
        source=io.BytesIO(body),
        name=name,
        format="ndjson",
    )


def _await(jobs: list[UploadJob]) -> None:
    """Wait until the worker has taken the batches, and compare what they brought, as the next sweep would."""
    end = time.monotonic() + PATIENCE
    waiting = [job.pk for job in jobs]
    while time.monotonic() < end:
        left = UploadJob.unscoped.filter(pk__in=waiting).exclude(state__in=[JobState.DONE, JobState.FAILED])
        if not left.exists():
            for unit in {job.unit for job in jobs}:
                comparison.compare_everything(unit=unit)
            return
        time.sleep(0.05)
    raise Refused("后台任务没有响应，请检查 Celery / the worker does not answer")


# --- figures are published --------------------------------------------------------------------------
def bulletins() -> Iterator[Event]:
    months = [
        ("2019-05", "2019-06-10"),
        ("2019-06", "2019-07-10"),
        ("2019-07", "2019-08-09"),
        ("2019-08", "2019-09-10"),
        ("2019-09", "2019-10-11"),
        ("2019-10", "2019-11-08"),
        ("2019-11", "2019-12-10"),
        ("2019-12", "2020-01-08"),
    ]
    for period, day in months:
        yield Event(moment(f"{day} 09:00"), partial(compile_one, period))
        if period != "2019-09":
            yield Event(moment(f"{day} 14:00"), partial(sign_one, period))
            yield Event(moment(f"{day} 15:00"), partial(publish_one, period))
    yield Event(moment("2019-10-16 09:00"), partial(sign_one, "2019-09"))
    yield Event(moment("2019-10-16 10:00"), partial(publish_one, "2019-09"))


def compile_one(period: str) -> None:
    compile_bulletin(actor=world.officer(), period=period)


def _bulletin(period: str) -> Any:
    return Bulletin.unscoped.get(period=period, corrects=None)


def sign_one(period: str) -> None:
    fire(_bulletin(period), "sign", world.approver())


def publish_one(period: str) -> None:
    fire(_bulletin(period), "publish", world.approver())


# --- coordination cases -----------------------------------------------------------------------------
def coordinating() -> Iterator[Event]:
    yield Event(
        moment("2019-05-27 10:00"),
        partial(ask, CLEAN, "个人主体罕见字姓名比对不一致如何处理", "申请明确口径（示例）"),
    )
    yield Event(
        moment("2019-05-29 15:00"),
        partial(reply, CLEAN, "按无法判定处理，不计入分母，可补充证明材料（示例）"),
    )
    yield Event(moment("2019-05-30 09:00"), partial(settle, CLEAN))
    yield Event(
        moment("2019-06-20 10:00"), partial(ask, DISPUTING, "权威库接口夜间超时", "每日零点后超时（示例）")
    )
    yield Event(moment("2019-06-21 10:00"), partial(reply, DISPUTING, "已协调接口扩容（示例）"))
    yield Event(
        moment("2019-06-27 10:00"), partial(ask, SILENT, "系统改造尚未完成", "预计推迟开始上报（示例）")
    )


def ask(applicant: Applicant, subject: str, text: str) -> None:
    unit = world.unit(applicant)
    owner = people.bureau_of(unit.province)
    open_case(actor=world.provider(applicant), unit=unit, subject=subject, text=text, owner=owner)


def _thread(applicant: Applicant) -> Any:
    return CoordinationCase.unscoped.filter(unit=world.unit(applicant)).latest("pk")


def reply(applicant: Applicant, text: str) -> None:
    fire(_thread(applicant), "reply", world.reviewer(applicant.province), text)


def settle(applicant: Applicant) -> None:
    fire(_thread(applicant), "close", world.provider(applicant))


# --- findings of the comparison ---------------------------------------------------------------------
def handling_findings() -> Iterator[Event]:
    yield Event(moment("2019-06-20 09:00"), partial(confirm_one, ONE_ERROR))
    yield Event(moment("2019-06-20 11:00"), partial(dispute_all, DISPUTING))
    yield Event(
        moment("2019-06-24 10:00"),
        partial(decide, DISPUTING, "overturn", "原记录有误，已由权威库更正（示例）"),
    )
    yield Event(
        moment("2019-07-03 10:00"), partial(decide, DISPUTING, "uphold", "经复核，证件姓名确不一致（示例）")
    )


def confirm_one(applicant: Applicant) -> None:
    for finding in world.findings(applicant)[:1]:
        fire(finding, "confirm", world.provider(applicant))


def dispute_all(applicant: Applicant) -> None:
    for finding in world.findings(applicant):
        fire(finding, "dispute_finding", world.provider(applicant), "主体已更名，登记尚未同步（示例）")


def decide(applicant: Applicant, name: str, reason: str) -> None:
    for finding in world.findings(applicant, FindingState.DISPUTED)[:1]:
        fire(finding, name, world.officer(), reason)


# --- inspection -------------------------------------------------------------------------------------
def inspecting() -> Iterator[Event]:
    yield Event(moment("2019-07-08 09:00"), partial(plan, JOINED_LATE, "2019-06", 20))
    yield Event(moment("2019-07-08 10:00"), partial(advance, JOINED_LATE, "commit"))
    yield Event(moment("2019-07-09 10:00"), partial(advance, JOINED_LATE, "draw"))
    yield Event(moment("2019-07-09 11:00"), partial(advance, JOINED_LATE, "begin"))
    yield Event(moment("2019-07-10 10:00"), partial(read_all, JOINED_LATE))
    yield Event(moment("2019-07-12 10:00"), partial(conclude, JOINED_LATE))
    yield Event(moment("2019-10-10 09:00"), partial(plan, CLEAN, "2019-06", 10))
    yield Event(moment("2019-10-10 10:00"), partial(advance, CLEAN, "commit"))
    yield Event(moment("2019-10-11 09:00"), partial(advance, CLEAN, "draw"))
    yield Event(moment("2019-10-14 09:00"), partial(advance, CLEAN, "begin"))
    yield Event(moment("2019-10-17 10:00"), partial(read_all, CLEAN, wrong=0))
    yield Event(moment("2019-10-18 10:00"), partial(conclude, CLEAN))
    yield Event(moment("2020-01-08 16:00"), partial(plan, DISPUTING, "2019-12", 10))
    yield Event(moment("2020-01-08 17:00"), partial(advance, DISPUTING, "commit"))


def _inspection(applicant: Applicant) -> Any:
    return Inspection.unscoped.filter(unit=world.unit(applicant)).latest("pk")


def plan(applicant: Applicant, period: str, size: int) -> None:
    plan_inspection(
        actor=world.reviewer(applicant.province), unit=world.unit(applicant), period=period, size=size
    )


def advance(applicant: Applicant, name: str) -> None:
    fire(_inspection(applicant), name, world.reviewer(applicant.province))


def read_all(applicant: Applicant, wrong: int = 3) -> None:
    """Every drawn form is right but the one of this rank, whose website's name is not."""
    case = _inspection(applicant)
    for item in InspectionItem.unscoped.filter(inspection=case).order_by("rank"):
        right = item.rank != wrong
        world.looked(world.reviewer(applicant.province), item)
        record_verdict(
            case=case,
            actor=world.reviewer(applicant.province),
            item=item,
            identity_right=True,
            form_right=right,
            remark="" if right else "网站名称与实际不符（示例）",
        )


def conclude(applicant: Applicant) -> None:
    fire(_inspection(applicant), "conclude", world.lead(applicant.province), conclusion="已逐份检查（示例）")


# --- rectification ----------------------------------------------------------------------------------
def rectifying() -> Iterator[Event]:
    for applicant in (SUSPENDED, REMOVED, ONE_ERROR):
        yield Event(moment("2019-07-11 09:00"), partial(draft_order, applicant))
        yield Event(moment("2019-07-12 09:00"), partial(issue_order, applicant))
    yield Event(moment("2019-07-22 16:00"), partial(answer_order, ONE_ERROR))
    yield Event(
        moment("2019-07-24 10:00"),
        partial(act_on_order, ONE_ERROR, "accept", "仅一份差错，已更正，无需复查（示例）"),
    )
    yield Event(moment("2019-07-23 16:00"), partial(answer_order, SUSPENDED))
    yield Event(
        moment("2019-07-25 10:00"), partial(act_on_order, SUSPENDED, "reject", "未说明根本原因（示例）")
    )
    yield Event(moment("2019-08-06 16:00"), partial(answer_order, SUSPENDED))
    yield Event(
        moment("2019-09-11 10:00"),
        partial(act_on_order, SUSPENDED, "accept", "比对服务已更换，经核查无需复查（示例）"),
    )


def draft_order(applicant: Applicant) -> None:
    unit = world.unit(applicant)
    states = (FindingState.OPEN, FindingState.CONFIRMED, FindingState.UPHELD)
    chosen = [finding for state in states for finding in world.findings(applicant, state)]
    if chosen:
        draft_rectification(
            actor=world.reviewer(applicant.province),
            unit=unit,
            findings=chosen,
            reasons="核验单所载主体身份信息与权威库记录不一致（示例）",
            measures="查明原因，完善比对流程，并书面报告（示例）",
        )


def _order(applicant: Applicant) -> Any:
    return Rectification.unscoped.filter(unit=world.unit(applicant)).order_by("-pk").first()


def issue_order(applicant: Applicant) -> None:
    if order := _order(applicant):
        fire(order, "issue", world.lead(applicant.province))


def answer_order(applicant: Applicant) -> None:
    if order := _order(applicant):
        fire(order, "answer", world.provider(applicant), answer_text="已完成整改，增加人工复核环节（示例）")


def act_on_order(applicant: Applicant, name: str, reason: str) -> None:
    if order := _order(applicant):
        fire(order, name, world.lead(applicant.province), reason)


# --- sanctions, under a rule of the demonstration only ------------------------------------------------
def sanctioning() -> Iterator[Event]:
    yield Event(moment("2019-08-07 09:00"), enter_rule)
    yield Event(
        moment("2019-08-08 09:00"),
        partial(
            propose, SUSPENDED, SanctionKind.SUSPENSION, "首轮整改未说明根本原因，准确率未达到要求（示例）"
        ),
    )
    yield Event(moment("2019-08-08 10:00"), partial(act_on_sanction, SUSPENDED, "notify", "officer"))
    yield Event(moment("2019-08-12 10:00"), partial(state_case, SUSPENDED))
    yield Event(moment("2019-08-13 10:00"), partial(receive_statement, SUSPENDED))
    yield Event(moment("2019-08-14 10:00"), partial(impose, SUSPENDED, moment("2019-08-19 00:00")))
    yield Event(moment("2019-08-20 10:00"), object_to_suspension)
    yield Event(moment("2019-08-21 10:00"), dismiss_objection)
    yield Event(moment("2019-09-12 10:00"), partial(lift, SUSPENDED))
    yield Event(
        moment("2019-08-26 09:00"),
        partial(propose, REMOVED, SanctionKind.REMOVAL, "整改通知逾期，至今未提交整改报告（示例）"),
    )
    yield Event(moment("2019-08-26 10:00"), partial(act_on_sanction, REMOVED, "notify", "officer"))
    yield Event(moment("2019-09-10 10:00"), partial(impose, REMOVED, moment("2019-09-16 00:00")))
    yield Event(
        moment("2019-10-08 09:00"),
        partial(propose, ONE_ERROR, SanctionKind.SUSPENSION, "主体身份信息与权威库不一致（示例）"),
    )
    yield Event(
        moment("2019-10-08 15:00"),
        partial(act_on_sanction, ONE_ERROR, "drop", "officer", "已整改到位（示例）"),
    )
    yield Event(
        moment("2019-10-14 09:00"),
        partial(propose, SILENT, SanctionKind.REMOVAL, "列入试点以来未上报核验单（示例）"),
    )
    yield Event(moment("2019-10-14 10:00"), partial(act_on_sanction, SILENT, "notify", "officer"))
    yield Event(
        moment("2019-10-16 10:00"),
        partial(act_on_sanction, SILENT, "drop", "officer", "已承诺开始上报（示例）"),
    )


def enter_rule() -> None:
    programme_services.set_rule(
        actor=world.officer(),
        programme=programmes.current(),
        key="sanctions",
        value=True,
        basis="示例规则（仅用于演示，87号文未规定）",
    )


def propose(applicant: Applicant, kind: str, grounds: str) -> None:
    propose_sanction(actor=world.officer(), unit=world.unit(applicant), kind=kind, grounds=grounds)


def _sanction(applicant: Applicant) -> Any:
    return Sanction.unscoped.filter(unit=world.unit(applicant)).latest("pk")


def act_on_sanction(applicant: Applicant, name: str, who: str, reason: str = "") -> None:
    fire(_sanction(applicant), name, world.officer() if who == "officer" else world.approver(), reason)


def state_case(applicant: Applicant) -> None:
    fire(
        _sanction(applicant), "close_hearing", world.provider(applicant), statement="正在更换比对服务（示例）"
    )


def receive_statement(applicant: Applicant) -> None:
    record_hearing(
        case=_sanction(applicant),
        actor=world.officer(),
        opinion="更换比对服务尚未完成，不影响对上述事实的认定（示例）",
    )


def impose(applicant: Applicant, effect_from: datetime) -> None:
    fire(_sanction(applicant), "impose", world.approver(), effect_from=effect_from)


def lift(applicant: Applicant) -> None:
    fire(_sanction(applicant), "lift", world.approver(), "已完成整改并经复核（示例）")


def object_to_suspension() -> None:
    objections.file_objection(
        actor=world.provider(SUSPENDED),
        machine="sanction",
        object_id=_sanction(SUSPENDED).pk,
        grounds="已更换比对服务，请求复核（示例）",
    )


def dismiss_objection() -> None:
    case = Objection.unscoped.get(organisation__uscc=SUSPENDED.uscc, against_machine="sanction")
    case = fire(case, "take", world.approver(2))
    fire(case, "dismiss", world.approver(2), "决定所依据的事实清楚（示例）")
