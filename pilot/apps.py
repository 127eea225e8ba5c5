"""App configuration of the kernel."""

from django.apps import AppConfig


class PilotConfig(AppConfig):
    name = "pilot"

    def ready(self) -> None:
        from pilot import pages, receivers, transitions  # noqa: F401  (they register themselves)
        from pilot.views import listing  # noqa: F401  (the export job reads lists through it)
