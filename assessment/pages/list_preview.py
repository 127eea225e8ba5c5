"""What publishing an approval list brings about, and what stands against it: for whoever signs, in a minute.

Every figure of a list is counted from the rows that are shown, so totals and rows cannot part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.models import Application
from assessment.enums import ListState
from assessment.models import ApprovalList, ApprovalListEntry, CapabilityAssessment
from assessment.pages import common
from assessment.rules import scope
from assessment.selectors import applicants, lists
from assessment.services import lists as services
from pilot import clock
from pilot.actors import Actor
from pilot.enums import FilingType, OrganisationKind, Province, WindowKind
from pilot.models import Organisation, Programme
from pilot.rules import local_day
from pilot.selectors import programmes
from pilot.tones import tag_of
from pilot.ui import Column, Fact, Link, Row, Section, Tag

MOST_ROWS = 50  # of those who stand on no list; the rest is a number
MOST_NOTED = 5  # of them by name among what to know before publication: all of them stand further down
NAMED = ("acceptance_number", "case_number", "province", "provider__name")  # what is read of either


@dataclass(frozen=True, slots=True)
class Line:
    """One applicant of a list with the decision as it stands or, in a draft, as handing it up would fix it."""

    entry: ApprovalListEntry
    listed: bool
    reason: str

    @property
    def name(self) -> str:
        name: str = self.entry.application.provider.name
        return name


def lines(approval_list: ApprovalList, actor: Actor) -> list[Line]:
    """What this actor may read of a list, in its order. A draft is decided from what is known now."""
    visible = ApprovalListEntry.objects.visible_to(actor).values("pk")
    entries = list(lists.entries(approval_list).filter(pk__in=visible))
    if approval_list.state != ListState.DRAFT:
        return [Line(entry, entry.listed, entry.reason) for entry in entries]
    held = [entry for entry in entries if entry.application.state in services.OPEN]
    decided = services.decisions([entry.application for entry in held])
    return [Line(entry, *decided[entry.application_id]) for entry in held]


def effects(approval_list: ApprovalList, shown: Sequence[Line]) -> Section:
    """Units, codes, scope, dates, states, letters and notices that publishing brings (or brought) about."""
    programme = approval_list.programme
    taken = [line for line in shown if line.listed]
    opened = Counter(code for line in taken for code in line.entry.provinces)
    kinds = Counter(kind for line in taken for kind in line.entry.filing_types)
    _opens, closes = programmes.window(programme, WindowKind.RUN)
    bureaus = Organisation.objects.filter(kind=OrganisationKind.BUREAU).count()
    facts = [
        Fact(_("登记为试点单位"), _units(len(taken)), _codes(approval_list, taken)),
        Fact(_("转为未列入"), _units(len(shown) - len(taken)), _("理由逐家列在名单内容中")),
        Fact(_("生效日期"), local_day(approval_list.effective_from)),
        Fact(_("试点运行至"), local_day(closes - timedelta(microseconds=1)), _("当日结束")),
        Fact(_("开通省份"), _by_count(opened), _total(sum(opened.values()))),
        Fact(
            _("备案类型"),
            _("；").join(f"{kind.label} {_units(kinds[kind])}" for kind in FilingType if kinds[kind]),
        ),
        Fact(_("发出书面决定"), _("%(n)s 封") % {"n": len(shown)}, _letters(programme)),
        Fact(
            _("通知"),
            _("%(units)s申请单位，%(n)s 家通信管理局") % {"units": _units(len(shown)), "n": bureaus},
        ),
    ]
    done = approval_list.state == ListState.PUBLISHED
    return Section(_("公布的效果") if done else _("公布后的效果"), facts=facts)


def _units(n: int) -> str:
    return _("%(n)s 家") % {"n": n}


def _codes(approval_list: ApprovalList, taken: Sequence[Line]) -> str:
    if approval_list.state != ListState.PUBLISHED:
        return _("编号公布时确定")
    codes = lists.unit_codes(approval_list.programme)
    return _("编号：%(codes)s") % {
        "codes": _("、").join(codes.get(line.entry.application.provider_id, "") for line in taken)
    }


def _by_count(opened: Counter[int]) -> str:
    """``3 家：广东省、广西壮族自治区；1 家：海南省``: provinces that as many units are opened for, most first."""
    groups: dict[int, list[int]] = {}
    for province in Province:
        if opened[province]:
            groups.setdefault(opened[province], []).append(province)
    return _("；").join(
        _("%(units)s：%(provinces)s") % {"units": _units(n), "provinces": scope.province_words(groups[n])}
        for n in sorted(groups, reverse=True)
    )


def _total(n: int) -> str:
    return _("单位 × 省份合计 %(n)s 项") % {"n": n}


def _letters(programme: Programme) -> str:
    days = programmes.rule(programme, "objection_days")
    return _("每家一封；未列入的写明理由，自公布次日起 %(n)s 个工作日内可以申诉") % {"n": days}


def obstacles(approval_list: ApprovalList, shown: Sequence[Line]) -> Section:
    """What has to be settled before publication, and what whoever signs should know. Each row names the applicant."""
    must, note = Tag(_("须先处理"), "danger"), Tag(_("请留意"), "warning")
    rows = [Row("", [must, None, why]) for why in _dates(approval_list)]
    for assessment in lists.unconcluded(approval_list):
        url = reverse("capability-assessment_detail", args=[assessment.pk])
        state = _("技术能力评估未作出结论（%(state)s）") % {"state": assessment.get_state_display()}
        rows.append(Row("", [must, Link(assessment.application.provider.name, url), state]))
    applications = [line.entry.application for line in shown if line.listed]
    already = lists.enrolled(approval_list.programme, applications)
    rows += [
        _row(must, application, _("已在试点单位名录中，公布时会被拒绝"))
        for application in applications
        if application.provider_id in already
    ]
    if approval_list.state == ListState.DRAFT:
        offered = lists.offered(approval_list)
        words = _("已报部而不在本名单，可“更新名单内容”补入")
        named = list(offered.only(*NAMED)[: MOST_NOTED + 1])
        rows += [_row(note, application, words) for application in named[:MOST_NOTED]]
        if len(named) > MOST_NOTED:
            more = _("另有 %(n)s 家") % {"n": offered.count() - MOST_NOTED}
            rows.append(Row("", [note, more, words]))
        gone = lists.entries(approval_list).exclude(application__state__in=services.OPEN)
        rows += [_row(note, entry.application, _("已撤回申请，提请批准时移出")) for entry in gone]
    rows += [
        _row(note, application, _("许可证 %(day)s 到期，早于试点运行结束") % {"day": day.isoformat()})
        for application, day in _expiring(approval_list, applications)
    ]
    return Section(
        _("公布前的核对"),
        columns=[Column("kind", _("性质")), Column("name", _("单位")), Column("matter", _("事项"))],
        rows=rows,
        empty=_("没有须先处理或留意的事项"),
    )


def _row(tag: Tag, application: Application, words: str) -> Row:
    name = Link(application.provider.name, common.application_url(application.pk))
    return Row("", [tag, name, words])


def _dates(approval_list: ApprovalList) -> list[str]:
    if local_day(approval_list.effective_from) < local_day(clock.now()):
        return [_("名单的生效日期早于今天，须重新确定")]
    return []


def _expiring(
    approval_list: ApprovalList, applications: Sequence[Application]
) -> list[tuple[Application, date]]:
    """Who is taken in with a licence that ends before the run phase does."""
    _opens, closes = programmes.window(approval_list.programme, WindowKind.RUN)
    last = local_day(closes - timedelta(microseconds=1))
    facts = applicants.facts_of_many(applications)
    dated = [(application, facts[application.pk].licence_expires_on) for application in applications]
    return [(application, day) for application, day in dated if day is not None and day < last]


def undecided(programme: Programme) -> Section:
    """Who was reported and stands on no list; with the reason where it was left to a later one."""
    undecided = lists.undecided(programme)
    waiting = list(undecided.only(*NAMED)[: MOST_ROWS + 1])
    total = undecided.count() if len(waiting) > MOST_ROWS else len(waiting)
    waiting = waiting[:MOST_ROWS]
    states, left = lists.assessment_states(waiting), lists.deferrals(waiting)
    rows = []
    for application in waiting:
        state, deferral = states.get(application.pk), left.get(application.pk)
        rows.append(
            Row(
                common.application_url(application.pk),
                [
                    application.provider.name,
                    application.number,
                    common.province(application.province),
                    tag_of(CapabilityAssessment, state) if state else None,
                    deferral and _deferred(deferral.approval_list.sequence, deferral.reason),
                ],
            )
        )
    return Section(
        _("尚未列入任何名单的申请"),
        columns=[
            Column("name", _("单位名称")),
            Column("number", _("受理编号")),
            Column("province", _("省份")),
            Column("assessment", _("技术能力评估")),
            Column("deferred", _("暂缓")),
        ],
        rows=rows,
        empty=_("已报部的申请都已在名单中作出决定"),
        note=_undecided_note(total) if total else "",
    )


def _undecided_note(total: int) -> str:
    words = _("合计 %(n)s 家，可列入下一份名单") % {"n": total}
    return (
        words
        if total <= MOST_ROWS
        else _("%(words)s；此处列出前 %(most)s 家") % {"words": words, "most": MOST_ROWS}
    )


def _deferred(sequence: int, reason: str) -> str:
    return _("第 %(n)s 号名单暂不列入：%(reason)s") % {"n": sequence, "reason": reason}
