"""Thirty-odd filled-in forms of varied kinds: how each is made, and what must come of it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pikepdf import Name, Pdf, String

from tests.applications.prefill import filling
from tests.applications.prefill.filling import TRUTH, pdf, rows, utf16, workbook
from tests.factories import world

GARBLED: Final = "文字编码不正确（乱码）"
MOVED: Final = "项目名称与所在行不符，可能已移动"
FAR: Final = "工作表超出表格的范围，请使用下载的表格填写"
NO_FIELDS: Final = "没有可读取的表单域，请下载可填写的 PDF 或 XLSX"
NOT_TEXT: Final = "单元格不是文本，可能丢失前导零或写法，请改为文本"
OTHER_COMPANY: Final = "该表格填写的统一社会信用代码是其他单位的，未读入任何内容"
OTHERS_CODE: Final = world.uscc(999, 31)
OTHER_PROGRAMME: Final = "该表格属于另一个试点项目，请下载本项目的表格填写"


@dataclass(frozen=True)
class Case:
    """A file, what its author means where that is not ``TRUTH``, and what cannot be read, with the reason."""

    make: Callable[[bytes], bytes]
    suffix: str = "xlsx"
    meant: Mapping[str, Any] = field(default_factory=dict)  # None: left blank
    unread: Mapping[str, str] = field(default_factory=dict)
    contradicting: tuple[str, ...] = ()
    refused: str = ""


def _without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in TRUTH.items() if key not in keys}


def _pdf(**options: Any) -> Callable[[bytes], bytes]:
    return lambda blank: pdf(blank, **options)


def _book(lines: Any = None, **options: Any) -> Callable[[bytes], bytes]:
    return lambda blank: workbook(rows() if lines is None else lines, **options)


def _rewritten(change: Callable[[str, bytes], tuple[str, bytes]]) -> Callable[[bytes], bytes]:
    """A filled-in workbook with other names and contents of its parts."""

    def make(blank: bytes) -> bytes:
        out = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(_book()(blank))) as book,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed,
        ):
            for name in book.namelist():
                changed.writestr(*change(name, book.read(name)))
        return out.getvalue()

    return make


def _without_places(name: str, part: bytes) -> tuple[str, bytes]:
    return name, re.sub(rb'(<(?:row|c)) r="[A-Z]*\d+"', rb"\1", part) if "/worksheets/" in name else part


def _far_in_another_part(name: str, part: bytes) -> tuple[str, bytes]:
    if "/worksheets/" in name:
        return name.replace(".xml", ".dat"), part.replace(b'r="A1"', b'r="XFD1048576"', 1)
    return name, part.replace(b"sheet1.xml", b"sheet1.dat")


def _long_text(name: str, part: bytes) -> tuple[str, bytes]:
    text = b"<t>" + b"x" * 2**20
    return name, part.replace(b"<t>", text, 1) if name.endswith("sharedStrings.xml") else part


def _set(name: str, text: bytes) -> Callable[[Pdf], None]:
    def change(file: Pdf) -> None:
        filling.field_of(file, name).V = String(text)

    return change


def _untick_behind(file: Pdf) -> None:
    filling.field_of(file, "collection_methods-face").AS = Name.Off


def _two_radios(file: Pdf) -> None:
    for button in filling.field_of(file, "protection_level").Kids:
        button.AS = Name(next(name for name in button.AP.N if name != "/Off"))


def _language(text: str) -> bytes:
    return utf16(f"\x1bzhCN\x1b{text}")


def _gbk(text: str) -> bytes:
    return text.encode("gb18030")


def _pdfdoc_or_utf16(text: str) -> bytes:
    try:
        return text.encode("pdfdoc")
    except UnicodeError:
        return utf16(text)


def _noted(lines: Any) -> list[Any]:
    return [(f" {number}. {label} *： ", value, key) for number, (label, value, key) in enumerate(lines, 1)]


def _swapped(one: str, other: str) -> list[Any]:
    """Two labels changed places; values and keys stayed."""
    found = {key: (label, value, key) for label, value, key in rows()}
    found[one], found[other] = (
        (found[other][0], *found[one][1:]),
        (found[one][0], *found[other][1:]),
    )
    return list(found.values())


CHINESE: Final = [key for key, text in filling.texts(TRUTH).items() if not text.isascii()]
PDFS: Final = {
    "pypdf": Case(filling.by_pypdf, "pdf"),
    "UTF-16BE": Case(_pdf(), "pdf"),
    "UTF-16LE": Case(_pdf(encode=lambda text: b"\xff\xfe" + text.encode("utf-16-le")), "pdf"),
    "UTF-8": Case(_pdf(encode=lambda text: b"\xef\xbb\xbf" + text.encode()), "pdf"),
    "PDFDocEncoding": Case(
        lambda blank: pdf(blank, {**TRUTH, "product": "Café 2.0"}, encode=_pdfdoc_or_utf16),
        "pdf",
        meant={"product": "Café 2.0"},
    ),
    "GBK without a mark": Case(_pdf(encode=_gbk), "pdf", unread=dict.fromkeys(CHINESE, GARBLED)),
    "language marked": Case(_pdf(encode=_language), "pdf"),
    "nested names": Case(_pdf(change=filling.nest), "pdf"),
    "fields on pages only": Case(_pdf(change=filling.loosen), "pdf"),
    "long text in a stream": Case(_pdf(change=filling.long_text_as_stream), "pdf"),
    "buttons shown only": Case(_pdf(buttons=filling.press_shown_only), "pdf"),
    "buttons by value only": Case(_pdf(buttons=filling.press_value_only), "pdf"),
    "buttons with strings": Case(_pdf(buttons=filling.press_with_strings), "pdf"),
    "radio buttons numbered": Case(_pdf(buttons=filling.press_numbered), "pdf"),
    "value and look of a box differ": Case(
        _pdf(change=_untick_behind), "pdf", unread={"collection_methods": "勾选标记与所存的值不一致"}
    ),
    "two radio buttons on": Case(
        _pdf(change=_two_radios), "pdf", unread={"protection_level": "勾选标记与所存的值不一致"}
    ),
    "half filled in": Case(
        lambda blank: pdf(blank, _without("emergency_plan", "provinces", "crypto_assessment")),
        "pdf",
        meant={"emergency_plan": None, "provinces": None, "crypto_assessment": None},
    ),
    "other name of the unit": Case(
        _pdf(change=_set("unit_name", utf16("示例别家有限公司"))), "pdf", contradicting=("unit_name",)
    ),
    "other company": Case(_pdf(change=_set("uscc", OTHERS_CODE.encode())), "pdf", refused=OTHER_COMPANY),
    "other programme": Case(_pdf(change=_set("_form", b"2030-1/0")), "pdf", refused=OTHER_PROGRAMME),
    "flattened": Case(_pdf(change=filling.flatten), "pdf", refused=NO_FIELDS),
}
WORKBOOKS: Final = {
    "as downloaded": Case(_book()),
    "dates in many hands": Case(
        _book(
            rows(
                licence_issued_on="2018年5月20日",
                licence_expires_on="２０２３．０５．１９",
                planned_start="二〇一九年五月十六日",
            )
        )
    ),
    "dates in other hands": Case(
        _book(rows(licence_issued_on="2018/5/20", licence_expires_on="20230519", planned_start="19-5-16")),
        unread={"planned_start": "日期写法无法确定，请写成 2019-05-16"},
    ),
    "cells of other types": Case(
        _book(
            rows(
                licence_issued_on=date(2018, 5, 20),
                licence_expires_on=45065,
                planned_start="43601",
                filed_subjects=12000,
                contact_mobile=13900000002,
                emergency_phone=2000000010,
                protection_level=3,
                test_report_number=20190001,
                provinces=44,
            )
        ),
        meant={"provinces": ["44"], "test_report_number": "020190001"},
        unread={
            "emergency_phone": "单元格不是文本，可能丢失前导零或写法，请改为文本",
            "test_report_number": NOT_TEXT,
        },
    ),
    "days counted from 1904": Case(
        _book(
            rows(licence_issued_on=date(2018, 5, 20), planned_start=43601 - 1462),
            book_options={"date_1904": True},
        )
    ),
    "numbers in many hands": Case(
        _book(
            rows(
                filed_subjects="12,000",
                filed_websites="１５，０００ 个",
                daily_capacity="5000件/日",
                storage_days="180 天",
            )
        )
    ),
    "numbers that may be others": Case(
        _book(
            rows(
                filed_subjects="约12000", filed_websites="1.5万", daily_capacity="5.000", storage_days="6个月"
            )
        ),
        unread=dict.fromkeys(("filed_subjects", "daily_capacity", "storage_days"), "不是可以确定的整数"),
    ),
    "telephones in many hands": Case(
        _book(
            rows(
                principal_mobile="+86 139-0000-0001",
                contact_mobile="１３９ ００００ ０００２",
                technical_mobile="13900000003 / 13900000004",
                emergency_phone="（020）0000 0010",
            )
        ),
        unread={"technical_mobile": "不是一个11位手机号码"},
    ),
    "choices by code and short name": Case(
        _book(
            rows(
                enterprise_nature="PRIVATE",
                licence_categories="IDC；B14",
                licence_coverage="全国",
                protection_level="三级",
                provinces="广东/广西",
                compared_fields="name, cert_type\ncert_no",
                channels="APP",
            )
        )
    ),
    "choices ticked in the cell": Case(
        _book(
            rows(
                enterprise_nature="□国有控股 ☑民营 □外商投资 □其他",
                collection_methods="√人脸识别 □唇语识别 √动作识别 □其他",
                compared_fields="名称或姓名：是；证件类型：是；证件号码：是；证件有效期：否",
                licence_coverage="全国（跨地区）√ 本省□",
                interface_readiness="已完成对接测试，正在对接测试",
            )
        ),
        unread={"interface_readiness": "只能选一项，却选了多项"},
    ),
    "choices nobody offers": Case(
        _book(rows(enterprise_nature="合资", provinces="全国", licence_categories="B11、B99")),
        unread=dict.fromkeys(
            ("enterprise_nature", "provinces", "licence_categories"), "不是选项中的任何一项"
        ),
    ),
    "labels decorated, no keys": Case(_book(_noted(rows()), keys=False)),
    "rows in another order": Case(_book(sorted(rows(), key=lambda row: row[0]))),
    "two labels changed places": Case(
        _book(_swapped("contact_name", "technical_name")),
        unread=dict.fromkeys(("contact_name", "technical_name"), MOVED),
    ),
    "a label reworded": Case(
        _book(
            [("备用电话" if key == "contact_mobile" else label, value, key) for label, value, key in rows()]
        ),
        unread={"contact_mobile": "项目名称已改动，无法确定填写的是哪一项"},
    ),
    "labels over two columns, no heading": Case(_book(merged=True, heading=False, keys=False)),
    "sheets before the form": Case(_book(sheets_before=("说明", "样例"))),
    "rows missing": Case(
        _book(rows(_without("deletion", "channels"))), meant={"deletion": None, "channels": None}
    ),
    "a field twice": Case(
        _book([*rows(), ("法定代表人", "示例戊", "legal_representative")]),
        unread={"legal_representative": "文件中有两处，内容不一致"},
    ),
    "a field twice, once blank": Case(_book([*rows(), ("法定代表人", "  ", "legal_representative")])),
    "characters lost": Case(
        _book(
            rows(
                legal_representative="示例\ue863",
                registered_address="ÊµÀýÂ·1ºÅ",
                postal_address="??????1?",
                storage_place="绀轰緥鏈烘埧",
                deletion="/",
            )
        ),
        unread={
            "legal_representative": "含有无法识别的字符",
            "registered_address": GARBLED,
            "postal_address": GARBLED,
            "storage_place": GARBLED,
            "deletion": "只有符号，无法确定是否填写",
        },
    ),
    "spaces and lines around": Case(
        _book(
            rows(
                legal_representative="\u3000示例甲 ",
                licence_number=" ｂ１-20180123号 ",
                principal_email="ｐｉｌｏｔ＠example.cn",
            )
        ),
        meant={"licence_number": "B1-20180123号"},
    ),
    "unreadable kinds": Case(
        _book(
            rows(
                licence_number="见附件",
                principal_email="pilot@@example",
                licence_expires_on="长期",
                emergency_plan="x" * 4001,
            )
        ),
        meant={"licence_expires_on": None, "emergency_plan": "x" * 4001},
        unread={
            "licence_number": "不是许可证编号的写法",
            "principal_email": "不是一个邮箱地址",
            "licence_expires_on": "日期写法无法确定，请写成 2019-05-16",
            "emergency_plan": "超过 4000 字",
        },
    ),
    "another company": Case(
        _book([*rows(), ("统一社会信用代码", OTHERS_CODE, "uscc")]), refused=OTHER_COMPANY
    ),
    "another programme": Case(_book(marker="2030-1/0"), refused=OTHER_PROGRAMME),
    "a code with a digit lost": Case(
        _book([*rows(), ("统一社会信用代码", "9144000000000001", "uscc")]), contradicting=("uscc",)
    ),
    "no row of the form": Case(_book([("姓名", "示例甲", "name")]), refused=NO_FIELDS),
    "cells without places": Case(_rewritten(_without_places), refused=FAR),
    "a cell far away in a part of another name": Case(_rewritten(_far_in_another_part), refused=FAR),
    "one long text for all cells": Case(_rewritten(_long_text), refused="XLSX 文件解压后过大"),
    "a cell far away": Case(_book([*rows(), *[("", "", "")] * 2_500]), refused=FAR),
}
CASES: Final = {
    **{f"PDF: {name}": case for name, case in PDFS.items()},
    **{f"XLSX: {name}": case for name, case in WORKBOOKS.items()},
}
