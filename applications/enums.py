"""Closed sets of intake."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ApplicationState(TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待受理")
    RETURNED = "returned", _("补正中")
    ACCEPTED = "accepted", _("已受理")
    REFUSED = "refused", _("不予受理")
    LAPSED = "lapsed", _("逾期未补正")
    WITHDRAWN = "withdrawn", _("已撤回")
    RECOMMENDED = "recommended", _("同意推荐")
    NOT_RECOMMENDED = "not_recommended", _("不同意推荐")
    REPORTED = "reported", _("已报部")
    LISTED = "listed", _("列入名单")
    NOT_LISTED = "not_listed", _("未列入名单")


# After these a new application of the same provider is possible while the window is open (design.md, section 2).
DEAD_STATES = (ApplicationState.WITHDRAWN, ApplicationState.LAPSED, ApplicationState.REFUSED)


class FileKind(TextChoices):
    """What an uploaded file proves."""

    FORM = "form", _("盖章申请表")
    LICENCE = "licence", _("增值电信业务经营许可证")
    TEST_REPORT = "test_report", _("识别能力测试报告")
    COMPARISON = "comparison", _("权威库比对授权或合同")
    PROTECTION = "protection", _("网络安全等级保护备案证明")
    EMERGENCY = "emergency", _("应急预案")
    OTHER = "other", _("其他材料")


class ScanState(TextChoices):
    """What the virus scanner said of a file. An infected file is refused at the door and never stored."""

    NOT_SCANNED = "not_scanned", _("未经病毒扫描")  # no scanner is configured
    PENDING = "pending", _("等待病毒扫描")  # the scanner did not answer; closed until it does
    CLEAN = "clean", _("已通过病毒扫描")


class Mark(TextChoices):
    """The reviewer's mark on one item of the checklist (R03)."""

    MET = "met", _("符合")
    NOT_MET = "not_met", _("不符合")
    NOT_APPLICABLE = "not_applicable", _("不适用")
