"""Pieces of the OpenAPI document that every operation shares: problem answers, the key, the limit's headers."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from pilot import problems


class ProblemError(serializers.Serializer[Any]):
    parameter = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    instance = serializers.CharField(allow_blank=True)
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]


def refusals(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problem answers of these statuses, each naming its codes."""
    return {
        (status, problems.CONTENT_TYPE): OpenApiResponse(
            Problem,
            description="、".join(
                f"{code}（{meaning.zh}）"
                for code, meaning in problems.PROBLEMS.items()
                if meaning.status == status
            ),
        )
        for status in statuses
    }


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The key as a security scheme."""

    target_class = "pilot.api.door.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "live_… / test_…"}


LIMIT_HEADERS: Final = {
    "RateLimit-Policy": {"schema": {"type": "string"}},
    "RateLimit": {"schema": {"type": "string"}},
}


def add_headers(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Postprocessing hook: the limit's headers on every answer but 401, which comes before the call is counted.

    Operations are described by their summary; docstrings speak to those who read the code.
    """
    for path in result["paths"].values():
        for operation in path.values():
            operation.pop("description", None)
            for status, response in operation["responses"].items():
                if status != "401":
                    response["headers"] = dict(LIMIT_HEADERS)
    return result
