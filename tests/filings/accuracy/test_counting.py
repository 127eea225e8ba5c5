from datetime import UTC, date, datetime, timedelta, timezone
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filings.accuracy.counting import (
    COMPARISON,
    Chain,
    Counts,
    Finding,
    FindingState,
    Outcome,
    Version,
    contribution,
    counted_version,
    first_day,
    total,
)

SHANGHAI = timezone(timedelta(hours=8))
NOON = datetime(2019, 6, 18, 12, tzinfo=SHANGHAI)
MIDNIGHT = datetime(2019, 6, 19, tzinfo=SHANGHAI)
HOUR = timedelta(hours=1)


def version(
    form_no: str = "HYD-1",
    *,
    at: datetime = NOON,
    outcome: Outcome = Outcome.MATCH,
    findings: tuple[Finding, ...] = (),
    inspected: bool = False,
    late: bool = False,
) -> Version:
    return Version(
        form_no=form_no, received_at=at, outcome=outcome, findings=findings, inspected=inspected, late=late
    )


def chain(*versions: Version, drawn_at: datetime | None = None, notified_at: datetime | None = None) -> Chain:
    return Chain(versions=versions, end_of_first_day=MIDNIGHT, drawn_at=drawn_at, notified_at=notified_at)


def finding(
    state: FindingState = FindingState.CONFIRMED, *, source: str = "inspection", identity: bool = True
) -> Finding:
    return Finding(source=source, state=state, identity=identity)


def test_a_matching_form_counts_in_both_figures_without_error() -> None:
    assert contribution(chain(version())).counts == Counts(
        m1_n=1, m2_n=1, first_pass_m1_n=1, first_pass_m2_n=1
    )


def test_a_pending_form_is_in_no_figure() -> None:
    assert contribution(chain(version(outcome=Outcome.PENDING))).counts == Counts(pending=1)


def test_an_undeterminable_form_is_in_m2_only() -> None:
    assert contribution(chain(version(outcome=Outcome.UNDETERMINABLE))).counts == Counts(
        m2_n=1, undeterminable=1, first_pass_m2_n=1
    )


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.UNDETERMINABLE])
def test_an_inspection_determines_what_the_comparison_could_not(outcome: Outcome) -> None:
    assert contribution(chain(version(outcome=outcome, inspected=True))).counts == Counts(
        m1_n=1, m2_n=1, first_pass_m1_n=1, first_pass_m2_n=1
    )


@pytest.mark.parametrize("state", list(FindingState))
def test_a_mismatch_counts_at_once_until_overturned(state: FindingState) -> None:
    mismatch = version(outcome=Outcome.MISMATCH, findings=(finding(state, source=COMPARISON),))
    error = int(state is not FindingState.OVERTURNED)
    assert contribution(chain(mismatch)).counts == Counts(
        m1_n=1,
        m1_errors=error,
        m2_n=1,
        m2_errors=error,
        first_pass_m1_n=1,
        first_pass_m1_errors=error,
        first_pass_m2_n=1,
        first_pass_m2_errors=error,
    )


def test_a_mismatch_whose_finding_is_missing_still_counts() -> None:
    assert contribution(chain(version(outcome=Outcome.MISMATCH))).counts.m1_errors == 1


def test_one_of_two_comparison_findings_overturned_leaves_the_error() -> None:
    both = (
        finding(FindingState.OVERTURNED, source=COMPARISON),
        finding(FindingState.DISPUTED, source=COMPARISON),
    )
    assert contribution(chain(version(outcome=Outcome.MISMATCH, findings=both))).counts.m1_errors == 1


