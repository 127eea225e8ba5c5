"""Names of uploaded files: shown and kept, never used on disk. What misleads a reader is refused. Pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from applications.validators.limits import BrokenRule, Rule

MAX_NAME: Final = 120  # characters kept
DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
PROGRAM: Final = re.compile(
    r"\.(exe|com|bat|cmd|scr|pif|msi|dll|lnk|ps1|vb[se]|jse?|jar|hta|wsf|reg|sh|py|php|jsp|aspx?|x?html?|svg)",
    re.IGNORECASE,
)


def check(name: str) -> None:
    """Raises :class:`BrokenRule` for a name that hides what the file is or where it would go."""
    if any(c in DIRECTION or unicodedata.category(c) == "Cc" for c in name):
        raise BrokenRule(Rule.NAME_CHARACTERS)
    path = PurePosixPath(name.replace("\\", "/"))
    if ".." in path.parts:
        raise BrokenRule(Rule.NAME_PATH)
    if DEVICES.fullmatch(path.name.strip(" .")):
        raise BrokenRule(Rule.NAME_DEVICE)
    inner = [suffix.strip() for suffix in path.suffixes[:-1]]
    if found := next(filter(PROGRAM.fullmatch, inner), None):
        raise BrokenRule(Rule.NAME_PROGRAM, found.lower())


def safe(name: str) -> str:
    """The name as it is kept: no folders, no invisible characters, at most ``MAX_NAME`` characters, suffix kept."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    path = PurePosixPath(cleaned or "file")
    suffix = path.suffix[:MAX_NAME]
    return path.stem[: MAX_NAME - len(suffix)] + suffix
