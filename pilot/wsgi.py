"""WSGI entry point of the portal: loads all that requests need before the first one comes."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template import engines
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation

from pilot.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")

application = get_wsgi_application()


def _load() -> None:
    """All views, words of every language and templates, which otherwise the first requests would wait for."""
    reverse("home")
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("受理")
    for engine in engines.all():
        for folder in engine.dirs:
            for file in Path(folder).rglob("*.html"):
                get_template(str(file.relative_to(folder)))


_load()
keep_what_is_loaded()
