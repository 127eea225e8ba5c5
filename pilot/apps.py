"""App configuration of the kernel."""

from django.apps import AppConfig


class PilotConfig(AppConfig):
    name = "pilot"

    def ready(self) -> None:
        from pilot import pages, transitions  # noqa: F401  (they register themselves)
