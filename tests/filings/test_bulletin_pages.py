"""What is asked before a bulletin is compiled, and how its page reads."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse

from filings.forms.bulletins import BulletinForm
from filings.models import Bulletin
from filings.pages import bulletins as pages
from filings.services import bulletins
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.workflow import fire
from tests.factories import world
from tests.filings.test_bulletins import published
from tests.filings.test_pages import signed_in, text_of


# --- before it is compiled ------------------------------------------------------------------------------
def offered(actor: Actor) -> tuple[list[str], str]:
    form = BulletinForm(actor=actor)
    months: Any = form.fields["period"]
    return [name for name, _words in months.choices], form.initial["period"]


def test_only_months_that_are_over_are_offered_and_the_next_one_is_set(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    world.at("2019-05-20 09:00")
    assert offered(ministry_officer) == ([""], "")
    world.at("2019-07-01 00:00")
    assert offered(ministry_officer) == (["", "2019-06", "2019-05"], "2019-05")
    bulletins.compile_bulletin(actor=ministry_officer, period="2019-05")
    assert offered(ministry_officer)[1] == "2019-06"
    bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    assert offered(ministry_officer)[1] == ""
    world.at("2020-02-10 09:00")
    assert len(offered(ministry_officer)[0]) == 1 + 8


def test_the_fields_of_both_kinds_are_on_the_page_and_one_kind_is_chosen(
    unit: PilotUnit, ministry_officer: Actor
) -> None:
    client, url = signed_in(ministry_officer), reverse("bulletin_create")
    page = text_of(client, url)
    kinds = re.findall(r'<input type="radio" name="kind" value="(\w+)"[^>]*?( checked)?>', page)
    assert kinds == [("monthly", " checked"), ("final", "")]
    assert page.count('class="bulletin-form narrow"') == 1  # by which the style sheet knows this form alone
    assert [f'name="{name}"' in page for name in ("period", "conclusions", "corrects")] == [True] * 3
    assert '<option value="" selected>不是更正</option>' in page
    assert client.post(url, {"kind": "monthly", "period": "2019-07"}).status_code == 422
    assert client.post(url, {"kind": "monthly", "period": "2019-06"}).status_code == 302
    assert Bulletin.unscoped.get().period == "2019-06"


def test_what_is_signed_and_published_stands_above_the_signature(
    unit: PilotUnit, finding: Any, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    client = signed_in(ministry_approver)
    for act in ("sign", "publish"):
        case = client.get(reverse("bulletin_detail", args=[bulletin.pk])).context["page"]
        shown = client.get(reverse("bulletin_act", args=[bulletin.pk, act])).context["page"].sections
        labels = [[fact.label for fact in facts] for facts in (shown[0].facts, case.facts)]
        assert (labels[0], shown[1:]) == (labels[1], case.sections)
        assert [section.title for section in shown[:4]] == [
            "基本信息",
            "各试点单位核验单份数",
            "主体身份信息准确率 M1（≥99.95%）",
            "核验单信息准确率 M2（100%）",
        ]
        bulletin = fire(bulletin, act, actor=ministry_approver)


# --- as it reads ----------------------------------------------------------------------------------------
def test_a_month_has_no_line_for_what_it_is_not(unit: PilotUnit, ministry_officer: Actor) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    shown = {fact.label: fact.value for fact in pages.facts(bulletin, ministry_officer)}
    assert list(shown) == ["种类", "统计期间", "期号", "数据截至", "计算规则", "编制人"]
    assert shown["统计期间"] == "2019-06"


def test_the_final_report_says_from_when_to_when(unit: PilotUnit, ministry_officer: Actor) -> None:
    world.at("2020-01-02 09:00")
    report = bulletins.compile_bulletin(actor=ministry_officer, kind="final", conclusions="示例")
    period = {fact.label: fact for fact in pages.facts(report, None)}["统计期间"]
    assert (period.value, period.hint) == ("试点运行阶段", "2019-05-16 至 2019-12-31")


def test_the_tables_tell_the_line_from_the_conclusion_and_percent_from_number(
    unit: PilotUnit, finding: Any, ministry_officer: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    forms, m1, m2 = pages.sections(bulletin, None)[:3]
    assert forms.note.startswith("提交 = 接收 + 重复 + 拒收 + 迟报。")
    line = bulletin.figures["units"][0]
    parts = line["accepted"], *(line["counts"][name] for name in ("duplicates", "refused", "late"))
    assert line["submitted"] == sum(parts) == 1
    heads = [str(column.label) for column in m1.columns]
    assert heads == [
        "试点单位",
        "M1 差错/计数",
        "M1 准确率",
        "M1 置信区间",
        "M1 统计结论",
        "M1 较上期",
        "M1 名次",
    ]
    cells = dict(zip(heads, m1.rows[0].cells, strict=True))
    assert (cells["M1 准确率"], cells["M1 统计结论"].label) == ("0.0000%", "不达标")
    assert re.fullmatch(r"[\d.]+–[\d.]+%", cells["M1 置信区间"])
    assert [str(column.label) for column in m2.columns][-1] == "M2 是否达线"
    assert m2.rows[0].cells[-1].label == "未达线"


def test_a_long_page_begins_with_the_way_to_its_parts(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = published(
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06"), ministry_approver
    )
    page = text_of(signed_in(ministry_officer), reverse("bulletin_detail", args=[bulletin.pk]))
    public = text_of(signed_in(ministry_officer), reverse("published_bulletin", args=[bulletin.pk]))
    for text in (page, public):
        nav = text.partition('<nav class="contents')[2].partition("</nav>")[0]
        anchors = re.findall(r'href="#([\w-]+)"', nav)
        assert [name for name in anchors if f'id="{name}"' not in text] == []
        assert len(anchors) > 5
    assert page.partition('<nav class="contents')[2].partition("</a>")[0].endswith(">各试点单位核验单份数")
    assert re.search(r"PDF</td>\s*<td[^>]*>[\d.]+ KB</td>", public.replace("\xa0", " "))
