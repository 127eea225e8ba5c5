"""What comparing a form with the authority's record came to, person by person and item by item."""

from __future__ import annotations

from django.utils.translation import gettext as _

from filings.enums import Comparison
from filings.models import Determination, VerificationForm
from filings.pages import common
from filings.pages.form_page import DIFFERENCES, TONES, outcome_tag
from filings.services.outcomes import DECIDING
from pilot.ui import Fact, Section, Tag


def section(form: VerificationForm) -> Section:
    """The last comparison of a form: when, with what outcome, and which items of whom differ."""
    last = Determination.unscoped.filter(form=form.pk).order_by("-number").first()
    if last is None:
        return Section(_("权威库比对"), empty=_("尚未比对"))
    known = () if last.outcome == Comparison.UNDETERMINABLE else DECIDING
    places = dict.fromkeys([*known, *last.fields])
    return Section(
        _("权威库比对"),
        facts=[
            Fact(_("比对时间"), last.at),
            Fact(_("比对结果"), outcome_tag(last.outcome), str(last.get_cause_display())),
            *(Fact(common.field_label(place), _items(last, place)) for place in places),
        ],
        note=_("与接收时的记录比对；权威库记录只留摘要，内容不显示。"),
    )


def _items(last: Determination, place: str) -> list[Tag]:
    """One person's items; of who is not said to differ it is known only where everybody agrees."""
    if place not in last.fields:
        if last.outcome == Comparison.MATCH:
            return [_tag(str(Comparison.MATCH.label), Comparison.MATCH)]
        return [Tag(_("未见不一致"), "muted")]
    differing = last.differences.get(place)
    if not differing:
        return [_tag(_("不一致，权威库未说明项目"), Comparison.MISMATCH)]
    outcomes = [
        (words, Comparison.MISMATCH if item in differing else Comparison.MATCH)
        for item, words in DIFFERENCES.items()
    ]
    return [_tag(f"{words} {outcome.label}", outcome) for words, outcome in outcomes]


def _tag(words: str, outcome: Comparison) -> Tag:
    return Tag(words, TONES[outcome])
