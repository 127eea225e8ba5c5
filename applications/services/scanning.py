"""What the virus scanner says of an application's file: the state it is kept in."""

from __future__ import annotations

import logging

from applications.enums import ScanState
from pilot.services import scanner
from pilot.services.scanner import Infected

__all__ = ["Infected", "scan"]
logger = logging.getLogger(__name__)


def scan(content: bytes) -> str:
    """What is known of ``content``: a :class:`ScanState`. Raises :class:`Infected`.

    A scanner that is configured and does not answer leaves the file pending; nobody reads it until it was scanned.
    """
    if not scanner.is_configured():
        return ScanState.NOT_SCANNED
    try:
        scanner.check(content)
    except scanner.NoAnswerError as error:
        logger.warning("virus scanner: %s", error)
        return ScanState.PENDING
    return ScanState.CLEAN
