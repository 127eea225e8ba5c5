"""House rule 9: templates hold no query and no decision; and nothing in them works around escaping or the CSP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import TemplateSyntaxError
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2] / "templates"
TEMPLATES = sorted(path for path in ROOT.rglob("*") if path.suffix in {".html", ".txt"})
MARKUP = [path for path in TEMPLATES if path.suffix == ".html"]
PAGES = [path for path in TEMPLATES if "documents" not in path.relative_to(ROOT).parts]
CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}|\{% comment .*?\{% endcomment %\}", re.DOTALL)

QUERY = re.compile(r"\.(objects|unscoped|all|filter|exclude|exists|order_by|values|visible_to)\b|\w_set\b")
# Who acts and where a case stands is decided before: a template sees ready actions, tags and links.
DECISION = re.compile(r"\{%\s*(?:el)?if\b[^%]*\b(?:role|is_(?:provider|bureau|ministry|assessor|admin))\b")
STATE = re.compile(r"\{%\s*(?:el)?if\b[^%]*\bstate\s*(?:==|!=|in\b)")
RAW = re.compile(r"\|\s*(?:safe|safeseq)\b|\{%\s*autoescape\s+off")
INLINE = re.compile(r"<style\b|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+\s*=|javascript:", re.IGNORECASE)
FOREIGN = re.compile(r"(?:src|href|action|url\()\s*=?\s*[\"']?(?:https?:)?//", re.IGNORECASE)


def text(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_template_compiles(path: Path) -> None:
    try:
        get_template(name(path))
    except TemplateSyntaxError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize(
    ("fault", "paths"),
    [
        pytest.param(QUERY, TEMPLATES, id="query"),
        pytest.param(DECISION, TEMPLATES, id="decision by role"),
        pytest.param(STATE, PAGES, id="decision by state"),
        pytest.param(RAW, MARKUP, id="unescaped"),
    ],
)
def test_no_template_queries_decides_or_turns_off_escaping(fault: re.Pattern[str], paths: list[Path]) -> None:
    found = {name(path): code for path in paths for code in CODE.findall(text(path)) if fault.search(code)}
    assert found == {}


@pytest.mark.parametrize("fault", [INLINE, FOREIGN], ids=["inline script or style", "foreign host"])
def test_no_page_needs_more_than_the_content_security_policy_gives(fault: re.Pattern[str]) -> None:
    assert {name(path): match.group() for path in PAGES if (match := fault.search(text(path)))} == {}
