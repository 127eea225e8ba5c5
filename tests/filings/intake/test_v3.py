"""V3.0 uploads: heads that refuse the file, new filings, rules that hold and rules that cannot."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from filings.intake.decode import FileFormat, read_rows
from filings.intake.records import FileRefused, UnitContext, open_scope
from filings.intake.v3_check import EVIDENCE_RULES
from tests.filings.intake.v3_records import (
    ACCESS,
    CHANGE,
    FILING,
    JPEG,
    NEW_ACCESS,
    PERSON,
    SITE,
    attributes,
    checked,
    facts,
    found,
    one,
    upload,
)


def test_a_namespace_that_cannot_be_written_ends_the_file(context: UnitContext) -> None:
    with pytest.raises(FileRefused) as refused:
        checked(upload(FILING + "<Baxx xmlns:p='relative'><p:a/></Baxx>"), context)
    assert (refused.value.code, refused.value.national) == ("file.damaged", 5001)


def test_a_record_is_told_by_its_own_spelling() -> None:
    """Not by the one it has once it is taken out of its file: two prefixes may stand for one namespace."""
    record = '<Baxx><c q:x="1" p:y="2"/></Baxx>'
    content = upload(record).replace(b"<ICP>", b'<ICP xmlns:p="urn:u" xmlns:q="urn:u">')
    (row,) = read_rows(io.BytesIO(content), FileFormat.V3, national_id="1001")
    assert (b'q:x="1" p:y="2"' in row.raw, len(row.data.digest)) == (True, 64)


def test_comments_and_instructions_cut_no_text(context: UnitContext) -> None:
    """They are no content: the record is the one without them, wherever they stand."""
    plain, noted = (
        one(FILING.replace("示例网络科技", f"示例{note}网络{note}科技"), context)
        for note in ("", "<!-- n --><?n n?>")
    )
    assert noted.record["subject"]["name"] == "示例网络科技有限公司"
    assert (noted.form_no, noted.digest_source) == (plain.form_no, plain.digest_source)
    content = upload(FILING).replace(b"1001</Qqdwid>", b"10<!-- n -->01</Qqdwid>")
    assert [row.form_no for row in checked(content, context)] == [plain.form_no]


class TestHead:
    @pytest.mark.parametrize(
        ("content", "code", "national"),
        [
            (b"", "file.empty", 5001),
            (b"\x00\x01\x02\x03", "file.wrong_type", 5001),
            (b'{"form_no":"SL-000001"}', "file.wrong_type", 5001),
            (upload(FILING)[:-40], "file.damaged", 5001),
            (upload(FILING, encoding="GBK").replace(b"GBK", b"UTF-8"), "file.damaged", 5001),
            (b"<DownloadData version='V.3.0'/>", "file.wrong_root", 5001),
            (b"<UploadData version='V.2.0'><ICP/></UploadData>", "file.version", 5004),
            (b"<UploadData version='V.3.0'><IP/></UploadData>", "file.business", 5009),
            (b"<UploadData version='V.3.0'><ICP/><YM/></UploadData>", "file.business", 5009),
            (upload(FILING).replace(b"<Qqdwid>", b"<XZWZ/><Qqdwid>"), "file.operation", 5001),
            (upload(FILING, "XXXX"), "file.operation", 5001),
            (upload(FILING, provider="1002"), "file.provider", 5003),
            (upload(FILING * 1001), "file.too_many_rows", 5001),
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]><UploadData version='V.3.0'/>", "file.doctype", 5001),
            (b"<UploadData version='V.3.0'>" + b" " * (51 * 1024 * 1024), "file.too_large", 18),
            (upload("<Baxx>" + "<Bz/>" * 60_000 + "</Baxx>"), "file.too_large", 5001),
            (upload(f"<Baxx {attributes(33)}/>"), "file.too_large", 5001),
            (
                upload("<Baxx/>").replace(b"<ICP", f"<ICP {attributes(33, 'xmlns:')}".encode()),
                "file.too_large",
                5001,
            ),
        ],
    )
    def test_faults_refuse_the_file(self, content: bytes, code: str, national: int) -> None:
        with pytest.raises(FileRefused) as refused:
            read_rows(io.BytesIO(content), FileFormat.V3, national_id="1001")
        assert (refused.value.code, refused.value.national) == (code, national)

    def test_entities_are_never_resolved(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("示例机密", "utf-8")
        content = upload(FILING, encoding="UTF-8").replace(
            b"<UploadData",
            f'<!DOCTYPE UploadData [<!ENTITY x SYSTEM "{secret.as_uri()}">]><UploadData'.encode(),
        )
        with pytest.raises(FileRefused, match="DOCTYPE"):
            read_rows(io.BytesIO(content.replace(b"<Tzr>", b"<Tzr>&x;")), FileFormat.V3, national_id="1001")

    def test_thousand_records_are_taken(self, context: UnitContext) -> None:
        rows = read_rows(io.BytesIO(upload(NEW_ACCESS * 1000, "XZJR")), FileFormat.V3, national_id="1001")
        assert sum(1 for _ in rows) == 1000


class TestNewFiling:
    def test_maps_onto_the_contract(self, context: UnitContext) -> None:
        row = one(FILING, context)
        person = {
            "name": "张示例",
            "cert_type": 2,
            "cert_no": "11010519491231002X",
            "mobile": "13800138000",
            "landline": "010-12345678",
            "email": "a@example.cn",
        }
        assert found(row) == []
        assert {name: row.record[name] for name in ("filing_type", "subject_province", "subject_kind")} == {
            "filing_type": "new_filing",
            "subject_province": "110000",
            "subject_kind": "unit",
        }
        assert row.record["subject"] == {
            "name": "示例网络科技有限公司",
            "nature": 4,
            "cert_type": 1,
            "cert_no": "91110108MA01ABCD5T",
            "cert_address": "示例路1号",
            "city": "110100",
            "county": "110101",
            "post_address": "示例路1号",
        }
        assert row.record["principal"] == person
        assert row.record["websites"] == [
            {
                "site_name": "示例主页",
                "domain": "shili-one.cn",
                "home_url": "www.shili-one.cn",
                "service_content": [1],
                "languages": [1],
                "principal": person,
                "access": {"mode": 16, "ip_from": "47.89.99.10", "ip_to": "47.89.99.10"},
            }
        ]
        assert [image["use"] for image in row.record["images"]] == ["face", "principal_cert", "subject_cert"]
        assert row.record["v3"]["lists"] == {"/websites/0/access/server_place": ["1"]}
        assert (facts(row).skipped, facts(row).makes_form) == (EVIDENCE_RULES, True)
        assert row.collected_at == context.received_at

    def test_number_is_made_from_the_canonical_form(self, context: UnitContext) -> None:
        digest = hashlib.sha256(FILING.encode()).hexdigest()
        spaced = re.sub(r">(?=<)", ">\r\n  ", FILING).replace("<Dwmc>", "<!-- 示例 --><Dwmc>")
        for record in (FILING, spaced, FILING.replace("<Bbfs>", "<Bbfs >")):
            row = one(record, context)
            assert row.form_no == f"V3-1001-XZBA-7-{digest[:12]}"
            assert facts(row).chain_key == "V3-1001-XZBA-7"
        (in_utf8,) = checked(upload(FILING, encoding="UTF-8"), context)
        assert in_utf8.form_no == f"V3-1001-XZBA-7-{digest[:12]}"
        other = one(FILING.replace("示例主页", "示例网站"), context)
        assert facts(other).chain_key == "V3-1001-XZBA-7"
        assert other.form_no != f"V3-1001-XZBA-7-{digest[:12]}"

    def test_white_space_inside_text_counts(self, context: UnitContext) -> None:
        assert one(FILING, context).form_no != one(FILING.replace("示例主页", "示例 主页"), context).form_no

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("13800138000</Fzr_sjhm>", "138</Fzr_sjhm>", ("phone.mobile", "/principal/mobile", 1011)),
            (
                "<Zjhm>91110108MA01ABCD5T",
                "<Zjhm>91110108MA01ABCD5U",
                ("cert.check_digit", "/subject/cert_no", 1015),
            ),
            ("<Shiid>110100", "<Shiid>310100", ("region.mismatch", "/subject/city", 1019)),
            ("<Dwxz>4", "<Dwxz>four", ("field.type", "/subject/nature", 5001)),
            ("<Dwxz>4", "<Dwxz>7", ("field.enum", "/subject/nature", 1014)),
            ("<Ym>shili-one.cn", "<Ym>www.shili-one.cn", ("domain.subdomain", "/websites/0/domain", 1004)),
            (
                "<Syurl>www.shili-one.cn",
                "<Syurl>www.example.cn",
                ("url.host_differs", "/websites/0/home_url", 1041),
            ),
            ("<Qsip>794387210", "<Qsip>794387211", ("ip.range", "/websites/0/access/ip_from", 5001)),
            ("<Zzip>794387210", "<Zzip>99999999999", ("field.format", "/websites/0/access/ip_to", 5001)),
            ("<Fwnr_id>1<", "<Fwnr_id>5<", ("field.required", "/websites/0/approval", 5001)),
            ("<IspZtid>7</IspZtid>", "", ("field.required", "/v3/id", 5001)),
            ("<Bbfs>1</Bbfs>", "<Bbfs>1</Bbfs><Geheim/>", ("field.unknown", "/v3/Geheim", 5001)),
            ("公司</Dwmc>", "<Bz>示例</Bz>公司</Dwmc>", ("field.format", "/v3/Dwmc", 5001)),
            ("<Bbfs>1</Bbfs>", "<Bbfs>1</Bbfs>示例", ("field.format", "/v3/Zt_xx", 5001)),
        ],
    )
    def test_the_other_rules_hold(
        self, old: str, new: str, expected: tuple[str, str, int], context: UnitContext
    ) -> None:
        assert expected in found(one(FILING.replace(old, new, 1), context))

    def test_receipt_stands_in_for_collection(
        self, context: UnitContext, at: Callable[[str], UnitContext]
    ) -> None:
        assert one(FILING, at("2019-05-15T23:59:59+08:00")).codes == ("time.outside_run_phase",)
        assert one(FILING, replace(context, active=())).codes == ("unit.not_active",)
        elsewhere = replace(context, scope=open_scope(context.run_opens, provinces=("310000",)))
        assert one(FILING, elsewhere).codes == ("unit.province_not_enabled",)

    def test_a_bare_number_of_18_characters_is_a_citizen_id(self, context: UnitContext) -> None:
        row = one(FILING.replace("<Fzr_zjlx>2</Fzr_zjlx>", ""), context)
        assert found(row) == []
        assert row.record["principal"]["cert_type"] == 2

    def test_a_person_need_not_name_himself_twice(self, context: UnitContext) -> None:
        record = (
            FILING.replace("<Dwmc>示例网络科技有限公司</Dwmc><Dwxz>4</Dwxz>", "<Dwmc>张示例</Dwmc>")
            .replace("<Zjlx>1</Zjlx><Zjhm>91110108MA01ABCD5T", "<Zjlx>2</Zjlx><Zjhm>11010519491231002X")
            .replace("<Fzr><Fzr_xm>张示例</Fzr_xm>", "<Fzr>")
            .replace("<Fzr_zjlx>2</Fzr_zjlx><Fzr_zjhm>11010519491231002X</Fzr_zjhm></Fzr>", "</Fzr>")
        )
        row = one(record, context)
        assert found(row) == []
        assert row.record["subject_kind"] == "person"
        assert row.record["principal"]["name"] == "张示例"
        other = one(record.replace("<Wz_Fzr><Fzr_xm>张示例", "<Wz_Fzr><Fzr_xm>李示例"), context)
        assert [(code, field) for code, field, _ in found(other)] == [
            ("person.same_required", "/websites/0/principal")
        ]

    def test_every_item_of_a_list_is_checked_and_kept(self, context: UnitContext) -> None:
        good = one(FILING.replace("13800138000", "13800138000;13900139000", 1), context)
        assert found(good) == []
        assert good.record["principal"]["mobile"] == "13800138000"
        assert good.record["v3"]["lists"]["/principal/mobile"] == ["13800138000", "13900139000"]
        bad = one(FILING.replace("13800138000", "13800138000;139", 1), context)
        assert found(bad) == [("phone.mobile", "/principal/mobile", 1011)]

    @pytest.mark.parametrize(
        ("further", "expected"),
        [
            ("好网站", []),
            ("Shili-One.cn", [("name.improper", "/websites/0/site_name", 5001)]),
            ("示" * 512, []),
            ("示" * 513, [("field.length", "/websites/0/site_name", 5001)]),
        ],
    )
    def test_every_name_of_a_website_is_checked(
        self, further: str, expected: list[tuple[str, str, int]], context: UnitContext
    ) -> None:
        row = one(FILING.replace("<Wzmc>示例主页", f"<Wzmc>示例主页;{further}；示例"), context)
        assert found(row) == expected
        assert row.record["websites"][0]["site_name"] == "示例主页"
        assert row.record["v3"]["lists"]["/websites/0/site_name"] == ["示例主页", further, "示例"]

    def test_the_names_of_each_website_are_checked_against_its_own_domain(self, context: UnitContext) -> None:
        named = SITE.replace("示例主页", "示例主页;shili-one.cn")
        other = f"<Wz_xx><IspWzid>9</IspWzid>{named.replace('<Ym>shili-one', '<Ym>shili-two')}</Wz_xx>"
        other = other.replace("www.shili-one", "www.shili-two")
        assert found(one(FILING.replace("<Fj>", f"{other}<Fj>", 1), context)) == []
        same = f"<Wz_xx><IspWzid>9</IspWzid>{named}</Wz_xx>"
        assert found(one(FILING.replace("<Fj>", f"{same}<Fj>", 1), context)) == [
            ("name.improper", "/websites/1/site_name", 5001)
        ]

    @pytest.mark.parametrize("left", ["", "<{0}/>", "<{0}><Fzr_xm> </Fzr_xm><Qq>12345</Qq></{0}>"])
    @pytest.mark.parametrize(("record", "operation"), [(FILING, "XZBA"), (CHANGE, "BGBA")])
    def test_a_responsible_person_missing_is_one_fault(
        self, record: str, operation: str, left: str, context: UnitContext
    ) -> None:
        for element, pointer in (("Fzr", "/principal"), ("Wz_Fzr", "/websites/0/principal")):
            without = record.replace(f"<{element}>{PERSON}</{element}>", left.format(element))
            assert found(one(without, context, operation)) == [("field.required", pointer, 1044)]

    def test_a_person_must_be_reachable_too(self, context: UnitContext) -> None:
        record = (
            FILING.replace("<Dwmc>示例网络科技有限公司</Dwmc><Dwxz>4</Dwxz>", "<Dwmc>张示例</Dwmc>")
            .replace("<Zjlx>1</Zjlx><Zjhm>91110108MA01ABCD5T", "<Zjlx>2</Zjlx><Zjhm>11010519491231002X")
            .replace(f"<Fzr>{PERSON}</Fzr>", "<Fzr/>")
        )
        assert found(one(record, context)) == [("field.required", "/principal", 1044)]

    def test_several_accesses_are_each_checked(self, context: UnitContext) -> None:
        second = f"<Jr_xx><IspJrid>2</IspJrid>{ACCESS.replace('794387210', '3232235786').replace('16', '3')}</Jr_xx>"
        row = one(FILING.replace("<Wz_Fzr>", second + "<Wz_Fzr>"), context)
        assert found(row) == [
            ("field.enum", "/websites/0/access/mode", 5001),
            ("ip.not_public", "/websites/0/access/ip_from", 5001),
            ("ip.not_public", "/websites/0/access/ip_to", 5001),
        ]
        assert row.record["websites"][0]["access"]["ip_from"] == "47.89.99.10"

    def test_several_domains_are_refused(self, context: UnitContext) -> None:
        two = "<Ym_xx><IspYmid>2</IspYmid><Ym>shili-two.cn</Ym></Ym_xx><Jr_xx>"
        assert found(one(FILING.replace("<Jr_xx>", two), context)) == [
            ("domain.format", "/websites/0/domain", 1004)
        ]

    def test_an_approval_with_its_scans(self, context: UnitContext) -> None:
        scan = base64.b64encode(JPEG).decode()
        approval = (
            "<Nrlx><Nrlx_xx><Nrlx_id>1</Nrlx_id><Qzsph>示例批准文号1</Qzsph>"
            f"<Spwj>{scan}</Spwj></Nrlx_xx></Nrlx>"
        )
        record = FILING.replace("<Fwnr_id>1<", "<Fwnr_id>5<").replace("<Fwnr>", approval + "<Fwnr>")
        row = one(record, context)
        digest = hashlib.sha256(JPEG).hexdigest()
        assert found(row) == []
        assert row.record["websites"][0]["approval"] == {
            "type": 1,
            "number": "示例批准文号1",
            "files": [digest],
        }
        broken = one(record.replace(f"<Spwj>{scan}", "<Spwj>AAAA"), context)
        assert found(broken) == [("field.format", "/websites/0/approval/files/0/content", 5010)]
