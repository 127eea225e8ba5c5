"""App configuration: hands the kernel what the portal shows of this app."""

from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self) -> None:
        from applications import pages, receivers, transitions  # noqa: F401  (they register themselves)
        from applications.validators import files
        from pilot.services import inspection

        inspection.install(lambda content: files.look_into(content).content_type)
