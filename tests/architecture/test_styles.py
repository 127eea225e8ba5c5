"""One hand for all sheets: raw values only among tokens, no rule that styles nothing, no sheet for one component."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pilot import preferences

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "pilot" / "static" / "pilot"
SHEETS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.css"))}
RULES = {name: re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for name, text in SHEETS.items()}
SHARED = ["tokens", "base", "controls", "components", "print"]  # in the order in which they are linked
OWN = ["desk", "form", "guide", "register", "sheet"]  # of pages with a layout of their own
OURS = [
    path
    for folder in ("pilot", "applications", "assessment", "filings")
    for path in (ROOT / folder).rglob("*.py")
]
TEMPLATES = {
    path: path.read_text(encoding="utf-8")
    for path in (ROOT / "templates").rglob("*.html")
    if "documents" not in path.parts
}

NAMED = "white|black|red|green|blue|gray|grey|silver|orange|yellow|navy|brown|purple"
COLOUR = re.compile(
    rf"#[0-9a-f]{{3,8}}\b(?=[^{{}}]*[;}}])|\b(?:rgb|hsl|hwb|lab|oklch)a?\(|(?<=[: ])(?:{NAMED})(?=[;\s])",
    re.I,
)
FACE = re.compile(r"(?:font-family|(?<![\w-])font|box-shadow):(?!\s*(?:var|none|inset|inherit))[^;]*")
SIZED = re.compile(
    r"(?<![\w-])((?:padding|margin|gap|row-gap|column-gap|font-size|border-radius)(?:-[a-z]+)*):([^;]*\d(?:px|rem)[^;]*);"
)
HAIR = re.compile(r"(?<![\w.])[1-3]px\b")  # a line's own width is no step of the scale


def test_the_sheets_are_few_and_small() -> None:
    assert sorted(SHEETS) == sorted([*SHARED, *OWN])
    assert {name: n for name, text in SHEETS.items() if (n := text.count("\n")) >= 500} == {}


@pytest.mark.parametrize("name", [name for name in SHEETS if name != "tokens"])
def test_colours_letters_shadows_and_sizes_are_tokens(name: str) -> None:
    raw = [*COLOUR.findall(RULES[name]), *FACE.findall(RULES[name])]
    assert raw + [f"{prop}:{value}" for prop, value in SIZED.findall(HAIR.sub("", RULES[name]))] == []


def test_every_token_is_defined_and_used() -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+):", RULES["tokens"]))
    used = {name for text in RULES.values() for name in re.findall(r"var\((--[a-z0-9-]+)\)", text)}
    assert used - defined == set()
    assert {
        name for name in defined - used if not name.startswith("--bs-")
    } == set()  # these the framework uses


def _unused(classes: set[str]) -> set[str]:
    """Those that no markup and no code writes, whole or with the end left to be filled in (``tag-{{ tone }}``)."""
    code = [path.read_text(encoding="utf-8") for path in [*OURS, *STATIC.glob("*.js")]]
    text = "\n".join([*TEMPLATES.values(), *code])
    whole = set(re.findall(r"[a-z][\w-]*", text))
    begun = set(re.findall(r"(?<![\w-])([a-z][\w-]*-)(?=\{|\$\{)", text))
    return {name for name in classes - whole if not any(name.startswith(head) for head in begun)}


def test_every_class_styles_something() -> None:
    heads = [head for rules in RULES.values() for head in re.findall(r"([^{}]+)\{", rules)]
    classes = {name for head in heads for name in re.findall(r"\.([a-z][\w-]*)", head)}
    assert _unused(classes) - FROM_OUTSIDE == set()


FROM_OUTSIDE = {
    "htmx-request",  # htmx, while it waits
    "errorlist",  # Django, where a form prints its errors itself
    *(f"{name}-{value}" for name, value in preferences.CHOICES.items()),
}


def test_pages_link_only_sheets_of_their_own() -> None:
    linked = {
        str(path.relative_to(ROOT / "templates")): re.findall(r"'pilot/(\w+)\.css'", text)
        for path, text in TEMPLATES.items()
    }
    assert linked.pop("base.html") == SHARED
    assert linked.pop("components/outage.html") == SHARED[:-1]  # nothing of it is printed
    assert {sheet for sheets in linked.values() for sheet in sheets} == set(OWN)
    assert {page for page, sheets in linked.items() if sheets and page.startswith("components/")} == set()


def test_a_watermark_and_a_wide_page_stay_to_be_seen_through_and_seen() -> None:
    """Two faults of the past: a white watermark over workbooks in the viewer, and acts hidden on phones."""
    whole = "\n".join(RULES.values())
    assert (
        re.findall(r"\.viewer-stage img", whole) == []
    )  # the picture of a page only, not the mark above a workbook
    assert re.findall(r"(?<!\()\.wide\b", whole) == []  # what narrow screens leave out of the masthead
