"""The fields of a form that an inspector judges one by one, and which of them are identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.rules import PERSONAL_CERT_TYPES

IDENTITY: Final = frozenset({"identity", "subject.name", "subject.cert", "principal.name", "principal.cert"})
WHOLE: Final = ("identity", "form")
"""What is judged of a form whose content cannot be opened, or that was judged as a whole."""

MASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "subject.name": ("name",),
    "subject.cert": ("cert_no",),
    "subject.address": ("post_address",),
    "subject.cert_address": ("cert_address",),
    "principal.name": ("name",),
    "principal.cert": ("cert_no",),
    "principal.mobile": ("mobile",),
    "principal.landline": ("landline",),
    "principal.email": ("email",),
    "websites.principal": ("name", "cert_no", "mobile"),
}
"""Field → what the form says there that pages mask."""

LABELS: Final[dict[str, Any]] = {
    "subject.name": gettext_lazy("主体名称"),
    "subject.cert": gettext_lazy("主体证件"),
    "subject.nature": gettext_lazy("单位性质"),
    "subject.region": gettext_lazy("所在地"),
    "subject.address": gettext_lazy("通信地址"),
    "subject.cert_address": gettext_lazy("证件住所"),
    "principal.name": gettext_lazy("负责人姓名"),
    "principal.cert": gettext_lazy("负责人证件"),
    "principal.mobile": gettext_lazy("手机号码"),
    "principal.landline": gettext_lazy("固定电话"),
    "principal.email": gettext_lazy("电子邮箱"),
    "collection": gettext_lazy("采集与比对"),
    "checks": gettext_lazy("核验项"),
    "verifier": gettext_lazy("核验人"),
    "website.name": gettext_lazy("网站名称"),
    "website.domain": gettext_lazy("域名"),
    "website.principal": gettext_lazy("网站负责人"),
    "website.access": gettext_lazy("接入信息"),
}


def judged_fields(record: Mapping[str, Any] | None) -> list[str]:
    """The fields to be judged of a form's record, in the order of the page; of no record, the form as a whole."""
    if record is None:
        return list(WHOLE)
    found: list[str] = []
    if record.get("subject"):
        found += ["subject.name", "subject.cert", "subject.nature", "subject.region"]
        found += ["subject.address", "subject.cert_address"]
    if record.get("principal"):
        found += [f"principal.{part}" for part in ("name", "cert", "mobile", "landline", "email")]
    for number in range(len(record.get("websites") or ())):
        found += [f"websites.{number}.{part}" for part in ("name", "domain", "principal", "access")]
    found += ["collection"] if record.get("collection_methods") else []
    found += ["checks"] if record.get("checks") else []
    found += ["verifier"] if record.get("verifier_name") else []
    return found or list(WHOLE)


def hidden_fields(record: Mapping[str, Any] | None) -> list[str]:
    """Of the fields to be judged, those that pages mask until somebody looks at the content in full (C12)."""
    return [field for field in judged_fields(record) if _hidden(field, record or {})]


def _hidden(field: str, record: Mapping[str, Any]) -> bool:
    """Whether the form says something in this field that is masked: of the name of a unit nothing is."""
    place, _dot, part = field.partition(".")
    person: Mapping[str, Any] = {}
    if place in {"subject", "principal"}:
        person = record[place]
    elif place == "websites":
        number, _dot, part = part.partition(".")
        person = record[place][int(number)].get("principal") or {}
    if field == "subject.name" and person.get("cert_type") not in PERSONAL_CERT_TYPES:
        return False
    if field == "verifier":
        return True
    return any(person.get(member) for member in MASKED.get(f"{place}.{part}", ()))


def label(field: str) -> str:
    """The words for a field: 域名, or 第2个网站的域名."""
    place, _dot, part = field.partition(".")
    if place != "websites":
        return str(LABELS.get(field, field))
    number, _dot, part = part.partition(".")
    words = str(LABELS[f"website.{part}"])
    return (
        words
        if number == "0"
        else _("网站%(number)s %(field)s") % {"number": int(number) + 1, "field": words}
    )


def described(fields: Iterable[str], remark: str) -> str:
    """What is wrong in words: the fields by name, then the remark. Fields of the whole form need no name."""
    names = [label(field) for field in fields if field not in WHOLE]
    return "：".join(part for part in (_("、").join(names), remark) if part)
