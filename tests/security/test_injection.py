"""S06: whatever people write stays text, on pages, in mails, papers, workbooks and log lines."""

from __future__ import annotations

import html
import io
import logging
import logging.config
import re
import sys
import zipfile
from collections.abc import Iterable
from itertools import cycle
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import DatabaseError, connection, models, transaction
from django.urls import reverse
from python_calamine import CalamineWorkbook

from filings.models import CoordinationCase
from filings.services import coordination
from pilot import clock, policy
from pilot.actors import Actor
from pilot.machines import MACHINES
from pilot.models import Organisation, OutboxMessage, Person, PilotUnit
from pilot.pdf import render_pdf
from pilot.services import outbox, workbooks
from tests.applications.builders import client_of
from tests.documents.samples import SAMPLES
from tests.documents.test_texts import SWITCHES
from tests.factories import cases
from tests.factories.cases import Cast
from tests.factories.readers import everybody
from tests.security.strings import CORPUS, FEW

MARKUP = [text for text in CORPUS if re.search("<[a-zA-Z!?/]", text) and len(text) > 8]
SHORT = '"><img src=x onerror=window.struck=1>{{ x }}\u202e=1+1'
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def live(body: str) -> list[str]:
    """The strings that stand in a page as markup."""
    return [text for text in [*MARKUP, SHORT] if text in body]


def hostile_case(unit: PilotUnit, provider: Actor) -> CoordinationCase:
    """A matter with every string of the corpus in its thread and one of them in every name around it."""
    Person.objects.filter(pk=provider.person_id).update(name=SHORT)
    Organisation.objects.filter(pk=provider.organisation_id).update(name=SHORT)
    case = coordination.open_case(
        actor=provider,
        unit=unit,
        subject=SHORT,
        text="\n".join(CORPUS[:60]),
        owner=Organisation.objects.get(kind="ministry"),
    )
    for start in range(60, len(CORPUS), 60):
        text = "\n".join(CORPUS[start : start + 60])
        coordination.add_message(case=case, actor=provider, text=text, at=clock.now())
    return case


def test_there_are_three_hundred() -> None:
    assert (len(CORPUS) >= 300, len(MARKUP) > 100, len(FEW)) == (True, True, 9)


def test_every_string_is_text_on_the_pages_and_in_the_workbook(unit: PilotUnit, provider: Actor) -> None:
    case = hostile_case(unit, provider)
    client = client_of(provider)
    detail = client.get(reverse("coordination-case_detail", args=[case.pk])).content.decode()
    assert live(detail) == []
    shown = html.unescape(detail)
    assert [text for text in MARKUP if not UNSEEN.search(text) and text not in shown] == []
    found = client.get(reverse("coordination-case_list"), {"q": SHORT, "page": SHORT, "sort": SHORT})
    assert (found.status_code, live(found.content.decode())) == (200, [])
    echoed = client.post(
        reverse("coordination-case_create"), {"subject": SHORT, "text": SHORT, "unit": SHORT}
    )
    assert (echoed.status_code, live(echoed.content.decode())) == (422, [])
    nowhere = client.get("/" + "".join(MARKUP[:3]))
    assert (nowhere.status_code, live(nowhere.content.decode())) == (404, [])

    book = client.post(reverse("list_export", args=["coordination-case"]), {"columns": ""}).content
    row = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()[1]
    assert row.count(SHORT) == 2
    out = io.BytesIO()
    workbooks.write_list(out, headings=["示例"], rows=[[text] for text in CORPUS], title="示例")
    sheet = zipfile.ZipFile(out).read("xl/worksheets/sheet1.xml").decode()
    assert (sheet.count("<f>"), sheet.count("<hyperlink"), "<script>" in sheet) == (0, 0, False)


def test_a_mail_has_the_headers_we_gave_it(programme: Any) -> None:
    """Text from people reaches a mail only as text; a line end in a subject or an address sends nothing."""
    risky = [*FEW, *filter(UNSEEN.search, CORPUS)]
    for text in risky:
        message = outbox.post(
            kind=OutboxMessage.Kind.MAIL, target="a@example.cn", payload={"subject": "示例", "text": text}
        )
        outbox.relay(only=[message.pk])
    assert [set(sent.message().keys()) for sent in mail.outbox] == [
        {
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
        }
    ] * len(risky)
    assert {(sent.content_subtype, tuple(sent.to)) for sent in mail.outbox} == {("plain", ("a@example.cn",))}


