"""What can go wrong with an embedded server, in words with what to do."""

import errno
import re
import shutil
from pathlib import Path

MINIMUM_FREE = 64 * 1024 * 1024  # bytes; one WAL segment is 16 MiB, a fresh data folder about 40 MiB

_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+)")


class EmbeddedError(RuntimeError):
    """An embedded server cannot run; the text (Chinese / English) says why and what to do."""


def disk_full(folder: Path) -> EmbeddedError:
    return EmbeddedError(
        f"磁盘空间不足：{folder} 所在磁盘已满，请清理空间或用 PILOT_VAR 指定别的磁盘 / "
        f"disk full: free some space at {folder}, or point PILOT_VAR at another disk"
    )


def check_space(folder: Path) -> None:
    """Refuse to start on a disk that has less than :data:`MINIMUM_FREE` bytes left.

    Raises EmbeddedError.
    """
    if shutil.disk_usage(folder).free < MINIMUM_FREE:
        raise disk_full(folder)


def from_os_error(error: OSError, folder: Path) -> EmbeddedError:
    """Translate a failed file operation under ``folder``."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(folder)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return EmbeddedError(
            f"无法写入 {folder}（{error.strerror}）：请更改权限或用 PILOT_VAR 指定可写文件夹 / "
            f"cannot write to {folder} ({error.strerror}): change its owner, or point PILOT_VAR elsewhere"
        )
    return EmbeddedError(f"{folder}：{error} / {error}")


def from_output(server: str, output: str, folder: Path) -> EmbeddedError:
    """Translate the last output of a server that would not start.

    ``server`` is its name for the reader, ``folder`` the data folder the output speaks of.
    """
    if "No space left on device" in output:
        return disk_full(folder)
    if match := _LIBRARY.search(output):
        library = match[1]
        return EmbeddedError(
            f"缺少系统库 {library}：请用系统包管理器安装后重试 / "
            f"{server} needs the system library {library}: install the package that holds it "
            f"(Debian: apt-file search {library}) and start again"
        )
    if "database files are incompatible with server" in output:
        return EmbeddedError(
            f"{folder} 由另一版本的 PostgreSQL 建立：请按 docs/operations.md“升级”一节转储后恢复 / "
            f"{folder} was made by another PostgreSQL version: dump and restore it (docs/operations.md, 升级)"
        )
    if "Bad file format reading the append only file" in output:
        return EmbeddedError(
            f"消息队列文件损坏：停止后删除 {folder} 即可，未送出的任务会由发件箱重发 / "
            f"the broker's file is damaged: stop, delete {folder}; the outbox sends unfinished work again"
        )
    tail = "\n".join(output.strip().splitlines()[-8:]) or "-"
    return EmbeddedError(
        f"{server} 无法启动，最后的输出如下 / {server} does not start, its last words:\n{tail}"
    )
