"""The usual way to take in forms, for comparison only: REST framework serializers and ``bulk_create(1000)``.

In its best shape: every row is validated once, no query per row, good rows are kept beside bad ones, rows are sealed
like ours. The rules are those of the contract, spelt as such projects spell them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.db import transaction
from rest_framework import serializers
from rest_framework.serializers import ValidationError

from filings import rules
from filings.intake.records import UnitContext
from filings.intake.sections import required_images
from filings.models import UploadJob, VerificationForm
from filings.services import crypto, deltas, storage
from filings.validators.certificates import certificate_faults
from filings.validators.contacts import is_email, is_landline, is_mobile
from filings.validators.domains import check_domain
from filings.validators.names import is_improper
from filings.validators.network import is_public, parse_ipv4
from filings.validators.regions import PROVINCES
from pilot.rules import local_day

BATCH: Final = 1_000
Row = dict[str, Any]


def _require(sound: object, code: str) -> None:
    if not sound:
        raise ValidationError(code)


class Compared(serializers.Serializer[Any]):
    result = serializers.ChoiceField(choices=["consistent"])
    at = serializers.DateTimeField()


class ComparedWithAuthority(Compared):
    database = serializers.ChoiceField(choices=list(rules.AuthorityDatabase))
    query_id = serializers.CharField(max_length=128)


class Certified(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=255)
    cert_type = serializers.IntegerField()
    cert_no = serializers.CharField(max_length=255)

    def validate_name(self, name: str) -> str:
        _require(not is_improper(name), "name.improper")
        return name

    def validate(self, attrs: Row) -> Row:
        attrs["cert_no"] = attrs["cert_no"].upper()
        today = self.context["unit"].received_day
        _require(not certificate_faults(attrs["cert_type"], attrs["cert_no"], today), "cert")
        return attrs


class Subject(Certified):
    nature = serializers.ChoiceField(choices=list(rules.CERT_TYPES_BY_NATURE))
    cert_address = serializers.CharField(max_length=1024)
    city = serializers.RegexField(r"^[1-9][0-9]{5}$")
    county = serializers.RegexField(r"^[1-9][0-9]{5}$", required=False)
    post_address = serializers.CharField(max_length=1024)
    investor = serializers.CharField(max_length=255, required=False)

    def validate(self, attrs: Row) -> Row:
        allowed = rules.CERT_TYPES_BY_NATURE[attrs["nature"]]
        _require(attrs["cert_type"] in allowed, "cert.type_for_nature")
        return super().validate(attrs)


class Responsible(Certified):
    mobile = serializers.CharField()
    landline = serializers.CharField(required=False)
    email = serializers.CharField()

    def validate(self, attrs: Row) -> Row:
        _require(attrs["cert_type"] in rules.PERSONAL_CERT_TYPES, "cert.type_for_nature")
        _require(is_mobile(attrs["mobile"]), "phone.mobile")
        _require("landline" not in attrs or is_landline(attrs["landline"]), "phone.landline")
        _require(is_email(attrs["email"]), "email.format")
        return super().validate(attrs)


class Access(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=sorted(rules.ACCESS_MODES))
    server_place = serializers.RegexField(r"^[1-9][0-9]{5}$")
    ip_from = serializers.IPAddressField(protocol="IPv4")
    ip_to = serializers.IPAddressField(protocol="IPv4")

    def validate(self, attrs: Row) -> Row:
        first, last = parse_ipv4(attrs["ip_from"]), parse_ipv4(attrs["ip_to"])
        _require(first is not None and last is not None and first <= last and is_public(first, last), "ip")
        return attrs


class Approval(serializers.Serializer[Any]):
    type = serializers.IntegerField(min_value=1, max_value=64)
    number = serializers.CharField(max_length=512)
    files = serializers.ListField(child=serializers.CharField(max_length=255), required=False, max_length=10)


class Website(serializers.Serializer[Any]):
    site_name = serializers.CharField(max_length=512)
    domain = serializers.CharField(max_length=128)
    home_url = serializers.CharField(min_length=4, max_length=255, required=False)
    service_content = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=64))
    languages = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=64))
    approval = Approval(required=False)
    principal = Responsible()
    access = Access()

    def validate_domain(self, domain: str) -> str:
        name, fault = check_domain(domain)
        _require(fault is None, fault or "")
        return name or ""


class Image(serializers.Serializer[Any]):
    use = serializers.ChoiceField(choices=list(rules.ImageUse))
    format = serializers.ChoiceField(choices=["jpg", "png"])
    sha256 = serializers.RegexField(r"^[0-9A-Fa-f]{64}$")
    bytes = serializers.IntegerField(min_value=1, max_value=rules.MAX_IMAGE_BYTES)


class Checks(serializers.Serializer[Any]):
    """The 13 items."""

    def get_fields(self) -> dict[str, Any]:
        return {item: serializers.ChoiceField(choices=["yes", "na"]) for item in rules.CHECK_ITEMS}


class Form(serializers.Serializer[Any]):
    form_no = serializers.RegexField(r"^[A-Za-z0-9-]{6,64}$")
    filing_type = serializers.ChoiceField(choices=list(rules.FilingType))
    subject_province = serializers.ChoiceField(choices=list(PROVINCES))
    subject_kind = serializers.ChoiceField(choices=list(rules.SubjectKind))
    collection_methods = serializers.ListField(
        child=serializers.ChoiceField(choices=list(rules.CollectionMethod)), allow_empty=False
    )
    collected_at = serializers.DateTimeField()
    liveness_result = serializers.ChoiceField(choices=["pass"])
    liveness_score = serializers.DecimalField(
        max_digits=20, decimal_places=10, min_value=0, max_value=1, required=False
    )
    compare_supplied_cert = Compared()
    compare_authority_db = ComparedWithAuthority()
    supersedes_form = serializers.CharField(required=False)
    subject = Subject()
    principal = Responsible()
    websites = Website(many=True, required=False)
    checks = Checks()
    images = Image(many=True)
    verifier_name = serializers.CharField(max_length=128)
    verifier_promise_at = serializers.DateTimeField()

    def validate(self, attrs: Row) -> Row:
        unit: UnitContext = self.context["unit"]
        at = attrs["collected_at"]
        _require(at <= unit.received_at and unit.in_run_phase(at) and unit.is_active(at), "time")
        _require(unit.filing_type_enabled(attrs["subject_province"], attrs["filing_type"], at), "scope")
        compared = attrs["compare_supplied_cert"]["at"], attrs["compare_authority_db"]["at"]
        _require(max(compared) <= attrs["verifier_promise_at"] <= unit.received_at, "time.order")
        _require(attrs["subject"]["city"][:2] == attrs["subject_province"][:2], "region.mismatch")
        uses = {image["use"] for image in attrs["images"]}
        wanted = required_images(attrs["subject_kind"], attrs["principal"]["cert_type"])
        _require(uses.issuperset(wanted), "image.missing")
        return attrs


def take(lines: Sequence[bytes], *, job: UploadJob, context: UnitContext) -> tuple[int, int]:
    """Take the rows in batches of 1,000; returns how many were accepted and refused."""
    child = Form(context={"unit": context})
    key = storage.month_key(unit_id=job.unit_id, month=local_day(context.received_at).replace(day=1))
    data_key = storage.data_key(key)
    accepted = refused = 0
    for batch in batched(enumerate(lines, start=1), BATCH):
        with transaction.atomic():
            rows = []
            for number, line in batch:
                try:
                    record = child.run_validation(json.loads(line))
                except (ValidationError, ValueError):
                    refused += 1
                else:
                    rows.append((number, line, record))
            new = list(_new(rows, job))
            with deltas.recorded(unit_id=job.unit_id):  # not counted: the usual way counts when it is asked
                VerificationForm.unscoped.bulk_create(
                    [_instance(*row, job, context, key, data_key) for row in new], batch_size=BATCH
                )
            accepted += len(new)
    return accepted, refused


def _new(rows: Sequence[tuple[int, bytes, Row]], job: UploadJob) -> Iterator[tuple[int, bytes, Row]]:
    numbers = [record["form_no"] for _number, _line, record in rows]
    forms = VerificationForm.unscoped.filter(unit=job.unit_id, form_no__in=numbers)
    known = set(forms.values_list("form_no", flat=True))
    for row in rows:
        if row[2]["form_no"] not in known:
            known.add(row[2]["form_no"])
            yield row


def _instance(
    number: int,
    line: bytes,
    record: Mapping[str, Any],
    job: UploadJob,
    context: UnitContext,
    key: Any,
    data_key: bytes,
) -> VerificationForm:
    uuid, canonical = uuid4(), msgspec.json.encode(record)
    subject = record["subject"]
    return VerificationForm(
        uuid=uuid,
        unit_id=job.unit_id,
        job=job,
        row=number,
        form_no=record["form_no"],
        chain_no=record["form_no"],
        version=1,
        supersedes="",
        day=context.received_day,
        received_at=context.received_at,
        collected_at=record["collected_at"],
        late=False,
        filing_type=record["filing_type"],
        subject_province=int(record["subject_province"][:2]),
        subject_kind=record["subject_kind"],
        source="ndjson",
        rule_version=rules.RULE_VERSION,
        subject_known=True,
        digest=crypto.repeat_digest(canonical),
        subject_index=crypto.certificate_index(subject["cert_type"], subject["cert_no"]),
        key=key,
        ciphertext=storage.close_content(data_key, uuid, canonical=canonical, raw=line),
    )
