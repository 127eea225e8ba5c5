"""Papers whose look does not matter: setting one in type takes most of the time of a scene."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pilot.services import documents


@contextmanager
def unset() -> Iterator[None]:
    """Papers are kept with their kind, title and moment, but their content is only the title."""

    def render(template: str, context: Any, *, title: str) -> bytes:
        return title.encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "render", render)
        yield
