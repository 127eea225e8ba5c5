"""Shortcuts of one letter on the three desks, as their dialogs list them; the keys themselves are in the scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

type Shortcut = tuple[tuple[str, ...], Promise]

SELF: Final[Shortcut] = (("?",), _("本说明"))
SHORTCUTS: Final[Mapping[str, Sequence[Shortcut]]] = {
    "review": (
        (("j", "k"), _("下一件、上一件")),
        (("n", "p"), _("清单中下一项、上一项")),
        (("1", "2", "3"), _("当前项：符合、不符合、不适用")),
        (("a",), _("到办理按钮")),
        (("[", "]"), _("材料上一页、下一页")),
        (("r",), _("当前项引用正在看的页")),
        (("/",), _("在材料中查找")),
        SELF,
    ),
    "opinion": (
        (("j", "k"), _("下一件、上一件")),
        (("n", "p"), _("下一项条件、上一项条件")),
        (("1", "2", "3"), _("当前条件：符合、不符合、不适用")),
        (("o",), _("打开当前条件的第一份材料")),
        SELF,
    ),
    "inspect": (
        (("a",), _("到“全部正确”，再按 Enter 记录")),
        (("n", "p"), _("下一项、上一项")),
        (("x",), _("当前项有差错、没有差错")),
        (("r",), _("到差错说明")),
        (("s",), _("到“记录差错”；在说明中按 Ctrl+Enter 直接记录")),
        (("u",), _("显示完整内容")),
        SELF,
    ),
}
"""Desk → its keys in the order of the dialog. Verdicts are chosen when an opinion is drafted, not when it is signed."""


def of_desk(desk: str, *, choosing: bool = True) -> list[Shortcut]:
    """The shortcuts of a desk; without those of choices where there is nothing to choose."""
    return [shortcut for shortcut in SHORTCUTS[desk] if choosing or "1" not in shortcut[0]]
