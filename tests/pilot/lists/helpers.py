"""Many cases of one list, quickly, and what stands on its page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4

from cssselect2 import ElementWrapper
from django.test import Client
from django.urls import reverse
from lxml import html

from pilot.actors import Actor
from pilot.enums import Province
from pilot.models import ProviderRegistration
from pilot.workflow import open_case
from tests.factories import world

LIST = "provider-registration"
_serial = count(50_000)


def asked(name: str, *, uscc: str = "", province: int = Province.GUANGDONG) -> ProviderRegistration:
    """A provider that asks for an account: the plainest case there is."""
    case = ProviderRegistration(
        case_key=uuid4(),
        name=name,
        uscc=uscc or world.uscc(next(_serial), int(province)),
        province=province,
        contact="示例甲",
        email="a@example.cn",
        phone="020-00000001",
    )
    open_case(case, actor=Actor.system("tests"))
    return case


def page(client: Client, query: str = "", machine: str = LIST) -> html.HtmlElement:
    """The list as a document."""
    response = client.get(f"{reverse(f'{machine}_list')}?{query}")
    assert response.status_code == 200
    return html.document_fromstring(response.content.decode())


def find(root: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    return [found.etree_element for found in ElementWrapper.from_html_root(root).query_all(selector)]


def first_cells(root: html.HtmlElement) -> list[str]:
    """The first cell of every row, in order."""
    return [
        row.text_content().strip()
        for row in find(root, ".grid td:first-of-type:not(.pick), .grid td.pick + td")
    ]


def messages(response: Any) -> Iterator[str]:
    """What the page after a redirect says."""
    for message in response.context["messages"]:
        yield str(message)
