"""Rules of the house that guard against the faults peers had (docs/security): read from the code itself.

Each rule is a function from a syntax tree to the lines that break it, and is tried on a line that does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("pilot", "applications", "assessment", "filings")
SOURCES = [
    path.relative_to(ROOT)
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts and "examples" not in path.parts
]
ORDERING = {
    "order_by",
    "annotate",
    "alias",
    "values",
    "values_list",
    "filter",
    "exclude",
    "only",
    "defer",
    "extra",
}
REQUESTED = {"GET", "POST", "headers", "COOKIES", "META", "FILES"}

type Rule = Callable[[ast.AST], Iterator[int]]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def of_request(node: ast.AST) -> bool:
    """Whether something in an expression is read from a request."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr in REQUESTED
        and isinstance(part.value, ast.Name | ast.Attribute)
        and "request" in ast.unparse(part.value)
        for part in ast.walk(node)
    )


def unpacks_a_request(tree: ast.AST) -> Iterator[int]:
    """``filter(**request.GET)``: whoever asks would choose columns and lookups."""
    for node in calls(tree):
        if any(keyword.arg is None and of_request(keyword.value) for keyword in node.keywords):
            yield node.lineno


def orders_by_a_request(tree: ast.AST) -> Iterator[int]:
    """Text of a request as the name of a column, an alias or a lookup."""
    for node in calls(tree):
        if called(node) in ORDERING and any(of_request(part) for part in node.args):
            yield node.lineno


def marks_safe(tree: ast.AST) -> Iterator[int]:
    """``mark_safe`` or ``SafeString`` of anything that is not written there."""
    for node in calls(tree):
        if called(node) in {"mark_safe", "SafeString"} and not isinstance(node.args[0], ast.Constant):
            yield node.lineno


def formats_what_came(tree: ast.AST) -> Iterator[int]:
    """``text.format(…)`` or ``Template(text)`` where the text is data: placeholders could walk through objects."""
    for node in calls(tree):
        match node.func:
            case ast.Attribute(attr="format" | "format_map", value=ast.Attribute() | ast.Subscript() as text):
                if not ast.unparse(text).split(".")[-1].isupper():
                    yield node.lineno
            case ast.Name(id="Template") | ast.Attribute(attr="from_string"):
                yield node.lineno


def tells_no_zone(tree: ast.AST) -> Iterator[int]:
    """``datetime.now()`` without a zone, ``utcnow()``, ``date.today()``: both clocks of the portal have a zone."""
    for node in calls(tree):
        if not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, ast.unparse(node.func.value)
        if owner in {"datetime", "date", "datetime.datetime", "datetime.date"} and (
            name in {"utcnow", "today"} or (name == "now" and not node.args and not node.keywords)
        ):
            yield node.lineno


def reads_unsafely(tree: ast.AST) -> Iterator[int]:
    """Formats that run what they read, a shell, raw SQL helpers, and links made of the Host header."""
    for node in calls(tree):
        name = ast.unparse(node.func)
        if (
            name in {"eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "RawSQL"}
            or name.split(".")[0] in {"pickle", "marshal", "shelve", "dill"}
            or name.endswith((".objects.raw", ".objects.extra", ".get_host"))
            or any(keyword.arg == "shell" for keyword in node.keywords)
        ):
            yield node.lineno


def builds_an_address(tree: ast.AST) -> Iterator[int]:
    """Addresses from the request's Host header; mails and papers take ``PILOT_SITE``."""
    return (node.lineno for node in calls(tree) if called(node) == "build_absolute_uri")


def reads_unscoped(tree: ast.AST) -> Iterator[int]:
    """Data of organisations without asking who looks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "unscoped":
            yield node.lineno


# A rule, a line that breaks it, and the files in which it may be broken: how often, and why.
RULES: dict[str, tuple[Rule, str, dict[str, tuple[int, str]]]] = {
    "unpacked request": (unpacks_a_request, "rows.filter(**request.GET.dict())", {}),
    "ordered by a request": (orders_by_a_request, "rows.order_by(request.GET['sort'])", {}),
    "marked safe": (
        marks_safe,
        "mark_safe(name)",
        {
            "pilot/svg.py": (1, "the element that escapes its every attribute and text"),
            "pilot/templatetags/ui.py": (1, "pictures, whose every text pilot.svg escapes"),
        },
    ),
    "formatted data": (formats_what_came, "case.subject.format(x=1)", {}),
    "naive time": (tells_no_zone, "datetime.now()", {}),
    "unsafe reader": (reads_unsafely, "subprocess.run('x', shell=True)", {}),
    "address of the host": (
        builds_an_address,
        "request.build_absolute_uri('/')",
        {
            "assessment/views/published_list.py": (1, "shown to the asker only; ALLOWED_HOSTS holds"),
            "filings/api_docs.py": (1, "shown to the asker only; ALLOWED_HOSTS holds"),
            "filings/soap/pages.py": (1, "shown to the asker only; ALLOWED_HOSTS holds"),
            "filings/soap/views.py": (1, "the WSDL names where it was fetched; ALLOWED_HOSTS holds"),
        },
    ),
    "unscoped": (
        reads_unscoped,
        "Finding.unscoped.all()",
        {
            "filings/views/bulletins.py": (2, "published bulletins, for everyone"),
            "filings/views/forms.py": (1, "rows whose keys a scoped list gave"),
        },
    ),
}
# Views take data only through a selector or a service; what lies below them acts for the portal, not for a reader.
VIEWS = {"views", "views.py", "downloads.py"}
BELOW = {"services", "selectors", "models"}


@cache
def tree_of(path: Path) -> ast.AST:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def guarded(name: str) -> list[Path]:
    """The files a rule holds for."""
    if name != "unscoped":
        return SOURCES
    return [
        p
        for p in SOURCES
        if p.parts[1] in VIEWS or (p.parts[1] not in BELOW and p.name.endswith("_views.py"))
    ]


@pytest.mark.parametrize("name", RULES)
def test_the_rule_is_kept(name: str) -> None:
    rule, _bad, allowed = RULES[name]
    broken = {str(path): lines for path in guarded(name) if (lines := list(rule(tree_of(path))))}
    # An exception that nobody needs any more is none.
    assert {path: len(lines) for path, lines in broken.items()} == {
        path: n for path, (n, _why) in allowed.items()
    }


@pytest.mark.parametrize("name", RULES)
def test_the_rule_finds_what_breaks_it(name: str) -> None:
    rule, bad, _allowed = RULES[name]
    assert list(rule(ast.parse(bad))) == [1]
