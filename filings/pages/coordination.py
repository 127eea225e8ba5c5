"""Coordination cases as the portal shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import CoordinationCategory, CoordinationState
from filings.forms.coordination import CoordinationForm, FaqForm, HandOverForm, MessageForm
from filings.models import CoordinationCase
from filings.pages import common
from filings.selectors import orders
from filings.services import attachments, coordination
from filings.services import faq as faq_service
from pilot import clock
from pilot.actors import Actor
from pilot.due import cell as due_cell
from pilot.masking import staff
from pilot.models import Document, Organisation, Person
from pilot.registry import Creation, ListColumn, ListFilter, MachinePages, Task, register
from pilot.rules import last_moment, local_day
from pilot.ui import Column, Fact, Link, Row, Section

S = CoordinationState


def facts(case: CoordinationCase, actor: Actor) -> list[Fact]:
    """Who asks whom about which unit, and until when an answer is due."""
    return [
        Fact(_("试点单位"), common.unit_link(case.unit)),
        Fact(_("类别"), str(case.get_category_display())),
        Fact(_("事项"), case.subject),
        Fact(_("提出单位"), case.opener.name),
        Fact(_("责任单位"), case.owner.name),
        *([Fact(_("答复期限"), due(case), _("含当日"))] if case.due_at else []),
    ]


def due(case: CoordinationCase) -> Any:
    """The last day on which an answer is in time, marked when it has passed; None where no clock runs."""
    if case.due_at is None:
        return None
    if case.due_at > clock.now():
        return due_cell(case.due_at)
    return common.overdue(local_day(last_moment(case.due_at)), orders.days_over(case, case.due_at))


def before_act(case: CoordinationCase, actor: Actor) -> list[Section]:
    """What is being answered, and until when; then the thread."""
    asked = [Fact(_("事项"), case.subject), Fact(_("提出单位"), case.opener.name)]
    if case.due_at:
        asked.append(Fact(_("答复期限"), due(case), _("含当日")))
    return [Section(_("协调事项"), facts=asked), *sections(case, actor)]


def sections(case: CoordinationCase, actor: Actor) -> list[Section]:
    """The thread with its files, oldest first. Providers read the office, not the person."""
    files: dict[datetime, list[Document]] = {}
    for file in attachments.of(case):
        files.setdefault(file.made_at, []).append(file)
    return [
        Section(
            _("往来"),
            columns=[
                Column("at", _("时间")),
                Column("by", _("单位")),
                Column("text", _("内容")),
                Column("files", _("附件")),
            ],
            rows=[
                Row("", [m.at, _by(m.organisation, m.person, actor), m.text, _files(files.get(m.at, []))])
                for m in case.messages.select_related("organisation", "person")
            ],
        )
    ]


def _files(files: list[Document]) -> list[Link]:
    """The files that came with a message: kept in the same act, so of the same moment."""
    return [Link(file.title, reverse("document", args=[file.pk]), "paperclip") for file in files]


def _by(organisation: Organisation, person: Person, actor: Actor) -> Any:
    if actor.is_provider and organisation.pk != actor.organisation_id:
        return organisation.name
    return staff(person, f"{organisation.name} · ")


def links(case: CoordinationCase, actor: Actor) -> list[Link]:
    """Where like questions are answered."""
    return [Link(_("常见问题"), reverse("faq"), "circle-question-mark")]


def waiting(actor: Actor) -> Q | None:
    """The owner answers; whoever opened it closes it or asks on."""
    return Q(state=S.OPEN, owner=actor.organisation_id) | Q(state=S.ANSWERED, opener=actor.organisation_id)


def awaits(case: CoordinationCase, actor: Actor) -> str:
    """Whose turn it is: the owner's to answer, then the opener's to be content or not."""
    return {S.OPEN: case.owner.name, S.ANSWERED: case.opener.name}.get(S(case.state), "")


def overdue() -> Q:
    """Cases whose owner has let the deadline pass."""
    return Q(state=S.OPEN, due_at__lte=clock.now())


register(
    MachinePages(
        model=CoordinationCase,
        label=gettext_lazy("协调事项"),
        group=common.GROUP,
        icon="messages-square",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda c: c.number),
            ListColumn(Column("category", gettext_lazy("类别")), lambda c: str(c.get_category_display())),
            ListColumn(Column("subject", gettext_lazy("事项")), lambda c: c.subject),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda c: c.unit.organisation.name),
            ListColumn(Column("owner", gettext_lazy("责任单位")), lambda c: c.owner.name),
            ListColumn(Column("due", gettext_lazy("答复期限")), due, "due_at", deadline=True),
        ],
        facts=facts,
        sections=sections,
        awaits=awaits,
        waiting=waiting,
        forms={"reply": MessageForm, "reopen": MessageForm},
        previews=dict.fromkeys(("reply", "reopen", "hand_over", "make_faq"), before_act),
        tasks=[
            Task(
                "hand_over",
                gettext_lazy("转办"),
                HandOverForm,
                coordination.hand_over,
                coordination.hand_over_obstacle,
                gettext_lazy("由所选单位答复；答复期限不变，往来中记明"),
            ),
            Task(
                "make_faq",
                gettext_lazy("整理为问答"),
                FaqForm,
                faq_service.make_faq,
                lambda case, actor: faq_service.obstacle(case),
                gettext_lazy("形成问答草稿，由本单位另一人或部机关发布后全部用户可以查阅"),
            ),
        ],
        creation=Creation(gettext_lazy("提出协调事项"), CoordinationForm, coordination.open_case),
        search=["subject", "unit__organisation__name"],
        related=["unit", "unit__organisation", "unit__programme", "opener", "owner"],
        prefetched=orders.PREFETCHED,
        province_field="unit__province",
        empty=gettext_lazy("接口、比对、政策等需要协调的问题可在此提出"),
        links=links,
        filters=[
            ListFilter(
                "category",
                gettext_lazy("类别"),
                lambda actor: CoordinationCategory.choices,
                lambda value, actor: Q(category=value),
            ),
            ListFilter(
                "overdue",
                gettext_lazy("逾期"),
                lambda actor: [("yes", _("是"))],
                lambda value, actor: overdue(),
            ),
        ],
    )
)
