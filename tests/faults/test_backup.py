"""F21, as drills: a backup under load, the portal destroyed, another made of it; back to before a mistake.

Each portal has servers of its own; what it does runs in processes of its own (``backup_scenes.py``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pilot import embedded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
SCENES = Path(__file__).with_name("backup_scenes.py")
FOREIGN = ("DATABASE_URL", "BROKER_URL", "_FILE", "_KEY")


def environment(var: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith(FOREIGN)}
    return kept | {"PILOT_VAR": str(var), "PYTHONPATH": str(ROOT), "PILOT_BOOTSTRAP": "0"}


def start(var: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def play(var: Path, scene: str) -> Any:
    process = start(var, str(SCENES), scene)
    out, err = process.communicate(timeout=800)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1])


def manage(var: Path, *words: str) -> tuple[int, Any]:
    """A command's exit status, and what it printed as JSON, or its words of refusal."""
    process = start(var, "manage.py", *words, "--json")
    out, err = process.communicate(timeout=800)
    return process.returncode, json.loads(out) if out else err


def new_folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"pilot-{name}-")).resolve()
    folder.chmod(0o711)  # as root the server may run as `nobody`, who has to pass
    return folder


def remove(var: Path) -> None:
    embedded.stop_servers(var)
    shutil.rmtree(var, ignore_errors=True)


def database(var: Path) -> psycopg.Connection[Any]:
    layout = embedded.Layout.of(var)
    return psycopg.connect(host=str(layout.sockets), port=5432, user="pilot", dbname="pilot", autocommit=True)


@pytest.fixture
def portal() -> Iterator[Path]:
    """A portal that holds something."""
    var = new_folder("backup")
    held = embedded.hold(var, postgres=True, broker=False)
    try:
        play(var, "build")
        yield var
    finally:
        held.release()
        remove(var)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder for the portal that is to come."""
    var = new_folder("restored")
    yield var
    remove(var)


def test_a_portal_is_destroyed_and_comes_back_whole(portal: Path, empty: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    writer = start(portal, str(SCENES), "write")
    assert writer.stdout is not None
    assert [writer.stdout.readline().strip() for _ in range(2)] == ["1", "2"]
    status, made = manage(portal, "backup", str(backup))
    assert status == 0, made
    (portal / "stop-writing").touch()
    _out, err = writer.communicate(timeout=120)
    assert writer.returncode == 0, err[-3000:]
    manifest = json.loads((backup / "manifest.json").read_text())
    assert not any(key in path.read_bytes() for key in secrets_of(portal) for path in backup.rglob("*.*"))
    assert manage(portal, "backup", str(backup))[0] == 1  # there already
    # The machine is gone; the keys were kept elsewhere.
    shutil.move(portal / "secrets", tmp_path / "secrets")
    embedded.stop_servers(portal)
    shutil.rmtree(portal)

    embedded.hold(empty, postgres=True, broker=False)  # between the commands; the fixture ends it
    refused(
        empty,
        "missing: PILOT_AUDIT_KEY 1, PILOT_DIGEST_KEY 1, PILOT_INDEX_KEY 1, PILOT_MASTER_KEY 1;",
        str(backup),
    )
    shutil.rmtree(empty / "secrets")
    shutil.copytree(tmp_path / "secrets", empty / "secrets")
    began = time.monotonic()
    status, done = manage(empty, "restore", str(backup))
    took = time.monotonic() - began
    assert status == 0, done
    assert {name: done[name] for name in ("made_at", "tables", "rows", "files")} == {
        "made_at": made["made_at"],
        "tables": made["tables"],
        "rows": made["rows"],
        "files": made["files"] - 1,
    }
    assert done["audit"]["heads"] == 1
    print(f"RTO {took:.1f} s, of which {done['seconds']}")  # noqa: T201
    assert took < 30 * 60
    found = play(empty, "tables")["tables"]
    changed = {name for name, told in manifest["tables"].items() if found[name] != told}
    assert changed == {"pilot_auditentry"}  # of the restore itself
    assert play(empty, "look") == {"waiting": True, "states": ["done"], "all_open": True, "log": True}
    refused(empty, "this portal holds data", str(backup))
    status, done = manage(empty, "restore", str(backup), "--force", "--reason", "演练")
    assert (status, play(empty, "look")["all_open"]) == (0, True)


def refused(var: Path, because: str, *words: str) -> None:
    status, said = manage(var, "restore", *words)
    assert (status, because in said) == (1, True), said


def secrets_of(var: Path) -> list[bytes]:
    return [path.read_bytes() for path in (var / "secrets").iterdir()]


def test_back_to_the_second_before_a_mistake(portal: Path, empty: Path, tmp_path: Path) -> None:
    """As docs/operations.md has it: a base backup, archived WAL, recovery to a point in time."""
    archive, base = new_folder("archive"), empty / "postgres" / "data"
    layout = embedded.Layout.of(portal)
    with database(portal) as line:
        line.execute("ALTER SYSTEM SET archive_mode = on")
        line.execute(f"ALTER SYSTEM SET archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'")
    embedded.stop_servers(portal)
    held = embedded.hold(portal, postgres=True, broker=False)
    try:
        base.parent.mkdir(mode=0o700)
        subprocess.run(
            [
                *(
                    embedded.installed("pg_basebackup"),
                    "-h",
                    str(layout.sockets),
                    "-p",
                    "5432",
                    "-U",
                    "pilot",
                ),
                *("-D", str(base), "-X", "none", "-c", "fast"),
            ],
            check=True,
            env=embedded.environment(),
            capture_output=True,
        )
        (portal / "stop-writing").touch()
        play(portal, "write")  # goes on after the base backup
        before = play(portal, "tables")
        with database(portal) as line:
            clock = "SELECT clock_timestamp() > %s::timestamptz + interval '1.1 seconds'"
            assert embedded.wait_until(
                lambda: line.execute(clock, [before["now"]]).fetchone() == (True,), timeout=60
            )
            [target] = line.execute("SELECT (clock_timestamp() - interval '1 second')::text").fetchone()  # type: ignore[misc]
            line.execute("DROP TABLE pilot_outboxmessage CASCADE")  # the mistake
            [segment] = line.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()  # type: ignore[misc]
            assert embedded.wait_until((archive / segment).exists, timeout=60)
    finally:
        held.release()
    embedded.stop_servers(portal)

    began = time.monotonic()
    (base / "recovery.signal").touch()
    with (base / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"archive_mode = off\nrestore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_time = '{target}'\nrecovery_target_action = promote\n"
        )
    shutil.copytree(portal / "secrets", empty / "secrets")
    held = embedded.hold(empty, postgres=True, broker=False)
    try:
        with database(empty) as line:
            recovered = "SELECT NOT pg_is_in_recovery()"
            assert embedded.wait_until(lambda: line.execute(recovered).fetchone() == (True,), timeout=120)
        print(f"point in time: recovered in {time.monotonic() - began:.1f} s")  # noqa: T201
        assert play(empty, "tables")["tables"] == before["tables"]
    finally:
        held.release()
        shutil.rmtree(archive)
