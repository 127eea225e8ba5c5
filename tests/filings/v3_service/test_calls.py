"""The V3.0 service as a provider's system sees it: every answer of the interface, and what comes of a file."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from lxml import etree

from filings.models import UploadJob, V3Access, V3Upload, VerificationForm
from filings.services import spool, uploads, v3_access, v3_calls
from filings.v3.codes import MsgCode
from pilot import clock
from pilot.errors import Refused
from pilot.models import AuditEntry, PilotUnit
from tests.factories import world
from tests.factories.audited import audited
from tests.filings.v3_service.client import Fault, System, md5, zipped

pytestmark = pytest.mark.django_db
ADDRESS = "/ISPWebService/upDownLoad"
OTHER_ZIP = zipped(b"<x/>")


def stored() -> tuple[int, int]:
    return UploadJob.unscoped.count(), V3Upload.unscoped.count()


def results(system: System, reply: Any) -> list[tuple[list[int], str | None, str | None]]:
    """The records of a result file: codes, ``Czlx``, ``Bs``; its shape is checked against the schema's rules."""
    root = etree.fromstring(system.open(reply))
    assert (root.tag, dict(root.attrib)) == ("DownloadData", {"version": "V.3.0"})
    assert [[one.tag for one in level] for level in (root, root[0])] == [["ICP"], ["BAJG"]]
    rows = []
    for entry in root[0][0]:
        said = [one for one in entry if one.tag == "Jgxx"]
        rest = [one.tag for one in entry if one.tag != "Jgxx"]
        assert entry.tag == "Jg_xx"
        assert said == list(entry)[: len(said)]
        assert rest == [name for name in ("Czlx", "Bs", "Bz") if name in rest]
        for one in said:
            assert [child.tag for child in one] in (["Jgdm"], ["Jgdm", "Dmms"])
            assert 1 <= len(one.findtext("Dmms", "x")) <= 255
        codes = [int(one.findtext("Jgdm", "0")) for one in said]
        assert min(codes) >= 1
        rows.append((codes, entry.findtext("Czlx"), entry.findtext("Bs")))
    return rows


# --- the whole way ----------------------------------------------------------------------------------
def test_the_sample_file_comes_back_as_fifty_receipts(
    system: System, samples: Path, work: Callable[[], None]
) -> None:
    content = (samples / "forms.xml").read_bytes()
    assert system.upload(1, content).code == 0
    job = UploadJob.unscoped.get()
    assert (job.format, job.state, system.download().code) == ("v3", "received", 2)
    work()
    assert (UploadJob.unscoped.get().accepted, VerificationForm.unscoped.count()) == (50, 50)
    first, again = system.download(), system.download()
    assert (first.code, again.text) == (0, first.text)
    assert results(system, first) == [([1060], "1", str(number)) for number in range(1, 51)]
    name = first.value("fileInfos/return_FileName")
    assert name == "BAJG_1001_00000001.zip"
    assert [system.acknowledge(name).code for _ in range(2)] == [1, 1]
    assert system.download().code == 2
    # The database's own account: every call with its code, never with content.
    calls = AuditEntry.objects.filter(action__startswith="v3.").order_by("pk")
    assert [(entry.action, entry.detail) for entry in calls] == [
        ("v3.isp_upload", {"code": 0, "sequence": 1}),
        ("v3.isp_download", {"code": 2, "sequence": None}),
        ("v3.isp_download", {"code": 0, "sequence": 1}),
        ("v3.isp_download", {"code": 0, "sequence": 1}),
        ("v3.isp_downloadack", {"code": 1, "sequence": 1}),
        ("v3.isp_downloadack", {"code": 1, "sequence": 1}),
        ("v3.isp_download", {"code": 2, "sequence": None}),
    ]


