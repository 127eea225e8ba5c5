"""Is enough of what decides covered? Reads ``coverage json`` of the fast suite; exit code 1 below the bound.

Counted are branches, per group of files: services, transitions, rules, and the pure accuracy package.
"""

import json
import sys
from pathlib import PurePath
from typing import Any, Final

BOUND: Final = 95.0  # percent of branches
GROUPS: Final = {
    "services": ("*/services/*.py",),
    "transitions": ("*/transitions.py", "*/transitions/*.py"),
    "rules": ("*/rules.py", "*/rules/*.py"),
    "accuracy": ("filings/accuracy/*.py",),
}


def matching(files: dict[str, Any], patterns: tuple[str, ...]) -> dict[str, Any]:
    """The summaries of the files of a group."""
    return {
        name: it["summary"]
        for name, it in files.items()
        if any(PurePath(name).full_match(pattern) for pattern in patterns)
    }


def main() -> bool:
    """Say every group's share, and the files that lack most; whether all reach the bound."""
    files, enough = json.load(sys.stdin)["files"], True
    for name, patterns in GROUPS.items():
        found = matching(files, patterns)
        branches = sum(it["num_branches"] for it in found.values())
        percent = 100 * sum(it["covered_branches"] for it in found.values()) / branches
        sys.stdout.write(f"{percent:6.2f} % of {branches} branches: {name}\n")
        lacking = sorted(((it["missing_branches"], file) for file, it in found.items()), reverse=True)[:15]
        if percent < BOUND:
            enough = False
            sys.stdout.writelines(f"    {missing:4} {file}\n" for missing, file in lacking if missing)
    return enough


if __name__ == "__main__":
    sys.exit(not main())
