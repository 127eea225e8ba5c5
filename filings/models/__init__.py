"""Models of the run phase, one file per aggregate."""

from filings.models.bulletin import Bulletin
from filings.models.coordination import CoordinationCase, CoordinationMessage
from filings.models.figures import AccuracyResult, DailyTally, DirtyDay
from filings.models.findings import Determination, Finding
from filings.models.forms import AuthorityRecord, FormRefusal, UnitMonthKey, VerificationForm
from filings.models.inspection import Inspection, InspectionItem
from filings.models.supervision import Rectification, Sanction
from filings.models.supplements import FormPicture, FormSupplement, PictureContent
from filings.models.uploads import UploadJob
from filings.models.v3_access import V3Access, V3Upload

__all__ = [
    "AccuracyResult",
    "AuthorityRecord",
    "Bulletin",
    "CoordinationCase",
    "CoordinationMessage",
    "DailyTally",
    "Determination",
    "DirtyDay",
    "Finding",
    "FormPicture",
    "FormRefusal",
    "FormSupplement",
    "Inspection",
    "InspectionItem",
    "PictureContent",
    "Rectification",
    "Sanction",
    "UnitMonthKey",
    "UploadJob",
    "V3Access",
    "V3Upload",
    "VerificationForm",
]
