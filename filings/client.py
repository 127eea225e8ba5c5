#!/usr/bin/env python3
"""试点单位客户端：把文件夹中的核验单文件上报到平台，可重复运行，不会重复上报。
Client for pilot units: hands in the files of a folder; may be run again at any time and doubles nothing.

    python pilot_client.py send FOLDER --url https://… --key-file KEY.txt
    python pilot_client.py check FOLDER --url https://… --key-file KEY.txt       只校验，不保存 / a trial
    python pilot_client.py accuracy --url https://… --key-file KEY.txt [--period 2019-06]

Python 3.9 or later, nothing else. Exit codes: 0 everything accepted; 1 something was refused or cannot be read (see
``*.rejects.*`` and ``pilot-summary.json``); 2 could not finish, run again.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import ssl
import sys
import time
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlencode, urlsplit

VERSION = "1.0"
API = "/api/v1/"
STATE_FILE = ".pilot-client.json"
SUMMARY_FILE = "pilot-summary.json"
ENDINGS = {".ndjson", ".jsonl", ".json", ".csv", ".xlsx", ".xml"}
PACKED = {".gz", ".zip"}
REJECTS_ENDINGS = {"ndjson": ".ndjson", "csv": ".csv", "xlsx": ".xlsx", "v3": ".xml"}
CHUNK = 256 * 1024
LONGEST_PAUSE = 60.0
LONGEST_POLL = 15.0
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
ACCEPTED, SOME_REFUSED, UNFINISHED = 0, 1, 2


class CannotFinish(Exception):
    """What stands in the way of finishing, in words; exit code 2."""


class FileRefused(Exception):
    """The portal refuses a file as a whole, in words; exit code 1."""


class Reply(NamedTuple):
    """An answer of the portal."""

    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        """The content where it is an object of JSON, else an empty one."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def told(self, name: str, words: "Words") -> dict[str, Any]:
        """The content, which has ``name`` if it is the portal that answered; somebody else on the line may have."""
        content: dict[str, Any] = self.json()
        if name not in content:
            raise CannotFinish(words("答复不是来自平台", "The answer is not the portal's"))
        return content


