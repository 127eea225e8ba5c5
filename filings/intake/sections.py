"""The parts of a form: each function judges one part and writes its normalised fields.

A rule that needs a value already found at fault is not judged, so one mistake gives one error.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final, NamedTuple

from filings.intake.fields import FieldReader, Record
from filings.rules import (
    ACCESS_MODES,
    CERT_TYPES_BY_NATURE,
    CHECK_ITEMS,
    MAX_IMAGE_BYTES,
    PERSON_NATURE,
    PERSONAL_CERT_TYPES,
    SERVICE_CONTENT_NEEDING_APPROVAL,
    CertType,
    CheckAnswer,
    ImageUse,
    SubjectKind,
)
from filings.validators.certificates import certificate_faults
from filings.validators.contacts import is_email, is_landline, is_mobile
from filings.validators.domains import check_domain, host_of, is_at_or_below
from filings.validators.names import is_domain_itself, is_improper
from filings.validators.network import is_public, parse_ipv4

SUBJECT_FIELDS: Final = frozenset(
    {
        "name",
        "nature",
        "cert_type",
        "cert_no",
        "cert_address",
        "city",
        "county",
        "post_address",
        "investor",
    }
)
PERSON_FIELDS: Final = frozenset({"name", "cert_type", "cert_no", "mobile", "landline", "email"})
WEBSITE_FIELDS: Final = frozenset(
    {
        "site_name",
        "domain",
        "home_url",
        "service_content",
        "languages",
        "approval",
        "principal",
        "access",
    }
)
APPROVAL_FIELDS: Final = frozenset({"type", "number", "files"})
ACCESS_FIELDS: Final = frozenset({"mode", "server_place", "ip_from", "ip_to"})
IMAGE_FIELDS: Final = frozenset({"use", "format", "sha256", "bytes"})
CHECK_FIELDS: Final = frozenset(CHECK_ITEMS)

PERSON: Final = SubjectKind.PERSON.value
UNIT: Final = SubjectKind.UNIT.value

_IMAGE_USES: Final = frozenset(use.value for use in ImageUse)
_IMAGE_FORMATS: Final = frozenset({"jpg", "png"})
_IMAGE_WORDS: Final = {
    "face": ("人脸影像", "face"),
    "principal_id_front": ("负责人证件人像面", "front of the principal's ID card"),
    "principal_id_back": ("负责人证件国徽面", "back of the principal's ID card"),
    "principal_cert": ("负责人证件", "the principal's certificate"),
    "subject_cert": ("主体证件", "the subject's certificate"),
}
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_ANSWERS: Final = frozenset(answer.value for answer in CheckAnswer)
_LIST_CODES: Final = range(1, 65)
_MAX_APPROVAL_FILES: Final = 10


class Identity(NamedTuple):
    """What makes two mentions of a person the same person."""

    name: str
    cert_type: int
    cert_no: str


def read_certificate(
    reader: FieldReader,
    source: Record,
    target: Record,
    base: str,
    allowed: frozenset[int] | None,
    today: date,
) -> tuple[int, str] | None:
    """Read ``cert_type`` and ``cert_no``; the number is judged only under a type that is allowed.

    ``allowed`` is ``None`` when the nature that decides it is itself at fault. Returns both values even when
    the number is at fault, so that persons can still be compared.
    """
    cert_type = reader.integer(source, base, "cert_type")
    number = reader.code(source, base, "cert_no")
    if number is not None:
        number = number.upper()
        if len(number) > 255:
            reader.add("field.length", f"{base}/cert_no", low=1, high=255)
            number = None
        else:
            target["cert_no"] = number
    if cert_type is None or allowed is None:
        return None
    if cert_type not in allowed:
        reader.add("cert.type_for_nature", f"{base}/cert_type")
        return None
    target["cert_type"] = cert_type
    if number is None:
        return None
    for fault in certificate_faults(cert_type, number, today):
        reader.add(fault, f"{base}/cert_no")
    return cert_type, number


def read_name(reader: FieldReader, source: Record, target: Record, base: str) -> str | None:
    """Read the name of a subject or person."""
    name = reader.text(source, target, base, "name", 1, 255)
    if name is not None and is_improper(name):
        reader.add("name.improper", f"{base}/name")
    return name


def _identity(name: str | None, certificate: tuple[int, str] | None) -> Identity | None:
    return Identity(name, *certificate) if name is not None and certificate is not None else None


def read_subject(
    reader: FieldReader,
    subject: Record,
    kind: str | None,
    province: str | None,
    today: date,
) -> tuple[Record, Identity | None]:
    """Judge the subject (备案主体): nature and kind, name, certificate, addresses, region."""
    base = "/subject"
    record: Record = {}
    name = read_name(reader, subject, record, base)
    nature = reader.coded(subject, record, base, "nature", CERT_TYPES_BY_NATURE)
    if nature is not None and kind is not None and (nature == PERSON_NATURE) is not (kind == PERSON):
        reader.add("subject.kind_nature", "/subject/nature")
    allowed = None if nature is None else CERT_TYPES_BY_NATURE[nature]
    certificate = read_certificate(reader, subject, record, base, allowed, today)
    reader.text(subject, record, base, "cert_address", 1, 1024)
    for key, required in (("city", True), ("county", False)):
        region = reader.region(subject, record, base, key, required)
        if region is not None and province is not None and region[:2] != province[:2]:
            reader.add("region.mismatch", f"/subject/{key}")
    reader.text(subject, record, base, "post_address", 1, 1024)
    reader.text(subject, record, base, "investor", 1, 255, required=False)
    return record, _identity(name, certificate)


def read_person(
    reader: FieldReader, person: Record, base: str, landline_required: bool, today: date
) -> tuple[Record, Identity | None]:
    """Judge a responsible person (负责人): name, personal certificate, contacts."""
    record: Record = {}
    name = read_name(reader, person, record, base)
    certificate = read_certificate(reader, person, record, base, PERSONAL_CERT_TYPES, today)
    reader.shaped(person, record, base, "mobile", is_mobile, "phone.mobile")
    reader.shaped(
        person,
        record,
        base,
        "landline",
        is_landline,
        "phone.landline",
        landline_required,
    )
    reader.shaped(person, record, base, "email", is_email, "email.format")
    return record, _identity(name, certificate)


def read_domain(reader: FieldReader, source: Record, target: Record, base: str) -> str | None:
    """Read the registrable domain; the record gets its A-label form."""
    typed = reader.code(source, base, "domain")
    if typed is None:
        return None
    domain, fault = check_domain(typed)
    if fault is not None:
        reader.add(fault, f"{base}/domain")
        return None
    target["domain"] = domain
    return domain


def _read_home_url(reader: FieldReader, site: Record, record: Record, base: str, domain: str | None) -> None:
    url = reader.code(site, base, "home_url", required=False)
    if url is None:
        return
    if not 4 <= len(url) <= 255:
        reader.add("field.length", f"{base}/home_url", low=4, high=255)
        return
    host = host_of(url)
    if host is None:
        reader.add("field.format", f"{base}/home_url")
        return
    record["home_url"] = url
    if domain is not None and not is_at_or_below(host, domain):
        reader.add("url.host_differs", f"{base}/home_url")


def read_code_list(
    reader: FieldReader, source: Record, target: Record, base: str, key: str
) -> list[int] | None:
    """Read a list of codes from 1 to 64."""
    values = reader.items(source, base, key)
    if values is None:
        return None
    faultless = True
    for place, value in enumerate(values):
        if value.__class__ is not int:
            reader.wrong_type(f"{base}/{key}/{place}", "integer")
            faultless = False
        elif value not in _LIST_CODES:
            reader.add("field.enum", f"{base}/{key}/{place}")
            faultless = False
    if not faultless:
        return None
    target[key] = values
    return values


def _read_approval(reader: FieldReader, site: Record, record: Record, base: str, needed: bool) -> None:
    approval = reader.section(site, base, "approval", APPROVAL_FIELDS, required=needed)
    if approval is None:
        return
    base = f"{base}/approval"
    judged: Record = {}
    reader.coded(approval, judged, base, "type", _LIST_CODES)
    reader.text(approval, judged, base, "number", 1, 512)
    files = reader.items(approval, base, "files", required=False)
    if files is not None:
        if len(files) > _MAX_APPROVAL_FILES:
            reader.add("field.length", f"{base}/files", low=0, high=_MAX_APPROVAL_FILES)
        names: Record = {}
        judged["files"] = [
            reader.text({str(i): name}, names, f"{base}/files", str(i), 1, 255)
            for i, name in enumerate(files)
        ]
    record["approval"] = judged


def read_access(reader: FieldReader, source: Record, base: str, *, with_server_place: bool = True) -> Record:
    """Judge the access of a website (接入信息): mode, place of the server, public IPv4 range."""
    record: Record = {}
    reader.coded(source, record, base, "mode", ACCESS_MODES)
    if with_server_place:
        reader.region(source, record, base, "server_place")
    read_ip_range(reader, source, record, base)
    return record


def read_ip_range(reader: FieldReader, source: Record, record: Record, base: str) -> None:
    """Read ``ip_from`` and ``ip_to``: public IPv4 throughout, in order."""
    first = _read_ipv4(reader, source, record, base, "ip_from")
    last = _read_ipv4(reader, source, record, base, "ip_to")
    if first is None or last is None:
        return
    if first > last:
        reader.add("ip.range", f"{base}/ip_from")
    elif not is_public(first, last):
        reader.add("ip.not_public", f"{base}/ip_to")


def _read_ipv4(reader: FieldReader, source: Record, record: Record, base: str, key: str) -> int | None:
    typed = reader.code(source, base, key)
    if typed is None:
        return None
    address = parse_ipv4(typed)
    if address is None:
        reader.add("field.format", f"{base}/{key}")
        return None
    record[key] = typed
    if is_public(address):
        return address
    reader.add("ip.not_public", f"{base}/{key}")
    return None


def read_website(
    reader: FieldReader,
    site: Any,
    base: str,
    *,
    kind: str | None,
    owner: Identity | None,
    today: date,
    with_server_place: bool = True,
) -> tuple[Record, bool]:
    """Judge one website; returns its record and whether its service content needs an approval.

    ``owner`` is the identity a person subject's website must repeat; ``kind`` is ``None`` where it is
    unknown.
    """
    record: Record = {}
    if site.__class__ is not dict:
        reader.wrong_type(base, "object")
        return record, False
    if not WEBSITE_FIELDS.issuperset(site):
        reader.unknown(site, base, WEBSITE_FIELDS)
    name = reader.text(site, record, base, "site_name", 1, 512)
    domain = read_domain(reader, site, record, base)
    if name is not None and domain is not None and is_domain_itself(name, domain):
        reader.add("name.improper", f"{base}/site_name")
    _read_home_url(reader, site, record, base, domain)
    content = read_code_list(reader, site, record, base, "service_content")
    read_code_list(reader, site, record, base, "languages")
    approval_needed = content is not None and not SERVICE_CONTENT_NEEDING_APPROVAL.isdisjoint(content)
    _read_approval(reader, site, record, base, approval_needed)
    principal = reader.section(site, base, "principal", PERSON_FIELDS)
    if principal is not None:
        person_base = f"{base}/principal"
        record["principal"], identity = read_person(reader, principal, person_base, kind == UNIT, today)
        if kind == PERSON:
            require_same_person(reader, identity, owner, person_base)
    access = reader.section(site, base, "access", ACCESS_FIELDS)
    if access is not None:
        record["access"] = read_access(reader, access, f"{base}/access", with_server_place=with_server_place)
    return record, approval_needed


def require_same_person(
    reader: FieldReader, identity: Identity | None, owner: Identity | None, pointer: str
) -> None:
    """Note that a person subject's responsible person is somebody else."""
    if identity is not None and owner is not None and identity != owner:
        reader.add("person.same_required", pointer)


