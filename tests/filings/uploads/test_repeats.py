"""Rows that repeat what is stored: every number of them opens the rows, with line and form number."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings.models import FormRepeat, UploadJob
from filings.periods import Period
from filings.selectors import members
from filings.services import figures
from pilot.actors import Actor
from tests.factories import world
from tests.filings.uploads.test_pages import client_of

pytestmark = pytest.mark.django_db


def repeated(job: UploadJob) -> list[tuple[int, str]]:
    return list(FormRepeat.unscoped.filter(job=job).order_by("row").values_list("row", "form_no"))


def text_of(client: Any, address: str) -> str:
    content: str = client.get(address).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content))


def test_the_tile_opens_the_rows_it_counts(provider: Actor, made: Any, hand_in: Any) -> None:
    forms = made(3)
    hand_in(*forms[:2])
    job = hand_in(forms[2], forms[1], forms[2], forms[0])
    numbers = [form["form_no"] for form in forms]
    assert (job.duplicates, repeated(job)) == (3, [(2, numbers[1]), (3, numbers[2]), (4, numbers[0])])
    client, address = client_of(provider), reverse("upload-job_repeats", args=[job.pk])
    assert f'href="{address}"' in client.get(reverse("upload-job_detail", args=[job.pk])).content.decode()
    stored = client.get(address)
    cells = re.findall(r"<td[^>]*>(?:<a[^>]*>)?([^<]+)", stored.content.decode())
    assert cells == ["2", numbers[1], "3", numbers[2], "4", numbers[0]]
    assert len(re.findall(r'href="/forms/\d+/"', stored.content.decode())) == 3


def test_a_dry_run_lists_its_repeats_and_counts_in_no_figure(
    provider: Actor, unit: Any, made: Any, hand_in: Any
) -> None:
    (form,) = made(1)
    job = hand_in(form, form, dry_run=True)
    assert repeated(job) == [(2, form["form_no"])]
    page = client_of(provider).get(reverse("upload-job_repeats", args=[job.pk])).content.decode()
    assert (form["form_no"] in page, "/forms/" in page.partition("<main")[2]) == (True, False)
    assert not members.duplicated(unit.pk, Period.parse("2019-06")).exists()


def test_who_may_see_them(made: Any, hand_in: Any) -> None:
    (form,) = made(1)
    address = reverse("upload-job_repeats", args=[hand_in(form, form).pk])
    viewers = (
        world.provider(),
        world.bureau(),
        world.bureau(province=45),
        world.ministry(),
        world.assessor(),
    )
    assert [client_of(actor).get(address).status_code for actor in viewers] == [404, 200, 404, 200, 403]


def test_three_rows_cost_what_one_costs(provider: Actor, made: Any, hand_in: Any) -> None:
    forms = made(3)
    hand_in(*forms)
    client, taken = client_of(provider), []
    for number in (1, 1, 3):  # the first fills per-process caches
        job = hand_in(*forms[:number])
        with CaptureQueriesContext(connection) as caught:
            client.get(reverse("upload-job_repeats", args=[job.pk]))
        taken.append(len(caught))
    assert taken[1] == taken[2]


def test_figures_count_at_the_door_what_the_pages_of_the_jobs_show(
    provider: Actor, unit: Any, made: Any, hand_in: Any
) -> None:
    """Refused and repeated rows of a month: the figure, what it opens, and the jobs' own rows and tiles agree."""
    forms = made(4)
    faulty = {**forms[3], "verifier_name": ""}
    jobs = [
        hand_in(forms[0], faulty, forms[0]),
        hand_in(forms[0], forms[1], b"{broken\n", received="2019-06-29 23:59"),
        hand_in(forms[0], forms[1], faulty, received="2019-07-01 00:00"),
    ]
    hand_in(*forms[:2], faulty, dry_run=True)
    client, june = client_of(provider), Period.parse("2019-06")
    found = figures.figures(unit=unit, period="2019-06")
    in_june = jobs[:2]
    assert (found["refused"], found["duplicates"]) == (2, 2)
    for count, rows in (("refused", "rejected_rows"), ("duplicates", "duplicates")):
        assert found[count] == sum(getattr(job, rows) for job in in_june)
    assert found["refused"] == members.refused(unit.pk, june).count()
    assert found["duplicates"] == sum(len(repeated(job)) for job in in_june)
    opened = client.get(reverse("figure", args=[unit.code, "2019-06", "duplicates"])).content.decode()
    assert [f'href="{reverse("upload-job_repeats", args=[job.pk])}"' in opened for job in jobs] == [
        True,
        True,
        False,
    ]
    for job in jobs:
        shown = text_of(client, reverse("upload-job_detail", args=[job.pk]))
        assert f"重复 {job.duplicates} " in shown
        assert f"拒收 {job.rejected_rows} " in shown
