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


def share(files: dict[str, Any], patterns: tuple[str, ...]) -> float:
    """The covered share of the branches of the files that match, in percent."""
    found = [
        it["summary"] for name, it in files.items() if any(PurePath(name).full_match(it) for it in patterns)
    ]
    branches = sum(it["num_branches"] for it in found)
    return 100 * sum(it["covered_branches"] for it in found) / branches


def main() -> bool:
    """Print every group's share, and the files that lack most; whether all reach the bound."""
    files = json.load(sys.stdin)["files"]
    shares = {name: share(files, patterns) for name, patterns in GROUPS.items()}
    for name, percent in shares.items():
        print(f"{percent:6.2f} %  {name}")
        if percent < BOUND:
            lacking = [
                (it["summary"]["missing_branches"], file)
                for file, it in files.items()
                if it["summary"]["missing_branches"]
                and any(PurePath(file).full_match(pattern) for pattern in GROUPS[name])
            ]
            for missing, file in sorted(lacking, reverse=True)[:15]:
                print(f"{missing:9}  {file}")
    return all(percent >= BOUND for percent in shares.values())


if __name__ == "__main__":
    sys.exit(not main())
