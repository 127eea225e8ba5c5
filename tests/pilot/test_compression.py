"""Style sheets and scripts go out compressed; pages, which may hold secrets, do not (BREACH)."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db
def test_static_files_are_compressed_and_pages_are_not() -> None:
    client = Client(headers={"accept-encoding": "gzip"})
    sheet = client.get("/static/bootstrap/css/bootstrap.min.css")
    content = b"".join(sheet.streaming_content)
    with open(finders.find("bootstrap/css/bootstrap.min.css"), "rb") as file:  # noqa: PTH123
        assert (sheet["Content-Encoding"], gzip.decompress(content)) == ("gzip", file.read())
    again = client.get("/static/bootstrap/css/bootstrap.min.css", headers={"if-none-match": sheet["ETag"]})
    assert (again.status_code, again.has_header("Content-Encoding")) == (304, False)
    page = client.get(reverse("account_login"))
    assert (page.status_code, page.has_header("Content-Encoding")) == (200, False)
    assert len(page.content) > 200
