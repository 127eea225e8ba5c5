"""What a planned inspection will be able to tell, shown before anything is created or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from filings.accuracy import claims, planning
from filings.accuracy.sampling import allocate_each
from filings.accuracy.stratified import Stratum
from filings.accuracy.thresholds import Threshold
from filings.pages import common
from filings.selectors import inspections as selector
from filings.selectors.targets import targets
from filings.services.inspection_report import PPM, confidence_of, share_words
from filings.services.inspections import Plan
from pilot.models import PilotUnit
from pilot.ui import Column, Fact, Row, Section


@dataclass(frozen=True, slots=True)
class Sketch:
    """A plan on the numbers as they stand now: the forms per stratum, and the size that was chosen or follows."""

    unit: PilotUnit
    frame: dict[str, int]
    plan: Plan
    size: int

    @property
    def total(self) -> int:
        """Forms in the frame."""
        return sum(self.frame.values())

    @property
    def strata(self) -> list[Stratum]:
        """The strata with what would be drawn of each."""
        drawn = allocate_each(self.frame, min(self.size, self.total))
        return [Stratum(count, drawn[key]) for key, count in self.frame.items()]


def smallest(frame: int, plan: Plan) -> int | None:
    """The smallest size that keeps the plan's risk; None where the frame cannot hold so many accepted errors."""
    (found,) = planning.sizes(frame, _tolerated(plan), confidence=_confidence(plan), most=plan.accepted)[-1:]
    return found.size


def _tolerated(plan: Plan) -> Threshold:
    return Threshold(plan.tolerated)


def _confidence(plan: Plan) -> Fraction:
    return 1 - Fraction(plan.risk, PPM)


def sections(sketch: Sketch) -> list[Section]:
    """Population, sizes, chances to miss, outcomes, and the test of the claim."""
    if not sketch.total:
        return [Section(_("总体"), empty=_("该期间目前没有可以抽查的核验单"))]
    return [
        _population(sketch),
        _outcomes(sketch),
        _misses(sketch),
        _sizes(sketch),
        claim_section(_claim(sketch)),
    ]


def _claim(sketch: Sketch) -> claims.Claim | None:
    """The test of the claim; a sample of several strata tests none."""
    if len(sketch.frame) > 1:
        return None
    return claims.claim(min(sketch.size, sketch.total), Fraction(sketch.plan.claimed, PPM))


