"""Papers of review and assessment: what each template is given. Official papers are Chinese, so are their words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import translation

from applications.documents import CHANNEL
from applications.models import Application
from assessment import spreadsheet
from assessment.enums import AssessmentState
from assessment.models import (
    ApprovalList,
    ApprovalListEntry,
    CapabilityAssessment,
    Criterion,
    InterestDeclaration,
    ProvincialReport,
    ScoreSheet,
)
from assessment.rules import scope
from assessment.selectors import applicants, capability, evidence, lists, reports
from pilot.enums import OrganisationKind, Province, WindowKind
from pilot.models import Document, Organisation, Person, Programme
from pilot.pdf import LANGUAGE, cn_date
from pilot.rules import local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LABELS: Final = "甲乙丙丁戊己庚辛壬癸"
LIST_TITLE: Final = "电子化核验试点单位名单"
LIST_KIND: Final = "approval-list"


def provincial_report(report: ProvincialReport, *, at: datetime) -> None:
    """The sheet (汇总表) of the version just frozen, as PDF and as workbook, from one and the same content.

    Files are named by province, matter and date, as offices file them.
    """
    paper = _report_paper(report, at=at)
    title = f"{paper['province']}电子化核验试点申请审核汇总表（第{report.version}版）"
    content = documents.render("documents/provincial_report.html", paper, title=title)
    named = f"{title}{local_day(at).isoformat()}"
    documents.keep(case=report, kind="provincial-report", title=named, content=content, at=at)
    workbook = spreadsheet.report_workbook(title=title, paper=paper)
    documents.keep(
        case=report, kind="provincial-report-xlsx", title=named, content=workbook, content_type=XLSX, at=at
    )


def _report_paper(report: ProvincialReport, *, at: datetime) -> dict[str, Any]:
    with translation.override(LANGUAGE):
        province = str(Province(report.province).label)
        snapshots = [line.snapshot for line in reports.current_lines(report)]
    recommended = sum(snapshot["recommended"] for snapshot in snapshots)
    return {
        "programme": letters.programme_words(report.programme),
        "issuer": report.bureau.name,
        "report_number": report.number,
        "version": str(report.version),
        "filled_by": report.filled_in_by,
        "phone": report.phone,
        "filled_on": cn_date(local_day(at)),
        "province": province,
        "rows": [
            {
                "name": snapshot["name"],
                "uscc": snapshot["uscc"],
                "number": snapshot["number"],
                "province": province,
                "licence": snapshot["licence"],
                "methods": "、".join(snapshot["methods"]),
                "opinion": spreadsheet.opinion_words(recommended=snapshot["recommended"]),
                "remark": snapshot["remark"],
            }
            for snapshot in snapshots
        ],
        "nil_words": f"零报告：本报送期内，{province}没有报送的申请单位。",
        "total_words": f"申请单位{len(snapshots)}家，其中同意推荐{recommended}家，"
        f"不同意推荐{len(snapshots) - recommended}家",
        "digest": report.digest,
    }


def assessment_report(assessment: CapabilityAssessment, *, at: datetime) -> Document:
    """The report (技术能力评估报告) of an assessment just concluded."""
    application = assessment.application
    programme = application.programme
    scored = [d for d in capability.on_case(assessment) if capability.sheet_of(d) is not None]
    panel = [d for d in scored if not d.moderator]
    labelled = list(zip(LABELS, scored, strict=False))
    with translation.override(LANGUAGE):
        facts = applicants.facts_of(application)
        province = str(Province(application.province).label)
        grounds = _grounds(assessment, labelled)
    moderation = _moderation(scored, panel, programme)
    parts = [*(["grounds"] if grounds else []), *(["moderation"] if moderation else []), "conclusion"]
    return documents.make(
        case=assessment,
        kind="assessment-report",
        title="技术能力评估报告",
        template="documents/assessment_report.html",
        context={
            "programme": letters.programme_words(programme),
            "issuer": _ministry().name,
            "case_number": application.number,
            "applicant": application.provider.name,
            "uscc": application.uscc,
            "province": province,
            "product": facts.product,
            "supplier": facts.supplier,
            "assessed_on": cn_date(local_day(at)),
            "assessors": [_assessor(label, declaration) for label, declaration in labelled],
            "rule": _rule(assessment),
            **_score_tables(assessment, [d.score_sheet for d in scored]),
            "grounds": grounds,
            "moderation": moderation,
            "numbers": dict(zip(parts, "四五六", strict=False)),
            "verdict": _verdict(assessment),
            "concluded_by": _name_of(assessment.concluded_by),
            "comments": [
                f"评估人员{label}的评语：{d.score_sheet.comment}"
                for label, d in labelled
                if d.score_sheet.comment
            ],
        },
        at=at,
    )


def _rule(assessment: CapabilityAssessment) -> str:
    version = assessment.catalogue_version or capability.newest_version(assessment.application.programme)
    least = capability.pass_points(assessment)
    return f"按本试点项目评估指标第{version}版评分，合计{least}分及以上且各项指标达到最低要求的为通过。"


def _grounds(
    assessment: CapabilityAssessment, labelled: list[tuple[str, InterestDeclaration]]
) -> list[dict[str, Any]]:
    """Per criterion what each assessor named and said."""
    known = evidence.materials(assessment)
    sheets = [(label, evidence.of_sheet(d.score_sheet)) for label, d in labelled]
    rows = []
    for code, criterion in capability.catalogue_of(assessment).items():
        said = [f"{label}：{_ground(found[code], known)}" for label, found in sheets if code in found]
        if said:
            rows.append({"title": criterion.title, "said": said})
    return rows


def _ground(ground: evidence.Evidence, known: Mapping[str, evidence.Material]) -> str:
    material = known.get(ground.source)
    page = f"第{ground.page}页" if ground.page else ""
    return "，".join(filter(None, [f"{material.label}{page}" if material else "", ground.words]))


def _assessor(label: str, declaration: InterestDeclaration) -> dict[str, str]:
    return {
        "label": label,
        "name": declaration.assessor.name,
        "organisation": declaration.agency.name,
        "role": "复议" if declaration.moderator else "独立评分",
        "declared_on": local_day(declaration.state_since).isoformat(),
    }


def _score_tables(assessment: CapabilityAssessment, sheets: list[ScoreSheet]) -> dict[str, Any]:
    rows = capability.compared(assessment, sheets)
    return {
        "criteria": [
            {
                "title": row.criterion.title,
                "maximum": row.criterion.points,
                "least": row.criterion.must_pass or "--",
                "scores": row.points,
                "agreed": row.mean,
                "outcome": ("达到" if row.met else "未达到") if row.criterion.must_pass else "--",
            }
            for row in rows
        ],
        "totals": {
            "maximum": sum(row.criterion.points for row in rows),
            "scores": [sheet.total for sheet in sheets],
            "agreed": assessment.points,
        },
    }


def _moderation(
    scored: list[InterestDeclaration], panel: list[InterestDeclaration], programme: Programme
) -> dict[str, str] | None:
    decider = next((d for d in scored if d.moderator), None)
    if decider is None:
        return None
    totals = "、".join(str(d.score_sheet.total) for d in panel)
    margin = programmes.rule(programme, "assessment_margin")
    rule = f"本试点项目规定分差超过{margin}分或最低要求结论不一致的应当复议"
    return {
        "moderator": decider.assessor.name,
        "held_on": cn_date(local_day(decider.score_sheet.at)),
        "reason": f"原评分合计为{totals}分，{rule}，以复议评分为准。",
    }


def _name_of(person: Person | None) -> str:
    return person.name if person else ""


def _verdict(assessment: CapabilityAssessment) -> str:
    least = capability.pass_points(assessment)
    basis = "以复议评分为准" if capability.moderator(assessment) else "各项平均分合计后舍去小数"
    if assessment.passed:
        demand = f"本试点项目要求不低于{least}分，且各项指标达到最低要求"
        return f"通过。认定总分{assessment.points}分（{basis}），{demand}。{assessment.conclusion}"
    found = f"{shortfalls([assessment])[assessment.pk]}（认定总分{assessment.points}分，{basis}）"
    return f"不通过。{found}。{assessment.conclusion}"


def shortfalls(failed: Collection[CapabilityAssessment]) -> dict[int, str]:
    """Assessment id → what an applicant who failed was short of, for report, list and letters.

    A fixed number of queries: those of one programme have its pass mark in common.
    """
    marks = {a.application.programme_id: a for a in failed}
    least = {programme: capability.pass_points(a) for programme, a in marks.items()}
    missed = capability.missed(failed)
    return {a.pk: _short_of(a, least[a.application.programme_id], missed[a.pk]) for a in failed}


def _short_of(assessment: CapabilityAssessment, least: int, missed: Collection[Criterion]) -> str:
    """Every reason there is. The mark may have been lowered since the conclusion, which stands all the same."""
    titles = "、".join(f"“{criterion.title}”" for criterion in missed)
    found = [f"技术能力评估指标{titles}未达到最低要求"] if titles else []
    if (assessment.points or 0) < least:
        found.append(f"技术能力评估认定总分{assessment.points}分，低于本试点项目要求的{least}分")
    return "；".join(found) or f"技术能力评估认定总分{assessment.points}分，低于作出结论时要求的分数"


def approval_list(approval_list: ApprovalList, *, at: datetime) -> Document:
    """The published list itself: those taken in, with their codes in the register and what is opened for them."""
    programme = approval_list.programme
    listed = [entry for entry in lists.entries(approval_list) if entry.listed]
    codes = lists.unit_codes(programme)
    facts = applicants.facts_of_many([entry.application for entry in listed])
    with translation.override(LANGUAGE):
        rows = [
            {
                "code": codes[entry.application.provider_id],
                "name": entry.application.provider.name,
                "province": str(Province(entry.application.province).label),
                "licence": facts[entry.application_id].licence,
                "provinces": scope.province_words(entry.provinces),
                "types": scope.type_words(entry.filing_types),
            }
            for entry in listed
        ]
    return documents.make(
        case=approval_list,
        kind=LIST_KIND,
        title=LIST_TITLE,
        template="documents/approval_list.html",
        context={
            "programme": letters.programme_words(programme),
            "issuer": _ministry().name,
            "list_number": str(approval_list.sequence),
            "published_on": cn_date(local_day(at)),
            "effective_on": cn_date(local_day(approval_list.effective_from)),
            "rows": rows,
            "change": _change(approval_list, listed),
        },
        at=at,
    )


def _change(approval_list: ApprovalList, listed: list[ApprovalListEntry]) -> str:
    """What a later list does to earlier ones."""
    amended = lists.amended(approval_list)
    numbers = "、".join(f"第{number}号" for number in sorted(set(amended.values())))
    if amended:
        who = "上述单位" if len(amended) == len(listed) else f"其中{len(amended)}家"
        return f"{who}经申诉复核列入，本名单据此变更{numbers}名单，此前名单的其他内容不变。"
    return "本名单为后续批次，此前公布的名单继续有效。" if approval_list.sequence > 1 else ""


def decision_letter(entry: ApprovalListEntry, *, published_at: datetime, at: datetime) -> Document:
    """The result as a letter to one applicant, kept with its application; dated as the list."""
    application = entry.application
    approval_list = entry.approval_list
    programme = approval_list.programme
    bureau = people.bureau_of(application.province)
    assessment = lists.assessments([application]).get(application.pk)
    return documents.make(
        case=application,
        kind=_letter_kind(approval_list),
        title="关于电子化核验试点申请结果的函",
        template="documents/letter_decision.html",
        context={
            **letters.head(
                programme=programme,
                issuer=_ministry(),
                addressee=application.provider.name,
                at=published_at,
            ),
            "case_number": application.number,
            "bureau": bureau.name,
            "assessed": assessment is not None and assessment.state == AssessmentState.CONCLUDED,
            "list_title": LIST_TITLE,
            "list_number": str(approval_list.sequence),
            "published_on": cn_date(local_day(published_at)),
            "listed": entry.listed,
            "attachments": [f"{LIST_TITLE}（第{approval_list.sequence}号）"] if entry.listed else [],
            "cc": f"{bureau.name}。",
            **(_admission(entry) if entry.listed else _refusal(entry, published_at)),
        },
        at=at,
    )


def _admission(entry: ApprovalListEntry) -> dict[str, Any]:
    programme = entry.approval_list.programme
    identity = _percent(programmes.rule(programme, "identity_accuracy"))
    form = _percent(programmes.rule(programme, "form_accuracy"))
    _opens, closes = programmes.window(programme, WindowKind.RUN)
    with translation.override(LANGUAGE):
        opened = {
            "provinces": scope.province_words(entry.provinces).replace(" ", ""),
            "types": scope.type_words(entry.filing_types),
        }
    return {
        "unit_code": lists.unit_codes(programme)[entry.application.provider_id],
        "effective_on": cn_date(local_day(entry.approval_list.effective_from)),
        "until": letters.last_day(closes),
        "opened": opened,
        "review": _review(entry),
        "requirements": [
            f"电子化采集ICP备案主体真实身份信息，准确率不低于{identity}%。",
            f"电子化采集《核验单》相关信息，准确率达到{form}%。",
            "向工业和信息化部ICP/IP地址/域名信息备案管理系统提交电子化采集的ICP备案主体图像和电子化《核验单》。",
        ],
    }


def _review(entry: ApprovalListEntry) -> dict[str, str] | None:
    """The objection that led to this admission: against which list, filed and upheld when."""
    objection = lists.upheld_objection(entry.application)
    number = lists.amended(entry.approval_list).get(entry.application_id)
    if objection is None or number is None:
        return None
    return {
        "list_number": str(number),
        "filed_on": cn_date(local_day(objection.opened_at)),
        "upheld_on": cn_date(local_day(objection.state_since)),
    }


def _refusal(entry: ApprovalListEntry, published_at: datetime) -> dict[str, Any]:
    programme = entry.approval_list.programme
    days = programmes.rule(programme, "objection_days")
    until = programmes.deadline(programme, start=published_at, days=days)
    return {
        "reason": f"{entry.reason.rstrip('。')}。",
        "objection": {"until": letters.last_day(until), "channel": CHANNEL},
    }


def _percent(threshold: dict[str, int]) -> str:
    """A threshold of allowed errors in so many, as the percentage the notice states."""
    share = Decimal(100) * (threshold["out_of"] - threshold["errors"]) / threshold["out_of"]
    return f"{share.normalize():f}"


def _ministry() -> Organisation:
    return Organisation.objects.get(kind=OrganisationKind.MINISTRY)


def letters_missing(approval_list: ApprovalList) -> QuerySet[ApprovalListEntry]:
    """The entries of a published list whose applicants have no letter about it yet."""
    written = Document.objects.filter(machine=Application.slug(), kind=_letter_kind(approval_list))
    entries = lists.entries(approval_list).exclude(application__in=written.values("object_id"))
    return entries.select_related("approval_list__programme", "application__provider")


def _letter_kind(approval_list: ApprovalList) -> str:
    """An applicant may get one letter per list: left off the first, taken in by a later one."""
    return f"decision-letter-{approval_list.sequence}"
