"""What a call is answered with (``msg_code``), as a named set; record codes are ``intake.v3_codes``.

The numbers are the interface's own. Elsewhere in it the same digits mean other things, so they appear only here.
"""

from __future__ import annotations

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy as _


class MsgCode(IntegerChoices):
    """The outcome of a call as a whole."""

    DONE = 0, _("操作成功")
    ALL_FETCHED = 1, _("操作成功，结果已全部取走")
    NOTHING_WAITING = 2, _("目前没有可下载的结果")
    MORE_WAITING = 3, _("操作成功，还有结果待下载")
    USER_UNKNOWN = 4, _("用户名错误")
    PASSWORD_WRONG = 5, _("密码错误")
    NOT_DECRYPTED = 6, _("解密失败")
    HASH_DIFFERS = 7, _("哈希值不符")
    NOT_UNZIPPED = 8, _("解压缩失败")
    CIPHER_UNKNOWN = 9, _("加密算法类型错误")
    HASH_UNKNOWN = 10, _("哈希算法类型错误")
    COMPRESSION_UNKNOWN = 11, _("压缩格式错误")
    REFUSED = 12, _("认证未通过，服务器拒绝响应")
    OTHER_PROVINCE = 13, _("不是本系统的接入单位，服务器拒绝响应")
    EARLIER_MISSING = 14, _("未受理：请先上报缺少的数据文件，再上报本文件")
    TOO_MANY_WAITING = 15, _("未受理：待处理的数据文件过多，请稍后再报")
    RANDOM_TOO_SHORT = 16, _("随机字符串长度不足")
    NOT_ONE_FILE = 17, _("压缩包应恰好含一个文件")
    TOO_LARGE = 18, _("数据文件超过 50 MB")
    NO_RIGHT = 19, _("没有上报权限")
    OUTSIDE_HOURS = 20, _("不在允许的调用时段内")
    FILE_UNKNOWN = 21, _("缺少文件名或没有该文件")
    PORTAL_AWAY = 901, _("系统维护中，请稍后重试")
    STORE_AWAY = 902, _("存储维护中，请稍后重试")
    OTHER = 999, _("其他错误")


class CallRefused(Exception):
    """A call is not carried out; nothing of it is stored.

    ``words`` stand in for the code's own; ``missing`` are the sequence numbers to be sent first (code 14).
    """

    def __init__(self, code: MsgCode, words: str = "", missing: tuple[int, ...] = ()) -> None:
        self.code = code
        self.words = words or str(code.label)
        self.missing = missing
        super().__init__(self.words)