def read_checks(
    reader: FieldReader,
    checks: Record,
    *,
    kind: str | None,
    has_landline: bool,
    approval_needed: bool,
) -> Record:
    """Judge the 13 verification items.

    Every one must be answered, none with ``no``, and with ``na`` only where the rules allow it.
    """
    record: Record = {}
    for item in CHECK_ITEMS:
        answer = checks.get(item)
        if answer == "yes":
            record[item] = answer
            continue
        answer = reader.choice(checks, record, "/checks", item, _ANSWERS)
        if answer == CheckAnswer.NO:
            reader.add("check.not_passed", f"/checks/{item}")
        elif answer == CheckAnswer.NOT_APPLICABLE:
            allowed = (
                (item == "approval" and not approval_needed)
                or (item == "subject_cert" and kind == PERSON)
                or (item == "landline" and kind == PERSON and not has_landline)
            )
            if not allowed:
                reader.add("check.na_not_allowed", f"/checks/{item}")
    return record


def read_images(reader: FieldReader, images: list[Any]) -> list[Record]:
    """Judge the metadata of the pictures.

    The record has them in order of use, since tables know no other order.
    """
    records: list[Record] = []
    for place, image in enumerate(images):
        base = f"/images/{place}"
        if image.__class__ is not dict:
            reader.wrong_type(base, "object")
            continue
        if not IMAGE_FIELDS.issuperset(image):
            reader.unknown(image, base, IMAGE_FIELDS)
        record: Record = {}
        reader.choice(image, record, base, "use", _IMAGE_USES)
        reader.choice(image, record, base, "format", _IMAGE_FORMATS)
        digest = reader.shaped(image, record, base, "sha256", _SHA256, "field.format")
        if digest is not None:
            record["sha256"] = digest.lower()
        size = reader.integer(image, base, "bytes")
        if size is not None:
            record["bytes"] = size
            if size < 1:
                reader.add("field.format", f"{base}/bytes")
            elif size > MAX_IMAGE_BYTES:
                reader.add("image.size", f"{base}/bytes", limit_kb=MAX_IMAGE_BYTES // 1024)
        records.append(record)
    records.sort(key=image_order)
    return records


def image_order(image: Record) -> tuple[str, str]:
    """Return the sort key of a picture's metadata: use, then digest."""
    return str(image.get("use", "")), str(image.get("sha256", ""))


def require_images(reader: FieldReader, uses: set[str], required: tuple[str, ...]) -> None:
    """Note every required use that no picture has."""
    for use in required:
        if use not in uses:
            zh, en = _IMAGE_WORDS[use]
            reader.add("image.missing", "/images", use_zh=zh, use_en=en)


def required_images(kind: str | None, principal_cert_type: int | None) -> tuple[str, ...]:
    """Return the uses a form must have: face; both sides of a citizen ID; the certificate of a unit."""
    uses: tuple[str, ...] = (ImageUse.FACE.value,)
    if principal_cert_type == CertType.CITIZEN_ID:
        uses += (ImageUse.PRINCIPAL_ID_FRONT.value, ImageUse.PRINCIPAL_ID_BACK.value)
    if kind == UNIT:
        uses += (ImageUse.SUBJECT_CERT.value,)
    return uses
