"""What the generic pages show of this app."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from applications.forms.admission import AdmissionForm
from applications.forms.bureau import RefusalForm, ReturnForm
from applications.forms.drafting import DeclarationForm, StartForm, WithdrawForm
from applications.models import Application, LateAdmission
from applications.pages import begin as begin_page
from applications.pages import case as case_page
from applications.pages import dashboard, decision, form_settings, guide, rule_effects  # noqa: F401  (add to what the kernel shows)
from applications.selectors import content, deadlines, records, workbench
from applications.services.claims import claim
from applications.services.drafts import editing_obstacle, start_application
from applications.services.late_admissions import propose_late_admission
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, RemarkForm
from pilot.masking import staff
from pilot.models import ProposalState
from pilot.pages import objection_link
from pilot.registry import (
    Batch,
    Creation,
    Group,
    ListColumn,
    ListFilter,
    MachinePages,
    Shortcut,
    register,
)
from pilot.rules import last_moment
from pilot.ui import ActionItem, Column, Fact, Link


def _waiting(actor: Actor) -> Q | None:
    """Of the provider's drafts those whose owner was not told that the end of the window left them behind."""
    if actor.is_provider:
        alive = Q(state=ApplicationState.DRAFT) & ~deadlines.told_of_closing()
        return alive | Q(state=ApplicationState.RETURNED)
    return Q(state=ApplicationState.SUBMITTED) if actor.is_bureau else None


def _undecided(case: Application) -> bool:
    """Whether it still waits for the bureau's word."""
    return bool(case.state == ApplicationState.SUBMITTED)


def _links(case: Application, actor: Actor) -> list[Link]:
    words = _("审核") if _undecided(case) else _("查看审核")
    examine = [Link(words, reverse("application_review", args=[case.pk]), "list-checks")]
    return [*(examine if actor.is_bureau else []), *objection_link(case.slug(), case, actor)]


def _openings(case: Application, actor: Actor) -> list[ActionItem]:
    """What its provider comes for: the task list while it writes, the progress afterwards."""
    if not actor.is_provider:
        return []
    if editing_obstacle(case, actor) is None:
        label = _("填写补正内容") if content.open_notice(case) else _("填写申请")
        return [
            ActionItem("form", label, True, "", reverse("application_form", args=[case.pk]), primary=True)
        ]
    progress = reverse("application_progress", args=[case.pk])
    return [ActionItem("progress", _("办理进度"), True, "", progress)]


FILTERS = [
    ListFilter(
        "due",
        gettext_lazy("受理期限"),
        lambda actor: [("today", _("今日到期")), ("soon", _("3 个工作日内到期")), ("overdue", _("已逾期"))],
        workbench.due,
    ),
    ListFilter(
        "answered",
        gettext_lazy("补正"),
        lambda actor: [("yes", _("补正已提交待看"))],
        lambda value, actor: workbench.answered(),
    ),
    ListFilter(
        "desk",
        gettext_lazy("认领"),
        lambda actor: [("mine", _("我已认领")), ("unclaimed", _("待认领"))] if actor.is_bureau else [],
        workbench.desk,
    ),
    ListFilter(
        "late",
        gettext_lazy("逾期准入"),
        lambda actor: [("yes", _("是")), ("no", _("否"))],
        lambda value, actor: Q(late=value == "yes"),
    ),
]


