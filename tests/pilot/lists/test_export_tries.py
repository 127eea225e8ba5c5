"""Exports that do not get to their end: again when the database is back, else three times at most (F14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery.exceptions import Retry
from django.db import OperationalError, connection

from pilot import clock
from pilot.actors import Actor
from pilot.models import Export, Notice, OutboxMessage
from pilot.services import exports, outbox
from pilot.tasks import write_export
from tests.factories import world

NAME = "list-of-this-test"
type Rows = Callable[[], Iterator[list[str]]]


class Killed(BaseException):
    """The worker is killed."""


@pytest.fixture
def long_list(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Actor, Rows], OutboxMessage]:
    """Asks for an export of these rows; returns the message of its task."""
    settings.MEDIA_ROOT = tmp_path / "files"

    def ask(actor: Actor, rows: Rows) -> OutboxMessage:
        def read(*_asked: Any) -> exports.Table:
            return exports.Table("示例", ["列"], 1, rows())

        own = exports.OwnList("示例", lambda _query: {}, read, lambda _query: "/")
        monkeypatch.setitem(exports._own, NAME, own)
        table = read()
        exports.request(actor=actor, machine=NAME, table=table, query="", columns="", language="zh-hans")
        message: OutboxMessage = OutboxMessage.objects.get(target=write_export.name)
        return message

    return ask


def run(message: OutboxMessage, *, retries: int = 0) -> Any:
    """As a worker does, with the message's headers; a task that is tried again keeps its id."""
    write_export.push_request(
        headers={outbox.HEADER: message.pk}, retries=retries, called_directly=False, id="task-of-this-test",
        args=(), kwargs=message.payload, delivery_info={},
    )  # fmt: skip
    try:
        return write_export(**message.payload)
    finally:
        write_export.pop_request()


def how_it_stands() -> tuple[str, bool, int, int, list[str]]:
    export = Export.unscoped.get()
    told = list(Notice.objects.values_list("subject", flat=True))
    return export.failed, export.finished_at is not None, export.attempts, export.written, told


WRITTEN = ("", True, 1, 1, ["导出已完成：示例_20190412.xlsx"])


def test_what_the_database_let_fall_is_no_broken_export(long_list: Any, bureau_reviewer: Actor) -> None:
    """A deadlock, say: the database is there again when the task would end the export."""
    faults = [OperationalError()]

    def rows() -> Iterator[list[str]]:
        if faults:
            raise faults.pop()
        yield ["甲"]

    world.at("2019-04-12 10:00")
    message = long_list(bureau_reviewer, rows)
    with pytest.raises(Retry):
        run(message)
    assert how_it_stands() == ("", False, 0, 0, [])
    assert Export.unscoped.get().seen_at is None
    assert run(message, retries=1) is True
    assert how_it_stands() == WRITTEN
    assert OutboxMessage.objects.filter(pk=message.pk).exists() is False


@pytest.mark.django_db(transaction=True)
def test_an_export_goes_on_as_soon_as_the_database_is_back(long_list: Any) -> None:
    """It is away so that the task cannot even give its claim back."""
    world.install()
    world.at("2019-04-12 10:00")
    goes_down = [True]

    def rows() -> Iterator[list[str]]:
        with connection.cursor() as cursor:
            session = cursor.execute("SELECT pg_backend_pid()").fetchone()
            if goes_down and goes_down.pop():
                with psycopg.connect(**connection.get_connection_params()) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", session)
            cursor.execute("SELECT 1")
        yield ["甲"]

    message = long_list(world.bureau(), rows)
    with pytest.raises(Retry):
        run(message)
    connection.close()
    assert Export.unscoped.get().seen_at is not None
    assert run(message, retries=1) is True
    assert how_it_stands() == WRITTEN
    assert OutboxMessage.objects.filter(pk=message.pk).exists() is False


def test_another_task_does_not_take_what_one_is_at(long_list: Any, bureau_reviewer: Actor) -> None:
    message = long_list(bureau_reviewer, lambda: iter([["甲"]]))
    assert exports._take(message.payload["export_id"], "another") is not None
    assert run(message, retries=1) is False
    assert Export.unscoped.get().taken_by == "another"


def test_an_export_that_kills_its_worker_is_begun_three_times(long_list: Any, bureau_reviewer: Actor) -> None:
    begun: list[bool] = []

    def rows() -> Iterator[list[str]]:
        begun.append(True)
        raise Killed
        yield []

    def later() -> None:
        long_ago = clock.security_now() - 2 * exports.SILENT
        Export.unscoped.filter(seen_at__isnull=False).update(seen_at=long_ago)

    world.at("2019-04-12 10:00")
    message = long_list(bureau_reviewer, rows)
    with pytest.raises(Killed):
        run(message)
    for _time in range(2):
        later()
        with pytest.raises(Killed):
            exports.sweep()
    later()
    assert (exports.sweep(), exports.sweep(), len(begun)) == (0, 0, 3)
    assert how_it_stands() == ("broken", False, 3, 0, ["导出未完成：示例_20190412.xlsx"])