def test_each_record_is_answered_by_its_own_id_in_national_codes(
    system: System, document: Any, filing: Any, work: Callable[[], None]
) -> None:
    records = [
        filing(7),
        filing(8, Zt_xx__Zj__Zjlx="2"),
        filing(9, Zt_xx__Fzr__Fzr_sjhm="123", Zt_xx__Fzr__Fzr_dzyj="no-address"),
        filing(7),
    ]
    assert system.upload(1, document(*records)).code == 0
    again = document(filing(7), "<Fjxx/>").replace(b"XZBA", b"XZHYD")
    assert system.upload(2, again).code == 0
    removal = "<Zx_xx><Jlid>70</Jlid><Zxlb>{}</Zxlb><Zxly>2</Zxly></Zx_xx>"
    assert system.upload(3, document(*map(removal.format, (0, 1, 2)), operation="ZXBA")).code == 0
    work()
    reply = system.download()
    rows = results(system, reply)
    assert [(row[1], row[2]) for row in rows] == [("1", "7"), ("1", "8"), ("1", "9"), ("1", "7")]
    assert [rows[0][0], rows[2][0], rows[3][0]] == [[1060], [1011, 1009], [1060]]
    assert 1008 in rows[1][0]
    assert system.acknowledge(reply.value("fileInfos/return_FileName")).code == 3
    reply = system.download()
    assert {row[1] for row in results(system, reply)} == {"8"}
    assert system.acknowledge(reply.value("fileInfos/return_FileName")).code == 3
    reply = system.download()
    assert results(system, reply) == [([1001], kind, "70") for kind in ("6", "7", "5")]
    assert system.acknowledge(reply.value("fileInfos/return_FileName")).code == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no xml", 5001),
        (b"<UploadData version='V.3.0'><ICP>", 5001),
        (b"<!DOCTYPE x [<!ENTITY e 'e'>]><UploadData version='V.3.0'>&e;</UploadData>", 5001),
        ({"version": "V.2.0"}, 5004),
        ({"provider": 7}, 5003),
        (b"<UploadData version='V.3.0'><IP/></UploadData>", 5009),
        (b"", 5001),
    ],
)
def test_a_file_that_is_no_valid_upload_uses_its_number_and_says_why(
    system: System, document: Any, filing: Any, content: Any, code: int
) -> None:
    made = content if isinstance(content, bytes) else document(filing(1), **content)
    assert system.upload(1, made).code == 0
    assert stored() == (0, 1)
    reply = system.download()
    assert results(system, reply) == [([code], "1", None)]
    said = etree.fromstring(system.open(reply)).findtext(".//Dmms")
    assert said == system.previous().value("fileInfos/return_FileName") == "1001_00000001.zip"
    assert system.upload(2, document(filing(1))).code == 0
    assert [key for key, _at in spool.folders()] == [UploadJob.unscoped.get().case_key]


def test_a_job_that_broke_down_answers_the_records_it_never_came_to(
    system: System, document: Any, filing: Any, work: Callable[[], None]
) -> None:
    system.upload(1, document(filing(1)))
    spool.remove(UploadJob.unscoped.get().case_key)
    work()
    assert results(system, system.download()) == [([1002], "1", "1")]
    assert (
        system.previous().value("fileInfos/dataSequence"),
        system.previous().value("fileInfos/beianInfo"),
    ) == (
        "1",
        "",
    )


def test_a_system_without_cipher_in_gbk_under_another_namespace(
    system: System, document: Any, filing: Any, work: Callable[[], None]
) -> None:
    plain = System(**{**system.__dict__, "cipher": 0, "charset": "gbk", "namespace": "http://old.example/"})
    assert plain.upload(1, document(filing(1))).code == 0
    work()
    reply = plain.download()
    assert (reply.value("fileInfos/encryptAlgorithm"), results(plain, reply)) == ("0", [([1060], "1", "1")])


def test_the_previous_upload_comes_back_whole(system: System, document: Any, filing: Any, work: Any) -> None:
    nothing = system.previous()
    assert (nothing.code, nothing.value("fileInfos/dataSequence")) == (0, "0")
    first, second = document(filing(1)), document(filing(2))
    for number, content in enumerate((first, second), 1):
        system.upload(number, content)
        assert system.open(system.previous()) == content
        work()
    assert system.open(system.previous()) == second
    assert system.previous().value("fileInfos/dataSequence") == "2"
    assert audited("v3.isp_querypreviousupload")[0] == "done"


# --- numbers ----------------------------------------------------------------------------------------
def test_a_repeat_is_answered_as_before_and_stored_once(system: System, document: Any, filing: Any) -> None:
    content = document(filing(1))
    first = system.upload(1, content)
    other_time = zipfile.ZipInfo("again.xml", (2020, 1, 1, 0, 0, 0))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(other_time, content)
    assert system.upload(1, content).text == system.upload(1, packed=packed.getvalue()).text == first.text
    assert stored() == (1, 1)
    assert len(list(spool.folders())) == 1
    other = system.upload(1, document(filing(2)))
    assert (other.code, other.value("msg")) == (999, "序号 1 已用于另一文件，下一序号为 2")
    assert stored() == (1, 1)


def test_a_gap_names_what_is_missing_and_takes_nothing(system: System, document: Any, filing: Any) -> None:
    content = document(filing(1))
    system.upload(1, content)
    gap = system.upload(4, content)
    assert (gap.code, [one.text for one in gap.document.find("dataSequences")]) == (14, ["2", "3"])
    far = system.upload(10**17, content)
    assert len(far.document.find("dataSequences")) == v3_calls.MOST_NAMED
    assert stored() == (1, 1)
    assert V3Access.unscoped.get().last_sequence == 1


