"""Things that are no case of a machine, with somebody who has pages on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications.models import ApplicationVersion
from applications.tasks import make_receipt
from assessment.models import CapabilityAssessment
from assessment.services import test_runs
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Membership
from pilot.registry import pages_of
from pilot.services import api_keys, audit_checks, exports, webhooks
from pilot.views import listing
from tests.applications import builders as intake
from tests.factories import cases, world
from tests.factories.cases import Cast

type Beginning = tuple[Actor | None, list[str]]


def public() -> list[str]:
    """Pages before login that no link leads to."""
    names = ("account_login", "password_forgotten", "receipt_check", "provider-registration_create")
    return [
        *map(reverse, names),
        reverse("published_list"),
        reverse("access_link", args=["x" * 22]),
        "/no-such-page/",
    ]


def of_their_own() -> list[Beginning]:
    """A reader, and the addresses where the reading begins."""
    return [*_applicant(), *_assessed(), *_unit(), _audit(), _member()]


def _applicant() -> list[Beginning]:
    """Who has handed in reads the receipt; anybody checks it."""
    applicant = world.provider()
    case = intake.submitted(applicant)
    version = ApplicationVersion.unscoped.get(application=case)
    make_receipt(version.pk)
    names = ("receipt", "proof", "progress", "form", "check", "files", "prefill")
    return [
        (applicant, [reverse(f"application_{name}", args=[case.pk]) for name in names]),
        (None, [reverse("receipt_check", args=[version.digest[:32]])]),
        (world.bureau(), [reverse("application_review", args=[case.pk])]),
    ]


def _unit() -> list[Beginning]:
    """A pilot unit with a key of the API, a month of figures and the national system's view of it."""
    cast = Cast()
    code = cast.unit.code
    until = clock.security_now() + timedelta(days=7)
    api_keys.issue(
        actor=cast.provider,
        unit=cast.unit,
        name="示例",
        mode="live",
        scopes=["figures.read"],
        expires_at=until,
    )
    hook = webhooks.register(
        actor=cast.provider, unit=cast.unit, url="https://hooks.example.cn/", events=["upload.finished"]
    ).endpoint
    names = ("api_key_list", "api_key_create", "webhook_list", "webhook_create", "v3_access")
    of_provider = [*map(reverse, names), reverse("webhook_detail", args=[hook.pk])]
    of_unit = [
        reverse("figure", args=[code, "2019-06", "m2_errors"]),
        reverse("national", args=[code]),
        reverse("pilot-unit_detail", args=[code]),
    ]
    of_officer = [reverse("pilot-unit_scope", args=[code]), reverse("national_import", args=[code])]
    return [
        (cast.provider, of_provider + of_unit),
        (cast.officer, of_unit + of_officer + [_export(cast.officer)]),
        (cast.lead, [*of_unit, reverse("pilot-unit_licence", args=[code])]),
    ]


def _export(reader: Actor) -> str:
    """A long list that is being written."""
    table = listing.table_of(pages_of("rectification"), reader, "")
    export = exports.request(
        actor=reader,
        machine="rectification",
        table=table,
        query="",
        columns="",
        language="zh-hans",
        reason="work",
    )
    return reverse("export_detail", args=[export.pk])


def _assessed() -> list[Beginning]:
    """A test set is issued to the applicant."""
    cast = Cast()
    assessment: CapabilityAssessment = cases.started(cast)
    key = SimpleUploadedFile("key.csv", b"sample,expected\nG1,genuine\nI1,impostor\n")
    run: Any = test_runs.issue(case=assessment, actor=cast.officer, title="示例测试集", key=key)
    applicant = Membership.objects.get(organisation=assessment.application.provider).as_actor()
    page = reverse("test_run", args=[run.pk])
    return [
        (applicant, [page, reverse("test_run_hand_in", args=[run.pk])]),
        (cast.officer, [page]),
        (cast.assessor, [page]),
    ]


def _audit() -> Beginning:
    """A check of the log that is done."""
    auditor = world.ministry(Role.AUDIT_ADMIN)
    check = audit_checks.request(actor=auditor)
    audit_checks.run(check_id=check.pk)
    return auditor, [reverse("audit_check", args=[check.pk]), reverse("audit_export")]


def _member() -> Beginning:
    """One's own account, with nothing set up yet."""
    names = ("my_account", "mfa_index", "mfa_activate_totp", "usersessions_list", "account_change_password")
    return world.assessor(), [reverse(name) for name in names]
