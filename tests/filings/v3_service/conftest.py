"""A unit whose V3.0 service is on, and its system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

ADDRESS = "/ISPWebService/upDownLoad"


@pytest.fixture(autouse=True)
def spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


@pytest.fixture
def admin(unit: Any) -> Any:
    """The unit's administrator."""
    from tests.filings.api.caller import admin_of

    return admin_of(unit)


@pytest.fixture
def system(unit: Any, admin: Any) -> Any:
    """The unit's system, configured with what the portal shows its administrator."""
    from filings.services import v3_access
    from tests.filings.v3_service.client import System

    v3_access.switch_on(actor=admin, unit=unit)
    secret = v3_access.reveal(actor=admin, unit=unit)
    return System(post, unit.national_id, unit.code, secret.password, secret.key, secret.vector)


def post(body: bytes, content_type: str) -> tuple[int, bytes]:
    """One request to the portal."""
    client = Client()
    response = client.generic("POST", ADDRESS, body, content_type, headers={"SOAPAction": '""'})
    return response.status_code, response.content


@pytest.fixture
def work() -> Callable[[], None]:
    """Let the worker do everything that waits."""
    from filings.models import UploadJob
    from filings.services import uploads

    def act() -> None:
        for job in UploadJob.unscoped.filter(state__in=uploads.OPEN_STATES):
            uploads.process(job_id=job.pk)

    return act


@pytest.fixture
def document(unit: Any) -> Callable[..., bytes]:
    """An upload of one operation, as GBK."""

    def write(*records: str, operation: str = "XZBA", version: str = "V.3.0", provider: Any = None) -> bytes:
        listed = f"<{operation}>{''.join(records)}</{operation}>"
        owner = unit.national_id if provider is None else provider
        return (
            '<?xml version="1.0" encoding="GBK"?>'
            f'<UploadData version="{version}"><ICP>{listed}<Qqdwid>{owner}</Qqdwid></ICP></UploadData>'
        ).encode("gbk")

    return write


@pytest.fixture
def filing(unit: Any) -> Callable[..., str]:
    """A new filing (``Baxx``) under the provider's own id."""
    from lxml import etree

    from filings import v3_writer
    from filings.synthetic import make_forms
    from tests.factories import world

    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }

    def record(number: int, **changes: str) -> str:
        (form,) = make_forms(1, unit_code=unit.code, seed=number, provinces=["440000"], **span)
        element = v3_writer.record_element(form.record, number)
        for path, text in changes.items():
            element.find(path.replace("__", "/")).text = text
        return etree.tostring(element, encoding="unicode")

    return record
