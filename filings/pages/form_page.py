"""A stored form as the portal shows it: in the list, and on its own page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import Comparison
from filings.models import Determination, VerificationForm
from filings.pages import common, form_content, national
from filings.pages.code_words import FORMATS
from filings.selectors import forms
from filings.services.findings import has_jurisdiction
from pilot import policy
from pilot.actors import Actor
from pilot.ui import Column, DetailPage, Fact, Link, Row, Section, Tag, Tone

TONES: dict[str, Tone] = {"match": "success", "mismatch": "danger", "undeterminable": "warning"}

DIFFERENCES = {
    "name": gettext_lazy("名称或姓名"),
    "cert_type": gettext_lazy("证件类型"),
    "cert_no": gettext_lazy("证件号码"),
}


def outcome_tag(outcome: str | None) -> Tag:
    """The outcome of the comparison as a tag; none yet is pending."""
    if not outcome:
        return Tag(_("待比对"), "info")
    return Tag(str(Comparison(outcome).label), TONES[outcome])


def columns() -> list[Column]:
    """The columns of the list."""
    return [
        Column("form_no", _("核验单编号")),
        Column("unit", _("试点单位")),
        Column("type", _("备案类型")),
        Column("province", _("主体所在省")),
        Column("version", _("版次"), "end"),
        Column("received", _("接收时间")),
        Column("outcome", _("比对结果")),
        Column("late", _("迟报")),
    ]


def row(form: Any) -> Row:
    """A form's line in the list (with ``outcome``, see ``selectors.forms``)."""
    return Row(
        reverse("verification-form_detail", args=[form.pk]),
        [
            form.form_no,
            form.unit.organisation.name,
            str(form.get_filing_type_display()),
            str(form.get_subject_province_display()),
            form.version,
            form.received_at,
            outcome_tag(form.outcome),
            Tag(_("是"), "warning") if form.late else False,
        ],
    )


def detail(form: VerificationForm, record: Mapping[str, Any] | None, actor: Actor) -> DetailPage:
    """A form's page: what lies in clear, the masked content (None: destroyed), comparisons, findings, the chain."""
    compared = list(Determination.unscoped.filter(form=form.pk).order_by("-number"))
    return DetailPage(
        title=form.form_no,
        number="",
        state=outcome_tag(compared[0].outcome if compared else None),
        facts=_facts(form, actor),
        sections=[
            *([_destroyed(form)] if record is None else form_content.sections(record)),
            _comparisons(compared),
            *national.form_sections(form),
            common.finding_section(_("差错"), common.visible_findings(actor, form=form.pk)),
            _chain(form),
        ],
        related=_related(form, actor),
    )


def _related(form: VerificationForm, actor: Actor) -> list[Link]:
    """Where a fault of this form is recorded, for whom that is."""
    if not policy.may_open("finding_create", actor.role):
        return []
    if not has_jurisdiction(actor, form.subject_province, form.unit.province):
        return []
    query = urlencode({"form_no": form.form_no, "unit": form.unit.code})
    return [Link(_("登记差错"), f"{reverse('finding_create')}?{query}", "file-exclamation-point")]


def _facts(form: VerificationForm, actor: Actor) -> list[Fact]:
    filed = None if form.subject_known else forms.subject_of(form)
    kind = (filed or form).subject_kind
    kinds = {"person": _("个人"), "unit": _("单位")}
    return [
        Fact(_("试点单位"), common.unit_link(form.unit)),
        Fact(_("备案类型"), form.get_filing_type_display()),
        Fact(_("主体所在省"), form.get_subject_province_display()),
        Fact(_("主办者类型"), kinds.get(kind, "")),
        *([] if form.subject_known else [_filed_subject(filed, actor)]),
        Fact(_("版次"), form.version),
        Fact(_("更正的核验单"), form.supersedes),
        Fact(_("采集时间"), form.collected_at),
        Fact(_("接收时间"), form.received_at),
        Fact(_("计入日期"), Tag(_("迟报，不计入"), "warning"), str(common.LATE))
        if form.late
        else Fact(_("计入日期"), form.day, _("首个版本接收之日，不因更正改变")),
        Fact(_("上报格式"), str(FORMATS.get(form.source, form.source))),
        Fact(_("规则版本"), form.rule_version),
    ]


def _filed_subject(filed: VerificationForm | None, actor: Actor) -> Fact:
    """Where the subject is that a V3.0 addition only names; a link for whom may see that form."""
    words = _("本单只写了主体的备案号或标识，主体按此从本单位其他核验单中查找")
    if filed is None:
        return Fact(_("主体所在核验单"), Tag(_("尚未找到"), "info"), words)
    if not VerificationForm.objects.visible_to(actor).filter(pk=filed.pk).exists():
        return Fact(_("主体所在核验单"), filed.form_no, words)
    return Fact(_("主体所在核验单"), common.form_link(filed), words)


def _destroyed(form: VerificationForm) -> Section:
    facts = [Fact(_("状态"), Tag(_("内容已销毁"), "muted")), Fact(_("销毁时间"), form.key.destroyed_at)]
    return Section(_("核验内容"), facts=facts, note=_("保存期满，本月核验单的密钥已销毁，统计结果不受影响"))


def _comparisons(compared: list[Determination]) -> Section:
    return Section(
        _("权威库比对"),
        columns=[
            Column("number", _("次序"), "end"),
            Column("outcome", _("结果")),
            Column("fields", _("不一致的人员")),
            Column("cause", _("无法判定的原因")),
            Column("at", _("时间")),
        ],
        rows=[
            Row("", [c.number, outcome_tag(c.outcome), _differing(c), str(c.get_cause_display()), c.at])
            for c in compared
        ],
        empty=_("尚未比对"),
    )


def _differing(compared: Determination) -> list[str]:
    """Whose record differs and, where the authority says so, in what."""
    named = []
    for place in compared.fields:
        what = "、".join(str(DIFFERENCES[name]) for name in compared.differences.get(place, ()))
        words = {"person": common.field_label(place), "what": what}
        named.append(_("%(person)s（%(what)s）") % words if what else words["person"])
    return named


def _chain(form: VerificationForm) -> Section:
    return Section(
        _("版本"),
        columns=[
            Column("version", _("版次"), "end"),
            Column("form_no", _("核验单编号")),
            Column("received", _("接收时间")),
            Column("outcome", _("比对结果")),
        ],
        rows=[
            Row(
                reverse("verification-form_detail", args=[v.pk]),
                [v.version, v.form_no, v.received_at, outcome_tag(v.outcome)],  # type: ignore[attr-defined]
            )
            for v in forms.chain(form)
        ],
    )
