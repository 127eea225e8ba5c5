"""Judging a V3.0 record by the contract's rules, less those whose data the interface does not carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from filings.intake import sections
from filings.intake.check import canonical_bytes, judge_collection_time, read_province
from filings.intake.fields import FieldReader, Record, pointer_segment
from filings.intake.records import Attachment, CheckedRow, Reference, UnitContext, V3Facts
from filings.intake.sections import PERSON, UNIT, Identity
from filings.intake.v3 import V3Record
from filings.intake.v3_elements import KNOWN_ELEMENTS
from filings.intake.v3_map import (
    Lists,
    kind_of,
    map_access,
    map_principal,
    map_subject,
    map_website,
    number_of,
    text_of,
)
from filings.intake.v3_pictures import MAX_OWNER, NO_WEBSITE, read_content, read_picture
from filings.intake.v3_references import brought
from filings.rules import ACCESS_MODES, CertType, FilingType
from filings.validators.contacts import is_email, is_landline, is_mobile
from filings.validators.domains import check_domain
from filings.validators.icp_numbers import province_of
from filings.validators.names import is_domain_itself
from filings.validators.pictures import is_jpeg
from filings.validators.text import narrow

EVIDENCE_RULES: Final = (
    "collection_methods",
    "collected_at",
    "liveness_result",
    "liveness_score",
    "compare_supplied_cert",
    "compare_authority_db",
    "checks",
    "verifier_name",
    "verifier_promise_at",
    "access.server_place",
)
"""What the interface of 2013 does not carry.

