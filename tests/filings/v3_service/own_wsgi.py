"""The portal for a real web server in the tests: as ``pilot.wsgi``, on the test database named by ``TEST_DATABASE``."""

from __future__ import annotations

import os

from django.conf import settings

os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]

from pilot.wsgi import application  # noqa: E402  (the settings come first)

__all__ = ["application"]
