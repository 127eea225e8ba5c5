"""What stands between a bare machine and ``manage.py``."""

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "pilot" / "bootstrap.py"


@pytest.fixture
def bootstrap() -> ModuleType:
    """Loaded by path, as manage.py does it."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A working copy with an installed .venv, as far as the bootstrap looks at it."""
    (tmp_path / "requirements.lock").write_text("example==1\n")
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    return tmp_path


@pytest.fixture
def make_python(tmp_path: Path) -> Callable[[str, str], Path]:
    """A program that answers like a Python of some version, or that fails."""

    def make(name: str, action: str) -> Path:
        folder = tmp_path / f"path-{name}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        program = folder / name
        program.write_text(f"#!/bin/sh\n{action}\n")
        program.chmod(0o755)
        return program

    return make


@pytest.mark.parametrize("file", [SOURCE, ROOT / "manage.py"])
def test_python_3_9_can_read_it(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert isinstance(ast.parse(source, feature_version=(3, 9)), ast.Module)


def test_it_needs_the_standard_library_only() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module for module in modules if module.partition(".")[0] not in sys.stdlib_module_names} == set()


def test_the_venv_is_current_only_for_the_lock_it_was_made_from(bootstrap: ModuleType, copy: Path) -> None:
    assert bootstrap._is_current(copy) is False
    bootstrap._stamp(copy).write_text(bootstrap._lock_hash(copy))
    assert bootstrap._is_current(copy) is True
    (copy / "requirements.lock").write_text("example==2\n")
    assert bootstrap._is_current(copy) is False


def test_a_venv_whose_python_is_gone_is_not_current(bootstrap: ModuleType, copy: Path) -> None:
    bootstrap._stamp(copy).write_text(bootstrap._lock_hash(copy))
    (copy / ".venv/bin/python").unlink()
    (copy / ".venv/bin/python").symlink_to(copy / "gone")
    assert bootstrap._is_current(copy) is False


def test_a_copy_that_cannot_be_written_is_named(
    bootstrap: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit) as caught:
        bootstrap.ensure(copy, ["manage.py", "demo"])
    assert caught.value.code == (
        f"[准备环境] 无法继续：{copy} 不可写，无法建立 .venv。请用其所有者身份运行，或另行克隆一份 / "
        f"cannot go on: {copy} is not writable, so .venv cannot be made: "
        "run as its owner, or use a clone of your own"
    )


def test_a_shim_without_its_python_does_not_hide_the_real_one(
    bootstrap: ModuleType, make_python: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_python("python3", "echo 3 11")
    shim = make_python("python3.13", "echo no such version >&2; exit 127")
    real = make_python("python3.13", "echo 3 13")
    monkeypatch.setattr(sys, "executable", str(old))
    monkeypatch.setenv("PATH", os.pathsep.join(str(program.parent) for program in (old, shim, real)))
    assert bootstrap._find_python() == str(real)


def test_without_root_and_sudo_the_line_to_type_is_printed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    with pytest.raises(SystemExit) as caught:
        bootstrap._apt_install(["python3-venv", "libpango-1.0-0"])
    line = "apt-get update && apt-get install -y --no-install-recommends python3-venv libpango-1.0-0"
    expected = f"请以 root 身份运行：{line} / cannot go on: please run as root: {line}"
    assert caught.value.code == f"[准备环境] 无法继续：{expected}"


def test_a_system_without_apt_is_told_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as caught:
        bootstrap._apt_install(["libpango-1.0-0"])
    assert caught.value.code == (
        "[准备环境] 无法继续：缺少系统组件（Debian 名称）：libpango-1.0-0。"
        "请用本系统的软件包管理器安装后重试 / "
        "cannot go on: please install what Debian calls libpango-1.0-0 with this system's package manager, "
        "then start again"
    )


def test_what_is_missing_is_listed_by_package(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_loads", lambda library: library == "libpango-1.0.so.0")
    assert bootstrap._missing_packages(None) == [
        "python3",
        "python3-venv",
        "libpangoft2-1.0-0",
        "libharfbuzz-subset0",
    ]


def test_uv_is_told_the_mirror_that_pip_knows(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.cn/pypi")
    assert bootstrap._uv_environment(sys.executable)["UV_DEFAULT_INDEX"] == "https://mirror.example.cn/pypi"
    monkeypatch.setenv("UV_INDEX_URL", "https://own.example.cn/pypi")
    assert "UV_DEFAULT_INDEX" not in bootstrap._uv_environment(sys.executable)


def test_any_python_hands_over_to_the_venv(bootstrap: ModuleType) -> None:
    if not bootstrap._is_current(ROOT):
        pytest.fail("run `python3 manage.py help` once: .venv does not match requirements.lock")
    base = str(Path(sys.base_exec_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
    done = subprocess.run(
        [base, str(ROOT / "manage.py"), "version"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert (done.stdout, done.stderr) == ("6.1.3\n", "")
