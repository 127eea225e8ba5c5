"""What scores rest on: the material of the case that assessors may point at, and what they pointed at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.models import ApplicationFile
from applications.selectors import content
from assessment.models import CapabilityAssessment, ScoreSheet, TestRun
from assessment.selectors import test_runs


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one criterion's points rest on: a source of the case, a page of it, words; each may be missing."""

    words: str = ""
    source: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """Something of the case to point at: a file handed in or a test run. ``pages``: of a file, where known."""

    value: str
    name: str
    file: ApplicationFile | None = None
    run: TestRun | None = None

    @property
    def label(self) -> str:
        """What it is called where one is chosen or named."""
        if self.run:
            return _("能力测试：%(title)s") % {"title": self.name}
        ordinal = self.value.partition(":")[2].partition(":")[2]
        return _("%(name)s（%(n)s）") % {"name": self.name, "n": ordinal} if ordinal else self.name

    @property
    def pages(self) -> int | None:
        return self.file.pages if self.file else None


def materials(assessment: CapabilityAssessment) -> dict[str, Material]:
    """The files of the version handed in last, kind by kind, and the test runs, by the value that sheets keep.

    ``file:<kind>`` is the first file of a kind, ``file:<kind>:2`` the second, and so on; ``run:<number>`` a test run.
    """
    found = [*_files(assessment)]
    found += [
        Material(f"run:{run.number}", run.title, run=run) for run in test_runs.of_assessment(assessment)
    ]
    return {material.value: material for material in found}


def _files(assessment: CapabilityAssessment) -> list[Material]:
    version = content.latest_version(assessment.application)
    keys = [entry["id"] for entry in version.files] if version else []
    files = ApplicationFile.unscoped.filter(application=assessment.application_id, pk__in=keys)
    ordered = sorted(files, key=lambda file: (FileKind.values.index(file.kind), file.pk))
    seen: Counter[str] = Counter()
    found = []
    for file in ordered:
        seen[file.kind] += 1
        number = f":{seen[file.kind]}" if seen[file.kind] > 1 else ""
        found.append(Material(f"file:{file.kind}{number}", str(file.get_kind_display()), file=file))
    return found


def of_sheet(sheet: ScoreSheet) -> dict[str, Evidence]:
    """Criterion code → what the points rest on. Sheets of old hold words alone."""
    return {
        code: Evidence(words=kept) if isinstance(kept, str) else Evidence(**kept)
        for code, kept in sheet.evidence.items()
    }
