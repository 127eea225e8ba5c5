"""What the OpenAPI document says of each operation: parameters, bodies, answers and every refusal.

Shapes only; the rules of a form are in ``filings.rules`` and ``filings.intake``.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from filings.api import bodies
from filings.enums import FindingKind, FindingSource, FindingState, JobState, RectificationState
from filings.intake.decode import FileFormat
from filings.rules import ERRORS
from pilot.api.schema import refusals
from pilot.enums import UnitStatusKind

# Names that programs made from the document rely on; what people read stands in the settings, under TAGS.
TAG_FORMS: Final = "forms"
TAG_FIGURES: Final = "figures"
REFUSED_POSTS: Final = (400, 401, 403, 405, 408, 409, 413, 415, 422, 429, 500, 503, 507)


class RowError(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=sorted(ERRORS))
    field = serializers.CharField(help_text=_("JSON Pointer，空串表示整行"), allow_blank=True)
    message = serializers.CharField()


class RejectedRow(serializers.Serializer[Any]):
    row = serializers.IntegerField(min_value=1)
    form_no = serializers.CharField(allow_blank=True)
    errors = RowError(many=True)  # type: ignore[assignment]


class SubmissionResult(serializers.Serializer[Any]):
    job = serializers.UUIDField(allow_null=True, help_text=_("试运行和测试密钥时为空"))
    dry_run = serializers.BooleanField()
    rows = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectedRow(many=True)


class Job(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    done = serializers.BooleanField()
    name = serializers.CharField(allow_blank=True)
    format = serializers.ChoiceField(choices=[str(item) for item in FileFormat])
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    received_at = serializers.DateTimeField()
    dry_run = serializers.BooleanField()
    rows = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected_rows = serializers.IntegerField()
    code_counts = serializers.DictField(child=serializers.IntegerField())
    fault_code = serializers.CharField(
        allow_blank=True, help_text=_("失败原因的代码；以 file. 开头的是文件本身的问题，原样再次上报结果相同")
    )
    fault = serializers.CharField(allow_blank=True)
    rejects = serializers.CharField(allow_null=True, help_text=_("被拒行文件的地址，保留 30 天"))


class JobWithRows(Job):
    rejected = RejectedRow(many=True)


class JobList(serializers.Serializer[Any]):
    results = Job(many=True)


class Figure(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    met = serializers.BooleanField(allow_null=True)
    shown = serializers.CharField()


class Figures(serializers.Serializer[Any]):
    unit = serializers.CharField()
    period = serializers.CharField()
    as_of = serializers.DateTimeField()
    rule_version = serializers.CharField()
    m1 = Figure()
    m2 = Figure()
    pending = serializers.IntegerField()
    undeterminable = serializers.IntegerField()
    refused = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    late = serializers.IntegerField()


class FindingItem(serializers.Serializer[Any]):
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=FindingState.choices)
    form_no = serializers.CharField()
    source = serializers.ChoiceField(choices=FindingSource.choices)  # type: ignore[assignment]
    kind = serializers.ChoiceField(choices=FindingKind.choices)
    field = serializers.CharField()
    opened_at = serializers.DateTimeField()
    dispute_until = serializers.DateTimeField(allow_null=True)


class FindingList(serializers.Serializer[Any]):
    results = FindingItem(many=True)
    next = serializers.CharField(allow_null=True)


class RectificationItem(serializers.Serializer[Any]):
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=RectificationState.choices)
    round = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    answer_until = serializers.DateTimeField(allow_null=True)


class RectificationList(serializers.Serializer[Any]):
    results = RectificationItem(many=True)
    next = serializers.CharField(allow_null=True)


class UnitItem(serializers.Serializer[Any]):
    code = serializers.CharField()
    national_id = serializers.IntegerField()
    name = serializers.CharField()
    province = serializers.CharField()
    status = serializers.ChoiceField(choices=UnitStatusKind.choices, allow_null=True)
    enrolled_at = serializers.DateTimeField()
    licence_expires_on = serializers.DateField(allow_null=True)


ANY_FORM: Final = {"type": "object", "additionalProperties": True}
DRY_RUN: Final = OpenApiParameter(
    "dry_run", {"type": "string", "enum": ["true", "false"]}, description=_("只校验，不保存")
)
KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description=_("重试时使用同一个键，得到同一份答复；试运行时可省略"),
)
LANGUAGE: Final = OpenApiParameter(
    "Accept-Language",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description=_("答复中文字的语言：en 为英文，其他为中文"),
)
STATE: Final = OpenApiParameter("state", str)
AFTER: Final = OpenApiParameter(
    "after", {"type": "string", "pattern": "^[0-9]{1,18}$"}, description=_("上一页答复中的 next")
)
BINARY: Final = {"type": "string", "format": "binary"}
ONE_FILE: Final = {
    "type": "object",
    "properties": {bodies.PART: BINARY},
    "required": [bodies.PART],
    "additionalProperties": False,
}

FORMS_POST: Final[dict[str, Any]] = {
    "operation_id": "submitForms",
    "tags": [TAG_FORMS],
    "summary": _("上报核验单（一份、至多 1000 份的数组，或 NDJSON）"),
    "parameters": [DRY_RUN, KEY, LANGUAGE],
    "request": {
        "application/json": {
            "oneOf": [ANY_FORM, {"type": "array", "items": {}, "minItems": 1, "maxItems": 1000}]
        },
        "application/x-ndjson": {"type": "string"},
    },
    "responses": {200: SubmissionResult, **refusals(*REFUSED_POSTS)},
}
UPLOADS_GET: Final[dict[str, Any]] = {
    "operation_id": "listUploads",
    "tags": [TAG_FORMS],
    "summary": _("最近的上报批次"),
    "parameters": [LANGUAGE],
    "responses": {200: JobList, **refusals(400, 401, 403, 405, 429, 500, 503)},
}
UPLOADS_POST: Final[dict[str, Any]] = {
    "operation_id": "uploadFile",
    "tags": [TAG_FORMS],
    "summary": _("上报文件（NDJSON、CSV、XLSX、V3.0 XML，可用 gzip 或 zip 压缩）"),
    "parameters": [
        DRY_RUN,
        OpenApiParameter("format", {"type": "string", "enum": [str(item) for item in FileFormat]}),
        OpenApiParameter("encoding", {"type": "string", "enum": ["utf-8", "gbk", "gb18030"]}),
        OpenApiParameter("name", str, description=_("文件名，仅供显示")),
        KEY,
        LANGUAGE,
    ],
    "request": dict.fromkeys(bodies.TYPES, BINARY) | {bodies.MULTIPART: ONE_FILE},
    "responses": {202: Job, **refusals(*REFUSED_POSTS)},
}
UPLOAD_GET: Final[dict[str, Any]] = {
    "operation_id": "getUpload",
    "tags": [TAG_FORMS],
    "summary": _("一个上报批次的进度和结果"),
    "parameters": [LANGUAGE],
    "responses": {200: JobWithRows, **refusals(400, 401, 403, 404, 405, 429, 500, 503)},
}
REJECTS_GET: Final[dict[str, Any]] = {
    "operation_id": "getRejects",
    "tags": [TAG_FORMS],
    "summary": _("被拒行文件（与上报时格式相同，附错误列，改正后可重新上报）"),
    "parameters": [LANGUAGE],
    "responses": {
        (200, "application/octet-stream"): OpenApiResponse(BINARY, description=_("被拒行文件")),
        **refusals(400, 401, 403, 404, 405, 410, 429, 500, 503),
    },
}
ACCURACY_GET: Final[dict[str, Any]] = {
    "operation_id": "getAccuracy",
    "tags": [TAG_FIGURES],
    "summary": _("准确率"),
    "parameters": [
        OpenApiParameter(
            "period",
            {"type": "string", "pattern": "^(to-date|[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)$"},
            description=_("月、日或截至目前（默认）"),
        ),
        LANGUAGE,
    ],
    "responses": {200: Figures, **refusals(400, 401, 403, 405, 429, 500, 503)},
}
FINDINGS_GET: Final[dict[str, Any]] = {
    "operation_id": "listFindings",
    "tags": [TAG_FIGURES],
    "summary": _("差错"),
    "parameters": [
        OpenApiParameter("state", {"type": "string", "enum": FindingState.values}),
        AFTER,
        LANGUAGE,
    ],
    "responses": {200: FindingList, **refusals(400, 401, 403, 405, 429, 500, 503)},
}
RECTIFICATIONS_GET: Final[dict[str, Any]] = {
    "operation_id": "listRectifications",
    "tags": [TAG_FIGURES],
    "summary": _("整改通知"),
    "parameters": [
        OpenApiParameter("state", {"type": "string", "enum": RectificationState.values}),
        AFTER,
        LANGUAGE,
    ],
    "responses": {200: RectificationList, **refusals(400, 401, 403, 405, 429, 500, 503)},
}
UNIT_GET: Final[dict[str, Any]] = {
    "operation_id": "getUnit",
    "tags": [TAG_FIGURES],
    "summary": _("本单位在名录中的登记"),
    "parameters": [LANGUAGE],
    "responses": {200: UnitItem, **refusals(400, 401, 403, 405, 429, 500, 503)},
}


def query_names(operation: dict[str, Any]) -> frozenset[str]:
    """The query parameters an operation describes, which are all it takes."""
    return frozenset(one.name for one in operation["parameters"] if one.location == OpenApiParameter.QUERY)
