"""Where things lie, and the words for what can be wrong with it."""

import errno
import os
from pathlib import Path

import pytest

from pilot import embedded
from pilot.embedded import errors

ORDINARY_USER = 1000


@pytest.fixture
def as_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)


@pytest.mark.usefixtures("as_ordinary_user")
@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("/srv/portal/var", True),
        ("/srv/" + "p" * 72, True),
        ("/srv/" + "p" * 90, False),
        ("/srv/试点/var", False),
        ("/srv/a portal/var", False),
    ],
)
def test_sockets_lie_under_var_where_their_address_allows(folder: str, inside: bool) -> None:
    layout = embedded.Layout(Path(folder))
    expected = layout.run if inside else Path("/tmp", f"pilot-{ORDINARY_USER}-{layout.digest}")  # noqa: S108
    assert layout.sockets == expected
    assert len(os.fsencode(layout.postgres_socket)) <= 103


@pytest.mark.usefixtures("as_ordinary_user")
def test_django_and_celery_get_the_same_folder() -> None:
    var = Path("/srv/portal/var")
    assert embedded.postgres_settings(var) == {
        "HOST": "/srv/portal/var/run",
        "PORT": "5432",
        "USER": "pilot",
        "NAME": "pilot",
    }
    assert embedded.broker_url(var) == "redis+socket:///srv/portal/var/run/broker.sock?virtual_host=0"


def test_two_portals_never_share_a_socket_folder(tmp_path: Path) -> None:
    assert embedded.Layout.of(tmp_path / "a").sockets != embedded.Layout.of(tmp_path / "b").sockets


def test_a_socket_folder_laid_out_by_somebody_else_is_refused(tmp_path: Path) -> None:
    layout = embedded.Layout.of(tmp_path / "var")
    trap = tmp_path / "trap"
    trap.mkdir()
    layout.sockets.parent.mkdir(parents=True, exist_ok=True)
    layout.sockets.symlink_to(trap)
    try:
        with pytest.raises(embedded.EmbeddedError) as caught:
            layout.prepare()
    finally:
        layout.sockets.unlink()
    assert str(caught.value).startswith(f"{layout.sockets} 属于他人或可被他人写入：请删除后重试 / ")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.hold(tmp_path / "file" / "var")
    assert str(caught.value).startswith(f"{tmp_path}/file/var：")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "磁盘空间不足"), (errno.EROFS, "无法写入"), (errno.EACCES, "无法写入")],
)
def test_failed_writes_in_words(number: int, words: str) -> None:
    error = errors.from_os_error(OSError(number, os.strerror(number)), Path("/srv/var"))
    assert str(error)[: len(words)] == words


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("FATAL: could not write: No space left on device", "磁盘空间不足"),
        (
            "postgres: error while loading shared libraries: libxyz.so.1: cannot open",
            "缺少系统库 libxyz.so.1：",
        ),
        ("Bad file format reading the append only file", "消息队列文件损坏："),
        ("\n".join(f"line {number}" for number in range(20)), "PostgreSQL 无法启动，最后的输出如下 / "),
    ],
)
def test_last_words_of_a_server_in_words(output: str, words: str) -> None:
    assert str(errors.from_output("PostgreSQL", output, Path("/srv/var")))[: len(words)] == words


def test_an_unknown_end_shows_the_last_lines_only() -> None:
    output = "\n".join(f"line {number}" for number in range(20))
    shown = str(errors.from_output("Valkey", output, Path("/srv/var"))).splitlines()[1:]
    assert shown == [f"line {number}" for number in range(12, 20)]


@pytest.mark.parametrize("argv", [[], ["help"], ["migrate", "--help"], ["check"], ["stop"], ["test", "-x"]])
def test_commands_without_data_hold_nothing(argv: list[str]) -> None:
    assert embedded.hold_for_command(["manage.py", *argv]) is None


def test_a_server_of_ones_own_replaces_the_embedded_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PILOT_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", "postgres://db.example.cn/portal")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://mq.example.cn/0")
    held = embedded.hold_for_command(["manage.py", "migrate"])
    assert held is not None
    assert held.fds == ()
    assert not (tmp_path / "var").exists()