def _population(sketch: Sketch) -> Section:
    drawn = min(sketch.size, sketch.total)
    facts = [
        Fact(_("总体"), sketch.total, _("各链的计数版本，按现有数据；抽取时冻结")),
        Fact(_("样本量"), drawn, _("占总体 %(share)s") % {"share": _percent(drawn, sketch.total)}),
        Fact(_("二次检查"), -(-drawn * sketch.plan.second // 100)),
    ]
    if not sketch.plan.strata:
        return Section(_("总体与样本"), facts=facts)
    rows = [
        Row("", [selector.stratum_words(sketch.plan.strata, key), part.frame, part.drawn])
        for key, part in zip(sketch.frame, sketch.strata, strict=True)
    ]
    columns = [Column("name", _("层")), Column("frame", _("总体"), "end"), Column("drawn", _("样本"), "end")]
    return Section(
        _("总体与样本"),
        facts=facts,
        columns=columns,
        rows=rows,
        note=_("按比例分配（最大余数法），有核验单的层至少抽取 1 份"),
    )


def _sizes(sketch: Sketch) -> Section:
    words = {"tolerated": share_words(sketch.plan.tolerated), "risk": share_words(sketch.plan.risk)}
    note = _("差错率超过 %(tolerated)s 的总体被判通过的概率不超过 %(risk)s（超几何分布，精确计算）")
    if len(sketch.frame) > 1:
        note = _(
            "差错率超过 %(tolerated)s 的总体被判通过的概率不超过 %(risk)s（按不分层抽取计算，分层抽取时为近似值）"
        )
    found = planning.sizes(sketch.total, _tolerated(sketch.plan), confidence=_confidence(sketch.plan))
    return Section(
        _("所需样本量"),
        columns=[
            Column("errors", _("允许差错数"), "end"),
            Column("size", _("样本量"), "end"),
            Column("share", _("占总体"), "end"),
        ],
        rows=[
            Row("", [one.errors, one.size, _percent(one.size, sketch.total)])
            for one in found
            if one.size is not None
        ],
        note=note % words,
    )


def _misses(sketch: Sketch) -> Section:
    drawn = min(sketch.size, sketch.total)
    found = planning.misses(
        sketch.total, drawn, accepted=sketch.plan.accepted, tolerated=_tolerated(sketch.plan)
    )
    return Section(
        _("漏判概率"),
        columns=[
            Column("bad", _("总体中的差错"), "end"),
            Column("share", _("差错率"), "end"),
            Column(
                "chance", _("样本中差错不超过 %(count)s 份的概率") % {"count": sketch.plan.accepted}, "end"
            ),
        ],
        rows=[Row("", [one.bad, _percent(one.bad, sketch.total), one.shown]) for one in found],
        note=_("按不分层抽取计算，分层抽取时为近似值") if len(sketch.frame) > 1 else "",
    )


def _outcomes(sketch: Sketch) -> Section:
    """What each number of errors would mean for M1, at the confidence of the programme's verdicts."""
    m1, _m2 = targets(sketch.unit.programme)
    confidence = confidence_of(sketch.unit)
    found = planning.outcomes(sketch.strata, m1, confidence=confidence)
    whole = len(sketch.frame) == 1
    columns = [
        Column("errors", _("样本中的差错"), "end"),
        Column("frame", _("总体中的差错"), "end"),
        Column("bounds", _("准确率界限%"), "end"),
        Column("verdict", _("M1（总体）")),
    ]
    return Section(
        _("抽查结果的含义"),
        columns=[*columns, *([Column("process", _("M1（过程）"))] if whole else [])],
        rows=[
            Row(
                "",
                [
                    one.errors,
                    f"{one.fewest:,} ～ {one.most:,}",
                    one.frame.shown.replace("%", ""),
                    common.verdict(str(one.on_frame)),
                    *([common.verdict(str(one.on_process))] if whole else []),
                ],
            )
            for one in found
        ],
        note=_("单侧置信水平 %(confidence)s。M2 有一份差错即不达标；未发现差错不证明 100%%")
        % {"confidence": share_words(int(confidence * PPM))},
    )


def claim_section(tested: claims.Claim | None, errors: int | None = None) -> Section:
    """GB/T 2828.4: whether the sample contradicts the unit's claim, or from how many errors on it would."""
    title = _("对单位声称的核查（GB/T 2828.4）")
    if tested is None:
        return Section(title, empty=_("分层抽取的样本不用于核查单位声称"))
    words = {"limit": tested.limit, "errors": errors, "n": tested.n}
    if errors is None:
        outcome = _("发现身份信息差错超过 %(limit)s 份，即否定单位的声称") % words
    elif tested.contradicted(errors):
        outcome = _("发现 %(errors)s 份，超过限值 %(limit)s：声称被否定，应要求单位说明原因并整改") % words
    else:
        outcome = _("发现 %(errors)s 份，未超过限值 %(limit)s：未否定声称，也不证明声称成立") % words
    claimed = int(tested.claimed * PPM)
    return Section(
        title,
        facts=[
            Fact(_("声称差错率（DQL）"), share_words(claimed)),
            Fact(_("样本量与限值"), f"n = {tested.n:,}，L = {tested.limit}"),
            Fact(_("结果"), outcome),
            Fact(
                _("检出能力"),
                _("实际差错率达到 %(rate)s（声称的 %(ratio)s 倍）时，未被否定的概率不超过 10%%")
                % {"rate": share_words(-(-tested.detectable.numerator * PPM // tested.detectable.denominator)),
                   "ratio": _tenths(tested.ratio)},
            ),
        ],
        note=_("限值按声称属实而被错误否定的概率不超过 5% 精确计算，以标准的抽样表为准；用于监督核查，不用于验收"),
    )  # fmt: skip


def _tenths(number: Fraction) -> str:
    tenths = -(-number.numerator * 10 // number.denominator)
    return f"{tenths // 10}.{tenths % 10}"


def _percent(part: int, whole: int) -> str:
    """A share with two decimals, truncated."""
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def plan_facts(
    strata: str, *, risk: int, tolerated: int, accepted: int, second: int, claimed: int
) -> Sequence[Fact]:
    """The plan of an inspection on its page."""
    return [
        Fact(_("分层"), strata),
        Fact(_("抽样风险"), share_words(risk), _("单侧；所需样本量按此计算")),
        Fact(_("可容忍差错率"), share_words(tolerated)),
        Fact(_("允许差错数"), accepted),
        Fact(_("二次检查"), f"{second}%"),
        Fact(_("声称差错率（DQL）"), share_words(claimed)),
    ]
