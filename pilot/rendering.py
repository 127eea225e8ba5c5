"""How Django's forms render themselves: with the portal's templates, like every page."""

from django.forms.renderers import TemplatesSetting


class PortalRenderer(TemplatesSetting):
    """Form renderer of the UI kit (setting ``FORM_RENDERER``); widgets stay Django's own."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
