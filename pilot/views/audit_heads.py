"""The signed heads of the audit log, for everyone to keep: a page, JSON, plain text, and the script that verifies."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pilot import policy
from pilot.actors import Actor
from pilot.downloads import as_download
from pilot.models import AuditHead
from pilot.services import audit_heads
from pilot.ui import Checksum, Column, Fact, Link, PlainPage, Row, Section

SHOWN: Final = 30
SCRIPT: Final = settings.BASE_DIR / "docs" / "verify_audit.py"


@require_safe
def heads(request: Any) -> HttpResponse:
    """The latest heads and how to keep and use them."""
    newest = AuditHead.objects.order_by("-size")[:SHOWN]
    page = PlainPage(
        title=_("存证树根"),
        crumbs=_crumbs(request.actor),
        intro=_(
            "每个树根概括签名前的全部审计记录，不含任何个人信息。请定期保存本页文件：以后用它可以查出任何改动、删除、插入和调换，"
            "即使改动者掌握整个数据库。"
        ),
        sections=[
            Section(
                _("最近的树根"),
                columns=[
                    Column("at", _("签名时间")),
                    Column("size", _("记录数"), "end"),
                    Column("root", _("树根（SHA-256）")),
                ],
                rows=[Row("", [head.at, head.size, Checksum(head.root)]) for head in newest],
                empty=_("尚无树根，首个树根在首次每日签名时产生"),
            ),
            Section(
                _("核验方法"),
                facts=[
                    Fact(_("签名公钥（Ed25519）"), audit_heads.public_key()),
                    Fact(
                        _("核验命令"),
                        "python3 verify_audit.py LOG.ndjson.gz --heads heads.txt --key PUBLIC_KEY",
                    ),
                ],
                note=_("核验程序只需要 Python 3.9 或更高版本，不连接任何网络。"),
            ),
        ],
        toolbar=[
            Link(_("下载树根（JSON）"), reverse("audit_heads_json"), "braces"),
            Link(_("下载树根（文本）"), reverse("audit_heads_text"), "file-text"),
            Link(_("下载核验程序"), reverse("audit_verifier"), "file-code"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


def _crumbs(actor: Actor | None) -> list[Link]:
    crumbs = [Link(_("首页"), reverse("home"))]
    if actor and policy.may_open("audit_list", actor.role):
        crumbs.append(Link(_("审计日志"), reverse("audit_list")))
    return crumbs


@require_safe
def heads_json(request: HttpRequest) -> HttpResponse:
    """All heads, oldest first, the key that signs now, and which key said that it follows."""
    return JsonResponse(
        {
            "format": "audit-heads-v1",
            "key": audit_heads.public_key(),
            "heads": [audit_heads.plain(head) for head in AuditHead.objects.all()],
            "handovers": audit_heads.handovers(),
        }
    )


@require_safe
def heads_text(request: HttpRequest) -> HttpResponse:
    """All heads, oldest first, one a line: size, root, digest of the last entry, time, key, signature."""
    text = "".join(f"{audit_heads.line(head)}\n" for head in AuditHead.objects.all())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The script that verifies an exported log (``docs/verify_audit.py``)."""
    response = HttpResponse(SCRIPT.read_bytes(), content_type="text/x-python; charset=utf-8")
    return as_download(response, "verify_audit.py")