@pytest.mark.parametrize(
    ("state", "error", "provisional"),
    [
        (FindingState.OPEN, 0, 1),
        (FindingState.DISPUTED, 0, 1),
        (FindingState.CONFIRMED, 1, 0),
        (FindingState.UPHELD, 1, 0),
        (FindingState.OVERTURNED, 0, 0),
    ],
)
@pytest.mark.parametrize("identity", [True, False])
def test_other_findings_count_from_confirmed_or_upheld(
    state: FindingState, error: int, provisional: int, identity: bool
) -> None:
    counts = contribution(chain(version(findings=(finding(state, identity=identity),)))).counts
    assert (counts.m1_errors, counts.m1_provisional) == (error * identity, provisional * identity)
    assert (counts.m2_errors, counts.m2_provisional) == (error, provisional)


def test_an_open_finding_beside_an_error_is_not_provisional_too() -> None:
    both = (finding(), finding(FindingState.OPEN))
    counts = contribution(chain(version(findings=both))).counts
    assert (counts.m1_errors, counts.m1_provisional, counts.m2_errors, counts.m2_provisional) == (1, 0, 1, 0)


def test_a_confirmed_identity_finding_is_itself_a_determination() -> None:
    counts = contribution(
        chain(version(outcome=Outcome.UNDETERMINABLE, findings=(finding(source="complaint"),)))
    ).counts
    assert (counts.m1_n, counts.m1_errors, counts.undeterminable) == (1, 1, 0)


def test_a_form_finding_on_a_pending_form_waits_for_the_comparison() -> None:
    pending = version(outcome=Outcome.PENDING, findings=(finding(identity=False),))
    assert contribution(chain(pending)).counts == Counts(pending=1, m2_provisional=1)


def test_the_last_correction_of_the_first_day_is_counted() -> None:
    last = version("HYD-3", at=MIDNIGHT - timedelta(microseconds=1))
    versions = (version("HYD-1"), version("HYD-2", at=NOON + HOUR), last)
    assert counted_version(chain(*versions)) is last


def test_a_correction_at_midnight_comes_too_late() -> None:
    first = version("HYD-1")
    assert counted_version(chain(first, version("HYD-2", at=MIDNIGHT))) is first


@pytest.mark.parametrize("closing", ["drawn_at", "notified_at"])
@pytest.mark.parametrize(("after", "counted"), [(2 * HOUR, "HYD-2"), (HOUR, "HYD-1"), (0 * HOUR, "HYD-1")])
def test_drawing_or_notifying_closes_the_count_within_the_day(
    closing: str, after: timedelta, counted: str
) -> None:
    versions = (version("HYD-1"), version("HYD-2", at=NOON + HOUR))
    decided = counted_version(
        Chain(versions=versions, end_of_first_day=MIDNIGHT, **{closing: NOON + after})  # type: ignore[arg-type]
    )
    assert decided is not None
    assert decided.form_no == counted


def test_whatever_comes_first_closes_the_count() -> None:
    versions = (version("HYD-1"), version("HYD-2", at=NOON + HOUR), version("HYD-3", at=NOON + 3 * HOUR))
    closed = chain(*versions, drawn_at=NOON + 4 * HOUR, notified_at=NOON + 2 * HOUR)
    assert closed.closes_at == NOON + 2 * HOUR
    assert counted_version(closed) is versions[1]


def test_a_correction_in_time_cures_the_figures_but_not_the_first_pass() -> None:
    wrong = version(outcome=Outcome.MISMATCH, findings=(finding(FindingState.OPEN, source=COMPARISON),))
    right = version("HYD-2", at=NOON + HOUR)
    assert contribution(chain(wrong, right)).counts == Counts(
        m1_n=1, m2_n=1, first_pass_m1_n=1, first_pass_m1_errors=1, first_pass_m2_n=1, first_pass_m2_errors=1
    )


def test_a_correction_after_the_notice_is_shown_beside_the_error() -> None:
    wrong = version(outcome=Outcome.MISMATCH, findings=(finding(FindingState.OPEN, source=COMPARISON),))
    right = version("HYD-2", at=NOON + 2 * HOUR)
    result = contribution(chain(wrong, right, notified_at=NOON + HOUR))
    assert result.counted is wrong
    assert (result.counts.m1_errors, result.counts.m2_errors, result.counts.errors_corrected) == (1, 1, 1)


