"""Provinces as licences and official letters abbreviate them. Pure data."""

from __future__ import annotations

from typing import Final

from pilot.enums import Province

ABBREVIATIONS: Final[dict[Province, tuple[str, ...]]] = {
    Province.BEIJING: ("京",),
    Province.TIANJIN: ("津",),
    Province.HEBEI: ("冀",),
    Province.SHANXI: ("晋",),
    Province.NEIMENGGU: ("蒙",),
    Province.LIAONING: ("辽",),
    Province.JILIN: ("吉",),
    Province.HEILONGJIANG: ("黑",),
    Province.SHANGHAI: ("沪",),
    Province.JIANGSU: ("苏",),
    Province.ZHEJIANG: ("浙",),
    Province.ANHUI: ("皖",),
    Province.FUJIAN: ("闽",),
    Province.JIANGXI: ("赣",),
    Province.SHANDONG: ("鲁",),
    Province.HENAN: ("豫",),
    Province.HUBEI: ("鄂",),
    Province.HUNAN: ("湘",),
    Province.GUANGDONG: ("粤",),
    Province.GUANGXI: ("桂",),
    Province.HAINAN: ("琼",),
    Province.CHONGQING: ("渝",),
    Province.SICHUAN: ("川", "蜀"),
    Province.GUIZHOU: ("贵", "黔"),
    Province.YUNNAN: ("云", "滇"),
    Province.XIZANG: ("藏",),
    Province.SHAANXI: ("陕",),
    Province.GANSU: ("甘", "陇"),
    Province.QINGHAI: ("青",),
    Province.NINGXIA: ("宁",),
    Province.XINJIANG: ("新",),
}
"""The usual abbreviation first; four provinces have a second one that licences also carry."""
