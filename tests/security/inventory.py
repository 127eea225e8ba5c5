"""The field inventory as a page: ``python -m tests.security.inventory`` writes docs/security/inventory.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pilot import inventory

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "security" / "inventory.md"
COLUMNS: Final = "| 模型 | 字段 | 个人信息 | 目的 | 依据 | 期限 | 谁能看 |"
HEAD: Final = """# 字段清单：目的、依据、保存期限

由各应用的 `inventory.toml`（平台内核为 `pilot/fields.toml`）生成（`python -m tests.security.inventory`）；
`tests/security/test_inventory.py` 保证四个应用的每个字段都有一行。
期限由 `pilot/inventory.toml` 给出，删除任务按它执行。

"""


def fields_of(app: str) -> dict[str, dict[str, bool]]:
    """Model → its columns and relations → whether each points to a person."""
    from django.apps import apps

    found: dict[str, dict[str, bool]] = {}
    for model in apps.get_app_config(app).get_models(include_auto_created=True):
        meta = model._meta
        fields = [*meta.local_concrete_fields, *meta.local_many_to_many]
        target = {field.name: getattr(field, "remote_field", None) for field in fields}
        found[meta.model_name or ""] = {
            name: bool(remote and remote.model._meta.label == "pilot.Person")
            for name, remote in target.items()
        }
    return found


def table() -> str:
    """The page."""
    known = inventory.terms()
    lines = ["## 期限", "", "| 期限 | 说明 | 执行 |", "|---|---|---|"]
    for name, period in known["period"].items():
        by = period.get("job") or period.get("command") or "—"
        lines.append(f"| {name} | {period['words']} | {f'`{by}`' if by != '—' else by} |")
    for app in inventory.APPS:
        lines += ["", f"## {app}", "", COLUMNS, "|---" * 7 + "|"]
        for model, fields in fields_of(app).items():
            for row in inventory.rows(app, model, fields):
                cells = [
                    model,
                    row.field,
                    "是" if row.personal else "否",
                    row.purpose,
                    row.basis,
                    row.period,
                    row.sees,
                ]
                lines.append(f"| {' | '.join(cells)} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")
    django.setup()
    PAGE.write_text(table(), encoding="utf-8")
