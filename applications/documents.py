"""The papers of intake: receipt, and letters of acceptance, correction and refusal.

Papers are Chinese whatever language the person works in: their words are no msgids, and labels that are go through
``_chinese``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from applications.models import Application, ApplicationVersion, CompletenessNotice, Refusal
from applications.selectors import cases, receipts
from applications.selectors.form_schema import form_of
from applications.services import proofs
from pilot import qr
from pilot.enums import WindowKind
from pilot.masking import mask_name
from pilot.models import Document
from pilot.pdf import LANGUAGE, cn_date
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters

CHANNEL = "试点管理平台"
SUBJECT = "电子化核验试点申请"


def _chinese[**P, R](build: Callable[P, R]) -> Callable[P, R]:
    @wraps(build)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with translation.override(LANGUAGE):
            return build(*args, **kwargs)

    return wrapped


def make_receipt(*, version_id: int) -> Document:
    """The receipt of a version as a document, made once: a second run, or a second worker, finds the first one's.

    It is set without a lock, for that takes a second; only keeping it waits for the application's row.
    """
    version = ApplicationVersion.unscoped.select_related(
        "application__provider", "application__programme", "by"
    ).get(pk=version_id)
    if existing := receipts.document_of(version):
        return existing
    title = receipts.title_of(version)
    content = documents.render("documents/receipt.html", _receipt(version), title=title)
    with transaction.atomic():
        case = Application.unscoped.select_for_update(of=("self",)).get(pk=version.application_id)
        return receipts.document_of(version) or documents.keep(
            case=case, kind=receipts.KIND, title=title, content=content, at=version.at
        )


@_chinese
def _receipt(version: ApplicationVersion) -> dict[str, Any]:
    """Time, files with their digests, check code, next step."""
    case = version.application
    bureau = people.bureau_of(case.province)
    return {
        "programme": letters.programme_words(case.programme),
        "issuer": bureau.name,
        "case_number": case.case_number,
        "applicant": case.provider.name,
        "uscc": case.uscc,
        "submitted_by": mask_name(version.by.name if version.by else ""),
        "received_at": version.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        "version": version.number,
        "verification_code": receipts.code_of(version),
        "head": proofs.covering_head(version),
        "heads_address": settings.PILOT_SITE + reverse("audit_heads"),
        "verification_place": f"{CHANNEL}“回执查验”页面",
        "verification_address": settings.PILOT_SITE + reverse("receipt_check"),
        "qr": qr.svg(receipts.check_address(version), title="回执查验二维码"),
        "files": [
            {"name": file["name"], "size": _size(file["size"]), "sha256": file["sha256"]}
            for file in version.files
        ],
        "next_step": f"{bureau.name}将在{programmes.rule(case.programme, 'acceptance_days')}个工作日内，"
        f"即{letters.last_day(cases.acceptance_due(case, start=version.at))}（含当日）前，"
        "作出是否受理的决定，或一次性告知需要补正的内容。",
        "contact": f"联系电话：{bureau.phone}" if bureau.phone else "",
    }


@_chinese
def acceptance_letter(case: Application, *, at: datetime, deemed: bool = False) -> Document:
    """受理通知 with the 受理编号; ``deemed`` names the programme rule by which silence counts as acceptance."""
    context = {
        **_letter(case, at),
        "case_number": case.acceptance_number,
        "accepted_on": cn_date(local_day(case.accepted_at or at)),
        "review_until": _review_until(case, at),
    }
    if deemed:
        context["deemed_rule"] = programmes.rule_basis(case.programme, "deemed_acceptance")
    return _make(case, "letter_acceptance", f"关于受理{SUBJECT}的函", context, at)


@_chinese
def correction_letter(case: Application, notice: CompletenessNotice) -> Document:
    """补正告知: every fault of the notice with its place."""
    targets = form_of(case.programme).targets
    context = {
        **_letter(case, notice.issued_at),
        "faults": [
            {"place": str(targets[item.target]), "message": item.text} for item in notice.items.order_by("pk")
        ],
        "answer_until": letters.last_day(notice.due_at),
        "late_rule": "逾期未提交的，该申请终止办理。",
    }
    return _make(case, "letter_correction", f"关于补正{SUBJECT}材料的函", context, notice.issued_at)


@_chinese
def refusal_letter(case: Application, refusal: Refusal) -> Document:
    """不予受理通知: the condition, what was found, what can be done now, and until when to object."""
    condition = refusal.condition
    days = programmes.rule(case.programme, "objection_days")
    until = programmes.deadline(case.programme, start=refusal.refused_at, days=days)
    context = {
        **_letter(case, refusal.refused_at),
        "reasons": [{"condition": f"条件{condition.clause}，{condition.text}", "reason": refusal.reason}],
        "next_step": _after_refusal(case, refusal.refused_at),
        "objection": {"until": letters.last_day(until), "channel": CHANNEL},
    }
    return _make(case, "letter_refusal", f"关于不予受理{SUBJECT}的函", context, refusal.refused_at)


def _letter(case: Application, at: datetime) -> dict[str, Any]:
    bureau = people.bureau_of(case.province)
    return {
        **letters.head(programme=case.programme, issuer=bureau, addressee=case.provider.name, at=at),
        "case_number": case.case_number,
        "submitted_on": cn_date(local_day(case.submitted_at or at)),
    }


def _make(case: Application, kind: str, title: str, context: dict[str, Any], at: datetime) -> Document:
    return documents.make(
        case=case, kind=kind, title=title, template=f"documents/{kind}.html", context=context, at=at
    )


def _review_until(case: Application, at: datetime) -> str:
    """The day by which bureaus report, unless it is past (late admissions): the first day of review counts."""
    opens, _closes = programmes.window(case.programme, WindowKind.REVIEW)
    days = programmes.rule(case.programme, "bureau_report_days")
    if days is None:
        return ""
    due = programmes.deadline(case.programme, start=opens - timedelta(microseconds=1), days=days)
    return letters.last_day(due) if at < due else ""


def _after_refusal(case: Application, at: datetime) -> str:
    _opens, closes = programmes.window(case.programme, WindowKind.APPLICATION)
    if at < closes:
        return f"申请阶段于{letters.last_day(closes)}结束，此前条件具备的，可以重新提出申请。"
    return f"申请阶段已于{letters.last_day(closes)}结束，本试点项目不再接收新的申请。"


def _size(size: int) -> str:
    """Bytes in words, rounded up to whole KB."""
    return f"{-(-size // 1024):,} KB"