class Words:
    """Messages in the chosen language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, zh: str, en: str) -> str:
        return en if self.language == "en" else zh


class Portal:
    """The API behind an address and a key: every request is repeated until it is answered, or patience ends."""

    def __init__(self, options: argparse.Namespace, words: Words, sleep: Callable[[float], None]) -> None:
        self.words, self.sleep = words, sleep
        self.attempts, self.pause = options.attempts, options.pause
        parts = urlsplit(options.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CannotFinish(words("--url 应为 https://… 形式的网址", "--url must be an https:// address"))
        if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and not options.plain_http:
            raise CannotFinish(
                words(
                    "密钥不得以明文传输：请使用 https，或明确加上 --plain-http",
                    "A key must not travel in clear: use https, or say --plain-http",
                )
            )
        self.url = parts.geturl().rstrip("/")
        self.host, self.port, self.prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self.tls = ssl.create_default_context(cafile=options.ca_file) if parts.scheme == "https" else None
        key = read_key(options.key_file, words)
        self.mode = key.partition("_")[0]
        self.headers = {
            "Authorization": "Bearer " + key,
            "Accept-Language": "en" if words.language == "en" else "zh-hans",
            "User-Agent": "pilot-client/" + VERSION,
        }

    def get(self, path: str) -> Reply:
        """Fetch an address below the API, or one that the portal named."""
        return self.request("GET", path)

    def request(
        self, method: str, path: str, headers: Optional[dict[str, str]] = None, file: Optional[Path] = None
    ) -> Reply:
        """Send until there is an answer that repeating would not change."""
        trouble, reply = "", None  # type: str, Optional[Reply]
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(self._wait(attempt, reply.headers if reply else {}))
            reply = None
            try:
                reply = self._once(method, path, headers or {}, file)
            except ssl.SSLCertVerificationError as error:
                raise CannotFinish(
                    self.words("服务器证书不受信任：", "The server's certificate is not trusted: ")
                    + str(error)
                ) from None
            except (OSError, http.client.HTTPException) as error:
                trouble = f"{type(error).__name__}: {error}"
                continue
            if not worth_repeating(reply):
                return reply
            trouble = str(reply.status)
        raise CannotFinish(
            self.words(
                "多次尝试后仍未成功，请稍后再次运行：", "No success after several attempts, run again later: "
            )
            + trouble
        )

    def _wait(self, attempt: int, headers: Any) -> float:
        """Seconds before the next attempt: growing, capped, spread by chance, never less than the portal asks for."""
        longest = min(LONGEST_PAUSE, self.pause * 2 ** (attempt - 1))
        asked = headers.get("Retry-After", "")
        return max(float(asked) if asked.isdigit() else 0.0, random.uniform(longest / 2, longest))

    def _once(self, method: str, path: str, headers: dict[str, str], file: Optional[Path]) -> Reply:
        connection = self._connect()
        address = self.prefix + (path if path.startswith("/") else API + path)
        try:
            if file is None:
                connection.request(method, address, headers={**self.headers, **headers})
            else:
                length = {"Content-Length": str(file.stat().st_size)}
                try:
                    with file.open("rb") as stream:
                        connection.request(method, address, stream, {**self.headers, **headers, **length})
                except (BrokenPipeError, ConnectionResetError):
                    pass  # whoever refuses a file need not read all of it: the answer may be there
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=120, blocksize=CHUNK)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=120, blocksize=CHUNK, context=self.tls
        )


def worth_repeating(reply: Reply) -> bool:
    """Whether the same request may be answered otherwise a little later."""
    in_flight = reply.status == 409 and reply.json().get("code") == "idempotency.in_flight"
    return in_flight or reply.status == 429 or reply.status >= 500


def read_key(file: Path, words: Words) -> str:
    """The key in a file."""
    try:
        key = file.read_text(encoding="utf-8-sig").strip()  # editors of Windows begin it with a mark
    except (OSError, ValueError) as error:
        raise CannotFinish(words("无法读取密钥文件：", "Cannot read the key file: ") + str(error)) from None
    if not key or not key.isascii() or any(character.isspace() for character in key):
        raise CannotFinish(
            words("密钥文件中应只有一个密钥", "The key file must hold one key and nothing else")
        )
    return key


class State:
    """What was sent and what became of it, in a small file that is replaced as a whole."""

    def __init__(self, file: Path, words: Words) -> None:
        self.file = file
        self.files: dict[str, dict[str, Any]] = {}
        try:
            if file.exists():
                self.files = json.loads(file.read_text(encoding="utf-8"))["files"]
        except (ValueError, KeyError, TypeError):
            raise CannotFinish(
                words(
                    "进度文件已损坏，请删除后重新运行：",
                    "The state file is damaged, delete it and run again: ",
                )
                + str(file)
            ) from None

    def keep(self, key: str, **facts: Any) -> dict[str, Any]:
        """Note facts of one file, safely on disk before this returns; returns all there are."""
        entry = self.files.setdefault(key, {})
        entry.update(facts)
        write_whole(self.file, json.dumps({"files": self.files}, ensure_ascii=False, indent=1).encode())
        return entry


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
    aside = file.with_name(file.name + ".part")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(file)


def digest_of(file: Path) -> str:
    """SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def files_of(places: list[Path], words: Words) -> list[Path]:
    """The files to send: those named, and of a folder all that look like forms, in order of their names."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(file for file in place.iterdir() if is_for_sending(file))
        elif place.is_file():
            found.append(place)
        else:
            raise CannotFinish(
                words("没有该文件或文件夹：", "There is no such file or folder: ") + str(place)
            )
    if not found:
        raise CannotFinish(words("没有可上报的文件", "There is nothing to send"))
    return found


def is_for_sending(file: Path) -> bool:
    """Whether a file of a folder is meant for the portal; refused rows are only when named on purpose."""
    own = file.name in {STATE_FILE, SUMMARY_FILE} or file.name.startswith(".") or ".rejects." in file.name
    return file.is_file() and not own and file.suffix.lower() in ENDINGS | PACKED


class Sender:
    """Sends files, waits for what becomes of them and fetches the refused rows."""

    def __init__(
        self, portal: Portal, options: argparse.Namespace, words: Words, state: Optional[State]
    ) -> None:
        self.portal, self.options, self.words, self.state = portal, options, words, state
        self.trial = state is None

    def deliver(self, file: Path) -> dict[str, Any]:
        """One file from sending to its outcome: the job as the portal last told it, with the file's name."""
        content = digest_of(file)
        key = self._key(file, content)
        entry = self._known(key)
        job = entry if entry and entry["done"] else self._wait_for(key, self._send(file, key, content, entry))
        if broke_off(job) and self.state:  # sent anew, as another request, by the next run
            self.state.keep(key, attempt=job.get("attempt", 0) + 1, done=False, url="")
        self._fetch_rejects(file, job)
        return {**job, "file": str(file)}

    def _key(self, file: Path, content: str) -> str:
        """Stands for this content under this name at this portal: the same file sent again is the same request."""
        whole = "\n".join([content, file.name, self.options.encoding, self.portal.url, self.portal.mode])
        return hashlib.sha256(whole.encode()).hexdigest()

    def _known(self, key: str) -> dict[str, Any]:
        return self.state.files.get(key, {}) if self.state else {}

    def _send(self, file: Path, key: str, content: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Hand the file in unless that is known to have been done."""
        if entry.get("url"):
            reply = self.portal.get(entry["url"])
            if reply.status == 200:
                return self._keep(key, reply.told("done", self.words))
        query = {"name": file.name, "encoding": self.options.encoding}
        headers = {"Content-Type": "application/octet-stream"}
        if self.trial:
            query["dry_run"] = "true"
        else:
            headers["Idempotency-Key"] = f"pilot-client-{key}-{entry.get('attempt', 0)}"
        self._say(file, self.words("正在上报", "sending"))
        reply = self.portal.request("POST", "uploads/?" + urlencode(query), headers, file)
        if reply.status in {413, 422}:
            raise FileRefused(reason_of(reply))
        if reply.status != 202:
            raise CannotFinish(reason_of(reply))
        job = reply.told("sha256", self.words)
        if job["sha256"] != content:
            raise CannotFinish(
                self.words("文件在上报过程中被改动", "The file changed while it was being sent")
            )
        return self._keep(
            key, {**job, "rejects_file": ""}
        )  # those of an attempt that failed are not this one's

    def _wait_for(self, key: str, job: dict[str, Any]) -> dict[str, Any]:
        """Ask until the portal is done with a job; less and less often, up to the given time."""
        pause, waited = self.options.pause, 0.0
        while not job["done"]:
            if waited > self.options.timeout:
                raise CannotFinish(
                    self.words("平台仍在处理，请稍后再次运行", "Still being processed, run again later")
                )
            self.portal.sleep(pause)
            waited, pause = waited + pause, min(LONGEST_POLL, pause * 1.5)
            reply = self.portal.get(job["url"])
            if reply.status != 200:
                raise CannotFinish(reason_of(reply))
            job = self._keep(key, reply.told("done", self.words))
        return job

    def _keep(self, key: str, job: dict[str, Any]) -> dict[str, Any]:
        if self.state is None:
            return job
        return self.state.keep(key, **{name: value for name, value in job.items() if name != "rejected"})

    def _fetch_rejects(self, file: Path, job: dict[str, Any]) -> None:
        """Write the refused rows beside the file, to be corrected and sent again."""
        if not job["rejects"] or job.get("rejects_file"):
            return
        reply = self.portal.get(job["rejects"])
        if reply.status == 404:  # kept for 30 days only
            return
        if reply.status != 200:
            raise CannotFinish(reason_of(reply))
        target = rejects_file(file, job["format"], self.options.out)
        write_whole(target, reply.body)
        job["rejects_file"] = str(target)
        if self.state:
            self.state.keep(self._key(file, job["sha256"]), rejects_file=str(target))

    def _say(self, file: Path, text: str) -> None:
        print(f"{file.name}: {text}", flush=True)


def rejects_file(file: Path, file_format: str, folder: Optional[Path]) -> Path:
    """``forms.csv`` → ``forms.rejects.csv``; a packed file keeps its whole name before the ending.

    In one folder for all, a mark of where the file lies keeps the rows of same-named files of several folders apart.
    """
    ending = REJECTS_ENDINGS[file_format]
    name = file.stem if file.suffix.lower() == ending else file.name
    if folder is None:
        return file.with_name(f"{name}.rejects{ending}")
    place = hashlib.sha256(str(file.resolve().parent).encode()).hexdigest()[:8]
    return folder / f"{name}.{place}.rejects{ending}"


def reason_of(reply: Reply) -> str:
    """The portal's own words for a refusal."""
    told = reply.json()
    return f"{reply.status} {told.get('code', '')} {told.get('detail', '')}".strip()


def hand_in(portal: Portal, options: argparse.Namespace, words: Words) -> int:
    """Send or check all files; returns the exit code."""
    files = files_of(options.places, words)
    first = options.places[0]
    home = options.out or (first if first.is_dir() else first.parent)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    door = portal.get("uploads/")  # a bad key is told before large files travel
    if door.status != 200:
        raise CannotFinish(reason_of(door))
    state = None if options.command == "check" else State(options.state or home / STATE_FILE, words)
    sender = Sender(portal, options, words, state)
    outcomes = [one_file(sender, file) for file in files]
    write_whole(home / SUMMARY_FILE, json.dumps(outcomes, ensure_ascii=False, indent=1).encode())
    for outcome in outcomes:
        print(line_of(outcome, words))
    return max(code_of(outcome) for outcome in outcomes)


def one_file(sender: Sender, file: Path) -> dict[str, Any]:
    """The outcome of one file, also where there is none: the others are sent all the same."""
    try:
        return sender.deliver(file)
    except FileRefused as refusal:
        return {"file": str(file), "refused": str(refusal)}
    except (CannotFinish, OSError) as trouble:
        return {"file": str(file), "unfinished": str(trouble)}


def broke_off(job: dict[str, Any]) -> bool:
    """Whether a job failed for no fault of its file, which would meet that again however often it is sent."""
    return job.get("state") == "failed" and not job.get("fault_code", "").startswith("file.")


def code_of(outcome: dict[str, Any]) -> int:
    """The exit code one file calls for."""
    if "unfinished" in outcome or broke_off(outcome):
        return UNFINISHED
    refused = "refused" in outcome or outcome["state"] == "failed" or outcome["rejected_rows"]
    return SOME_REFUSED if refused else ACCEPTED


def line_of(outcome: dict[str, Any], words: Words) -> str:
    """One file's outcome for people."""
    name = Path(outcome["file"]).name
    if "unfinished" in outcome:
        return f"{name}: " + words("未完成：", "not finished: ") + outcome["unfinished"]
    if "refused" in outcome:
        return f"{name}: " + words("整个文件被拒绝：", "refused as a whole: ") + outcome["refused"]
    text = words(
        "{rows} 行，接收 {accepted}，重复 {duplicates}，拒绝 {rejected_rows}",
        "{rows} rows, {accepted} accepted, {duplicates} duplicates, {rejected_rows} refused",
    ).format(**outcome)
    if outcome["dry_run"]:
        text += words("（试运行，未保存）", " (trial, nothing stored)")
    if outcome["fault"]:
        text += words("；处理中断：", "; broken off: ") + outcome["fault"]
    if outcome.get("rejects_file"):
        text += words("；被拒行见 ", "; refused rows in ") + outcome["rejects_file"]
    return f"{name}: {text}"


def show_accuracy(portal: Portal, options: argparse.Namespace, words: Words) -> int:
    """Print the unit's figures; returns the exit code."""
    reply = portal.get("accuracy/?" + urlencode({"period": options.period}))
    if reply.status != 200:
        raise CannotFinish(reason_of(reply))
    figures = reply.told("m1", words)
    print(f"{figures['unit']} {figures['period']} ({figures['as_of']})")
    for label, figure in (
        (words("M1 主体身份信息准确率", "M1 identity accuracy"), figures["m1"]),
        (words("M2 核验单信息准确率", "M2 form accuracy"), figures["m2"]),
    ):
        print(f"{label}: {figure['shown']} ({figure['errors']} / {figure['n']})")
    return ACCEPTED


def parser() -> argparse.ArgumentParser:
    """The command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--url", required=True, help="平台网址 / address of the portal")
    shared.add_argument("--key-file", required=True, type=Path, help="密钥文件 / file that holds the key")
    shared.add_argument("--language", choices=["zh", "en"], default="zh")
    shared.add_argument("--ca-file", help="CA 证书 / certificates to trust (PEM)")
    shared.add_argument("--plain-http", action="store_true", help="允许明文 http / allow http without TLS")
    shared.add_argument("--attempts", type=int, default=8, help="每个请求最多尝试次数 / attempts per request")
    shared.add_argument("--pause", type=float, default=1.0, help="首次等待秒数 / first pause in seconds")
    sending = argparse.ArgumentParser(add_help=False, parents=[shared])
    sending.add_argument("places", nargs="+", type=Path, metavar="FILE|FOLDER")
    sending.add_argument("--encoding", choices=["utf-8", "gbk"], default="utf-8", help="CSV")
    sending.add_argument("--out", type=Path, help="结果文件夹 / folder for rejects and summary")
    sending.add_argument(
        "--timeout", type=float, default=3600.0, help="每个文件最长等待秒数 / seconds per file"
    )
    top = argparse.ArgumentParser(prog="pilot_client.py", description=(__doc__ or "").split("\n\n")[0])
    commands = top.add_subparsers(dest="command", required=True)
    send = commands.add_parser("send", parents=[sending], help="上报 / hand in")
    send.add_argument("--state", type=Path, help="进度文件 / state file")
    commands.add_parser("check", parents=[sending], help="试运行 / trial")
    accuracy = commands.add_parser("accuracy", parents=[shared], help="准确率 / figures")
    accuracy.add_argument("--period", default="to-date", help="2019-06 | 2019-06-18 | to-date")
    return top


def main(arguments: Optional[list[str]] = None, sleep: Callable[[float], None] = time.sleep) -> int:
    """Run the command line; returns the exit code. ``sleep`` is called for every pause."""
    options = parser().parse_args(arguments)
    words = Words(options.language)
    try:
        portal = Portal(options, words, sleep)
        if options.command == "accuracy":
            return show_accuracy(portal, options, words)
        return hand_in(portal, options, words)
    except (CannotFinish, OSError) as trouble:
        print(words("未能完成：", "Could not finish: ") + str(trouble), file=sys.stderr)
    except KeyboardInterrupt:
        print(words("已中断，再次运行即可继续", "Interrupted; run again to go on"), file=sys.stderr)
    return UNFINISHED


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
