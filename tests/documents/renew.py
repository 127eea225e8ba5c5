"""Writes the expected texts of all cases anew: ``python -m tests.documents.renew``."""

import os
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")
    import django

    django.setup()
    from tests.documents.cases import CASES, paper_of
    from tests.documents.reading import text_of

    EXPECTED.mkdir(exist_ok=True)
    for name in CASES:
        (EXPECTED / f"{name}.txt").write_text(text_of(paper_of(name)), encoding="utf-8")


if __name__ == "__main__":
    main()
