"""A form as a record of the national V3.0 upload (XZBA): the reverse of ``intake.v3_map``, for synthetic files."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Any, Final

from lxml import etree

Form = dict[str, Any]

PICTURE: Final = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////"
    "////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8A"
    "T//Z"
)
"""The smallest grey JPEG, since synthetic forms hold only the metadata of their pictures."""

_USES: Final = (
    # use of our contract that asks for it, Fjyt, kind of owner
    (None, "1", "1"),
    ("subject_cert", "2", "1"),
    ("principal_id_front", "3", "1"),
    ("principal_id_back", "4", "2"),
    ("face", "5", "2"),
)


def record_element(form: Form, number: int) -> Any:
    """The ``Baxx`` of a form; ``number`` is the provider's own id of subject, website, domain, access and range."""
    record = etree.Element("Baxx")
    _add(record, "Zt_xx", **_subject(form, number))
    for site in form.get("websites", ()):
        _add(record, "Wz_xx", **_website(site, number))
    uses = {image.get("use") for image in form.get("images", ())}
    for use, purpose, owner in _USES:
        if use is None or use in uses:
            picture = {"Fjwjgs": "1", "Fjyt": purpose, "Fjnr": PICTURE}
            _add(record, "Fj", Fjxx={**picture, "Fjssdx": {"Ssdxlx": owner, "Ssdxbs": number}})
    return record


def _subject(form: Form, number: int) -> Form:
    subject = form["subject"]
    address = {
        "Shengid": form.get("subject_province"),
        "Shiid": subject.get("city"),
        "Xianid": subject.get("county"),
        "Xxdz": subject.get("post_address"),
    }
    certificate = {
        "Zjlx": subject.get("cert_type"),
        "Zjhm": subject.get("cert_no"),
        "Zjzs": subject.get("cert_address"),
    }
    return {
        "IspZtid": number,
        "Dwmc": subject.get("name"),
        "Dwxz": subject.get("nature"),
        "Txdz": address,
        "Zj": certificate,
        "Tzr": subject.get("investor"),
        "Fzr": _person(form["principal"]),
        "Bbfs": 1,
    }


def _person(person: Form) -> Form:
    return {
        "Fzr_xm": person.get("name"),
        "Fzr_dhhm": person.get("landline"),
        "Fzr_sjhm": person.get("mobile"),
        "Fzr_dzyj": person.get("email"),
        "Fzr_zjlx": person.get("cert_type"),
        "Fzr_zjhm": person.get("cert_no"),
    }


def _website(site: Form, number: int) -> Form:
    access = site.get("access", {})
    return {
        "IspWzid": number,
        "Wzmc": site.get("site_name"),
        "Fwnr": {"Fwnr_id": site.get("service_content")},
        "Yylb": {"Yylb_id": site.get("languages")},
        "Ym_xx": {"IspYmid": number, "Ym": site.get("domain")},
        "Jr_xx": {
            "IspJrid": number,
            "Wzfb": {"Fbdd": 1},
            "Wzjrfs": {"Jrfs": access.get("mode")},
            "Ip_xx": {
                "IspIpid": number,
                "Qsip": _unsigned(access.get("ip_from")),
                "Zzip": _unsigned(access.get("ip_to")),
            },
        },
        "Wz_Fzr": _person(site["principal"]),
        "Syurl": site.get("home_url"),
    }


def _unsigned(address: Any) -> Any:
    """An address as the unsigned integer the interface wants; what is no address stays as it is."""
    try:
        return int(IPv4Address(address))
    except AddressValueError:
        return address


def _add(parent: Any, name: str, **members: Any) -> None:
    element = etree.SubElement(parent, name)
    for tag, value in members.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _add(element, tag, **item)
            elif item is not None:
                etree.SubElement(element, tag).text = str(item)
