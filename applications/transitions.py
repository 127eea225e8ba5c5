"""State changes of intake: what each transition requires and what it brings about (design.md, section 4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import documents, signals
from applications.enums import ApplicationState
from applications.models import Application, CompletenessNotice, LateAdmission, NoticeItem, Refusal
from applications.selectors import cases, content, deadlines, review, tellings
from applications.selectors.form_schema import form_of
from applications.services import decisions, numbering, versions
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role, WindowKind
from pilot.errors import Refused
from pilot.models import TransitionRecord
from pilot.selectors import programmes
from pilot.services import outbox
from pilot.transitions import another_person, no_tie
from pilot.workflow import Act, on

HOLD = timedelta(seconds=30)  # how long a notice waits so that its act can be taken back (R06)


# --- guards: whose case -----------------------------------------------------------------------------
def own_province(case: Application, actor: Actor, at: datetime) -> str | None:
    """Only the bureau of the province where the provider is registered."""
    return None if case.province == actor.province else _("只能办理本省的申请")


def own_application(case: Application, actor: Actor, at: datetime) -> str | None:
    """Only the provider itself."""
    return None if case.provider_id == actor.organisation_id else _("只能办理本单位的申请")


# --- guards: time -----------------------------------------------------------------------------------
def window_or_admission(case: Application, actor: Actor, at: datetime) -> str | None:
    """A first submission needs the open window, or a granted late admission."""
    if cases.may_hand_in(programme=case.programme, provider_id=case.provider_id, at=at):
        return None
    opens, _closes = programmes.window(case.programme, WindowKind.APPLICATION)
    if at < opens:
        return _("申请阶段尚未开始")
    return _("申请阶段已结束，且没有批准的逾期准入")


def answer_in_time(case: Application, actor: Actor, at: datetime) -> str | None:
    """An answer that comes after the clock is late, whether or not the job has run."""
    return _("补正期限已过") if case.due_at and at >= case.due_at else None


def clock_ran_out(case: Application, actor: Actor, at: datetime) -> str | None:
    """What happens because a clock ran out does not happen before."""
    return None if case.due_at and at >= case.due_at else _("期限尚未届满")


def not_deemed(case: Application, actor: Actor, at: datetime) -> str | None:
    """Where silence counts as acceptance, the bureau's word comes too late after the acceptance clock."""
    if case.due_at and at >= case.due_at and deadlines.deems_acceptance(case.programme):
        return _("受理期限已过，依项目规则视为受理")
    return None


def rule_deems(case: Application, actor: Actor, at: datetime) -> str | None:
    """Silence counts as acceptance only where the programme says so."""
    return None if deadlines.deems_acceptance(case.programme) else _("本项目没有视为受理的规则")


# --- guards: matter ---------------------------------------------------------------------------------
def complete(case: Application, actor: Actor, at: datetime) -> str | None:
    """Form and files are complete and the licence shows condition 1; says what is not."""
    found = content.current_faults(case, at=at)
    return _("还不能提交：%(what)s") % {"what": content.in_words(found, case.programme)} if found else None


def something_corrected(case: Application, actor: Actor, at: datetime) -> str | None:
    """An answer to a completeness notice changes something."""
    return None if content.was_changed(case) else _("尚未补正任何内容")


def on_no_other_desk(case: Application, actor: Actor, at: datetime) -> str | None:
    """Whoever has claimed the application says the bureau's word; a lead may release it first (R05)."""
    return review.on_another_desk(case, actor)


def checklist_allows(case: Application, actor: Actor, at: datetime) -> str | None:
    """Acceptance does not contradict what was marked on the version handed in last (R03)."""
    return review.bars_acceptance(case)


def second_return_by_lead(case: Application, actor: Actor, at: datetime) -> str | None:
    """Faults are told once: another notice after an answer is the lead's to give."""
    if actor.role != Role.BUREAU_LEAD and cases.was_answered(case):
        return _("申请人已补正过一次，再次要求补正须由省局负责人办理")
    return None


# What still can be done about an act of which the applicant has been told (R06).
INSTEAD: Final = {
    "accept": gettext_lazy("不符合条件的，在审核意见中写明结论"),
    "return_for_correction": gettext_lazy(
        "告知有误的，请联系申请单位；补正提交后可以受理或不予受理，再次要求补正由省局负责人说明理由后办理"
    ),
    "refuse": gettext_lazy("申请单位可以申诉，申诉成立的恢复审查"),
}


