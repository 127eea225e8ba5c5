"""National V3.0 uploads behind the door: chains without names, unknown subjects, material and deregistrations."""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Callable
from typing import Any

import pgtrigger
import pytest
from django.db import connection
from lxml import etree

from filings import v3_writer, writers
from filings.models import FormPicture, FormSupplement, PictureContent, SubjectReference, VerificationForm
from filings.services import comparison, storage, supplements

pytestmark = pytest.mark.django_db
JPEG = base64.b64decode(v3_writer.PICTURE)


@pytest.fixture
def send(unit: Any, hand_in: Any) -> Callable[..., Any]:
    """Hand in V3.0 records of one operation; returns the processed job."""

    def act(operation: str, *records: str, **options: Any) -> Any:
        text = (
            f'<?xml version="1.0" encoding="GBK"?><UploadData version="V.3.0"><ICP><{operation}>'
            f"{''.join(records)}</{operation}><Qqdwid>{unit.national_id}</Qqdwid></ICP></UploadData>"
        )
        return hand_in(text.encode("gbk"), name="upload.xml", **options)

    return act


@pytest.fixture
def filing(made: Any) -> Callable[..., str]:
    """A new filing (``Baxx``) with the provider's own id 7."""

    def record(**changes: str) -> str:
        element = v3_writer.record_element(made(1, provinces=["440000"])[0], 7)
        for path, text in changes.items():
            element.find(path.replace("__", "/")).text = text
        return etree.tostring(element, encoding="unicode")

    return record


def material(owner_kind: int, owner: str, use: int = 2) -> str:
    return (
        f"<Fjxx><Fjwjgs>1</Fjwjgs><Fjyt>{use}</Fjyt><Fjnr>{v3_writer.PICTURE}</Fjnr>"
        f"<Fjssdx><Ssdxlx>{owner_kind}</Ssdxlx><Ssdxbs>{owner}</Ssdxbs></Fjssdx></Fjxx>"
    )


def chain() -> list[tuple[int, str]]:
    rows = VerificationForm.unscoped.order_by("version")
    return list(rows.values_list("version", "supersedes"))


def test_other_content_of_the_same_record_corrects_the_newest_form(send: Any, filing: Any) -> None:
    send("XZBA", filing(), received="2019-06-20 10:00")
    send("XZBA", filing(Zt_xx__Txdz__Xxdz="示例路9号"))
    job = send(
        "XZBA", filing(Zt_xx__Txdz__Xxdz="示例路10号"), filing(), filing(Zt_xx__Txdz__Xxdz="示例路11号")
    )
    assert (job.accepted, job.duplicates) == (2, 1)
    numbers = list(VerificationForm.unscoped.order_by("version").values_list("form_no", flat=True))
    assert chain() == [(1, ""), *((n + 2, numbers[n]) for n in range(3))]
    assert set(VerificationForm.unscoped.values_list("chain_no", "day")) == {
        (numbers[0], VerificationForm.unscoped.get(version=1).day)
    }


def test_a_record_with_comments_is_the_record_without(send: Any, filing: Any) -> None:
    plain = filing()
    send("XZBA", plain.replace("有限公司", "<!-- n -->有限<?n?>公司").replace("<Zt_xx>", "<!-- n --><Zt_xx>"))
    again = send("XZBA", plain)
    assert (again.accepted, again.duplicates, again.code_counts) == (0, 1, {})


def test_another_record_whose_id_begins_alike_is_another_chain(send: Any, filing: Any) -> None:
    send("XZBA", filing())
    send(
        "XZBA",
        filing(Zt_xx__IspZtid="70")
        .replace("<Ssdxbs>7<", "<Ssdxbs>70<")
        .replace("<IspWzid>7<", "<IspWzid>70<"),
    )
    assert chain() == [(1, ""), (1, "")]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_form_of_another_door_never_begins_a_chain_of_records(
    unit: Any, send: Any, filing: Any, made: Any, hand_in: Any, dry_run: bool
) -> None:
    """Whatever number it bears; the records after it are a chain of their own."""
    number = f"V3-{unit.national_id}-XZBA-7-0"
    hand_in({**made(1)[0], "form_no": number})
    both = send("XZBA", filing(), filing(Zt_xx__Txdz__Xxdz="示例路10号"), dry_run=dry_run)
    assert (both.accepted, both.code_counts) == (2, {})
    if dry_run:
        with connection.cursor() as cursor:
            cursor.execute("SELECT version, chain_no = %s FROM filings_dry_run ORDER BY 1", [number])
            assert cursor.fetchall() == [(1, False), (2, False)]
    else:
        (later,) = VerificationForm.unscoped.filter(version=2)
        assert chain() == [(1, ""), (1, ""), (2, later.chain_no)]
        assert VerificationForm.unscoped.filter(chain_no=number).count() == 1


