"""One sample context per document template. Every organisation, person and number in them is invented."""

from typing import Any

from pilot.qr import svg
from tests.documents.chart_sample import CHART
from tests.documents.measure_samples import HEARING
from tests.documents.objection_samples import DISMISSAL

PROGRAMME = {
    "notice": "工业和信息化部关于开展互联网信息服务备案用户真实身份信息电子化核验试点工作的通知",
    "number": "工信部信管函〔2019〕87号",
    "form_name": "互联网信息服务备案主体真实身份信息电子化核验试点工作申请表",
    "ministry": "工业和信息化部（信息通信管理局）",
}
BUREAU = "示例省通信管理局"
MINISTRY = "工业和信息化部信息通信管理局"
COMPANY = "示例云网络科技有限公司"
UNITS = (COMPANY, "示例数据中心服务有限公司", "示例内容分发有限公司")
USCC, LICENCE = "91110000600037341L", "A2.B1.B2-20190001"
DIGEST = "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b"
OBJECTION = {"until": "2019年5月30日", "channel": "试点管理平台"}

LETTER = {
    "programme": PROGRAMME,
    "issuer": BUREAU,
    "doc_number": "示信管函〔2019〕12号",
    "addressee": COMPANY,
    "issued_on": "2019年4月16日",
    "contact": "联系人：示例科信息处　电话：010-5550 0100",
    "demo_mark": True,
}
APPLICATION = {"case_number": "SQ-2019-0412-0007", "submitted_on": "2019年4月12日"}


