"""The law of a verification form: vocabularies, code tables, error codes and their words.

Pure data, no Django. Every door (browser form, API, bulk file, V3.0 upload) reads its rules here, so a
refusal has the same code and the same words whatever the door. Source: the form contract of the programme
(工信部信管函〔2019〕87号) and the code lists of the national filing system.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

RULE_VERSION: Final = "2019-87/1"
"""Named on every result, so that a figure can be traced to the rules it was made under."""


class FilingType(StrEnum):
    """备案类型: what the form was verified for."""

    NEW_FILING = "new_filing"
    NEW_WEBSITE = "new_website"
    NEW_ACCESS = "new_access"
    CHANGE = "change"


class SubjectKind(StrEnum):
    """主办者类型: a unit or a natural person."""

    UNIT = "unit"
    PERSON = "person"


class CollectionMethod(StrEnum):
    """采集方式: how the face was collected."""

    FACE = "face"
    LIP = "lip"
    ACTION = "action"
    OTHER = "other"


class LivenessResult(StrEnum):
    """活体检测结果; only a pass makes a form."""

    PASS = "pass"  # noqa: S105 (a result, no password)
    FAIL = "fail"
    NOT_DONE = "not_done"


class AuthorityDatabase(StrEnum):
    """权威数据库: which national database the identity was compared with."""

    ORGANISATION = "organisation"
    POPULATION = "population"


class CheckAnswer(StrEnum):
    """核验结论 of one item of the form."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "na"


class ImageUse(StrEnum):
    """影像用途."""

    SUBJECT_CERT = "subject_cert"
    PRINCIPAL_ID_FRONT = "principal_id_front"
    PRINCIPAL_ID_BACK = "principal_id_back"
    FACE = "face"


class CertType(IntEnum):
    """证件类型 whose numbers have rules of their own (code list of the filing system)."""

    BUSINESS_LICENCE = 1
    CITIZEN_ID = 2
    PASSPORT = 7
    TAIWAN_PERMIT = 11
    GOVERNMENT_USCC = 13
    HONG_KONG_MACAO_PERMIT = 14
    INSTITUTION_USCC = 15
    MASS_ORGANISATION_USCC = 24
    FOREIGNER_PERMANENT_RESIDENCE = 30
    SOCIAL_SERVICE_REGISTRATION = 36
    HONG_KONG_MACAO_RESIDENCE = 41
    TAIWAN_RESIDENCE = 42


CONSISTENT: Final = "consistent"
PERSON_NATURE: Final = 5
"""单位性质 5 个人: the only nature of a person subject."""

PERSONAL_CERT_TYPES: Final = frozenset({2, 7, 11, 14, 30, 41, 42})
USCC_CERT_TYPES: Final = frozenset({1, 13, 15, 24, 36})

CERT_TYPES_BY_NATURE: Final[dict[int, frozenset[int]]] = {
    1: frozenset({5, 23}),
    2: frozenset({9, 13}),
    3: frozenset({3, 4, 15}),
    4: frozenset({1, 12, 27}),
    5: PERSONAL_CERT_TYPES,
    6: frozenset({6, 10}),
    9: frozenset({16, 17, 36, 37}),
    10: frozenset({18, 19}),
    11: frozenset({20, 21}),
    12: frozenset({22, 34, 40}),
    13: frozenset({24}),
    14: frozenset({28}),
    15: frozenset({25}),
    16: frozenset({35}),
    17: frozenset({38}),
    18: frozenset({39}),
    19: frozenset({43}),
    20: frozenset({44}),
}
"""单位性质 → 证件类型. The same certificate name has several codes, so only the pair decides."""

ACCESS_MODES: Final = frozenset({1, 2, 4, 8, 16})
"""接入方式: 1 专线, 2 主机托管, 4 虚拟主机, 8 其他, 16 云接入."""

SERVICE_CONTENT_NEEDING_APPROVAL: Final = frozenset({5, 13, 14, 15, 21})
"""服务内容 under 前置或专项审批: 5 网络新闻, 13 网络游戏, 14 网络音乐, 15 网络影视, 21 网络教育."""

CHECK_ITEMS: Final = (
    "originals_seen",
    "subject_cert",
    "principal_cert",
    "mobile",
    "landline",
    "email",
    "address",
    "site_name",
    "domain",
    "service_content",
    "approval",
    "access",
    "ip",
)
"""核验项 of the form, in the order of the paper form."""

MAX_IMAGE_BYTES: Final = 100 * 1024
COMPARISON_LEAD_HOURS: Final = 24
"""A comparison may precede the collection by at most this many hours."""


class Words(NamedTuple):
    """One message in both languages; ``{name}`` places are filled from the error's parameters."""

    zh: str
    en: str


