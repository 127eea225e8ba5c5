"""After a dry run the same file is handed in for real without being sent again, for a day and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from filings.models import UploadJob, VerificationForm
from filings.services import spool, trials, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.errors import StateChanged
from tests.factories import world
from tests.filings.uploads.test_pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tried(made: Any, hand_in: Any) -> UploadJob:
    """A dry run of two forms."""
    job: UploadJob = hand_in(*made(2), dry_run=True)
    return job


def test_the_result_page_hands_the_same_file_in(
    provider: Actor, tried: UploadJob, django_capture_on_commit_callbacks: Any
) -> None:
    client, page = client_of(provider), reverse("upload-job_detail", args=[tried.pk])
    assert "正式上报同一文件" in client.get(page).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("upload-job_submit", args=[tried.pk]))
    real = UploadJob.unscoped.exclude(pk=tried.pk).get()
    assert answer["Location"] == reverse("upload-job_detail", args=[real.pk])
    assert (real.dry_run, real.sha256, real.size, real.source_name) == (
        False,
        tried.sha256,
        tried.size,
        tried.source_name,
    )
    assert uploads.process(job_id=real.pk).accepted == VerificationForm.unscoped.count() == 2
    after = client.get(page).content.decode()
    assert (
        "正式上报同一文件" in after,
        f'同一文件已正式上报：<a href="/cases/upload-job/{real.pk}/"' in after,
    ) == (
        False,
        True,
    )
    assert client.post(reverse("upload-job_submit", args=[tried.pk])).status_code == 409
    assert UploadJob.unscoped.count() == 2


def test_who_presses_before_the_file_is_gone_hands_nothing_in_twice(
    provider: Actor, tried: UploadJob
) -> None:
    client, address = client_of(provider), reverse("upload-job_submit", args=[tried.pk])
    assert [client.post(address).status_code for _press in range(2)] == [302, 409]
    assert spool.has_upload(tried.case_key)  # it goes after the commit, which a test does not reach


def test_nothing_is_locked_while_the_file_is_copied(
    provider: Actor, tried: UploadJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever loses the race against a second press leaves no copy behind."""
    depth, copied, copy = len(connection.savepoint_ids), [], uploads.take_in

    def take_in(stream: Any) -> uploads.Waiting:
        waiting = copy(stream)
        copied.append((waiting.key, len(connection.savepoint_ids) - depth))
        if len(copied) == 1:
            trials.submit(actor=provider, job=tried, arrived_at=clock.now())
        return waiting

    monkeypatch.setattr(uploads, "take_in", take_in)
    with pytest.raises(StateChanged):
        trials.submit(actor=provider, job=tried, arrived_at=clock.now())
    (lost, outside), (won, outside_too) = copied
    assert (outside, outside_too) == (0, 0)
    assert (spool.has_upload(lost), spool.has_upload(won)) == (False, True)


def test_only_its_own_people_hand_it_in(tried: UploadJob) -> None:
    address = reverse("upload-job_submit", args=[tried.pk])
    answers = [client_of(actor).post(address).status_code for actor in (world.provider(), world.ministry())]
    assert answers == [404, 403]


def test_the_file_is_kept_for_a_day(tried: UploadJob) -> None:
    for hours, kept in ((23, True), (25, False)):
        UploadJob.unscoped.filter(pk=tried.pk).update(
            heartbeat_at=clock.security_now() - timedelta(hours=hours)
        )
        tried.refresh_from_db()
        assert (trials.kept_until(tried) is not None) is kept
        uploads.tidy()
        assert spool.has_upload(tried.case_key) is kept


def test_what_was_handed_in_for_real_is_not_kept(made: Any, hand_in: Any) -> None:
    job = hand_in(*made(1))
    assert (trials.kept_until(job), spool.has_upload(job.case_key)) == (None, False)
