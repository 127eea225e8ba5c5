"""WSGI entry point of the portal."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")

application = get_wsgi_application()

# The first address loads all views, which otherwise the first request would wait for. What is loaded now stays for
# good: a collection that went through it again and again would hold up every thread of the process for 60 ms.
reverse("home")
gc.collect()
gc.freeze()
