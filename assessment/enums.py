"""Closed sets of review and assessment."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OpinionState(TextChoices):
    PENDING = "pending", _("待审核")
    DRAFTED = "drafted", _("待签发")
    SIGNED = "signed", _("已签发")
    VOID = "void", _("已作废")


class ReportState(TextChoices):
    OPEN = "open", _("待报送")
    SENT = "sent", _("已报送")
    RECEIVED = "received", _("部已接收")


class AssessmentState(TextChoices):
    PLANNED = "planned", _("待分派")
    ASSIGNED = "assigned", _("待回避申报")
    IN_PROGRESS = "in_progress", _("评估中")
    IN_MODERATION = "in_moderation", _("复议中")
    CONCLUDED = "concluded", _("已结论")
    CANCELLED = "cancelled", _("已取消")


class DeclarationState(TextChoices):
    ASKED = "asked", _("待申报")
    CLEAR = "clear", _("无利害关系")
    CONFLICTED = "conflicted", _("应回避")


class ListState(TextChoices):
    DRAFT = "draft", _("拟制中")
    PREPARED = "prepared", _("待批准")
    APPROVED = "approved", _("已批准")
    PUBLISHED = "published", _("已公布")


class ItemVerdict(TextChoices):
    """A checklist item's verdict (R03)."""

    MET = "met", _("符合")
    NOT_MET = "not_met", _("不符合")
    NOT_APPLICABLE = "na", _("不适用")