def test_a_correction_by_another_door_stays_in_the_chain_of_the_record(
    send: Any, filing: Any, made: Any, hand_in: Any
) -> None:
    send("XZBA", filing())
    first = VerificationForm.unscoped.get().form_no
    hand_in({**made(1)[0], "form_no": "C-0001", "supersedes_form": first})
    send("XZBA", filing(Zt_xx__Txdz__Xxdz="示例路10号"))
    assert chain() == [(1, ""), (2, first), (3, "C-0001")]


def test_pictures_lie_encrypted_once_and_open(unit: Any, send: Any, filing: Any) -> None:
    send("XZBA", filing())
    form = VerificationForm.unscoped.get()
    pictures = FormPicture.objects.filter(unit=unit, form_no=form.form_no)
    assert sorted(pictures.values_list("use", "owner_kind", "owner")) == [
        ("face", "website", "7"),
        ("form", "subject", "7"),
        ("principal_cert", "subject", "7"),
        ("site_principal_cert", "website", "7"),
        *([("subject_cert", "subject", "7")] if form.subject_kind == "unit" else []),
    ]
    assert JPEG not in bytes(PictureContent.objects.get().sealed)
    assert supplements.open_picture(pictures[0]) == JPEG
    assert b"<Fjnr/>" in storage.raw_row(form).replace(b"<Fjnr></Fjnr>", b"<Fjnr/>")
    assert v3_writer.PICTURE.encode() not in storage.raw_row(form)


def test_material_finds_its_form_or_is_refused_with_the_national_code(
    unit: Any, send: Any, filing: Any
) -> None:
    send("XZBA", filing())
    form = VerificationForm.unscoped.get()
    job = send("XZHYD", material(1, "7"), material(2, "7", use=5), material(1, "8"), material(2, "9", use=5))
    assert (job.accepted, job.code_counts) == (2, {"image.owner": 2})
    refused = job.refusals.order_by("row").values_list("row", "errors")
    assert [(row, error["national"]) for row, (error,) in refused] == [(3, 1058), (4, 1059)]
    assert set(FormSupplement.objects.values_list("operation", "form_no")) == {("XZHYD", form.form_no)}
    assert VerificationForm.unscoped.count() == 1
    again = send("XZHYD", material(1, "7"))
    assert (again.accepted, again.duplicates) == (0, 1)


@pytest.fixture
def two_sites(filing: Any) -> str:
    """A new filing of subject 7 with websites 8 and 9, whose pictures are all the subject's."""
    record = etree.fromstring(filing())
    site = record.find("Wz_xx")
    second = copy.deepcopy(site)
    site.find("IspWzid").text, second.find("IspWzid").text = "8", "9"
    site.addnext(second)
    for picture in record.findall("Fj"):
        if picture.findtext("Fjxx/Fjyt") == "4":  # a website's own
            record.remove(picture)
        picture.find("Fjxx/Fjssdx/Ssdxlx").text = "1"
    return etree.tostring(record, encoding="unicode")


def belongs(job: Any) -> list[tuple[int, str]]:
    """Of a file of material: its taken records by row, and the form each belongs to."""
    return list(FormSupplement.objects.filter(job=job).order_by("row").values_list("row", "form_no"))


def only(job: Any) -> str:
    return VerificationForm.unscoped.get(job=job).form_no


def test_material_finds_a_website_that_had_no_picture_of_its_own(send: Any, two_sites: str) -> None:
    send("XZBA", two_sites)
    corrected = only(send("XZBA", two_sites.replace("<Bbfs>1<", "<Bbfs>0<")))
    site = etree.tostring(etree.fromstring(two_sites).find("Wz_xx"), encoding="unicode")
    sites = "".join(site.replace("<IspWzid>8<", f"<IspWzid>{own}<") for own in (10, 11))
    added = only(send("XZWZ", f"<Xzxx><Zt_xx><Ztid>70</Ztid></Zt_xx>{sites}</Xzxx>"))
    job = send("XZHYD", *(material(2, own, use=5) for own in ("8", "9", "10", "11", "7", "12")))
    assert belongs(job) == [(1, corrected), (2, corrected), (3, added), (4, added)]
    assert job.code_counts == {"image.owner": 2}
    assert belongs(send("XZHYD", material(1, "7"), material(1, "8"))) == [(1, corrected)]


def test_material_belongs_to_the_last_of_several_versions_in_one_file(send: Any, filing: Any) -> None:
    records = [filing(Zt_xx__Txdz__Xxdz=f"示例路{number}号") for number in range(9)]
    newest = VerificationForm.unscoped.get(job=send("XZBA", *records), row=9).form_no
    assert belongs(send("XZHYD", material(1, "7"), material(2, "7", use=5))) == [(1, newest), (2, newest)]


