"""The living page of the UI kit: each component has its section, and each section its component."""

import re
from pathlib import Path
from typing import get_args

from django.conf import settings
from django.test.signals import template_rendered
from lxml import html

from pilot.ui import Tone
from pilot.ui_kit import PARTS, SHOWN_AROUND
from pilot.views.ui_kit import catalogue
from tests.pilot.test_ui import ENGINE, PAGES, SHELL, STATIC, TEMPLATES, find, get, render


def test_the_living_page_shows_every_component_and_pages_use_it() -> None:
    files = {path.stem for path in (TEMPLATES / "components").glob("*.html")}
    assert sorted(name for part in PARTS for name in part.files) == sorted(files)
    shown: list[str] = []
    hear = lambda template, **_: shown.append(str(template.name))  # noqa: E731
    template_rendered.connect(hear, weak=False)
    try:
        page = html.fromstring(
            render(ENGINE.get_template("pages/ui_kit.html"), **SHELL, **catalogue(get("/_ui/")))
        )
    finally:
        template_rendered.disconnect(hear)
    rendered = {Path(name).stem for name in shown if name.startswith("components/")}
    assert files - rendered - SHOWN_AROUND == {"form"}  # a bare {{ form }} of Django's, made of fields
    assert [part.anchor for part in PARTS if not find(page, f"#{part.anchor}")] == []
    sources = [p.read_text(encoding="utf-8") for p in PAGES if not p.name.startswith("ui_kit")]
    code = (
        (settings.BASE_DIR / "pilot").glob("*.py"),
        (settings.BASE_DIR / "pilot" / "templatetags").glob("*.py"),
    )
    text = "\n".join([*sources, *(p.read_text(encoding="utf-8") for group in code for p in group)])
    assert {name for name in files if f'"components/{name}.html"' not in text} == set()


def test_a_tag_has_one_of_six_tones() -> None:
    css = (STATIC / "components.css").read_text(encoding="utf-8")
    assert set(re.findall(r"\.tag-([a-z]+)", css)) == set(get_args(Tone))
