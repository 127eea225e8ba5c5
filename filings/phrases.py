"""Standing phrases of rectification orders: what is demanded, as it stands in the letter. Pure.

Letters are Chinese whatever language the drafter works in, so nothing here goes through gettext.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MEASURES: Final = {
    "review": "逐份复核所列核验单，更正差错信息并重新报送。",
    "cause": "查明差错原因，说明涉及的环节和系统。",
    "trace": "排查同类问题，报告排查的范围和结果。",
    "compare": "完善与权威库的交叉比对，比对不一致的信息不得提交。",
    "collect": "检查备案主体身份信息采集确认环节，报告改进措施。",
    "check": "完善《核验单》各项信息的填写和复核流程。",
    "recheck": "整改完成后，配合重新抽样复查。",
}
FIELD_WORDS: Final = {
    "subject": "备案主体身份信息",
    "principal": "主体负责人身份信息",
    "identity": "主体身份信息",
    "form": "核验单其他信息",
}
ALWAYS: Final = ("review", "cause", "trace", "recheck")
BY_KIND: Final = {"identity": ("compare", "collect"), "form": ("check",)}


def field_words(field: str) -> str:
    """The words for the field of a finding; a field named by an official stands as it is."""
    return FIELD_WORDS.get(field, field)


def fitting(kinds: Iterable[str]) -> list[str]:
    """The names of the phrases that fit findings of these kinds, in the order of the letter."""
    wanted = {*ALWAYS, *(name for kind in kinds for name in BY_KIND.get(kind, ()))}
    return [name for name in MEASURES if name in wanted]


def lines(text: str) -> list[str]:
    """The lines of a text, without the empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def reason(
    *, item: str, source: str, number: int, states: Iterable[tuple[str, int]], cause: str, again: str
) -> str:
    """One ground of an order: so many forms with this fault, how far they are settled, and the unit's own cause."""
    settled = "、".join(f"{state}{count}份" for state, count in states)
    said = f"；你单位说明的原因：{cause.rstrip('。；')}" if cause else ""
    once_more = f"；{again}已就同一原因要求整改" if again else ""
    return f"{item}差错{number}份（{source}；{settled}）{said}{once_more}。"
