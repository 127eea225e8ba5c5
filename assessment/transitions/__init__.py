"""State changes: what each transition requires and what it brings about; one file per aggregate."""

from assessment.transitions import approval_list, capability, declaration, opinion, report

__all__ = ["approval_list", "capability", "declaration", "opinion", "report"]