BULLETIN_ROWS = [
    [COMPANY, "示例省", 10_564, 10_535, 4, 25, 0, "1/10434", "99.9904%", "99.9466–99.9998%", "达标",
     "1/10530", "99.9905%", "未达线", 5, 96, "+0.0021", 1],
    ["示例数据中心服务有限公司", "北示例市", 10_392, 10_363, 4, 25, 0, "9/10262", "99.9122%", "99.8335–99.9599%",
     "尚不能判定", "9/10358", "99.9131%", "未达线", 5, 96, "-0.0021", "--（区间重叠）"],
    ["示例内容分发有限公司", "南示例省", 0, 0, 0, 0, 0, "0/0", "--", "--", "--", "0/0", "--", "--", 0, 0, "--",
     "--（无数据）"],
]  # fmt: skip
BULLETIN_TOTALS = [
    "合计（3 家）", "", 20_956, 20_898, 8, 50, 0, "10/20696", "99.9516%", "", "", "10/20888", "99.9521%", "", 10, 192,
    "", "",
]  # fmt: skip
BULLETIN = {
    "programme": PROGRAMME,
    "issuer": MINISTRY,
    "bulletin_number": "1",
    "period": "2019年6月",
    "window": "2019-06-01 00:00 至 2019-07-01 00:00（不含）",
    "as_of": "2019-07-03 09:00",
    "rule_version": "2019-1",
    "published_on": "2019年7月5日",
    "targets": {"m1": "≥99.95%", "m2": "100%"},
    "rows": BULLETIN_ROWS,
    "totals": BULLETIN_TOTALS,
    "charts": [{"title": "各试点单位主体身份信息差错数（M1，份）", "svg": CHART}],
    "adjustments": ["2019年5月示例数据中心服务有限公司：M1差错/计数由 3/9000 改为 2/9000。"],
    "corrections": [],
    "demo_mark": True,
}
FINAL_TABLES = [
    {
        "title": "参与情况",
        "heads": ["省份", "提交申请", "受理", "列入名单"],
        "rows": [["北示例市", 3, 3, 2], ["南示例省", 2, 1, 1], ["合计", 5, 4, 3]],
    },
    {
        "title": "差错：按原因",
        "heads": ["原因", "试点单位", "差错"],
        "rows": [["证件识别错误（示例）", COMPANY, 12], ["未记录原因", "", 3]],
        "note": "原因由试点单位记录；不含已撤销的差错。",
    },
    {"title": "整改", "heads": ["状态", "整改通知"], "rows": [], "empty": "没有整改通知"},
]

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "letter_acceptance": (
        "关于受理电子化核验试点申请的函",
        {
            **LETTER,
            **APPLICATION,
            "accepted_on": "2019年4月16日",
            "review_until": "2019年5月8日",
        },
    ),
    "letter_refusal": (
        "关于不予受理电子化核验试点申请的函",
        {
            **LETTER,
            **APPLICATION,
            "reasons": [
                {
                    "condition": "第二部分第（一）项，取得电信主管部门颁发的增值电信业务许可",
                    "reason": "所附许可证已于2019年3月31日到期，未附续期证明。",
                },
            ],
            "next_step": "申请阶段已于2019年4月15日结束，本试点项目不再接收新的申请。",
            "objection": {"until": "2019年4月29日", "channel": "试点管理平台"},
        },
    ),
    "letter_correction": (
        "关于补正电子化核验试点申请材料的函",
        {
            **LETTER,
            **APPLICATION,
            "faults": [
                {
                    "place": "许可证编号",
                    "message": "与所附许可证扫描件不一致，请核对后更正。",
                },
                {"place": "法定代表人", "message": "未填写。"},
                {
                    "place": "附件“权威库比对授权文件”",
                    "message": "缺第2页，请补交完整的扫描件。",
                },
            ],
            "answer_until": "2019年4月23日",
            "late_rule": "逾期未补正的，本次申请终止。",
        },
    ),
    "letter_decision": (
        "关于电子化核验试点申请结果的函",
        {
            **LETTER,
            **APPLICATION,
            "issuer": MINISTRY,
            "doc_number": "示管函〔2019〕101号",
            "bureau": BUREAU,
            **dict.fromkeys(("issued_on", "published_on", "effective_on"), "2019年5月16日"),
            "list_title": "电子化核验试点单位名单",
            "list_number": "1",
            "listed": True,
            "assessed": True,
            "unit_code": "PU-01",
            "until": "2019年12月31日",
            "opened": {"provinces": "示例省、示例市", "types": "新增备案、变更备案"},
            "requirements": [
                "电子化采集ICP备案主体真实身份信息，准确率不低于99.95%。",
                "电子化采集《核验单》相关信息，准确率达到100%。",
                "向备案管理系统提交电子化采集的ICP备案主体图像和电子化《核验单》。",
            ],
            "attachments": ["电子化核验试点单位名单（第1号）", "接口联调安排"],
            "cc": "示例省通信管理局，国家计算机网络应急技术处理协调中心。",
        },
    ),
    "letter_rectification": (
        "关于限期整改电子化核验差错的函",
        {
            **LETTER,
            "doc_number": "示信管函〔2019〕45号",
            "issued_on": "2019年7月5日",
            "order_number": "ZG-2019-0003",
            "period": "2019年6月",
            "answer_until": "2019年7月19日",
            "round": 1,
            "basis": "第四部分第（二）项关于督促网络接入服务提供者严格落实试点工作要求的规定",
            "figures": [
                {
                    "name": "主体真实身份信息准确率",
                    "shown": "99.9122%",
                    "errors": 9,
                    "n": 10_262,
                    "requirement": "不低于99.95%",
                    "conclusion": "未达到",
                },
                {
                    "name": "核验单信息准确率",
                    "shown": "99.9131%",
                    "errors": 9,
                    "n": 10_358,
                    "requirement": "100%",
                    "conclusion": "未达到",
                },
            ],
            "facts": [
                {
                    "form_no": f"HYD-20190611-{number:04d}",
                    "item": "主体证件号码",
                    "message": "与权威库记录不一致",
                }
                for number in (17, 58, 204)
            ],
            "measures": [
                "逐份复核上述核验单，提交更正版本。",
                "查明差错原因，说明影响的核验单范围。",
                "提交防止再次发生的措施和完成时间。",
            ],
        },
    ),
    "letter_sanction": (
        "关于暂停参与电子化核验试点的函",
        {
            **LETTER,
            "issuer": MINISTRY,
            "doc_number": "示管函〔2019〕130号",
            "issued_on": "2019年8月2日",
            "stage": "imposed",
            "action": "暂停试点",
            "unit_code": "PU-02",
            "rule": "《试点单位管理规则（示例）》第6条“连续两轮整改未通过的，可以暂停试点”",
            "facts": [
                "2019年6月主体真实身份信息准确率为99.9122%，低于99.95%；",
                "整改通知ZG-2019-0003两轮整改均未通过。",
            ],
            "heard": "你单位于2019年7月29日提交陈述和申辩，经复核，所述理由不影响上述事实的认定。",
            "effective_on": "2019年8月5日",
            "consequences": ["暂停期间新采集的核验单不予接收；生效前已采集的核验单可以继续报送。"],
            "objection": {"until": "2019年8月16日", "channel": "试点管理平台"},
        },
    ),
    "hearing_record": HEARING,
    "letter_objection": (
        "关于电子化核验试点申诉复核结果的函",
        {**LETTER, **DISMISSAL, "issuer": MINISTRY, "contact": "", "cc": f"{BUREAU}。"},
    ),
    "receipt": (
        "申请材料接收回执",
        {
            "programme": PROGRAMME,
            "issuer": BUREAU,
            "case_number": APPLICATION["case_number"],
            "applicant": COMPANY,
            "uscc": USCC,
            "version": 1,
            "submitted_by": "示*例",
            "received_at": "2019-04-12 09:00:00",
            "verification_code": DIGEST[:32],
            "verification_place": "试点管理平台“回执查验”页面",
            "verification_address": "https://pilot.example.cn/check/",
            "qr": svg(f"https://pilot.example.cn/check/{DIGEST[:32]}/", title="回执查验二维码"),
            "files": [
                {
                    "name": "增值电信业务经营许可证.pdf",
                    "size": "812 KB",
                    "sha256": DIGEST,
                },
                {
                    "name": "活体检测测试报告（示例）.pdf",
                    "size": "2.4 MB",
                    "sha256": DIGEST[::-1],
                },
            ],
            "next_step": "示例省通信管理局将于2019年4月19日前作出受理、补正或不予受理的答复。",
            "contact": "联系电话：010-5550 0100",
            "demo_mark": True,
        },
    ),
    "provincial_report": (
        "示例省电子化核验试点申请审核汇总表",
        {
            "programme": PROGRAMME,
            "issuer": BUREAU,
            "report_number": "HZ-2019-99-1",
            "version": "1",
            "filled_by": "示例一",
            "phone": "010-5550 0100",
            "filled_on": "2019年4月28日",
            "rows": [
                {
                    "name": COMPANY,
                    "uscc": USCC,
                    "number": "SL2019-99-00001",
                    "province": "示例省",
                    "licence": LICENCE,
                    "methods": "人脸识别、动作识别",
                    "opinion": "同意推荐",
                    "remark": "",
                },
                {
                    "name": "示例内容分发有限公司",
                    "uscc": "91310000MA1FL0AN4W",
                    "number": "SL2019-99-00002",
                    "province": "示例省",
                    "licence": "B1.B2-20190002",
                    "methods": "唇语识别",
                    "opinion": "不同意推荐",
                    "remark": "未具备与个人身份证件库比对的能力",
                },
            ],
            "nil_words": "零报告：本报送期内，示例省没有报送的申请单位。",
            "total_words": "申请单位2家，其中同意推荐1家，不同意推荐1家",
            "digest": DIGEST,
            "demo_mark": True,
        },
    ),
    "approval_list": (
        "电子化核验试点单位名单",
        {
            "programme": PROGRAMME,
            "issuer": MINISTRY,
            "list_number": "1",
            "published_on": "2019年5月16日",
            "effective_on": "2019年5月16日",
            "rows": [
                {
                    "code": f"PU-{number:02d}",
                    "name": name,
                    "province": "示例省",
                    "licence": f"B1.B2-2019000{number}",
                    "provinces": "示例省、示例市",
                    "types": "全部备案类型",
                }
                for number, name in enumerate(UNITS, start=1)
            ],
            "demo_mark": True,
        },
    ),
    "assessment_report": (
        "技术能力评估报告",
        {
            "programme": PROGRAMME,
            "issuer": "示例评估中心",
            "case_number": APPLICATION["case_number"],
            "applicant": COMPANY,
            "uscc": USCC,
            "province": "示例省",
            "product": "示例核验系统V2.1",
            "supplier": "示例识别技术有限公司",
            "assessed_on": "2019年5月8日",
            "concluded_by": "示例九",
            "assessors": [
                {
                    "label": "甲",
                    "name": "示例二",
                    "organisation": "示例评估中心",
                    "role": "独立评分",
                    "declared_on": "2019-05-06",
                },
                {
                    "label": "乙",
                    "name": "示例三",
                    "organisation": "示例检测所",
                    "role": "独立评分",
                    "declared_on": "2019-05-06",
                },
            ],
            "criteria": [
                {
                    "title": "活体检测能力",
                    "maximum": 40,
                    "least": 24,
                    "scores": [36, 35],
                    "agreed": 36,
                    "outcome": "达到",
                },
                {
                    "title": "与统一社会信用代码、个人身份证件库比对的能力",
                    "maximum": 40,
                    "least": 24,
                    "scores": [38, 22],
                    "agreed": 37,
                    "outcome": "达到",
                },
                {
                    "title": "图像与核验信息保护",
                    "maximum": 20,
                    "least": "--",
                    "scores": [16, 17],
                    "agreed": 17,
                    "outcome": "--",
                },
            ],
            "totals": {"maximum": 100, "scores": [90, 74], "agreed": 90},
            "rule": "按本试点项目评估指标第1版评分，合计80分及以上且各项指标达到最低要求的为通过。",
            "grounds": [
                {
                    "title": "活体检测能力",
                    "said": ["甲：识别能力测试报告第3页，翻拍和面具均被识破"],
                }
            ],
            "numbers": {"grounds": "四", "moderation": "五", "conclusion": "六"},
            "moderation": {
                "moderator": "示例四",
                "held_on": "2019年5月9日",
                "reason": "评估人员乙未见到比对接口的授权文件，被评估单位当场出示后，双方就第2项达成一致。",
            },
            "verdict": "通过（认定总分90分，本试点项目要求不低于80分）。",
            "comments": ["建议在上线前完成全部省份的接口联调。"],
            "demo_mark": True,
        },
    ),
    "bulletin": ("电子化核验试点运行情况通报", BULLETIN),
    "final_report": (
        "电子化核验试点总结报告",
        {
            **BULLETIN,
            "bulletin_number": "9",
            "period": "试点运行阶段",
            "window": "2019-05-16 00:00 至 2020-01-01 00:00（不含）",
            "conclusions": ["试点单位均已按要求提交电子化核验单（示例）。", "建议总结经验后推广（示例）。"],
            "tables": FINAL_TABLES,
        },
    ),
    "inspection_report": (
        "电子化核验单抽查报告",
        {
            "programme": PROGRAMME,
            "issuer": BUREAU,
            "inspection_number": "CC-2019-0002",
            "unit": COMPANY,
            "unit_code": "PU-01",
            "period": "2019年6月",
            "rule_version": "2019-1",
            "plan": {
                "size": 3,
                "strata": "主办者类型",
                "tolerated": "0.05%",
                "accepted": 0,
                "second": 10,
                "bad": 1,
                "miss": "70.00%",
            },
            "confidence": "95%",
            "agreement": {"pairs": 1, "same": 1, "share": "100.0000%", "agreeing": 1, "kappa": "--"},
            "claim": None,
            "commitment": {"seed_hash": DIGEST[::-1], "published_at": "2019-07-01 09:00"},
            "frame": {"size": 10, "digest": DIGEST, "frozen_at": "2019-07-01 10:00"},
            "seed": "2019-06/PU-01/a7",
            "drawn_at": "2019-07-01 10:05",
            "sample_size": 3,
            "strata": [
                {"name": "单位主体", "size": 7, "drawn": 2},
                {"name": "个人主体", "size": 3, "drawn": 1},
            ],
            "rows": [
                {"form_no": "HYD-07", "stratum": "单位主体", "twice": True, "result": "一致", "remark": ""},
                {"form_no": "HYD-01", "stratum": "单位主体", "result": "一致", "remark": ""},
                {
                    "form_no": "HYD-08",
                    "stratum": "个人主体",
                    "result": "身份信息差错",
                    "remark": "证件号码与权威库记录不一致",
                },
            ],
            "figures": [
                {
                    "name": "主体身份信息准确率（M1）",
                    "errors": 1,
                    "n": 3,
                    "shown": "66.6666",
                    "interval": "13.5350–98.3047",
                    "verdict": "不达标",
                },
                {
                    "name": "核验单信息准确率（M2）",
                    "errors": 1,
                    "n": 3,
                    "shown": "66.6666",
                    "interval": "--",
                    "verdict": "不达标",
                },
            ],
            "conclusion": "抽查3份，发现差错1份，转整改程序办理。",
            "inspectors": ["示例五", "示例六"],
            "concluded_on": "2019年7月9日",
            "demo_mark": True,
        },
    ),
}
