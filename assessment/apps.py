"""App configuration: hands the kernel what the portal shows of this app."""

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    name = "assessment"

    def ready(self) -> None:
        from assessment import pages, receivers, transitions  # noqa: F401  (they register themselves)
