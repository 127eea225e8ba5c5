"""A backup is checked before anything is touched; the drills with servers of their own stand in ``tests/faults``."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from pilot import supervisor
from pilot.actors import Actor
from pilot.embedded import Layout
from pilot.models import AuditEntry
from pilot.services import audit_heads, backups, dumps, restoring
from pilot.services.backups import BackupError


def made(folder: Path, **changes: Any) -> Path:
    """A backup without a database, as its list and signature have it."""
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a").write_bytes(b"content")
    backups._sign(
        folder,
        {
            "format": backups.FORMAT,
            "made_at": "2019-07-01T00:00:00+00:00",
            "migrations": ["pilot.0001_initial"],
            "keys": backups.fingerprints(),
            "tables": {},
            "files": {"files/a": backups.described(folder / "files" / "a")},
            **changes,
        },
    )
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(BackupError) as caught:
        restoring.check(folder)
    return str(caught.value).split(" / ")[1]


def test_a_backup_whose_list_files_and_keys_fit_is_good(tmp_path: Path) -> None:
    manifest, seal = restoring.check(made(tmp_path / "good"))
    assert (manifest["files"].keys(), len(seal)) == ({"files/a"}, 64)


def test_whatever_was_changed_is_found(tmp_path: Path) -> None:
    assert refusal(tmp_path).split(": ")[0] == f"{tmp_path} is no backup"
    file = made(tmp_path / "file")
    (file / "files" / "a").write_bytes(b"CONTENT")
    assert refusal(file) == "1 files are missing or changed: files/a"
    (file / "files" / "a").unlink()
    assert refusal(file) == "1 files are missing or changed: files/a"
    listed = made(tmp_path / "listed")
    manifest = json.loads((listed / "manifest.json").read_text())
    (listed / "manifest.json").write_text(json.dumps(manifest | {"tables": {"pilot_person": {}}}))
    assert refusal(listed) == "the list does not fit its signature: it was changed"
    assert refusal(made(tmp_path / "newer", migrations=["pilot.9999_later"])) == (
        "made by a newer version: pilot.9999_later"
    )
    assert refusal(made(tmp_path / "format", format="pilot-backup-v9")).endswith(
        "ValueError('pilot-backup-v9')"
    )


def test_a_list_that_another_portal_signed_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "foreign")
    monkeypatch.setattr(audit_heads, "public_keys", lambda: ["0" * 64])
    assert refusal(folder) == "the list is signed by a key that is not this portal's"


def test_keys_are_named_by_fingerprint_and_have_to_be_there(tmp_path: Path, settings: Any) -> None:
    settings.PILOT_MASTER_KEY = "2:second,1:first"
    folder = made(tmp_path / "backup")
    text = (folder / "manifest.json").read_text()
    assert [word for word in ("second", "first", settings.PILOT_AUDIT_KEY) if word in text] == []
    settings.PILOT_MASTER_KEY = "2:second"
    assert refusal(folder) == "keys of this backup are missing: PILOT_MASTER_KEY 1; put them back first"
    settings.PILOT_MASTER_KEY = "3:second,1:first"
    assert refusal(folder) == "keys of this backup are missing: PILOT_MASTER_KEY 2; put them back first"
    settings.PILOT_MASTER_KEY = "3:third,2:second,1:first"
    assert restoring.check(folder)[0]["keys"]["PILOT_MASTER_KEY"].keys() == {"1", "2"}


@pytest.mark.django_db
def test_a_portal_that_holds_data_is_not_replaced_without_force_and_words(
    tmp_path: Path, settings: Any
) -> None:
    settings.VAR = tmp_path / "var"
    folder = str(made(tmp_path / "backup"))
    for words in ([], ["--force"], ["--reason", "x"]):
        with pytest.raises(CommandError, match="this portal holds data"):
            call_command("restore", folder, *words)
    serving = supervisor.Claim(Layout.of(settings.VAR))
    serving.take()
    with pytest.raises(CommandError, match="the portal runs: stop it first"):
        call_command("restore", folder, "--force", "--reason", "x")
    serving.release()
    with pytest.raises(CommandError, match="exists and is not empty"):
        call_command("backup", folder)


@pytest.mark.django_db
def test_a_restore_that_fails_leaves_the_files_and_one_that_does_not_fit_is_on_record(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR = tmp_path / "var"
    folder = str(made(tmp_path / "backup"))
    kept, extra = settings.VAR / "files" / "kept", settings.VAR / "spool" / "kept"
    for path in (kept, extra):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"as it was")

    def breaks(source: Path, *, empty_first: bool) -> None:
        assert not supervisor.Claim(Layout.of(settings.VAR)).is_free()
        assert (settings.VAR / "files" / "a").read_bytes() == b"content"
        raise DatabaseError("the server went away")

    monkeypatch.setattr(dumps, "load", breaks)
    with pytest.raises(CommandError, match="the restore failed: the server went away"):
        call_command("restore", folder, "--force", "--reason", "x")
    assert (kept.read_bytes(), extra.read_bytes()) == (b"as it was", b"as it was")
    assert sorted(path.name for path in settings.VAR.iterdir()) == ["files", "run", "spool"]

    def loses(source: Path, *, empty_first: bool) -> None:
        (settings.VAR / "files" / "a").write_bytes(b"CONTENT")

    monkeypatch.setattr(dumps, "load", loses)
    monkeypatch.setattr(dumps, "tables", lambda cursor: {})
    monkeypatch.setattr(restoring, "connection", SimpleNamespace(close=lambda: None))
    with pytest.raises(CommandError, match=r"does not fit the list: files/a$"):
        call_command("restore", folder, "--force", "--reason", "x")
    entry = AuditEntry.objects.get(action="portal.restore")
    assert (entry.outcome, entry.detail["fault"]) == ("failed", "files/a")
    assert [path.name for path in settings.VAR.glob("files/*")] == ["a"]


@pytest.mark.django_db
def test_a_backup_is_on_record_and_leaves_nothing_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"made_at": "-", "tables": {"a": {"rows": 3}}, "files": {"database.dump": {"bytes": 7}}}
    monkeypatch.setattr(backups, "_fill", lambda fresh: whole)
    call_command("backup", str(tmp_path / "one"))
    detail = AuditEntry.objects.get(action="portal.backup").detail
    assert detail == {"manifest": detail["manifest"], "tables": 1, "rows": 3, "files": 1, "bytes": 7}

    for trouble in (dumps.DumpError, DatabaseError, psycopg.OperationalError):

        def breaks(fresh: Path, trouble: type[Exception] = trouble) -> None:
            raise trouble("pg_dump: no space left")

        monkeypatch.setattr(backups, "_fill", breaks)
        with pytest.raises(CommandError, match="the backup failed: pg_dump: no space left"):
            call_command("backup", str(tmp_path / "two"))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    (tmp_path / "two.new" / "spool").mkdir(parents=True)  # left by one that was killed
    with pytest.raises(CommandError, match="no space left"):
        call_command("backup", str(tmp_path / "two"))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    (tmp_path / "two.new").mkdir()
    (tmp_path / "two.new" / "letters.txt").write_text("somebody else's")
    with pytest.raises(CommandError, match=r"two\.new is no leftover of a backup"):
        call_command("backup", str(tmp_path / "two"))
    assert (tmp_path / "two.new" / "letters.txt").read_text() == "somebody else's"
    restoring.put_on_record(actor=Actor.system("tests"), manifest=whole, seal="0" * 64, reason="演练")
    assert AuditEntry.objects.get(action="portal.restore").detail["reason"] == "演练"
