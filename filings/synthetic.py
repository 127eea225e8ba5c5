"""Synthetic verification forms and the authority extract that matches them, for demo, tests and benchmarks.

Nothing here belongs to anyone: names carry 示例, mail goes to example.cn, numbers are drawn with valid check
digits. The same arguments give the same forms.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Container, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from filings.rules import CHECK_ITEMS, ImageUse, SubjectKind
from filings.validators.certificates import USCC_ALPHABET, id_check_character, uscc_check_character
from filings.validators.regions import PROVINCES

Form = dict[str, Any]

_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰涛明超霞平刚桂"
_TRADES: Final = ("网络科技", "信息技术", "数据服务", "电子商务", "文化传媒")
_METHODS: Final = ("face", "lip", "action")
_MOBILE_HEADS: Final = ("130", "139", "150", "158", "166", "177", "186", "199")
_PERSON_SHARE: Final = 0.27
_MIN_IMAGE: Final = 20_000
_MAX_IMAGE: Final = 100_000


class SyntheticForm(NamedTuple):
    """A form, and the one error code planted in it (``None``: a form without fault)."""

    record: Form
    planted: str | None


class AuthorityRow(NamedTuple):
    """One row of an authority extract, in the order of its columns."""

    cert_type: int
    cert_no: str
    name: str
    valid_from: str
    valid_to: str


def make_forms(
    n: int,
    *,
    unit_code: str,
    seed: int,
    error_rate: float = 0.0,
    collected_from: datetime,
    collected_to: datetime,
    provinces: Iterable[str] = tuple(PROVINCES),
) -> Iterator[SyntheticForm]:
    """Yield ``n`` forms of one unit, collected in ``[collected_from, collected_to)`` (aware), numbered from 0.

    A form's last time lies three minutes after its collection, so receipt must be at least that much later.
    With ``error_rate`` from 0 to 1, about that share has one fault each, of varied kinds.
    """
    rng = Random(f"{unit_code}:{seed}")  # noqa: S311 (repeatable test data, no secret)
    maker = _Maker(rng, unit_code, seed, collected_from, collected_to, tuple(provinces))
    for index in range(n):
        form = maker.form(index)
        planted = None
        if error_rate and rng.random() < error_rate:
            fault = rng.choice(FAULTS)
            fault.plant(form)
            planted = fault.code
        yield SyntheticForm(form, planted)


def authority_rows(
    forms: Iterable[Form], *, differ: Container[str] = (), missing: Container[str] = ()
) -> Iterator[AuthorityRow]:
    """Yield the authority's record of every subject and principal, each certificate once.

    ``differ`` and ``missing`` hold form numbers: for those the principal's name differs, or the record of the
    principal is missing. An authority knows a person once, so both act on all forms of the same person.
    """
    seen: set[tuple[int, str]] = set()
    for form in forms:
        subject, principal = form["subject"], form["principal"]
        for holder in (principal, subject):
            key = (holder["cert_type"], holder["cert_no"])
            if key in seen:
                continue
            seen.add(key)
            concerned = key == (principal["cert_type"], principal["cert_no"])
            if concerned and form["form_no"] in missing:
                continue
            name = holder["name"]
            if concerned and form["form_no"] in differ:
                name += "（异）"
            yield AuthorityRow(*key, name, "2010-01-01", "")


class _Maker:
    """Draws forms one after another."""

    def __init__(
        self,
        rng: Random,
        unit_code: str,
        seed: int,
        start: datetime,
        end: datetime,
        provinces: tuple[str, ...],
    ) -> None:
        self.rng = rng
        self.tag = re.sub(r"[^a-z0-9]", "", unit_code.lower())[:16] or "unit"
        self.seed = seed
        self.start = start
        self.seconds = max(1, int((end - start).total_seconds()))
        self.provinces = provinces

    def form(self, index: int) -> Form:
        """Return the form of this index."""
        rng = self.rng
        province = rng.choice(self.provinces)
        personal = rng.random() < _PERSON_SHARE
        collected = self.start + timedelta(seconds=rng.randrange(self.seconds))
        times = [(collected + timedelta(minutes=minute)).isoformat() for minute in range(4)]
        principal = self.person(province)
        subject = self.subject(province, index, principal if personal else None)
        checks = dict.fromkeys(CHECK_ITEMS, "yes") | {"approval": "na"}
        if personal:
            checks["subject_cert"] = "na"
        return {
            "form_no": f"SL-{self.tag}-{self.seed}-{index:08d}",
            "filing_type": "new_filing",
            "subject_province": province,
            "subject_kind": (SubjectKind.PERSON if personal else SubjectKind.UNIT).value,
            "collection_methods": rng.sample(_METHODS, rng.randint(1, len(_METHODS))),
            "collected_at": times[0],
            "liveness_result": "pass",
            "liveness_score": f"0.9{rng.randrange(1, 1000):03d}",
            "compare_supplied_cert": {"result": "consistent", "at": times[1]},
            "compare_authority_db": {
                "result": "consistent",
                "at": times[2],
                "database": "population" if personal else "organisation",
                "query_id": f"Q{self.tag}{self.seed}{index:08d}",
            },
            "subject": subject,
            "principal": principal,
            "websites": [self.website(province, index, principal)],
            "checks": checks,
            "images": self.images(personal),
            "verifier_name": self.name(),
            "verifier_promise_at": times[3],
        }

    def name(self) -> str:
        """Return the name of an invented person."""
        return self.rng.choice(_SURNAMES) + "示例" + self.rng.choice(_GIVEN) + self.rng.choice(_GIVEN)

    def digits(self, count: int) -> str:
        """Return so many random digits."""
        return f"{self.rng.randrange(10**count):0{count}d}"

    def person(self, province: str) -> Form:
        """Return a responsible person with a citizen ID of the province."""
        rng = self.rng
        birth = f"{rng.randint(1955, 1998)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
        body = f"{province[:2]}0{rng.randint(1, 9)}0{rng.randint(1, 9)}{birth}{self.digits(3)}"
        return {
            "name": self.name(),
            "cert_type": 2,
            "cert_no": body + id_check_character(body),
            "mobile": rng.choice(_MOBILE_HEADS) + self.digits(8),
            "landline": f"010-{rng.randint(2, 8)}{self.digits(7)}",
            "email": f"u{self.digits(7)}@example.cn",
        }

    def subject(self, province: str, index: int, person: Form | None) -> Form:
        """Return a subject: the given person, or a company of the province."""
        address = f"示例省示例市示例区示例路{index + 1}号"
        if person is not None:
            identity = {"name": person["name"], "nature": 5, "cert_type": 2, "cert_no": person["cert_no"]}
        else:
            body = f"91{province}" + "".join(self.rng.choices(USCC_ALPHABET, k=9))
            name = f"示例{self.rng.choice(_GIVEN)}{self.rng.choice(_GIVEN)}{self.rng.choice(_TRADES)}有限公司"
            identity = {
                "name": name,
                "nature": 4,
                "cert_type": 1,
                "cert_no": body + uscc_check_character(body),
            }
        return {
            **identity,
            "cert_address": address,
            "city": f"{province[:2]}0100",
            "county": f"{province[:2]}0101",
            "post_address": f"{address}2层201室",
        }

    def website(self, province: str, index: int, principal: Form) -> Form:
        """Return a website whose responsible person is the principal."""
        domain = f"shili-{self.tag}-{self.seed}-{index}.cn"
        address = f"47.{self.rng.randint(1, 250)}.{self.rng.randint(1, 250)}.10"
        return {
            "site_name": f"示例主页{index}",
            "domain": domain,
            "home_url": f"www.{domain}",
            "service_content": [1],
            "languages": [1],
            "principal": dict(principal),
            "access": {
                "mode": 16,
                "server_place": f"{province[:2]}0100",
                "ip_from": address,
                "ip_to": address,
            },
        }

    def images(self, personal: bool) -> list[Form]:
        """Return the metadata of the required pictures."""
        uses = [ImageUse.FACE, ImageUse.PRINCIPAL_ID_FRONT, ImageUse.PRINCIPAL_ID_BACK]
        if not personal:
            uses.append(ImageUse.SUBJECT_CERT)
        return [
            {
                "use": use.value,
                "format": "jpg",
                "sha256": f"{self.rng.getrandbits(256):064x}",
                "bytes": self.rng.randint(_MIN_IMAGE, _MAX_IMAGE),
            }
            for use in uses
        ]


class Fault(NamedTuple):
    """A way to spoil a sound form so that exactly ``code`` is found."""

    code: str
    plant: Callable[[Form], None]


def _set(value: object, *path: str | int) -> Callable[[Form], None]:
    def plant(form: Form) -> None:
        target: Any = form
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = copy.deepcopy(value)

    return plant


def _remove(*path: str | int) -> Callable[[Form], None]:
    def plant(form: Form) -> None:
        target: Any = form
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return plant


def _everywhere(change: Callable[[str], str]) -> Callable[[Form], None]:
    """Change the principal's certificate number at every mention, as one slip at the source would."""

    def plant(form: Form) -> None:
        number = form["principal"]["cert_no"]
        for holder in (form["subject"], form["principal"], form["websites"][0]["principal"]):
            if holder["cert_no"] == number:
                holder["cert_no"] = change(number)

    return plant


