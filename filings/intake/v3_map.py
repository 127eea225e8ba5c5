"""Turning V3.0 elements into the contract's fields.

Where the interface allows several values (``;`` lists, several domains or accesses), the first fills the
field and all are kept in ``lists`` under the field's JSON pointer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from filings.intake.fields import Record
from filings.rules import PERSON_NATURE, PERSONAL_CERT_TYPES, CertType, SubjectKind
from filings.validators.network import MAX_ADDRESS, format_ipv4

Lists = dict[str, list[Any]]

_ID_LENGTH: Final = 18


def text_of(element: Any, path: str) -> str | None:
    """Return the trimmed text at ``path``, ``None`` when absent or blank."""
    found = element.findtext(path)
    return found.strip() or None if found is not None else None


def number_of(value: str | None) -> int | str | None:
    """Return the integer a text spells; other text stays text, for the check to refuse by its type."""
    if value is not None and value.isascii() and value.isdigit() and len(value) <= _ID_LENGTH:
        return int(value)
    return value


def split_list(value: str | None) -> list[str]:
    """Return the items of a ``;`` list."""
    return [item.strip() for item in (value or "").replace("；", ";").split(";") if item.strip()]


def _present(**values: Any) -> Record:
    return {name: value for name, value in values.items() if value is not None}


def _first(values: list[Any], pointer: str, lists: Lists) -> Any:
    """Return the first of several values, keeping all under ``pointer`` when there are more."""
    if len(values) > 1:
        lists[pointer] = values
    return values[0] if values else None


def map_person(element: Any, base: str, lists: Lists) -> Record:
    """Map a responsible person (``Fzr``, ``Wz_Fzr``); a bare number of 18 characters is a citizen ID.

    Empty when there is none: an element that says nothing of anyone is as good as absent, as blank text is.
    """
    if element is None:
        return {}
    number = text_of(element, "Fzr_zjhm")
    cert_type = number_of(text_of(element, "Fzr_zjlx"))
    if cert_type is None and number is not None and len(number) == _ID_LENGTH:
        cert_type = int(CertType.CITIZEN_ID)
    return _present(
        name=text_of(element, "Fzr_xm"),
        cert_type=cert_type,
        cert_no=number,
        mobile=_first(split_list(text_of(element, "Fzr_sjhm")), f"{base}/mobile", lists),
        landline=_first(split_list(text_of(element, "Fzr_dhhm")), f"{base}/landline", lists),
        email=_first(split_list(text_of(element, "Fzr_dzyj")), f"{base}/email", lists),
    )


def map_subject(element: Any) -> Record:
    """Map a subject (``Zt_xx``); its nature may be left out for a person, whom the certificate then shows."""
    cert_type = number_of(text_of(element, "Zj/Zjlx"))
    nature = number_of(text_of(element, "Dwxz"))
    if nature is None and cert_type in PERSONAL_CERT_TYPES:
        nature = PERSON_NATURE
    return _present(
        name=text_of(element, "Dwmc"),
        nature=nature,
        cert_type=cert_type,
        cert_no=text_of(element, "Zj/Zjhm"),
        cert_address=text_of(element, "Zj/Zjzs"),
        city=text_of(element, "Txdz/Shiid"),
        county=text_of(element, "Txdz/Xianid"),
        post_address=text_of(element, "Txdz/Xxdz"),
        investor=text_of(element, "Tzr"),
    )


def map_principal(element: Any, subject: Record, lists: Lists) -> Record:
    """Map the subject's responsible person; what a person subject leaves out is the subject itself."""
    principal = map_person(element.find("Fzr"), "/principal", lists)
    if principal and subject.get("nature") == PERSON_NATURE:
        principal = {
            **{key: subject[key] for key in ("name", "cert_type", "cert_no") if key in subject},
            **principal,
        }
    return principal


def kind_of(subject: Record) -> str | None:
    """Return the kind of subject its nature makes, ``None`` when that is unreadable."""
    nature = subject.get("nature")
    if not isinstance(nature, int):
        return None
    return SubjectKind.PERSON.value if nature == PERSON_NATURE else SubjectKind.UNIT.value


def map_website(element: Any, base: str, lists: Lists) -> Record:
    """Map a website (``Wz_xx``) with its first domain, access and approval."""
    accesses = element.findall("Jr_xx")
    domains = [domain for domain in (text_of(item, "Ym") for item in element.findall("Ym_xx")) if domain]
    approvals = [_map_approval(item) for item in element.findall("Nrlx/Nrlx_xx")]
    return _present(
        site_name=_first(split_list(text_of(element, "Wzmc")), f"{base}/site_name", lists),
        domain=_first(domains, f"{base}/domain", lists),
        home_url=text_of(element, "Syurl"),
        service_content=_codes(element, "Fwnr/Fwnr_id"),
        languages=_codes(element, "Yylb/Yylb_id"),
        approval=_first(approvals, f"{base}/approval", lists),
        principal=map_person(element.find("Wz_Fzr"), f"{base}/principal", lists) or None,
        access=map_access(accesses, f"{base}/access", lists) if accesses else None,
    )


def _map_approval(element: Any) -> Record:
    return _present(type=number_of(text_of(element, "Nrlx_id")), number=text_of(element, "Qzsph"))


def _codes(element: Any, path: str) -> list[Any] | None:
    values = [number_of((item.text or "").strip()) for item in element.findall(path)]
    return values or None


def map_access(elements: list[Any], base: str, lists: Lists) -> Record:
    """Map one or more accesses (``Jr_xx``, or the record of XZJR itself).

    The places (``Fbdd``) are kept as given.
    """
    modes = _collect(elements, "Wzjrfs/Jrfs", lambda item: number_of((item.text or "").strip()))
    ranges = _collect(elements, "Ip_xx", _map_range)
    lists[f"{base}/server_place"] = _collect(elements, "Wzfb/Fbdd", lambda item: (item.text or "").strip())
    mode = _first(modes, f"{base}/mode", lists)
    first_range = _first(ranges, f"{base}/ip", lists) or {}
    return _present(mode=mode, **first_range)


def _collect(elements: list[Any], path: str, convert: Callable[[Any], Any]) -> list[Any]:
    return [convert(item) for element in elements for item in element.findall(path)]


def _map_range(element: Any) -> Record:
    return _present(ip_from=_address(text_of(element, "Qsip")), ip_to=_address(text_of(element, "Zzip")))


def _address(value: str | None) -> str | None:
    """Return the dotted quad of an address sent as an unsigned integer.

    Other text stays, and is refused later.
    """
    number = number_of(value)
    return format_ipv4(number) if isinstance(number, int) and number <= MAX_ADDRESS else value