register(
    MachinePages(
        model=Application,
        label=gettext_lazy("试点申请"),
        group=Group.INTAKE,
        icon="file-text",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda c: c.number),
            ListColumn(
                Column("provider", gettext_lazy("申请单位")), lambda c: c.provider.name, "provider__name"
            ),
            ListColumn(
                Column("province", gettext_lazy("省份")), lambda c: c.get_province_display(), "province"
            ),
            ListColumn(
                Column("submitted", gettext_lazy("提交时间")), lambda c: c.submitted_at, "submitted_at"
            ),
            ListColumn(
                Column("due", gettext_lazy("办理期限")),
                case_page.due_cell,
                "due_at",
                deadline=True,
            ),
        ],
        facts=case_page.facts,
        sections=case_page.sections,
        waiting=_waiting,
        deadline=deadlines.deadline_for,
        due=case_page.end,
        awaits=case_page.awaits,
        forms={
            "submit": DeclarationForm,
            "resubmit": DeclarationForm,
            "return_for_correction": ReturnForm,
            "refuse": RefusalForm,
            "accept": RemarkForm,
            "revert": RemarkForm,
            "withdraw": WithdrawForm,
        },
        effects={
            "submit": gettext_lazy(
                "取得申办流水号和接收回执；此后内容不能修改，由通信管理局在受理时限内答复"
            ),
            "resubmit": gettext_lazy("形成新的版本，受理期限重新计算"),
            "accept": gettext_lazy("取得受理编号，生成受理通知并通知申请单位"),
            "return_for_correction": gettext_lazy(
                "生成补正告知并通知申请单位，受理期限中止；请一次列全需要补正的内容"
            ),
            "refuse": gettext_lazy("生成不予受理通知并通知申请单位，申请单位可以申诉"),
            "revert": gettext_lazy("回到待受理，尚未发出的通知不再发出，已生成的文书留存"),
            "withdraw": gettext_lazy("本申请终止；申请阶段内可以另行提出申请"),
        },
        previews=dict.fromkeys(("accept", "return_for_correction", "refuse"), decision.what_it_rests_on),
        danger=frozenset({"refuse", "withdraw"}),
        verdicts=frozenset({"accept", "return_for_correction", "refuse"}),
        openings=_openings,
        in_state={
            (ApplicationState.DRAFT, "withdraw"): (
                gettext_lazy("放弃草稿"),
                gettext_lazy("草稿作废，通信管理局不会看到；申请阶段内可以另行提出申请"),
            )
        },
        own_pages={"submit": "application_check", "resubmit": "application_check"},
        creation=Creation(
            gettext_lazy("提出申请"),
            StartForm,
            start_application,
            gettext_lazy("建立一份草稿；填写申请表并上传材料后提交"),
            "application_form",
            about=begin_page.preview,
            obstacle=begin_page.obstacle,
        ),
        search=["provider__name", "uscc", "case_number", "acceptance_number"],
        related=["provider", "programme"],
        province_field="province",
        empty=gettext_lazy("暂无申请；申请阶段内由网络接入服务提供者提出"),
        links=_links,
        filters=FILTERS,
        batches=[
            Batch(
                "claim",
                gettext_lazy("认领"),
                claim,
                gettext_lazy("由您审核；30 分钟没有操作的，他人可以接手"),
                states=frozenset({ApplicationState.SUBMITTED}),
            )
        ],
        shortcut=Shortcut(lambda c: _("审核") if _undecided(c) else _("查看"), "application_review"),
    )
)


def _admitted(admission: LateAdmission, actor: Actor) -> Link | None:
    case = records.admitted(admission, actor)
    return Link(case.number, reverse("application_detail", args=[case.pk])) if case else None


def _admission_facts(admission: LateAdmission, actor: Actor) -> list[Fact]:
    return [
        Fact(_("网络接入服务提供者"), admission.provider.name),
        Fact(_("准予提交至"), last_moment(admission.until)),
        Fact(_("据此提交的申请"), _admitted(admission, actor)),
        Fact(_("理由"), admission.reason),
        Fact(_("提出人"), None if actor.is_provider else staff(admission.proposed_by)),
        Fact(_("决定人"), None if actor.is_provider else staff(admission.approved_by)),
    ]


register(
    MachinePages(
        model=LateAdmission,
        label=gettext_lazy("逾期准入"),
        group=Group.INTAKE,
        icon="calendar-plus",
        columns=[
            ListColumn(Column("provider", gettext_lazy("网络接入服务提供者")), lambda c: c.provider.name),
            ListColumn(Column("until", gettext_lazy("准予提交至")), lambda c: last_moment(c.until), "until"),
        ],
        facts=_admission_facts,
        waiting=lambda actor: (
            Q(state=ProposalState.PROPOSED) if actor.role == Role.MINISTRY_APPROVER else None
        ),
        forms={"approve": RemarkForm, "reject": ReasonForm},
        effects={
            "approve": gettext_lazy("该单位可以在申请阶段结束后提交申请，直至所列时间"),
            "reject": gettext_lazy("该单位不能逾期提交申请"),
        },
        danger=frozenset({"reject"}),
        verdicts=frozenset({"approve", "reject"}),
        creation=Creation(
            gettext_lazy("提出逾期准入"),
            AdmissionForm,
            propose_late_admission,
            gettext_lazy("由另一名审批人员决定"),
        ),
        search=["provider__name", "provider__uscc"],
        related=["provider"],
        province_field="provider__province",
        empty=gettext_lazy("暂无逾期准入；确有特殊原因未能按期申请的，由部经办人员提出"),
    )
)
