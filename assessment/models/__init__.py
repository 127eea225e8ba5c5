"""Models of review and assessment, one file per aggregate."""

from assessment.models.approval_list import ApprovalList, ApprovalListEntry
from assessment.models.capability import CapabilityAssessment, Criterion, InterestDeclaration, ScoreSheet
from assessment.models.opinion import Opinion, OpinionVersion
from assessment.models.report import ProvincialReport, ReportLine

__all__ = [
    "ApprovalList",
    "ApprovalListEntry",
    "CapabilityAssessment",
    "Criterion",
    "InterestDeclaration",
    "Opinion",
    "OpinionVersion",
    "ProvincialReport",
    "ReportLine",
    "ScoreSheet",
]
