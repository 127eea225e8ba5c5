"""What may leave the portal as spreadsheets: a reason where persons are in it, and so many rows a day by role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import IntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import OFFICIAL_ROLES, PROVIDER_ROLES, ExportReason
from pilot.errors import Refused
from pilot.models import AuditEntry, Person
from pilot.services import audit

EXPORT: Final = "list.export"
DAY: Final = timedelta(days=1)
# Rows of one person within 24 hours. Offices work with whole lists (twice the largest export), administrators and
# assessors look at single rows. Names, though masked, leave in small lots whoever asks.
ROWS_A_DAY: Final[dict[str, int]] = dict.fromkeys(map(str, OFFICIAL_ROLES | PROVIDER_ROLES), 200_000)
ROWS_OF_OTHERS: Final = 20_000
PERSONAL_ROWS_A_DAY: Final = 5_000


@contextmanager
def attempt(*, actor: Actor, machine: str) -> Iterator[None]:
    """The transaction of an export; that it was refused stays on record."""
    try:
        with transaction.atomic():
            yield
    except Refused:
        with transaction.atomic():
            denied = AuditEntry.Outcome.DENIED
            audit.record(action=EXPORT, actor=actor, outcome=denied, object_type="list", object_id=machine)
        raise


def check(*, actor: Actor, rows: int, personal: bool, reason: str) -> None:
    """Raises :class:`Refused` where a list with persons has no reason, or one day's rows would be exceeded.

    Two exports of one person wait for each other here, so that both together stay within the bound.
    """
    if personal and reason not in ExportReason.values:
        raise Refused(_("列表含个人信息，请选择导出理由"))
    Person.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.acting_person)
    bound = PERSONAL_ROWS_A_DAY if personal else ROWS_A_DAY.get(actor.role, ROWS_OF_OTHERS)
    if taken(actor, personal=personal) + rows > bound:
        raise Refused(
            _("24 小时内最多导出 %(n)s 条含个人信息的记录") % {"n": f"{bound:,}"}
            if personal
            else _("24 小时内最多导出 %(n)s 条记录") % {"n": f"{bound:,}"}
        )


def taken(actor: Actor, *, personal: bool) -> int:
    """Rows this person has taken away within the last 24 hours (security time): with persons only, or all."""
    rows = AuditEntry.objects.filter(
        person_id=actor.person_id,
        at__gt=clock.security_now() - DAY,
        action=EXPORT,
        outcome=AuditEntry.Outcome.DONE,
    )
    if personal:
        rows = rows.filter(detail__personal=True)
    count = Cast(KeyTextTransform("rows", "detail"), IntegerField())
    total: int | None = rows.aggregate(total=Sum(count))["total"]
    return total or 0
