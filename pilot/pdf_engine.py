"""WeasyPrint behind ``pilot.pdf``: fonts loaded once per process, and nothing else readable."""

import ssl
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pydyf
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from isal import isal_zlib
from pylopdf_fonts_zh_cn import sans_path, serif_path
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from pilot.pdf_font import FAMILY, font_path
from pilot.pdf_forms import mended

# Family in our style sheets → what the file names of that face contain. Order matters: 仿宋体 contains 宋体.
AGENCY_FACES: dict[str, tuple[str, ...]] = {
    "Pilot FangSong": ("仿宋", "fangsong", "simfang"),
    "Pilot XiaoBiaoSong": ("小标宋", "xiaobiaosong", "fzxbs"),
    "Pilot HeiTi": ("黑体", "heiti", "simhei"),
    "Pilot KaiTi": ("楷体", "kaiti", "simkai"),
    "Pilot Song": ("宋体", "songti", "simsun"),
}
# A compressed web font is unpacked anew for every document, which takes a minute.
FONT_SUFFIXES = {".ttf", ".otf", ".ttc"}
SVG_TAG = "{http://www.w3.org/2000/svg}svg"
CHART_FACES = "Pilot HeiTi, Pilot Sans"


class ResourceRefused(RuntimeError):
    """A document asked for a file or an address. None may: whatever it shows stands in its template or context."""


class AllowedFiles(URLFetcher):  # WeasyPrint ships no types
    """Reads exactly the given files and refuses every other address, whatever its scheme.

    WeasyPrint goes on without what it could not fetch; ``refused`` remembers it, so that the caller can stop.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        # It speaks to no server, so it need not read the authorities that vouch for servers, which takes 5 ms.
        super().__init__(
            allowed_protocols=("file",),
            allow_redirects=False,
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        self._urls = frozenset(path.as_uri() for path in paths)
        self.refused: list[str] = []

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in self._urls:
            self.refused.append(url)
            raise ResourceRefused(url)
        return super().fetch(url, headers)


class Engine:
    """Sets documents with one set of fonts. Not safe for threads: the caller holds a lock."""

    def __init__(self) -> None:
        faces = dict(_faces())
        self._fonts = FontConfiguration()
        self._font_sheet = CSS(
            string="\n".join(_font_face(family, path) for family, path in faces.items()),
            font_config=self._fonts,
            url_fetcher=AllowedFiles(faces.values()),
        )

    @cached_property
    def _form_sheet(self) -> CSS:
        """The face of what is typed into fillable forms; made with the first of them."""
        path = font_path()
        return CSS(string=_font_face(FAMILY, path), font_config=self._fonts, url_fetcher=AllowedFiles([path]))

    def write(self, html: str) -> bytes:
        """The PDF of ``html``, to be kept for decades (PDF/A-2a: tagged, fonts embedded, colours defined).

        Raises ResourceRefused.
        """
        return self._write(html, [self._font_sheet], pdf_forms=False, pdf_variant="pdf/a-2a")

    def write_form(self, html: str) -> bytes:
        """A tagged PDF with fields to fill in; filling makes it over, so it is no archive copy."""
        return mended(self._write(html, [self._font_sheet, self._form_sheet], pdf_forms=True))

    def _write(
        self, html: str, sheets: list[CSS], *, pdf_forms: bool, pdf_variant: str | None = None
    ) -> bytes:
        fetcher = AllowedFiles()
        page = HTML(string=html, url_fetcher=fetcher)
        # A drawing does not inherit the style of the page around it.
        for drawing in page.etree_element.iter(SVG_TAG):
            drawing.attrib.setdefault("font-family", CHART_FACES)
        document: bytes = page.write_pdf(
            stylesheets=sheets,
            font_config=self._fonts,
            pdf_tags=True,
            pdf_forms=pdf_forms,
            pdf_variant=pdf_variant,
            finisher=_pack,
        )
        if fetcher.refused:
            raise ResourceRefused("; ".join(fetcher.refused))
        return document


def _pack(_document: Any, pdf: pydyf.PDF) -> None:
    """Compress what is one piece of bytes, above all the fonts, once.

    pydyf does it twice with its slowest setting, for the file and for the identifier in it: half of the time that a
    letter took.
    """
    for part in pdf.objects:
        match part:
            case pydyf.Stream(compress=True, stream=[bytes(content)]):
                part.stream = [isal_zlib.compress(content)]
                part.extra["Filter"] = "/FlateDecode"
                part.compress = False


def _faces() -> Iterator[tuple[str, Path]]:
    """Our own two faces, then the agency's licensed ones from the folder ``PILOT_FONTS``."""
    yield "Pilot Sans", sans_path()
    yield "Pilot Serif", serif_path()
    if not settings.PILOT_FONTS:
        return
    folder = Path(settings.PILOT_FONTS).resolve()
    if not folder.is_dir():
        raise ImproperlyConfigured(f"PILOT_FONTS names no folder: {settings.PILOT_FONTS}")
    for path in sorted(folder.iterdir(), reverse=True):
        if path.suffix.lower() in FONT_SUFFIXES and (family := _family(path.stem)):
            yield family, path


def _family(stem: str) -> str | None:
    name = stem.lower()
    return next(
        (family for family, words in AGENCY_FACES.items() if any(word in name for word in words)),
        None,
    )


def _font_face(family: str, path: Path) -> str:
    return f'@font-face {{ font-family: "{family}"; src: url("{path.as_uri()}") }}'
