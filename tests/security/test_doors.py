"""S01: own and foreign objects at every address that names one, by everybody and with every method.

A foreign object answers exactly as one that does not exist, word for word, so no answer tells that there is one.
``PILOT_MATRIX_METHODS=all`` asks with all methods everywhere; else with GET, POST and one of the others by turns.
"""

from __future__ import annotations

import json
import os
import re
from email.message import Message
from itertools import cycle
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from filings.models import UploadJob
from pilot import policy
from pilot.downloads import SANDBOX
from pilot.enums import ExportReason
from pilot.machines import MACHINES
from tests.architecture.test_urls import METHODS, URLS
from tests.factories.viewers import Viewer
from tests.filings.api.caller import forms
from tests.security import fields
from tests.security.doors import DOORS, LED_AWAY, WITHOUT_OBJECT
from tests.security.scene import Scene

ALL: Final = os.environ.get("PILOT_MATRIX_METHODS") == "all"
pytestmark = pytest.mark.django_db
SAFE: Final = {"GET", "HEAD", "OPTIONS"}
MACHINE_PAGE: Final = re.compile(r"[a-z-]+_(detail|act|task)$")
# What differs from one answer to the next: tokens of forms, the number of the request on a page of refusal, the clock.
CHANGING: Final = re.compile(
    r'(name="csrfmiddlewaretoken" value=|csrf-token" content=)"[^"]*"|<dd><code>[^<]*</code></dd>'
    r'|<time datetime="[^"]*">[^<]*|(?:业务|北京)时间 [\d:. -]+'
)


def named() -> set[str]:
    """The addresses that say something, by the names of their URLs."""
    known = get_resolver().reverse_dict
    return {name for name in URLS if any(possible[0][0][1] for possible in known.getlist(name))}


def test_every_address_that_names_an_object_has_its_owner() -> None:
    """A new one fails here until the table says whose it is, or that it names nobody's."""
    closed = {name for name, roles in policy.pages().items() if not roles}
    machines = {f"{slug}_{kind}" for slug in MACHINES for kind in ("detail", "act", "task")}
    keys = {name for name in policy.api() if name in named()}
    assert keys == {"api_upload", "api_upload_rejects"}  # tests/architecture/test_api_matrix.py
    listed = DOORS.keys() | WITHOUT_OBJECT.keys()
    assert sorted(named() - closed - keys - machines - listed) == []
    assert sorted(listed - named()) == []
    assert DOORS.keys() & WITHOUT_OBJECT.keys() == set()


def ask(viewer: Viewer, name: str, kwargs: dict[str, Any], method: str) -> tuple[int, str, str]:
    """Status, where it leads, and what it says, but for what changes with every request."""
    path = reverse(name, kwargs=kwargs)
    viewer.client.cookies.pop("messages", None)  # what an earlier answer wanted said on the next page
    with transaction.atomic():
        response = viewer.client.generic(method, path)
        content = b"".join(response) if response.streaming else response.content
        transaction.set_rollback(True)
    text = CHANGING.sub("", content.decode("utf-8", "replace")).replace(path, "")
    leads_to = response.get("Location", "").replace(path, "").replace(quote(path, safe=""), "")
    return response.status_code, leads_to, text


def outcome(viewer: Viewer, name: str, *, known: bool) -> str:
    """What the tables call for: ``sign in``, ``forbidden``, ``missing`` or ``known``."""
    if policy.is_public(name):
        return "known" if known else "missing"
    if viewer.name in {"anonymous", "disabled person"}:
        return "sign in"
    if not policy.may_open(name, viewer.role):
        return "forbidden"
    return "known" if known else "missing"


