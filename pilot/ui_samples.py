"""Sample pages of the UI kit: invented data (示例) for its living page and its tests."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pilot.charts import Bar, Mark, Series, bar_chart, line_chart, sparkline, tile_grid
from pilot.enums import Province
from pilot.svg import for_screens
from pilot.ui import (
    ActionItem,
    ActPage,
    BatchBar,
    Checksum,
    Column,
    Dashboard,
    DetailPage,
    DocumentItem,
    Empty,
    Fact,
    Link,
    ListPage,
    MenuItem,
    PlainPage,
    Row,
    Section,
    Tag,
    Tile,
    TimelineEntry,
    UnitFigure,
    ViewBar,
    ViewTab,
)
from pilot.ui_guide import Countdown, GuideElement, GuidePage, WindowFace

SHANGHAI = timezone(timedelta(hours=8))
AS_OF = datetime(2019, 7, 1, 9, 0, tzinfo=SHANGHAI)
STATES = (
    Tag("待受理", "info"),
    Tag("已受理", "neutral"),
    Tag("退回补正", "warning"),
    Tag("审核通过", "success"),
    Tag("不予受理", "danger"),
    Tag("已撤回", "muted"),
)
PLACES = ("北京市", "上海市", "江苏省", "浙江省", "广东省", "四川省", "内蒙古自治区")
COLUMNS = (
    Column("number", "申办流水号", sort="number"),
    Column("name", "申请单位"),
    Column("province", "属地"),
    Column("state", "状态"),
    Column("submitted", "提交时间", sort="submitted"),
    Column("due", "办理期限"),
    Column("forms", "预计月核验量", align="end"),
)


def sample_url(name: str) -> str:
    """The address of a sample page."""
    return reverse("ui_kit", args=[name])


def crumbs() -> tuple[Link, Link]:
    """The way to the pages of one sample case."""
    return Link("首页", reverse("home")), Link("申请管理", sample_url("list"))


class SampleFilter(forms.Form):
    """Five filters, so that two of them are folded."""

    q = forms.CharField(label=_("流水号或单位名称"), required=False)
    state = forms.ChoiceField(
        label=_("状态"),
        required=False,
        choices=[("", _("全部")), *((str(i), t.label) for i, t in enumerate(STATES))],
    )
    province = forms.ChoiceField(
        label=_("属地"), required=False, choices=[("", _("全部")), *((p, p) for p in PLACES)]
    )
    since = forms.DateField(
        label=_("提交日期自"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("提交日期至"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class SampleAct(forms.Form):
    """One field of every kind an act uses."""

    grounds = forms.ChoiceField(
        label=_("不予受理的情形"),
        widget=forms.RadioSelect,
        choices=[("licence", _("未取得相应业务许可")), ("region", _("不属于本局属地"))],
    )
    reason = forms.CharField(
        label=_("理由"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("将写入《不予受理通知书》，请载明事实与依据。"),
    )
    number = forms.CharField(label=_("请输入申办流水号确认"), help_text=_("此操作不能撤销。"))
    attachment = forms.FileField(label=_("附件"), required=False, help_text=_("PDF，不超过 10 MB。"))
    checked = forms.BooleanField(label=_("我已核对申请材料"))


def _row(i: int) -> Row:
    due = (
        Tag("已逾期 1 个工作日", "danger") if i == 2 else Tag("剩 2 个工作日", "warning") if i == 5 else None
    )
    return Row(
        url=sample_url("detail"),
        cells=(
            f"SQ-2019-{i:04d}",
            f"示例云服务第{i}有限公司",
            PLACES[i % len(PLACES)],
            STATES[i % len(STATES)],
            datetime(2019, 4, 3, 9, 12, 30, tzinfo=SHANGHAI) + timedelta(hours=7 * i),
            due or datetime(2019, 4, 12, tzinfo=SHANGHAI).date() + timedelta(days=i // 4),
            1250 * i if i % 7 else None,
        ),
        marker=due.tone if due else "",
        key=str(i),
    )


def list_page(query: QueryDict) -> ListPage:
    """Twenty of 243 applications."""
    rows = [_row(i) for i in range(1, 244)]
    page = Paginator(rows, 20).get_page(query.get("page"))
    form = SampleFilter(query or None)
    form.is_valid()
    return ListPage(
        title="申请列表",
        columns=COLUMNS,
        rows=list(page.object_list),
        total=len(rows),
        empty=Empty("没有符合条件的申请"),
        crumbs=crumbs()[:1],
        filter_form=form,
        filtered=bool(query.get("q")),
        page=page,
        views=ViewBar(
            (
                ViewTab("全部", sample_url("list"), current=True),
                ViewTab("待我办理", f"{sample_url('list')}?q=1", default=True, manage_url=sample_url("list")),
                ViewTab("即将逾期（王*）", f"{sample_url('list')}?q=2", shared=True),
            ),
            sample_url("list"),
            "与示例省通信管理局的同事共用",
        ),
        batch=BatchBar([Link("认领", sample_url("list"))], len(rows)),
        export_url=sample_url("list"),
    )


def empty_page(query: QueryDict) -> ListPage:
    """A list without rows."""
    return ListPage(
        title="补正告知",
        columns=COLUMNS,
        rows=(),
        total=0,
        empty=Empty(
            "没有待您处理的补正告知", "省通信管理局退回申请后，告知书会出现在这里，并以站内通知提醒。"
        ),
        crumbs=crumbs()[:1],
    )


def _timeline() -> tuple[TimelineEntry, ...]:
    at = datetime(2019, 4, 3, 14, 8, tzinfo=SHANGHAI)
    return (
        TimelineEntry(
            at + timedelta(days=6), "受理", "示例省通信管理局 · 王*", Tag("已受理", "neutral"), machine="申请"
        ),
        TimelineEntry(at + timedelta(days=5), "补正后重新提交", "示例云服务有限公司 · 仲*妮", STATES[0]),
        TimelineEntry(
            at + timedelta(days=2),
            "一次性告知补正",
            "示例省通信管理局 · 王*",
            STATES[2],
            reason="业务许可证附页缺失；技术方案未说明权威库比对方式。请于 5 个工作日内补正。",
        ),
        TimelineEntry(at, "提交申请", "示例云服务有限公司 · 仲*妮", STATES[0]),
    )


DIAGRAM = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 76" width="620" height="76"'
    ' role="img" font-size="13">'
    "<title>申请的流程</title>"
    + "".join(
        f'<rect x="{x}" y="20" width="100" height="36" rx="4" fill="{fill}" stroke="#174a8c"/>'
        f'<text x="{x + 50}" y="43" text-anchor="middle" fill="{ink}">{label}</text>'
        for x, label, fill, ink in (
            (2, "草稿", "#ffffff", "#1c2634"),
            (172, "待受理", "#ffffff", "#1c2634"),
            (342, "已受理", "#174a8c", "#ffffff"),
            (512, "审核通过", "#ffffff", "#1c2634"),
        )
    )
    + "".join(f'<path d="M{x} 38h62m-6 -4l6 4l-6 4" fill="none" stroke="#4b5768"/>' for x in (105, 275, 445))
    + "</svg>"
)


def detail_page(query: QueryDict) -> DetailPage:
    """A case with everything a case can have."""
    return DetailPage(
        title="示例云服务有限公司的试点申请",
        number="SQ-2019-0012",
        state=Tag("已受理", "neutral"),
        crumbs=crumbs(),
        facts=(
            Fact("申请单位", "示例云服务有限公司"),
            Fact("统一社会信用代码", "91110000600037341L"),
            Fact("属地", "北京市"),
            Fact("业务许可证编号", "B1-20190001"),
            Fact("业务种类", ("互联网数据中心业务", "互联网接入服务业务")),
            Fact("联系人", "仲*妮", hint="手机 186****1402"),
            Fact("提交时间", datetime(2019, 4, 8, 14, 8, tzinfo=SHANGHAI)),
            Fact("逾期申请", False),
            Fact("备注", None),
            Fact(
                "材料 SHA-256", Checksum("295322fb05e4493fcf86a55d5ef6c66b1d1dbd8520eef753179c97207ddc4e6b")
            ),
        ),
        sections=(
            Section("审核说明", texts=("材料齐全，与登记信息一致。", "技术方案已写明与权威库比对的方式。")),
            Section(
                "申请材料",
                columns=(
                    Column("name", "材料"),
                    Column("state", "核对"),
                    Column("at", "上传时间"),
                    Column("size", "大小（字节）", align="end"),
                ),
                rows=(
                    Row(
                        sample_url("detail"),
                        ("试点工作申请表", Tag("齐全", "success"), _timeline()[3].at, 184_320),
                    ),
                    Row(
                        sample_url("detail"),
                        ("业务许可证附页", Tag("已补正", "info"), _timeline()[1].at, 1_048_576),
                    ),
                ),
            ),
            Section(
                "内部备注",
                facts=(Fact("初核意见", "材料齐全，建议送评估。"), Fact("记录人", "王*")),
                private=True,
            ),
        ),
        actions=(
            ActionItem("recommend", "出具审核意见", True, url=sample_url("act"), primary=True),
            ActionItem("refuse", "不予受理", True, url=sample_url("act"), danger=True),
            ActionItem("report", "汇总报送", False, "审核意见尚未由负责人签发"),
            ActionItem("withdraw", "撤回申请", False, "只有申请单位可以撤回"),
        ),
        waiting_for="示例省通信管理局审核人员",
        due=datetime(2019, 4, 16, 18, 0, tzinfo=SHANGHAI),
        due_mark=Tag("还有 1 天", "warning"),
        timeline=_timeline(),
        documents=(
            DocumentItem(
                "受理通知书", sample_url("detail"), _timeline()[0].at, 88_210, "9f86d081884c7d65" * 4
            ),
            DocumentItem(
                "补正告知书", sample_url("detail"), _timeline()[2].at, 91_447, "2c26b46b68ffc68f" * 4
            ),
        ),
        diagram=DIAGRAM,
        related=(
            Link("技术能力评估 PG-2019-0007", sample_url("detail")),
            Link("试点单位名录", sample_url("list")),
        ),
        seen_state="accepted",
    )


def act_page(query: QueryDict) -> ActPage:
    """A dangerous act, sent with everything missing."""
    form = SampleAct({"number": "SQ-2019-0021"})
    form.add_error("number", _("流水号与办理对象不一致"))
    return ActPage(
        title="不予受理",
        subject="SQ-2019-0012 示例云服务有限公司的试点申请",
        effect="申请状态变为“不予受理”，系统生成《不予受理通知书》并通知申请单位；该单位可在 10 个工作日内申诉。",
        back=sample_url("detail"),
        form=form,
        crumbs=(*crumbs(), Link("SQ-2019-0012", sample_url("detail"))),
        danger=True,
        submit_label="确认不予受理",
        multipart=True,
    )


def _unit(i: int) -> UnitFigure:
    wrong = {2: 9, 4: 1}.get(i, 0)
    n = 16_000 + 1_310 * i
    return UnitFigure(
        name=f"示例接入服务第{i}有限公司",
        code=f"PU-2019-{i:03d}",
        province=PLACES[i % len(PLACES)],
        url=sample_url("detail"),
        status=Tag("已暂停", "warning") if i == 2 else Tag("试点中", "success"),
        m1_shown="99.94%" if i == 2 else "99.99%" if wrong else "100%",
        m1_counts=f"{wrong} / {n:,}",
        m1=Tag("未达线", "danger") if i == 2 else Tag("达线", "success"),
        m2_shown="99.93%" if i == 2 else "99.99%" if wrong else "100%",
        m2_counts=f"{wrong} / {n + 40:,}",
        m2=Tag("未达线", "danger") if wrong else Tag("达线", "success"),
        trend=sparkline("近六周 M1", [99.97, 99.98, None, 99.99, 99.96 - wrong / 200, 99.99 - wrong / 200]),
    )


def dashboard(query: QueryDict) -> Dashboard:
    """A ministry officer's first page."""
    counts = {province: (province * 7) % 23 for province in Province}
    return Dashboard(
        title="工作台",
        as_of=AS_OF,
        tiles=(
            Tile("试点单位", "42", sample_url("list"), "其中暂停 1 家"),
            Tile("本月核验单", "183,204", sample_url("list"), "较上月 +4.2%"),
            Tile("M1 达线单位", "41 / 42", sample_url("list"), "达标线 99.95%", "success"),
            Tile("即将逾期", "3", sample_url("list"), "3 个工作日内", "warning"),
            Tile("已逾期", "1", sample_url("list"), "", "danger"),
            Tile("待比对", "1,870", sample_url("list")),
        ),
        todo=(
            MenuItem("待接收的汇总报送", sample_url("list"), "inbox", 4),
            MenuItem("待组织的技术评估", sample_url("list"), "clipboard-list", 2),
            MenuItem(
                "待裁定的差错异议",
                sample_url("list"),
                "scale",
                7,
                due=AS_OF + timedelta(days=1),
                due_mark=Tag("还有 1 天", "warning"),
            ),
            MenuItem("待签发的通报", sample_url("list"), "megaphone", 1),
            MenuItem("待答复的协调事项", sample_url("list"), "users", 3),
        ),
        units=[_unit(i) for i in range(1, 7)],
        met_heads=("M1 是否达线", "M2 是否达线"),
        provinces=tile_grid(
            {province: str(count) for province, count in counts.items() if count},
            url=lambda province: f"{sample_url('list')}?province={province.value}",
            tones={Province.HEBEI: "warning", Province.GUANGDONG: "danger", Province.XIZANG: "muted"},
        ),
        charts=(
            Section(
                "M1 走势",
                svg=for_screens(
                    partial(
                        line_chart,
                        "M1 走势",
                        ("5月", "6月上", "6月中", "6月下"),
                        (Series("全部单位", (99.96, 99.97, 99.98, 99.97)),),
                        mark=Mark("达标线", 99.95),
                        shown="{:.2f}%".format,
                    )
                ),
            ),
            Section(
                "差错来源",
                svg=for_screens(
                    partial(
                        bar_chart, "差错来源", (Bar("权威库比对", 42), Bar("抽查", 17), Bar("投诉举报", 5))
                    )
                ),
                note="统计口径：2019-06-01 ～ 2019-06-30，规则版本 1。",
            ),
        ),
    )


