"""The inspector's page as plain data: one form, what the authority says beside it, and a verdict per field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from filings.enums import Comparison
from filings.models import Determination, Inspection, InspectionItem, InspectionReading
from filings.pages import form_content
from filings.pages.code_words import ACCESS_MODES, CERT_TYPES, NATURES, in_words
from filings.pages.form_page import TONES
from filings.rules import PERSONAL_CERT_TYPES
from filings.selectors import inspections as selector
from filings.selectors.inspections import SECOND, SETTLING, Progress
from filings.services.inspection_fields import IDENTITY, WHOLE, described, hidden_fields, judged_fields, label
from filings.services.inspections import must_look
from pilot.actors import Actor
from pilot.enums import UnmaskReason
from pilot.masking import mask_cert, mask_email, mask_name, mask_phone
from pilot.rules import SHANGHAI
from pilot.ui import Fact, Link, Tag

HIDDEN: Final = "••••••"
CERTIFICATE: Final = ("cert_type", "cert_no")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: what the form says, what the authority said of it (None: it is not asked), found wrong or not."""

    key: str
    label: str
    value: Any
    compared: Tag | None
    identity: bool
    wrong: bool


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that belong together, under one heading."""

    title: str
    rows: Sequence[FieldRow]


@dataclass(slots=True)
class ReadingPage:
    """What the inspector sees; without ``item`` there is nothing to read now and ``nothing`` says why."""

    title: str
    subject: str
    progress: Progress
    back: str
    links: Sequence[Link]
    crumbs: Sequence[Link]
    item: int = 0
    turn: int = 0
    turn_words: Tag | None = None
    form_no: str = ""
    form_url: str = ""
    facts: Sequence[Fact] = ()
    groups: Sequence[FieldGroup] = ()
    unmasked: bool = False
    barred: bool = False  # this person saw the content masked only: no verdict yet
    reasons: Sequence[tuple[str, Any]] = ()  # none where nothing is masked
    reason: str = ""
    standing: str = ""  # the reason given before, which stands for this inspection (views/standing_reason.py)
    standing_words: str = ""
    remark: str = ""
    error: str = ""
    lost: str = ""  # what was found in a form that somebody else had read meanwhile
    earlier: Sequence[Fact] = field(default_factory=list)
    nothing: str = ""


def build(
    inspection: Inspection,
    actor: Actor,
    item: InspectionItem | None,
    record: Mapping[str, Any] | None = None,
    *,
    settling: bool = False,
    unmasked: bool = False,
    wrong: Sequence[str] = (),
    remark: str = "",
    error: str = "",
    reason: str = "",
    standing: str = "",
) -> ReadingPage:
    """The page of one item, or the page that says that there is none."""
    back = reverse("inspection_detail", args=[inspection.pk])
    page = ReadingPage(
        title=_("裁定分歧") if settling else _("检查核验单"),
        subject=f"{inspection} {inspection.number}",
        progress=selector.progress(inspection, person=actor.person_id),
        back=back,
        links=[Link(_("返回抽查"), back)],
        crumbs=[
            Link(_("首页"), reverse("home")),
            Link(_("抽查"), reverse("inspection_list")),
            Link(inspection.title, back),
        ],
        error=error,
        remark=remark,
    )
    if item is None:
        page.nothing = _nothing(page.progress, settling=settling)
        return page
    earlier = list(item.readings.select_related("read_by")) if settling else []
    page.item, page.form_no = item.pk, item.form.form_no
    page.form_url = reverse("verification-form_detail", args=[item.form_id])
    page.turn = SETTLING if settling else 1 + item.readings.count()
    page.turn_words = _turn(page.turn)
    page.facts = _about(item)
    page.groups = _groups(item, record, unmasked=unmasked, wrong=wrong)
    page.unmasked = unmasked
    page.barred = not unmasked and must_look(actor=actor, form=item.form, record=record)
    page.reasons = UnmaskReason.choices if hidden_fields(record) else []
    page.standing, page.standing_words = standing, str(UnmaskReason(standing).label) if standing else ""
    page.reason = reason or (UnmaskReason.DISPUTE if settling else UnmaskReason.CERTIFICATE)
    page.earlier = [_said(reading) for reading in earlier]
    return page


def _nothing(progress: Progress, *, settling: bool) -> str:
    if settling:
        return _("没有需要您裁定的分歧")
    if progress.done < progress.total:
        return _("现在没有您可以检查的核验单：其余的正由他人检查，或须由另一人检查")
    if progress.unsettled:
        return _("所有核验单均已检查，还有分歧须由第三人裁定")
    return _("所有核验单均有检查结果")


def _turn(turn: int) -> Tag:
    if turn == SETTLING:
        return Tag(_("裁定"), "warning")
    return Tag(_("第二次检查"), "info") if turn == SECOND else Tag(_("首次检查"), "neutral")


def _about(item: InspectionItem) -> list[Fact]:
    form = item.form
    return [
        Fact(_("序号"), item.rank),
        Fact(_("备案类型"), str(form.get_filing_type_display())),
        Fact(_("主体所在省"), str(form.get_subject_province_display())),
        Fact(_("接收时间"), form.received_at),
    ]


def _said(reading: InspectionReading) -> Fact:
    """What one of two readers found, for the third person alone."""
    found = described(sorted(selector.faults(reading)), reading.remark) or _("全部正确")
    return Fact(_("第 %(turn)s 次") % {"turn": reading.turn}, found, mask_name(reading.read_by.name))


# --- fields ---------------------------------------------------------------------------------------------
def _groups(
    item: InspectionItem, record: Mapping[str, Any] | None, *, unmasked: bool, wrong: Sequence[str]
) -> list[FieldGroup]:
    compared = Determination.unscoped.filter(form=item.form_id).order_by("-number").first()
    values = _values(record or {}, full=unmasked)
    groups: dict[str, list[FieldRow]] = {}
    for key in judged_fields(record):
        row = FieldRow(
            key=key,
            label=_whole(key) if key in WHOLE else label(key),
            value=values.get(key),
            compared=_compared(key, compared),
            identity=key in IDENTITY,
            wrong=key in wrong,
        )
        groups.setdefault(_group(key), []).append(row)
    return [FieldGroup(title, rows) for title, rows in groups.items()]


def _whole(key: str) -> str:
    return _("主体身份信息") if key == "identity" else _("核验单其他信息")


def _group(key: str) -> str:
    place = key.partition(".")[0]
    titles = {"subject": _("备案主体"), "principal": _("主体负责人"), "websites": _("网站")}
    return titles.get(place, _("核验"))


def _compared(key: str, compared: Determination | None) -> Tag | None:
    """What comparing with the authority's record came to for this field; the record itself is kept as digests only."""
    place, _dot, part = key.partition(".")
    if key not in IDENTITY or key in WHOLE:
        return None
    if compared is None:
        return Tag(_("待比对"), "info")
    if compared.outcome == Comparison.UNDETERMINABLE:
        return Tag(str(compared.get_cause_display() or compared.get_outcome_display()), "warning")
    different = compared.differences.get(place) if place in compared.fields else ()
    parts = CERTIFICATE if part == "cert" else (part,)
    wrong = different is None or bool(set(parts) & set(different))
    outcome = Comparison.MISMATCH if wrong else Comparison.MATCH
    return Tag(str(outcome.label), TONES[outcome])


