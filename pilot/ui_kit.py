"""The catalogue of the UI kit: what each component is called, which file it is, and the line that puts it on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """A section of ``/_ui/``: its names in both languages, the files of ``templates/components/``, how to use it."""

    anchor: str
    zh: str
    en: str
    files: Sequence[str]
    code: Sequence[str] = field(default=())


PARTS: Final[Sequence[Part]] = (
    Part(
        "shell",
        "页面外壳",
        "Shell of a page",
        (
            *("masthead", "actor_menu", "display_switches", "banner", "menu", "breadcrumbs", "footer"),
            *("session_dialog", "help_dialog", "help_mark", "phrase_dialog", "outage"),
        ),
        ('{% extends "base.html" %}', '{% extends "components/outage.html" %}'),
    ),
    Part(
        "head",
        "页头",
        "Page header",
        ("page_head", "place", "print_button", "unmask_offer"),
        (
            "{% page_head page.title state=page.state number=page.number tools=True %}",
            "{% page_head page.title due=page.due due_mark=page.due_mark place=page.place keys=True %}",
        ),
    ),
    Part("tags", "状态标签", "Status tag", (), ("{% status_tag page.state %}",)),
    Part("buttons", "按钮", "Buttons", (), ('<button type="submit" class="btn btn-primary">',)),
    Part("acts", "办理与原因", "Acts and reasons", ("actions",), ("{% actions page.actions %}",)),
    Part(
        "tasks",
        "任务列表",
        "Task list",
        ("task_list",),
        ('{% include "components/task_list.html" with rows=page.rows %}',),
    ),
    Part(
        "todo",
        "待办事项",
        "To-do list",
        ("todo",),
        ('{% include "components/todo.html" with items=page.todo %}',),
    ),
    Part(
        "facts",
        "描述列表",
        "Description list",
        ("facts", "facts_line"),
        ("{% facts page.facts %}", '{% include "components/facts_line.html" with facts=page.facts %}'),
    ),
    Part(
        "links",
        "链接列表",
        "Link list",
        ("link_list",),
        ('{% include "components/link_list.html" with links=page.links %}',),
    ),
    Part(
        "contents",
        "本页内容",
        "Contents of a long page",
        ("contents",),
        ('{% include "components/contents.html" with links=page.contents %}',),
    ),
    Part(
        "section",
        "内容卡片",
        "Section",
        ("section", "section_body"),
        ('{% include "components/section.html" with section=page.preview %}',),
    ),
    Part(
        "lists",
        "列表：筛选、视图、工具、批量、表格、分页",
        "List: filter bar, view bar, toolbar, batch bar, table, pagination",
        ("filter_bar", "view_bar", "toolbar", "batch_bar", "table", "pagination"),
        (
            "{% filter_bar page %}",
            '{% include "components/toolbar.html" %}',
            '{% include "components/batch_bar.html" with batch=page.batch %}',
            '{% include "components/table.html" with columns=page.columns rows=page.rows caption=page.title %}',
            "{% pagination page %}",
        ),
    ),
    Part(
        "empty",
        "空状态",
        "Empty state",
        ("empty",),
        ('{% include "components/empty.html" with title=… hint=… %}',),
    ),
    Part(
        "units",
        "单位准确率表",
        "Accuracy of units",
        ("units",),
        ('{% include "components/units.html" with units=page.units heads=page.met_heads %}',),
    ),
    Part("tiles", "指标卡", "Stat tile", ("tile",), ('{% include "components/tile.html" with tile=… %}',)),
    Part(
        "provinces",
        "省份方格图",
        "Province tile grid",
        ("province_grid",),
        ('{% include "components/province_grid.html" with provinces=page.provinces %}',),
    ),
    Part(
        "drawings",
        "流程图与统计图",
        "Diagram and chart",
        ("drawing",),
        ('{% include "components/drawing.html" with drawing=page.diagram title=… %}',),
    ),
    Part(
        "steps",
        "步骤条",
        "Step bar",
        ("step_bar",),
        ('{% include "components/step_bar.html" with steps=page.steps %}',),
    ),
    Part("timeline", "时间线", "Timeline", ("timeline",), ("{% timeline page.timeline %}",)),
    Part(
        "documents",
        "文书",
        "Documents",
        ("documents",),
        ('{% include "components/documents.html" with documents=page.documents %}',),
    ),
    Part(
        "viewers",
        "材料查看器",
        "Document viewer",
        ("viewer",),
        ('{% include "components/viewer.html" with viewer=page.viewer %}',),
    ),
    Part(
        "forms",
        "表单、字段与错误汇总",
        "Form, fields and error summary",
        ("error_summary", "field", "form", "act_form"),
        (
            "{% error_summary page.form %}",
            "{% field bound_field %}",
            '{% include "components/act_form.html" %}',
        ),
    ),
    Part(
        "upload",
        "上传",
        "Upload",
        ("upload", "file_face"),
        ('{% include "components/upload.html" %}', '{% include "components/file_face.html" %}'),
    ),
    Part(
        "notices",
        "提示与消息",
        "Notice and toast",
        ("notice", "messages", "kept"),
        ('{% include "components/notice.html" with tone="success" text=… %}',),
    ),
    Part(
        "strips",
        "时限提醒与倒计时",
        "Bell and countdown",
        ("bell", "countdown", "window_face"),
        ('{% include "components/bell.html" with bell=page.bell %}',),
    ),
    Part("dialogs", "对话框", "Dialog", ("keys_dialog",), ('{% keys_dialog "review" %}',)),
    Part("masked", "遮盖的个人信息", "Masked data", ("unmask",), ('{% include "components/unmask.html" %}',)),
    Part("tour", "入门导览", "Tour", ("tour_strip",), ('{% include "components/tour_strip.html" %}',)),
    Part(
        "examples",
        "代码示例",
        "Code example",
        ("api_example",),
        ('{% include "components/api_example.html" with example=… %}',),
    ),
    Part("problems", "问题页", "Problem page", ("problem",), ('{% problem "404" %}',)),
    Part("print", "打印版式", "Print layout", (), ('<section class="card-box no-print">',)),
)

SHOWN_AROUND: Final = frozenset(PARTS[0].files)
"""Components that stand around a page: once on every page, or alone when the portal is down."""

TOKENS: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("ink", ("ink", "ink-soft", "ink-faint")),
    ("ground", ("ground", "surface", "surface-soft", "line-soft", "line", "line-strong")),
    ("accent", ("accent", "accent-deep", "accent-line", "accent-soft", "visited", "focus")),
    ("neutral", ("neutral", "neutral-soft")),
    ("success", ("success", "success-line", "success-soft")),
    ("warning", ("warning", "warning-line", "warning-soft")),
    ("danger", ("danger", "danger-line", "danger-soft")),
)
"""Groups of colours in ``tokens.css``; each name has a class ``swatch-…`` on the page."""
SPACES: Final = (2, 4, 6, 8, 12, 16, 24, 32, 48)
TEXTS: Final = ("tiny", "small", "body", "lead", "title", "figure")
