"""The application form (申请表) as data: sections, fields, and how a value is kept and shown.

The annex of 工信部信管函〔2019〕87号 that holds the official form is not in our text; blocks and fields follow the
common annexes of the ministry (domain brief, section 1.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from django.utils.functional import Promise, lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from applications.enums import FileKind
from pilot.enums import Province
from pilot.masking import contact, mask_email, mask_name, mask_phone

SHORT: Final = 255  # characters of a line of text
LONG: Final = 4_000  # characters of a text of several lines

type Words = str | Promise
type Choices = tuple[tuple[str, Words], ...]


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    MOBILE = "mobile"
    PHONE = "phone"
    EMAIL = "email"
    LICENCE = "licence"


class Personal(StrEnum):
    """Which mask a value of a natural person takes where it is not shown in full."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. ``fixed`` values come from the registration of the provider and are not typed in."""

    key: str
    label: Words
    kind: Kind = Kind.TEXT
    required: bool = True
    choices: Choices = ()
    help: Words = ""
    fixed: bool = False
    personal: Personal | None = None


@dataclass(frozen=True, slots=True)
class FormSection:
    """A block of the form."""

    key: str
    title: Words
    fields: tuple[FormField, ...]


ENTERPRISE_NATURES: Final[Choices] = (
    ("state", _("国有控股")),
    ("private", _("民营")),
    ("foreign", _("外商投资")),
    ("other", _("其他")),
)
LICENCE_CATEGORIES: Final[Choices] = (
    ("B11", _("B11 互联网数据中心业务")),
    ("B12", _("B12 内容分发网络业务")),
    ("B13", _("B13 国内互联网虚拟专用网业务")),
    ("B14", _("B14 互联网接入服务业务")),
    ("B21", _("B21 在线数据处理与交易处理业务")),
    ("B22", _("B22 国内多方通信服务业务")),
    ("B23", _("B23 存储转发类业务")),
    ("B24", _("B24 呼叫中心业务")),
    ("B25", _("B25 信息服务业务")),
    ("B26", _("B26 编码和规程转换业务")),
)
COVERAGES: Final[Choices] = (("national", _("全国（跨地区）")), ("province", _("本省")))
COLLECTION_METHODS: Final[Choices] = (
    ("face", _("人脸识别")),
    ("lip", _("唇语识别")),
    ("action", _("动作识别")),
    ("other", _("其他")),
)
COMPARED_FIELDS: Final[Choices] = (
    ("name", _("名称或姓名")),
    ("cert_type", _("证件类型")),
    ("cert_no", _("证件号码")),
    ("validity", _("证件有效期")),
)
READINESS: Final[Choices] = (
    ("ready", _("已完成对接测试")),
    ("testing", _("正在对接测试")),
    ("planned", _("尚未开始对接")),
)
PROTECTION_LEVELS: Final[Choices] = (("2", _("第二级")), ("3", _("第三级")), ("4", _("第四级")))
CRYPTO_ASSESSMENTS: Final[Choices] = (
    ("passed", _("已通过")),
    ("under_way", _("评估中")),
    ("none", _("未开展")),
)
CHANNELS: Final[Choices] = (("app", _("移动应用")), ("mini_program", _("小程序")), ("h5", _("网页（H5）")))
PROVINCES: Final[Choices] = tuple((str(province.value), province.label) for province in Province)

