"""The sample context of the record of a hearing."""

from typing import Any

HEARING: tuple[str, dict[str, Any]] = (
    "陈述申辩记录",
    {
        "programme": {
            "notice": "工业和信息化部关于开展互联网信息服务备案用户真实身份信息电子化核验试点工作的通知",
            "number": "工信部信管函〔2019〕87号",
        },
        "issuer": "示例省通信管理局",
        "number": "CZ-2019-0002",
        "unit": "示例云网络科技有限公司",
        "unit_code": "1002",
        "action": "暂停试点",
        "rule": "《试点单位管理规则（示例）》第6条",
        "told_at": "2019-07-22 10:00",
        "stated_at": "2019-07-29 16:30",
        "stated_by": "示例甲",
        "statement": ["差错已全部更正。", "比对服务已更换。"],
        "files": [
            {"title": "更换比对服务的说明", "kind": "PDF", "sha256": "ab" * 32},
            {"title": "系统截图", "kind": "PNG", "sha256": "cd" * 32},
        ],
        "received_by": "示例乙",
        "opinion": ["更换比对服务尚未完成，不影响对上述事实的认定。"],
        "made_on": "2019年7月30日",
        "demo_mark": True,
    },
)