def test_material_finds_what_was_filed_elsewhere_by_number_and_provincial_id(
    send: Any, two_sites: str
) -> None:
    number = "粤ICP备12345678号"
    change = etree.fromstring(two_sites)
    change.tag = "Bgxx"
    subject = change.find("Zt_xx")
    subject.find("IspZtid").tag = "Ztid"
    etree.SubElement(subject, "Baxh").text = number
    for place, site in enumerate(change.findall("Wz_xx"), 1):
        site.find("IspWzid").tag = "Wzid"
        etree.SubElement(site, "Baxh").text = f"{number}-{place}"
    for picture in change.findall("Fj"):
        change.remove(picture)
    changed = only(send("BGBA", etree.tostring(change, encoding="unicode")))
    access = (
        f"<Xzxx><Wz_xx><Wzbah>{number}-3</Wzbah></Wz_xx><IspJrid>1</IspJrid><Wzfb><Fbdd>1</Fbdd></Wzfb>"
        "<Wzjrfs><Jrfs>1</Jrfs></Wzjrfs>"
        "<Ip_xx><IspIpid>1</IspIpid><Qsip>794911498</Qsip><Zzip>794911498</Zzip></Ip_xx></Xzxx>"
    )
    accessed = only(send("XZJR", access))
    ids = send("XZHYD", *(material(*owner) for owner in ((1, "<Jlid>7</Jlid>"), (1, "<Jlid>8</Jlid>"))))
    assert belongs(ids) == [(1, changed)]
    sites = send("XZHYD", *(material(2, f"<Jlid>{own}</Jlid>", use=5) for own in ("9", "7")))
    assert belongs(sites) == [(1, changed)]
    numbered = [material(2, f"<Baxh>{number}-{place}</Baxh>", use=5) for place in (1, 2, 3, 4)]
    assert belongs(send("XZHYD", *numbered)) == [(1, changed), (2, changed), (3, accessed)]
    # That of the subject itself, not the newer one that only names it.
    assert belongs(send("XZHYD", material(1, f"<Baxh>{number}</Baxh>"))) == [(1, changed)]


def test_material_finds_forms_stored_before_their_ids_were_kept(send: Any, filing: Any) -> None:
    filed = only(send("XZBA", filing()))
    with pgtrigger.ignore("filings.SubjectReference:kept_while_openable"):
        SubjectReference.objects.all().delete()
    assert belongs(send("XZHYD", material(1, "7"), material(2, "7", use=5))) == [(1, filed), (2, filed)]


def test_a_deregistration_is_recorded_and_makes_no_form(send: Any) -> None:
    record = "<Zx_xx><Jlid>70</Jlid><Zxlb>1</Zxlb><Zxly>2</Zxly></Zx_xx>"
    job = send("ZXBA", record, record)
    assert (job.state, job.accepted, job.duplicates, job.code_counts) == ("done", 1, 1, {})
    assert (FormSupplement.objects.get().operation, VerificationForm.unscoped.count()) == ("ZXBA", 0)


def test_an_addition_to_a_subject_not_known_is_kept_and_waits(unit: Any, send: Any, made: Any) -> None:
    site = etree.tostring(v3_writer.record_element(made(1)[0], 9).find("Wz_xx"), encoding="unicode")
    numbered = f"<Xzxx><Zt_xx><Ztbah>京ICP备12345678号</Ztbah></Zt_xx>{site}</Xzxx>"
    by_id = f"<Xzxx><Zt_xx><Ztid>70</Ztid></Zt_xx>{site.replace('<IspWzid>9<', '<IspWzid>10<')}</Xzxx>"
    job = send("XZWZ", numbered, by_id)
    assert (job.accepted, job.code_counts) == (2, {})
    forms = VerificationForm.unscoped.order_by("row")
    assert list(forms.values_list("filing_type", "subject_known", "subject_kind", "subject_province")) == [
        ("new_website", False, "", 11),
        (
            "new_website",
            False,
            "",
            unit.province,
        ),  # no number tells the province: shown where the unit is at home
    ]
    assert comparison.compare_pending(unit=unit) == 0


def test_a_dry_run_of_records_keeps_neither_forms_nor_pictures(send: Any, filing: Any) -> None:
    job = send("XZBA", filing(), filing(), dry_run=True)
    assert (job.accepted, job.duplicates) == (1, 1)
    counted = (VerificationForm.unscoped, PictureContent.objects, FormPicture.objects)
    assert [rows.count() for rows in counted] == [0, 0, 0]


def test_written_records_are_valid_for_the_door(unit: Any, made: Any, hand_in: Any) -> None:
    out = io.BytesIO()
    writers.write_v3(made(30), out, str(unit.national_id))
    job = hand_in(out.getvalue(), name="upload.xml")
    assert (job.accepted, job.code_counts) == (30, {})