def taken_back_in_time(case: Application, actor: Actor, at: datetime) -> str | None:
    """The same person, the last act, within the programme's seconds."""
    last = cases.last_step(case)
    if last.name not in INSTEAD:
        return _("上一步不是可以撤销的操作")
    if time_to_take_back(case, last, at) < timedelta():
        seconds = programmes.rule(case.programme, "revert_seconds") or 0
        told = _("已超过 %(seconds)s 秒，通知已发出，不能撤销") % {"seconds": seconds}
        return f"{told}{_('；')}{INSTEAD[last.name]}"
    return None if last.person_id == actor.person_id else _("只能由办理人本人撤销")


def time_to_take_back(case: Application, last: TransitionRecord, at: datetime) -> timedelta:
    """How long the last act can still be taken back: by business time and by the time its notices are held."""
    limit = timedelta(seconds=programmes.rule(case.programme, "revert_seconds") or 0)
    held = min(limit, HOLD) - (clock.security_now() - last.recorded_at)
    return min(limit - (at - last.at), held)


def not_on_prepared_list(case: Application, actor: Actor, at: datetime) -> str | None:
    """Free until the application stands on a prepared list; the app that holds the lists says so."""
    return signals.obstacle_to_withdrawal(case)


def no_other_alive(case: Application, actor: Actor, at: datetime) -> str | None:
    """One living application per programme and provider, also when a dead one comes back."""
    if live := cases.live_application(programme=case.programme, uscc=case.uscc, besides=case):
        return _("该单位已有在办申请（%(number)s）") % {"number": live.number}
    return None


# --- handing in -------------------------------------------------------------------------------------
@on(
    Application,
    "submit",
    guards=[own_application, window_or_admission, complete],
    tell=[tellings.bureau, tellings.applicant],
)
def submit(case: Application, act: Act) -> None:
    """Number, frozen version, acceptance clock, receipt. Needs ``declaration=True`` (the truth statement)."""
    _check_declaration(act)
    case.late = not programmes.is_open(case.programme, WindowKind.APPLICATION, act.at)
    case.case_number = numbering.case_number(province=case.province, at=act.at)
    case.submitted_at = act.at
    _hand_in(case, act)


@on(
    Application,
    "resubmit",
    guards=[own_application, answer_in_time, something_corrected, complete],
    tell=[tellings.bureau, tellings.applicant],
)
def resubmit(case: Application, act: Act) -> None:
    """The next version and the acceptance clock afresh. Needs ``declaration=True``."""
    _check_declaration(act)
    _hand_in(case, act)


def _check_declaration(act: Act) -> None:
    if act.data.get("declaration") is not True:
        raise Refused(_("请确认真实性声明"), field="declaration")


def _hand_in(case: Application, act: Act) -> None:
    version = versions.freeze(case=case, act=act)
    case.due_at = cases.acceptance_due(case, start=act.at)
    # The paper takes a second to set, so it is made after the commit; the receipt page says so until then.
    outbox.post_task("applications.tasks.make_receipt", version_id=version.pk)


# --- the bureau's word ------------------------------------------------------------------------------
@on(
    Application,
    "accept",
    guards=[own_province, no_tie("provider_id"), on_no_other_desk, not_deemed, checklist_allows],
    tell=[tellings.applicant],
    hold=HOLD,
)
def accept(case: Application, act: Act) -> None:
    """受理编号 and letter."""
    case.acceptance_number = numbering.acceptance_number(province=case.province, at=act.at)
    case.accepted_at = act.at
    documents.acceptance_letter(case, at=act.at)


@on(
    Application,
    "deem_accepted",
    guards=[rule_deems, clock_ran_out],
    tell=[tellings.applicant, tellings.bureau_leads],
)
def deem_accepted(case: Application, act: Act) -> None:
    """Counts as accepted from the day the material was received, as silence does under 行政许可法 art. 32."""
    case.acceptance_number = numbering.acceptance_number(province=case.province, at=act.at)
    case.accepted_at = cases.handed_in_at(case)
    documents.acceptance_letter(case, at=act.at, deemed=True)


