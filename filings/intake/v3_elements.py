"""The element names of the ICP part of a V3.0 upload; any other is refused, as unknown fields are."""

from __future__ import annotations

from typing import Final

_RECORD: Final = ("Baxx", "Xzxx", "Bgxx", "Zx_xx", "Fjxx", "Zt_xx", "Wz_xx", "Fj")
_SUBJECT: Final = (
    *("IspZtid", "Ztid", "Ztbah", "Baxh", "Dwmc", "Dwxz", "Tzr", "Bbfs", "Bz"),
    *("Txdz", "Shengid", "Shiid", "Xianid", "Xxdz", "Zj", "Zjlx", "Zjhm", "Zjzs"),
)
_PERSON: Final = (
    *("Fzr", "Wz_Fzr", "Fzr_xm", "Fzr_dhhm", "Fzr_sjhm", "Fzr_dzyj", "Fzr_zjlx", "Fzr_zjhm"),
    *("Msn", "Qq"),
)
_WEBSITE: Final = (
    *("IspWzid", "Wzid", "Wzbah", "Wzmc", "Syurl", "Wz_Bz", "Ym_xx", "IspYmid", "Ymid", "Ym"),
    *("Nrlx", "Nrlx_xx", "Nrlx_id", "Qzsph", "Spwj", "Fwnr", "Fwnr_id", "Yylb", "Yylb_id"),
)
_ACCESS: Final = (
    *("Jr_xx", "IspJrid", "Jrid", "Wzfb", "Fbdd", "Wzjrfs", "Jrfs"),
    *("Ip_xx", "IspIpid", "Ipid", "Qsip", "Zzip"),
)
_ATTACHMENT: Final = ("Fjwjgs", "Fjyt", "Fjnr", "Fjssdx", "Ssdxlx", "Ssdxbs", "Jlid")
_DEREGISTRATION: Final = ("Zxlb", "Zxly", "Zxlybz")

KNOWN_ELEMENTS: Final = frozenset(
    _RECORD + _SUBJECT + _PERSON + _WEBSITE + _ACCESS + _ATTACHMENT + _DEREGISTRATION
)
