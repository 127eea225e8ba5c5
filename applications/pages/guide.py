"""What the guide before login says of applying: who may, with what, and the questions that come up."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.rules.completeness import REQUIRED_FILES
from applications.rules.materials import Material, materials_of
from applications.selectors.form_schema import form_of
from applications.validators.files import TYPE_NAMES
from applications.validators.limits import MAX_BYTES
from pilot.models import Programme
from pilot.registry import on_guide
from pilot.selectors import programmes
from pilot.ui import Column, Link, Row, Tag
from pilot.ui_guide import GuidePage


@on_guide
def contribute(page: GuidePage, programme: Programme) -> None:
    """Fill in the applicants, the materials and the questions."""
    _applicants(page)
    _materials(page, programme)
    questions = page.element("questions")
    questions.questions = _questions(programme)
    questions.links = [
        Link(_("回执查验"), reverse("receipt_check"), "badge-check"),
        Link(_("接口说明"), reverse("api_docs"), "book-open"),
    ]


def _applicants(page: GuidePage) -> None:
    page.element("applicants").text = [
        _("为互联网信息服务提供接入的网络接入服务提供者，以持有增值电信业务经营许可证的法人单位为申请单位。"),
        _(
            "分支机构不单独申请；未持许可证、转售他人接入服务的单位不能申请。"
            "每个单位（以统一社会信用代码为准）同时只能有一件在办申请。"
        ),
    ]


def _materials(page: GuidePage, programme: Programme) -> None:
    element = page.element("materials")
    element.text = [
        _(
            "申请表在线填写，共 %(sections)s 部分 %(fields)s 项，可以随时保存、换设备继续；"
            "也可以下载后填好上传，由平台读入。"
        )
        % {"sections": len(form_of(programme).sections), "fields": len(form_of(programme).fields)}
    ]
    element.columns = [
        Column("material", _("材料")),
        Column("required", _("是否必需")),
        Column("content", _("应当载明")),
        Column("sample", _("样例")),
    ]
    known = materials_of(programme.code).kinds
    element.rows = [_material(kind, known.get(kind)) for kind in FileKind]
    element.links = _blanks()
    element.note = _(
        "材料均为电子件，无需提交纸质件。每个文件不超过 %(limit)s MB，格式为 %(types)s；"
        "不接收加密、含脚本或宏的文件。"
    ) % {"limit": MAX_BYTES // 1024 // 1024, "types": _("、").join(TYPE_NAMES.values())}


def _material(kind: FileKind, material: Material | None) -> Row:
    """What it must show is the list its sample marks."""
    cells: list[Any] = [str(kind.label), _necessity(kind), None, None]
    if material:
        link = Link(_("查看样例"), reverse("material_sample", args=[kind.value]))
        cells[2:] = [_("；").join(map(str, material.musts)), link]
    return Row("", cells)


def _necessity(kind: FileKind) -> Tag:
    return Tag(_("必需"), "info") if kind in REQUIRED_FILES else Tag(_("如有"), "muted")


def _blanks() -> list[Link]:
    return [
        Link(_("空白申请表（可填写的 PDF）"), reverse("application_form_pdf"), "file-down"),
        Link(_("空白申请表（XLSX）"), reverse("application_form_xlsx"), "file-down"),
    ]


def _questions(programme: Programme) -> list[tuple[str, str]]:
    correction = programmes.rule(programme, "correction_days")
    return [
        (
            _("截止时刻正在上传文件或正在提交，怎么算？"),
            _(
                "以平台收到“确认并提交”请求的时刻为准，精确到毫秒，截止时刻本身不计入。"
                "此前已收到、仍在处理的请求按时提交；此刻尚未传完的文件不属于本次提交的材料。"
                "建议提前上传材料，核对后再提交。"
            ),
        ),
        (
            _("没有账号怎么办？"),
            _("在本页选择“申请账号”，由注册地通信管理局确认后开通。申请阶段内请尽早办理。"),
        ),
        (
            _("可以分几次填写吗？"),
            _("可以。填写内容自动保存，换一台设备登录后可以继续；截止前没有提交的草稿不算申请。"),
        ),
        (
            _("只有B2类许可证可以申请吗？"),
            _(
                "不可以。许可证编号应含B1，业务种类应至少含互联网数据中心（B11）、内容分发网络（B12）、"
                "互联网接入服务（B14）中的一种。"
            ),
        ),
        (
            _("提交后发现填错了怎么办？"),
            _("申请阶段内可以撤回后重新提出；也可以等通信管理局一次性告知补正，只修改告知所列的内容。"),
        ),
        (
            _("补正期限跨过了申请截止时间怎么办？"),
            _("不受影响。收到补正告知后 %(days)s 个工作日内都可以提交补正。") % {"days": correction},
        ),
        (
            _("怎样知道回执是真的？"),
            _("回执上有查验码和二维码，任何人都可以在“回执查验”页面查验，不需要登录。"),
        ),
    ]
