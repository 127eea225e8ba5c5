"""A test run of an applicant's system: a test set with its key goes out, a result file comes back and is counted.

The key says of every sample whether it is genuine (the person is who the certificate says) or an impostor. The
applicant is told the samples only; its result file says of each whether its system accepts or rejects it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Final

from django.utils.translation import gettext as _

from filings.accuracy.intervals import clopper_pearson
from pilot.errors import Refused
from pilot.formulas import FORMULA_STARTS

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_SAMPLES: Final = 100_000
SHOWN_FAULTS: Final = 5
GENUINE, IMPOSTOR = "genuine", "impostor"
ACCEPT, REJECT = "accept", "reject"
KEY_HEAD: Final = ("sample", "expected")
RESULT_HEAD: Final = ("sample", "result")
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What came out. A sample without a result counts against the system: it is wrong whatever it is."""

    genuine: int
    impostors: int
    false_rejects: int
    false_accepts: int
    missing: int

    def as_json(self) -> dict[str, int]:
        """The counts as they are kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rate:
    """An error rate with its exact two-sided 95 % interval (Clopper–Pearson), as fractions of one."""

    errors: int
    n: int
    lower: Fraction
    upper: Fraction


def read_key(content: bytes) -> dict[str, str]:
    """The key {sample: genuine | impostor} from a CSV with the columns ``sample,expected``.

    Raises :class:`Refused` naming the first faulty lines; nothing of a faulty key is taken. Both kinds must occur.
    """
    key = _read(content, KEY_HEAD, (GENUINE, IMPOSTOR))
    if len(set(key.values())) < 2:
        raise Refused(_("测试集须同时含真样本（genuine）和假样本（impostor）"))
    # The applicant gets them as a CSV; prefixed like other cells they would be other samples.
    if formulas := [sample for sample in key if sample.startswith(FORMULA_STARTS)]:
        raise Refused(_("样本编号不得以 =、+、-、@ 开头：%(what)s") % {"what": _some(formulas)})
    return key


def read_results(content: bytes, key: Mapping[str, str]) -> dict[str, str]:
    """The results {sample: accept | reject} from a CSV with the columns ``sample,result``.

    Raises :class:`Refused` for faulty lines and for samples that are not in the test set.
    """
    results = _read(content, RESULT_HEAD, (ACCEPT, REJECT))
    if unknown := sorted(set(results) - set(key)):
        raise Refused(_("测试集中没有这些样本：%(what)s") % {"what": _some(unknown)})
    return results


def count(key: Mapping[str, str], results: Mapping[str, str]) -> Counts:
    """Count a result file against the key."""
    genuine = [sample for sample, kind in key.items() if kind == GENUINE]
    impostors = [sample for sample, kind in key.items() if kind == IMPOSTOR]
    return Counts(
        genuine=len(genuine),
        impostors=len(impostors),
        false_rejects=sum(results.get(sample) != ACCEPT for sample in genuine),
        false_accepts=sum(results.get(sample) != REJECT for sample in impostors),
        missing=len(set(key) - set(results)),
    )


def rate(errors: int, n: int) -> Rate:
    """The error rate of ``n`` samples with its interval."""
    accuracy = clopper_pearson(errors, n)
    return Rate(errors, n, 1 - accuracy.upper, 1 - accuracy.lower)


def false_accept_rate(counts: Counts) -> Rate:
    """误识率: impostors taken for the person, of all impostors."""
    return rate(counts.false_accepts, counts.impostors)


def false_reject_rate(counts: Counts) -> Rate:
    """拒识率: genuine samples turned away, of all genuine samples."""
    return rate(counts.false_rejects, counts.genuine)


def point(errors: int, n: int) -> str:
    """The rate as a percentage, rounded up."""
    return _percent(-(-errors * PPM // n))


def is_rounded(errors: int, n: int) -> bool:
    """Whether the percentage is more than the rate."""
    return errors * PPM % n != 0


def shown(found: Rate) -> str:
    """The rate as a percentage, errors / n, and the interval. The rate is rounded up, the interval outwards."""
    return _("%(point)s（%(errors)s / %(n)s，95%% 置信区间 %(lower)s–%(upper)s）") % {
        "point": point(found.errors, found.n),
        "errors": f"{found.errors:,}",
        "n": f"{found.n:,}",
        "lower": _percent(math.floor(found.lower * PPM)),
        "upper": _percent(math.ceil(found.upper * PPM)),
    }


def _percent(ppm: int) -> str:
    whole, decimals = divmod(ppm, PPM // 100)
    return f"{whole}.{decimals:04d}%"


def _read(content: bytes, head: tuple[str, str], values: tuple[str, str]) -> dict[str, str]:
    rows = _rows(content)
    if not rows or tuple(cell.strip().lower() for cell in rows[0][:2]) != head:
        raise Refused(_("第一行应为 %(head)s") % {"head": ",".join(head)})
    found: dict[str, str] = {}
    faulty: list[str] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row[:2]]
        if len(cells) < 2 or not cells[0] or cells[1].lower() not in values or cells[0] in found:
            faulty.append(str(number))
            continue
        found[cells[0]] = cells[1].lower()
    if faulty:
        raise Refused(
            _("第 %(lines)s 行有误：每行一个样本编号和 %(values)s，编号不得重复")
            % {"lines": _some(faulty), "values": " / ".join(values)}
        )
    if not found:
        raise Refused(_("文件没有数据行"))
    return found


def check_size(size: int) -> None:
    """Raise :class:`Refused` for a file of more bytes than are taken."""
    if size > MAX_BYTES:
        raise Refused(_("文件超过 %(limit)s MB 的上限") % {"limit": MAX_BYTES // 1024 // 1024})


def _rows(content: bytes) -> list[list[str]]:
    check_size(len(content))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise Refused(_("文件不是 UTF-8 或 GBK 编码的 CSV"))
    try:
        if "\0" in text:  # the reader takes it for a letter, the database for none
            raise csv.Error("line contains NUL")
        rows = [
            row for row in csv.reader(io.StringIO(text), strict=True) if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise Refused(_("文件不是 CSV：%(why)s") % {"why": error}) from error
    if len(rows) > MAX_SAMPLES + 1:
        raise Refused(_("样本数超过 %(limit)s") % {"limit": MAX_SAMPLES})
    return rows


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    words = _("、").join(listed[:SHOWN_FAULTS])
    return (
        words
        if len(listed) <= SHOWN_FAULTS
        else _("%(first)s 等 %(n)s 处") % {"first": words, "n": len(listed)}
    )
