"""The PDF engine: fonts, metadata, sameness, and that a document can read nothing outside itself."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.abc import MetaPathFinder
from io import BytesIO
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pydyf
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import render_to_string
from django.utils import translation
from pylopdf_fonts_zh_cn import sans_path
from pypdf import PdfReader

from pilot import pdf, pdf_font
from pilot.pdf import PdfEngineMissing, cn_date, render_pdf
from pilot.pdf_engine import Engine, ResourceRefused
from tests.documents.reading import fonts_of
from tests.documents.samples import SAMPLES

TITLE, CONTEXT = SAMPLES["letter_acceptance"]
LETTER = "documents/letter_acceptance.html"


class Canary(BaseHTTPRequestHandler):
    """Notes who calls."""

    calls: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def canary() -> Iterator[str]:
    Canary.calls = []
    with HTTPServer(("127.0.0.1", 0), Canary) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret.txt"
    path.write_text("secret", encoding="ascii")
    return path.as_uri()


def test_dates_have_no_leading_zeros() -> None:
    assert cn_date(date(2019, 5, 6)) == "2019年5月6日"


def test_file_says_title_author_and_language() -> None:
    reader = PdfReader(BytesIO(render_pdf(LETTER, CONTEXT, title=TITLE)))
    assert reader.metadata == {
        "/Producer": "WeasyPrint 70.0",
        "/Title": "关于受理电子化核验试点申请的函",
        "/Author": "示例省通信管理局",
    }
    assert reader.root_object["/Lang"] == "zh-CN"
    assert reader.root_object["/MarkInfo"] == {"/Marked": True}


def test_same_input_gives_the_same_bytes_in_every_thread_and_language() -> None:
    first = render_pdf(LETTER, CONTEXT, title=TITLE)
    with ThreadPoolExecutor(4) as threads:
        again = list(threads.map(lambda _: render_pdf(LETTER, CONTEXT, title=TITLE), range(4)))
    with translation.override("en"):
        again.append(render_pdf(LETTER, CONTEXT, title=TITLE))
    assert [document == first for document in again] == [True] * 5


@pytest.mark.parametrize(
    ("name", "fonts"),
    [
        ("letter_acceptance", {"Pilot-Serif", "Pilot-Sans"}),
        ("bulletin", {"Pilot-Serif", "Pilot-Sans"}),
    ],
)
def test_fonts_are_ours_embedded_and_subset(name: str, fonts: set[str]) -> None:
    title, context = SAMPLES[name]
    document = render_pdf(f"documents/{name}.html", context, title=title)
    assert fonts_of(document) == dict.fromkeys(fonts, True)
    assert len(document) < 400_000


def test_the_fonts_in_a_file_are_packed_once_and_not_by_pydyf(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compressobj(**options: Any) -> Any:
        packer = zlib_compressobj(**options)
        return SimpleNamespace(
            compress=lambda data: sizes.append(len(data)) or packer.compress(data), flush=packer.flush
        )

    zlib_compressobj = pydyf.zlib.compressobj
    monkeypatch.setattr(pydyf.zlib, "compressobj", compressobj)
    fonts = (
        PdfReader(BytesIO(render_pdf(LETTER, CONTEXT, title=TITLE))).pages[0]["/Resources"]["/Font"].values()
    )
    files = [font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile3"] for font in fonts]
    assert [(file["/Filter"], file.get_data()[:4]) for file in files] == [("/FlateDecode", b"OTTO")] * 2
    assert max(sizes) < 50_000 < min(len(file.get_data()) for file in files)


def test_agency_fonts_replace_ours_by_their_file_name(settings: Any, tmp_path: Path) -> None:
    for name in ("FZXBSJW.otf", "仿宋_GB2312.OTF", "notes.txt", "Unrelated.otf"):
        (tmp_path / name).symlink_to(sans_path())
    settings.PILOT_FONTS = str(tmp_path)
    html = render_to_string(LETTER, {**CONTEXT, "document_title": TITLE})
    # Body and title are the agency's; the page number (宋体) and the demo's mark (黑体) stay with ours.
    faces = ("Pilot-FangSong", "Pilot-XiaoBiaoSong", "Pilot-Serif", "Pilot-Sans")
    assert fonts_of(Engine().write(html)) == dict.fromkeys(faces, True)


def test_a_missing_font_folder_is_a_configuration_error(settings: Any, tmp_path: Path) -> None:
    settings.PILOT_FONTS = str(tmp_path / "nowhere")
    with pytest.raises(ImproperlyConfigured, match="PILOT_FONTS names no folder"):
        Engine()


SOURCES = (
    '<link rel="attachment" href="{}">',
    '<a rel="attachment" href="{}">x</a>',
    '<link rel="stylesheet" href="{}">',
    '<style>@import "{}";</style>',
    '<style>@font-face {{ font-family: x; src: url("{}") }} p {{ font-family: x }}</style><p>x</p>',
    '<style>p {{ background: url("{}") }}</style><p>x</p>',
    '<style>p::before {{ content: url("{}") }}</style><p>x</p>',
    '<img src="{}">',
    '<object data="{}"></object>',
    '<embed src="{}">',
    '<svg width="9" height="9"><image href="{}" width="9" height="9"/></svg>',
)


@pytest.mark.parametrize("markup", SOURCES)
@pytest.mark.parametrize("scheme", ["file", "http", "data"])
def test_a_document_that_refers_to_anything_is_refused(
    markup: str, scheme: str, canary: str, secret: str
) -> None:
    address = {
        "file": secret,
        "http": f"{canary}/x",
        "data": "data:image/svg+xml,<svg/>",
    }[scheme]
    with pytest.raises(ResourceRefused) as refusal:
        pdf._engine().write(f"<body>{markup.format(address)}</body>")
    assert set(str(refusal.value).split("; ")) == {address}
    assert Canary.calls == []


def test_a_base_address_does_not_open_a_folder(secret: str) -> None:
    folder, _, name = secret.rpartition("/")
    with pytest.raises(ResourceRefused) as refusal:
        pdf._engine().write(f'<base href="{folder}/"><link rel="attachment" href="{name}">')
    assert str(refusal.value) == secret


def test_fonts_are_readable_for_the_engine_only() -> None:
    with pytest.raises(ResourceRefused):
        pdf._engine().write(f'<link rel="attachment" href="{sans_path().as_uri()}">')


def test_lines_that_people_end_in_their_own_way_are_set() -> None:
    """A blank before the end of a line, Windows' ends, those that only Unicode knows, control characters."""
    ends = (
        " \n",
        "\t\n",
        "\r\n",
        " \r\n",
        "\r",
        "\n ",
        " \n \n",
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\x00\x07",
    )
    words = "甲".join(ends)
    text = {key: f"{words}{value}" if isinstance(value, str) else value for key, value in CONTEXT.items()}
    assert render_pdf(LETTER, text, title=TITLE).startswith(b"%PDF-")


