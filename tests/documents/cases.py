"""Every sample, and each other form its template can take."""

from functools import cache
from typing import Any

from pilot.pdf import render_pdf
from tests.documents.samples import OBJECTION, SAMPLES


def _variant(name: str, title: str | None = None, **changes: Any) -> tuple[str, str, dict[str, Any]]:
    sample_title, context = SAMPLES[name]
    return name, title or sample_title, {**context, **changes}


# Name → (template, title, context).
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{name: _variant(name) for name in SAMPLES},
    "acceptance_deemed": _variant(
        "letter_acceptance",
        deemed_rule="本试点项目受理规则（示例）第3条",
        review_until="",
    ),
    "decision_not_listed": _variant(
        "letter_decision",
        listed=False,
        reason="技术能力评估认定总分72分，低于本试点项目要求的80分。",
        objection=OBJECTION,
        attachments=[],
        cc="",
        contact="",
    ),
    "decision_not_recommended": _variant(
        "letter_decision",
        assessed=False,
        listed=False,
        reason="示例省通信管理局审核意见为不同意推荐：未提供合同。",
        objection=OBJECTION,
        attachments=[],
    ),
    "decision_after_objection": _variant(
        "letter_decision",
        list_number="2",
        review={"list_number": "1", "filed_on": "2019年5月20日", "upheld_on": "2019年5月27日"},
    ),
    "rectification_second_round": _variant("letter_rectification", round=2, attachments=["差错清单"]),
    "rectification_repeat": _variant(
        "letter_rectification",
        repeats="ZG-2019-0001",
        reasons=["主体证件号码差错3份（权威库比对；已确认3份）；你单位说明的原因：识别错误。"],
    ),
    "hearing_silent": _variant(
        "hearing_record", statement=[], files=[], opinion=[], stated_at="", stated_by="", received_by=""
    ),
    "sanction_hearing": _variant(
        "letter_sanction",
        "关于拟暂停参与电子化核验试点的告知函",
        stage="hearing",
        statement_until="2019年7月29日",
    ),
    "sanction_lifted": _variant(
        "letter_sanction",
        "关于恢复参与电子化核验试点的函",
        stage="lifted",
        imposed_number="示管函〔2019〕130号",
        rule="《试点单位管理规则（示例）》第7条“暂停所依据的情形消除的，恢复试点”",
        facts=["整改通知ZG-2019-0003第三轮整改已通过。"],
        issued_on="2019年8月30日",
        doc_number="示管函〔2019〕141号",
        effective_on="2019年9月2日",
    ),
    "provincial_nil": _variant(
        "provincial_report",
        rows=[],
        total_words="申请单位0家，其中同意推荐0家，不同意推荐0家",
    ),
    "approval_change": _variant(
        "approval_list",
        list_number="2",
        change="上述单位经申诉复核列入，本名单据此变更第1号名单，此前名单的其他内容不变。",
    ),
    "assessment_agreed": _variant(
        "assessment_report", moderation=None, comments=[], numbers={"grounds": "四", "conclusion": "五"}
    ),
    "bulletin_corrigendum": _variant(
        "bulletin",
        corrects="第1期通报",
        charts=[],
        adjustments=[],
        corrections=["示例云网络科技有限公司：M1 差错/计数由 2/10434 改为 1/10434"],
    ),
    "inspection_plain": _variant(
        "inspection_report",
        strata=[],
        claim={"claimed": "0.05%", "n": 3, "limit": 0, "errors": 1, "contradicted": True},
    ),
}


@cache
def paper_of(name: str) -> bytes:
    """The finished PDF of a case, made once for all tests that read it."""
    template, title, context = CASES[name]
    return render_pdf(f"documents/{template}.html", context, title=title)
