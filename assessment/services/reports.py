"""Provincial reports: begun for every bureau when review begins, and once more for a supplement."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from applications.models import Application
from applications.services import versions
from assessment.enums import ReportState
from assessment.models import OpinionVersion, ProvincialReport, ReportLine
from assessment.selectors import applicants, lists, reports
from assessment.services import opinions
from pilot import clock
from pilot.actors import Actor
from pilot.enums import OrganisationKind, WindowKind
from pilot.errors import Refused
from pilot.models import Organisation, Programme
from pilot.selectors import programmes
from pilot.workflow import open_case


@transaction.atomic
def open_reports(*, programme: Programme, actor: Actor) -> list[ProvincialReport]:
    """One open report for every bureau once review has begun; those that exist stay. Returns the new ones."""
    now = clock.now()
    opens, _closes = programmes.window(programme, WindowKind.REVIEW)
    if now < opens:
        return []
    Programme.objects.select_for_update(no_key=True).get(
        pk=programme.pk
    )  # two runs at once make no report twice
    begun = ProvincialReport.unscoped.filter(programme=programme).values("bureau")
    bureaus = Organisation.objects.filter(kind=OrganisationKind.BUREAU).exclude(pk__in=begun)
    return [
        _open(programme, bureau=bureau, sequence=1, actor=actor, at=now)
        for bureau in bureaus.order_by("province")
    ]


@transaction.atomic
def open_supplement(*, bureau: Organisation, actor: Actor) -> ProvincialReport:
    """A further report of a bureau, for applications that came after its last one.

    Raises :class:`Refused` while a report is open, before there was one, or when nothing is left to report.
    """
    programme = Programme.objects.select_for_update(no_key=True).get(pk=programmes.current().pk)
    sequence = next_supplement(programme, bureau).sequence
    return _open(programme, bureau=bureau, sequence=sequence, actor=actor, at=clock.now())


def next_supplement(programme: Programme, bureau: Organisation) -> ProvincialReport:
    """The further report a bureau could begin now, not saved. Raises :class:`Refused` where it cannot."""
    own = ProvincialReport.unscoped.filter(programme=programme, bureau=bureau)
    if not own.exists():
        raise Refused(_("审查阶段尚未开始汇总报送"))
    if own.filter(state=ReportState.OPEN).exists():
        raise Refused(_("本局有一份待报送的汇总表，请并入其中报送"))
    report = ProvincialReport(
        programme=programme,
        bureau=bureau,
        province=province_of(bureau),
        sequence=own.aggregate(last=Max("sequence"))["last"] + 1,
    )
    if not (reports.reportable(report).exists() or reports.unreviewed(report).exists()):
        raise Refused(_("没有尚未报送的申请"))
    return report


def province_of(bureau: Organisation) -> int:
    """The province a bureau answers for. Raises :class:`Refused` for an organisation that is no bureau."""
    if bureau.kind != OrganisationKind.BUREAU or bureau.province is None:
        raise Refused(_("只有通信管理局可以汇总报送"))
    return bureau.province


def _open(
    programme: Programme, *, bureau: Organisation, sequence: int, actor: Actor, at: datetime
) -> ProvincialReport:
    report = ProvincialReport(
        programme=programme,
        bureau=bureau,
        province=province_of(bureau),
        sequence=sequence,
        phone=bureau.phone,
        case_key=uuid4(),
        opened_at=at,
    )
    report.due_at = reports.due(report)
    open_case(report, actor=actor, at=at)
    return report


def freeze(report: ProvincialReport, applications: list[Application]) -> None:
    """Write the lines of the next version, and the digest over them."""
    report.version += 1
    facts, signed = applicants.facts_of_many(applications), lists.signed_opinions(applications)
    snapshots = [_snapshot(a, facts[a.pk], signed[a.pk]) for a in applications]
    ReportLine.unscoped.bulk_create(
        ReportLine(
            report=report,
            version=report.version,
            position=position,
            application=application,
            recommended=snapshot["recommended"],
            snapshot=snapshot,
        )
        for position, (application, snapshot) in enumerate(zip(applications, snapshots, strict=True), start=1)
    )
    report.digest = digest(report, snapshots)


def digest(report: ProvincialReport, snapshots: list[dict[str, Any]]) -> str:
    """SHA-256 over number, version and the lines in their order; the same list has the same digest for good."""
    return versions.digest({"report": report.number, "version": report.version, "lines": snapshots})


def _snapshot(
    application: Application, facts: applicants.ApplicantFacts, opinion: OpinionVersion
) -> dict[str, Any]:
    return {
        "name": application.provider.name,
        "uscc": application.uscc,
        "number": application.acceptance_number,
        "licence": facts.licence,
        "methods": list(facts.methods),
        "recommended": opinion.recommended,
        "remark": opinion.remark or opinions.faults_in(opinion.checklist),
        "opinion_version": opinion.number,
    }
