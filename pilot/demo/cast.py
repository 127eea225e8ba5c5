"""Who plays in the demonstration: invented providers with their fate, and the logins of everybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pilot.enums import Province

PASSWORD = "pilot-demo-2019"  # noqa: S105  (printed on the screen: the world is invented)


class Fate(StrEnum):
    """What becomes of an application in the end."""

    UNIT = "unit"
    OBJECTED = "objected"  # fails the assessment, objects, is taken into the second list
    DISMISSED = "dismissed"  # fails the assessment, objects in vain
    FAILED = "failed"
    NOT_RECOMMENDED = "not_recommended"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_LATE = "withdrawn_late"  # after acceptance
    DRAFT = "draft"
    LATE = "late"  # by late admission, not recommended in the end
    CORRECTED = "corrected"  # returned once, then recommended, fails the assessment


@dataclass(frozen=True, slots=True)
class Applicant:
    """One invented provider: its number in the cast, where it is registered, when it applies, what becomes of it."""

    number: int
    province: int
    day: int  # of April 2019
    fate: Fate

    @property
    def name(self) -> str:
        return f"示例云{NAMES[self.number - 1]}网络科技有限公司"

    @property
    def login(self) -> str:
        return f"provider{self.number:02d}"

    @property
    def uscc(self) -> str:
        body = f"91{self.province}0000{self.number:08d}X"
        total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
        return body + _ALPHABET[(31 - total % 31) % 31]


_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100
# Names of stars and lunar mansions, two characters each.
_STARS = (
    "启明长庚天枢天璇天玑天权玉衡开阳摇光紫微太微天市角宿亢宿氐宿房宿心宿尾宿箕宿斗宿牛宿女宿"
    "虚宿危宿室宿壁宿奎宿娄宿胃宿昴宿毕宿觜宿参宿井宿鬼宿柳宿星宿张宿翼宿轸宿河鼓织女天津北落"
)
NAMES = [_STARS[index : index + 2] for index in range(0, len(_STARS), 2)]

_F, _P = Fate, Province
_PARTS: list[tuple[int, int, Fate]] = [
    # The first unit is registered in Beijing: the list sorts by province, and 1001 is the clean one.
    (_P.BEIJING, 1, _F.UNIT), (_P.BEIJING, 3, _F.UNIT), (_P.TIANJIN, 2, _F.REFUSED),
    (_P.HEBEI, 4, _F.NOT_RECOMMENDED), (_P.SHANXI, 8, _F.FAILED), (_P.LIAONING, 9, _F.CORRECTED),
    (_P.JILIN, 2, _F.LAPSED), (_P.HEILONGJIANG, 10, _F.DRAFT), (_P.SHANGHAI, 1, _F.UNIT),
    (_P.SHANGHAI, 8, _F.OBJECTED), (_P.JIANGSU, 2, _F.FAILED), (_P.JIANGSU, 9, _F.FAILED),
    (_P.ZHEJIANG, 3, _F.UNIT), (_P.ZHEJIANG, 11, _F.NOT_RECOMMENDED), (_P.ANHUI, 10, _F.FAILED),
    (_P.FUJIAN, 4, _F.UNIT), (_P.FUJIAN, 11, _F.WITHDRAWN), (_P.JIANGXI, 9, _F.REFUSED),
    (_P.SHANDONG, 2, _F.UNIT), (_P.SHANDONG, 11, _F.CORRECTED), (_P.HENAN, 10, _F.NOT_RECOMMENDED),
    (_P.HUBEI, 8, _F.DISMISSED), (_P.HUNAN, 11, _F.WITHDRAWN_LATE), (_P.GUANGDONG, 1, _F.UNIT),
    (_P.GUANGDONG, 9, _F.FAILED), (_P.GUANGDONG, 11, _F.NOT_RECOMMENDED), (_P.GUANGXI, 10, _F.LAPSED),
    (_P.HAINAN, 11, _F.DRAFT), (_P.CHONGQING, 4, _F.FAILED), (_P.SICHUAN, 8, _F.CORRECTED),
    (_P.GUIZHOU, 9, _F.FAILED), (_P.YUNNAN, 11, _F.NOT_RECOMMENDED), (_P.SHAANXI, 10, _F.FAILED),
    (_P.GANSU, 11, _F.WITHDRAWN), (_P.NINGXIA, 4, _F.CORRECTED), (_P.XINJIANG, 15, _F.NOT_RECOMMENDED),
    (_P.BEIJING, 15, _F.FAILED), (_P.SHANGHAI, 14, _F.NOT_RECOMMENDED), (_P.JIANGSU, 15, _F.WITHDRAWN_LATE),
    (_P.ZHEJIANG, 15, _F.FAILED), (_P.GUANGDONG, 15, _F.FAILED), (_P.HUBEI, 14, _F.REFUSED),
    (_P.SICHUAN, 15, _F.DRAFT), (_P.TIANJIN, 19, _F.LATE),
]  # fmt: skip
APPLICANTS = [Applicant(n, province, day, fate) for n, (province, day, fate) in enumerate(_PARTS, start=1)]

ASSESSED = {Fate.UNIT, Fate.OBJECTED, Fate.DISMISSED, Fate.FAILED, Fate.CORRECTED}
REVIEWED = ASSESSED | {Fate.NOT_RECOMMENDED, Fate.LATE}


def of_fate(*fates: Fate) -> list[Applicant]:
    """The applicants with one of these fates, in the order of the cast."""
    return [a for a in APPLICANTS if a.fate in fates]
