"""What is opened for a pilot unit, in words: provinces and filing types. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from pilot.enums import FilingType, Province

FEW = 5  # up to so many missing provinces are named instead of all the others


def province_words(codes: Collection[int]) -> str:
    """Provinces in official order; all, or all but a few, are said as such."""
    named = [p for p in Province if p.value in codes]
    missing = [p for p in Province if p.value not in codes]
    if not missing:
        return _("全国 %(n)s 个省份") % {"n": len(named)}
    if len(missing) <= FEW:
        return _("除%(names)s外的 %(n)s 个省份") % {"names": _joined(missing), "n": len(named)}
    return _joined(named)


def type_words(kinds: Collection[str]) -> str:
    """Filing types in official order; all are said as such."""
    if set(kinds) == set(FilingType.values):
        return _("全部备案类型")
    return _joined([kind for kind in FilingType if kind.value in kinds])


def words(codes: Collection[int], kinds: Collection[str]) -> str:
    """Both together."""
    return _("%(provinces)s；%(types)s") % {"provinces": province_words(codes), "types": type_words(kinds)}


def matrix_words(opened: Mapping[str, Collection[int]]) -> str:
    """Filing type → provinces; types opened for the same provinces are said together."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for kind in FilingType:
        if provinces := opened.get(kind.value):
            groups.setdefault(tuple(sorted(provinces)), []).append(kind.value)
    return " / ".join(words(provinces, kinds) for provinces, kinds in groups.items())


def _joined(members: Collection[Province | FilingType]) -> str:
    return _("、").join(str(member.label) for member in members)
