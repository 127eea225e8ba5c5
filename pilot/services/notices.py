"""Notices of what happened to a case: inside the portal, and by mail where a person has an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import resolve

from pilot import clock, policy
from pilot.language import on_record
from pilot.models import Membership, Notice, OutboxMessage
from pilot.services import outbox


def send(
    *,
    members: QuerySet[Membership],
    subject: str,
    machine: str,
    object_id: int,
    source: str,
    hold: timedelta | None = None,
    url: str = "",
    mailed_subject: str = "",
) -> int:
    """Tell every person behind ``members`` once; held back for ``hold`` so that an act taken back tells nobody.

    Whoever may not open the page it leads to is not told: an office has administrators who never see a case.
    Subjects name the case and the act, never a person (P11). A mail leaves the house: where ``mailed_subject`` says
    less, it says no more than that. It leads to the case, or to ``url`` where the matter stands on a page of its own.
    """
    visible_from = clock.security_now() + (hold or timedelta())
    url = url or f"/cases/{machine}/{object_id}/"
    mailed = mailed_subject or subject
    with on_record():
        text = render_to_string(
            "notices/mail.txt", {"subject": mailed, "link": f"{settings.PILOT_SITE}{url}"}
        )
    page = str(resolve(urlsplit(url).path).url_name)
    people: dict[int, Any] = {
        m.person_id: m.person for m in members.select_related("person") if policy.may_open(page, m.role)
    }
    Notice.objects.bulk_create(
        Notice(
            person=person, subject=subject, url=url, at=clock.now(), visible_from=visible_from, source=source
        )
        for person in people.values()
    )
    for person in people.values():
        if person.email:
            outbox.post(
                kind=OutboxMessage.Kind.MAIL,
                target=person.email,
                payload={"subject": mailed, "text": text},
                not_before=visible_from if hold else None,
                source=source,
            )
    return len(people)


def readers(source: str) -> QuerySet[Notice, int]:
    """The persons who have read a notice of this source."""
    return Notice.objects.filter(source=source, read_at__isnull=False).values_list("person", flat=True)


def mailed(source: str) -> QuerySet[OutboxMessage, str]:
    """The addresses to which a mail of this source has left."""
    rows = OutboxMessage.objects.filter(source=source, kind=OutboxMessage.Kind.MAIL, sent_at__isnull=False)
    return rows.values_list("target", flat=True)
