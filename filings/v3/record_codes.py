"""The national system's codes about records, in words; those of calls are ``codes``."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

WORDS: Final[dict[int, Any]] = {
    1001: gettext_lazy("通过"),
    1002: gettext_lazy("未通过"),
    1003: gettext_lazy("主体信息冲突"),
    1004: gettext_lazy("域名无效"),
    1005: gettext_lazy("域名已被使用"),
    1007: gettext_lazy("联系方式有误"),
    1008: gettext_lazy("证件信息有误"),
    1009: gettext_lazy("电子邮箱有误"),
    1010: gettext_lazy("办公电话有误"),
    1011: gettext_lazy("手机号码有误"),
    1014: gettext_lazy("单位性质有误"),
    1015: gettext_lazy("证件号码有误"),
    1019: gettext_lazy("所在地区有误"),
    1041: gettext_lazy("首页网址不含所报域名"),
    1044: gettext_lazy("缺少负责人"),
    1055: gettext_lazy("核验单与备案不符"),
    1056: gettext_lazy("附件格式有误"),
    1057: gettext_lazy("附件用途有误"),
    1058: gettext_lazy("没有该主体"),
    1059: gettext_lazy("没有该网站"),
    1060: gettext_lazy("核验单已入库"),
    1061: gettext_lazy("附件用途与所属对象不符"),
    5001: gettext_lazy("不符合接口规范"),
    5003: gettext_lazy("请求单位 ID 不符"),
    5004: gettext_lazy("接口版本不符"),
    5008: gettext_lazy("含非法字符"),
    5009: gettext_lazy("无权办理该业务"),
}


def in_words(code: int) -> str:
    """A code with what it says; one that is not known stands alone."""
    return _("%(code)s %(words)s") % {"code": code, "words": WORDS[code]} if code in WORDS else str(code)
