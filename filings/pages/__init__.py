"""What the portal shows of the run phase; one file per machine, registered in menu order."""

from django.utils.translation import gettext_lazy as _

from filings.pages import uploads, findings, inspections, rectifications, sanctions, coordination, bulletins  # isort: skip
from filings.pages import dashboard, register
from pilot.context import EXTRA
from pilot.registry import Group

EXTRA += [
    (Group.RUN, "pilot-unit_list", _("试点单位名录"), "building-2"),
    (Group.RUN, "verification-form_list", _("核验单"), "files"),
]

__all__ = [
    "bulletins",
    "coordination",
    "dashboard",
    "findings",
    "inspections",
    "rectifications",
    "register",
    "sanctions",
    "uploads",
]
