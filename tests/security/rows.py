"""Faults and attacks (docs/security/rows.toml), and the same as a table: ``python -m tests.security.rows``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "docs" / "security" / "rows.toml"
PAGE: Final = ROOT / "docs" / "security" / "README.md"
BEGIN: Final = "<!-- rows: python -m tests.security.rows -->\n"
END: Final = "<!-- /rows -->\n"


def rows() -> list[dict[str, Any]]:
    """The rows as they are written."""
    found: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["row"]
    return found


def table() -> str:
    """The rows as a table of the page."""
    lines = ["| 项 | 要求 | 控制 | 测试 | 实测 | 尚缺 |", "|---|---|---|---|---|---|"]
    for row in rows():
        control = "<br>".join(f"`{path}`" for path in row["control"])
        tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in row["tests"])
        cells = [row["id"], row["demand"], control, tests or "—", row["figure"] or "—", row.get("open", "—")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with its table renewed."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
