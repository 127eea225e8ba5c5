"""What a browser sends to the pages of the form."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from applications.models import Application
from pilot.actors import Actor
from tests.applications import builders

FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def url(case: Application, *parts: str) -> str:
    return "/".join([f"/applications/{case.pk}", *parts]) + "/"


def hidden(response: Any) -> dict[str, str]:
    """What a page carries along."""
    found = FIELD.findall(response.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def typed(content: dict[str, Any]) -> dict[str, Any]:
    """A content as a browser sends it."""
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in content.items()
    }


class Window:
    """One browser window open on a section: it remembers what the page carried when it was opened."""

    def __init__(self, client: Client, case: Application, section: str, query: str = "") -> None:
        self.client, self.address = client, url(case, "form", section) + query
        self.page = client.get(self.address)
        self.sent: dict[str, Any] = {**self.controls(case), **hidden(self.page)}

    def controls(self, case: Application) -> dict[str, Any]:
        form = self.page.context["page"].form
        values = {field.key: form.standing(field.key) for field in form.typed}
        return {key: value for key, value in values.items() if value is not None}

    def save(self, **changes: Any) -> Any:
        """Press the button."""
        return self.client.post(self.address, {**self.sent, **typed(changes)})

    def autosave(self, **changes: Any) -> tuple[int, dict[str, Any]]:
        """What the page does by itself; like the script it takes over what the answer carries."""
        self.sent |= typed(changes)
        response = self.client.post(
            self.address, self.sent, headers={"X-Autosave": "1", "Accept": "application/json"}
        )
        answer = json.loads(response.content)
        if "base" in answer:
            self.sent |= {"base": answer["base"], "shown": answer["shown"]}
        return response.status_code, answer


def window(actor: Actor, case: Application, section: str, query: str = "") -> Window:
    return Window(builders.client_of(actor), case, section, query)


def text(response: HttpResponse) -> str:
    """A page without its tags, in one line."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(plain).split())


def propose(case: Application, **values: Any) -> None:
    """As if these had been read from an uploaded form."""
    case.proposals = {
        key: {"value": value, "source": "申请表.pdf", "at": "2019-04-12T01:00:00+00:00"}
        for key, value in values.items()
    }
    case.save(update_fields=["proposals"])
