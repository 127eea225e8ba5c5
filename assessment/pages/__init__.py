"""What the generic pages show of review and assessment; one file per machine, in the order of the menu."""

from assessment.pages import opinion, report, capability, declaration, approval_list  # isort: skip

__all__ = ["approval_list", "capability", "declaration", "opinion", "report"]
