"""The local extract (``manage.py load_authority``): records as keyed digests in the portal's own database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from filings.models import AuthorityRecord
from filings.services.authority_sources.base import MATCH, NO_RECORD, Answer, Query, Verdict
from filings.services.crypto import authority_keys_everywhere

type Record = tuple[bytes, date | None, date | None]  # digest of the name, first and last day of validity

_OTHER_NAME: Final = Answer(Verdict.MISMATCH, ("name",))


class ExtractSource:
    """Certificate and number find the record, so only the name can differ; nothing found is no record."""

    name: Final = "extract"
    forms_at_once: Final = 1_000

    def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer per query; the records of all are read at once."""
        keys = [tuple(authority_keys_everywhere(q.cert_type, q.cert_no, q.name)) for q in queries]
        records = _records(identity for pairs in keys for identity, _name in pairs)
        return [_answer(pairs, records, q.as_of) for pairs, q in zip(keys, queries, strict=True)]


def _answer(keys: Iterable[tuple[bytes, bytes]], records: Mapping[bytes, list[Record]], day: date) -> Answer:
    """``keys`` has one pair per version of the index key, since records may be older than the newest."""
    found = [name in names for identity, name in keys if (names := _names_at(records, day, identity))]
    if not found:
        return NO_RECORD
    return MATCH if any(found) else _OTHER_NAME


def _records(identities: Iterable[bytes]) -> dict[bytes, list[Record]]:
    """Every record kept for these identities."""
    found: dict[bytes, list[Record]] = defaultdict(list)
    rows = AuthorityRecord.objects.filter(identity__in=set(identities))
    for identity, name, first, last in rows.values_list("identity", "name", "valid_from", "valid_to"):
        found[bytes(identity)].append((bytes(name), first, last))
    return found


def _names_at(records: Mapping[bytes, list[Record]], day: date, identity: bytes) -> set[bytes]:
    """The names on record for an identity on a day; a record's validity includes both its days."""
    return {
        name
        for name, first, last in records.get(identity, ())
        if (first is None or first <= day) and (last is None or day <= last)
    }
