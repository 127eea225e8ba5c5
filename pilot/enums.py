"""Closed sets of the kernel: roles, kinds of organisations, provinces, filing types."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person does for an organisation (a person acts in one role at a time)."""

    PROVIDER_OPERATOR = "provider_operator", _("企业经办人")
    PROVIDER_ADMIN = "provider_admin", _("企业管理员")
    BUREAU_REVIEWER = "bureau_reviewer", _("省局审核人员")
    BUREAU_LEAD = "bureau_lead", _("省局负责人")
    MINISTRY_OFFICER = "ministry_officer", _("部经办人员")
    MINISTRY_APPROVER = "ministry_approver", _("部审批人员")
    ASSESSOR = "assessor", _("评估人员")
    SYSTEM_ADMIN = "system_admin", _("系统管理员")
    SECURITY_ADMIN = "security_admin", _("安全管理员")
    AUDIT_ADMIN = "audit_admin", _("审计管理员")
    SYSTEM = "system", _("系统")


PROVIDER_ROLES = frozenset({Role.PROVIDER_OPERATOR, Role.PROVIDER_ADMIN})
BUREAU_ROLES = frozenset({Role.BUREAU_REVIEWER, Role.BUREAU_LEAD})
MINISTRY_ROLES = frozenset({Role.MINISTRY_OFFICER, Role.MINISTRY_APPROVER})
ADMIN_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
OFFICIAL_ROLES = BUREAU_ROLES | MINISTRY_ROLES | ADMIN_ROLES | {Role.ASSESSOR}


class OrganisationKind(TextChoices):
    """Kinds of organisations that work in the portal."""

    MINISTRY = "ministry", _("部机关")
    BUREAU = "bureau", _("通信管理局")
    AGENCY = "agency", _("评估机构")
    PROVIDER = "provider", _("网络接入服务提供者")


ROLES_OF_KIND = {
    OrganisationKind.MINISTRY: MINISTRY_ROLES | ADMIN_ROLES,
    OrganisationKind.BUREAU: BUREAU_ROLES,
    OrganisationKind.AGENCY: frozenset({Role.ASSESSOR}),
    OrganisationKind.PROVIDER: PROVIDER_ROLES,
}


class FilingType(TextChoices):
    """Kinds of filings a verification form may accompany (form-contract, ``filing_type``)."""

    NEW_FILING = "new_filing", _("新增备案")
    NEW_WEBSITE = "new_website", _("新增网站")
    NEW_ACCESS = "new_access", _("新增接入")
    CHANGE = "change", _("变更备案")


class Province(IntegerChoices):
    """The 31 provinces with a communications administration, GB/T 2260 code of the first two digits.

    Official lists sort in this order, not by pinyin.
    """

    BEIJING = 11, _("北京市")
    TIANJIN = 12, _("天津市")
    HEBEI = 13, _("河北省")
    SHANXI = 14, _("山西省")
    NEIMENGGU = 15, _("内蒙古自治区")
    LIAONING = 21, _("辽宁省")
    JILIN = 22, _("吉林省")
    HEILONGJIANG = 23, _("黑龙江省")
    SHANGHAI = 31, _("上海市")
    JIANGSU = 32, _("江苏省")
    ZHEJIANG = 33, _("浙江省")
    ANHUI = 34, _("安徽省")
    FUJIAN = 35, _("福建省")
    JIANGXI = 36, _("江西省")
    SHANDONG = 37, _("山东省")
    HENAN = 41, _("河南省")
    HUBEI = 42, _("湖北省")
    HUNAN = 43, _("湖南省")
    GUANGDONG = 44, _("广东省")
    GUANGXI = 45, _("广西壮族自治区")
    HAINAN = 46, _("海南省")
    CHONGQING = 50, _("重庆市")
    SICHUAN = 51, _("四川省")
    GUIZHOU = 52, _("贵州省")
    YUNNAN = 53, _("云南省")
    XIZANG = 54, _("西藏自治区")
    SHAANXI = 61, _("陕西省")
    GANSU = 62, _("甘肃省")
    QINGHAI = 63, _("青海省")
    NINGXIA = 64, _("宁夏回族自治区")
    XINJIANG = 65, _("新疆维吾尔自治区")

    @property
    def code6(self) -> str:
        """The six-digit region code that forms carry, e.g. ``"110000"``."""
        return f"{self.value}0000"


class UnitStatusKind(TextChoices):
    """Status of a pilot unit over a dated range (register)."""

    ACTIVE = "active", _("试点中")
    SUSPENDED = "suspended", _("已暂停")
    REMOVED = "removed", _("已退出")
    COMPLETED = "completed", _("试点结束")


class WindowKind(TextChoices):
    """Phases of a programme that open and close by the clock."""

    APPLICATION = "application", _("申请阶段")
    REVIEW = "review", _("审查阶段")
    RUN = "run", _("试点运行阶段")


class ApiMode(TextChoices):
    """What a key is for: handing in, or trying out without anything being stored."""

    LIVE = "live", _("正式")
    TEST = "test", _("测试")


class ApiScope(TextChoices):
    """What a key may be used for."""

    SUBMIT = "forms.submit", _("上报核验单、查询上报批次")
    FIGURES = "figures.read", _("查询准确率、差错、整改和名录状态")


class DataGroup(TextChoices):
    """Personal data that are looked at together; which roles may, stands in the policy as ``[unmask]``."""

    CONTACT = "contact", _("单位联系人信息")
    ACCOUNT = "account", _("人员账号信息")
    STAFF = "staff", _("经办人姓名")
    FORM = "form", _("核验单内容")


class UnmaskReason(TextChoices):
    """Why somebody looks at what pages mask; closed, so that no personal data gets into the audit log."""

    CERTIFICATE = "certificate", _("核对证件信息")
    CONTACT = "contact", _("核对联系方式")
    ADDRESS = "address", _("核对地址")
    REACH = "reach", _("联系当事人员")
    ACCOUNT = "account", _("核对账号和身份")
    DISPUTE = "dispute", _("裁定两次检查的分歧")
    COMPLAINT = "complaint", _("处理申诉、投诉或举报")
    AUDIT = "audit", _("安全审计或监督检查")


class ExportReason(TextChoices):
    """Why a list with data of natural persons leaves the portal; closed for the same reason."""

    WORK = "work", _("办理事项或会商")
    REPORT = "report", _("向上级报送或统计")
    ARCHIVE = "archive", _("归档")
    AUDIT = "audit", _("安全审计或监督检查")
