"""The statements that count (design.md, section 5): what every version is judged to be, and which of a chain counts.

``judged`` looks everything up form by form, so that its cost is that of the forms asked for, whatever the planner
believes of tables that were just filled. ``WHOLE`` gives the same answer for whole units at once: the few chains with
a story (corrections, findings, inspections, later comparisons) go through the same text, all others are one join. A
property test holds both, and the plain reference in ``filings.accuracy.counting``, together.
"""

from __future__ import annotations

from typing import Final

_JUDGED: Final = """
    SELECT f.id, f.unit_id, f.chain_no, f.version, f.form_no, f.day, f.received_at, f.late,
           f.subject_province, f.subject_kind,
           coalesce(d.outcome, 'pending') AS outcome,
           coalesce(g.identity_error, false)
               OR (d.outcome = 'mismatch' AND NOT coalesce(g.compared, false)) IS TRUE AS identity_error,
           coalesce(g.any_error, false) AS any_error,
           coalesce(g.waiting, false) AS waiting,
           coalesce(g.identity_waiting, false) AS identity_waiting,
           coalesce(i.judged, false) AS inspected,
           least(g.notified_at, i.drawn_at) AS closing
    FROM {forms}
    LEFT JOIN LATERAL (
        SELECT outcome FROM filings_determination WHERE form_id = f.id ORDER BY number DESC LIMIT 1
    ) AS d ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(counts AND kind = 'identity') AS identity_error,
               bool_or(counts) AS any_error,
               bool_or(source = 'comparison' AND kind = 'identity') AS compared,
               bool_or(waits) AS waiting,
               bool_or(waits AND kind = 'identity') AS identity_waiting,
               min(opened_at) AS notified_at
        FROM (
            SELECT kind, source, opened_at, {counts} AS counts,
                   source <> 'comparison' AND state IN ('open', 'disputed') AS waits
            FROM filings_finding WHERE form_id = f.id
        ) AS findings
    ) AS g ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(i.identity_right IS NOT NULL AND n.state <> 'cancelled') AS judged,
               min(n.drawn_at) AS drawn_at
        FROM filings_inspectionitem i JOIN filings_inspection n ON n.id = i.inspection_id
        WHERE i.form_id = f.id
    ) AS i ON true
    WHERE {conditions}
"""
_FINDING_COUNTS: Final = """CASE WHEN source = 'comparison' THEN state <> 'overturned'
                        ELSE state IN ('confirmed', 'upheld') END"""

_COUNTED: Final = """
answered AS (
    SELECT *,
           inspected OR outcome IN ('match', 'mismatch') OR identity_error AS determined,
           inspected OR outcome <> 'pending' OR identity_error AS answered,
           identity_error OR any_error AS form_error,
           NOT late AND received_at < least(
               min(closing) OVER (PARTITION BY unit_id, chain_no),
               (day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
           ) AS in_time
    FROM judged
), chains AS (
    SELECT *,
           max(version) FILTER (WHERE in_time OR version = 1) OVER chain AS counted_no,
           max(version) OVER chain AS last_no,
           count(*) OVER chain AS versions,
           max(id) FILTER (WHERE version = 1) OVER chain AS first_id,
           bool_or(version = 1 AND late) OVER chain AS late_chain,
           bool_or(version = 1 AND determined) OVER chain AS first_determined,
           bool_or(version = 1 AND identity_error) OVER chain AS first_identity_error,
           bool_or(version = 1 AND answered) OVER chain AS first_answered,
           bool_or(version = 1 AND answered AND form_error) OVER chain AS first_form_error
    FROM answered
    WINDOW chain AS (PARTITION BY unit_id, chain_no)
), counted AS (
    SELECT * FROM chains WHERE version = counted_no
)
"""