@on(
    Application,
    "return_for_correction",
    guards=[own_province, no_tie("provider_id"), on_no_other_desk, not_deemed, second_return_by_lead],
    tell=[tellings.applicant],
    hold=HOLD,
)
def return_for_correction(case: Application, act: Act) -> None:
    """One notice with all faults: ``items`` is a list of {target, text}, each tied to a field or a kind of file.

    The acceptance clock stops, the correction clock starts. After an answer it also takes a reason.
    """
    items = decisions.clean_items(form_of(case.programme), act.data.get("items") or ())
    if cases.was_answered(case) and not act.reason.strip():
        raise Refused(_("再次要求补正须说明理由"), field="reason")
    case.due_at = cases.correction_due(case, start=act.at)
    notice: CompletenessNotice = CompletenessNotice.unscoped.create(
        application=case,
        number=CompletenessNotice.unscoped.filter(application=case).count() + 1,
        step=act.step,
        issued_at=act.at,
        due_at=case.due_at,
        issued_by_id=act.actor.person_id,
    )
    NoticeItem.unscoped.bulk_create(NoticeItem(notice=notice, **item) for item in items)
    documents.correction_letter(case, notice)


@on(
    Application,
    "refuse",
    guards=[own_province, no_tie("provider_id"), on_no_other_desk, not_deemed],
    tell=[tellings.applicant],
    hold=HOLD,
    reason_required=True,
)
def refuse(case: Application, act: Act) -> None:
    """``condition`` is the number of the programme condition that is not met; the reason says what was found."""
    refusal: Refusal = Refusal.unscoped.create(
        application=case,
        condition=decisions.condition_of(case.programme, act.data.get("condition")),
        reason=act.reason.strip(),
        step=act.step,
        refused_at=act.at,
        refused_by_id=act.actor.person_id,
    )
    documents.refusal_letter(case, refusal)


@on(Application, "revert", guards=[own_province, taken_back_in_time, no_other_alive])
def revert(case: Application, act: Act) -> None:
    """As if the act had not been: its notices never leave, the acceptance clock runs on, and what its applicant changed
    in these seconds is as it was handed in. Papers stay on record."""
    outbox.cancel(source=f"{act.machine}:{act.step - 1}")
    if act.source == ApplicationState.RETURNED:
        versions.bring_back(case, since=cases.step(case, act.step - 1).at, at=act.at)
    case.acceptance_number = ""
    case.accepted_at = None
    case.due_at = cases.acceptance_due(case, start=cases.handed_in_at(case))


# --- ends -------------------------------------------------------------------------------------------
@on(Application, "lapse", guards=[clock_ran_out], tell=[tellings.applicant, tellings.bureau])
def lapse(case: Application, act: Act) -> None:
    """The answer did not come; while the window is open a new application is possible."""


@on(Application, "withdraw", guards=[own_application, not_on_prepared_list], tell=[tellings.officials])
def withdraw(case: Application, act: Act) -> None:
    """The provider wants no more; what was handed in stays on record. Takes a reason once the bureau is at work."""
    if review.is_begun(case) and not act.reason.strip():
        raise Refused(_("通信管理局已开始审核，撤回须说明理由"), field="reason")


# --- set from above ---------------------------------------------------------------------------------
@on(Application, "recommend", "disrecommend", "reopen")
def set_by_opinion(case: Application, act: Act) -> None:
    """The bureau's own affair until it reports, so nobody is told."""


@on(Application, "report", "admit", "decline", tell=[tellings.applicant])
def set_by_ministry(case: Application, act: Act) -> None:
    """The provincial report was received, or a list was published."""


@on(Application, "reinstate", guards=[no_other_alive], tell=[tellings.applicant, tellings.bureau])
def reinstate(case: Application, act: Act) -> None:
    """The objection against the refusal was upheld: examined again, with the acceptance clock afresh."""
    case.due_at = cases.acceptance_due(case, start=act.at)


# --- late admission ---------------------------------------------------------------------------------
def still_ahead(admission: LateAdmission, actor: Actor, at: datetime) -> str | None:
    """A grant that could not be used is none."""
    return None if admission.until > at else _("准入的截止时间已过")


@on(
    LateAdmission,
    "approve",
    guards=[another_person("proposed_by"), still_ahead],
    tell=[tellings.admitted, tellings.admitting_bureau, tellings.proposer],
)
def grant_admission(admission: LateAdmission, act: Act) -> None:
    """From now on the provider may hand in, until the moment named."""
    admission.approved_by_id = act.actor.person_id


@on(
    LateAdmission,
    "reject",
    guards=[another_person("proposed_by")],
    tell=[tellings.proposer],
    reason_required=True,
)
def reject_admission(admission: LateAdmission, act: Act) -> None:
    """The window stays closed for this provider; the reason stands in the history."""
    admission.approved_by_id = act.actor.person_id