ERRORS: Final[dict[str, Words]] = {
    "json.invalid": Words("该行不是一条可读取的记录", "The row is not a readable record"),
    "row.too_long": Words("该行超过 1 MB", "The row is longer than 1 MB"),
    "field.required": Words("缺少必填项", "A required value is missing"),
    "field.type": Words("数据类型应为{expected_zh}", "The value must be {expected_en}"),
    "field.length": Words(
        "长度应为 {low} 至 {high} 个字符",
        "The length must be {low} to {high} characters",
    ),
    "field.format": Words("格式不正确", "The format is not valid"),
    "field.enum": Words("取值不在允许的范围内", "The value is not one of those allowed"),
    "field.unknown": Words("不存在此数据项，不予接收", "There is no such field; it is not accepted"),
    "form_no.conflict": Words(
        "该核验单编号已用于内容不同的核验单",
        "This form number already stands for a form with other content",
    ),
    "region.unknown": Words("不是 31 个省级行政区代码之一", "Not one of the 31 province codes"),
    "region.mismatch": Words("与主体所在省不一致", "Not in the province of the subject"),
    "subject.kind_nature": Words("主办者类型与单位性质不一致", "Kind and nature of the subject do not agree"),
    "time.future": Words("采集时间晚于接收时间", "Collected later than received"),
    "time.outside_run_phase": Words("采集时间不在试点运行期内", "Collected outside the run phase"),
    "time.order": Words("时间先后不符合核验次序", "The time does not fit the order of the verification"),
    "unit.not_active": Words(
        "采集时该单位不是有效试点单位",
        "The unit was not active when the data were collected",
    ),
    "unit.province_not_enabled": Words(
        "采集时该单位尚未开通此省",
        "The province was not yet opened for the unit when the data were collected",
    ),
    "unit.filing_type_not_enabled": Words(
        "采集时该单位尚未开通此备案类型",
        "The filing type was not yet opened for the unit when the data were collected",
    ),
    "liveness.not_passed": Words("活体检测未通过", "The liveness check was not passed"),
    "compare.inconsistent": Words("比对结果不一致", "The comparison was not consistent"),
    "compare.database": Words(
        "比对所用的权威数据库与主办者类型不符",
        "Not the authority database for this kind of subject",
    ),
    "supersedes.unknown": Words("所更正的核验单不存在", "The superseded form does not exist"),
    "supersedes.stale": Words("所更正的核验单不是最新版本", "The superseded form is not the newest version"),
    "name.improper": Words("名称不规范（不得为域名或纯数字）", "Improper name (a domain, or digits only)"),
    "cert.type_for_nature": Words(
        "证件类型不适用于该主体性质",
        "The certificate type does not fit the nature of the subject",
    ),
    "cert.format": Words("证件号码格式不正确", "The certificate number is not well formed"),
    "cert.check_digit": Words("证件号码校验位不符", "The check digit of the certificate number is wrong"),
    "cert.date": Words(
        "证件号码中的出生日期无效",
        "The birth date in the certificate number is not valid",
    ),
    "phone.mobile": Words("手机号码不正确", "Not a valid mobile number"),
    "phone.landline": Words("固定电话号码不正确", "Not a valid landline number"),
    "email.format": Words("电子邮箱地址不正确", "Not a valid e-mail address"),
    "domain.format": Words("域名不正确", "Not a valid domain name"),
    "domain.subdomain": Words(
        "应填写注册域名，不得带 www 或子域名",
        "Give the registrable domain, without www or sub-domain",
    ),
    "url.host_differs": Words("首页网址不在所填域名之下", "The home URL is not at or below the domain"),
    "person.same_required": Words(
        "个人主办者、主体负责人与网站负责人须为同一人",
        "A person subject must be its own principal and website principal",
    ),
    "ip.not_public": Words("不是公网 IPv4 地址", "Not a public IPv4 address"),
    "ip.range": Words("起始 IP 大于终止 IP", "The first IP address lies after the last"),
    "check.not_passed": Words("核验项未通过", "A verification item was not passed"),
    "check.na_not_allowed": Words("此核验项不得填“不适用”", "“Not applicable” is not allowed for this item"),
    "image.missing": Words("缺少必需的影像：{use_zh}", "A required image is missing: {use_en}"),
    "image.size": Words("影像大小超过上限 {limit_kb} KB", "The image is larger than {limit_kb} KB"),
    "image.owner": Words(
        "附件所属的主体、网站或核验单不存在",
        "The owner of the attachment does not exist",
    ),
}
"""Every error code of a row, in the words shown to the unit; no message carries the value itself."""

