"""S02: fields beyond the allow-lists: 0, in tables and their exports, search, forms, JSON answers and papers.

What pages of objects show to whom is compared beside their visibility, in tests/architecture/test_objects.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.template.base import VariableNode

from assessment import spreadsheet
from assessment.views import published_list
from filings.intake.columns import ERROR_COLUMNS
from filings.pages import form_page, register
from filings.pages import national as national_pages
from filings.selectors import national as national_selector
from pilot.registry import MachinePages, all_pages
from pilot.views import listing
from tests.security import fields

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted(path.name for path in (ROOT / "templates" / "documents").glob("*.html"))
SLUGS = [pages.slug for pages in all_pages()]


def pages_of(slug: str) -> MachinePages:
    return next(pages for pages in all_pages() if pages.slug == slug)


# --- tables ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", SLUGS)
def test_list_export_search_filters_and_forms_of_a_machine(slug: str) -> None:
    """An export writes exactly the list's columns, so one list holds for both; no reader gets more than it."""
    pages = pages_of(slug)
    columns = listing.columns_of(pages)
    asked = {f"{act}: {name}" for act, form in _forms(pages).items() for name in form.base_fields}
    fields.check(
        "tables",
        slug,
        {
            "columns": [column.column.key for column in columns],
            "sorted by": [column.order_by for column in columns if column.order_by],
            "searched": [*pages.search, *([pages.province_field] if pages.province_field else [])],
            "filters": [one.name for one in pages.filters],
            "asked for": asked,
        },
    )


def _forms(pages: MachinePages) -> dict[str, type[forms.BaseForm]]:
    """Whatever the machine's pages ask for: acts, tasks and the beginning."""
    found: dict[str, Any] = dict(pages.forms)
    found |= {task.name: task.form for task in pages.tasks}
    return found | ({"create": pages.creation.form} if pages.creation else {})


def test_the_other_tables_that_leave_the_portal() -> None:
    lists = {
        f"national {name}": [str(c.key) for c in national_pages.columns(name)]
        for name in national_selector.LISTS
    }
    fields.check(
        "tables",
        "files",
        {
            **lists,
            "register": [str(column.key) for column in register.columns()],
            "stored forms": [str(column.key) for column in form_page.columns()],
            "published list": published_list.CSV_HEAD,
            "provincial report": [key for key, _heading, _width in spreadsheet.COLUMNS],
            "refused rows, beside the sender's own": ERROR_COLUMNS,
        },
    )


def test_nothing_completes_what_is_typed() -> None:
    """There is no autocomplete that would have to hide anything: no list of suggestions in any template."""
    templates = list((ROOT / "templates").rglob("*.html"))
    assert [
        path.name for path in templates if re.search(r"<datalist|\blist=\"", path.read_text("utf-8"))
    ] == []


# --- papers ---------------------------------------------------------------------------------------
def variables(name: str) -> set[str]:
    """What a template, with those it is made of, prints of its context."""
    template = engines["django"].get_template(f"documents/{name}").template
    found: set[str] = set()
    for node in template.nodelist.get_nodes_by_type(VariableNode):
        found.add(str(getattr(node.filter_expression.var, "var", node.filter_expression.var)))
    return found


@pytest.mark.parametrize("name", PAPERS)
def test_what_a_paper_prints(name: str) -> None:
    fields.check("papers", name, {"prints": variables(name)})
