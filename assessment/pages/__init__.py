"""What the generic pages show of review and assessment; one file per machine, in the order of the menu."""

from assessment.pages import opinion, inbox, report, capability, declaration, approval_list, dashboard  # isort: skip
from assessment.pages import catalogue, comparison  # add to the menu

__all__ = [
    "approval_list",
    "capability",
    "catalogue",
    "comparison",
    "dashboard",
    "declaration",
    "inbox",
    "opinion",
    "report",
]
