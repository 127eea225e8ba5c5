"""Messages that are no calls, bombs, encodings, and digests against values worked out elsewhere."""

from __future__ import annotations

import io
import resource
import zipfile
from typing import Any

import pytest

from filings.soap.envelope import Envelope, EnvelopeFault, answer, fault
from filings.v3 import in_flight, package
from filings.v3.codes import CallRefused
from filings.v3.in_flight import Budget, Reservation
from filings.v3.package import Base64Sink, Secret, Unzipped
from tests.filings.v3_service.client import ENVELOPE

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
CALL = "<o:isp_download xmlns:o='urn:o'><ispId> 1 </ispId><userName>示例</userName></o:isp_download>"


def message(body: str = CALL, header: str = "", namespace: str = ENVELOPE, before: str = "") -> str:
    head = f"<e:Header>{header}</e:Header>" if header else ""
    return f"{before}<e:Envelope xmlns:e='{namespace}'>{head}<e:Body>{body}</e:Body></e:Envelope>"


def read(content: bytes, charset: str = "", piece: int = 61) -> Envelope:
    envelope = Envelope(charset)
    envelope.feed(content[:300])
    for start in range(300, len(content), piece):
        envelope.feed(content[start : start + piece])
    envelope.feed(b"", last=True)
    return envelope


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        (message().encode(), ""),
        (b"\xef\xbb\xbf" + message().encode(), "utf-8"),
        (message(before='<?xml version="1.0" encoding="GBK"?>').encode("gbk"), ""),
        (message(before='<?xml version="1.0" encoding="UTF-8"?>').encode("gbk"), "GB2312"),
        (message(before='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"), ""),
        (message(header="<h>a<i>b</i></h><j xmlns:f='" + ENVELOPE + "' f:mustUnderstand='0'/>").encode(), ""),
    ],
)
def test_a_call_in_every_encoding(content: bytes, charset: str) -> None:
    envelope = read(content, charset)
    assert (envelope.operation, envelope.namespace) == ("isp_download", "urn:o")
    assert envelope.arguments == {"ispId": "1", "userName": "示例"}


BOMB = "<!DOCTYPE e [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY c SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "Client"),
        (b"not xml", "Client"),
        (b"\xff\xfe\x00", "Client"),
        (b"<a/>", "Client"),
        (message().encode()[:-9], "Client"),
        (message().encode() + b"<a/>", "Client"),
        (message("").encode(), "Client"),
        (message(CALL + CALL).encode(), "Client"),
        (message("<a><b><c/></b></a>").encode(), "Client"),
        (message(f"<a><b>{'x' * 5000}</b></a>").encode(), "Client"),
        (message(f"<a>{''.join(f'<b{n}/>' for n in range(40))}</a>").encode(), "Client"),
        (message().replace("e:Body", "e:Torso").encode(), "Client"),
        (message(before=BOMB, body="<a><b>&b;&c;</b></a>").encode(), "Client"),
        (message("<a><b>&lost;</b></a>").encode(), "Client"),
        (message(before="<?xml version='1.0' encoding='klingon'?>").encode(), "Client"),
        (message(before="<?xml version='1.0' encoding='zlib'?>").encode(), "Client"),
        (message().encode("gbk"), "Client"),
        (message(header="<h>" * 40 + "</h>" * 40).encode(), "Client"),
        (message(header="<h/>" * 1001).encode(), "Client"),
        (message(header=f"<h {' '.join(f"a{n}=''" for n in range(33))}/>").encode(), "Client"),
        (message(header=f"<h a='{'x' * 300_000}'/>").encode(), "Client"),
        (message(before=f"<!--{'x' * 300_000}-->").encode(), "Client"),
        (message(namespace=SOAP12).encode(), "VersionMismatch"),
        (message(header="<h xmlns:f='" + ENVELOPE + "' f:mustUnderstand='1'/>").encode(), "MustUnderstand"),
    ],
)
def test_what_is_no_call_is_a_fault(content: bytes, code: str) -> None:
    with pytest.raises(EnvelopeFault) as caught:
        read(content)
    assert caught.value.code == code
    assert f"<faultcode>soap:{code}</faultcode>".encode() in fault(caught.value)


def test_a_file_in_the_message_is_decoded_on_its_way() -> None:
    envelope = read(message("<a><beianInfo>\nTWFu\r\nIE1h\nbg==\n</beianInfo><z>1</z></a>").encode(), piece=1)
    assert (envelope.content.content(), envelope.arguments) == (b"Man Man", {"z": "1"})
    for text, code in (("", 6), ("TWF", 6), ("TWF*", 6), ("TQ==TQ==", 6)):
        sink = Base64Sink(Reservation())
        sink.feed(text)
        with pytest.raises(CallRefused) as caught:
            sink.content()
        assert caught.value.code == code, text


