"""The content of a stored form for its page: grouped, in words, personal data masked (C12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.pages.code_words import CERT_TYPES, NATURES, coded
from filings.rules import PERSONAL_CERT_TYPES
from pilot.enums import DataGroup
from pilot.masking import Personal, mask_cert, mask_email, mask_name, mask_phone, personal
from pilot.ui import Column, Fact, Row, Section, Tag

CHECKS: Final = {
    "originals_seen": gettext_lazy("核验证件原件"),
    "subject_cert": gettext_lazy("主体证件"),
    "principal_cert": gettext_lazy("负责人证件"),
    "mobile": gettext_lazy("手机号码"),
    "landline": gettext_lazy("固定电话"),
    "email": gettext_lazy("电子邮箱"),
    "address": gettext_lazy("通信地址"),
    "site_name": gettext_lazy("网站名称"),
    "domain": gettext_lazy("域名"),
    "service_content": gettext_lazy("服务内容"),
    "approval": gettext_lazy("前置或专项审批"),
    "access": gettext_lazy("接入方式"),
    "ip": gettext_lazy("IP 地址"),
}
METHODS: Final = {
    "face": gettext_lazy("人脸识别"),
    "lip": gettext_lazy("唇语识别"),
    "action": gettext_lazy("动作识别"),
    "other": gettext_lazy("其他"),
}
ANSWERS: Final = {
    "yes": (gettext_lazy("通过"), "success"),
    "no": (gettext_lazy("未通过"), "danger"),
    "na": (gettext_lazy("不适用"), "muted"),
}
RESULTS: Final = {
    "pass": gettext_lazy("通过"),
    "fail": gettext_lazy("未通过"),
    "not_done": gettext_lazy("未检测"),
    "consistent": gettext_lazy("一致"),
    "inconsistent": gettext_lazy("不一致"),
}


def sections(record: Mapping[str, Any]) -> list[Section]:
    """Cards of the page; parts a door does not carry (V3.0) are left out."""
    parts: list[Callable[[Mapping[str, Any]], Section | None]] = [
        _subject,
        _principal,
        _websites,
        _collection,
        _checks,
    ]
    return [section for part in parts if (section := part(record)) is not None]


def subject_name(subject: Mapping[str, Any]) -> Personal | str:
    """The subject's name: of an organisation in full, of a natural person masked."""
    name = str(subject.get("name") or "")
    return _masked(name, mask_name) if subject.get("cert_type") in PERSONAL_CERT_TYPES else name


def _masked(value: Any, mask: Callable[[str], str]) -> Personal | str:
    return personal(value, mask, DataGroup.FORM)


def _subject(record: Mapping[str, Any]) -> Section | None:
    subject = record.get("subject")
    if not subject:
        return None
    facts = [
        Fact(_("名称"), subject_name(subject)),
        coded(_("单位性质"), NATURES, subject.get("nature")),
        coded(_("证件类型"), CERT_TYPES, subject.get("cert_type")),
        Fact(_("证件号码"), _masked(subject.get("cert_no"), mask_cert)),
        Fact(_("所在市代码"), subject.get("city")),
        Fact(_("所在县代码"), subject.get("county")),
    ]
    return Section(_("备案主体"), facts=facts, note=_("通信地址、证件住所不在页面显示"))


def _principal(record: Mapping[str, Any]) -> Section | None:
    principal = record.get("principal")
    return Section(_("主体负责人"), facts=_person(principal)) if principal else None


def _person(person: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(_("姓名"), _masked(person.get("name"), mask_name)),
        coded(_("证件类型"), CERT_TYPES, person.get("cert_type")),
        Fact(_("证件号码"), _masked(person.get("cert_no"), mask_cert)),
        Fact(_("手机号码"), _masked(person.get("mobile"), mask_phone)),
        Fact(_("固定电话"), _masked(person.get("landline"), mask_phone)),
        Fact(_("电子邮箱"), _masked(person.get("email"), mask_email)),
    ]


def _websites(record: Mapping[str, Any]) -> Section | None:
    sites = record.get("websites") or ()
    if not sites:
        return None
    columns = [
        Column("name", _("网站名称")),
        Column("domain", _("域名")),
        Column("principal", _("网站负责人")),
        Column("ip", _("IP 地址")),
    ]
    return Section(_("网站"), columns=columns, rows=[Row("", _website(site)) for site in sites])


def _website(site: Mapping[str, Any]) -> list[Any]:
    access, principal = site.get("access") or {}, site.get("principal") or {}
    ends = [str(access[end]) for end in ("ip_from", "ip_to") if access.get(end)]
    return [
        site.get("site_name"),
        site.get("domain"),
        _masked(principal.get("name"), mask_name),
        " ～ ".join(dict.fromkeys(ends)),
    ]


def _collection(record: Mapping[str, Any]) -> Section | None:
    if not record.get("collection_methods"):
        return None
    supplied, authority = record.get("compare_supplied_cert") or {}, record.get("compare_authority_db") or {}
    facts = [
        Fact(_("采集方式"), [str(METHODS.get(m, m)) for m in record["collection_methods"]]),
        Fact(_("采集时间"), _moment(record.get("collected_at"))),
        Fact(_("活体检测"), _result(record.get("liveness_result"))),
        Fact(_("与所交证件比对"), _result(supplied.get("result"))),
        Fact(_("与权威库比对"), _result(authority.get("result"))),
        Fact(_("核验人"), _masked(record.get("verifier_name"), mask_name)),
        Fact(_("核验承诺时间"), _moment(record.get("verifier_promise_at"))),
    ]
    return Section(_("采集与比对"), facts=facts)


def _moment(text: Any) -> Any:
    """The moment a text names, which a page writes as every other; what names none is shown as it was sent."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text


def _result(value: Any) -> str:
    return str(RESULTS.get(value, value or ""))


def _checks(record: Mapping[str, Any]) -> Section | None:
    checks = record.get("checks")
    if not checks:
        return None
    facts = [Fact(str(label), _answer(checks.get(name))) for name, label in CHECKS.items()]
    return Section(_("核验项"), facts=facts)


def _answer(value: Any) -> Tag | None:
    if value not in ANSWERS:
        return None
    label, tone = ANSWERS[value]
    return Tag(str(label), tone)  # type: ignore[arg-type]