# --- every code -------------------------------------------------------------------------------------
class Table:
    """How to come by each ``msg_code``."""

    def __init__(
        self, system: System, unit: Any, admin: Any, document: Any, filing: Any, work: Any, patch: Any
    ):
        self.system, self.unit, self.admin, self.work, self.patch = system, unit, admin, work, patch
        self.content = document(filing(1))

    def limit(self, **chosen: Any) -> None:
        bounds = {"networks": [], "hours_from": None, "hours_until": None, **chosen}
        v3_access.configure(actor=self.admin, unit=self.unit, **bounds)

    def fetched(self, files: int) -> Any:
        for number in range(1, files + 1):
            self.system.upload(number, self.content)
        self.work()
        return self.system.acknowledge(self.system.download().value("fileInfos/return_FileName"))

    def code_0(self) -> Any:
        return self.system.upload(1, self.content)

    def code_1(self) -> Any:
        return self.fetched(1)

    def code_2(self) -> Any:
        return self.system.download()

    def code_3(self) -> Any:
        return self.fetched(2)

    def code_4(self) -> Any:
        return self.system.but(userName="somebody").download()

    def code_5(self) -> Any:
        return self.system.but(pwdHash=md5(b"guess")).download()

    def code_6(self) -> Any:
        assert self.system.but(beianInfo="no base64!").upload(1, self.content).code == 6
        assert self.system.but(beianInfo="").upload(1, self.content).code == 6
        return self.system.but(beianInfo=base64.b64encode(b"odd").decode()).upload(1, self.content)

    def code_7(self) -> Any:
        return self.system.but(beianInfoHash=md5(OTHER_ZIP)).upload(1, self.content)

    def code_8(self) -> Any:
        cut = zipped(self.content)[:-30]
        damaged = bytearray(zipped(self.content))
        damaged[60] ^= 0xFF
        for packed in (
            b"no zip",
            cut,
            bytes(damaged),
            b"PK\x05\x06",
            b"PK\x06\x07" + bytes(16) + OTHER_ZIP[-22:],
        ):
            assert self.system.upload(1, packed=packed).code == 8, packed[:20]
        return self.system.upload(1, packed=self.content)

    def code_9(self) -> Any:
        return self.system.but(encryptAlgorithm="2").upload(1, self.content)

    def code_10(self) -> Any:
        calls = self.system.but(hashAlgorithm="1")
        asked = (calls.upload(1, self.content), calls.previous(), calls.download(), calls.acknowledge("x"))
        assert [reply.code for reply in asked] == [10] * 4
        return asked[0]

    def code_11(self) -> Any:
        return self.system.but(compressionFormat="1").upload(1, self.content)

    def code_12(self) -> Any:
        self.limit(networks=["10.0.0.0/8"])
        return self.system.download()

    def code_13(self) -> Any:
        asked = [self.system.but(ispId=text).download().code for text in ("", "x", "٣", "9" * 40)]
        assert asked == [13] * 4
        return self.system.but(ispId="99").download()

    def code_14(self) -> Any:
        return self.system.upload(2, self.content)

    def code_15(self) -> Any:
        self.patch.setattr(v3_calls, "MOST_WAITING", 1)
        assert self.system.upload(1, self.content).code == 0
        assert self.system.upload(1, self.content).code == 0  # a repeat adds nothing
        return self.system.upload(2, self.content)

    def code_16(self) -> Any:
        return self.system.but(randVal="a" * 19).download()

    def code_17(self) -> Any:
        many = io.BytesIO()
        with zipfile.ZipFile(many, "w") as archive:
            for number in range(500):
                archive.writestr(str(number), b"")
        assert self.system.upload(1, packed=many.getvalue()).code == 17
        assert self.system.upload(1).code == 17
        return self.system.upload(1, self.content, self.content)

    def code_18(self) -> Any:
        return self.system.upload(1, b"<x>" + bytes(50 * 1024 * 1024) + b"</x>")

    def code_19(self) -> Any:
        world.at("2019-05-01 10:00")
        return self.system.upload(1, self.content)

    def code_20(self) -> Any:
        self.limit(hours_from=time(8), hours_until=time(9))
        return self.system.download()

    def code_21(self) -> Any:
        self.fetched(2)
        names = ("", "x.zip", "BAJG_1001_1.zip", "BAJG_7_00000001.zip", "BAJG_1001_00000003.zip")
        assert [self.system.acknowledge(name).code for name in names] == [21] * len(names)
        return self.system.acknowledge("BAJG_1001_00000002.zip")  # ready, but never handed out

    def code_901(self) -> Any:
        def away(*_args: Any, **_kwargs: Any) -> Any:
            raise OperationalError

        with self.patch.context() as patch:
            patch.setattr("filings.soap.views.identify", away)
            reply = self.system.download()
        V3Access.unscoped.update(master_version=9)  # a master key that was removed too early
        assert self.system.download().code == reply.code
        V3Access.unscoped.update(master_version=1, sealed_secret=b"0" * 90)
        assert self.system.download().code == reply.code
        return reply

    def code_902(self) -> Any:
        def full(*_args: Any) -> Any:
            raise OSError("no space left")

        self.patch.setattr(uploads, "take_in", full)
        reply = self.system.upload(1, self.content)
        self.patch.undo()
        assert stored() == (0, 0)
        assert self.system.upload(1, self.content).code == 0
        return reply

    def code_999(self) -> Any:
        for text in ("", "0", "-1", "1.0", "x", "9" * 30):
            assert self.system.but(dataSequence=text).upload(1, self.content).code == 999, text
        return self.system.but(dataSequence="0").upload(1, self.content)


