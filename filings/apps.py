"""App configuration: hands the kernel what the portal shows of this app."""

from django.apps import AppConfig


class FilingsConfig(AppConfig):
    name = "filings"

    def ready(self) -> None:
        from filings import checks, pages, receivers, transitions  # noqa: F401  (they register themselves)
