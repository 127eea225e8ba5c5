"""The two servers for real: start, share, crash, stop."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from pilot import embedded
from pilot.embedded import account as accounts
from pilot.embedded import errors
from pilot.embedded.layout import NOBODY
from pilot.embedded.postgres import Postgres
from tests.pilot.embedded.tools import connect, is_down, is_ready, kill, state

Start = Callable[[], "subprocess.Popen[str]"]


def broker(var: Path) -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(embedded.Layout.of(var).broker_socket))


def says_held(holder: "subprocess.Popen[str]") -> bool:
    return holder.stdout is not None and holder.stdout.readline() == "held\n"


def until(condition: Callable[[], bool]) -> bool:
    return embedded.wait_until(condition, timeout=60)


def test_hold_starts_both_servers_and_release_stops_them(var: Path, held: embedded.Held) -> None:
    with connect(var) as connection:
        row = connection.execute("SELECT current_database(), current_user, inet_server_addr()").fetchone()
    assert row == ("pilot", "pilot", None)
    assert broker(var).config_get("appendonly") == {"appendonly": "yes"}
    held.release()
    assert until(lambda: is_down(var))
    assert {name: state(var)[name]["state"] for name in ("postgres", "broker")} == {
        "postgres": "stopped",
        "broker": "stopped",
    }


@pytest.mark.slow
def test_a_second_hold_finds_the_same_servers(var: Path, held: embedded.Held) -> None:
    before = state(var)
    again = embedded.hold(var)
    assert state(var) == before
    again.release()
    with connect(var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert state(var) == before


@pytest.mark.slow
def test_holders_that_start_together_share_one_keeper(var: Path, start_holder: Start) -> None:
    holders = [start_holder() for _ in range(4)]
    assert [says_held(holder) for holder in holders] == [True] * 4
    log = embedded.Layout.of(var).log("postgres").read_text()
    assert log.count("database system is ready to accept connections") == 1


@pytest.mark.slow
def test_servers_stop_when_their_last_holder_is_killed(var: Path, start_holder: Start) -> None:
    first, second = start_holder(), start_holder()
    for holder in (first, second):
        assert says_held(holder)
    kill(first.pid)
    first.wait()
    with connect(var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    kill(second.pid)
    assert until(lambda: is_down(var))


@pytest.mark.slow
def test_only_the_server_asked_for_runs(var: Path) -> None:
    held = embedded.hold(var, postgres=False)
    assert state(var)["postgres"]["state"] == "stopped"
    assert broker(var).ping() is True
    also = embedded.hold(var, broker=False)
    assert {name: state(var)[name]["state"] for name in ("postgres", "broker")} == {
        "postgres": "ready",
        "broker": "ready",
    }
    held.release()
    assert until(lambda: state(var)["broker"]["state"] == "stopped")
    assert state(var)["postgres"]["state"] == "ready"
    also.release()


@pytest.mark.slow
def test_killed_servers_come_back_with_their_data(var: Path, held: embedded.Held) -> None:
    with connect(var) as connection:
        connection.execute("CREATE TABLE kept (text) AS SELECT '试点'")
    broker(var).rpush("queue", "task")
    assert until(lambda: broker(var).info("persistence")["aof_pending_bio_fsync"] == 0)
    before = state(var)
    for server in ("postgres", "broker"):
        kill(before[server]["pid"])
    for server in ("postgres", "broker"):
        assert until(lambda server=server: is_ready(var, server, other_than=before[server]["pid"]))
    with connect(var) as connection:
        assert connection.execute("SELECT text FROM kept").fetchall() == [("试点",)]
    assert broker(var).lrange("queue", 0, -1) == [b"task"]


@pytest.mark.slow
def test_a_killed_keeper_takes_its_servers_along_and_is_replaced(var: Path, held: embedded.Held) -> None:
    with connect(var) as connection:
        connection.execute("CREATE TABLE kept (text) AS SELECT '试点'")
    before = state(var)
    kill(before["pid"])
    assert until(lambda: is_down(var))
    again = embedded.hold(var)
    assert state(var)["pid"] != before["pid"]
    with connect(var) as connection:
        assert connection.execute("SELECT text FROM kept").fetchall() == [("试点",)]
    again.release()


@pytest.mark.slow
def test_a_lock_file_left_by_a_crash_that_names_a_stranger_is_no_obstacle(var: Path) -> None:
    embedded.hold(var, broker=False).release()
    assert until(lambda: is_down(var))
    lock = Postgres(embedded.Layout.of(var)).data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n")
    socket_lock = Path(f"{embedded.Layout.of(var).postgres_socket}.lock")
    socket_lock.parent.mkdir(exist_ok=True, mode=0o700)
    socket_lock.write_text(f"{os.getpid()}\n")
    held = embedded.hold(var, broker=False)
    with connect(var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    held.release()


@pytest.mark.slow
def test_stop_servers_stops_what_others_hold(var: Path, start_holder: Start) -> None:
    holder = start_holder()
    assert says_held(holder)
    assert embedded.stop_servers(var) is True
    assert is_down(var)
    assert embedded.stop_servers(var) is False
    assert holder.poll() is None


@pytest.mark.slow
def test_chinese_text_has_trigrams(var: Path, held: embedded.Held) -> None:
    with connect(var) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute(
            "SELECT similarity('京ICP备', '京ICP备'), similarity('试点单位', '备案主体')"
        ).fetchone()
    assert row == (1.0, 0.0)


def test_a_full_disk_is_named(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "MINIMUM_FREE", 2**62)
    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.hold(var)
    assert str(caught.value) == str(errors.disk_full(var.resolve()))
    assert is_down(var)


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why(var: Path) -> None:
    embedded.hold(var, broker=False).release()
    assert until(lambda: is_down(var))
    data = Postgres(embedded.Layout.of(var)).data
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.hold(var, broker=False)
    words = str(errors.from_output("PostgreSQL", "database files are incompatible with server", data.parent))
    assert str(caught.value) == words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change its account")
@pytest.mark.slow
def test_without_user_namespaces_root_starts_postgres_as_nobody(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_runs", lambda account, program: False)
    layout = embedded.Layout.of(var)
    layout.prepare()
    server = Postgres(layout)
    process = server.start()
    try:
        assert until(server.answers)
        assert Path(f"/proc/{process.pid}").stat().st_uid == NOBODY
        assert server.data == var.resolve() / "postgres" / "data"
    finally:
        process.send_signal(server.stop_signal)
        process.wait(30)
    monkeypatch.undo()
    # The same data again as this machine does it, where it can in a user namespace: then all is root's again.
    held = embedded.hold(var, broker=False)
    assert {path.stat().st_uid for path in server.home.rglob("*")} == {Postgres(layout).account.owner}
    held.release()
