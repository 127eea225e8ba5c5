"""What the letter about a dismissed objection says beside the letter's own keys. All of it is invented."""

from typing import Any

DISMISSAL: dict[str, Any] = {
    "doc_number": "信管试点函〔2019〕7号",
    "issued_on": "2019年6月3日",
    "objection_number": "SS-2019-0004",
    "filed_on": "2019年5月27日",
    "decision": {
        "office": "工业和信息化部信息通信管理局",
        "made_on": "2019年5月16日",
        "words": "不列入试点单位名单",
        "number": "44-2019-0007",
    },
    "reason": "技术能力评估认定总分72分，低于本试点项目要求的80分。",
    "finding": "评分依据的材料齐全，复核评分与原评分一致，申诉所附测试记录形成于评估结束之后。",
}
