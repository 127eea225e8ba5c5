"""Models of the run phase, one file per aggregate."""

from filings.models.bulletin import Bulletin
from filings.models.coordination import CoordinationCase, CoordinationMessage
from filings.models.figures import AccuracyResult
from filings.models.findings import Determination, Finding
from filings.models.forms import AuthorityRecord, FormRefusal, UnitMonthKey, VerificationForm
from filings.models.inspection import Inspection, InspectionItem
from filings.models.supervision import Rectification, Sanction
from filings.models.uploads import UploadJob

__all__ = [
    "AccuracyResult",
    "AuthorityRecord",
    "Bulletin",
    "CoordinationCase",
    "CoordinationMessage",
    "Determination",
    "Finding",
    "FormRefusal",
    "Inspection",
    "InspectionItem",
    "Rectification",
    "Sanction",
    "UnitMonthKey",
    "UploadJob",
    "VerificationForm",
]
