"""Every rule of the contract: one planted fault gives its code, at its field, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from filings import rules
from filings.intake.check import check_row
from filings.intake.records import CheckedRow, ErrorItem, UnitContext, open_scope

Form = dict[str, Any]
Found = list[tuple[str, str]]

REMOVE = object()
SITE = ("websites", 0)
PRINCIPAL = ("principal",)
APPROVAL = {"type": 1, "number": "示例批准文号1"}


def found(row: CheckedRow) -> Found:
    return [(error.code, error.field) for error in row.errors]


def changed(form: Form, *changes: tuple[tuple[str | int, ...], Any]) -> Form:
    result = copy.deepcopy(form)
    for path, value in changes:
        target: Any = result
        for step in path[:-1]:
            target = target[step]
        if value is REMOVE:
            del target[path[-1]]
        else:
            target[path[-1]] = value
    return result


UNIT_CASES: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("form_no",), REMOVE, "field.required"),
    (("form_no",), "   ", "field.required"),
    (("form_no",), 123456, "field.type"),
    (("form_no",), "SL-1", "field.length"),
    (("form_no",), "S" * 65, "field.length"),
    (("form_no",), "SL_000001", "field.format"),
    (("filing_type",), "renewal", "field.enum"),
    (("subject_kind",), "company", "field.enum"),
    (("subject_province",), "33", "field.format"),
    (("subject_province",), "710000", "region.unknown"),
    (("subject_province",), "330100", "region.unknown"),
    (("collection_methods",), [], "field.required"),
    (("collection_methods",), "face", "field.type"),
    (("collection_methods",), None, "field.type"),
    (("collection_methods", 0), "gait", "field.enum"),
    (("collection_methods", 0), 1, "field.type"),
    (("collected_at",), "2019-06-05 16:06:17+08:00", "field.format"),
    (("collected_at",), "2019-06-05T16:06:17", "field.format"),
    (("collected_at",), "2019-02-30T16:06:17+08:00", "field.format"),
    (("collected_at",), "0001-01-01T00:00:00+14:00", "field.format"),
    (("collected_at",), 1559721977, "field.type"),
    (("liveness_result",), "maybe", "field.enum"),
    (("liveness_result",), "not_done", "liveness.not_passed"),
    (("liveness_score",), "1.01", "field.format"),
    (("liveness_score",), "high", "field.format"),
    (("liveness_score",), "1e-1", "field.format"),
    (("liveness_score",), Decimal("1E-999999999"), "field.format"),
    (("liveness_score",), True, "field.type"),
    (("liveness_score",), [0.9], "field.type"),
    (("compare_supplied_cert",), REMOVE, "field.required"),
    (("compare_supplied_cert",), "consistent", "field.type"),
    (("compare_supplied_cert", "result"), "inconsistent", "compare.inconsistent"),
    (("compare_supplied_cert", "at"), "2019-07-01T00:00:00+08:00", "time.order"),
    (("compare_supplied_cert", "database"), "population", "field.unknown"),
    (("compare_authority_db", "database"), "population", "compare.database"),
    (("compare_authority_db", "database"), "other", "field.enum"),
    (("compare_authority_db", "query_id"), REMOVE, "field.required"),
    (("supersedes_form",), "SL", "field.length"),
    (("subject",), [], "field.type"),
    (("subject", "name"), "shili.com.cn", "name.improper"),
    (("subject", "name"), "１２３456", "name.improper"),
    (("subject", "name"), "示" * 256, "field.length"),
    (("subject", "nature"), "4", "field.type"),
    (("subject", "nature"), True, "field.type"),
    (("subject", "nature"), Decimal("4.0"), "field.type"),
    (("subject", "nature"), 7, "field.enum"),
    (("subject", "nature"), 13, "cert.type_for_nature"),
    (("subject", "cert_type"), 2, "cert.type_for_nature"),
    (("subject", "cert_no"), "91310115MA1H8R7C6D", "cert.check_digit"),
    (("subject", "cert_no"), "91350100M000100Y4Z", "cert.format"),
    (("subject", "cert_no"), "9" * 256, "field.length"),
    (("subject", "cert_address"), REMOVE, "field.required"),
    (("subject", "city"), "310100", "region.mismatch"),
    (("subject", "county"), "3301", "field.format"),
    (("subject", "investor"), "示" * 256, "field.length"),
    (("subject", "remark"), "x", "field.unknown"),
    (("principal", "name"), "123456", "name.improper"),
    (("principal", "cert_type"), 1, "cert.type_for_nature"),
    (("principal", "cert_no"), "110105194912310021", "cert.check_digit"),
    (("principal", "cert_no"), "440300199902300002", "cert.date"),
    (("principal", "cert_no"), "11010519491231002", "cert.format"),
    (("principal", "mobile"), "+8613800138000", "phone.mobile"),
    (("principal", "landline"), REMOVE, "field.required"),
    (("principal", "landline"), "010-00000000", "phone.landline"),
    (("principal", "email"), "nobody.example.cn", "email.format"),
    ((*SITE, "site_name"), "示" * 513, "field.length"),
    ((*SITE, "domain"), "示例", "domain.format"),
    ((*SITE, "domain"), "www.shili.cn", "domain.subdomain"),
    ((*SITE, "home_url"), "www.example.cn", "url.host_differs"),
    ((*SITE, "home_url"), "ftp://www.example.cn", "field.format"),
    ((*SITE, "home_url"), "a.c", "field.length"),
    ((*SITE, "service_content"), [], "field.required"),
    ((*SITE, "service_content"), ["1"], "field.type"),
    ((*SITE, "service_content"), [65], "field.enum"),
    ((*SITE, "languages"), [0], "field.enum"),
    ((*SITE, "approval"), {"type": 1}, "field.required"),
    ((*SITE, "approval"), {**APPROVAL, "files": ["x"] * 11}, "field.length"),
    ((*SITE, "approval"), {**APPROVAL, "files": [1]}, "field.type"),
    ((*SITE, "principal", "mobile"), "12345678901", "phone.mobile"),
    ((*SITE, "principal"), REMOVE, "field.required"),
    ((*SITE, "access"), REMOVE, "field.required"),
    ((*SITE, "access", "mode"), 3, "field.enum"),
    ((*SITE, "access", "server_place"), "hangzhou", "field.format"),
    ((*SITE, "access", "ip_from"), "47.1.1", "field.format"),
    ((*SITE, "access", "ip_from"), "192.168.1.10", "ip.not_public"),
    ((*SITE, "access", "ip_from"), "8.8.8.8", "ip.not_public"),
    ((*SITE, "access", "ip_to"), "47.0.0.1", "ip.range"),
    (("websites",), [], "field.required"),
    (("websites",), ["shili.cn"], "field.type"),
    (("checks", "ip"), REMOVE, "field.required"),
    (("checks", "ip"), "no", "check.not_passed"),
    (("checks", "ip"), "na", "check.na_not_allowed"),
    (("checks", "subject_cert"), "na", "check.na_not_allowed"),
    (("checks", "landline"), "na", "check.na_not_allowed"),
    (("checks", "ip"), "maybe", "field.enum"),
    (("checks", "colour"), "yes", "field.unknown"),
    (("images",), REMOVE, "field.required"),
    (("images", 0), "face.jpg", "field.type"),
    (("images", 0, "use"), "thumb", "field.enum"),
    (("images", 0, "sha256"), "00ff", "field.format"),
    (("images", 0, "bytes"), 102_401, "image.size"),
    (("images", 0, "bytes"), 0, "field.format"),
    (("images", 0, "bytes"), "90000", "field.type"),
    (("verifier_name",), REMOVE, "field.required"),
    (("verifier_name",), "示例\x00", "field.format"),
    (("verifier_name",), "示例\ud800", "field.format"),
    (("verifier_promise_at",), "2019-06-03T00:00:00+08:00", "time.order"),
    (("verifier_promise_at",), "2019-06-30T12:00:01+08:00", "time.order"),
    (("extra_note",), "x", "field.unknown"),
]

CONSEQUENCES = {"image.missing"}
"""A picture whose use cannot be read is, rightly, also a missing one."""


@pytest.mark.parametrize(("path", "value", "code"), UNIT_CASES)
def test_one_fault_gives_its_code(
    path: tuple[str | int, ...], value: Any, code: str, unit_form: Form, context: UnitContext
) -> None:
    row = check_row(changed(unit_form, (path, value)), context)
    assert {found_code for found_code in row.codes if found_code not in CONSEQUENCES} == {code}


def test_a_sound_form_has_no_fault(unit_form: Form, person_form: Form, context: UnitContext) -> None:
    assert found(check_row(unit_form, context)) == []
    assert found(check_row(person_form, context)) == []


@pytest.mark.parametrize("value", [None, [], "row", 7, True])
def test_what_is_no_object_is_no_row(value: Any, context: UnitContext) -> None:
    row = check_row(value, context, 3)
    assert (row.number, row.form_no, found(row)) == (3, "", [("json.invalid", "")])


def test_all_faults_of_a_row_come_at_once(unit_form: Form, context: UnitContext) -> None:
    row = check_row(
        changed(
            unit_form,
            (("subject", "city"), "310100"),
            (("principal", "mobile"), "123"),
            (("websites", 0, "principal", "email"), "x"),
            (("checks", "ip"), "no"),
            (("extra/note~1",), 1),
        ),
        context,
    )
    assert sorted(found(row)) == [
        ("check.not_passed", "/checks/ip"),
        ("email.format", "/websites/0/principal/email"),
        ("field.unknown", "/extra~1note~01"),
        ("phone.mobile", "/principal/mobile"),
        ("region.mismatch", "/subject/city"),
    ]


class TestPersonSubject:
    def test_kind_and_nature_must_agree(self, unit_form: Form, context: UnitContext) -> None:
        row = check_row(changed(unit_form, (("subject", "nature"), 5)), context)
        assert found(row) == [
            ("subject.kind_nature", "/subject/nature"),
            ("cert.type_for_nature", "/subject/cert_type"),
        ]

    def test_principal_and_website_principal_must_be_the_subject(
        self, person_form: Form, context: UnitContext
    ) -> None:
        row = check_row(changed(person_form, (("principal", "name"), "示例他人")), context)
        assert found(row) == [("person.same_required", "/principal")]
        row = check_row(changed(person_form, (("websites", 0, "principal", "name"), "示例他人")), context)
        assert found(row) == [("person.same_required", "/websites/0/principal")]

    def test_equality_is_judged_after_normalising(self, person_form: Form, context: UnitContext) -> None:
        number = person_form["subject"]["cert_no"]
        wide = "".join(chr(ord(character) + 0xFEE0) for character in number.lower())
        row = check_row(changed(person_form, (("principal", "cert_no"), f" {wide} ")), context)
        assert found(row) == []
        assert row.record["principal"]["cert_no"] == number

    def test_landline_is_optional_and_then_not_applicable(
        self, person_form: Form, context: UnitContext
    ) -> None:
        without = changed(
            person_form, (("principal", "landline"), REMOVE), (("websites", 0, "principal", "landline"), "")
        )
        assert found(check_row(changed(without, (("checks", "landline"), "na")), context)) == []
        assert found(check_row(changed(person_form, (("checks", "landline"), "na")), context)) == [
            ("check.na_not_allowed", "/checks/landline")
        ]

    def test_the_population_database_is_the_right_one(self, person_form: Form, context: UnitContext) -> None:
        row = check_row(changed(person_form, (("compare_authority_db", "database"), "organisation")), context)
        assert found(row) == [("compare.database", "/compare_authority_db/database")]


class TestImages:
    @pytest.mark.parametrize("use", ["face", "principal_id_front", "principal_id_back", "subject_cert"])
    def test_each_required_use_is_missed(self, use: str, unit_form: Form, context: UnitContext) -> None:
        rest = [image for image in unit_form["images"] if image["use"] != use]
        row = check_row(changed(unit_form, (("images",), rest)), context)
        assert [(error.code, error.field) for error in row.errors] == [("image.missing", "/images")]
        assert row.errors[0].message("en").startswith("A required image is missing: ")

    def test_sides_are_for_citizen_ids_only(self, unit_form: Form, context: UnitContext) -> None:
        uses = ("face", "subject_cert")
        row = check_row(
            changed(
                unit_form,
                (("principal", "cert_type"), 7),
                (("principal", "cert_no"), "E12345678"),
                (("images",), [image for image in unit_form["images"] if image["use"] in uses]),
            ),
            context,
        )
        assert found(row) == []


class TestApproval:
    def test_is_required_by_service_content(self, unit_form: Form, context: UnitContext) -> None:
        row = check_row(changed(unit_form, (("websites", 0, "service_content"), [1, 5])), context)
        assert found(row) == [
            ("field.required", "/websites/0/approval"),
            ("check.na_not_allowed", "/checks/approval"),
        ]

    def test_satisfies_the_rule(self, unit_form: Form, context: UnitContext) -> None:
        row = check_row(
            changed(
                unit_form,
                (("websites", 0, "service_content"), [5]),
                (("websites", 0, "approval"), {**APPROVAL, "files": ["示例批文.jpg"]}),
                (("checks", "approval"), "yes"),
            ),
            context,
        )
        assert found(row) == []
        assert row.record["websites"][0]["approval"] == {**APPROVAL, "files": ["示例批文.jpg"]}


class TestTimes:
    def test_collected_after_receipt(self, unit_form: Form, at: Callable[[str], UnitContext]) -> None:
        row = check_row(unit_form, at("2019-06-01T00:00:00+08:00"))
        assert ("time.future", "/collected_at") in found(row)
        assert set(row.codes) == {"time.future", "time.order"}

    @pytest.mark.parametrize(
        ("collected", "codes"),
        [
            ("2019-05-15T23:59:59+08:00", ("time.outside_run_phase",)),
            ("2019-05-16T00:00:00+08:00", ()),
            ("2019-12-31T23:59:59+08:00", ()),
            ("2019-12-31T16:00:00Z", ("time.outside_run_phase",)),
        ],
    )
    def test_run_phase_is_half_open(
        self, collected: str, codes: tuple[str, ...], unit_form: Form, at: Callable[[str], UnitContext]
    ) -> None:
        row = check_row(collected_at(unit_form, collected), at("2020-02-01T00:00:00+08:00"))
        assert row.codes == codes

    def test_received_late_is_marked_not_refused(
        self, unit_form: Form, at: Callable[[str], UnitContext]
    ) -> None:
        late = at("2020-01-01T00:00:00+08:00")
        assert late.received_late
        assert not at("2019-12-31T23:59:59+08:00").received_late
        assert found(check_row(unit_form, late)) == []

    def test_a_comparison_may_precede_by_a_day(self, unit_form: Form, context: UnitContext) -> None:
        collected = datetime.fromisoformat(unit_form["collected_at"])
        for lead, expected in (
            (timedelta(hours=24), []),
            (timedelta(hours=24, seconds=1), [("time.order", "/compare_supplied_cert/at")]),
        ):
            before = (collected - lead).isoformat()
            row = check_row(changed(unit_form, (("compare_supplied_cert", "at"), before)), context)
            assert found(row) == expected


class TestUnit:
    def test_active_at_collection_decides(self, unit_form: Form, context: UnitContext) -> None:
        collected = datetime.fromisoformat(unit_form["collected_at"])
        suspended = replace(context, active=((context.run_opens, collected),))
        assert found(check_row(unit_form, suspended)) == [("unit.not_active", "/collected_at")]
        until_later = replace(context, active=((context.run_opens, collected + timedelta(seconds=1)),))
        assert found(check_row(unit_form, until_later)) == []

    def test_outside_the_run_phase_says_nothing_of_status_and_scope(
        self, unit_form: Form, context: UnitContext
    ) -> None:
        nothing_open = replace(context, active=(), scope=())
        row = check_row(collected_at(unit_form, "2019-05-10T12:00:00+08:00"), nothing_open)
        assert row.codes == ("time.outside_run_phase",)

    def test_province_and_filing_type_open_by_date(self, unit_form: Form, context: UnitContext) -> None:
        collected = datetime.fromisoformat(unit_form["collected_at"])
        elsewhere = replace(context, scope=open_scope(context.run_opens, provinces=("110000",)))
        later = replace(context, scope=open_scope(collected + timedelta(seconds=1)))
        changes_only = replace(context, scope=open_scope(context.run_opens, filing_types=("change",)))
        closed = replace(context, scope=open_scope(context.run_opens, collected))
        not_enabled = [("unit.province_not_enabled", "/subject_province")]
        assert found(check_row(unit_form, elsewhere)) == not_enabled
        assert found(check_row(unit_form, later)) == not_enabled
        assert found(check_row(unit_form, closed)) == not_enabled
        assert found(check_row(unit_form, changes_only)) == [("unit.filing_type_not_enabled", "/filing_type")]


class TestDigestSource:
    def test_is_the_same_for_identical_content(self, unit_form: Form, context: UnitContext) -> None:
        number = unit_form["principal"]["cert_no"]
        time = datetime.fromisoformat(unit_form["collected_at"])
        score = Decimal(unit_form["liveness_score"])
        other_spelling = dict(
            reversed(
                changed(
                    unit_form,
                    (("liveness_score",), score),
                    (("collected_at",), (time - timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")),
                    (("principal", "cert_no"), number.lower()),
                    (("verifier_name",), f" {unit_form['verifier_name']}　"),
                    (("websites", 0, "domain"), unit_form["websites"][0]["domain"].upper()),
                    (("images",), unit_form["images"][::-1]),
                    (("supersedes_form",), ""),
                ).items()
            )
        )
        first, second = check_row(unit_form, context), check_row(other_spelling, context)
        assert found(second) == []
        assert first.digest_source == second.digest_source

    @pytest.mark.parametrize("score", ["0.9", "0.90", Decimal("0.9"), Decimal("9E-1"), 0.9])
    def test_number_formats_are_one(self, score: Any, unit_form: Form, context: UnitContext) -> None:
        assert (
            check_row(changed(unit_form, (("liveness_score",), score)), context).record["liveness_score"]
            == "0.9"
        )

    def test_differs_with_the_content(self, unit_form: Form, context: UnitContext) -> None:
        other = changed(unit_form, (("verifier_name",), "示例另一人"))
        assert check_row(unit_form, context).digest_source != check_row(other, context).digest_source


def collected_at(form: Form, time: str) -> Form:
    """Move a form to another time of collection, everything after it with it."""
    start = datetime.fromisoformat(time)
    later = [(start + timedelta(minutes=minute)).isoformat() for minute in (1, 2, 3)]
    return changed(
        form,
        (("collected_at",), time),
        (("compare_supplied_cert", "at"), later[0]),
        (("compare_authority_db", "at"), later[1]),
        (("verifier_promise_at",), later[2]),
    )


def test_a_change_may_come_without_websites(unit_form: Form, context: UnitContext) -> None:
    change = changed(unit_form, (("filing_type",), "change"), (("websites",), REMOVE))
    assert found(check_row(change, context)) == []
    assert found(check_row(changed(change, (("websites",), [])), context)) == []


def test_domains_are_kept_as_a_labels(unit_form: Form, context: UnitContext) -> None:
    row = check_row(
        changed(
            unit_form,
            (("websites", 0, "domain"), "测试。中国"),
            (("websites", 0, "home_url"), "https://www.测试.中国/index"),
        ),
        context,
    )
    assert found(row) == []
    assert row.record["websites"][0]["domain"] == "xn--0zwm56d.xn--fiqs8s"


def test_a_site_may_not_be_named_by_its_domain(unit_form: Form, context: UnitContext) -> None:
    domain = unit_form["websites"][0]["domain"]
    row = check_row(changed(unit_form, (("websites", 0, "site_name"), domain.upper())), context)
    assert found(row) == [("name.improper", "/websites/0/site_name")]


def test_messages_exist_in_both_languages_and_never_echo_a_number(
    unit_form: Form, context: UnitContext
) -> None:
    number = "110105194912310021"
    spoilt = changed(
        unit_form, (("principal", "cert_no"), number), ((number,), "x"), (("subject", "name"), number)
    )
    for language in ("zh", "zh-hans", "en", "en-GB"):
        rejection = check_row(spoilt, context, 9).rejection(language)
        assert (rejection["row"], rejection["form_no"]) == (9, unit_form["form_no"])
        assert len(rejection["errors"]) == 3
        assert number not in str(rejection["errors"])
    assert (
        check_row(spoilt, context).errors[0].message("en-GB") == "There is no such field; it is not accepted"
    )
    assert check_row(spoilt, context).errors[0].message() == "不存在此数据项，不予接收"


@pytest.mark.parametrize("code", sorted(rules.ERRORS))
def test_every_code_has_words_in_both_languages(code: str) -> None:
    params = dict.fromkeys(("low", "high", "limit_kb", "use_zh", "use_en", "expected_zh", "expected_en"), 1)
    item = ErrorItem(code, "", params)
    assert "{" not in item.message("zh") + item.message("en")
    assert item.message("en").isascii() or "“" in item.message("en")


FOUND_ELSEWHERE = {
    *(
        "json.invalid",
        "row.too_long",
        "image.missing",
        "image.owner",
        "subject.kind_nature",
        "person.same_required",
    ),
    *("time.future", "time.outside_run_phase", "unit.not_active"),
    *("unit.province_not_enabled", "unit.filing_type_not_enabled"),
}
"""Codes whose cases need more than one changed value: the classes above, the decoders' tests and those of V3.0."""

NEED_STORED_ROWS = {"form_no.conflict", "supersedes.unknown", "supersedes.stale"}


def test_every_code_of_the_catalogue_has_its_case() -> None:
    assert {code for _, _, code in UNIT_CASES} | FOUND_ELSEWHERE | NEED_STORED_ROWS == set(rules.ERRORS)