def guide_page(query: QueryDict) -> GuidePage:
    """The guide of the first programme, shortened."""
    opens = datetime(2019, 4, 1, tzinfo=SHANGHAI)
    application = WindowFace(
        "申请阶段", opens, opens + timedelta(days=15), "after", "已截止。逾期申请须经部批准。"
    )
    review = WindowFace(
        "审查阶段",
        opens + timedelta(days=15),
        opens + timedelta(days=45),
        "open",
        "正在审核和评估。",
        Countdown("距截止还有", 12 * 86_400_000),
    )
    return GuidePage(
        title="电子化核验试点办事指南",
        intro="依据工信部信管函〔2019〕87号，网络接入服务提供者可申请参与备案主体真实身份信息电子化核验试点。",
        as_of=opens + timedelta(days=33),
        headline=application,
        elements=(
            GuideElement(
                "conditions",
                "申请条件",
                facts=(
                    Fact("业务许可", "取得增值电信业务许可"),
                    Fact("采集能力", "具备采集确认身份信息的技术能力"),
                    Fact("比对能力", "具备与权威库比对的技术能力"),
                ),
            ),
            GuideElement("windows", "申报窗口", windows=(application, review)),
            GuideElement(
                "flow",
                "办理流程",
                steps=(
                    Fact("提交申请", "网络接入服务提供者", "申请阶段内"),
                    Fact("受理", "属地通信管理局", "5 个工作日"),
                    Fact("审核汇总", "属地通信管理局"),
                ),
            ),
            GuideElement(
                "questions", "常见问题", questions=(("如何登录？", "使用本单位管理员发放的账号。"),)
            ),
        ),
    )


def plain_page(query: QueryDict) -> PlainPage:
    """A calendar as a page of cards."""
    columns = (Column("day", "日期"), Column("kind", "类型"), Column("note", "说明"))
    rows = (
        Row("", (datetime(2019, 5, 1, tzinfo=UTC).date(), Tag("休息", "muted"), "劳动节")),
        Row("", (datetime(2019, 5, 5, tzinfo=UTC).date(), Tag("上班", "info"), "调休")),
    )
    return PlainPage(
        title="工作日历",
        crumbs=crumbs()[:1],
        intro="办理期限按工作日计算，以本日历为准。",
        sections=(Section("2019 年 5 月", columns=columns, rows=rows), Section("备注", empty="没有备注。")),
    )


SAMPLES: Mapping[str, tuple[str, Callable[[QueryDict], Any]]] = {
    "dashboard": ("pages/dashboard.html", dashboard),
    "list": ("pages/list.html", list_page),
    "empty": ("pages/list.html", empty_page),
    "detail": ("pages/detail.html", detail_page),
    "act": ("pages/act.html", act_page),
    "guide": ("pages/guide.html", guide_page),
    "plain": ("pages/plain.html", plain_page),
}
"""Name of a sample page → its template and what builds its ``page`` from the query."""