SECTION_5 = "http://schemas.xmlsoap.org/soap/encoding/"
AXIS = f"""<o:isp_upload xmlns:o='urn:o' e:encodingStyle='{SECTION_5}'><ispId href='#id0'/>
<userName t:type='x:string' xmlns:t='urn:t'>示例</userName><beianInfo href='#id2'/><dataSequence href='#id1'/>
<hashAlgorithm href='#id1'/></o:isp_upload>"""
APART = [
    f"<multiRef id='{name}' c:root='0' e:encodingStyle='{SECTION_5}' xmlns:c='{SECTION_5}'>{text}</multiRef>"
    for name, text in (("id0", " 1001 "), ("id1", "0"), ("id2", "TWFu"))
]


@pytest.mark.parametrize("parts", [[AXIS, *APART], [APART[1], APART[0], AXIS, APART[2]]])
def test_arguments_may_stand_apart_from_the_call(parts: list[str]) -> None:
    envelope = read(message("".join(parts)).encode(), piece=1)
    assert (envelope.operation, envelope.encoded) == ("isp_upload", True)
    assert envelope.arguments == {
        "ispId": "1001",
        "userName": "示例",
        "dataSequence": "0",
        "hashAlgorithm": "0",
    }
    assert envelope.content.content() == b"Man"
    assert b'type="xsd:string">x</return>' in answer("isp_upload", "urn:o", "x", encoded=True)


@pytest.mark.parametrize(
    "body",
    [
        AXIS + APART[0] + APART[2],
        AXIS + "<multiRef>1</multiRef>",
        AXIS + "<multiRef id='id0'><deep/></multiRef>" + "".join(APART),
        AXIS + f"<multiRef id='{'x' * 300}'>1</multiRef>",
        AXIS + "".join(f"<multiRef id='{n}'>1</multiRef>" for n in range(40)),
        AXIS + f"<multiRef id='id0'>{'x' * 5000}</multiRef>",
        "<a><b href='http://elsewhere.example/#id0'/></a>",
    ],
)
def test_references_that_lead_nowhere_are_a_fault(body: str) -> None:
    with pytest.raises(EnvelopeFault):
        read(message(body).encode())


def test_calls_share_what_the_process_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    callers, strangers = Budget(8), Budget(5)
    monkeypatch.setattr(in_flight, "CALLERS", callers)
    monkeypatch.setattr(in_flight, "STRANGERS", strangers)
    monkeypatch.setattr(in_flight, "FREE", 0)
    one, two = Base64Sink(Reservation()), Base64Sink(Reservation())
    one.feed("TWFu")
    one.vouch()
    assert (callers.left, strangers.left) == (5, 5)
    one.feed("TWFu")
    two.feed("TWFu")
    two.vouch()  # three more than there are: it is let pass, and holds nothing
    two.feed("TWFu")
    with pytest.raises(CallRefused) as caught:
        two.content()
    assert (caught.value.code, callers.left, strangers.left) == (15, 2, 5)
    assert one.content() == b"ManMan"


# Worked out with iconv, openssl dgst -md5 -binary, openssl enc -aes-128-cbc and base64.
SECRET = Secret("口令Pass2013", "0123456789abcdef", "fedcba9876543210")
DIGEST = "AjFUi5R6InWKuk+8FhwqXA=="
SEALED = "51acf989f55f045eec16c4d857e36c5315b60cc668912141656f4146d2d62fb5"


def test_digests_and_cipher_give_what_openssl_gives() -> None:
    assert package.password_digest(SECRET.password, "a1B2c3D4e5F6g7H8i9J0") == DIGEST
    assert package.content_digest(b"") == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert package.encrypt(b"sixteen bytes ok", package.AES, SECRET).hex() == SEALED
    assert package.decrypt(bytes.fromhex(SEALED), package.AES, SECRET) == b"sixteen bytes ok"


def test_a_bomb_is_unpacked_within_bounds() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.xml", "w") as file:
        for _ in range(200):
            file.write(bytes(1024 * 1024))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CallRefused) as caught:
        Unzipped(packed.getvalue()).digest()
    assert caught.value.code == 18
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


def test_a_list_of_files_is_bounded_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(2000):
            archive.writestr(str(number), b"")

    def never(*_args: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(zipfile, "ZipInfo", never)
    with pytest.raises(CallRefused) as caught:
        Unzipped(packed.getvalue())
    assert caught.value.code == 17


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_neither_stored_nor_deflated_is_not_unzipped(method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("forms.xml", b"<x/>")
    with pytest.raises(CallRefused) as caught:
        Unzipped(packed.getvalue())
    assert caught.value.code == 8