def _other_check_digit(number: str) -> str:
    return number[:17] + ("1" if number[17] != "1" else "2")


def _thirtieth_of_february(number: str) -> str:
    body = f"{number[:10]}0230{number[14:17]}"
    return body + id_check_character(body)


def _other_city(form: Form) -> None:
    form["subject"]["city"] = "650100" if form["subject_province"] != "650000" else "110100"


def _promise_too_early(form: Form) -> None:
    form["verifier_promise_at"] = form["collected_at"]


def _other_database(form: Form) -> None:
    comparison = form["compare_authority_db"]
    comparison["database"] = "organisation" if comparison["database"] == "population" else "population"


def _swapped_range(form: Form) -> None:
    form["websites"][0]["access"].update(ip_from="47.100.1.20", ip_to="47.100.1.10")


def _domain_for_a_name(form: Form) -> None:
    site = form["websites"][0]
    site["site_name"] = site["domain"]


def _sub_domain(form: Form) -> None:
    site = form["websites"][0]
    site["domain"] = f"www.{site['domain']}"


FAULTS: Final = (
    Fault("cert.check_digit", _everywhere(_other_check_digit)),
    Fault("cert.date", _everywhere(_thirtieth_of_february)),
    Fault("cert.format", _everywhere(lambda number: number[:17] + "#")),
    Fault("cert.type_for_nature", _set(24, "subject", "cert_type")),
    Fault("check.na_not_allowed", _set("na", "checks", "mobile")),
    Fault("check.not_passed", _set("no", "checks", "domain")),
    Fault("compare.database", _other_database),
    Fault("compare.inconsistent", _set("inconsistent", "compare_authority_db", "result")),
    Fault("domain.format", _set("示例", "websites", 0, "domain")),
    Fault("domain.subdomain", _sub_domain),
    Fault("email.format", _set("nobody.example.cn", "principal", "email")),
    Fault("field.enum", _set("gait", "collection_methods", 0)),
    Fault("field.format", _set("yesterday", "compare_supplied_cert", "at")),
    Fault("field.length", _set("示" * 1025, "subject", "post_address")),
    Fault("field.required", _remove("verifier_name")),
    Fault("field.type", _set("1", "websites", 0, "access", "mode")),
    Fault("field.unknown", _set("x", "extra_note")),
    Fault("image.missing", _remove("images", 0)),
    Fault("image.size", _set(500_000, "images", 0, "bytes")),
    Fault("ip.not_public", _set("192.168.1.10", "websites", 0, "access", "ip_from")),
    Fault("ip.range", _swapped_range),
    Fault("liveness.not_passed", _set("fail", "liveness_result")),
    Fault("name.improper", _domain_for_a_name),
    Fault("phone.landline", _set("010-00000000", "principal", "landline")),
    Fault("phone.mobile", _set("12013800138", "principal", "mobile")),
    Fault("region.mismatch", _other_city),
    Fault("time.order", _promise_too_early),
    Fault("url.host_differs", _set("www.example.cn", "websites", 0, "home_url")),
)
"""One fault of every kind that a row shows by itself, whatever the unit and its run phase."""
