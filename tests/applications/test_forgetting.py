"""Drafts that can no longer be handed in lose their content after half a year; what was handed in stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from applications import tasks
from applications.models import Application, ApplicationFile
from applications.services import files, forgetting
from pilot import inventory
from pilot.actors import Actor
from pilot.errors import ContentDestroyed
from pilot.models import Document
from pilot.services import documents
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world
from tests.factories.audited import audited

CLOSED = world.moment("2019-04-16 00:00")
OVER = CLOSED + inventory.period("draft")


def file_of(case: Application) -> ApplicationFile:
    file: ApplicationFile = ApplicationFile.unscoped.filter(application=case).order_by("pk")[0]
    return file


def test_a_draft_is_forgotten_half_a_year_after_the_window_closed(provider: Actor) -> None:
    draft = builders.drafted(provider)
    handed_in = builders.submitted(world.provider())
    own = documents.put_bytes(b"of the draft alone")
    add = {"kind": "other", "name": "甲.pdf", "sha256": own, "size": 18, "content_type": "application/pdf"}
    ApplicationFile.unscoped.create(application=draft, uploaded_at=CLOSED, **add)
    shared = set(ApplicationFile.unscoped.filter(application=handed_in).values_list("sha256", flat=True))
    assert draft.draft != {}
    assert forgetting.forget_drafts(at=OVER - timedelta(seconds=1)) == 0
    assert [forgetting.forget_drafts(at=OVER), forgetting.forget_drafts(at=OVER)] == [1, 0]
    assert forgetting._forget(draft.pk) is False  # another worker was first
    draft.refresh_from_db()
    assert (draft.draft, draft.proposals, draft.state) == ({}, {}, "draft")
    assert documents.path_of(own).exists() is False
    documents.forget_unless_needed(shared, without=Document.objects.all())  # as of a unit's proofs
    assert all(documents.path_of(digest).exists() for digest in shared)
    with pytest.raises(ContentDestroyed, match="内容已销毁"):
        files.read_file(file=ApplicationFile.unscoped.get(sha256=own), actor=provider)
    handed_in.refresh_from_db()
    assert handed_in.versions.get().content != {}
    assert audited("application.forget") == ("done", None, "application", str(draft.pk))


def test_a_withdrawn_draft_goes_by_its_own_end(provider: Actor) -> None:
    draft = builders.drafted(provider)
    withdrawn = world.moment("2019-04-10 09:00")
    draft = fire(draft, "withdraw", actor=provider, at=withdrawn)
    over = withdrawn + inventory.period("draft")
    assert forgetting.forget_drafts(at=over - timedelta(seconds=1)) == 0
    assert forgetting.forget_drafts(at=over) == 1
    assert tasks.forget_drafts() == 0
