"""``manage.py machine_docs``: write docs/machines.md, the diagrams and tables of all state machines, from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from pilot import diagram, policy
from pilot.enums import Role
from pilot.machines import MACHINES, Case
from pilot.views.case_parts import diagram_parts, machine_label

TARGET = Path(settings.BASE_DIR) / "docs" / "machines.md"
HEAD = """# 状态机

本文件由 `manage.py machine_docs` 根据代码生成，请勿手工修改。图中的状态和操作即 `pilot.machines` 登记的全部状态机；
“由谁办理”取自 `pilot/policy.toml`，办理条件见各应用的 `transitions`。
"""


class Command(BaseCommand):
    """Writes the file, or with ``--check`` says whether it still agrees with the code (exit 1 when it does not)."""

    help = "Write docs/machines.md from the declared state machines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="compare only; exit 1 when the file is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = document()
        if not options["check"]:
            TARGET.write_text(text, encoding="utf-8")
        elif not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != text:
            raise CommandError("docs/machines.md is out of date; run manage.py machine_docs")


def document() -> str:
    """The whole document in Chinese, whatever language is active."""
    with translation.override("zh-hans"):
        return "\n".join([HEAD, *(section(model) for model in MACHINES.values())])


def section(model: type[Case]) -> str:
    """One machine: its diagram and the table of its transitions, in the order of the states."""
    states, moves = diagram_parts(model)
    labels = {state.name: state.label for state in states}
    order = list(labels)
    moves.sort(key=lambda move: (order.index(move.source), order.index(move.target), move.name))
    rows = [
        f"| {move.label} | `{move.name}` | {labels[move.source]} | {labels[move.target]} "
        f"| {_people(model.slug(), move.name)} |"
        for move in moves
    ]
    return "\n".join(
        [
            f"## {machine_label(model.slug())}（`{model.slug()}`）",
            "",
            "```mermaid",
            diagram.mermaid(states, moves).rstrip(),
            "```",
            "",
            "| 操作 | 代码 | 原状态 | 新状态 | 由谁办理 |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _people(slug: str, name: str) -> str:
    roles = policy.roles_for(slug, name)
    return "、".join(str(role.label) for role in Role if role in roles)
