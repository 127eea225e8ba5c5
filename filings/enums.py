"""Closed sets of the run phase."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    RECEIVED = "received", _("已接收")
    PROCESSING = "processing", _("处理中")
    DONE = "done", _("已完成")
    FAILED = "failed", _("失败")


class Comparison(TextChoices):
    """Outcome of comparing a form with the authority's record as of receipt."""

    MATCH = "match", _("一致")
    MISMATCH = "mismatch", _("不一致")
    UNDETERMINABLE = "undeterminable", _("无法判定")


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
    UPHELD = "upheld", _("维持")
    OVERTURNED = "overturned", _("撤销")


class InspectionState(TextChoices):
    PLANNED = "planned", _("已计划")
    COMMITTED = "committed", _("已公布种子摘要")
    DRAWN = "drawn", _("已抽取")
    IN_PROGRESS = "in_progress", _("检查中")
    CONCLUDED = "concluded", _("已结论")
    CANCELLED = "cancelled", _("已取消")


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


class BulletinState(TextChoices):
    COMPILED = "compiled", _("待签发")
    SIGNED = "signed", _("待发布")
    PUBLISHED = "published", _("已发布")
    DISCARDED = "discarded", _("已废弃")
