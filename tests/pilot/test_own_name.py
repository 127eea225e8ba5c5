"""A reader's own name is not hidden from himself, wherever on a page it stands; other people's names are."""

from __future__ import annotations

from typing import NamedTuple

from pilot.masking import own_in_full, staff
from pilot.models import Person
from pilot.ui import Fact, PlainPage, Row, Section


class Pair(NamedTuple):
    who: object
    what: object


ME, OTHER = Person(pk=1, name="示例张三"), Person(pk=2, name="示例李四")


def page() -> PlainPage:
    rows = [Row("", [1, staff(ME), (staff(OTHER), None), Pair(staff(ME), "x")])]
    return PlainPage("示例", sections=[Section("节", facts=[Fact("人", staff(ME, "单位 · "))], rows=rows)])


def told(shown: PlainPage) -> list[str]:
    (section,) = shown.sections
    cells = section.rows[0].cells
    return [str(section.facts[0].value), str(cells[1]), str(cells[2][0]), str(cells[3].who)]


def test_only_the_readers_own_name_is_told() -> None:
    assert told(own_in_full(page(), ME.pk)) == ["单位 · 示例张三", "示例张三", str(staff(OTHER)), "示例张三"]
    assert isinstance(own_in_full(page(), ME.pk).sections[0].rows[0].cells[3], Pair)


def test_a_page_without_it_stays_the_very_object() -> None:
    shown = page()
    assert own_in_full(shown, 3) is shown
    assert own_in_full(shown, None) is shown