CONDITIONS: Final = {
    "m1_n": "NOT late_chain AND determined",
    "m1_errors": "NOT late_chain AND identity_error",
    "m2_n": "NOT late_chain AND answered",
    "m2_errors": "NOT late_chain AND answered AND form_error",
    "pending": "NOT late_chain AND NOT answered",
    "undeterminable": "NOT late_chain AND answered AND NOT determined",
    "m1_provisional": "NOT late_chain AND NOT identity_error AND identity_waiting",
    "m2_provisional": "NOT late_chain AND NOT (answered AND form_error) AND (waiting OR form_error)",
    "errors_corrected": "NOT late_chain AND answered AND form_error AND last_no > counted_no",
    "first_pass_m1_n": "NOT late_chain AND first_determined",
    "first_pass_m1_errors": "NOT late_chain AND first_identity_error",
    "first_pass_m2_n": "NOT late_chain AND first_answered",
    "first_pass_m2_errors": "NOT late_chain AND first_form_error",
    "late": "late_chain",
}
"""Which chains each count counts."""

_SUMS: Final = ", ".join(
    f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in CONDITIONS.items()
)
_VERSIONS: Final = "coalesce(sum(versions) FILTER (WHERE NOT late_chain), 0) AS versions"
_COUNTS: Final = f"SELECT {{columns}} {_SUMS}, {_VERSIONS} FROM counted {{grouping}}"  # noqa: S608 (texts of this file)

_ERRORS: Final = f"""
SELECT coalesce(jsonb_agg(jsonb_build_array(id, identity_error::int, (
           SELECT coalesce(jsonb_agg(found.id ORDER BY found.id), '[]') FROM (
               SELECT id, {_FINDING_COUNTS} AS counts FROM filings_finding WHERE form_id = counted.id
           ) AS found WHERE found.counts
       )) ORDER BY id) FILTER (WHERE {CONDITIONS["m2_errors"]}), '[]') AS errors
FROM counted
"""  # noqa: S608 (texts of this file)

# A chain without a story counts as its only version does; a mismatch counts even if its finding should be missing.
_PLAIN_SUMS: Final = ", ".join(
    f"{'count(*) FILTER (WHERE ' + condition + ')' if condition else '0'} AS {name}"
    for name, condition in {
        "m1_n": "NOT late AND outcome IN ('match', 'mismatch')",
        "m1_errors": "NOT late AND outcome = 'mismatch'",
        "m2_n": "NOT late AND outcome IS NOT NULL",
        "m2_errors": "NOT late AND outcome = 'mismatch'",
        "pending": "NOT late AND outcome IS NULL",
        "undeterminable": "NOT late AND outcome = 'undeterminable'",
        "m1_provisional": "",
        "m2_provisional": "",
        "errors_corrected": "",
        "first_pass_m1_n": "NOT late AND outcome IN ('match', 'mismatch')",
        "first_pass_m1_errors": "NOT late AND outcome = 'mismatch'",
        "first_pass_m2_n": "NOT late AND outcome IS NOT NULL",
        "first_pass_m2_errors": "NOT late AND outcome = 'mismatch'",
        "late": "late",
        "versions": "NOT late",
    }.items()
)
BUCKET: Final = ("unit_id", "day", "subject_province", "subject_kind")
_KEY: Final = ", ".join(BUCKET)
MONTH: Final = "date_trunc('month', day::timestamp)::date"  # the first day of a bucket's month
_NAMES: Final = (*CONDITIONS, "versions")

