"""V3.0 uploads: pictures, and the other five operations."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from filings.intake.decode import FileFormat, read_rows
from filings.intake.records import Reference, UnitContext, open_scope
from tests.filings.intake.v3_records import (
    CHANGE,
    FILING,
    JPEG,
    NEW_ACCESS,
    NEW_SITE,
    SITE,
    facts,
    found,
    one,
    picture,
    png,
    upload,
)


class TestPictures:
    @pytest.mark.parametrize(
        ("wrong", "expected"),
        [
            (picture(2, 1, "7", file_format=3), ("field.enum", "/images/0/format", 1056)),
            (picture(9, 1, "7"), ("field.enum", "/images/0/use", 1057)),
            (picture(2, 2, "8"), ("field.enum", "/images/0/owner", 1061)),
            (picture(2, 1, "77"), ("image.owner", "/images/0/owner", 1058)),
            (picture(2, 1, "7", JPEG, file_format=2), ("field.format", "/images/0/content", 5010)),
            (picture(2, 1, "7", JPEG[:-2]), ("field.format", "/images/0/content", 5010)),
            (picture(2, 1, "7", b"GIF89a"), ("field.format", "/images/0/content", 5010)),
            (picture(2, 1, "7", JPEG + b"\0" * 80_000), ("image.size", "/images/0/bytes", 5010)),
            (picture(2, 1, "7").replace("<Fjnr>", "<Fjnr>*"), ("field.format", "/images/0/content", 5010)),
        ],
    )
    def test_faults_carry_the_national_code(
        self, wrong: str, expected: tuple[str, str, int], context: UnitContext
    ) -> None:
        row = one(FILING.replace(picture(2, 1, "7"), wrong), context)
        assert expected in found(row)

    def test_a_website_that_is_not_there(self, context: UnitContext) -> None:
        row = one(FILING.replace(picture(5, 2, "8"), picture(5, 2, "88")), context)
        assert found(row) == [("image.owner", "/images/2/owner", 1059)]

    def test_an_id_longer_than_any_owns_no_picture(self, context: UnitContext) -> None:
        row = one(FILING.replace(">8<", f">{'8' * 65}<"), context)
        assert ("image.owner", "/images/2/owner", 1059) in found(row)
        row = one(FILING.replace(">8<", f">{'8' * 64}<"), context)
        assert found(row) == []

    def test_the_form_itself_may_be_larger(self, context: UnitContext) -> None:
        large = picture(1, 1, "7", JPEG[:-2] + b"\0" * 100_000 + JPEG[-2:])
        assert found(one(FILING.replace("<Fj>", f"<Fj>{large}</Fj><Fj>", 1), context)) == []

    def test_png_is_taken(self, context: UnitContext) -> None:
        row = one(FILING.replace(picture(5, 2, "8"), picture(5, 2, "8", png(), file_format=2)), context)
        assert found(row) == []

    @pytest.mark.parametrize("use", ["2", "3", "5"])
    def test_missing_pictures_of_a_new_filing(self, use: str, context: UnitContext) -> None:
        without = re.sub(rf"<Fj><Fjxx><Fjwjgs>1</Fjwjgs><Fjyt>{use}</Fjyt>.*?</Fj>", "", FILING)
        assert found(one(without, context)) == [("image.missing", "/images", 1055)]


class TestOtherOperations:
    def test_change_is_a_chain_of_its_own_and_keeps_all_domains(self, context: UnitContext) -> None:
        two = "<Ym_xx><IspYmid>2</IspYmid><Ym>shili-two.cn</Ym></Ym_xx><Jr_xx>"
        row = one(CHANGE.replace("<Jr_xx>", two), context, "BGBA")
        assert found(row) == []
        assert row.record["filing_type"] == "change"
        assert row.record["websites"][0]["domain"] == "shili-one.cn"
        assert row.record["v3"]["lists"]["/websites/0/domain"] == ["shili-one.cn", "shili-two.cn"]
        assert facts(row).chain_key is None
        assert facts(row).brings == (
            Reference("number", "京ICP备12345678号"),
            Reference("subject_id", "70"),
            Reference("website_number", "京ICP备12345678号-1"),
            Reference("website_id", "80"),
        )
        bad = one(CHANGE.replace("<Jr_xx>", two.replace("shili-two.cn", "www.shili.cn")), context, "BGBA")
        assert found(bad) == [("domain.subdomain", "/websites/0/domain", 1004)]

    def test_records_bring_the_ids_they_define(self, context: UnitContext) -> None:
        second = f"<Wz_xx><IspWzid>08</IspWzid>{SITE}</Wz_xx><Wz_xx><IspWzid>9</IspWzid>{SITE}</Wz_xx>"
        own = [Reference("own_website_id", number) for number in ("8", "9")]
        filing = one(FILING.replace("<Fj>", f"{second}<Fj>", 1), context)
        assert facts(filing).brings == (Reference("own_subject_id", "7"), *own)
        assert facts(one(NEW_SITE.replace("</Xzxx>", f"{second}</Xzxx>"), context, "XZWZ")).brings == (
            own[1],
            own[0],
        )
        assert facts(one(NEW_ACCESS, context, "XZJR")).brings == ()

    def test_new_website_awaits_its_subject(self, context: UnitContext) -> None:
        row = one(NEW_SITE, context, "XZWZ")
        assert found(row) == []
        assert row.record["filing_type"] == "new_website"
        assert row.form_no.startswith("V3-1001-XZWZ-9-")
        assert facts(row).subject_reference == Reference("number", "京ICP备12345678号")
        assert "subject" not in row.record
        by_id = one(NEW_SITE.replace("<Ztbah>京ICP备12345678号</Ztbah>", "<Ztid>70</Ztid>"), context, "XZWZ")
        assert facts(by_id).subject_reference == Reference("id", "70")

    def test_the_province_of_a_reference_is_judged(self, context: UnitContext) -> None:
        elsewhere = replace(context, scope=open_scope(context.run_opens, provinces=("310000",)))
        assert one(NEW_SITE, elsewhere, "XZWZ").codes == ("unit.province_not_enabled",)
        assert one(NEW_ACCESS, elsewhere, "XZJR").codes == ("unit.province_not_enabled",)

    def test_new_access_has_access_rules_only(self, context: UnitContext) -> None:
        row = one(NEW_ACCESS, context, "XZJR")
        assert found(row) == []
        assert row.record["websites"] == [
            {"access": {"mode": 16, "ip_from": "47.89.99.10", "ip_to": "47.89.99.10"}}
        ]
        assert facts(row).website_reference == Reference("number", "京ICP备12345678号-1")
        assert facts(row).chain_key == "V3-1001-XZJR-3"
        bad = one(NEW_ACCESS.replace("<Jrfs>16", "<Jrfs>5"), context, "XZJR")
        assert found(bad) == [("field.enum", "/websites/0/access/mode", 5001)]

    def test_the_filing_password_is_not_kept(self) -> None:
        (row,) = read_rows(io.BytesIO(upload(NEW_ACCESS, "XZJR")), FileFormat.V3, national_id="1001")
        assert b"ICPmm" not in row.raw
        assert "京ICP备12345678号-1".encode() in row.raw

    def test_material_alone_makes_no_form(self, context: UnitContext) -> None:
        record = picture(5, 2, "<Baxh>京ICP备12345678号-1</Baxh>")
        row = one(record, context, "XZHYD")
        assert found(row) == []
        assert (facts(row).makes_form, row.form_no, row.collected_at) == (False, "", None)
        (attachment,) = facts(row).attachments
        assert (attachment.use, attachment.owner_kind, attachment.owner) == (
            "face",
            "website",
            "京ICP备12345678号-1",
        )
        assert attachment.content == JPEG

    def test_deregistration_is_recorded(self, context: UnitContext) -> None:
        record = "<Zx_xx><Zxlb>1</Zxlb><Jlid>70</Jlid><Zxly>2</Zxly><Zxlybz>示例</Zxlybz></Zx_xx>"
        row = one(record, context, "ZXBA")
        assert found(row) == []
        assert row.record["deregistration"] == {"kind": "1", "reason": "2", "remark": "示例"}
        assert (facts(row).makes_form, facts(row).record_id) == (False, "70")
        assert found(one(record.replace("<Jlid>70</Jlid>", ""), context, "ZXBA")) == [
            ("field.required", "/v3/id", 5001)
        ]