def test_one_record_is_one_line_of_the_log() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    config = settings.LOGGING["formatters"]["line"]
    converter = logging.config.DictConfigurator({"version": 1})
    handler.setFormatter(converter.configure_formatter(dict(config)))
    for text in CORPUS:
        handler.handle(logging.makeLogRecord({"name": "x", "levelname": "WARNING", "msg": text}))
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(CORPUS)
    assert [line for line in lines if not re.match(r"\d{4}-\d\d-\d\d [\d:,]+ WARNING x ", line)] == []
    stream.truncate(0)
    stream.seek(0)
    try:
        raise ValueError("\n2026-01-01 00:00:00,000 CRITICAL forged")
    except ValueError:
        handler.handle(logging.makeLogRecord({"name": "x", "msg": "y", "exc_info": sys.exc_info()}))
    assert [line for line in stream.getvalue().splitlines()[1:] if not line.startswith("  ")] == []


def test_a_record_names_nobody_and_no_secret() -> None:
    converter = logging.config.DictConfigurator({"version": 1})
    form = converter.configure_formatter(dict(settings.LOGGING["formatters"]["line"]))
    secret = "x9" * 22
    said = {
        f"Not Found: /access/{secret}/": "Not Found: /access/***/",
        "bad value 440106198407190031, 13977712345": "bad value ***, ***",
        "91440101MA00000019 and 020-77712345": "*** and ***",
        "refused a.b@example.cn": "refused ***",
        f"Authorization: Bearer {secret}": "Authorization: Bearer ***",
        f"key live_0a1b2c3d_{secret}": "key live_0a1b2c3d_***",
        "whsec_AAAA+b/c=": "***",
        "duplicate key DETAIL:  Key (name)=(鲐鲑鲔) already exists.": "duplicate key DETAIL: ***",
        "form HYD-87-00000001, unit 1001, sha256 " + "0a" * 32: None,
    }
    lines = [form.format(logging.makeLogRecord({"name": "x", "msg": text})) for text in said]
    assert [line.split(" x ", 1)[1] for line in lines] == [plain or text for text, plain in said.items()]
    record = logging.makeLogRecord({"name": "x", "msg": "y"})
    try:
        {}["鲐鲑鲔"]
    except KeyError:
        record.exc_info, record.exc_text = sys.exc_info(), "kept by another formatter: 鲐鲑鲔"
    assert form.format(record).splitlines()[-1] == "  KeyError: ***"


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_every_string_in_every_paper(name: str) -> None:
    """A paper that read one of them as an address would be refused by its engine; each field gets the next string."""
    begin = 31 * list(SAMPLES).index(name) % len(CORPUS)
    turn = cycle([*CORPUS[begin:], *CORPUS[:begin]])
    title, context = SAMPLES[name]

    def hostile(value: Any) -> Any:
        match value:
            case str():
                return next(turn)
            case list():
                return [hostile(item) for item in value]
            case dict():
                return {key: item if key in SWITCHES else hostile(item) for key, item in value.items()}
        return value

    document = render_pdf(f"documents/{name}.html", hostile(context), title=title)
    assert [
        mark for mark in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/URI") if mark in document
    ] == []


# --- every stored text on every page ------------------------------------------------------------------
OURS = ("pilot", "applications", "assessment", "filings")
MEANT = re.compile(
    "state|machine|kind|code|slug|key|token|sha|digest|url|username|password|email|uuid|number|no$|role|path|format"
    "|version|source|action|object|period|name$|domain|number|case|national|target|secret|prefix|networks|host"
)


def texts(model: type[models.Model]) -> Iterable[str]:
    """The columns of a model in which people's words stand."""
    for field in model._meta.concrete_fields:
        written = isinstance(field, models.TextField) or (
            isinstance(field, models.CharField) and (field.max_length or 0) >= 64
        )
        if (
            written
            and not field.choices
            and not field.unique
            and (not MEANT.search(field.name) or field.name == "name")
        ):
            yield field.name


def poison() -> int:
    """Put the short string into every stored text; returns how many columns took it."""
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # past the triggers that keep words as they were
    for model in apps.get_models():
        if model._meta.app_label not in OURS or not model._meta.managed:
            continue
        manager: Any = getattr(model, "unscoped", model._default_manager)
        for column in texts(model):
            try:
                with transaction.atomic():
                    count += bool(manager.update(**{column: SHORT}))
            except DatabaseError:
                continue
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
    return count


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("slug", MACHINES)
def test_every_stored_text_of_a_machine_is_text_on_its_pages(slug: str, programme: Any) -> None:
    cast = Cast()
    case: Any = cases.FIRST[slug](cast)
    assert poison() > 5
    opened = 0
    for actor in everybody(cast):
        client = client_of(actor)
        for name in (f"{slug}_list", f"{slug}_detail", "dashboard", "notice_list"):
            if not policy.may_open(name, actor.role):
                continue
            response = client.get(reverse(name, args=[case.pk] if name.endswith("_detail") else []))
            assert response.status_code in {200, 404}
            opened += response.status_code == 200
            assert (name, actor.role, live(response.content.decode())) == (name, actor.role, [])
    assert opened >= 3
