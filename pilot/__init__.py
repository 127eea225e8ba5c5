"""The Django project and the kernel: what every app stands on. Nothing about one application or form."""

from pilot.celery import app as celery_app

__all__ = ["celery_app"]
