"""Every secret comes from its variable, from a file, or is made once; the tables in README and docs name them all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pilot import embedded, keyring
from pilot.keyring import SECRETS, SecretError

ROOT = Path(__file__).resolve().parents[2]
ROTATING = [secret for secret in SECRETS if secret.file and secret.rotates]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in SECRETS:
        monkeypatch.delenv(secret.variable, raising=False)
        monkeypatch.delenv(f"{secret.variable}_FILE", raising=False)


@pytest.mark.parametrize("variable", [secret.variable for secret in SECRETS])
def test_a_secret_comes_from_its_variable_or_its_file(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert keyring.configured(variable) == ""
    file = tmp_path / "secret"
    file.write_text("口令 with spaces \n")
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    assert keyring.configured(variable) == "口令 with spaces "
    monkeypatch.setenv(variable, "twice")
    with pytest.raises(SecretError, match=f"set {variable} or {variable}_FILE, not both"):
        keyring.configured(variable)
    monkeypatch.delenv(f"{variable}_FILE")
    assert keyring.configured(variable) == "twice"
    monkeypatch.delenv(variable)
    for content, words in ((b"", "is empty"), (b"\xff", "UTF-8")):
        file.write_bytes(content)
        monkeypatch.setenv(f"{variable}_FILE", str(file))
        with pytest.raises(SecretError, match=words):
            keyring.configured(variable)
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SecretError, match="No such file"):
        keyring.configured(variable)


def test_a_server_named_by_a_file_is_not_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://db.example.cn/portal\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    monkeypatch.setenv("CELERY_BROKER_URL_FILE", str(file))
    assert embedded.hold_configured(tmp_path).fds == ()


@pytest.mark.parametrize("secret", ROTATING, ids=lambda secret: secret.file)
def test_the_portals_own_secrets_are_made_once_and_get_new_versions(
    secret: keyring.Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keyring.load(secret.variable, tmp_path)
    path = keyring.path_of(secret, tmp_path)
    assert (keyring.load(secret.variable, tmp_path), len(first), path.stat().st_mode & 0o777) == (
        first,
        86,
        0o600,
    )
    assert [keyring.add_version(secret, tmp_path), keyring.add_version(secret, tmp_path)] == [2, 3]
    third, second, oldest = keyring.newest_first(keyring.load(secret.variable, tmp_path))
    assert (oldest, len({first, second, third}), path.stat().st_mode & 0o777) == (first, 3, 0o600)
    keyring.drop_version(secret, tmp_path, 1)
    assert keyring.newest_first(keyring.load(secret.variable, tmp_path)) == [third, second]
    for version in (3, 1, 7):
        with pytest.raises(SecretError, match="no old version"):
            keyring.drop_version(secret, tmp_path, version)
    path.write_text(f"99:{third}")
    with pytest.raises(SecretError, match="no version number is left"):
        keyring.add_version(secret, tmp_path)
    monkeypatch.setenv(secret.variable, "from outside")
    with pytest.raises(SecretError, match="comes from the environment"):
        keyring.add_version(secret, tmp_path)
    assert [each.name for each in path.parent.iterdir()] == [secret.file]


def test_of_two_who_make_a_secret_both_read_the_first_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = keyring.path_of(keyring.MADE["master"], tmp_path), os.link

    def late(aside: str, name: Path) -> None:
        path.write_text("of the other", encoding="ascii")
        link(aside, name)

    monkeypatch.setattr(os, "link", late)
    assert keyring.load("PILOT_MASTER_KEY", tmp_path) == "of the other"
    assert [each.name for each in path.parent.iterdir()] == ["master"]
    path.write_text("")
    with pytest.raises(SecretError, match="master is empty"):
        keyring.load("PILOT_MASTER_KEY", tmp_path)


def test_the_key_of_the_repeat_digest_never_changes(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="does not rotate"):
        keyring.add_version(keyring.MADE["digest"], tmp_path)


def test_the_documents_name_every_secret_and_how_it_rotates() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- secrets -->\n(.*?)<!-- /secrets -->", text, re.DOTALL)
    assert table is not None
    rows = re.findall(r"^\| `(\w+)` \| (`secrets/(\w+)`|—) \| .+ \| (.+) \|$", table[1], re.MULTILINE)
    assert [(variable, file) for variable, _cell, file, _how in rows] == [
        (secret.variable, secret.file) for secret in SECRETS
    ]
    by_command = {variable for variable, *_rest, how in rows if "`rotate_keys --new" in how}
    assert by_command == {secret.variable for secret in ROTATING}
    # Nobody else reads one: the variables stand in no other module.
    named = [
        f"{path.relative_to(ROOT)}: {secret.variable}"
        for path in ROOT.glob("*/**/*.py")
        if not path.is_relative_to(ROOT / "tests") and ".venv" not in path.parts
        for secret in SECRETS
        if re.search(rf"environ[^\n]*\"{secret.variable}\"", path.read_text(encoding="utf-8"))
    ]
    assert named == []
