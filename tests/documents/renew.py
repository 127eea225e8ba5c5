"""Writes the expected texts of all cases anew: ``python -m tests.documents.renew``."""

import os
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")
    import django

    django.setup()
    from pilot.pdf import render_pdf
    from tests.documents.cases import CASES
    from tests.documents.reading import text_of

    EXPECTED.mkdir(exist_ok=True)
    for name, (template, title, context) in CASES.items():
        document = render_pdf(f"documents/{template}.html", context, title=title)
        (EXPECTED / f"{name}.txt").write_text(text_of(document), encoding="utf-8")


if __name__ == "__main__":
    main()
