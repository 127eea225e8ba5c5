"""Keys and ciphers: what they hide, what they bind, and that they rotate."""

from __future__ import annotations

import hmac
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm

from filings import checks
from filings.models import UnitMonthKey, VerificationForm
from filings.services import ciphers, crypto, storage
from tests.filings import builders


def test_what_is_sealed_opens_with_its_key_and_place_only() -> None:
    key, place = crypto.new_key(), uuid4().bytes
    sealed = crypto.seal(key, place, "示例".encode())
    assert crypto.unseal(key, place, sealed).decode() == "示例"
    assert crypto.seal(key, place, "示例".encode()) != sealed
    for other in (
        (crypto.new_key(), place, sealed),
        (key, uuid4().bytes, sealed),
        (key, place, sealed[:-1] + b"\0"),
    ):
        with pytest.raises(InvalidTag):
            crypto.unseal(*other)


# RFC 8998, appendix A.1
SM4_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SM4_NONCE = bytes.fromhex("00001234567800000000ABCD")
SM4_BOUND = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
SM4_CONTENT = bytes.fromhex("".join(digit * 16 for digit in "ABCDEFEA"))
SM4_SEALED = bytes.fromhex(
    "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
    "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    "83DE3541E4C2B58177E065A9BF7B62EC"
)


def test_sm4_gives_what_the_standard_gives() -> None:
    assert ciphers.sm4_encrypt(SM4_KEY, SM4_NONCE, SM4_BOUND, SM4_CONTENT) == SM4_SEALED
    assert ciphers.unseal(SM4_KEY, SM4_BOUND, SM4_NONCE + SM4_SEALED) == SM4_CONTENT
    for bound, sealed in (
        (SM4_BOUND, SM4_NONCE + SM4_SEALED[:-1] + b"\0"),
        (b"elsewhere", SM4_NONCE + SM4_SEALED),
        (SM4_BOUND, SM4_NONCE),
    ):
        with pytest.raises(InvalidTag):
            ciphers.unseal(SM4_KEY, bound, sealed)


def test_a_cipher_that_cannot_be_used_is_told_at_the_start(settings: Any, monkeypatch: Any) -> None:
    for name, expected in (("aes-256-gcm", []), ("sm4-gcm", []), ("sm4", ["filings.E001"])):
        settings.PILOT_CIPHER = name
        assert [found.id for found in checks.stored_cipher()] == expected
    settings.PILOT_CIPHER = "sm4-gcm"

    def unsupported(*_arguments: Any) -> Any:
        raise UnsupportedAlgorithm("cipher")

    monkeypatch.setattr(ciphers, "Cipher", unsupported)
    (error,) = checks.stored_cipher()
    assert (error.id, error.msg) == ("filings.E002", "本机的 OpenSSL 不支持 SM4-GCM")


@pytest.mark.django_db
def test_months_under_either_cipher_lie_beside_each_other(unit: Any, settings: Any) -> None:
    settings.PILOT_MASTER_KEY = "first"
    old = builders.form(unit, "A-1", "2019-06-18 10:00", content={"form_no": "A-1"})
    settings.PILOT_CIPHER = "sm4-gcm"
    new = builders.form(unit, "A-2", "2019-07-01 08:00", content={"form_no": "A-2"})
    same = builders.form(unit, "A-3", "2019-06-18 10:00", content={"form_no": "A-3"})
    assert [one.key.cipher for one in (old, new, same)] == ["aes-256-gcm", "sm4-gcm", "aes-256-gcm"]
    assert [len(storage.data_key(one.key)) for one in (old, new)] == [32, 16]
    settings.PILOT_CIPHER = "aes-256-gcm"
    settings.PILOT_MASTER_KEY = "2:second,1:first"
    assert storage.rewrap_keys() == 2
    settings.PILOT_MASTER_KEY = "2:second"
    for one in VerificationForm.unscoped.select_related("key"):
        assert storage.open_form(one) == {"form_no": one.form_no}
    # What a row says of its cipher is bound to its key: it cannot be talked into another.
    key = UnitMonthKey.objects.get(cipher="sm4-gcm")
    key.cipher = "aes-256-gcm"
    with pytest.raises(InvalidTag):
        storage.data_key(key)


