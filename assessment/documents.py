"""Papers of review and assessment: what each template is given. Official papers are Chinese, so are their words."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from django.utils import translation

from applications.documents import CHANNEL
from applications.models import Application
from assessment import spreadsheet
from assessment.models import (
    ApprovalList,
    ApprovalListEntry,
    CapabilityAssessment,
    Criterion,
    InterestDeclaration,
    ProvincialReport,
    ScoreSheet,
)
from assessment.selectors import applicants, capability, lists, reports
from pilot.enums import OrganisationKind, Province
from pilot.models import Document, Organisation, Programme
from pilot.pdf import LANGUAGE, cn_date
from pilot.rules import local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LABELS: Final = "甲乙丙丁戊己庚辛壬癸"
LIST_TITLE: Final = "电子化核验试点单位名单"


def provincial_report(report: ProvincialReport, *, at: datetime) -> None:
    """The sheet (汇总表) of the version just frozen, as PDF and as workbook."""
    with translation.override(LANGUAGE):
        province = str(Province(report.province).label)
        snapshots = [line.snapshot for line in reports.current_lines(report)]
    title = f"{province}电子化核验试点申请审核汇总表"
    context = {
        "programme": letters.programme_words(report.programme),
        "issuer": report.bureau.name,
        "report_number": report.number,
        "version": str(report.version),
        "filled_by": report.filled_in_by,
        "phone": report.phone,
        "filled_on": local_day(at).isoformat(),
        "province": province,
        "rows": [
            {
                "name": snapshot["name"],
                "uscc": snapshot["uscc"],
                "licence": snapshot["licence"],
                "methods": "、".join(snapshot["methods"]),
                "opinion": spreadsheet.opinion_words(recommended=snapshot["recommended"]),
                "remark": snapshot["remark"],
            }
            for snapshot in snapshots
        ],
        "totals": {
            "recommended": sum(snapshot["recommended"] for snapshot in snapshots),
            "not_recommended": sum(not snapshot["recommended"] for snapshot in snapshots),
        },
        "digest": report.digest,
    }
    named = f"{title}（第{report.version}版）"
    documents.make(
        case=report,
        kind="provincial-report",
        title=named,
        template="documents/provincial_report.html",
        context=context,
        at=at,
    )
    workbook = spreadsheet.report_workbook(title=named, snapshots=snapshots, digest=report.digest)
    documents.keep(
        case=report, kind="provincial-report-xlsx", title=named, content=workbook, content_type=XLSX, at=at
    )


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
            "assessed_on": local_day(at).isoformat(),
            "assessors": [_assessor(label, declaration) for label, declaration in labelled],
            **_score_tables(assessment, [d.score_sheet for d in scored]),
            "moderation": _moderation(scored, panel, programme),
            "verdict": _verdict(assessment),
            "comments": [d.score_sheet.comment for d in scored if d.score_sheet.comment],
        },
        at=at,
    )


def _assessor(label: str, declaration: InterestDeclaration) -> dict[str, str]:
    return {
        "label": label,
        "name": declaration.assessor.name,
        "organisation": declaration.agency.name,
        "declared_on": local_day(declaration.state_since).isoformat(),
    }


def _score_tables(assessment: CapabilityAssessment, sheets: list[ScoreSheet]) -> dict[str, Any]:
    criteria = capability.catalogue(assessment.application.programme)
    deciding = capability.conclusive_sheets(assessment)
    return {
        "criteria": [_criterion(criterion, code, sheets, deciding) for code, criterion in criteria.items()],
        "totals": {
            "maximum": sum(criterion.points for criterion in criteria.values()),
            "scores": [sheet.total for sheet in sheets],
            "agreed": assessment.points,
        },
    }


def _criterion(
    criterion: Criterion, code: str, sheets: list[ScoreSheet], deciding: list[ScoreSheet]
) -> dict[str, Any]:
    mean = Decimal(sum(sheet.scores[code] for sheet in deciding)) / len(deciding)
    agreed = mean.quantize(Decimal("0.1"), rounding=ROUND_DOWN)
    least = f"最低要求{criterion.must_pass}分" if criterion.must_pass else ""
    return {
        "title": criterion.title,
        "maximum": criterion.points,
        "scores": [sheet.scores[code] for sheet in sheets],
        "agreed": f"{agreed.normalize():f}",
        "remark": least,
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


def _verdict(assessment: CapabilityAssessment) -> str:
    least = programmes.rule(assessment.application.programme, "assessment_pass_points")
    basis = "以复议评分为准" if capability.moderator(assessment) else "各项平均分合计后舍去小数"
    if assessment.passed:
        demand = f"本试点项目要求不低于{least}分，且各项指标达到最低要求"
        return f"通过。认定总分{assessment.points}分（{basis}），{demand}。{assessment.conclusion}"
    found = f"{shortfall(assessment)}（认定总分{assessment.points}分，{basis}）"
    return f"不通过。{found}。{assessment.conclusion}"


def shortfall(assessment: CapabilityAssessment) -> str:
    """What an applicant who failed was short of, for the report and for letters."""
    programme = assessment.application.programme
    pass_points = programmes.rule(programme, "assessment_pass_points")
    if assessment.points < pass_points:
        return f"技术能力评估认定总分{assessment.points}分，低于本试点项目要求的{pass_points}分"
    sheets = capability.conclusive_sheets(assessment)
    failed = [
        f"“{criterion.title}”"
        for code, criterion in capability.catalogue(programme).items()
        if any(sheet.scores[code] < criterion.must_pass for sheet in sheets)
    ]
    return f"技术能力评估指标{'、'.join(failed)}未达到最低要求"


def approval_list(approval_list: ApprovalList, *, at: datetime) -> Document:
    """The published list itself: those taken in, with their codes in the register."""
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
            }
            for entry in listed
        ]
    number = approval_list.sequence
    return documents.make(
        case=approval_list,
        kind="approval-list",
        title=LIST_TITLE,
        template="documents/approval_list.html",
        context={
            "programme": letters.programme_words(programme),
            "issuer": _ministry().name,
            "list_number": str(number),
            "published_on": cn_date(local_day(at)),
            "effective_on": cn_date(local_day(approval_list.effective_from)),
            "rows": rows,
            "change": f"本名单是对前{number - 1}号名单的补充。" if number > 1 else "",
        },
        at=at,
    )


def decision_letter(entry: ApprovalListEntry, *, published_at: datetime, at: datetime) -> Document:
    """The result as a letter to one applicant, kept with its application; dated as the list."""
    application = entry.application
    approval_list = entry.approval_list
    programme = approval_list.programme
    bureau = people.bureau_of(application.province)
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
    return {
        "unit_code": lists.unit_codes(programme)[entry.application.provider_id],
        "effective_on": cn_date(local_day(entry.approval_list.effective_from)),
        "requirements": [
            f"电子化采集ICP备案主体真实身份信息，准确率不低于{identity}%。",
            f"电子化采集《核验单》相关信息，准确率达到{form}%。",
            "向工业和信息化部ICP/IP地址/域名信息备案管理系统提交电子化采集的ICP备案主体图像和电子化《核验单》。",
        ],
    }


def _refusal(entry: ApprovalListEntry, published_at: datetime) -> dict[str, Any]:
    programme = entry.approval_list.programme
    days = programmes.rule(programme, "objection_days")
    until = programmes.deadline(programme, start=published_at, days=days)
    return {
        "reasons": [f"{entry.reason}。"],
        "objection": {"until": letters.last_day(until), "channel": CHANNEL},
    }


def _percent(threshold: dict[str, int]) -> str:
    """A threshold of allowed errors in so many, as the percentage the notice states."""
    share = Decimal(100) * (threshold["out_of"] - threshold["errors"]) / threshold["out_of"]
    return f"{share.normalize():f}"


def _ministry() -> Organisation:
    return Organisation.objects.get(kind=OrganisationKind.MINISTRY)


def letters_missing(approval_list: ApprovalList) -> list[ApprovalListEntry]:
    """The entries of a published list whose applicants have no letter about it yet."""
    written = Document.objects.filter(machine=Application.slug(), kind=_letter_kind(approval_list))
    entries = lists.entries(approval_list).exclude(application__in=written.values("object_id"))
    return list(entries.select_related("approval_list__programme", "application__provider"))


def _letter_kind(approval_list: ApprovalList) -> str:
    """An applicant may get one letter per list: left off the first, taken in by a later one."""
    return f"decision-letter-{approval_list.sequence}"
