"""One of everything that an address names, all of provider A in Guangdong or of somebody who works on its cases."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile

from applications.selectors.content import latest_version
from applications.services import proofs
from applications.services import uploads as file_uploads
from assessment.services import capability, test_runs
from filings.models import NationalFile, UploadJob
from filings.services import national, pieces, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.models import AuditEntry, Document, Export, Notice, Person, PilotUnit
from pilot.services import audit, audit_checks, exports, saved_views, webhooks
from pilot.workflow import fire
from tests.assessment import builders as review
from tests.factories import cases
from tests.factories.cases import Cast
from tests.factories.viewers import Viewer, everybody
from tests.filings.api.caller import issued
from tests.filings.national import files

KEY: Final = b"sample,expected\nG1,genuine\nI1,impostor\n"


@dataclass(slots=True)
class Scene:
    """The people, and what stands at the addresses: name of an object → what its address says."""

    cast: Cast
    people: dict[str, Viewer] = field(default_factory=dict)
    at: dict[str, Any] = field(default_factory=dict)


class Content:
    """Bytes that are read once, as a request's body is."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def build() -> Scene:
    """Everything, from the application to the run phase; business time is the morning of 1 July 2019."""
    scene = Scene(Cast())
    scene.at |= _intake(scene.cast)
    unit = scene.cast.unit
    scene.people = everybody(scene.cast)
    scene.at |= _run(scene.cast, unit) | _access(scene.cast, unit) | _kernel(scene)
    # Held back for half a minute otherwise: one that shows between two answers would make the bell tell them apart.
    Notice.objects.update(visible_from=clock.security_now())
    return scene


def _intake(cast: Cast) -> dict[str, Any]:
    """The application under assessment, with an upload that was not whole when it was handed in."""
    draft = cases.FIRST["application"](cast)
    kind = draft.files.earliest("pk").kind
    upload = file_uploads.begin(case=draft, actor=cast.provider, kind=kind, name="示例.pdf", size=10)
    application = fire(draft, "submit", actor=cast.provider, declaration=True)
    audit.seal(everything=True)
    proofs.covering_head(latest_version(application))
    application = fire(application, "accept", actor=cast.reviewer)
    review.signed(application, cast.desk)
    application = cases.walk(application, "reported")
    planned = capability.plan(application=application, actor=cast.officer, at=clock.now())
    started = review.started(planned, cast.desk, cast.assessors[:2])
    key = SimpleUploadedFile("key.csv", KEY)
    run = test_runs.issue(case=started, actor=cast.officer, title="示例", key=key)
    paper = Document.objects.filter(machine="application", object_id=application.pk).latest("pk")
    return {
        "application": application.pk,
        "upload": upload.token,
        "file": application.files.latest("pk").pk,
        "test run": run.pk,
        "document": paper.pk,
    }


def _run(cast: Cast, unit: PilotUnit) -> dict[str, Any]:
    job = _job(cast.provider, unit)
    cases.issued(cast)  # with a finding
    inspection = cases.inspected(cast, "commit", "draw", "begin")
    piece = pieces.begin(actor=cast.provider, name="a.ndjson", size=9, modified="1")
    answers = io.BytesIO(files.download([files.result(1)]))
    national.import_national(actor=cast.officer, unit=unit, source=answers, name="BAJG_1.xml")
    return {
        "unit": unit.code,
        "form": cast.form.pk,
        "job": job.pk,
        "inspection": inspection.pk,
        "pieces": str(piece.key),
        "national file": NationalFile.unscoped.get().pk,
        "bulletin": cases.bulletin(cast).pk,
    }


def _job(actor: Actor, unit: PilotUnit) -> UploadJob:
    """A job with one refused row and one good one that comes twice."""
    waiting = uploads.take_in(Content(json.dumps({"form_no": "BAD-0001"}).encode()))
    job = uploads.receive_waiting(
        actor=actor, unit=unit, waiting=waiting, name="示例.ndjson", format="ndjson"
    )
    uploads.process(job_id=job.pk)
    found: UploadJob = UploadJob.unscoped.get(pk=job.pk)
    return found


def _access(cast: Cast, unit: PilotUnit) -> dict[str, Any]:
    key = issued(unit)
    made = webhooks.register(
        actor=cast.provider, unit=unit, url="https://hooks.example.cn/", events=["upload.finished"]
    )
    webhooks.send_test(actor=cast.provider, endpoint=made.endpoint)
    return {
        "key": key.key.pk,
        "key secret": key.secret,
        "webhook": made.endpoint.pk,
        "delivery": made.endpoint.deliveries.latest("pk").pk,
    }


def _kernel(scene: Scene) -> dict[str, Any]:
    cast = scene.cast
    person = Person.objects.get(pk=cast.provider.person_id)
    session = UserSession.objects.create(
        user=person, ip="192.0.2.1", session_key=uuid4().hex, user_agent="示例", data={}
    )
    factor = Authenticator.objects.create(
        user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "示例", "credential": {}}
    )
    notice = Notice.objects.create(
        person=person, subject="示例", url="/", at=clock.now(), visible_from=clock.security_now()
    )
    view = saved_views.save(actor=cast.reviewer, machine="finding", name="示例", query="state=open")
    return {
        "person": person.pk,
        "session": session.pk,
        "factor": factor.pk,
        "view": view.pk,
        "notice": notice.pk,
        "province": 44,
        "list": "alert",
        "export": _export(cast.reviewer).pk,
        "audit entry": AuditEntry.objects.latest("pk").pk,
        "audit check": audit_checks.request(actor=cast.security_admin).pk,
    }


def _export(actor: Actor) -> Export:
    """A finished export of the reviewer's."""
    content, now = b"PK", clock.security_now()
    export: Export = Export.unscoped.create(
        membership_id=actor.membership_id, machine="finding", language="zh-hans", total=1, written=1,
        requested_at=now, finished_at=now, name="差错_20190701.xlsx",
        sha256=hashlib.sha256(content).hexdigest(), size=len(content),
    )  # fmt: skip
    path = exports.path_of(export)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return export
