"""Whatever step a finding takes, and the steps of an inspection that bear on counts, are counted where they happen."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from filings.models import Finding, Inspection
from filings.services import deltas
from pilot.workflow import Act, around


@around(Finding)
def count_finding(finding: Finding, act: Act) -> AbstractContextManager[None]:
    """The chain of the form at fault."""
    return deltas.recorded(unit_id=finding.unit_id, chains=[finding.chain_no])


@around(Inspection)
def count_inspection(inspection: Inspection, act: Act) -> AbstractContextManager[None]:
    """A draw closes the chains that it adds by itself; a cancelled inspection no longer judges what it drew."""
    if act.name not in {"draw", "cancel"}:
        return nullcontext()
    chains = inspection.items.values_list("form__chain_no", flat=True)
    return deltas.recorded(unit_id=inspection.unit_id, chains=set(chains))
