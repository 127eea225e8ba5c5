"""Reads hostile files to their end as intake does, and tells what became of each and how much that took.

``python hostile.py FORMAT:FILE…`` prints ``{results: [[code or null, rows, faulty rows]…], peak_mb, cpu_seconds}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main(files: list[str]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    from filings.intake.decode import FileFormat, read_rows
    from filings.intake.records import FileRefused

    results = []
    for named in files:
        file_format, path = named.split(":", 1)
        rows = faulty = 0
        code = None
        try:
            with Path(path).open("rb") as stream:
                for row in read_rows(stream, FileFormat(file_format), national_id="1001"):
                    rows += 1
                    faulty += row.data is None
        except FileRefused as refused:
            code = refused.code
            if not (refused.message("zh") and refused.message("en")):
                code = "without words"
        results.append([code, rows, faulty])
    took = {"peak_mb": _peak_mb(), "cpu_seconds": time.process_time()}
    sys.stdout.write(json.dumps({"results": results, **took}))


def _peak_mb() -> int:
    """The most memory this program held. ``ru_maxrss`` would also count what its parent held when it started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) // 1024


if __name__ == "__main__":
    main(sys.argv[1:])
