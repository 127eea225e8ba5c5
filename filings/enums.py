"""Closed sets of the run phase."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    RECEIVED = "received", _("已接收")
    PROCESSING = "processing", _("处理中")
    DONE = "done", _("已完成")
    FAILED = "failed", _("失败")


class StoredCipher(TextChoices):
    """What the content of a unit's month is sealed with, under a key of its own (``PILOT_CIPHER``)."""

    AES_256_GCM = "aes-256-gcm", "AES-256-GCM"
    SM4_GCM = "sm4-gcm", "SM4-GCM"


class ReferenceKind(TextChoices):
    """By what V3.0 additions and material name a subject or website that was filed before."""

    NUMBER = "number", _("主体备案号")
    SUBJECT_ID = "subject_id", _("省系统主体标识")
    WEBSITE_ID = "website_id", _("省系统网站标识")
    WEBSITE_NUMBER = "website_number", _("网站备案号")
    OWN_SUBJECT_ID = "own_subject_id", _("企业系统主体标识")
    OWN_WEBSITE_ID = "own_website_id", _("企业系统网站标识")


class Comparison(TextChoices):
    """Outcome of comparing a form with the authority's record as of receipt."""

    MATCH = "match", _("一致")
    MISMATCH = "mismatch", _("不一致")
    UNDETERMINABLE = "undeterminable", _("无法判定")


class Undetermined(TextChoices):
    """Why a comparison could not be determined; where several hold, the first of these is said."""

    UNAVAILABLE = "unavailable", _("权威库未应答")
    RARE_CHARACTERS = "rare_characters", _("姓名或名称含生僻字")
    NO_RECORD = "no_record", _("权威库无此记录")


class FindingSource(TextChoices):
    COMPARISON = "comparison", _("权威库比对")
    INSPECTION = "inspection", _("抽查")
    NATIONAL = "national", _("全国系统核查")
    REPORT = "report", _("举报或来函")


class FindingKind(TextChoices):
    """What a finding bears on: identity counts in M1 and M2, the rest in M2 only."""

    IDENTITY = "identity", _("身份信息")
    FORM = "form", _("核验单其他信息")


class FindingState(TextChoices):
    OPEN = "open", _("待确认")
    CONFIRMED = "confirmed", _("已确认")
    DISPUTED = "disputed", _("有争议")
    UPHELD = "upheld", _("已维持")
    OVERTURNED = "overturned", _("已撤销")


class InspectionState(TextChoices):
    PLANNED = "planned", _("已计划")
    COMMITTED = "committed", _("已公布种子摘要")
    DRAWN = "drawn", _("已抽取")
    IN_PROGRESS = "in_progress", _("检查中")
    CONCLUDED = "concluded", _("已结论")
    CANCELLED = "cancelled", _("已取消")


class InspectionStrata(TextChoices):
    """By what the frame of an inspection is divided before the draw."""

    NONE = "", _("不分层")
    PROVINCE = "province", _("主体所在省")
    KIND = "kind", _("主办者类型")
    FILING_TYPE = "filing_type", _("备案类型")


class RectificationState(TextChoices):
    DRAFTED = "drafted", _("待签发")
    ISSUED = "issued", _("整改中")
    ANSWERED = "answered", _("待复核")
    OVERDUE = "overdue", _("已逾期")
    CLOSED = "closed", _("已办结")
    CANCELLED = "cancelled", _("已取消")


class SanctionKind(TextChoices):
    SUSPENSION = "suspension", _("暂停试点")
    REMOVAL = "removal", _("退出试点")


class SanctionState(TextChoices):
    PROPOSED = "proposed", _("已提出")
    HEARING = "hearing", _("陈述申辩期")
    HEARD = "heard", _("待决定")
    IMPOSED = "imposed", _("已决定")
    LIFTED = "lifted", _("已恢复")
    ANNULLED = "annulled", _("已撤销")
    DROPPED = "dropped", _("不予处理")


class CoordinationState(TextChoices):
    OPEN = "open", _("待答复")
    ANSWERED = "answered", _("已答复")
    CLOSED = "closed", _("已办结")


class CoordinationCategory(TextChoices):
    """What a coordination case is about: the matters that the notice's pilot turns on."""

    INTERFACE = "interface", _("技术接口")
    COLLECTION = "collection", _("身份信息采集")
    COMPARISON = "comparison", _("权威库比对")
    FORM = "form", _("核验单与核验规则")
    ACCURACY = "accuracy", _("准确率统计")
    NATIONAL = "national", _("全国备案系统")
    OTHER = "other", _("其他")


class FaqState(TextChoices):
    DRAFTED = "drafted", _("待发布")
    PUBLISHED = "published", _("已发布")
    WITHDRAWN = "withdrawn", _("已撤下")


class BulletinKind(TextChoices):
    """A month's bulletin, or the report on the whole pilot when its run phase is over."""

    MONTHLY = "monthly", _("月度通报")
    FINAL = "final", _("试点总结报告")


class BulletinState(TextChoices):
    COMPILED = "compiled", _("待签发")
    SIGNED = "signed", _("待发布")
    PUBLISHED = "published", _("已发布")
    DISCARDED = "discarded", _("已废弃")


class AlertKind(TextChoices):
    """What an alert (预警) is about; each has a rule of the programme that says when."""

    M1 = "m1", _("主体身份信息准确率（M1）未达线")
    M2 = "m2", _("核验单信息有差错（M2）")
    UNDETERMINABLE = "undeterminable", _("无法判定占比过高")
    SILENCE = "silence", _("连续无报送")
    ERROR_CHANGE = "error_change", _("差错占比突变")
    VOLUME_CHANGE = "volume_change", _("报送量突变")


class AlertState(TextChoices):
    OPEN = "open", _("未解除")
    CLEARED = "cleared", _("已解除")


class NationalKind(TextChoices):
    """What the national system says about a form: the result of an upload, or the bureau's review of it."""

    RESULT = "result", _("上报结果")
    REVIEW = "review", _("管局审核")


class NationalCheckKind(TextChoices):
    """What the national system checked by itself."""

    SUBJECT = "subject", _("主体核查")
    ACCESS = "access", _("接入核查")
    SHELL = "shell", _("空壳网站核查")
    ALIVE = "alive", _("网站存活检测")


# What a finding says is wrong; a field named by an official stands as it is.
FIELD_LABELS = {
    "subject": _("备案主体身份信息"),
    "principal": _("主体负责人身份信息"),
    "identity": _("主体身份信息"),
    "form": _("核验单其他信息"),
}