These rules are skipped for every V3.0 form, and the form says so.
"""

_ID_PATHS: Final = {
    "XZBA": "Zt_xx/IspZtid",
    "XZWZ": "Wz_xx/IspWzid",
    "XZJR": "IspJrid",
    "BGBA": "Zt_xx/Ztid",
}
_FILING_TYPES: Final = {
    "XZBA": FilingType.NEW_FILING.value,
    "XZWZ": FilingType.NEW_WEBSITE.value,
    "XZJR": FilingType.NEW_ACCESS.value,
    "BGBA": FilingType.CHANGE.value,
}
_FURTHER_ITEMS: Final[dict[str, tuple[Callable[[str], bool], str]]] = {
    "mobile": (is_mobile, "phone.mobile"),
    "landline": (is_landline, "phone.landline"),
    "email": (is_email, "email.format"),
}
_APPROVAL_LIMIT_KB: Final = 100


def check_v3(source: V3Record, context: UnitContext, number: int = 1) -> CheckedRow:
    """Normalise and judge one V3.0 record; ``number`` counts the file's records from 1.

    The time of receipt stands in for the time of collection. Whether the subject, the website or the form a
    record refers to exists is for the loader, who has the stored rows.
    """
    return _V3Check(source, context).run(number)


class _V3Check:
    """One record under judgement."""

    def __init__(self, source: V3Record, context: UnitContext) -> None:
        self.source = source
        self.element = source.element
        self.context = context
        self.reader = FieldReader()
        self.record: Record = {}
        self.lists: Lists = {}
        self.facts = V3Facts(source.operation, "", makes_form=source.operation in _FILING_TYPES)

    def run(self, number: int) -> CheckedRow:
        """Judge the record and return the result."""
        self._refuse_what_is_not_read()
        if self.facts.makes_form:
            self._judge_form()
        elif self.source.operation == "XZHYD":
            self._read_pictures([self.element], owners=None)
            self.record["owners"] = [
                {"kind": picture.owner_kind, "id": picture.owner} for picture in self.facts.attachments
            ]
        else:
            self._read_deregistration()
        self.record["v3"] = {
            "operation": self.source.operation,
            "id": self.facts.record_id,
            "lists": self.lists,
        }
        canonical = canonical_bytes(self.reader, self.record)
        at = self.context.received_at if self.facts.makes_form else None
        form_no = self.record.get("form_no", "")
        return CheckedRow(number, form_no, self.record, self.reader.errors, canonical, at, self.facts)

    def _refuse_what_is_not_read(self) -> None:
        """Elements the interface does not have, and text beside elements: of a text only its beginning is read."""
        for node in self.element.iter():
            if len(node) and (node.text or any(child.tail for child in node)):
                self.reader.add("field.format", f"/v3/{pointer_segment(node.tag)}")
            if node.tag not in KNOWN_ELEMENTS:
                self.reader.add("field.unknown", f"/v3/{pointer_segment(node.tag)}")

    def _judge_form(self) -> None:
        operation = self.source.operation
        self.facts.skipped = EVIDENCE_RULES
        self.facts.brings = brought(operation, self.element)
        self._number_form()
        self.record["filing_type"] = _FILING_TYPES[operation]
        if operation == "XZJR":
            province = self._read_new_access()
        elif operation == "XZWZ":
            province = self._read_new_website()
        else:
            province = self._read_subject_and_sites()
        self._judge_lists()
        judge_collection_time(
            self.reader,
            self.context,
            self.context.received_at,
            province,
            _FILING_TYPES[operation],
            pointer="",
        )

    def _number_form(self) -> None:
        """Give the record its form number, made of provider, operation, id and digest, and its chain."""
        source = self.source
        identifier = self._read_id(_ID_PATHS[source.operation])
        if identifier is None:
            return
        chain = f"V3-{source.provider}-{source.operation}-{identifier}"
        self.record["form_no"] = f"{chain}-{source.digest[:12]}"
        if source.operation != "BGBA":
            self.facts.chain_key = chain

    def _read_id(self, path: str) -> str | None:
        typed = text_of(self.element, path)
        value = number_of(typed)
        if typed is None:
            self.reader.add("field.required", "/v3/id")
        elif not isinstance(value, int) or value < 1:
            self.reader.add("field.format", "/v3/id")
        else:
            self.facts.record_id = str(value)
            return self.facts.record_id
        return None

    def _read_subject_and_sites(self) -> str | None:
        """Judge a new filing or a change; returns the province."""
        reader, element = self.reader, self.element
        subject_element = element.find("Zt_xx")
        if subject_element is None:
            reader.add("field.required", "/subject")
            return None
        today = self.context.received_day
        province_source = {"subject_province": text_of(subject_element, "Txdz/Shengid") or ""}
        province = read_province(reader, province_source, self.record)
        subject = map_subject(subject_element)
        kind = kind_of(subject)
        if kind is not None:
            self.record["subject_kind"] = kind
        self.record["subject"], owner = sections.read_subject(reader, subject, kind, province, today)
        self._read_principal(map_principal(subject_element, subject, self.lists), kind, owner)
        self._read_sites(kind, owner)
        if self.source.operation == "BGBA":
            self._read_pictures(element.findall("Fj/Fjxx"), owners=None)
        else:
            self._read_filing_pictures(kind, self.record["principal"].get("cert_type"))
        return province

    def _read_principal(self, principal: Record, kind: str | None, owner: Identity | None) -> None:
        """Judge the subject's responsible person; where there is none, that is the one fault."""
        self.record["principal"] = {}
        if not principal:
            self.reader.add("field.required", "/principal")
            return
        today = self.context.received_day
        self.record["principal"], identity = sections.read_person(
            self.reader, principal, "/principal", kind == UNIT, today
        )
        if kind == PERSON:
            sections.require_same_person(self.reader, identity, owner, "/principal")

    def _read_filing_pictures(self, kind: str | None, principal_cert_type: int | None) -> None:
        """Judge the pictures of a new filing.

        Each must belong to what the record defines, and none of the required may be missing.
        """
        owners = {
            "subject": {text_of(self.element, "Zt_xx/IspZtid") or ""},
            "website": {(node.text or "").strip() for node in self.element.findall("Wz_xx/IspWzid")},
        }
        uses = self._read_pictures(self.element.findall("Fj/Fjxx"), owners)
        required: tuple[str, ...] = ("face",)
        if principal_cert_type == CertType.CITIZEN_ID:
            required += ("principal_cert",)
        if kind == UNIT:
            required += ("subject_cert",)
        sections.require_images(self.reader, uses, required)

    def _read_new_website(self) -> str | None:
        """Judge new websites of a subject filed earlier; returns the province its 备案号 shows."""
        self.facts.subject_reference = _reference(self.element, "Zt_xx/Ztbah", "Zt_xx/Ztid")
        if self.facts.subject_reference is None:
            self.reader.add("field.required", "/v3/subject_reference")
        self._read_sites(None, None)
        self._read_pictures(self.element.findall("Fj/Fjxx"), owners=None)
        return _province_shown(self.facts.subject_reference)

    def _read_new_access(self) -> str | None:
        """Judge a new access of a website filed earlier; returns the province its 备案号 shows."""
        self.facts.website_reference = _reference(self.element, "Wz_xx/Wzbah", "Wz_xx/Wzid")
        if self.facts.website_reference is None:
            self.reader.add("field.required", "/v3/website_reference")
        base = "/websites/0/access"
        access = map_access([self.element], base, self.lists)
        judged = sections.read_access(self.reader, access, base, with_server_place=False)
        self.record["websites"] = [{"access": judged}]
        self._read_pictures(self.element.findall("Fj/Fjxx"), owners=None)
        return _province_shown(self.facts.website_reference)

    def _read_sites(self, kind: str | None, owner: Identity | None) -> None:
        sites = self.element.findall("Wz_xx")
        if not sites and self.source.operation != "BGBA":
            self.reader.add("field.required", "/websites")
        self.record["websites"] = judged_sites = []
        for place, element in enumerate(sites):
            base = f"/websites/{place}"
            site = map_website(element, base, self.lists)
            judged, _ = sections.read_website(
                self.reader,
                site,
                base,
                kind=kind,
                owner=owner,
                today=self.context.received_day,
                with_server_place=False,
            )
            self._judge_further_names(self.lists.get(f"{base}/site_name", []), judged, base)
            self._read_approval_scans(element, judged, base)
            judged_sites.append(judged)

    def _judge_further_names(self, names: list[str], site: Record, base: str) -> None:
        """Judge the names of a website after its first, each as that one was."""
        domain = site.get("domain")
        for item in names[1:]:
            name = self.reader.text({"site_name": item}, {}, base, "site_name", 1, 512)
            if name is not None and domain is not None and is_domain_itself(name, domain):
                self.reader.add("name.improper", f"{base}/site_name")

    def _read_approval_scans(self, site: Any, judged: Record, base: str) -> None:
        """Judge the scans of approvals (``Spwj``, always JPG).

        Those of the first approval fill its ``files``.
        """
        owner = text_of(site, "IspWzid") or text_of(site, "Wzid") or ""
        if len(owner) > MAX_OWNER:
            self.reader.add("image.owner", f"{base}/approval/files", national=NO_WEBSITE)
            return
        for approval_place, approval in enumerate(site.findall("Nrlx/Nrlx_xx")):
            for place, scan in enumerate(approval.findall("Spwj")):
                pointer = f"{base}/approval/files/{place}"
                content = read_content(self.reader, text_of(scan, "."), pointer, _APPROVAL_LIMIT_KB, is_jpeg)
                if content is None:
                    continue
                attachment = Attachment.of("approval", "jpg", "website", owner, content)
                self.facts.attachments.append(attachment)
                if approval_place == 0 and "approval" in judged:
                    judged["approval"].setdefault("files", []).append(attachment.sha256)

    def _read_pictures(self, elements: list[Any], owners: dict[str, set[str]] | None) -> set[str]:
        """Judge the attachments and return the uses handed in.

        A faulty picture counts as handed in: it is bad, not missing.
        """
        uses: set[str] = set()
        images: list[Record] = []
        for place, element in enumerate(elements):
            use, image, attachment = read_picture(self.reader, element, f"/images/{place}", owners)
            if use is not None:
                uses.add(use)
            if image is not None and attachment is not None:
                images.append(image)
                self.facts.attachments.append(attachment)
        if images:
            self.record["images"] = sorted(images, key=sections.image_order)
        return uses

    def _judge_lists(self) -> None:
        """Judge the further items of lists whose first item filled a field; names are judged with their website."""
        for pointer, items in self.lists.items():
            base, _, key = pointer.rpartition("/")
            if key in _FURTHER_ITEMS:
                fits, fault = _FURTHER_ITEMS[key]
                for item in items[1:]:
                    if not fits(narrow(item)):
                        self.reader.add(fault, pointer)
            elif key == "domain":
                self._judge_further_domains(pointer, items)
            elif key == "mode":
                for item in items[1:]:
                    self.reader.coded({"mode": item}, {}, base, "mode", ACCESS_MODES)
            elif key == "ip":
                for item in items[1:]:
                    sections.read_ip_range(self.reader, item, {}, base)

    def _judge_further_domains(self, pointer: str, domains: list[str]) -> None:
        """One website has one domain (633号, 2019).

        Only a change may still show several, each of which must hold.
        """
        if self.source.operation != "BGBA":
            self.reader.add("domain.format", pointer)
            return
        for domain in domains[1:]:
            fault = check_domain(domain)[1]
            if fault is not None:
                self.reader.add(fault, pointer)

    def _read_deregistration(self) -> None:
        """Keep what a deregistration (ZXBA) says: kind, id of what is deregistered, reason, remark."""
        self._read_id("Jlid")
        deregistration: Record = {}
        for key, path in (("kind", "Zxlb"), ("reason", "Zxly")):
            self.reader.text({key: text_of(self.element, path) or ""}, deregistration, "/v3", key, 1, 3)
        remark = text_of(self.element, "Zxlybz")
        if remark is not None:
            self.reader.text({"remark": remark}, deregistration, "/v3", "remark", 1, 1000)
        self.record["deregistration"] = deregistration


def _reference(element: Any, number_path: str, id_path: str) -> Reference | None:
    number = text_of(element, number_path)
    if number is not None:
        return Reference("number", narrow(number))
    identifier = text_of(element, id_path)
    return Reference("id", identifier) if identifier is not None else None


def _province_shown(reference: Reference | None) -> str | None:
    return province_of(reference.value) if reference is not None and reference.kind == "number" else None
