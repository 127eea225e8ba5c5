"""What a V3.0 file says about its records before any is judged: enough to answer each by its own id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from filings.intake.lines import Readable
from filings.intake.records import FileRefused
from filings.intake.v3 import Head, events
from filings.intake.v3_map import text_of

KINDS: Final = {"XZBA": 1, "XZWZ": 2, "XZJR": 3, "BGBA": 4, "XZHYD": 8}
"""Operation → ``Czlx`` of its results. A deregistration's depends on what is deregistered."""
UNKNOWN_KIND: Final = 1
"""Of a file whose operation cannot be told; results must name one."""

DEREGISTRATIONS: Final = {"0": 6, "1": 7, "2": 5}
"""``Zxlb`` (subject, website, access) → ``Czlx``."""
_IDS: Final = {
    "XZBA": ("Zt_xx/IspZtid",),
    "XZWZ": ("Zt_xx/Ztbah", "Zt_xx/Ztid"),
    "XZJR": ("IspJrid", "Wz_xx/Wzbah"),
    "BGBA": ("Zt_xx/Ztid", "Zt_xx/Baxh"),
    "ZXBA": ("Jlid",),
    "XZHYD": ("Fjssdx/Ssdxbs/Jlid", "Fjssdx/Ssdxbs/Baxh", "Fjssdx/Ssdxbs"),
}
"""Operation → where the id stands that its results carry (``Bs``), the first that is there."""
LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Manifest:
    """The file's operation ("" when it has none) and of each record the kind of its result and its id."""

    operation: str
    records: list[tuple[int, str]]


def read_manifest(stream: Readable) -> Manifest:
    """Read a file as far as it can be read; faults are for whoever judges it."""
    head = _Listing()
    try:
        for event, depth, element in events(stream):
            head.see(event, depth, element)
    except (etree.XMLSyntaxError, FileRefused):
        pass
    return Manifest(head.operations[0] if head.operations else "", head.records)


class _Listing(Head):
    """The head of a file that also keeps the records' ids."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[tuple[int, str]] = []

    def see(self, event: str, depth: int, element: Any) -> None:
        """Take in one parser event."""
        if event == "end" and depth == 3 and self.operations:
            operation = self.operations[0]
            self.records.append((_kind(operation, element), _identifier(operation, element)))
        super().see(event, depth, element)


def _kind(operation: str, element: Any) -> int:
    if operation == "ZXBA":
        return DEREGISTRATIONS.get(text_of(element, "Zxlb") or "", DEREGISTRATIONS["0"])
    return KINDS.get(operation, UNKNOWN_KIND)


def _identifier(operation: str, element: Any) -> str:
    found = (text_of(element, path) for path in _IDS.get(operation, ()))
    return next((text for text in found if text), "")[:LONGEST_ID]
