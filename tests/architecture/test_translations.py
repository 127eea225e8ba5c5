"""Chinese first, English complete: every word of the interface goes through gettext and has its English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import allauth
import polib
import pytest
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
APPS = ("pilot", "applications", "assessment", "filings")
CATALOGUE = ROOT / "pilot" / "locale" / "en" / "LC_MESSAGES" / "django.po"
OVERRIDES = ROOT / "pilot" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = [p for app in APPS for p in sorted((ROOT / app).rglob("*.py")) if "migrations" not in p.parts]
TEMPLATES = [p for p in sorted((ROOT / "templates").rglob("*")) if p.suffix in {".html", ".txt"}]

FUNCTIONS = {
    f"{prefix}gettext{suffix}" for prefix in ("", "n", "p", "np") for suffix in ("", "_lazy", "_noop")
} | {"_"}
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
FULL_WIDTH = re.compile(r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]")
IN_TEMPLATE = re.compile(r"""\b(n?p?gettext|_)\(((?:u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'),? ?)+)""")

NEVER_ENGLISH = ("工信部信管函〔2019〕87号", "粤B1.B2-20190001", "中文")
"""What an English text quotes in Chinese: the number of the notice, a sample of a licence, a language's name."""

NAMED_IN_ITSELF = re.compile(r'<button[^>]*lang="zh-CN"[^>]*>.*?</button>')
"""The switch to Chinese says so in Chinese, whatever the language of the page."""

CHINESE_ON_PURPOSE = {
    "applications/documents.py": "official papers",
    "applications/intake/xlsx_form.py": "words by which a filled-in form is recognised",
    "applications/rules/prefill.py": "ways to write values in a filled-in form",
    "applications/rules/prefill_choices.py": "ways to write choices in a filled-in form",
    "applications/rules/prefill_text.py": "ways to write values in a filled-in form",
    "applications/views/prefill.py": "file names of the forms, official papers",
    "applications/writers/form_pdf.py": "official papers",
    "applications/writers/form_xlsx.py": "official papers",
    "applications/selectors/receipts.py": "titles of official papers",
    "assessment/documents.py": "official papers",
    "assessment/services/lists.py": "reasons of decisions, quoted in letters",
    "assessment/spreadsheet.py": "official papers",
    "assessment/views/published_list.py": "head line of the published list as CSV",
    "filings/client.py": "console, in both languages",
    "filings/documents.py": "official papers",
    "filings/intake/fields.py": "pairs of Chinese and English words",
    "filings/intake/sections.py": "pairs of Chinese and English words",
    "filings/phrases.py": "standing phrases of letters",
    "filings/samples.py": "the mark of invented examples in templates",
    "filings/services/bulletin_papers.py": "official papers",
    "filings/services/inspection_report.py": "official papers",
    "filings/services/supervision.py": "facts of sanctions, quoted in letters",
    "pilot/services/objections.py": "what letters call the decisions objected to",
    "filings/periods.py": "periods as official papers write them",
    "filings/rules.py": "catalogue of rules, Chinese and English side by side",
    "filings/services/comparison.py": "facts of findings, stored and quoted in letters",
    "filings/services/retention.py": "what stands on record in place of text that was destroyed",
    "filings/services/national.py": "facts of findings, stored and quoted in letters",
    "filings/services/nightly.py": "alerts of the nightly job, stored",
    "filings/synthetic.py": "synthetic forms",
    "filings/validators/icp_numbers.py": "grammar of filing numbers",
    "filings/validators/regions.py": "names of the regions as filed",
    "applications/rules/licence.py": "grammar of licence numbers",
    "pilot/bootstrap.py": "console, before Django is there",
    "pilot/console.py": "console, in both languages",
    "pilot/keyring.py": "console, before translations are there",
    "pilot/masking.py": "the mark of what is invented, behind a name",
    "pilot/pdf.py": "dates of official papers",
    "pilot/pdf_engine.py": "names of typefaces",
    "pilot/problems.py": "pairs of Chinese and English words",
    "pilot/provinces.py": "abbreviations in document numbers",
    "pilot/services/backups.py": "console, in both languages",
    "pilot/services/restoring.py": "console, in both languages",
    "pilot/services/letters.py": "official papers",
    "pilot/services/programmes.py": "names of the authorities",
    "pilot/supervisor.py": "console, in both languages",
    "pilot/watermark.py": "words on official papers",
    "pilot/ui_kit.py": "pairs of Chinese and English words",
    "pilot/ui_parts.py": "invented data of the UI kit",
    "pilot/ui_samples.py": "invented data of the UI kit",
}
CHINESE_FOLDERS = (
    "pilot/benchmarks/",
    "pilot/demo/",
    "pilot/embedded/",
    "pilot/management/",
    "filings/management/",
)
"""Invented people and cases of the demonstration; messages for whoever runs the portal on a console."""

type Message = tuple[str | None, str]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _calls(path: Path) -> Iterator[tuple[str, list[ast.expr]]]:
    """The gettext calls of a module: function and its literal arguments."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if function in FUNCTIONS:
                yield function, [a for a in node.args if isinstance(a, ast.Constant)]


def _messages(function: str, texts: list[str]) -> list[Message]:
    """The catalogue's keys behind one call; a plural counts as a message of its own."""
    context = texts.pop(0) if "p" in function.partition("gettext")[0] else None
    return [(context, text) for text in texts]


def _of_code() -> set[Message]:
    return {
        message
        for path in SOURCES
        for function, arguments in _calls(path)
        if arguments
        for message in _messages(
            function, [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        )
    }


def _of_templates() -> set[Message]:
    found: set[Message] = set()
    for path in TEMPLATES:
        for function, literals in IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))):
            found |= set(_messages(function, list(ast.literal_eval(f"({literals.rstrip(', ')},)"))))
    return found


@cache
def _catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


@cache
def _english() -> dict[Message, str]:
    """Translations in force: neither fuzzy nor obsolete nor empty."""
    texts: dict[Message, str] = {}
    for entry in _catalogue():
        if entry.fuzzy or entry.obsolete:
            continue
        one, many = entry.msgstr_plural.get(0, entry.msgstr), entry.msgstr_plural.get(1, "")
        texts[entry.msgctxt, entry.msgid] = one
        if entry.msgid_plural:
            texts[entry.msgctxt, entry.msgid_plural] = many
    return {message: text for message, text in texts.items() if text}


def test_every_message_has_its_english() -> None:
    used = _of_code() | _of_templates()
    assert len(used) > 1_000  # the walk sees the code and the templates
    assert sorted(text for _context, text in used - _english().keys()) == []


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    used = _of_code() | _of_templates()
    assert sorted(text for _context, text in _english().keys() - used) == []


def _frozen(node: ast.AST, names: set[str]) -> Iterator[int]:
    """Lines that call one of ``names`` when the module is imported: their language would never change again."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
        yield node.lineno
    for child in ast.iter_child_nodes(node):
        yield from _frozen(child, names)


def _misused(path: Path) -> tuple[list[int], list[str]]:
    """Lines that translate when the module is imported, and calls whose text is no literal."""
    tree = _tree(path)
    eager = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in FUNCTIONS and not alias.name.endswith(("_lazy", "_noop"))
    }
    computed = [function for function, arguments in _calls(path) if not arguments]
    return list(_frozen(tree, eager)), computed


def test_gettext_is_called_with_literals_and_at_run_time() -> None:
    assert {_name(path): found for path in SOURCES if (found := _misused(path)) != ([], [])} == {}


def test_readers_are_addressed_in_one_form() -> None:
    assert [entry.msgid for entry in _catalogue() if "你" in entry.msgid] == []
    with translation.override("zh-hans"):
        rules = password_validators_help_texts()
    assert len(rules) == len(settings.AUTH_PASSWORD_VALIDATORS)
    assert [rule for rule in rules if "你" in rule] == []


def test_placeholders_are_equal_on_both_sides() -> None:
    differ = [
        chinese
        for (_context, chinese), english in _english().items()
        if sorted(PLACEHOLDER.findall(chinese)) != sorted(PLACEHOLDER.findall(english))
    ]
    assert differ == []


def test_english_is_written_without_chinese_characters() -> None:
    left = []
    for english in _english().values():
        text = english
        for quoted in NEVER_ENGLISH:
            text = text.replace(quoted, "")
        if FULL_WIDTH.search(text):
            left.append(english)
    assert left == []


@pytest.mark.parametrize("catalogue", [CATALOGUE, OVERRIDES], ids=["en", "zh_Hans"])
def test_the_compiled_catalogue_is_the_one_of_the_text(catalogue: Path) -> None:
    assert catalogue.with_suffix(".mo").read_bytes() == polib.pofile(str(catalogue)).to_binary()


def test_a_second_factor_has_one_name() -> None:
    """The library has four words for it; the portal's pages say 多因素认证, 动态口令, 恢复码, 账号, 安全密钥."""
    library = Path(allauth.__file__).parent / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    said = {}
    with translation.override("zh-hans"):
        for entry in polib.pofile(str(library)):
            if any(file.startswith(("mfa/", "templates/mfa/")) for file, _line in entry.occurrences):
                said[entry.msgid] = translation.gettext(entry.msgid)
    others = re.compile("双因素|两步|恢复代码|代码集|[^复]代码|帐户|账户|passkey", re.IGNORECASE)
    assert len(said) > 50
    assert {msgid: text for msgid, text in said.items() if msgid != text and others.search(text)} == {}


def test_the_catalogue_names_no_time_and_no_person() -> None:
    assert _catalogue().metadata == {
        "Project-Id-Version": "pilot administration portal",
        "Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }


def _documentation(tree: ast.Module) -> set[int]:
    """Strings that stand alone: docstrings of modules, classes, functions and constants."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _bare(path: Path) -> list[tuple[int, str]]:
    """Chinese literals of a module that no gettext call holds."""
    translated = {id(argument) for _function, arguments in _calls(path) for argument in arguments}
    known = translated | _documentation(_tree(path))
    return [
        (node.lineno, node.value)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in known
        and HAN.search(node.value)
    ]


SPEAKING = [
    p for p in SOURCES if _name(p) not in CHINESE_ON_PURPOSE and not _name(p).startswith(CHINESE_FOLDERS)
]


def test_no_chinese_outside_gettext() -> None:
    assert {_name(path): bare for path in SPEAKING if (bare := _bare(path))} == {}


def test_every_exception_is_still_needed() -> None:
    assert [name for name in CHINESE_ON_PURPOSE if not _bare(ROOT / name)] == []


def _bare_in_template(text: str) -> Iterator[tuple[int, str]]:
    """Chinese text outside ``translate``, ``blocktranslate``, ``_()`` and comments."""
    until = ""
    for token in Lexer(text).tokenize():
        if until:
            until = "" if token.contents == until else until
        elif token.token_type is TokenType.BLOCK and token.contents.split()[0] in {
            "blocktranslate",
            "comment",
        }:
            until = f"end{token.contents.split()[0]}"
        elif token.token_type is not TokenType.COMMENT:
            rest = re.sub(r"""_\(("[^"]*"|'[^']*')\)""", "", token.contents)
            if token.token_type is TokenType.BLOCK and rest.startswith("translate "):
                continue
            rest = NAMED_IN_ITSELF.sub("", rest)
            if HAN.search(rest):
                yield token.lineno, rest.strip()


PAGES = [p for p in TEMPLATES if "documents" not in p.parent.parts]


def test_no_bare_chinese_in_templates() -> None:
    bare = {_name(path): list(_bare_in_template(path.read_text(encoding="utf-8"))) for path in PAGES}
    assert {name: found for name, found in bare.items() if found} == {}