def wrong(scene: Scene, viewer: Viewer, name: str, method: str) -> list[Any]:
    """What this answer is other than the tables call for."""
    door = DOORS[name]
    known = viewer.name in door.known
    right = outcome(viewer, name, known=known)
    if right == "known" and method not in SAFE:
        return []  # what its people may do with an object is tested where it is done
    got = ask(viewer, name, door.address(scene.at), method)
    if right == "known":
        return [] if got[0] < 500 and got[0] != 404 else [(name, viewer.name, method, got[0], right)]
    nothing = ask(viewer, name, door.nowhere(scene.at), method)
    statuses = {"sign in": {302}, "forbidden": {403}, "missing": {404, 405}}[right]
    statuses |= {302} if name in LED_AWAY else set()
    if got[0] in statuses and got == nothing:
        return []
    return [
        (name, viewer.name, method, got[0], right, "as if nothing were there" if got == nothing else "tells")
    ]


def closed_by_either(scene: Scene, viewer: Viewer, name: str) -> bool:
    """Whether reading or writing says 404, so that 405 was no way round the question."""
    if name in LED_AWAY or outcome(viewer, name, known=viewer.name in DOORS[name].known) != "missing":
        return True
    kwargs = DOORS[name].address(scene.at)
    return any(ask(viewer, name, kwargs, method)[0] == 404 for method in ("GET", "POST"))


def test_for_somebody_else_at_every_address_there_is_nothing(scene: Scene) -> None:
    """Another one of those whose role may open it at the next address, reading where it can be read."""
    found: list[Any] = []
    for turn, (name, door) in enumerate(DOORS.items()):
        others = [
            v for v in scene.people.values() if outcome(v, name, known=v.name in door.known) == "missing"
        ]
        if not others:
            continue
        viewer, path = others[turn % len(others)], reverse(name, kwargs=door.address(scene.at))
        response = viewer.client.get(path)
        if response.status_code == 405:
            response = viewer.client.post(path)
        if response.status_code != 404 and name not in LED_AWAY:
            found.append((name, viewer.name, response.status_code))
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_everybody_at_every_address(scene: Scene) -> None:
    rest = cycle([method for method in METHODS if method != "GET"])
    found: list[Any] = []
    for name in DOORS:
        for viewer in scene.people.values():
            for method in METHODS if ALL else ("GET", next(rest)):
                found += wrong(scene, viewer, name, method)
            found += [] if closed_by_either(scene, viewer, name) else [(name, viewer.name, "never 404")]
    assert found == []


# --- S02: JSON ------------------------------------------------------------------------------------
def answers(scene: Scene) -> dict[str, Any]:
    """Every JSON answer that is not for one form's script alone, as somebody who may gets it."""
    people, at = scene.people, scene.at
    key = {"Authorization": f"Bearer {at['key secret']}", "Idempotency-Key": "s02"}
    job = str(UploadJob.unscoped.get(pk=at["job"]).case_key)
    programs = {
        name: {"key": job} if name in named() else {} for name in policy.api() if name != "api_upload_rejects"
    }
    client, provider = Client(), people["own administrator"].client
    found = {
        name: client.get(reverse(name, kwargs=kwargs), headers=key)
        for name, kwargs in programs.items()
        if "GET" in policy.api()[name]
    }
    with transaction.atomic():
        sent = {"data": json.dumps(forms()), "content_type": "application/json"}
        found["api_forms"] = client.post(reverse("api_forms"), headers=key, **sent)
        transaction.set_rollback(True)
    found["problem"] = client.get(reverse("api_unit"))
    for name in ("published_list_json", "audit_heads_json", "livez", "readyz"):
        found[name] = client.get(reverse(name))
    for name in ("application_proof", "application_upload", "upload-job_piece"):
        found[name] = provider.get(reverse(name, kwargs=DOORS[name].address(at)))
    return {name: json.loads(response.content) for name, response in found.items()}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_json_answer_has_the_listed_members_and_no_others(scene: Scene) -> None:
    for name, answer in answers(scene).items():
        fields.check("json", name, {"whoever may": sorted(fields.paths(answer))})


