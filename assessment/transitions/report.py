"""The provincial report: sent with a frozen list, received by the ministry or returned for the next version."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assessment import documents
from assessment.enums import ReportState
from assessment.models import ProvincialReport
from assessment.selectors import reports as selectors
from assessment.services import capability
from assessment.services import reports as services
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Membership, Programme
from pilot.selectors import people, programmes
from pilot.workflow import Act, on


def own_bureau(report: ProvincialReport, actor: Actor, at: datetime) -> str | None:
    """Guard: a bureau sends its own report."""
    return None if report.bureau_id == actor.organisation_id else _("只能报送本局的汇总表")


def all_reviewed(report: ProvincialReport, actor: Actor, at: datetime) -> str | None:
    """Guard: nothing accepted is left without a signed opinion."""
    if missing := selectors.unreviewed(report).count():
        return _("还有 %(n)s 件已受理的申请没有签发审核意见") % {"n": missing}
    return None


def no_other_open(report: ProvincialReport, actor: Actor, at: datetime) -> str | None:
    """Guard: a bureau has one open report at a time."""
    others = ProvincialReport.unscoped.filter(
        programme=report.programme_id, bureau=report.bureau_id, state=ReportState.OPEN
    )
    return _("该局有一份待报送的补充汇总表，待其报送后方可退回") if others.exists() else None


def officers(report: ProvincialReport) -> QuerySet[Membership]:
    """The officers who receive reports."""
    return people.ministry([Role.MINISTRY_OFFICER])


def bureau(report: ProvincialReport) -> QuerySet[Membership]:
    """The people of the reporting bureau."""
    return people.bureau(report.province)


@on(ProvincialReport, "send", guards=[own_bureau, all_reviewed], tell=[officers])
def send(report: ProvincialReport, act: Act) -> None:
    """Freeze the list with its digest and make the sheet. ``nil`` confirms that there is nothing to report.

    Also takes ``filled_in_by`` and ``phone``. Raises :class:`Refused` when ``nil`` and the list contradict each other.
    """
    applications = list(selectors.reportable(report).select_for_update(of=("self",)))
    report.nil = bool(act.data.get("nil"))
    if report.nil and applications:
        raise Refused(_("有 %(n)s 件申请应当报送，不能作零报告") % {"n": len(applications)})
    if not report.nil and not applications:
        raise Refused(_("没有可报送的申请；确无申请的，请确认作零报告"))
    report.filled_in_by = act.data.get("filled_in_by") or act.actor.name
    report.phone = act.data.get("phone") or report.phone
    report.sent_at = act.at
    due = selectors.due(report)
    if report.version == 0:  # a version after a return answers the ministry, not the programme's deadline
        report.late = due is not None and act.at >= due
    services.freeze(report, applications)
    documents.provincial_report(report, at=act.at)


@on(ProvincialReport, "receive", tell=[bureau])
def receive(report: ProvincialReport, act: Act) -> None:
    """Its applications stand as reported; recommended ones are to be assessed. Whoever withdrew is passed over."""
    for line in selectors.current_lines(report):
        application = line.application
        if application.state not in selectors.REVIEWED:
            continue
        act.downward(application, "report", reason="")
        if line.recommended:
            capability.plan(application=application, actor=act.actor, at=act.at)


@on(ProvincialReport, "return_to_bureau", guards=[no_other_open], tell=[bureau], reason_required=True)
def return_to_bureau(report: ProvincialReport, act: Act) -> None:
    """The frozen version stays; the next sending is the next version, within the time for corrections.

    The programme is locked as for a new report: of a supplement begun at this moment this one sees.
    """
    Programme.objects.select_for_update(no_key=True).get(pk=report.programme_id)
    if words := no_other_open(report, act.actor, act.at):
        raise Refused(words)
    days = programmes.rule(report.programme, "correction_days")
    answer_by = programmes.deadline(report.programme, start=act.at, days=days)
    first = selectors.due(report)
    report.due_at = max(answer_by, first) if first else answer_by