def test_a_late_chain_is_out_of_all_figures() -> None:
    result = contribution(chain(version(outcome=Outcome.MISMATCH, late=True)))
    assert result.counted is None
    assert result.counts == Counts(late=1)


def test_a_late_correction_never_becomes_the_counted_version() -> None:
    first = version()
    assert counted_version(chain(first, version("HYD-2", at=NOON + HOUR, late=True))) is first


def test_a_chain_without_versions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one version"):
        chain()


@pytest.mark.parametrize(
    ("moment", "day", "end"),
    [
        (
            datetime(2019, 6, 18, 15, 59, 59, tzinfo=UTC),
            date(2019, 6, 18),
            datetime(2019, 6, 18, 16, tzinfo=UTC),
        ),
        (datetime(2019, 6, 18, 16, tzinfo=UTC), date(2019, 6, 19), datetime(2019, 6, 19, 16, tzinfo=UTC)),
    ],
)
def test_the_first_day_is_local(moment: datetime, day: date, end: datetime) -> None:
    assert first_day(moment, SHANGHAI) == (day, end)


@pytest.mark.parametrize(
    ("undeterminable", "answered", "alert"), [(0, 0, False), (1, 100, False), (2, 100, True)]
)
def test_more_than_one_percent_undeterminable_alerts(undeterminable: int, answered: int, alert: bool) -> None:
    assert Counts(undeterminable=undeterminable, m2_n=answered).alert_undeterminable is alert


FINDINGS = st.builds(
    Finding,
    source=st.sampled_from([COMPARISON, "inspection", "complaint"]),
    state=st.sampled_from(FindingState),
    identity=st.booleans(),
)
VERSIONS = st.builds(
    Version,
    form_no=st.just("HYD-1"),
    received_at=st.integers(0, 72).map(lambda hours: NOON + hours * HOUR),
    outcome=st.sampled_from(Outcome),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    inspected=st.booleans(),
    late=st.booleans(),
)
MOMENTS = st.none() | st.integers(0, 72).map(lambda hours: NOON + hours * HOUR)
CHAINS = st.builds(
    Chain,
    versions=st.lists(VERSIONS, min_size=1, max_size=4).map(
        lambda versions: tuple(sorted(versions, key=lambda item: item.received_at))
    ),
    end_of_first_day=st.just(MIDNIGHT),
    drawn_at=MOMENTS,
    notified_at=MOMENTS,
)


@given(CHAINS)
def test_every_chain_stands_in_exactly_one_place(item: Chain) -> None:
    counts = contribution(item).counts
    assert counts.m1_n + counts.pending + counts.undeterminable + counts.late == 1
    assert counts.m2_n == counts.m1_n + counts.undeterminable
    assert 0 <= counts.m1_errors <= counts.m2_errors <= counts.m2_n
    assert counts.m1_errors <= counts.m1_n
    assert counts.first_pass_m1_errors <= counts.first_pass_m1_n <= counts.first_pass_m2_n
    assert counts.errors_corrected <= counts.m2_errors


@given(CHAINS)
def test_corrections_after_the_close_change_nothing_but_their_own_figure(item: Chain) -> None:
    first_only = Chain(
        versions=tuple(v for v in item.versions if v.received_at < item.closes_at) or item.versions[:1],
        end_of_first_day=item.end_of_first_day,
        drawn_at=item.drawn_at,
        notified_at=item.notified_at,
    )
    before, after = contribution(first_only).counts, contribution(item).counts
    change = after - before
    assert change == Counts(errors_corrected=change.errors_corrected)


@given(st.lists(CHAINS, max_size=6), st.integers(0, 6))
def test_counts_add_up_however_the_chains_are_split(chains: list[Chain], cut: int) -> None:
    counts = [contribution(item).counts for item in chains]
    whole = total(counts)
    assert whole == total(counts[:cut]) + total(counts[cut:])
    assert whole == reduce(add, reversed(counts), Counts())
    assert whole - total(counts[:cut]) == total(counts[cut:])