# --- S11: files -----------------------------------------------------------------------------------
PDF: Final = "application/pdf"
BOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES: Final = {
    "application_proof": "application/json",
    "application_prefill_pdf": PDF,
    "application_prefill_xlsx": BOOK,
    "application_file": PDF,
    "document": PDF,
    "document_copy": PDF,
    "test_run_set": "text/csv; charset=utf-8",
    "upload-job_rejects": "application/octet-stream",
    "export_file": BOOK,
}
"""Of the addresses that name an object, those that answer with a file, and its type."""
PICTURES: Final = {"application_page": "image/png"}  # shown by the page itself, in a sandbox
PLAIN: Final = {
    "application_form_pdf": (PDF, "anonymous", {}),
    "application_form_xlsx": (BOOK, "anonymous", {}),
    "material_sample": (PDF, "anonymous", {"kind": "licence"}),
    "published_list_csv": ("text/csv; charset=utf-8", "anonymous", {}),
    "audit_verifier": ("text/x-python; charset=utf-8", "anonymous", {}),
    "api_client": ("text/x-python", "anonymous", {}),
    "upload-job_template": ("application/octet-stream", "own operator", {"kind": "csv"}),
}
"""The others: type, somebody who may fetch it, and what the address says."""


def faults(response: Any, kind: str, *, private: bool) -> dict[str, str]:
    """What of a download is not as it has to be."""
    message = Message()
    message["Content-Disposition"] = response.get("Content-Disposition", "")
    found = {
        "status": response.status_code == 200,
        "type": response["Content-Type"] == kind,
        "attachment": message.get_content_disposition() == "attachment" and bool(message.get_filename()),
        "nosniff": response["X-Content-Type-Options"] == "nosniff",
        "sandbox": response["Content-Security-Policy"] == SANDBOX,
        "kept": not private or "no-store" in response["Cache-Control"],
    }
    return {name: str(response.headers) for name, right in found.items() if not right}


def is_file(response: Any) -> bool:
    kind = response["Content-Type"].partition(";")[0]
    return "Content-Disposition" in response or kind not in {"text/html", "application/json"}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_file_leaves_as_a_sandboxed_download(scene: Scene) -> None:
    people, found = scene.people, {}
    for name, door in DOORS.items():
        viewer = next(
            (p for p in people.values() if p.name in door.known and policy.may_open(name, p.role)), None
        )
        if viewer is not None:
            response = viewer.client.get(reverse(name, kwargs=door.address(scene.at)))
            found |= {name: response} if response.status_code == 200 and is_file(response) else {}
    assert sorted(found) == sorted(FILES.keys() | PICTURES.keys())
    picture = found.pop("application_page")
    assert (picture["Content-Type"], picture["Content-Security-Policy"]) == ("image/png", SANDBOX)
    wrong = {name: faults(response, FILES[name], private=True) for name, response in found.items()}
    for name, (kind, who, kwargs) in PLAIN.items():
        wrong[name] = faults(people[who].client.get(reverse(name, kwargs=kwargs)), kind, private=False)
    wrong |= _asked_for(scene)
    assert {name: fault for name, fault in wrong.items() if fault} == {}


def _asked_for(scene: Scene) -> dict[str, dict[str, str]]:
    """Files that a POST, a key or a recent sign-in is asked for."""
    people = scene.people
    listed = people["own reviewer"].client.post(
        reverse("list_export", args=["inspection"]), {"columns": "", "reason": ExportReason.values[0]}
    )
    register = people["own reviewer"].client.post(reverse("list_export", args=["pilot-unit"]))
    log = people["audit administrator"].client.post(reverse("audit_export"), {"reason": "示例"})
    refused = Client().get(
        reverse("api_upload_rejects", args=[UploadJob.unscoped.get(pk=scene.at["job"]).case_key]),
        headers={"Authorization": f"Bearer {scene.at['key secret']}"},
    )
    return {
        "list_export": faults(listed, BOOK, private=True),
        "list_export of the register": faults(register, BOOK, private=True),
        "audit_export": faults(log, "application/gzip", private=True),
        "api_upload_rejects": faults(refused, "application/octet-stream", private=True),
    }
