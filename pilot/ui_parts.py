"""Sample data of single components (示例), for the sections of the UI kit that no sample page has."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pilot.ui import Link, Place, Tag, Tile
from pilot.ui_guide import Countdown, WindowFace
from pilot.ui_samples import AS_OF, DIAGRAM, sample_url


def head() -> dict[str, Any]:
    """A page header with all it can have."""
    return {
        "title": "示例云服务有限公司的试点申请",
        "state": Tag("已受理", "neutral"),
        "number": "SQ-2019-0012",
        "links": [Link("查看表格", sample_url("list"), "table")],
        "as_of": AS_OF,
        "due": AS_OF + timedelta(days=1),
        "due_mark": Tag("还有 1 天", "warning"),
        "place": Place("第 2 / 60 件", sample_url("list"), sample_url("detail"), sample_url("detail")),
    }


def tasks() -> list[SimpleNamespace]:
    """A task list: done, begun, to be mended, not begun, locked."""
    url = sample_url("act")
    return [
        SimpleNamespace(title="单位基本情况", url=url, status="已完成", hint=""),
        SimpleNamespace(title="采集方式", url=url, status=Tag("填写中", "info"), hint="已填 3 项，共 5 项"),
        SimpleNamespace(
            title="技术方案", url=url, status=Tag("需补正", "warning"), hint="请说明与权威库比对的方式。"
        ),
        SimpleNamespace(title="申请材料", url=url, status=Tag("未开始", "muted"), hint=""),
        SimpleNamespace(
            title="声明并提交", url="", status=Tag("不能填写", "muted"), hint="完成以上各项后可以提交。"
        ),
    ]


def steps() -> list[SimpleNamespace]:
    """A step bar in the middle of its way."""
    return [
        SimpleNamespace(label="提交", status="done", note="2019-04-08"),
        SimpleNamespace(label="受理", status="done", note="2019-04-10"),
        SimpleNamespace(label="审核", status="current", note="示例省通信管理局"),
        SimpleNamespace(label="评估", status="ahead", note=""),
        SimpleNamespace(label="公布", status="ahead", note=""),
    ]


def stopped_steps() -> list[SimpleNamespace]:
    """A step bar that ended before its end."""
    return [
        SimpleNamespace(label="提交", status="done", note="2019-04-08"),
        SimpleNamespace(label="不予受理", status="stopped", note="2019-04-10"),
        SimpleNamespace(label="审核", status="ahead", note=""),
    ]


def tiles() -> list[Tile]:
    """One tile of every tone, with and without link and hint."""
    return [
        Tile("试点单位", "42", sample_url("list"), "其中暂停 1 家"),
        Tile("M1 达线单位", "41 / 42", sample_url("list"), "达标线 99.95%", "success"),
        Tile("即将逾期", "3", sample_url("list"), "3 个工作日内", "warning"),
        Tile("已逾期", "1", sample_url("list"), "", "danger"),
        Tile("累计核验单", "1,832,040", hint="无链接的指标"),
    ]


def viewer() -> SimpleNamespace:
    """The viewer with a sheet of a workbook and a hit of its search."""
    here = sample_url("detail")
    return SimpleNamespace(
        files=[
            SimpleNamespace(pk=1, label="申请表", name="申请表.xlsx", url=here, current=True),
            SimpleNamespace(pk=2, label="业务许可证", name="业务许可证.pdf", url=here, current=False),
            SimpleNamespace(pk=3, label="技术方案", name="技术方案.pdf", url=here, current=False),
        ],
        file=SimpleNamespace(pk=1),
        name="申请表.xlsx",
        page=1,
        pages=3,
        zoom="fit",
        image="",
        sheet=SimpleNamespace(
            rows=[
                ["单位名称", "示例云服务有限公司"],
                ["统一社会信用代码", "91110000600037341L"],
                ["业务种类", "互联网数据中心业务、互联网接入服务业务"],
            ]
        ),
        sheet_note="工作表“申请表”的内容，格式以原件为准。",
        download=here,
        scan="已检查，未发现病毒",
        previous="",
        following=here,
        zooms=[],
        turned="",
        find="示例",
        hits=[SimpleNamespace(label="第 1 页", url=here, current=True)],
        hits_words="",
        kept=[],
    )


def uploads() -> list[SimpleNamespace]:
    """A file half way, one that was cut off, and one that was refused."""
    return [
        SimpleNamespace(name="示例核验单.csv", size="18.2 MB", part=0.6, state="已传 60%", tone=""),
        SimpleNamespace(
            name="技术方案.pdf", size="3.1 MB", part=0.3, state="网络中断，已传部分已保存", tone="warning"
        ),
        SimpleNamespace(name="扫描件.tif", size="41 MB", part=0, state="文件超过大小上限", tone="danger"),
    ]


def bells() -> list[SimpleNamespace]:
    """The bell of an application far from its end, near it, and over."""
    return [
        SimpleNamespace(
            text="申请截止时间：2019-04-16 00:00",
            tone="info",
            countdown=Countdown("距截止还有", 12 * 86_400_000),
        ),
        SimpleNamespace(text="距申请截止不足 24 小时，请尽快提交。", tone="warning", countdown=None),
        SimpleNamespace(text="申请已截止，草稿不能再提交。", tone="danger", countdown=None),
    ]


def window() -> WindowFace:
    """The window in which applications are taken, before it opens."""
    opens = AS_OF + timedelta(days=3)
    return WindowFace("申请阶段", opens, opens + timedelta(days=15), "before", "尚未开始，可以先准备材料。")


def masked() -> SimpleNamespace:
    """A page on which telephone numbers show in full."""
    return SimpleNamespace(
        shown="手机号码",
        error="",
        offers=[("phone", "手机号码"), ("cert", "证件号码")],
        reasons=[("review", "核对申请材料")],
        reason="",
    )


def tour() -> SimpleNamespace:
    """The second step of a tour."""
    url = reverse("ui_kit")
    return SimpleNamespace(number=2, total=6, say="从这里打开待受理的申请。", back=url, on=url)


def example() -> SimpleNamespace:
    """A program of one line."""
    return SimpleNamespace(
        language="Python",
        name="send.py",
        anchor="example-send-py",
        text='import urllib.request\n\nprint(urllib.request.urlopen("https://portal.example/api/v1/forms/").status)\n',
    )


def notices() -> list[tuple[str, str]]:
    """One notice of every tone: what happened, in words."""
    return [
        ("info", "本页每 2 秒自动更新。"),
        ("success", "已办理：受理"),
        ("warning", "申请已由他人认领，您可以查看，不能办理。"),
        ("error", "文件没有上传：超过大小上限。"),
    ]


def samples() -> dict[str, Any]:
    """Everything of this module, by the names the templates use."""
    return {
        "head": head(),
        "tasks": tasks(),
        "steps": steps(),
        "stopped": stopped_steps(),
        "tiles": tiles(),
        "viewer": viewer(),
        "uploads": uploads(),
        "bells": bells(),
        "window": window(),
        "masked": masked(),
        "tour": tour(),
        "example": example(),
        "notices": notices(),
        "drawing": DIAGRAM,
        "drawing_title": _("流程图"),
    }
