"""How the demonstration's assessors give points and what they name as evidence. All invented."""

from __future__ import annotations

from typing import Final

from django.core.files.base import ContentFile

from applications.enums import FileKind
from assessment.models import CapabilityAssessment, TestRun
from assessment.selectors import capability
from assessment.selectors.evidence import Evidence, materials
from assessment.services import test_runs
from pilot.actors import Actor

# Which of the materials handed in speaks of which criterion.
SOURCES: Final = {
    "collection": FileKind.TEST_REPORT,
    "liveness": FileKind.TEST_REPORT,
    "false_accept": FileKind.TEST_REPORT,
    "false_reject": FileKind.TEST_REPORT,
    "authority_uscc": FileKind.COMPARISON,
    "authority_person": FileKind.COMPARISON,
    "mlps": FileKind.PROTECTION,
    "emergency": FileKind.EMERGENCY,
}
MEASURED: Final = ("false_accept", "false_reject")  # by a test run, where there was one
GENUINE: Final = [f"G{n:04}" for n in range(1, 1201)]
IMPOSTORS: Final = [f"I{n:04}" for n in range(1, 801)]


def issue_test_set(assessment: CapabilityAssessment, officer: Actor) -> None:
    """A test set of 2,000 samples goes to the applicant."""
    key = [*(f"{sample},genuine" for sample in GENUINE), *(f"{sample},impostor" for sample in IMPOSTORS)]
    test_runs.issue(
        case=assessment,
        actor=officer,
        title="人脸与动作核验测试集（示例）",
        key=_table("sample,expected", key),
    )


def hand_in_results(assessment: CapabilityAssessment, applicant: Actor, faults: int) -> None:
    """The applicant's results, with so many impostors accepted and twice as many genuine samples rejected."""
    rows = [f"{sample},{'reject' if n < 2 * faults else 'accept'}" for n, sample in enumerate(GENUINE)]
    rows += [f"{sample},{'accept' if n < faults else 'reject'}" for n, sample in enumerate(IMPOSTORS)]
    run = TestRun.unscoped.get(assessment=assessment)
    test_runs.hand_in(run=run, actor=applicant, upload=_table("sample,result", rows))


def _table(head: str, rows: list[str]) -> ContentFile[bytes]:
    return ContentFile("\n".join([head, *rows]).encode(), name="test-set.csv")


def sheet(assessment: CapabilityAssessment, share: int) -> tuple[dict[str, int], dict[str, Evidence]]:
    """About ``share`` percent of every criterion's points, with the evidence for each."""
    points: dict[str, int] = {}
    grounds: dict[str, Evidence] = {}
    known = materials(assessment)
    for code, criterion in capability.catalogue_of(assessment).items():
        points[code] = criterion.points * share // 100
        low = points[code] < criterion.must_pass
        words = "材料不足以证明达到最低要求（示例）" if low else "材料与演示相符（示例）"
        source = "run:1" if code in MEASURED and "run:1" in known else f"file:{SOURCES.get(code)}"
        named = source in known
        grounds[code] = Evidence(words, source if named else "", 1 if named and known[source].file else None)
    return points, grounds
