"""Files that come in pieces: where the next piece must begin and how large it may be, wherever the pieces are kept."""

from __future__ import annotations

from django.utils.translation import gettext as _

from pilot.errors import Refused, StateChanged


class WrongOffset(StateChanged):
    """The piece does not follow what has come; ``received`` is where to go on, in bytes."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(_("已收到 %(n)s 字节，请从该处继续上传") % {"n": received})


def check_piece(*, received: int, size: int, offset: int, length: int, most: int) -> None:
    """Judge a piece of ``length`` bytes that begins at ``offset`` of a file of ``size``, all in bytes.

    Raises :class:`WrongOffset` when it does not follow what has come, :class:`Refused` when it is larger than
    ``most`` or than what is missing.
    """
    if offset != received:
        raise WrongOffset(received)
    if length > most:
        raise Refused(_("一次最多上传 %(n)s 字节") % {"n": most})
    if offset + length > size:
        raise Refused(_("收到的内容多于声明的 %(n)s 字节，请重新选择文件上传") % {"n": size})
