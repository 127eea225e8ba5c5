"""What one chain of verification forms (a form and its corrections) adds to the figures.

The unit of count is the chain. It belongs to the local day on which its first version was received;
one of its versions, the counted version, decides M1 and M2, and the first version decides the
first-pass figures. Everything else about the chain is shown beside these, never mixed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from operator import add, attrgetter
from typing import Final

from .thresholds import UNDETERMINABLE_ALERT

COMPARISON: Final = "comparison"
"""Source of the findings that the comparison with the authority database makes by itself."""


class Outcome(StrEnum):
    """Result of comparing subject and principal of one version with the authority database."""

    PENDING = "pending"
    MATCH = "match"
    MISMATCH = "mismatch"
    UNDETERMINABLE = "undeterminable"


class FindingState(StrEnum):
    """State of a finding; the values are the state names of the Finding machine."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


ESTABLISHED: Final = frozenset({FindingState.CONFIRMED, FindingState.UPHELD})
PROVISIONAL: Final = frozenset({FindingState.OPEN, FindingState.DISPUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding on one version; `identity` says it concerns name, certificate type or number.

    Differences of a website's principal are reported elsewhere and are not findings here.
    """

    source: str
    state: FindingState
    identity: bool

    @property
    def counts(self) -> bool:
        """Whether the finding is an error now.

        A comparison finding counts at once, in whatever state, until overturned; one of any other
        source counts when it is confirmed or upheld.
        """
        if self.source == COMPARISON:
            return self.state != FindingState.OVERTURNED
        return self.state in ESTABLISHED

    @property
    def provisional(self) -> bool:
        """Whether the finding would become an error if it were confirmed."""
        return self.source != COMPARISON and self.state in PROVISIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One received version of a form.

    `inspected` means that an inspection has judged it; `late` means received after the run phase.
    """

    form_no: str
    received_at: datetime
    outcome: Outcome = Outcome.PENDING
    findings: tuple[Finding, ...] = ()
    inspected: bool = False
    late: bool = False

    @property
    def identity_error(self) -> bool:
        """M1 error: a mismatch or identity finding that stands."""
        if any(finding.counts and finding.identity for finding in self.findings):
            return True
        # The finding of a mismatch is written with it; should it be missing, the mismatch still counts.
        return self.outcome == Outcome.MISMATCH and not any(
            finding.source == COMPARISON and finding.identity for finding in self.findings
        )

    @property
    def form_error(self) -> bool:
        """M2 error: any finding that counts, or an M1 error."""
        return self.identity_error or any(finding.counts for finding in self.findings)

    @property
    def determined(self) -> bool:
        """Whether the identity has been judged, so that the version belongs to M1.n.

        An identity finding that stands is itself a judgement: errors can never exceed units.
        """
        return self.inspected or self.outcome in (Outcome.MATCH, Outcome.MISMATCH) or self.identity_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A form and its corrections in order of receipt, with the moments that close the count.

    `end_of_first_day` is the half-open end of the local day of the first receipt; `drawn_at` is when
    an inspection first drew the chain, `notified_at` when a finding on it was first notified.
    Raises ValueError without versions.
    """

    versions: tuple[Version, ...]
    end_of_first_day: datetime
    drawn_at: datetime | None = None
    notified_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.versions:
            raise ValueError("a chain has at least one version")

    @property
    def closes_at(self) -> datetime:
        """The moment from which a correction no longer replaces the counted version."""
        moments = (self.end_of_first_day, self.drawn_at, self.notified_at)
        return min(moment for moment in moments if moment is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Whole-number counts that add up over chains, days, provinces and subject kinds.

    For chains: m1_n + pending + undeterminable = chains counted, and m2_n = m1_n + undeterminable.
    `m1_provisional` and `m2_provisional` are chains without an error whose open or disputed findings
    would make them one; `errors_corrected` are M2 errors corrected too late to be replaced.
    `refused` and `duplicates` are rows that never became a chain, `late` chains out of all figures.
    """

    m1_n: int = 0
    m1_errors: int = 0
    m2_n: int = 0
    m2_errors: int = 0
    pending: int = 0
    undeterminable: int = 0
    m1_provisional: int = 0
    m2_provisional: int = 0
    errors_corrected: int = 0
    first_pass_m1_n: int = 0
    first_pass_m1_errors: int = 0
    first_pass_m2_n: int = 0
    first_pass_m2_errors: int = 0
    refused: int = 0
    duplicates: int = 0
    late: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**dict(zip(COUNT_NAMES, map(add, _numbers(self), _numbers(other)), strict=True)))

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(**{name: getattr(self, name) - getattr(other, name) for name in COUNT_NAMES})

    @property
    def alert_undeterminable(self) -> bool:
        """Whether more than 1 % of the answered comparisons could not be determined."""
        return UNDETERMINABLE_ALERT.met(self.undeterminable, self.m2_n) is False


COUNT_NAMES: Final = tuple(field.name for field in fields(Counts))
_numbers: Final = attrgetter(*COUNT_NAMES)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one chain adds to the figures, and the version that decided; None for a late chain."""

    counted: Version | None
    counts: Counts


def first_day(received_at: datetime, zone: tzinfo) -> tuple[date, datetime]:
    """The local day of a first receipt, to which its chain belongs for good, and that day's end."""
    day = received_at.astimezone(zone).date()
    return day, datetime.combine(day + timedelta(days=1), time.min, zone)


def counted_version(chain: Chain) -> Version | None:
    """The version that decides: the last one received in time before the count closed.

    It is the last received before the end of the first day, or before an inspection drew the chain or
    a finding on it was notified, whichever came first. The first version counts even if the chain was
    closed in the moment of its receipt. A chain whose first version is late has none.
    """
    first = chain.versions[0]
    if first.late:
        return None
    in_time = [v for v in chain.versions if v.received_at < chain.closes_at and not v.late]
    return in_time[-1] if in_time else first


def contribution(chain: Chain) -> Contribution:
    """Count one chain."""
    counted = counted_version(chain)
    if counted is None:
        return Contribution(counted=None, counts=Counts(late=1))
    first = chain.versions[0]
    answered = _answered(counted)
    m1_error = counted.identity_error
    m2_error = answered and counted.form_error
    first_m2_error = _answered(first) and first.form_error
    waiting = [finding for finding in counted.findings if finding.provisional]
    return Contribution(
        counted=counted,
        counts=Counts(
            m1_n=int(counted.determined),
            m1_errors=int(m1_error),
            m2_n=int(answered),
            m2_errors=int(m2_error),
            pending=int(not answered),
            undeterminable=int(answered and not counted.determined),
            m1_provisional=int(not m1_error and any(finding.identity for finding in waiting)),
            m2_provisional=int(not m2_error and (bool(waiting) or counted.form_error)),
            errors_corrected=int(m2_error and chain.versions[-1] is not counted),
            first_pass_m1_n=int(first.determined),
            first_pass_m1_errors=int(first.identity_error),
            first_pass_m2_n=int(_answered(first)),
            first_pass_m2_errors=int(first_m2_error),
        ),
    )


def total(counts: Iterable[Counts]) -> Counts:
    """Add up many counts in one pass."""
    sums = dict.fromkeys(COUNT_NAMES, 0)
    for item in counts:
        for name in COUNT_NAMES:
            sums[name] += getattr(item, name)
    return Counts(**sums)


def _answered(version: Version) -> bool:
    """Whether the version is no longer pending, so that it belongs to M2.n."""
    return version.outcome != Outcome.PENDING or version.determined