def test_the_table_holds_every_code() -> None:
    assert {int(name[5:]) for name in vars(Table) if name.startswith("code_")} == set(MsgCode.values)


@pytest.mark.parametrize("code", MsgCode.values)
def test_every_code_can_be_come_by(
    system: System, unit: Any, admin: Any, document: Any, filing: Any, work: Any, monkeypatch: Any, code: int
) -> None:
    reply = getattr(Table(system, unit, admin, document, filing, work, monkeypatch), f"code_{code}")()
    assert (reply.code, reply.status) == (code, 200)
    # The schema: version, then msg_code, msg of exactly 256 characters, and nothing unknown.
    assert (reply.document.tag, reply.document.attrib) == ("return", {"version": "V.3.0"})
    assert [one.tag for one in reply.document][:2] == ["msg_code", "msg"]
    assert len(reply.document.findtext("msg")) == 256
    assert reply.text.isascii()
    assert ("dataSequences" in [one.tag for one in reply.document]) == (code == 14)
    assert stored()[0] == stored()[1]


# --- at the door ------------------------------------------------------------------------------------
def test_hours_may_pass_midnight(system: System, unit: Any, admin: Any) -> None:
    v3_access.configure(
        actor=admin, unit=unit, networks=["127.0.0.1"], hours_from=time(22), hours_until=time(6)
    )
    answers = []
    for moment in ("2019-07-01 21:59", "2019-07-01 22:00", "2019-07-02 05:59", "2019-07-02 06:00"):
        world.at(moment)
        answers.append(system.download().code)
    assert answers == [20, 2, 2, 20]


def test_switched_off_it_refuses_and_forgets_nothing(
    system: System, unit: Any, admin: Any, document: Any
) -> None:
    system.upload(1, document())
    v3_access.switch_off(actor=admin, unit=unit)
    with pytest.raises(Refused, match="接口尚未启用"):
        v3_access.switch_off(actor=admin, unit=unit)
    other = PilotUnit.unscoped.exclude(pk=unit.pk)
    assert (other.count(), system.post(b"", "text/xml")[0]) == (0, 404)
    v3_access.switch_on(actor=admin, unit=unit)
    assert (system.upload(2, document()).code, system.previous().value("fileInfos/dataSequence")) == (0, "2")


def test_another_unit_switched_on_opens_nothing_for_this_one(
    system: System, unit: Any, provider: Any
) -> None:
    from tests.filings import builders
    from tests.filings.api.caller import admin_of

    colleague = world.provider()
    elsewhere = builders.enrol(unit.programme, colleague)
    assert system.but(ispId=str(elsewhere.national_id)).download().code == 12
    v3_access.switch_on(actor=admin_of(elsewhere), unit=elsewhere)
    assert system.but(ispId=str(elsewhere.national_id)).download().code == 4
    assert system.but(ispId=str(elsewhere.national_id), userName=elsewhere.code).download().code == 5
    assert system.but(fileName="BAJG_1002_00000001.zip").acknowledge("").code == 21


def test_so_many_calls_a_minute(system: System, settings: Any) -> None:
    settings.PILOT_API_RATE = 2
    assert [system.download().code for _ in range(3)] == [2, 2, 12]
    assert system.but(pwdHash="x").download().code == 5  # guesses do not use up the unit's calls
    V3Access.unscoped.update(calls_started=clock.security_now() - timedelta(minutes=2))
    assert system.download().code == 2


