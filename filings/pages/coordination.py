"""Coordination cases as the portal shows them."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import CoordinationState
from filings.forms import CoordinationForm, MessageForm
from filings.models import CoordinationCase
from filings.pages import common
from filings.services import coordination
from pilot.actors import Actor
from pilot.models import Organisation, Person
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Column, Fact, Row, Section

S = CoordinationState


def facts(case: CoordinationCase, actor: Actor) -> list[Fact]:
    """Who asks whom about which unit."""
    return [
        Fact(_("试点单位"), common.unit_link(case.unit)),
        Fact(_("事项"), case.subject),
        Fact(_("提出单位"), case.opener.name),
        Fact(_("责任单位"), case.owner.name),
    ]


def sections(case: CoordinationCase, actor: Actor) -> list[Section]:
    """The thread, oldest first. Providers read the office, not the person."""
    return [
        Section(
            _("往来"),
            columns=[Column("at", _("时间")), Column("by", _("单位")), Column("text", _("内容"))],
            rows=[
                Row("", [m.at, _by(m.organisation, m.person, actor), m.text])
                for m in case.messages.select_related("organisation", "person")
            ],
        )
    ]


def _by(organisation: Organisation, person: Person, actor: Actor) -> str:
    if actor.is_provider and organisation.pk != actor.organisation_id:
        return organisation.name
    return f"{organisation.name} · {person.name}"


def waiting(actor: Actor) -> Q | None:
    """The owner answers; whoever opened it closes it or asks on."""
    return Q(state=S.OPEN, owner=actor.organisation_id) | Q(state=S.ANSWERED, opener=actor.organisation_id)


register(
    MachinePages(
        model=CoordinationCase,
        label=gettext_lazy("协调事项"),
        group=common.GROUP,
        icon="messages-square",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda c: c.number),
            ListColumn(Column("subject", gettext_lazy("事项")), lambda c: c.subject),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda c: c.unit.organisation.name),
            ListColumn(Column("owner", gettext_lazy("责任单位")), lambda c: c.owner.name),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"reply": MessageForm, "reopen": MessageForm},
        creation=Creation(gettext_lazy("提出协调事项"), CoordinationForm, coordination.open_case),
        search=["subject", "unit__organisation__name"],
        related=["unit", "unit__organisation", "opener", "owner"],
        province_field="unit__province",
        empty=gettext_lazy("接口、比对、政策等需要协调的问题可在此提出"),
    )
)
