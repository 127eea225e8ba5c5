"""Makes a bare machine able to run ``manage.py``: system packages, ``.venv``, the locked Python packages.

Standard library only, any Python from 3.9 on, loaded by path: nothing of the project can be imported yet.
A start that finds all in place costs one hash and one ``exec``. ``PILOT_BOOTSTRAP=0`` turns it all off.
Everything is said on stderr, so that what a command prints stays clean.
"""

# ruff: noqa: S603, S606, T201  (it starts programs it names itself, and speaks before there is any logging)

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

MINIMUM = (3, 12)
UV = "uv==0.13.9"
# What WeasyPrint loads at run time, and the Debian package that holds it.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
BROWSER_PACKAGE = "chromium-headless-shell"  # the smallest that Playwright can drive


def ensure(root: Path, argv: Sequence[str]) -> None:
    """Return inside ``.venv`` with everything installed: at once, or in a new process of its Python."""
    python = root / ".venv" / "bin" / "python"
    if not _is_current(root):
        with _one_at_a_time(root):
            if not _is_current(root):
                _install(root)
    if "test" in argv[1:2] and not any(map(shutil.which, BROWSERS)):
        _apt_install([BROWSER_PACKAGE])
    if Path(sys.prefix).resolve() != python.parents[1].resolve():
        sys.stdout.flush()
        os.execv(python, [str(python), str(root / "manage.py"), *argv[1:]])


def _say(chinese: str, english: str) -> None:
    print(f"[准备环境] {chinese} / {english}", file=sys.stderr, flush=True)


def _fail(chinese: str, english: str) -> NoReturn:
    sys.exit(f"[准备环境] 无法继续：{chinese} / cannot go on: {english}")


def _lock_hash(root: Path) -> str:
    return hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest()


def _stamp(root: Path) -> Path:
    return root / ".venv" / "pilot-lock.sha256"


def _is_current(root: Path) -> bool:
    """Whether ``.venv`` holds what the lock file asks for."""
    try:
        return (root / ".venv/bin/python").exists() and _stamp(root).read_text() == _lock_hash(root)
    except OSError:
        return False


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, which leaves no file behind."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("另一个进程正在准备环境，等待中……", "another process is preparing this copy, waiting")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _install(root: Path) -> None:
    if not os.access(root, os.W_OK):
        _fail(
            f"{root} 不可写，无法建立 .venv。请用其所有者身份运行，或另行克隆一份",
            f"{root} is not writable, so .venv cannot be made: run as its owner, or use a clone of your own",
        )
    python = _find_python()
    _apt_install(_missing_packages(python))
    python = python or _find_python()
    if python is None:
        _fail(
            f"找不到可用的 Python {_version(MINIMUM)} 或更高版本，本系统软件源中也没有",
            f"no Python {_version(MINIMUM)} or later here, nor in this system's packages: install one",
        )
    _make_venv(root, python)
    _install_packages(root)
    _stamp(root).write_text(_lock_hash(root))
    _say("环境已就绪", "ready")


def _version(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))


def _python_version(program: str) -> tuple[int, int] | None:
    """(major, minor) of ``program``, None when it does not run (a shim can be there without its Python)."""
    try:
        done = subprocess.run(
            [program, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return major, minor


def _find_python() -> str | None:
    """The first Python that runs and is recent enough; this one before others."""
    # Every folder, not only the first that has the name: a version manager's shim can hide the real one.
    folders = [*os.get_exec_path(), "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    names = ("python3.13", "python3.14", "python3.12", "python3")
    managed = sorted(map(str, Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python3")), reverse=True)
    candidates = [sys.executable, *(f"{folder}/{name}" for name in names for folder in folders), *managed]
    for program in dict.fromkeys(candidates):
        if Path(program).exists() and (_python_version(program) or (0, 0)) >= MINIMUM:
            return program
    return None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _missing_packages(python: str | None) -> list[str]:
    """Debian names of the system packages that are not there yet."""
    missing: list[str] = []
    if python is None:
        missing += ["python3", "python3-venv"]
    elif subprocess.run([python, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        missing.append(f"python{_version(_python_version(python) or MINIMUM)}-venv")
    if sys.platform == "linux":
        missing += [package for library, package in LIBRARIES.items() if not _loads(library)]
    elif sys.platform == "darwin" and not shutil.which("pango-view"):
        _fail("缺少 Pango，请运行：brew install pango", "Pango is missing, run: brew install pango")
    return missing


def _apt_install(packages: list[str]) -> None:
    """Install Debian packages as root or through sudo, else print the line to type."""
    if not packages:
        return
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        _fail(
            f"缺少系统组件（Debian 名称）：{names}。请用本系统的软件包管理器安装后重试",
            f"please install what Debian calls {names} with this system's package manager, then start again",
        )
    line = f"apt-get update && apt-get install -y --no-install-recommends {names}"
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which("sudo"):
        prefix = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    else:
        _fail(f"请以 root 身份运行：{line}", f"please run as root: {line}")
    _say(f"正在安装系统组件：{names}", f"installing system packages: {names}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    # A failed update need not matter: the lists may be there already.
    subprocess.run([*apt, "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    done = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(_tail(done.stdout), file=sys.stderr)
        _fail(
            f"系统组件安装失败，请以 root 身份运行：{line}",
            f"apt-get failed (see above), run as root: {line}",
        )


def _make_venv(root: Path, python: str) -> None:
    venv = root / ".venv"
    if (_python_version(str(venv / "bin" / "python")) or (0, 0)) >= MINIMUM and (venv / "bin/pip").exists():
        return
    _say(f"正在用 {python} 建立 .venv", f"making .venv with {python}")
    done = _run([python, "-m", "venv", "--clear", str(venv)])
    if done.returncode:
        print(_tail(done.stdout), file=sys.stderr)
        _fail("无法建立 .venv（磁盘空间或权限？）", "cannot make .venv (disk space, permissions?), see above")


def _install_packages(root: Path) -> None:
    _say(
        "正在安装 requirements.lock 中的 Python 组件（首次约需半分钟）",
        "installing the Python packages, half a minute",
    )
    python, lock = str(root / ".venv/bin/python"), str(root / "requirements.lock")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "2"]
    uv = [str(root / ".venv/bin/uv"), "pip", "install", "-q", "-p", python, "--compile-bytecode"]
    done = _run([*pip, UV])
    if not done.returncode:
        done = _run([*uv, "--require-hashes", "-r", lock], _uv_environment(python))
        if not done.returncode:
            return
        _say("uv 未成功，改用 pip（较慢）", "uv did not succeed, trying pip, which is slower")
        done = _run([*pip, "--require-hashes", "-r", lock])
    if done.returncode:
        print(_tail(done.stdout), file=sys.stderr)
        _fail(
            "Python 组件下载失败：请检查网络，或按 docs/operations.md 设置镜像或离线安装",
            "the Python packages did not install: check the network; docs/operations.md tells of mirrors",
        )


def _uv_environment(python: str) -> dict[str, str]:
    """uv does not read pip's configuration, so hand over the mirror that pip was told to use."""
    extra = {"UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "copy"}
    listed = _run([python, "-m", "pip", "config", "list"]).stdout
    mirror = re.search(r"^[\w:.]*\bindex-url='(.+)'$", listed, re.MULTILINE)
    if mirror and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ):
        extra["UV_DEFAULT_INDEX"] = mirror[1]
    return extra


def _run(command: list[str], extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``command``; its two outputs come back as one. A program that cannot start counts as failed."""
    try:
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, **(extra or {})},
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, f"{shlex.join(command)}: {error}")


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-12:])
