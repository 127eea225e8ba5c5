"""How Django's forms render themselves: with the portal's templates, like every page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.forms.renderers import TemplatesSetting
from django.utils.safestring import SafeString

from pilot.markup import format_html, format_html_join

# Django's templates of these hold nothing but its template of an input.
INPUTS: Final = frozenset(
    f"django/forms/widgets/{kind}.html"
    for kind in ("checkbox", "date", "email", "file", "hidden", "input", "number", "password", "text", "url")
)


class PortalRenderer(TemplatesSetting):
    """Form renderer of the UI kit (setting ``FORM_RENDERER``); widgets look as Django's own."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    def render(self, template_name: str, context: Any, request: Any = None) -> str:
        """As Django does, but for inputs: some pages have three hundred, each of three templates otherwise."""
        if template_name in INPUTS:
            return drawn_input(context["widget"])
        return str(super().render(template_name, context, request))


def drawn_input(widget: Mapping[str, Any]) -> SafeString:
    """An input, out of what a widget knows of itself."""
    value = "" if widget["value"] is None else format_html(' value="{}"', widget["value"])
    attributes = drawn_attributes(widget["attrs"])
    return format_html('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, attributes)


def drawn_attributes(attributes: Mapping[str, Any]) -> SafeString:
    """The attributes of a form control, each with a blank before it; True has no value, False is left out."""
    kept = [(name, value) for name, value in attributes.items() if value is not False]
    return format_html_join(
        "", "{}", ([format_html(" {}" if value is True else ' {}="{}"', name, value)] for name, value in kept)
    )


def drawn_options(groups: Iterable[tuple[Any, Sequence[Mapping[str, Any]], int]]) -> SafeString:
    """The options of a selection, of which the filters of one list have 134."""
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
