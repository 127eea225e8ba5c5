"""V3.0 additions find the subject that was filed before them, or comes after them, and are compared and counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from lxml import etree

from filings import v3_writer
from filings.intake.records import Reference
from filings.models import (
    Determination,
    Finding,
    SubjectLink,
    SubjectReference,
    UnitMonthKey,
    VerificationForm,
)
from filings.services import comparison, figures, retention, rotation, subjects
from filings.tasks import ask_authority_again
from pilot import clock
from pilot.models import Person, PilotUnit
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import admin_of

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
pytestmark = pytest.mark.django_db
NUMBER = "粤ICP备12345678号"


@pytest.fixture
def send(unit: Any, hand_in: Any) -> Callable[..., Any]:
    """Hand in V3.0 records of one operation; all are taken. Returns their forms by row."""

    def act(operation: str, *records: str, **options: Any) -> list[VerificationForm]:
        text = (
            f'<?xml version="1.0" encoding="GBK"?><UploadData version="V.3.0"><ICP><{operation}>'
            f"{''.join(records)}</{operation}><Qqdwid>{unit.national_id}</Qqdwid></ICP></UploadData>"
        )
        job = hand_in(text.encode("gbk"), name="upload.xml", **options)
        assert (job.accepted, job.code_counts) == (len(records), {})
        return list(VerificationForm.unscoped.filter(job=job).order_by("row"))

    return act


@pytest.fixture
def change(made: Any) -> Callable[..., str]:
    """A change (``Bgxx``) of a filed subject with its numbers; ``on`` enters its people into the extract."""

    def record(
        *, ztid: int = 70, number: str = NUMBER, wzid: int = 700, seed: int = 1, on: bool = True
    ) -> str:
        (form,) = made(1, seed=seed, provinces=["440000"])
        element = v3_writer.record_element(form, ztid)
        element.tag = "Bgxx"
        subject, site = element.find("Zt_xx"), element.find("Wz_xx")
        subject.find("IspZtid").tag = "Ztid"
        site.find("IspWzid").text = str(wzid)
        site.find("IspWzid").tag = "Wzid"
        etree.SubElement(subject, "Baxh").text = number
        etree.SubElement(site, "Baxh").text = f"{number}-1"
        for picture in element.findall("Fj"):
            element.remove(picture)
        if on:
            people = [form["subject"], form["principal"]]
            builders.on_record(*{(one["cert_type"], one["cert_no"], one["name"]) for one in people})
        return etree.tostring(element, encoding="unicode")

    return record


@pytest.fixture
def addition(made: Any) -> Callable[..., str]:
    """A new website (``Xzxx``) of a subject named by number or id."""

    def record(own: int, **named: Any) -> str:
        site = v3_writer.record_element(made(1)[0], own).find("Wz_xx")
        ((tag, value),) = named.items()
        return f"<Xzxx><Zt_xx><{tag}>{value}</{tag}></Zt_xx>{etree.tostring(site, encoding='unicode')}</Xzxx>"

    return record


def access(own: int, **named: Any) -> str:
    ((tag, value),) = named.items()
    return (
        f"<Xzxx><IspJrid>{own}</IspJrid><Wz_xx><{tag}>{value}</{tag}></Wz_xx><Wzfb><Fbdd>1</Fbdd></Wzfb>"
        "<Wzjrfs><Jrfs>1</Jrfs></Wzjrfs>"
        "<Ip_xx><IspIpid>1</IspIpid><Qsip>794911498</Qsip><Zzip>794911498</Zzip></Ip_xx></Xzxx>"
    )


def outcomes(*forms: VerificationForm) -> list[list[str]]:
    rows = Determination.unscoped.order_by("number")
    return [list(rows.filter(form=form.pk).values_list("outcome", flat=True)) for form in forms]


def test_a_subject_filed_before_is_found_by_every_reference(
    unit: PilotUnit, send: Any, change: Any, addition: Any
) -> None:
    older, other = send(
        "BGBA", change(on=False, seed=2), change(ztid=71, number="粤ICP备87654321号", wzid=701, seed=3)
    )
    (filed,) = send("BGBA", change())
    sites = send(
        "XZWZ", addition(1, Ztbah=NUMBER), addition(2, Ztid="070"), addition(3, Ztid=71), addition(4, Ztid=79)
    )
    accesses = send("XZJR", access(1, Wzbah=f"{NUMBER}-7"), access(2, Wzid=700), access(3, Wzid=799))
    found = dict(SubjectLink.objects.values_list("form", "subject_form"))
    expected = [filed, filed, other, None, filed, filed, None]
    assert [found.get(one.pk) for one in (*sites, *accesses)] == [one and one.pk for one in expected]
    assert older.pk not in found.values()  # the newest form that had it
    assert set(SubjectLink.objects.values_list("kind", flat=True)) == {"number", "subject_id", "website_id"}

    assert comparison.pending(unit=unit) == 3 + 5
    comparison.compare_pending(unit=unit)
    assert outcomes(filed, other, *sites, *accesses) == [
        *(["match"] for _n in range(5)),
        [],
        *(["match"] for _n in range(2)),
        [],
    ]
    assert figures.figures(unit=unit, period="to-date")["pending"] == 2


def test_a_subject_that_comes_later_is_found_and_the_addition_compared(
    unit: PilotUnit, send: Any, change: Any, addition: Any, settings: Any
) -> None:
    settings.PILOT_INDEX_KEY = "first"
    (site,) = send("XZWZ", addition(1, Ztid=70))
    (newer,) = send("BGBA", change(ztid=71, number="粤ICP备87654321号", wzid=701, seed=3))
    assert comparison.compare_pending(unit=unit, thorough=False) == 1
    settings.PILOT_INDEX_KEY = "2:second,1:first"
    assert rotation._indexes()["references"] == {1: 2 + 4}
    (filed,) = send("BGBA", change(on=False, seed=2))
    send("BGBA", change())  # one that comes later still changes nothing
    (link,) = SubjectLink.objects.all()
    assert (link.form_id, link.subject_form_id, link.kind) == (site.pk, filed.pk, "subject_id")
    # It lies behind the newest compared form, and is compared all the same.
    assert comparison.compare_pending(unit=unit, thorough=False) == 3
    assert outcomes(site, newer, filed) == [["undeterminable"], ["match"], ["undeterminable"]]


def test_an_addition_waits_while_the_form_of_its_subject_cannot_be_opened(
    unit: PilotUnit, send: Any, change: Any, addition: Any
) -> None:
    (filed,) = send("BGBA", change(), received="2019-05-20 10:00")
    (site,) = send("XZWZ", addition(1, Ztbah=NUMBER))
    key = UnitMonthKey.objects.filter(month="2019-05-01")
    (wrapped,) = key.values_list("wrapped", flat=True)
    key.update(wrapped=bytes(len(wrapped)))
    (own,) = send("BGBA", change(ztid=71, number="粤ICP备87654321号", wzid=701, seed=3))
    assert (comparison.compare_pending(unit=unit), outcomes(own, site, filed)) == (1, [["match"], [], []])
    key.update(wrapped=wrapped)
    clock.set_business_time(clock.now() + timedelta(hours=1))
    assert (ask_authority_again(), outcomes(site, filed)) == (2, [["match"]] * 2)


def test_a_subject_that_differs_counts_against_the_addition(
    unit: PilotUnit, send: Any, change: Any, addition: Any, made: Any
) -> None:
    (form,) = made(1, seed=1, provinces=["440000"])
    subject = form["subject"]
    builders.on_record((subject["cert_type"], subject["cert_no"], "另一家公司"))
    send("BGBA", change(on=False))
    (site,) = send("XZWZ", addition(1, Ztbah=NUMBER))
    comparison.compare_pending(unit=unit)
    assert outcomes(site) == [["mismatch"]]
    (orphan,) = send("XZWZ", addition(2, Ztid=79))
    client = Client()
    client.force_login(Person.objects.get(pk=admin_of(unit).person_id), backend=BACKEND)
    pages = [
        client.get(reverse("verification-form_detail", args=[one.pk])).content.decode()
        for one in (site, orphan)
    ]
    filed = VerificationForm.unscoped.get(filing_type="change")
    assert [filed.form_no in page for page in pages] == [True, False]
    assert ["尚未找到" in page for page in pages] == [False, True]
    assert "subject" in set(Finding.unscoped.filter(form=site.pk).values_list("field", flat=True))


def test_another_units_subject_is_nobodys_here(
    unit: PilotUnit, send: Any, change: Any, programme: Any
) -> None:
    (filed,) = send("BGBA", change())
    elsewhere = builders.enrol(programme, world.provider())
    (reference,) = SubjectReference.objects.filter(form=filed.pk, kind="subject_id")
    foreign = builders.form(elsewhere, "F-1", subject_known=False)
    SubjectReference.objects.create(
        unit=elsewhere, form=foreign, named=True, kind="subject_id", index=reference.index
    )
    assert subjects.learn(form=filed, references=[Reference("subject_id", "70")]) == 0


def test_a_national_answer_may_tell_the_number(unit: PilotUnit, send: Any, addition: Any) -> None:
    content = builders.content()
    filed = builders.form(unit, "F-1", content=content)
    (site,) = send("XZWZ", addition(1, Ztbah=NUMBER))
    numbers = [Reference("number", NUMBER), Reference("subject_id", "70")]
    assert [subjects.learn(form=filed, references=numbers) for _n in range(2)] == [1, 0]
    assert subjects.opened([site])[site.pk]["subject"] == content["subject"]


def test_references_hide_what_they_are_and_go_with_the_month(
    unit: PilotUnit, send: Any, change: Any, addition: Any
) -> None:
    (filed,) = send("BGBA", change(), received="2019-05-20 10:00")
    (site,) = send("XZWZ", addition(1, Ztbah=NUMBER))
    comparison.compare_pending(unit=unit, limit=1)
    may = retention.UnitMonth.of(unit, "2019-05")
    assert (retention.obstacles(may, force=True), retention.inventory(may)["subject_references"]) == (
        ["有 1 份核验单尚未比对"],  # June's, whose subject lies in May
        4,
    )
    comparison.compare_pending(unit=unit)
    for rows in (SubjectReference.objects, SubjectLink.objects):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.all().delete()
    before = figures.figures(unit=unit, period="to-date") | {"as_of": None}
    retention.destroy_month(actor=builders.SYSTEM, month=may, reason="期满", force=True)
    assert list(SubjectReference.objects.values_list("form", "kind").order_by("kind")) == [
        (site.pk, "number"),
        (site.pk, "own_website_id"),
    ]
    assert SubjectLink.objects.count() == 1
    assert figures.figures(unit=unit, period="to-date") | {"as_of": None} == before
    assert "subject" not in subjects.opened([site])[site.pk]
    (orphan,) = send("XZWZ", addition(2, Ztbah=NUMBER))
    assert not SubjectLink.objects.filter(form=orphan.pk).exists()
    assert (
        subjects.learn(
            form=VerificationForm.unscoped.get(pk=filed.pk), references=[Reference("number", NUMBER)]
        )
        == 0
    )
    assert UnitMonthKey.objects.filter(destroyed_at__isnull=False).count() == 1
