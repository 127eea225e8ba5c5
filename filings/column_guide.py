"""What every column of a table of forms means, whether it must be filled in, and which values it takes.

The names are those of ``filings.intake.columns``; what is said here of them is for people who fill in a table.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _

from filings.rules import CERT_TYPES_BY_NATURE, PERSONAL_CERT_TYPES, SERVICE_CONTENT_NEEDING_APPROVAL

MUST: Final = _("必填")
DEPENDS: Final = _("视情况")
MAY: Final = _("选填")

_TIME: Final = _("如 2019-06-03T10:00:00+08:00")
_REGION: Final = _("6 位行政区划代码，前两位与主体所在省一致")
_PERSONAL: Final = "、".join(map(str, sorted(PERSONAL_CERT_TYPES)))
_APPROVED: Final = "、".join(map(str, sorted(SERVICE_CONTENT_NEEDING_APPROVAL)))
_NATURES: Final = "；".join(
    f"{nature}：{'、'.join(map(str, sorted(types)))}" for nature, types in CERT_TYPES_BY_NATURE.items()
)
_ANSWER: Final = _("yes 通过，no 未通过（拒收）")
_NUMBERS: Final = _("1 至 64 的代码，多个用 ; 分隔")


class Guide(NamedTuple):
    """One column: its name in the file, what it means, whether it must be filled in, what may stand in it."""

    name: str
    meaning: Any
    required: Any
    allowed: Any = ""


class Part(NamedTuple):
    """Columns that belong together."""

    title: Any
    columns: tuple[Guide, ...]


def _person(prefix: str) -> tuple[Guide, ...]:
    return (
        Guide(f"{prefix}.name", _("姓名"), MUST, _("1 至 255 字")),
        Guide(f"{prefix}.cert_type", _("证件类型代码"), MUST, _PERSONAL),
        Guide(f"{prefix}.cert_no", _("证件号码"), MUST, _("居民身份证须通过校验位检查")),
        Guide(f"{prefix}.mobile", _("手机号码"), MUST, _("11 位")),
        Guide(f"{prefix}.landline", _("固定电话"), DEPENDS, _("单位必填，个人选填；如 010-12345678")),
        Guide(f"{prefix}.email", _("电子邮箱"), MUST),
    )


def _check(name: str, meaning: Any, allowed: Any = _ANSWER) -> Guide:
    return Guide(f"checks.{name}", meaning, MUST, allowed)


def _image(use: str, meaning: Any, required: Any) -> tuple[Guide, ...]:
    return (
        Guide(f"images.{use}.format", _("%(image)s：格式") % {"image": meaning}, required, "jpg、png"),
        Guide(
            f"images.{use}.sha256", _("%(image)s：SHA-256") % {"image": meaning}, required, _("64 位十六进制")
        ),
        Guide(
            f"images.{use}.bytes", _("%(image)s：字节数") % {"image": meaning}, required, _("不超过 102400")
        ),
    )


def guide() -> tuple[Part, ...]:
    """Every column, grouped as the paper form is, in the reader's language."""
    return (
        Part(
            _("核验单"),
            (
                Guide("form_no", _("核验单编号"), MUST, _("6 至 64 位字母、数字或“-”，本单位内不重复")),
                Guide(
                    "filing_type",
                    _("备案类型"),
                    MUST,
                    _("new_filing 新增备案，new_website 新增网站，new_access 新增接入，change 变更"),
                ),
                Guide("subject_province", _("主体所在省"), MUST, _("6 位行政区划代码，后四位为 0000")),
                Guide("subject_kind", _("主办者类型"), MUST, _("unit 单位，person 个人")),
                Guide("supersedes_form", _("所更正的核验单编号"), MAY, _("只在更正已接收的核验单时填写")),
            ),
        ),
        Part(
            _("采集与比对"),
            (
                Guide(
                    "collection_methods",
                    _("采集方式"),
                    MUST,
                    _("face 人脸，lip 唇语，action 动作，other 其他；多个用 ; 分隔"),
                ),
                Guide("collected_at", _("采集时间"), MUST, _TIME),
                Guide("liveness_result", _("活体检测"), MUST, _("pass 通过；fail、not_done 拒收")),
                Guide("liveness_score", _("活体检测得分"), MAY, _("0 至 1 的小数")),
                Guide(
                    "compare_supplied_cert.result",
                    _("与所交证件比对"),
                    MUST,
                    _("consistent 一致；其他拒收"),
                ),
                Guide("compare_supplied_cert.at", _("与所交证件比对的时间"), MUST, _TIME),
                Guide("compare_authority_db.result", _("与权威库比对"), MUST, _("consistent 一致；其他拒收")),
                Guide(
                    "compare_authority_db.database",
                    _("权威数据库"),
                    MUST,
                    _("organisation 用于单位，population 用于个人"),
                ),
                Guide("compare_authority_db.query_id", _("权威库查询编号"), MUST, _("1 至 128 字")),
                Guide("compare_authority_db.at", _("与权威库比对的时间"), MUST, _TIME),
            ),
        ),
        Part(
            _("备案主体"),
            (
                Guide("subject.name", _("名称"), MUST, _("1 至 255 字，不得为域名或纯数字")),
                Guide("subject.nature", _("单位性质代码"), MUST, "、".join(map(str, CERT_TYPES_BY_NATURE))),
                Guide(
                    "subject.cert_type",
                    _("证件类型代码"),
                    MUST,
                    _("按单位性质：%(list)s") % {"list": _NATURES},
                ),
                Guide("subject.cert_no", _("证件号码"), MUST, _("统一社会信用代码等，须通过校验位检查")),
                Guide("subject.cert_address", _("证件住所"), MUST, _("1 至 1024 字")),
                Guide("subject.city", _("所在市"), MUST, _REGION),
                Guide("subject.county", _("所在县"), MAY, _REGION),
                Guide("subject.post_address", _("通信地址"), MUST, _("1 至 1024 字")),
                Guide("subject.investor", _("投资者或主管单位"), MAY, _("1 至 255 字")),
            ),
        ),
        Part(_("主体负责人"), _person("principal")),
        Part(
            _("网站（更多网站用 websites.1、websites.2 等列）"),
            (
                Guide("websites.0.site_name", _("网站名称"), MUST, _("1 至 512 字，不得与域名相同")),
                Guide("websites.0.domain", _("域名"), MUST, _("注册域名，不带 www 或子域名")),
                Guide("websites.0.home_url", _("首页网址"), MAY, _("须在所填域名之下")),
                Guide("websites.0.service_content", _("服务内容"), MUST, _NUMBERS),
                Guide("websites.0.languages", _("语种"), MUST, _NUMBERS),
                Guide(
                    "websites.0.approval.type",
                    _("前置或专项审批类型"),
                    DEPENDS,
                    _("服务内容含 %(codes)s 时必填") % {"codes": _APPROVED},
                ),
                Guide("websites.0.approval.number", _("审批号"), DEPENDS),
                Guide("websites.0.approval.files", _("审批文件"), DEPENDS, _("文件名，多个用 ; 分隔")),
                *_person("websites.0.principal"),
                Guide(
                    "websites.0.access.mode",
                    _("接入方式"),
                    MUST,
                    _("1 专线，2 主机托管，4 虚拟主机，8 其他，16 云接入"),
                ),
                Guide("websites.0.access.server_place", _("服务器放置地"), MUST, _("6 位行政区划代码")),
                Guide("websites.0.access.ip_from", _("起始 IP"), MUST, _("公网 IPv4")),
                Guide("websites.0.access.ip_to", _("终止 IP"), MUST, _("公网 IPv4，不小于起始 IP")),
            ),
        ),
        Part(
            _("核验项"),
            (
                _check("originals_seen", _("核验证件原件")),
                _check("subject_cert", _("主体证件"), _("yes 通过；个人填 na")),
                _check("principal_cert", _("负责人证件")),
                _check("mobile", _("手机号码")),
                _check("landline", _("固定电话"), _("yes 通过；个人未填电话时填 na")),
                _check("email", _("电子邮箱")),
                _check("address", _("通信地址")),
                _check("site_name", _("网站名称")),
                _check("domain", _("域名")),
                _check("service_content", _("服务内容")),
                _check("approval", _("前置或专项审批"), _("yes 通过；不需审批时填 na")),
                _check("access", _("接入方式")),
                _check("ip", _("IP 地址")),
            ),
        ),
        Part(
            _("影像（只填信息，不含影像文件）"),
            (
                *_image("face", _("人脸影像"), MUST),
                *_image("principal_id_front", _("负责人证件人像面"), DEPENDS),
                *_image("principal_id_back", _("负责人证件国徽面"), DEPENDS),
                *_image("subject_cert", _("主体证件"), DEPENDS),
            ),
        ),
        Part(
            _("核验人"),
            (
                Guide("verifier_name", _("核验人"), MUST, _("1 至 128 字")),
                Guide("verifier_promise_at", _("核验承诺时间"), MUST, _TIME),
            ),
        ),
    )