WHOLE: Final = f"""
WITH storied AS MATERIALIZED (
    SELECT unit_id, chain_no FROM filings_verificationform WHERE version > 1 AND unit_id = ANY(%(units)s)
    UNION
    SELECT unit_id, chain_no FROM filings_finding WHERE unit_id = ANY(%(units)s)
    UNION
    SELECT f.unit_id, f.chain_no
    FROM filings_inspection n JOIN filings_inspectionitem i ON i.inspection_id = n.id
    JOIN filings_verificationform f ON f.unit_id = n.unit_id AND f.id = i.form_id
    WHERE n.unit_id = ANY(%(units)s)
    UNION
    SELECT f.unit_id, f.chain_no
    FROM filings_determination d JOIN filings_verificationform f ON f.unit_id = d.unit_id AND f.id = d.form_id
    WHERE d.number > 1 AND d.unit_id = ANY(%(units)s)
), plain AS (
    SELECT f.unit_id, f.day, f.subject_province, f.subject_kind, f.late, d.outcome
    FROM filings_verificationform f
    LEFT JOIN storied s ON s.unit_id = f.unit_id AND s.chain_no = f.chain_no
    LEFT JOIN filings_determination d ON d.unit_id = f.unit_id AND d.form_id = f.id
    WHERE f.unit_id = ANY(%(units)s) AND s.unit_id IS NULL
), judged AS (
    {
    _JUDGED.format(
        forms="storied JOIN filings_verificationform f USING (unit_id, chain_no)",
        counts=_FINDING_COUNTS,
        conditions="true",
    )
}
), {_COUNTED}, parts AS (
    SELECT {_KEY}, count(*) AS forms, {_PLAIN_SUMS} FROM plain GROUP BY {_KEY}
    UNION ALL
    SELECT {_KEY}, 0, {_SUMS}, {_VERSIONS} FROM counted GROUP BY {_KEY}
    UNION ALL
    SELECT {_KEY}, count(*), {", ".join(["0"] * len(_NAMES))} FROM judged GROUP BY {_KEY}
), recounted AS (
    SELECT {_KEY}, {", ".join(f"sum({name}) AS {name}" for name in ("forms", *_NAMES))}
    FROM parts GROUP BY {_KEY}
)
"""  # noqa: S608 (texts of this file)
BUCKETS: Final = f"{WHOLE} SELECT * FROM recounted ORDER BY {_KEY}"  # noqa: S608 (texts of this file)

_DIFFER: Final = " OR ".join(f"coalesce(r.{name}, 0) <> coalesce(l.{name}, 0)" for name in ("forms", *_NAMES))
# By day and by month. One statement and so one snapshot: no writer and no fold can fall between the two sides.
DIFFERENCES: Final = f"""
{WHOLE}, live AS (
    SELECT {_KEY}, {", ".join(f"sum({name}) AS {name}" for name in ("forms", *_NAMES))}
    FROM filings_livetally WHERE unit_id = ANY(%(units)s) GROUP BY {_KEY}
), recounted_months AS (
    SELECT unit_id, {MONTH} AS day, subject_province, subject_kind,
        {", ".join(f"sum({name}) AS {name}" for name in ("forms", *_NAMES))}
    FROM recounted GROUP BY unit_id, {MONTH}, subject_province, subject_kind
), live_months AS (
    SELECT {_KEY}, {", ".join(f"sum({name}) AS {name}" for name in ("forms", *_NAMES))}
    FROM filings_livemonth WHERE unit_id = ANY(%(units)s) GROUP BY {_KEY}
)
SELECT {_KEY} FROM recounted r FULL JOIN live l USING ({_KEY}) WHERE {_DIFFER}
UNION
SELECT {_KEY} FROM recounted_months r FULL JOIN live_months l USING ({_KEY}) WHERE {_DIFFER}
ORDER BY {_KEY}
"""  # noqa: S608 (texts of this file)


def judged(conditions: list[str]) -> str:
    """The beginning of a statement that counts form by form what meets the conditions; ``counted`` comes of it."""
    scope = _JUDGED.format(
        forms="filings_verificationform f", counts=_FINDING_COUNTS, conditions=" AND ".join(conditions)
    )
    return f"WITH judged AS ({scope}), {_COUNTED}"


def sums(by: tuple[str, ...], *, errors: bool = False) -> str:
    """The end of such a statement: every count per group in the order of ``CONDITIONS``, then the versions.

    With ``errors`` (of one group only) a column more holds the forms with an M2 error and their findings.
    """
    keys = ", ".join(by)
    counts = _COUNTS.format(columns=f"{keys}," if keys else "", grouping=f"GROUP BY {keys}" if keys else "")
    return f"SELECT * FROM ({counts}) AS sums, ({_ERRORS}) AS listed" if errors else counts  # noqa: S608