class NoPango(MetaPathFinder):
    """Stands for a machine without pango, where importing WeasyPrint raises OSError."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> None:
        if fullname == "pilot.pdf_engine":
            raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_pango_the_message_names_the_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "pilot.pdf_engine")
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    pdf._engine.cache_clear()
    with pytest.raises(PdfEngineMissing) as missing:
        render_pdf(LETTER, CONTEXT, title=TITLE)
    assert str(missing.value) == (
        "PDF documents need the system packages libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0: "
        "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 "
        "(cannot load library 'libpango-1.0-0')"
    )


# --- what is kept ---------------------------------------------------------------------------------------
def test_a_paper_is_synced_before_it_bears_its_name(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR = tmp_path
    sync, seen = os.fsync, []

    def fsync(handle: int) -> None:
        sync(handle)
        seen.append((os.fstat(handle).st_size, list(tmp_path.glob("papers/*.pdf"))))

    monkeypatch.setattr(os, "fsync", fsync)
    paper = pdf.render_kept(LETTER, CONTEXT, title=TITLE)
    assert seen == [(len(paper), [])]
    assert [path.read_bytes() for path in tmp_path.glob("papers/*")] == [paper]


def test_a_full_disk_keeps_nothing_of_a_paper(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR = tmp_path

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        for _time in range(2):
            with pytest.raises(OSError, match="full"):
                pdf.render_kept(LETTER, CONTEXT, title=TITLE)
    assert list(tmp_path.glob("papers/*")) == []
    assert pdf.render_kept(LETTER, CONTEXT, title=TITLE).startswith(b"%PDF-")


def test_what_a_power_cut_left_empty_is_set_again(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path
    paper = pdf.render_kept(LETTER, CONTEXT, title=TITLE)
    font = pdf_font.font_path()
    face = font.read_bytes()
    (kept,) = tmp_path.glob("papers/*")
    for path in (kept, font):
        path.write_bytes(b"")
    assert (pdf.render_kept(LETTER, CONTEXT, title=TITLE) == paper, kept.read_bytes() == paper) == (
        True,
        True,
    )
    assert len(pdf_font.font_path().read_bytes()) == len(face)
