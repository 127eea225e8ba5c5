"""The audit log's actions and objects in words; what has none is shown as it is recorded."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot.machines import MACHINES, declared
from pilot.registry import all_pages

WORDS: Final[dict[str, Any]] = {
    "account.login": gettext_lazy("登录"),
    "account.logout": gettext_lazy("退出登录"),
    "account.role": gettext_lazy("切换身份"),
    "account.password": gettext_lazy("修改密码"),
    "account.factor-added": gettext_lazy("添加第二因素"),
    "account.factor-removed": gettext_lazy("移除第二因素"),
    "account.reset-asked": gettext_lazy("申请重置密码"),
    "account.session-end": gettext_lazy("结束登录会话"),
    "page.denied": gettext_lazy("打开无权访问的页面"),
    "api.denied": gettext_lazy("接口调用被拒绝"),
    "api-key.issue": gettext_lazy("创建接口密钥"),
    "api-key.revoke": gettext_lazy("停用接口密钥"),
    "command.run": gettext_lazy("运行命令"),
    "document.read": gettext_lazy("下载文书"),
    "document.copy": gettext_lazy("查看带水印的文书"),
    "form.read": gettext_lazy("查看核验单"),
    "form.unmask": gettext_lazy("查看未遮盖的个人信息"),  # as it was called before 2026-11-27
    "personal.unmask": gettext_lazy("查看未遮盖的个人信息"),
    "list.batch": gettext_lazy("批量办理"),
    "list.export": gettext_lazy("导出列表"),
    "list.export_read": gettext_lazy("下载导出文件"),
    "person.add": gettext_lazy("添加人员"),
    "person.invite": gettext_lazy("邀请人员"),
    "person.disable": gettext_lazy("停用账号"),
    "person.unlock": gettext_lazy("解锁账号"),
    "person.sessions-end": gettext_lazy("结束他人的登录会话"),
    "organisation.add": gettext_lazy("添加单位"),
    "programme.rule": gettext_lazy("修改项目规则"),
    "register.enrol": gettext_lazy("列入试点单位名录"),
    "register.status": gettext_lazy("变更试点单位状态"),
    "keys.rotate": gettext_lazy("轮换密钥"),
    "keys.add": gettext_lazy("添加密钥新版本"),
    "keys.drop": gettext_lazy("移除密钥旧版本"),
    "audit.key": gettext_lazy("移交审计签名密钥"),
    "portal.backup": gettext_lazy("备份门户数据"),
    "portal.restore": gettext_lazy("从备份恢复数据"),
    "authority.load": gettext_lazy("导入权威数据"),
    "unit-month.destroy": gettext_lazy("销毁到期数据"),
    "application.save_draft": gettext_lazy("保存申请草稿"),
    "application.add_file": gettext_lazy("上传申请材料"),
    "application.remove_file": gettext_lazy("删除申请材料"),
    "application.read_file": gettext_lazy("下载申请材料"),
    "application.view_file": gettext_lazy("查看申请材料"),
    "application.file_infected": gettext_lazy("发现带病毒的申请材料"),
    "application.hand_in": gettext_lazy("固定申请版本"),
    "application.claim": gettext_lazy("领取审查任务"),
    "application.release": gettext_lazy("退回审查任务"),
    "application.urge": gettext_lazy("催办申请"),
    "application.forget": gettext_lazy("清除未提交的申请内容"),
    "person.forget": gettext_lazy("清除离职人员的联系方式"),
    "retention.sweep": gettext_lazy("清除到期的数据"),
    "upload-job.load": gettext_lazy("载入核验单批次"),
    "audit.export": gettext_lazy("导出审计日志"),
    "audit.check": gettext_lazy("申请核验审计日志"),
    "audit.checked": gettext_lazy("核验审计日志"),
    "audit.alarm": gettext_lazy("拒绝操作告警"),
    "application.form_edition": gettext_lazy("发布申请表版本"),
    "application.mark": gettext_lazy("填写审查清单"),
    "application.prefill": gettext_lazy("回填申请表"),
    "criteria.install": gettext_lazy("载入评估指标"),
    "criteria.issue": gettext_lazy("发布评估指标"),
    "list.view_saved": gettext_lazy("保存常用视图"),
    "list.view_deleted": gettext_lazy("删除常用视图"),
    "national.import": gettext_lazy("导入全国系统反馈"),
    "phrase.kept": gettext_lazy("保存常用语"),
    "phrase.forgotten": gettext_lazy("删除常用语"),
    "programme.install": gettext_lazy("建立试点项目"),
    "programme.add_rules": gettext_lazy("补充项目规则"),
    "programme.calendar": gettext_lazy("修改工作日历"),
    "provider-registration.known": gettext_lazy("以已有代码申请开通账号"),
    "provincial-report.urge": gettext_lazy("催办省级报告"),
    "register.licence": gettext_lazy("登记许可证续期"),
    "register.licence_watch": gettext_lazy("提示许可证到期"),
    "register.reinstate": gettext_lazy("恢复试点单位资格"),
    "register.run_extended": gettext_lazy("延长试点运行期"),
    "register.scope": gettext_lazy("变更试点范围"),
    "test-run.issue": gettext_lazy("下发测试集"),
    "test-run.hand_in": gettext_lazy("提交测试结果"),
    "upload-job.backfill": gettext_lazy("补录核验单"),
    "v3-access.configure": gettext_lazy("设置 V3.0 接口"),
    "v3-access.on": gettext_lazy("启用 V3.0 接口"),
    "v3-access.off": gettext_lazy("停用 V3.0 接口"),
    "v3-access.reveal": gettext_lazy("查看 V3.0 接口密钥"),
    "v3-access.rotate": gettext_lazy("更换 V3.0 接口密钥"),
    "application.closed": gettext_lazy("告知申请窗口已关闭"),
    "application.overdue": gettext_lazy("提示受理逾期"),
    "application.reminder": gettext_lazy("提醒补正期限"),
    "application.warning": gettext_lazy("提醒受理期限"),
    "document.destroy": gettext_lazy("销毁文书"),
    "inspection.verdict": gettext_lazy("记录抽查结论"),
    "inspection.settle": gettext_lazy("裁定抽查分歧"),
    "provincial-report.overdue": gettext_lazy("提示省级报告逾期"),
    "provincial-report.reminder": gettext_lazy("提醒省级报告期限"),
    "v3.isp_upload": gettext_lazy("V3.0 接口：上报"),
    "v3.isp_querypreviousupload": gettext_lazy("V3.0 接口：查询上次上报"),
    "v3.isp_download": gettext_lazy("V3.0 接口：下载"),
    "v3.isp_downloadack": gettext_lazy("V3.0 接口：下载确认"),
    "webhook.register": gettext_lazy("登记推送地址"),
    "webhook.change": gettext_lazy("修改推送地址"),
    "webhook.remove": gettext_lazy("删除推送地址"),
    "webhook.rotate": gettext_lazy("轮换推送签名密钥"),
    "webhook.pause": gettext_lazy("暂停推送"),
    "webhook.resume": gettext_lazy("恢复推送"),
    "webhook.replay": gettext_lazy("重新推送"),
    "webhook.test": gettext_lazy("测试推送"),
}


# Tables that are no machine's, by the name under which they are recorded.
OBJECTS: Final[dict[str, Any]] = {
    "person": gettext_lazy("人员"),
    "membership": gettext_lazy("身份"),
    "organisation": gettext_lazy("单位"),
    "programme": gettext_lazy("试点项目"),
    "pilotunit": gettext_lazy("试点单位"),
    "pilot-unit": gettext_lazy("试点单位名录"),
    "document": gettext_lazy("文书"),
    "url": gettext_lazy("页面"),
    "list": gettext_lazy("列表"),
    "national": gettext_lazy("与全国系统核对"),
    "export": gettext_lazy("导出文件"),
    "command": gettext_lazy("命令"),
    "audit": gettext_lazy("审计日志"),
    "auditcheck": gettext_lazy("审计日志核验"),
    "phrase": gettext_lazy("常用语"),
    "savedview": gettext_lazy("常用视图"),
    "apikey": gettext_lazy("接口密钥"),
    "webhookendpoint": gettext_lazy("事件推送"),
    "v3access": gettext_lazy("V3.0 接口"),
    "verificationform": gettext_lazy("核验单"),
    "verification-form": gettext_lazy("核验单"),
    "applicationversion": gettext_lazy("申请版本"),
    "applicationfile": gettext_lazy("申请材料"),
    "formedition": gettext_lazy("申请表版本"),
    "nationalfile": gettext_lazy("全国系统反馈文件"),
    "testrun": gettext_lazy("能力测试"),
    "catalogueedition": gettext_lazy("评估指标"),
    "inspectionitem": gettext_lazy("抽中的核验单"),
    "partialupload": gettext_lazy("分片上传的文件"),
}
CHANNELS: Final[dict[str, Any]] = {
    "web": gettext_lazy("网页"),
    "api": gettext_lazy("接口"),
    "console": gettext_lazy("命令行"),
    "job": gettext_lazy("系统任务"),
    "demo": gettext_lazy("演示"),
}


def object_words(kind: str) -> str:
    """What an entry is about, in words: a machine by its slug or table, else a table of the list above."""
    if kind in OBJECTS:
        return str(OBJECTS[kind])
    return next((str(p.label) for p in all_pages() if kind in {p.slug, p.model._meta.model_name}), kind)


def object_kinds(words: str) -> list[str]:
    """The recorded names of what is called so, for a search; words that name nothing are taken as recorded."""
    named = [kind for kind, label in OBJECTS.items() if str(label) == words]
    for pages in all_pages():
        if str(pages.label) == words:
            named += [pages.slug, str(pages.model._meta.model_name)]
    return [*named, words]


def channel_words(channel: str) -> str:
    """By what way somebody acted, in words."""
    return str(CHANNELS.get(channel, channel))


def action_words(action: str) -> str:
    """An action in words: a machine's transition or task by the words of its pages."""
    if action in WORDS:
        return str(WORDS[action])
    slug, _dot, name = action.partition(".")
    pages = next((pages for pages in all_pages() if pages.slug == slug), None)
    if pages is None or slug not in MACHINES:
        return action
    labels = {transition.name: transition.custom["label"] for transition in declared(MACHINES[slug])}
    labels |= {task.name: task.label for task in pages.tasks} | {"open": _("新建")}
    return f"{pages.label} · {labels[name]}" if name in labels else action


def action_choices(actions: list[str]) -> list[tuple[str, str]]:
    """The actions that occur, by their words."""
    return sorted(((action, action_words(action)) for action in actions), key=lambda choice: choice[1])