def _values(record: Mapping[str, Any], *, full: bool) -> dict[str, Any]:
    """The fields in words: masked (C12), or in full after a reason was given."""
    found = _subject(record.get("subject") or {}, full=full)
    found |= _person("principal", record.get("principal") or {}, full=full)
    for number, site in enumerate(record.get("websites") or ()):
        found |= _website(f"websites.{number}", site, full=full)
    compared = [
        form_content.RESULTS.get(str((record.get(name) or {}).get("result")), "")
        for name in ("compare_supplied_cert", "compare_authority_db")
    ]
    methods = [str(form_content.METHODS.get(m, m)) for m in record.get("collection_methods") or ()]
    found["collection"] = _joined([*methods, _moment(record.get("collected_at")), *map(str, compared)])
    found["checks"] = _checks(record.get("checks") or {})
    verifier = str(record.get("verifier_name") or "")
    found["verifier"] = _joined(
        [_shown(verifier, mask_name, full=full), _moment(record.get("verifier_promise_at"))]
    )
    return found


def _moment(text: Any) -> str:
    """A time of the form in the portal's zone; what is none stands as it is."""
    try:
        return f"{datetime.fromisoformat(str(text or '')).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return str(text or "")


def _shown(value: Any, mask: Callable[[str], str], *, full: bool) -> str:
    return str(value or "") if full else mask(str(value or ""))


def _hidden(value: Any, *, full: bool) -> str:
    return str(value or "") if full or not value else HIDDEN


def _joined(parts: Sequence[Any]) -> str:
    return " · ".join(str(part) for part in parts if part)


def _subject(subject: Mapping[str, Any], *, full: bool) -> dict[str, Any]:
    personal = subject.get("cert_type") in PERSONAL_CERT_TYPES
    name = str(subject.get("name") or "")
    return {
        "subject.name": _shown(name, mask_name, full=full) if personal else name,
        "subject.cert": _certificate(subject, full=full),
        "subject.nature": in_words(NATURES, subject.get("nature")),
        "subject.region": _joined([subject.get("city"), subject.get("county")]),
        "subject.address": _hidden(subject.get("post_address"), full=full),
        "subject.cert_address": _hidden(subject.get("cert_address"), full=full),
    }


def _certificate(person: Mapping[str, Any], *, full: bool) -> str:
    kind = in_words(CERT_TYPES, person.get("cert_type"))
    return _joined([kind, _shown(person.get("cert_no"), mask_cert, full=full)])


def _person(place: str, person: Mapping[str, Any], *, full: bool) -> dict[str, Any]:
    return {
        f"{place}.name": _shown(person.get("name"), mask_name, full=full),
        f"{place}.cert": _certificate(person, full=full),
        f"{place}.mobile": _shown(person.get("mobile"), mask_phone, full=full),
        f"{place}.landline": _shown(person.get("landline"), mask_phone, full=full),
        f"{place}.email": _shown(person.get("email"), mask_email, full=full),
    }


def _website(place: str, site: Mapping[str, Any], *, full: bool) -> dict[str, Any]:
    access, person = site.get("access") or {}, site.get("principal") or {}
    ends = dict.fromkeys(str(access[end]) for end in ("ip_from", "ip_to") if access.get(end))
    return {
        f"{place}.name": site.get("site_name"),
        f"{place}.domain": site.get("domain"),
        f"{place}.principal": _joined(
            [
                _shown(person.get("name"), mask_name, full=full),
                _certificate(person, full=full),
                _shown(person.get("mobile"), mask_phone, full=full),
            ]
        ),
        f"{place}.access": _joined(
            [in_words(ACCESS_MODES, access.get("mode")), access.get("server_place"), " ～ ".join(ends)]
        ),
    }


def _checks(checks: Mapping[str, Any]) -> str:
    passed = sum(answer == "yes" for answer in checks.values())
    others = [str(form_content.CHECKS.get(name, name)) for name, answer in checks.items() if answer != "yes"]
    words = _("通过 %(count)s 项") % {"count": passed}
    return _joined([words, _("不适用：%(items)s") % {"items": _("、").join(others)} if others else ""])
