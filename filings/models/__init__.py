"""Models of the run phase, one file per aggregate."""

from filings.models.alerts import Alert
from filings.models.authority import AuthorityCircuit, AuthorityRetry
from filings.models.bulletin import Bulletin
from filings.models.coordination import CoordinationCase, CoordinationMessage, FaqEntry
from filings.models.figures import (
    AccuracyResult,
    CountDelta,
    DailyTally,
    FoldMark,
    LiveMonth,
    LiveTally,
    MonthTally,
)
from filings.models.findings import Determination, Finding, FindingCause
from filings.models.forms import AuthorityRecord, FormRefusal, FormRepeat, UnitMonthKey, VerificationForm
from filings.models.inspection import Inspection, InspectionItem, InspectionReading
from filings.models.national import NationalCheck, NationalFile, NationalReceipt
from filings.models.subjects import SubjectLink, SubjectReference
from filings.models.supervision import Rectification, Sanction
from filings.models.supplements import FormPicture, FormSupplement, PictureContent
from filings.models.uploads import UploadJob
from filings.models.v3_access import V3Access, V3Upload

__all__ = [
    "AccuracyResult",
    "Alert",
    "AuthorityCircuit",
    "AuthorityRecord",
    "AuthorityRetry",
    "Bulletin",
    "CoordinationCase",
    "CoordinationMessage",
    "CountDelta",
    "DailyTally",
    "Determination",
    "FaqEntry",
    "Finding",
    "FindingCause",
    "FoldMark",
    "FormPicture",
    "FormRefusal",
    "FormRepeat",
    "FormSupplement",
    "Inspection",
    "InspectionItem",
    "InspectionReading",
    "LiveMonth",
    "LiveTally",
    "MonthTally",
    "NationalCheck",
    "NationalFile",
    "NationalReceipt",
    "PictureContent",
    "Rectification",
    "Sanction",
    "SubjectLink",
    "SubjectReference",
    "UnitMonthKey",
    "UploadJob",
    "V3Access",
    "V3Upload",
    "VerificationForm",
]
