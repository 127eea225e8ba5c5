"""No list of choices chooses for somebody: whoever overlooks one is told, not taken at a word never said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django import forms

from pilot.registry import all_pages


def lists() -> Iterator[tuple[str, forms.ChoiceField]]:
    """Every drop-down of one answer that an act, a task or a new case asks for, with choices known beforehand."""
    for pages in all_pages():
        asked = [*pages.forms.values(), *(task.form for task in pages.tasks)]
        for form in dict.fromkeys([*asked, *([pages.creation.form] if pages.creation else [])]):
            for name, field in form.base_fields.items():
                listed = isinstance(field, forms.ChoiceField) and type(field.widget) is forms.Select
                if listed and (isinstance(field, forms.ModelChoiceField) or list(field.choices)):
                    yield f"{form.__name__}.{name}", field


@pytest.mark.parametrize(("name", "field"), [pytest.param(*one, id=one[0]) for one in dict(lists()).items()])
def test_a_list_begins_with_no_choice_or_with_one_that_is_known(name: str, field: forms.ChoiceField) -> None:
    if isinstance(field, forms.ModelChoiceField):
        assert field.empty_label is not None or field.initial is not None
    else:
        assert next(iter(field.choices))[0] == "" or field.initial is not None