SECTIONS: Final[tuple[FormSection, ...]] = (
    FormSection(
        "unit",
        _("单位基本情况"),
        (
            FormField("unit_name", _("单位名称"), fixed=True),
            FormField("uscc", _("统一社会信用代码"), fixed=True),
            FormField("registered_address", _("注册地址")),
            FormField("postal_address", _("通信地址")),
            FormField("legal_representative", _("法定代表人"), personal=Personal.NAME),
            FormField("enterprise_nature", _("企业性质"), Kind.CHOICE, choices=ENTERPRISE_NATURES),
            FormField("filed_subjects", _("已备案接入主体数"), Kind.NUMBER),
            FormField("filed_websites", _("已备案接入网站数"), Kind.NUMBER),
        ),
    ),
    FormSection(
        "licence",
        _("增值电信业务经营许可"),
        (
            FormField(
                "licence_number",
                _("许可证编号"),
                Kind.LICENCE,
                help=_("按许可证所载填写，如 B1-20180123、A2.B1.B2-20190001、粤B1.B2-20190001"),
            ),
            FormField(
                "licence_holder", _("许可证持有者"), help=_("按许可证所载公司名称填写，应与申请单位一致")
            ),
            FormField("licence_categories", _("业务种类"), Kind.CHOICES, choices=LICENCE_CATEGORIES),
            FormField("licence_coverage", _("覆盖范围"), Kind.CHOICE, choices=COVERAGES),
            FormField("licence_authority", _("发证机关")),
            FormField("licence_issued_on", _("发证日期"), Kind.DATE),
            FormField("licence_expires_on", _("有效期至"), Kind.DATE),
        ),
    ),
    FormSection(
        "people",
        _("联系人员"),
        (
            FormField("principal_name", _("试点负责人"), personal=Personal.NAME),
            FormField("principal_title", _("试点负责人职务")),
            FormField("principal_mobile", _("试点负责人手机"), Kind.MOBILE, personal=Personal.PHONE),
            FormField("principal_email", _("试点负责人邮箱"), Kind.EMAIL, personal=Personal.EMAIL),
            FormField("contact_name", _("联系人"), personal=Personal.NAME),
            FormField("contact_mobile", _("联系人手机"), Kind.MOBILE, personal=Personal.PHONE),
            FormField("contact_email", _("联系人邮箱"), Kind.EMAIL, personal=Personal.EMAIL),
            FormField("technical_name", _("技术负责人"), personal=Personal.NAME),
            FormField("technical_mobile", _("技术负责人手机"), Kind.MOBILE, personal=Personal.PHONE),
            FormField("emergency_phone", _("24小时应急电话"), Kind.PHONE),
        ),
    ),
    FormSection(
        "technology",
        _("采集与比对技术"),
        (
            FormField("collection_methods", _("采集方式"), Kind.CHOICES, choices=COLLECTION_METHODS),
            FormField("liveness_method", _("活体检测方法")),
            FormField("product", _("产品名称及版本")),
            FormField("product_supplier", _("产品供应商")),
            FormField("false_accept_rate", _("误识率"), help=_("按测试报告填写，如 0.01%")),
            FormField("false_reject_rate", _("拒识率"), help=_("按测试报告填写，如 1%")),
            FormField("test_report_number", _("测试报告编号")),
            FormField("organisation_database", _("单位主体比对的权威库"), help=_("如统一社会信用代码库")),
            FormField("organisation_access", _("单位权威库接入途径")),
            FormField("population_database", _("个人主体比对的权威库"), help=_("如个人身份证件库")),
            FormField("population_access", _("个人权威库接入途径")),
            FormField("compared_fields", _("逐项比对内容"), Kind.CHOICES, choices=COMPARED_FIELDS),
            FormField("daily_capacity", _("日核验能力（件）"), Kind.NUMBER),
            FormField("interface_readiness", _("与备案管理系统接口"), Kind.CHOICE, choices=READINESS),
        ),
    ),
    FormSection(
        "protection",
        _("安全保障"),
        (
            FormField("protection_level", _("网络安全保护等级"), Kind.CHOICE, choices=PROTECTION_LEVELS),
            FormField("protection_certificate", _("等级保护备案证明编号")),
            FormField(
                "crypto_assessment", _("商用密码应用安全性评估"), Kind.CHOICE, choices=CRYPTO_ASSESSMENTS
            ),
            FormField("storage_place", _("图像存储地点")),
            FormField("storage_days", _("图像存储期限（天）"), Kind.NUMBER),
            FormField("deletion", _("到期删除方式")),
            FormField("emergency_plan", _("应急预案概述"), Kind.LONG_TEXT),
        ),
    ),
    FormSection(
        "scope",
        _("试点范围"),
        (
            FormField("provinces", _("拟试点省份"), Kind.CHOICES, choices=PROVINCES),
            FormField("channels", _("业务渠道"), Kind.CHOICES, choices=CHANNELS),
            FormField("planned_start", _("计划开始日期"), Kind.DATE),
            FormField("remarks", _("其他说明"), Kind.LONG_TEXT, required=False),
        ),
    ),
)
FIELDS: Final[dict[str, FormField]] = {field.key: field for section in SECTIONS for field in section.fields}