FILE_FAULTS: Final[dict[str, Words]] = {
    "file.empty": Words("文件为空或没有数据行", "The file is empty or has no rows of data"),
    "file.binary": Words("文件是二进制数据，不是文本", "The file is binary data, not text"),
    "file.wrong_type": Words(
        "文件内容不是可以接收的格式，或与所选的格式不符",
        "The file is in no format that is taken, or not in the one chosen",
    ),
    "file.array": Words(
        "文件应每行一个 JSON 对象；JSON 数组请以 application/json 发送至 POST /api/v1/forms/",
        "The file must hold one JSON object a line; send a JSON array as application/json to POST /api/v1/forms/",
    ),
    "file.encoding": Words(
        "无法按所声明的字符编码读取文件",
        "The file cannot be read in the stated encoding",
    ),
    "file.no_header": Words("缺少含 form_no 的表头", "There is no header row with the column form_no"),
    "file.column_repeated": Words("表头中有重复的列名", "A column name occurs twice in the header"),
    "file.too_many_rows": Words("超过行数上限 {limit}", "There are more than {limit} rows"),
    "file.too_large": Words("文件（或解压后的内容）过大", "The file, or what it unpacks to, is too large"),
    "file.too_many_refused": Words(
        "已有 {limit} 行未被接收，处理到此为止；此前各行的结果有效",
        "{limit} rows were not accepted; processing ends here, and the results so far stand",
    ),
    "file.damaged": Words(
        "文件不完整或已损坏，无法解析；请重新导出或下载",
        "The file is incomplete or damaged and cannot be parsed; export or download it again",
    ),
    "file.doctype": Words("XML 不得含有 DOCTYPE 声明", "The XML must not carry a DOCTYPE"),
    "file.wrong_root": Words("根元素不是 UploadData", "The root element is not UploadData"),
    "file.version": Words("接口版本不是 V.3.0", "The interface version is not V.3.0"),
    "file.business": Words("只接收 ICP 备案业务", "Only ICP business is accepted"),
    "file.operation": Words("ICP 中应恰有一种操作", "ICP must hold exactly one kind of operation"),
    "file.provider": Words("请求单位 ID 与上报单位不符", "Qqdwid is not the id of the uploading unit"),
}
"""Faults at the head of a file: the file is refused as a whole and nothing of it is stored."""

JOB_FAULTS: Final[dict[str, Words]] = {
    "file.trial_too_long": Words(
        "试算用时过长，已停止；请把文件分成几份再试",
        "The trial took too long and was stopped; divide the file into parts and try again",
    ),
    "file.trial_broke_off": Words(
        "试算多次中断，已停止；请把文件分成几份再试",
        "The trial broke off several times and was stopped; divide the file into parts and try again",
    ),
    "job.broke_off": Words(
        "处理在第 {row} 行之后多次中断，已停止；此前各行的结果有效",
        "Processing broke off several times after row {row} and was stopped; the results so far stand",
    ),
    "job.file_lost": Words(
        "暂存的文件已丢失或被改动，请重新上报",
        "The file kept for processing is lost or was changed; please hand it in again",
    ),
    "job.content_destroyed": Words("内容已销毁", "The content has been destroyed"),
}
"""Why a file that was taken in came to no end, where no fault above is the reason. ``file.`` is, here as above, what
the same file would meet again; of ``job.`` another attempt may come to more."""

DOWNLOAD_FAULTS: Final[dict[str, Words]] = {
    "file.wrong_root_download": Words("根元素不是 DownloadData", "The root element is not DownloadData"),
    "file.no_answers": Words(
        "文件中没有备案结果（BAJG），也没有核查结果（HCJG）",
        "The file holds neither results (BAJG) nor checks (HCJG)",
    ),
}
"""Likewise for files of the national system's answers, which no unit sends."""


PLACES: Final[dict[str, str]] = {
    "expected_zh": "所规定的类型",
    "expected_en": "of the type asked for",
    "low": "m",
    "high": "n",
    "use_zh": "所缺影像的用途",
    "use_en": "what it is an image of",
    "limit_kb": "n",
    "limit": "n",
    "row": "n",
}
"""What stands for a parameter where no error is at hand: in the list of codes."""


def words(code: str) -> Words:
    """Return the words of an error code or file fault; ``KeyError`` for a code that does not exist."""
    return ERRORS[code] if code in ERRORS else (FILE_FAULTS | JOB_FAULTS | DOWNLOAD_FAULTS)[code]


def render(code: str, language: str, **params: str | int) -> str:
    """Return the message of ``code``: English for a language tag ``en…``, Chinese otherwise."""
    template = words(code).en if language.lower().startswith("en") else words(code).zh
    return template.format(**params)


def general(code: str, language: str) -> str:
    """Return the message of ``code`` as a list of codes gives it, with general words for its parameters."""
    return render(code, language, **PLACES)
