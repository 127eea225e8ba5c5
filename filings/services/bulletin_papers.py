"""The papers of a bulletin or final report: PDF and workbook, from the frozen figures alone.

Papers are Chinese whatever language the signer works in.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

from filings.models import Bulletin
from filings.periods import Period
from filings.phrases import lines
from filings.services import bulletin_table, charts, final_report
from pilot.enums import OrganisationKind, WindowKind
from pilot.language import on_record
from pilot.models import Document, Organisation
from pilot.pdf import cn_date
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import programmes
from pilot.services import documents, letters
from pilot.services.workbooks import Sheet, write_sheets
from pilot.svg import WIDE

PDF, WORKBOOK = "bulletin", "bulletin-workbook"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def make_bulletin(*, bulletin: Bulletin, at: datetime) -> list[Document]:
    """Make and keep the PDF and the workbook."""
    with on_record():
        title = title_of(bulletin)
        template = "documents/final_report.html" if bulletin.is_final else "documents/bulletin.html"
        paper = documents.make(
            case=bulletin, kind=PDF, title=title, template=template, context=context(bulletin, at), at=at
        )
        book = documents.keep(
            case=bulletin, kind=WORKBOOK, title=title, content=workbook(bulletin), content_type=XLSX, at=at
        )
    return [paper, book]


def title_of(bulletin: Bulletin) -> str:
    """The heading of the paper."""
    if bulletin.is_final:
        return "电子化核验试点总结报告"
    return f"电子化核验试点运行情况通报（{Period.parse(bulletin.period).words}）"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _window(bulletin: Bulletin) -> str:
    period = Period.parse(bulletin.period)
    opens, closes = period.opens, period.closes
    if opens is None or closes is None:
        opens, closes = programmes.window(bulletin.programme, WindowKind.RUN)
    return f"{_stamp(opens)} 至 {_stamp(closes)}（不含）"


def context(bulletin: Bulletin, at: datetime) -> dict[str, Any]:
    """What the templates of both papers are given; the words are in the language in force."""
    frozen = bulletin.figures
    drawings = drawings_of(bulletin) if frozen["units"] else []
    shown: dict[str, Any] = {
        "programme": letters.programme_words(bulletin.programme),
        "issuer": Organisation.objects.get(kind=OrganisationKind.MINISTRY).name,
        "bulletin_number": str(bulletin.sequence),
        "period": "试点运行阶段" if bulletin.is_final else Period.parse(bulletin.period).words,
        "window": _window(bulletin),
        "as_of": _stamp(bulletin.as_of),
        "rule_version": frozen["rule_version"],
        "published_on": cn_date(local_day(at)),
        "targets": frozen["targets"],
        "rows": [bulletin_table.cells(unit) for unit in frozen["units"]],
        "totals": bulletin_table.total_cells(frozen),
        "charts": [{"title": title, "svg": svg} for title, svg in drawings],
        "adjustments": [bulletin_table.adjustment_words(change) for change in frozen["adjustments"]],
        "corrections": [bulletin_table.correction_words(c) for c in frozen.get("corrections", [])],
        "corrects": f"{bulletin.corrects.number}通报" if bulletin.corrects else "",
    }
    if bulletin.is_final:
        shown |= {"tables": final_report.tables(frozen), "conclusions": lines(bulletin.conclusions)}
    return shown


def drawings_of(bulletin: Bulletin, *, width: int = WIDE) -> list[tuple[str, str]]:
    """Title and drawing of each chart, for page and paper alike."""
    frozen, totals = bulletin.figures, bulletin.figures["totals"]
    demand, words = frozen["demand_ppm"], charts.TITLES
    found = [
        (str(words["intervals"]), charts.interval_bars(frozen["units"], demand, width=width)),
        (
            str(words["funnel"]),
            charts.figure_funnel(
                submitted=totals["submitted"],
                accepted=totals["accepted"],
                counted=totals["m2"]["n"],
                errors=totals["m2"]["errors"],
                width=width,
            ),
        ),
        (str(words["errors"]), charts.error_bars(frozen["units"], width=width)),
    ]
    if bulletin.is_final:
        months = {line["period"]: line for line in frozen["months"]}
        trend = {name: (line["m1"]["errors"], line["m1"]["n"]) for name, line in months.items()}
        volume = {name: line["accepted"] for name, line in months.items()}
        found += [
            (str(words["trend"]), charts.accuracy_trend(trend, demand, width=width)),
            (str(words["volume"]), charts.volume_trend(volume, width=width)),
        ]
    return [(title, str(svg)) for title, svg in found]


def workbook(bulletin: Bulletin) -> bytes:
    """The same tables as the paper, a sheet each."""
    frozen = bulletin.figures
    rows = [bulletin_table.cells(unit) for unit in frozen["units"]]
    sheets = [
        Sheet("通报", bulletin_table.headings(), [*rows, bulletin_table.total_cells(frozen)]),
        Sheet(
            "说明",
            ["项目", "内容"],
            [
                ["标题", title_of(bulletin)],
                ["期号", bulletin.number],
                ["统计时段", _window(bulletin)],
                ["数据截至", _stamp(bulletin.as_of)],
                ["计算规则", frozen["rule_version"]],
                ["M1 要求", frozen["targets"]["m1"]],
                ["M2 要求", frozen["targets"]["m2"]],
                *(["更正", bulletin_table.correction_words(c)] for c in frozen.get("corrections", [])),
                *(["调整", bulletin_table.adjustment_words(c)] for c in frozen["adjustments"]),
                *(["总结意见", line] for line in lines(bulletin.conclusions)),
            ],
        ),
    ]
    if bulletin.is_final:
        sheets += [
            Sheet(table.title.replace("：", ""), table.heads, table.rows)
            for table in final_report.tables(frozen)
        ]
    out = BytesIO()
    write_sheets(out, sheets)
    return out.getvalue()
