"""Models of review and assessment, one file per aggregate."""

from assessment.models.approval_list import ApprovalList, ApprovalListEntry, Deferral
from assessment.models.capability import CapabilityAssessment, InterestDeclaration, ScoreSheet
from assessment.models.catalogue import CatalogueEdition, Criterion
from assessment.models.opinion import Opinion, OpinionVersion
from assessment.models.report import ProvincialReport, ReportLine
from assessment.models.test_run import TestResult, TestRun

__all__ = [
    "ApprovalList",
    "ApprovalListEntry",
    "CapabilityAssessment",
    "CatalogueEdition",
    "Criterion",
    "Deferral",
    "InterestDeclaration",
    "Opinion",
    "OpinionVersion",
    "ProvincialReport",
    "ReportLine",
    "ScoreSheet",
    "TestResult",
    "TestRun",
]