@dataclass(frozen=True)
class ApplicationForm:
    """The form of one programme: the catalogue above as the ministry words, orders and requires it."""

    sections: tuple[FormSection, ...]

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """All fields by key, in the order of the form."""
        return {field.key: field for section in self.sections for field in section.fields}

    @cached_property
    def targets(self) -> dict[str, Words]:
        """What a completeness notice may point at, with its words: a typed field, or a kind of file."""
        typed = {key: field.label for key, field in self.fields.items() if not field.fixed}
        return {**typed, **{kind.value: kind.label for kind in FileKind}}


STANDARD: Final = ApplicationForm(SECTIONS)
SETTINGS: Final = frozenset({"label", "label_en", "help", "help_en", "required", "position"})

RELIED_ON: Final = frozenset(
    {
        "licence_number",
        "licence_holder",
        "licence_categories",
        "licence_coverage",
        "licence_issued_on",
        "licence_expires_on",
        "provinces",
        "collection_methods",
        "liveness_method",
        "product",
        "product_supplier",
        "test_report_number",
        "organisation_database",
        "organisation_access",
        "population_database",
        "population_access",
        "compared_fields",
        "contact_name",
        "contact_mobile",
    }
)
"""Always required: the check of the conditions, declarations of interest or the bureau's calls rely on them."""


def worded(settings: Mapping[str, Mapping[str, Any]]) -> ApplicationForm:
    """The form with an edition's settings laid over the catalogue; a field keeps its section, key and kind.

    ``settings`` maps a field to any of :data:`SETTINGS`. Chinese words without English ones stand in both languages.
    """
    if not settings:
        return STANDARD
    return ApplicationForm(
        tuple(replace(section, fields=_reworded(section.fields, settings)) for section in SECTIONS)
    )


def _reworded(
    fields: tuple[FormField, ...], settings: Mapping[str, Mapping[str, Any]]
) -> tuple[FormField, ...]:
    def place(pair: tuple[int, FormField]) -> tuple[int, int]:
        at, field = pair
        return int(settings.get(field.key, {}).get("position") or at + 1), at

    ordered = [field for _at, field in sorted(enumerate(fields), key=place)]
    return tuple(_with(field, settings.get(field.key, {})) for field in ordered)


def _with(field: FormField, setting: Mapping[str, Any]) -> FormField:
    changes: dict[str, Any] = {
        what: in_language(setting[what], setting.get(f"{what}_en") or setting[what])
        for what in ("label", "help")
        if what in setting
    }
    if "required" in setting:
        changes["required"] = bool(setting["required"])
    return replace(field, **changes) if changes else field


def in_language(chinese: str, english: str) -> Words:
    """Words that follow the reader's language when they are printed, as gettext's do."""
    return lazy(lambda: english if (get_language() or "").startswith("en") else chinese, str)()


def kept(field: FormField, value: Any) -> Any:
    """A value as the draft keeps it (JSON): text trimmed, dates in ISO form, several choices as a list."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip()
    if field.kind is Kind.CHOICES and isinstance(value, Iterable):
        return [str(item) for item in value]
    return value


def is_blank(value: Any) -> bool:
    """Whether a field counts as not filled in; the number 0 is an answer."""
    return value is None or value == "" or value == []


def day(content: Mapping[str, Any], key: str) -> date | None:
    """The date a content holds under ``key``; None where there is none or it is not a date."""
    try:
        return date.fromisoformat(content.get(key) or "")
    except (TypeError, ValueError):
        return None


def shown(field: FormField, value: Any) -> Any:
    """A kept value as pages print it: the words of choices, dates as dates."""
    if is_blank(value):
        return ""
    words = dict(field.choices)
    if field.kind is Kind.CHOICES:
        return tuple(str(words.get(item, item)) for item in value)
    if field.kind is Kind.CHOICE:
        return str(words.get(value, value))
    if field.kind is Kind.DATE:
        return day({field.key: value}, field.key) or value
    return value


MANY: Final = 10  # choices
_MASKS: Final = {Personal.NAME: mask_name, Personal.PHONE: mask_phone, Personal.EMAIL: mask_email}


def masked(field: FormField, value: Any) -> Any:
    """A value as pages show it on which nobody edits it: what belongs to a person is masked (C12).

    A long list of choices that is chosen whole is told in a word.
    """
    if value and field.personal:
        return contact(value, _MASKS[field.personal])
    if (
        field.kind is Kind.CHOICES
        and len(field.choices) >= MANY
        and set(dict(field.choices)) == set(value or ())
    ):
        return _("全部 %(n)s 项") % {"n": len(field.choices)}
    return shown(field, value)
