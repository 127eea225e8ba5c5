"""How Django's forms render themselves: with the portal's templates, like every page, but for controls.

Some pages have three hundred controls, and Django makes each of two or three templates: here they are drawn in Python.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.forms.renderers import TemplatesSetting
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

type Widget = Mapping[str, Any]  # what a widget tells its template of itself


class PortalRenderer(TemplatesSetting):
    """Form renderer of the UI kit (setting ``FORM_RENDERER``); controls look as Django's own."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    def render(self, template_name: str, context: Any, request: Any = None) -> str:
        """As Django does, but for the controls that are drawn."""
        draw = DRAWN.get(template_name)
        return draw(context["widget"]) if draw else str(super().render(template_name, context, request))


def drawn_input(widget: Widget) -> SafeString:
    """An input of any type."""
    value = "" if widget["value"] is None else format_html(' value="{}"', widget["value"])
    attributes = flatatt(widget["attrs"])
    return format_html('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, attributes)


def drawn_textarea(widget: Widget) -> SafeString:
    """A field of several lines; the first line break is none of its text."""
    attributes = flatatt(widget["attrs"])
    return format_html(
        '<textarea name="{}"{}>\n{}</textarea>', widget["name"], attributes, widget["value"] or ""
    )


def drawn_select(widget: Widget) -> SafeString:
    """A selection."""
    attributes, options = flatatt(widget["attrs"]), _options(widget["optgroups"])
    return format_html('<select name="{}"{}>\n  {}\n</select>', widget["name"], attributes, options)


def _options(groups: Iterable[tuple[Any, Sequence[Widget], int]]) -> SafeString:
    drawn = [
        (
            group,
            format_html_join(
                "\n  ",
                '<option value="{}"{}>{}</option>',
                ((one["value"], " selected" if one["selected"] else "", one["label"]) for one in options),
            ),
        )
        for group, options, _index in groups
    ]
    return format_html_join(
        "\n  ",
        "{}",
        ([format_html('<optgroup label="{}">{}</optgroup>', *one) if one[0] else one[1]] for one in drawn),
    )


# Django's templates of these inputs hold nothing but its template of an input.
INPUTS: Final = ("checkbox", "date", "email", "file", "hidden", "input", "number", "password", "text", "url")
DRAWN: Final[Mapping[str, Callable[[Widget], SafeString]]] = {
    f"django/forms/widgets/{kind}.html": draw
    for kind, draw in (
        *((kind, drawn_input) for kind in INPUTS),
        ("select", drawn_select),
        ("textarea", drawn_textarea),
    )
}
