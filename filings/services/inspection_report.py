"""What an inspection comes to: figures with their bounds and verdicts, the frame's file, and the report.

The papers are Chinese whatever language the signer works in, so their words do not go through gettext.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from filings.accuracy import claims, planning, stratified, thresholds, verdicts
from filings.accuracy.stratified import Stratum
from filings.accuracy.verdicts import M1Verdict, M2Verdict
from filings.enums import FindingKind, FindingSource, FindingState
from filings.models import Finding, Inspection, InspectionItem, InspectionReading
from filings.periods import Period
from filings.rules import RULE_VERSION
from filings.selectors import inspections as selector
from filings.selectors.targets import targets
from pilot.language import on_record
from pilot.models import Document, PilotUnit, TransitionRecord
from pilot.pdf import cn_date
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import programmes
from pilot.services import documents, letters

VERDICT_WORDS: Final = {
    M1Verdict.ACHIEVED: "达标",
    M1Verdict.NOT_ACHIEVED: "不达标",
    M1Verdict.UNDECIDED: "尚不能判定",
    M2Verdict.NOT_ACHIEVED: "不达标",
}
FIGURE_NAMES: Final = {"frame": "M1（总体）", "process": "M1（过程）", "forms": "M2"}
PPM: Final = 1_000_000


def confidence_of(unit: PilotUnit) -> Fraction:
    """The one-sided confidence of verdicts: programme data, 95 % where it says nothing."""
    return Fraction(programmes.rule(unit.programme, "verdict_confidence") or "0.95")


def share_words(ppm: int) -> str:
    """A share in parts per million as a percentage without needless zeros: 0.05%."""
    number = f"{ppm // 10_000}.{ppm % 10_000:04d}".rstrip("0").rstrip(".")
    return f"{number}%"


# --- figures --------------------------------------------------------------------------------------------
def result_of(inspection: Inspection, items: Sequence[InspectionItem]) -> dict[str, Any]:
    """Figures, agreement of the readers and the claimed level, in plain values that a column can hold."""
    n, (m1_errors, m2_errors) = len(items), standing_errors(items)
    pairs, tested = selector.pairs(inspection), claim_of(inspection, n)
    claim = None
    if tested is not None:
        claim = {
            "n": n,
            "claimed_ppm": inspection.claimed_ppm,
            "limit": tested.limit,
            "errors": m1_errors,
            "contradicted": tested.contradicted(m1_errors),
        }
    return {
        "figures": figures_of(inspection, items),
        "agreement": {
            "pairs": pairs.agreement.pairs,
            "same": pairs.same,
            "agreeing": pairs.agreement.agreeing,
            "share": thresholds.shown(pairs.agreement.pairs - pairs.same, pairs.agreement.pairs),
            "kappa": pairs.agreement.kappa_shown,
        },
        "claim": claim,
        "errors": {"m1": m1_errors, "m2": m2_errors},
    }


def claim_of(inspection: Inspection, n: int) -> claims.Claim | None:
    """The test of the unit's claimed rate on n forms; None for several strata.

    Of a small stratum more is drawn than its share, so a true claim could be contradicted far too often.
    """
    if len(inspection.allocation or ()) > 1:
        return None
    return claims.claim(n, Fraction(inspection.claimed_ppm, PPM))


def figures_of(inspection: Inspection, items: Sequence[InspectionItem]) -> list[dict[str, Any]]:
    """M1 on the frame and on the process, and M2: errors, bounds, verdict; what was overturned is no error.

    A sample drawn in several strata speaks of the frame alone.
    """
    n, (m1, _m2) = len(items), targets(inspection.unit.programme)
    confidence = confidence_of(inspection.unit)
    m1_errors, m2_errors = standing_errors(items)
    frame = inspection.frame_size or 0
    strata = _strata(inspection, items)
    fewest, most = stratified.frame_bounds(strata, confidence)
    on_frame = stratified.verdict_of(fewest, most, m1.allowance(frame))
    bounds = stratified.frame_interval(fewest, most, frame).shown
    shown = thresholds.shown(m1_errors, n).rstrip("%")
    lines = [_figure("frame", m1_errors, n, shown, bounds, on_frame)]
    if len(strata) == 1:
        process = planning.process_interval(m1_errors, n, confidence).shown
        on_process = verdicts.process_verdict(m1_errors, n, m1, confidence)
        lines.append(_figure("process", m1_errors, n, shown, process, on_process))
    on_forms = verdicts.form_verdict(m2_errors, n) or M2Verdict.NO_ERROR_FOUND
    m2_shown = thresholds.shown(m2_errors, n).rstrip("%")
    return [*lines, _figure("forms", m2_errors, n, m2_shown, "--", on_forms)]


def _strata(inspection: Inspection, items: Sequence[InspectionItem]) -> list[Stratum]:
    """The strata as drawn, each with its standing identity errors."""
    errors = Counter(item.stratum for item in standing(items)[0])
    drawn = Counter(item.stratum for item in items)
    frames = {part["key"]: part["frame"] for part in inspection.allocation or ()}
    if not frames:  # drawn before strata were on record
        frames = {"": inspection.frame_size or 0}
    return [Stratum(size, drawn[key], errors[key]) for key, size in frames.items()]


def _figure(key: str, errors: int, n: int, shown: str, interval: str, verdict: str) -> dict[str, Any]:
    """One line; ``key`` and ``code`` let a page say in another language what the paper says in Chinese."""
    found_none = verdict == M2Verdict.NO_ERROR_FOUND
    return {
        "key": key,
        "name": FIGURE_NAMES[key],
        "errors": errors,
        "n": n,
        "shown": shown,
        "interval": interval.replace("%", ""),
        "code": str(verdict),
        "verdict": f"未发现差错（抽查{n}份）" if found_none else VERDICT_WORDS[M1Verdict(verdict)],
    }


def standing(items: Sequence[InspectionItem]) -> tuple[list[InspectionItem], list[InspectionItem]]:
    """Drawn forms with an identity error, and those wrong elsewhere only, leaving out what was overturned since.

    A form wrong in both has a finding of each kind: with its identity overturned it is still wrong elsewhere.
    """
    rows = Finding.unscoped.filter(
        form__in=[item.form_id for item in items], source=FindingSource.INSPECTION
    ).values_list("form_id", "kind", "state")
    stands = {(form_id, kind): state != FindingState.OVERTURNED for form_id, kind, state in rows}
    identity = [
        item
        for item in items
        if item.identity_right is False and stands.get((item.form_id, FindingKind.IDENTITY), True)
    ]
    counted = {item.pk for item in identity}
    elsewhere = [
        item
        for item in items
        if item.form_right is False
        and item.pk not in counted
        and stands.get((item.form_id, FindingKind.FORM), item.identity_right is True)
    ]
    return identity, elsewhere


def standing_errors(items: Sequence[InspectionItem]) -> tuple[int, int]:
    """How many drawn forms have an identity error, and any error, leaving out what was overturned since."""
    identity, elsewhere = standing(items)
    return len(identity), len(identity) + len(elsewhere)


# --- the frame's file -----------------------------------------------------------------------------------
def keep_frame(*, inspection: Inspection, strata: Mapping[str, Sequence[str]], at: datetime) -> Document:
    """The frame as a file, sorted by number, one form a line; with strata, a tab and the stratum behind it.

    Without strata the file is, byte for byte, what the frame's digest was taken of.
    """
    if inspection.strata:
        pairs = sorted((form_no, key) for key, form_nos in strata.items() for form_no in form_nos)
        lines: Iterable[str] = (f"{form_no}\t{key}" for form_no, key in pairs)
    else:
        lines = sorted(strata[""])
    return documents.keep(
        case=inspection,
        kind="inspection-frame",
        title=f"抽查总体编号清单-{inspection.number}",
        content="\n".join(lines).encode(),
        content_type=documents.TEXT,
        at=at,
    )


# --- the report -----------------------------------------------------------------------------------------
def make_report(*, inspection: Inspection, at: datetime) -> Document:
    """The report: plan, commitment, frame, draw, what was found, who agreed, and what the sample lets one say."""
    with on_record():
        context = _context(inspection, at)
    return documents.make(
        case=inspection,
        kind="inspection-report",
        title="电子化核验单抽查报告",
        template="documents/inspection_report.html",
        context=context,
        at=at,
    )


def _context(inspection: Inspection, at: datetime) -> dict[str, Any]:
    items = list(inspection.items.select_related("form").defer("form__ciphertext").order_by("rank"))
    unit = inspection.unit
    result = inspection.result or result_of(inspection, items)
    strata = _drawn_strata(inspection)
    return {
        "programme": letters.programme_words(unit.programme),
        "issuer": inspection.organisation.name,
        "inspection_number": inspection.number,
        "unit": unit.organisation.name,
        "unit_code": unit.code,
        "period": Period.parse(inspection.period).words,
        "concluded_on": cn_date(local_day(at)),
        "rule_version": RULE_VERSION,
        "plan": _plan(inspection, drawn=len(items)),
        "commitment": {
            "seed_hash": inspection.seed_hash,
            "published_at": _stamp(committed_at(inspection) or at),
        },
        "frame": {
            "size": inspection.frame_size,
            "digest": inspection.frame_digest,
            "frozen_at": _stamp(inspection.drawn_at or at),
        },
        "seed": inspection.seed,
        "drawn_at": _stamp(inspection.drawn_at or at),
        "sample_size": len(items),
        "strata": strata,
        "rows": [
            {
                "form_no": item.form.form_no,
                "stratum": selector.stratum_words(inspection.strata, item.stratum),
                "twice": item.second,
                "result": _result(item),
                "remark": item.remark,
            }
            for item in items
        ],
        "agreement": result["agreement"] if result["agreement"]["pairs"] else None,
        "confidence": share_words(int(confidence_of(unit) * PPM)),
        "figures": result["figures"],
        "claim": result["claim"] and {**result["claim"], "claimed": share_words(inspection.claimed_ppm)},
        "conclusion": inspection.conclusion,
        "inspectors": readers(inspection),
    }


def _plan(inspection: Inspection, *, drawn: int) -> dict[str, Any]:
    """The plan; the chance of a miss is that of the size drawn, whatever risk the plan set out from."""
    tolerated = thresholds.Threshold(inspection.tolerated_ppm)
    miss, *_more = planning.misses(
        inspection.frame_size or 0, drawn, accepted=inspection.accepted_errors, tolerated=tolerated
    )
    return {
        "size": inspection.size,
        "strata": str(inspection.get_strata_display()),
        "tolerated": share_words(inspection.tolerated_ppm),
        "accepted": inspection.accepted_errors,
        "second": inspection.second_share,
        "bad": miss.bad,
        "miss": miss.shown,
    }


def _drawn_strata(inspection: Inspection) -> list[dict[str, Any]]:
    if not inspection.strata:
        return []
    return [
        {
            "name": selector.stratum_words(inspection.strata, part["key"]),
            "size": part["frame"],
            "drawn": part["drawn"],
        }
        for part in inspection.allocation
    ]


def committed_at(inspection: Inspection) -> datetime | None:
    """When the hash of the seed was published (business time); None before."""
    steps = TransitionRecord.objects.filter(machine=Inspection.slug(), object_id=inspection.pk, name="commit")
    found: datetime | None = steps.values_list("at", flat=True).first()
    return found


def readers(inspection: Inspection) -> list[str]:
    """The names of all who read or settled."""
    rows = InspectionReading.unscoped.filter(item__inspection=inspection)
    return sorted(set(rows.values_list("read_by__name", flat=True)))


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _result(item: InspectionItem) -> str:
    if item.identity_right is False:
        return "身份信息差错"
    return "一致" if item.form_right else "其他信息差错"