def test_a_flood_of_guesses_does_not_fill_the_log(system: System, monkeypatch: Any) -> None:
    monkeypatch.setattr("filings.services.v3_callers.MOST_DENIALS", 2)
    assert {system.but(pwdHash="x").download().code for _ in range(5)} == {5}
    denied = AuditEntry.objects.filter(action="v3.isp_download", outcome="denied")
    assert [(entry.detail, entry.address) for entry in denied] == [({"code": 5}, "127.0.0.1")] * 2


# --- HTTP -------------------------------------------------------------------------------------------
def test_it_does_not_exist_until_a_unit_has_it(unit: Any, client: Any) -> None:
    answers = (client.get(ADDRESS), client.get(f"{ADDRESS}?wsdl"), client.post(ADDRESS, b"", "text/xml"))
    assert [answer.status_code for answer in answers] == [404] * 3


def test_the_description_names_every_call_and_this_address(system: System, client: Any) -> None:
    answer = client.get(f"{ADDRESS}?WSDL")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(answer.content)
    wsdl = "{http://schemas.xmlsoap.org/wsdl/}"
    soap, schema = "{http://schemas.xmlsoap.org/wsdl/soap/}", "{http://www.w3.org/2001/XMLSchema}"
    assert root.find(f".//{soap}address").get("location") == f"http://testserver{ADDRESS}"
    names = [one.get("name") for one in root.iter(f"{wsdl}portType", f"{wsdl}operation")]
    calls = ["isp_upload", "isp_querypreviousupload", "isp_download", "isp_downloadack"]
    assert names == ["upDownLoad", *calls, *calls]
    upload = root.find(f".//{schema}element[@name='isp_upload']")
    assert [one.get("name") for one in upload.iter(f"{schema}element")][1:] == [
        *("ispId", "userName", "randVal", "pwdHash", "beianInfo", "beianInfoHash", "dataSequence"),
        *("encryptAlgorithm", "hashAlgorithm", "compressionFormat"),
    ]
    assert client.get(ADDRESS).status_code == 405


def test_faults_are_soap_faults(system: System) -> None:
    status, answer = system.post(b"<x/>", "text/xml")
    assert (status, b"<faultcode>soap:Client</faultcode>" in answer) == (500, True)
    with pytest.raises(Fault, match="500 soap:Client There is no such operation"):
        system.call("isp_destroy")
    bomb = system.envelope("isp_download").replace(b"?>", b"?><!DOCTYPE e [<!ENTITY a 'b'>]>", 1)
    assert (system.post(bomb, "text/xml")[0], stored()) == (500, (0, 0))


def test_what_is_too_large_is_refused_before_it_is_read(system: System, rf: Any) -> None:
    from filings.soap.views import MAX_REQUEST, v3_service

    body = io.BytesIO(b"x" * 100)
    request = rf.generic(
        "POST", ADDRESS, b"", "text/xml", CONTENT_LENGTH=str(MAX_REQUEST + 1), **{"wsgi.input": body}
    )
    anonymous = System(system.post, 0, "", "", namespace="urn:ISPWebService:upDownLoad")
    assert (anonymous.read("isp_upload", 200, v3_service(request).content).code, body.tell()) == (18, 0)


def test_a_call_sent_in_chunks(system: System, rf: Any) -> None:
    from filings.soap.views import v3_service

    body = io.BytesIO(system.envelope("isp_download", hashAlgorithm="0"))
    extra = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    request = rf.generic("POST", ADDRESS, b"", "text/xml", **extra)
    request.arrived = clock.security_now()
    assert system.read("isp_download", 200, v3_service(request).content).code == 2


def test_a_file_from_nobody_is_not_kept(system: System, monkeypatch: Any) -> None:
    fed: list[int] = []
    monkeypatch.setattr("filings.v3.package.Base64Sink.feed", lambda self, text: fed.append(len(text)))
    reply = system.but(pwdHash="x").upload(1, packed=bytes(4_000_000))
    assert (reply.code, sum(fed) < 200_000) == (5, True)


# --- the secret -------------------------------------------------------------------------------------
def test_a_rotated_master_key_takes_the_secrets_along(system: System, settings: Any) -> None:
    old = settings.PILOT_MASTER_KEY
    settings.PILOT_MASTER_KEY = f"2:new,1:{old}"
    assert (v3_access.rewrap_secrets(), v3_access.rewrap_secrets()) == (1, 0)
    settings.PILOT_MASTER_KEY = "2:new"
    assert system.download().code == 2
    assert system.password.encode() not in bytes(V3Access.unscoped.get().sealed_secret)
