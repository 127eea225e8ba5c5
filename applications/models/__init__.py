"""Models of intake, one file per aggregate."""

from applications.models.application import Application, ApplicationFile, ApplicationVersion
from applications.models.late_admission import LateAdmission
from applications.models.notices import CompletenessNotice, NoticeItem, Refusal

__all__ = [
    "Application",
    "ApplicationFile",
    "ApplicationVersion",
    "CompletenessNotice",
    "LateAdmission",
    "NoticeItem",
    "Refusal",
]
