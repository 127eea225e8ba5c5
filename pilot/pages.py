"""The kernel's own machines as the portal shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.forms import ActForm, LoginField, OrganisationField, ReasonForm, RemarkForm, whole_number
from pilot.masking import account, contact, mask_email, mask_phone, staff
from pilot.models import (
    Objection,
    ProviderRegistration,
    RoleChange,
    Window,
    WindowExtension,
)
from pilot.registry import Creation, Group, ListColumn, MachinePages, pages_of, register
from pilot.rules import last_moment, local_day
from pilot.selectors.objections import had_part
from pilot.services import objections, people, programmes
from pilot.ui import Column, Fact, Link, Row, Section, Tag
from pilot.workflow import state_label


# --- window extension -----------------------------------------------------------------------------
class ExtensionForm(ActForm):
    """Which window, until when, why."""

    window = forms.ModelChoiceField(
        label=gettext_lazy("时间窗口"), queryset=Window.objects.all(), empty_label=gettext_lazy("请选择")
    )
    closes = forms.DateTimeField(
        label=gettext_lazy("延长至"),
        help_text=gettext_lazy("格式 2019-04-20 00:00，此刻不计入"),
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )


register(
    MachinePages(
        model=WindowExtension,
        label=gettext_lazy("时间窗口延长"),
        group=Group.PROGRAMME,
        icon="calendar-clock",
        columns=[
            ListColumn(Column("window", gettext_lazy("时间窗口")), lambda c: c.window.get_kind_display()),
            ListColumn(Column("closes", gettext_lazy("延长至")), lambda c: last_moment(c.closes)),
        ],
        facts=lambda c, actor: [
            Fact(_("时间窗口"), c.window.get_kind_display()),
            Fact(_("原截止时间"), last_moment(c.window.closes)),
            Fact(_("延长至"), last_moment(c.closes)),
            Fact(_("理由"), c.reason),
            Fact(_("提出人"), staff(c.proposed_by)),
            Fact(_("决定人"), staff(c.approved_by)),
        ],
        waiting=lambda actor: Q(state="proposed") if actor.role == Role.MINISTRY_APPROVER else None,
        forms={"reject": ReasonForm},
        danger=frozenset({"reject"}),
        verdicts=frozenset({"approve", "reject"}),
        creation=Creation(
            gettext_lazy("提出延长"),
            ExtensionForm,
            programmes.propose_extension,
            gettext_lazy("由审批人员决定；批准后时间窗口延至所填时刻"),
        ),
        related=["window"],
        empty=gettext_lazy("时间窗口未曾延长"),
    )
)


# --- registration of providers --------------------------------------------------------------------
class RegistrationForm(ActForm):
    """What a provider says of itself to get its account."""

    name = forms.CharField(label=gettext_lazy("单位名称"), max_length=255)
    uscc = forms.CharField(label=gettext_lazy("统一社会信用代码"), max_length=18)
    province = forms.TypedChoiceField(
        label=gettext_lazy("注册地"), choices=[("", gettext_lazy("请选择")), *Province.choices], coerce=int
    )
    contact = forms.CharField(label=gettext_lazy("联系人"), max_length=64)
    email = forms.EmailField(label=gettext_lazy("邮箱"))
    phone = forms.CharField(label=gettext_lazy("联系电话"), max_length=32)


register(
    MachinePages(
        model=ProviderRegistration,
        label=gettext_lazy("企业登记"),
        group=Group.INTAKE,
        icon="building-2",
        columns=[
            ListColumn(Column("name", gettext_lazy("单位名称")), lambda c: c.name),
            ListColumn(Column("uscc", gettext_lazy("统一社会信用代码")), lambda c: c.uscc),
            ListColumn(Column("province", gettext_lazy("注册地")), lambda c: c.get_province_display()),
        ],
        facts=lambda c, actor: [
            Fact(_("单位名称"), c.name),
            Fact(_("统一社会信用代码"), c.uscc),
            Fact(_("注册地"), c.get_province_display()),
            Fact(_("联系人"), contact(c.contact)),
            Fact(_("邮箱"), contact(c.email, mask_email)),
            Fact(_("联系电话"), contact(c.phone, mask_phone)),
        ],
        waiting=lambda actor: Q(state="requested") if actor.is_bureau else None,
        forms={"reject": ReasonForm},
        effects={"confirm": gettext_lazy("建立单位和企业管理员账号")},
        danger=frozenset({"reject"}),
        verdicts=frozenset({"confirm", "reject"}),
        creation=Creation(
            gettext_lazy("申请账号"),
            RegistrationForm,
            people.ask_for_account,
            gettext_lazy("由注册地通信管理局确认后，开通账号的链接发送到所填邮箱"),
        ),
        search=["name", "uscc"],
        province_field="province",
        empty=gettext_lazy("暂无企业申请登记"),
    )
)


# --- role changes ---------------------------------------------------------------------------------
class RoleChangeForm(ActForm):
    """Whose role in which organisation, given or taken, and why."""

    person = LoginField(label=gettext_lazy("人员"))
    organisation = OrganisationField(label=gettext_lazy("单位"))
    grant = forms.TypedChoiceField(
        label=gettext_lazy("操作"),
        choices=[("", gettext_lazy("请选择")), ("1", gettext_lazy("授予")), ("0", gettext_lazy("收回"))],
        coerce=lambda value: value == "1",
    )
    role = forms.ChoiceField(
        label=gettext_lazy("角色"),
        choices=[("", gettext_lazy("请选择")), *(c for c in Role.choices if c[0] != Role.SYSTEM)],
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )


register(
    MachinePages(
        model=RoleChange,
        label=gettext_lazy("角色变更"),
        group=Group.SYSTEM,
        icon="user-cog",
        columns=[
            ListColumn(
                Column("person", gettext_lazy("人员")), lambda c: account(c.person.name), personal=True
            ),
            ListColumn(
                Column("username", gettext_lazy("登录名")), lambda c: c.person.username, personal=True
            ),
            ListColumn(Column("organisation", gettext_lazy("单位")), lambda c: c.organisation.name),
            ListColumn(Column("role", gettext_lazy("角色")), lambda c: c.get_role_display()),
            ListColumn(Column("what", gettext_lazy("操作")), lambda c: str(c.what)),
        ],
        facts=lambda c, actor: [
            Fact(_("人员"), account(c.person.name)),
            Fact(_("登录名"), c.person.username),
            Fact(_("单位"), c.organisation.name),
            Fact(_("角色"), c.get_role_display()),
            Fact(_("操作"), c.what),
            Fact(_("理由"), c.reason),
            Fact(_("提出人"), staff(c.requested_by)),
        ],
        waiting=lambda actor: (
            Q(state="requested") & ~Q(requested_by=actor.person_id) & ~Q(person=actor.person_id)
            if actor.role in {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}
            else None
        ),
        forms={"reject": ReasonForm},
        danger=frozenset({"reject"}),
        verdicts=frozenset({"approve", "reject"}),
        creation=Creation(
            gettext_lazy("申请角色变更"),
            RoleChangeForm,
            people.request_role_change,
            gettext_lazy("由另一名管理员批准后生效"),
        ),
        related=["person", "organisation"],
        empty=gettext_lazy("暂无角色变更"),
    )
)


# --- objections -----------------------------------------------------------------------------------
class ObjectionForm(ActForm):
    """Against which decision, on which grounds."""

    machine = forms.CharField(widget=forms.HiddenInput())
    object_id = forms.IntegerField(widget=forms.HiddenInput())
    grounds = forms.CharField(
        label=gettext_lazy("申诉理由"), widget=forms.Textarea(attrs={"rows": 6}), max_length=5000
    )


def _objection_facts(objection: Objection, actor: Actor) -> list[Fact]:
    return [
        Fact(_("申诉单位"), objection.organisation.name),
        *_dispute(objection),
        Fact(_("复核结论"), objection.finding),
        Fact(_("复核人"), None if actor.is_provider else staff(objection.reviewer)),
    ]


def _objections_waiting(actor: Actor) -> Q | None:
    """Whoever had no part in the decision may take it; whoever took it decides it."""
    if not actor.is_ministry:
        return None
    open_to = Q(state="filed") & ~had_part(actor.person_id)
    return open_to | Q(state="under_review", reviewer=actor.person_id)


def _dispute(objection: Objection) -> list[Fact]:
    """The decision with its reason, and what is said against it."""
    return [
        Fact(_("原决定"), against(objection)),
        Fact(_("原决定的理由"), objections.reason(objection)),
        Fact(_("申诉理由"), objection.grounds),
    ]


def what_is_decided(objection: Objection, actor: Actor) -> list[Section]:
    """What stands above the form by which an objection is decided."""
    return [Section(_("申诉"), facts=_dispute(objection))]


def against(objection: Objection) -> Link:
    """The decision an objection is against, as a link to its case."""
    case = pages_of(objection.against_machine).model.unscoped.get(pk=objection.against_id)
    return _decision(case, objection.against_state)


def _decision(case: Any, state: str) -> Link:
    pages = pages_of(case.slug())
    words = f"{pages.label} {case.number} {state_label(pages.model, state)}"
    return Link(words, reverse(f"{pages.slug}_detail", args=[case.pk]))


def what_is_objected_to(form: Any, actor: Actor) -> list[Section]:
    """Above the form of an objection: the decision and until when; without one there is nothing to object to."""
    key = whole_number(str(form["object_id"].value() or ""))
    case = objections.case_for(actor, str(form["machine"].value() or ""), key or 0)
    if case is None:
        return [_open_decisions(actor)]
    return [Section(_("申诉的决定"), facts=[Fact(_("原决定"), _decision(case, case.state)), _until(case)])]


def _open_decisions(actor: Actor) -> Section:
    """For whoever did not come from a decision: those he may still object to."""
    rows = [
        Row("", [_decision(case, case.state), _until(case).value, *objection_link(case.slug(), case, actor)])
        for case in objections.open_to(actor)
    ]
    columns = [Column("decision", _("原决定")), Column("until", _("申诉期限")), Column("act", _("操作"))]
    return Section(
        _("选择要申诉的决定"), columns=columns, rows=rows, empty=_("没有仍可申诉的决定"), blocks=True
    )


def _until(case: Any) -> Fact:
    # Half-open: people read the last day, not the first after it.
    last = local_day(objections.deadline(case) - timedelta(microseconds=1))
    return Fact(_("申诉期限"), last, _("含当日"))


def objection_section(case: Any, actor: Actor) -> Section | None:
    """For whom a decision is against: until when and how to object, or what became of the objection."""
    if not actor.is_provider or (case.slug(), case.state) not in objections.OBJECTIONABLE:
        return None
    until = objections.deadline(case)
    filed = objections.against(case)
    if filed is not None:
        label = f"{filed.number} {state_label(Objection, filed.state)}"
        how: Any = Link(label, reverse("objection_detail", args=[filed.pk]))
    elif clock.now() < until:
        (how,) = objection_link(case.slug(), case, actor)
    else:
        how = Tag(_("期限已过，不能再提出申诉"), "muted")
    return Section(
        _("对决定不服的，可以申诉"),
        facts=[
            _until(case),
            Fact(_("申诉"), how),
        ],
        note=_("申诉由未参与原决定的人员复核，原决定和复核结果都留存"),
    )


def objection_link(machine: str, case: Any, actor: Actor) -> list[Link]:
    """The way to object, for the page of a decision that can be objected to."""
    if not actor.is_provider or (machine, case.state) not in objections.OBJECTIONABLE:
        return []
    return [
        Link(_("提出申诉"), f"{reverse('objection_create')}?machine={machine}&object_id={case.pk}", "scale")
    ]


register(
    MachinePages(
        model=Objection,
        label=gettext_lazy("申诉"),
        group=Group.SUPERVISION,
        icon="scale",
        columns=[
            ListColumn(Column("number", gettext_lazy("申诉编号")), lambda c: c.number),
            ListColumn(Column("organisation", gettext_lazy("申诉单位")), lambda c: c.organisation.name),
            ListColumn(
                Column("against", gettext_lazy("原决定事项")),
                lambda c: str(pages_of(c.against_machine).label),
            ),
        ],
        facts=_objection_facts,
        waiting=_objections_waiting,
        forms={"take": RemarkForm, "uphold": ReasonForm, "dismiss": ReasonForm},
        effects={"uphold": gettext_lazy("原决定由作出决定的环节予以变更，两次结果均保留")},
        danger=frozenset({"dismiss"}),
        verdicts=frozenset({"uphold", "dismiss"}),
        previews=dict.fromkeys(("take", "uphold", "dismiss"), what_is_decided),
        creation=Creation(
            gettext_lazy("提出申诉"),
            ObjectionForm,
            objections.file_objection,
            gettext_lazy("由未参与原决定的审批人员复核，结果书面答复"),
            timed=True,
            about=what_is_objected_to,
        ),
        search=["organisation__name"],
        related=["organisation", "reviewer"],
        province_field="province",
        empty=gettext_lazy("暂无申诉；对不予受理、未列入名单等决定不服的，可在该事项页面提出"),
    )
)
