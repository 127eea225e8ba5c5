"""Models of intake, one file per aggregate."""

from applications.models.application import Application, ApplicationFile, ApplicationVersion
from applications.models.form_edition import FormEdition
from applications.models.late_admission import LateAdmission
from applications.models.notices import CompletenessNotice, NoticeItem, Refusal
from applications.models.review import ChecklistMark, Claim
from applications.models.uploads import PartialUpload
from applications.models.urges import Urge

__all__ = [
    "Application",
    "ApplicationFile",
    "ApplicationVersion",
    "ChecklistMark",
    "Claim",
    "CompletenessNotice",
    "FormEdition",
    "LateAdmission",
    "NoticeItem",
    "PartialUpload",
    "Refusal",
    "Urge",
]
