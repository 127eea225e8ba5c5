"""How a file leaves the portal: saved and never opened in its origin (S11). Pure."""

from __future__ import annotations

import re
from typing import Final

from django.http import HttpResponseBase
from django.utils.http import content_disposition_header

_UNSAFE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f/\\\u202a-\u202e\u2066-\u2069]"
)  # no line ends, paths, turned text
SANDBOX: Final = "default-src 'none'; sandbox"


def as_download[Response: HttpResponseBase](response: Response, name: str) -> Response:
    """The same answer as a file of this name to be saved: no browser sniffs it, or runs it as the portal's."""
    safe = _UNSAFE.sub("_", name)
    response["Content-Disposition"] = content_disposition_header(True, safe) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    return response