def test_names_compare_after_trimming_and_unifying_brackets() -> None:
    wide = crypto.authority_keys(1, "91X", " 示例（北京）公司 ")
    assert crypto.authority_keys(1, "91X", "示例(北京)公司") == wide
    assert crypto.authority_keys(1, "91X", "示例(北京)公司甲")[0] == wide[0]
    assert crypto.authority_keys(1, "91X", "示例(北京)公司甲")[1] != wide[1]


def test_digests_and_indexes_stay_what_they_are(settings: Any) -> None:
    """Known answers (RFC 5869 and RFC 2104 by the standard library): what is stored must be found for good."""

    def derived(secret: str, purpose: str) -> bytes:
        extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
        return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")

    settings.PILOT_DIGEST_KEY, settings.PILOT_INDEX_KEY = "digest", "2:new,1:old"
    assert crypto.repeat_digest(b"content") == hmac.digest(derived("digest", "repeat"), b"content", "sha256")
    certificate = b"certificate\x002\x0011010119900101001X"
    expected = b"\x02" + hmac.digest(derived("new", "index"), certificate, "sha256")
    assert crypto.certificate_index(2, "11010119900101001X") == expected


def test_equal_names_of_different_people_do_not_show_as_equal() -> None:
    assert crypto.authority_keys(2, "1", "示例")[1] != crypto.authority_keys(2, "2", "示例")[1]
    assert crypto.authority_keys(2, "1", "示例")[0] != crypto.authority_keys(7, "1", "示例")[0]


def test_an_index_says_which_key_made_it(settings: Any) -> None:
    settings.PILOT_INDEX_KEY = "2:new,1:old"
    assert [index[0] for index in crypto.certificate_indexes(2, "1")] == [2, 1]
    settings.PILOT_INDEX_KEY = "old"
    old = crypto.certificate_index(2, "1")
    settings.PILOT_INDEX_KEY = "2:new,1:old"
    assert crypto.certificate_indexes(2, "1")[1] == old != crypto.certificate_index(2, "1")


def test_a_secret_with_signs_of_a_list_is_one_secret(settings: Any) -> None:
    settings.PILOT_MASTER_KEY = "a:b,c:d"
    assert crypto.master_version() == 1
    settings.PILOT_MASTER_KEY = "12:b,3:d"
    assert crypto.master_version() == 12


@pytest.mark.django_db
def test_a_rotated_master_key_rewraps_data_keys_and_no_form(unit: Any, settings: Any) -> None:
    settings.PILOT_MASTER_KEY = "first"
    form = builders.form(unit, "A-0001", content={"form_no": "A-0001"})
    before = bytes(form.ciphertext)
    settings.PILOT_MASTER_KEY = "2:second,1:first"
    assert storage.open_form(form) == {"form_no": "A-0001"}
    assert (storage.rewrap_keys(), storage.rewrap_keys()) == (1, 0)
    settings.PILOT_MASTER_KEY = "2:second"
    form.refresh_from_db()
    key = UnitMonthKey.objects.get(unit=unit)
    assert (key.master_version, bytes(form.ciphertext)) == (2, before)
    assert storage.open_form(form) == {"form_no": "A-0001"}


@pytest.mark.django_db
def test_one_key_for_each_unit_and_month(unit: Any) -> None:
    june, july = (storage.month_key(unit_id=unit.pk, month=date(2019, month, 1)) for month in (6, 7))
    assert storage.month_key(unit_id=unit.pk, month=date(2019, 6, 1)) == june
    assert storage.data_key(june) != storage.data_key(july)


@pytest.mark.django_db
def test_a_ciphertext_in_another_row_does_not_open(unit: Any) -> None:
    one, two = builders.form(unit, "A-0001"), builders.form(unit, "A-0002")
    one.ciphertext = two.ciphertext
    with pytest.raises(InvalidTag):
        storage.open_form(one)
