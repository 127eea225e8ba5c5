"""Questions and answers: the drafts and their publication for officials, the page for everyone signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import CoordinationCategory, FaqState
from filings.models import FaqEntry
from filings.pages import common
from filings.selectors import faq
from pilot.actors import Actor
from pilot.enums import OrganisationKind
from pilot.forms import ReasonForm
from pilot.masking import staff
from pilot.registry import ListColumn, ListFilter, MachinePages, register
from pilot.ui import Column, Empty, Fact, Link, ListPage, Section


@dataclass(slots=True)
class FaqPage(ListPage):
    """The published entries that answer a search."""

    entries: Any = ()


def page(rows: Any, form: Any, total: int, crumbs: list[Link], *, filtered: bool) -> FaqPage:
    """A page of a search among the published entries."""
    return FaqPage(
        title=_("常见问题"),
        intro=_("由已办结的协调事项整理。没有找到答案的，可以提出协调事项。"),
        columns=(),
        rows=(),
        total=total,
        empty=Empty(_("没有符合条件的问答"), _("可以换一个关键词，或提出协调事项")),
        crumbs=crumbs,
        filter_form=form,
        filtered=filtered,
        page=rows,
        entries=rows.object_list,
    )


def facts(entry: FaqEntry, actor: Actor) -> list[Fact]:
    """Where it comes from, who wrote it, who published it."""
    return [
        Fact(_("类别"), str(entry.get_category_display())),
        Fact(
            _("来源"), Link(entry.source.number, reverse("coordination-case_detail", args=[entry.source_id]))
        ),
        Fact(_("起草人"), staff(entry.drafted_by)),
        Fact(_("发布人"), staff(entry.published_by)),
    ]


def sections(entry: FaqEntry, actor: Actor) -> list[Section]:
    """The words as everyone reads them."""
    words = [Fact(_("问题"), entry.question), Fact(_("解答"), entry.answer)]
    return [Section(_("问答内容"), facts=words)]


def waiting(actor: Actor) -> Q | None:
    """Another person of the office that wrote it, or of the ministry, may publish it."""
    return Q(state=FaqState.DRAFTED) & faq.of_office(actor) & ~Q(drafted_by=actor.person_id)


def awaits(entry: FaqEntry, actor: Actor) -> str:
    """Whom a draft waits for."""
    if entry.state != FaqState.DRAFTED:
        return ""
    office = entry.organisation
    if office is None or office.kind == OrganisationKind.MINISTRY:
        return _("部机关另一人")
    return _("%(office)s另一人或部机关") % {"office": office.name}


def links(entry: FaqEntry, actor: Actor) -> list[Link]:
    """The entry as everyone finds it."""
    if entry.state != FaqState.PUBLISHED:
        return []
    return [
        Link(_("常见问题"), f"{reverse('faq')}?{urlencode({'q': entry.question})}", "circle-question-mark")
    ]


register(
    MachinePages(
        model=FaqEntry,
        label=gettext_lazy("问答管理"),
        group=common.GROUP,
        icon="book-open",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda e: e.number),
            ListColumn(Column("category", gettext_lazy("类别")), lambda e: str(e.get_category_display())),
            ListColumn(Column("question", gettext_lazy("问题")), lambda e: e.question),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        awaits=awaits,
        forms={"withdraw": ReasonForm},
        effects={
            "publish": gettext_lazy("全部用户可以在常见问题中查阅"),
            "withdraw": gettext_lazy("不再显示；记录保留"),
        },
        previews={"publish": sections},
        danger=frozenset({"withdraw"}),
        search=["question", "answer"],
        related=["source", "organisation"],
        empty=gettext_lazy("由已办结的协调事项整理，经起草单位另一人或部机关发布"),
        links=links,
        filters=[
            ListFilter(
                "category",
                gettext_lazy("类别"),
                lambda actor: CoordinationCategory.choices,
                lambda value, actor: Q(category=value),
            )
        ],
    )
)