def names() -> list[str]:
    """The columns in the order of the guide."""
    return [column.name for part in guide() for column in part.columns]


_WEBSITE: Final = re.compile(r"websites\.([0-9]+)\.(.+)").fullmatch
_IMAGE: Final = re.compile(r"images\.([0-9]+)\.(.+)").fullmatch
_OF_IMAGE: Final = {"format": _("格式"), "sha256": "SHA-256", "bytes": _("字节数")}


class Place(NamedTuple):
    """Where an error of a row is: the name of its column, what that means, and what may stand there."""

    column: str
    meaning: str = ""
    allowed: str = ""


def place_of(pointer: str) -> Place:
    """The place a JSON pointer into a form names; without a meaning for the whole row and for unknown names.

    Columns of pictures bear their use, which a pointer does not tell.
    """
    name = pointer.removeprefix("/").replace("/", ".")
    columns = _by_name(get_language() or "zh-hans")
    if image := _IMAGE(name):
        words = gettext("影像 %(number)s") % {"number": int(image[1]) + 1}
        known = columns.get(f"images.face.{image[2]}")
        if known is None:
            return Place("", words)
        return Place("", _joined(words, _OF_IMAGE[image[2]]), str(known[1].allowed))
    website = _WEBSITE(name)
    known = columns.get(f"websites.0.{website[2]}" if website else name)
    if known is None:
        return Place(name)
    words, column = known
    if website is not None:
        of_person = website[2].startswith("principal.")
        words = gettext("网站 %(number)s 负责人") if of_person else gettext("网站 %(number)s")
        words %= {"number": int(website[1]) + 1}
    return Place(name, _joined(words, column.meaning), str(column.allowed))


def _joined(part: str, meaning: Any) -> str:
    if part == str(meaning):
        return part
    return gettext("%(part)s：%(meaning)s") % {"part": part, "meaning": meaning}


@cache
def _by_name(language: str) -> dict[str, tuple[str, Guide]]:
    with override(language):
        return {column.name: (str(part.title), column) for part in guide() for column in part.columns}
