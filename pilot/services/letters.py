"""What every official paper carries: the words of the programme, who speaks to whom, its number and date.

Papers are Chinese whatever language the person works in, so nothing here goes through gettext.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pilot.enums import Province
from pilot.models import Organisation, Programme
from pilot.pdf import cn_date
from pilot.provinces import ABBREVIATIONS
from pilot.rules import local_day
from pilot.selectors import programmes
from pilot.services import numbers


def programme_words(programme: Programme) -> dict[str, str]:
    """``notice``, ``number``, ``form_name`` and ``ministry`` as documents quote them (programme data)."""
    return {
        "notice": programmes.rule(programme, "notice_title") or programme.title,
        "number": programme.number,
        "form_name": programmes.rule(programme, "form_name") or "申请表",
        "ministry": programmes.rule(programme, "ministry_name") or "部机关",
    }


def head(*, programme: Programme, issuer: Organisation, addressee: str, at: datetime) -> dict[str, Any]:
    """The keys of ``documents/_letter.html``; takes the next document number of the issuer's year.

    Numbers carry 试点函 so that they never meet the issuer's own numbering outside the portal.
    """
    year = local_day(at).year
    prefix = f"{ABBREVIATIONS[Province(issuer.province)][0]}通管" if issuer.province else "信管"
    number = numbers.next_in(f"letter-{issuer.province or 0}-{year}")
    return {
        "programme": programme_words(programme),
        "issuer": issuer.name,
        "doc_number": f"{prefix}试点函〔{year}〕{number}号",
        "addressee": addressee,
        "issued_on": cn_date(local_day(at)),
        "contact": f"联系电话：{issuer.phone}" if issuer.phone else "",
    }


def last_day(due: datetime) -> str:
    """The last day of a period that ends at ``due`` (half-open), written out."""
    return cn_date(local_day(due - timedelta(microseconds=1)))
