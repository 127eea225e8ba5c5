"""The filing system's codes of a form in words: what a reader of a page cannot be asked to know by heart.

Each is shown beside its code, since that is what the provider's system sent; a code without words is shown alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.intake.decode import FileFormat
from pilot.ui import Fact

FORMATS: Final[Mapping[str, Any]] = {
    FileFormat.NDJSON: "NDJSON",
    FileFormat.CSV: "CSV",
    FileFormat.XLSX: "XLSX",
    FileFormat.V3: gettext_lazy("V3.0 接口 XML"),
}
"""What a file of forms is; its code is not shown."""
NATURES: Final[Mapping[int, Promise]] = {
    1: gettext_lazy("国防机构"),
    2: gettext_lazy("政府机关"),
    3: gettext_lazy("事业单位"),
    4: gettext_lazy("企业"),
    5: gettext_lazy("个人"),
    6: gettext_lazy("社会团体"),
    9: gettext_lazy("民办非企业单位"),
    10: gettext_lazy("基金会"),
    11: gettext_lazy("律师执业机构"),
    12: gettext_lazy("外国在华文化中心"),
    13: gettext_lazy("群众性团体组织"),
    14: gettext_lazy("司法鉴定机构"),
    15: gettext_lazy("宗教团体"),
    16: gettext_lazy("境外机构"),
    17: gettext_lazy("医疗机构"),
    18: gettext_lazy("公证机构"),
    19: gettext_lazy("集体经济"),
    20: gettext_lazy("仲裁机构"),
}
"""单位性质."""

_ORGANISATION_CODE: Final = gettext_lazy("组织机构代码证")
_USCC: Final = gettext_lazy("统一社会信用代码证书")
CERT_TYPES: Final[Mapping[int, Promise]] = {
    1: gettext_lazy("营业执照"),
    2: gettext_lazy("居民身份证"),
    **dict.fromkeys((3, 9, 10, 12, 16, 18, 20), _ORGANISATION_CODE),
    4: gettext_lazy("事业单位法人证书"),
    5: gettext_lazy("部队代号"),
    6: gettext_lazy("社会团体法人登记证书"),
    7: gettext_lazy("护照"),
    11: gettext_lazy("台湾居民来往大陆通行证"),
    **dict.fromkeys((13, 15, 24), _USCC),
    14: gettext_lazy("港澳居民来往内地通行证"),
    17: gettext_lazy("民办非企业登记证书"),
    19: gettext_lazy("基金会法人登记证书"),
    21: gettext_lazy("律师事务所执业许可证"),
    22: gettext_lazy("外国在华文化中心登记证"),
    23: gettext_lazy("军队单位对外有偿服务许可证"),
    25: gettext_lazy("宗教活动场所登记证"),
    27: gettext_lazy("外国企业常驻代表机构登记证"),
    28: gettext_lazy("司法鉴定许可证"),
    30: gettext_lazy("外国人永久居留身份证"),
    34: gettext_lazy("外国政府旅游部门常驻代表机构批准登记证"),
    35: gettext_lazy("境外机构证件"),
    36: gettext_lazy("社会服务机构登记证书"),
    37: gettext_lazy("民办学校办学许可证"),
    38: gettext_lazy("医疗机构执业许可证"),
    39: gettext_lazy("公证机构执业证"),
    40: gettext_lazy("使馆人员子女学校办学许可证"),
    41: gettext_lazy("港澳居民居住证"),
    42: gettext_lazy("台湾居民居住证"),
    43: gettext_lazy("农村集体经济组织登记证"),
    44: gettext_lazy("仲裁委员会登记证"),
}
"""证件类型. The same certificate has another code for another 单位性质."""

ACCESS_MODES: Final[Mapping[int, Promise]] = {
    1: gettext_lazy("专线"),
    2: gettext_lazy("主机托管"),
    4: gettext_lazy("虚拟主机"),
    8: gettext_lazy("其他"),
    16: gettext_lazy("云接入"),
}
"""接入方式."""


def coded(label: str, words: Mapping[int, Promise], code: Any) -> Fact:
    """A code as a fact: its words with the code below; the code alone where there are no words for it."""
    if code not in words:
        return Fact(label, "" if code is None else str(code))
    return Fact(label, str(words[code]), _("代码 %(code)s") % {"code": code})


def in_words(words: Mapping[int, Promise], code: Any) -> str:
    """``居民身份证（2）``; the code alone where there are no words for it, nothing where there is none."""
    if code not in words:
        return "" if code is None else str(code)
    return _("%(words)s（%(code)s）") % {"words": words[code], "code": code}
