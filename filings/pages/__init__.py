"""What the portal shows of the run phase; one file per machine, registered in menu order."""

from django.utils.translation import gettext_lazy as _

from filings.pages import uploads, alerts, findings, inspections  # isort: skip
from filings.pages import rectifications, sanctions, coordination, faq, bulletins  # isort: skip
from filings.pages import dashboard, list_exports, national, register, rule_effects
from pilot.context import EXTRA
from pilot.registry import Group

EXTRA += [
    (Group.RUN, "pilot-unit_list", _("试点单位名录"), "building-2"),
    (Group.RUN, "verification-form_list", _("核验单"), "files"),
    (Group.RUN, "faq", _("常见问题"), "circle-question-mark"),
]

__all__ = [
    "alerts",
    "bulletins",
    "coordination",
    "dashboard",
    "faq",
    "findings",
    "inspections",
    "list_exports",
    "national",
    "rectifications",
    "register",
    "rule_effects",
    "sanctions",
    "uploads",
]
