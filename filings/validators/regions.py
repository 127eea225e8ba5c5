"""The 31 provinces that have a communications administration, in official order (GB/T 2260)."""

from __future__ import annotations

from typing import Final

PROVINCES: Final[dict[str, tuple[str, str]]] = {
    "110000": ("京", "北京市"),
    "120000": ("津", "天津市"),
    "130000": ("冀", "河北省"),
    "140000": ("晋", "山西省"),
    "150000": ("蒙", "内蒙古自治区"),
    "210000": ("辽", "辽宁省"),
    "220000": ("吉", "吉林省"),
    "230000": ("黑", "黑龙江省"),
    "310000": ("沪", "上海市"),
    "320000": ("苏", "江苏省"),
    "330000": ("浙", "浙江省"),
    "340000": ("皖", "安徽省"),
    "350000": ("闽", "福建省"),
    "360000": ("赣", "江西省"),
    "370000": ("鲁", "山东省"),
    "410000": ("豫", "河南省"),
    "420000": ("鄂", "湖北省"),
    "430000": ("湘", "湖南省"),
    "440000": ("粤", "广东省"),
    "450000": ("桂", "广西壮族自治区"),
    "460000": ("琼", "海南省"),
    "500000": ("渝", "重庆市"),
    "510000": ("蜀", "四川省"),
    "520000": ("黔", "贵州省"),
    "530000": ("滇", "云南省"),
    "540000": ("藏", "西藏自治区"),
    "610000": ("陕", "陕西省"),
    "620000": ("陇", "甘肃省"),
    "630000": ("青", "青海省"),
    "640000": ("宁", "宁夏回族自治区"),
    "650000": ("新", "新疆维吾尔自治区"),
}
"""Code → (sign in ICP numbers, name). No bureau exists for 兵团, Hong Kong, Macao or Taiwan."""

PROVINCE_PREFIXES: Final = frozenset(code[:2] for code in PROVINCES)
PROVINCE_BY_SIGN: Final = {sign: code for code, (sign, _) in PROVINCES.items()}


def is_region_code(value: str) -> bool:
    """Say whether ``value`` has the shape of a region code: six ASCII digits, the first not 0.

    County codes come and go, so no list of the year is held against them.
    """
    return len(value) == 6 and value.isascii() and value.isdigit() and value[0] != "0"
