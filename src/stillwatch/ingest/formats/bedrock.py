"""AWS Bedrock model-invocation logs (schemaType ModelInvocationLog), from S3 or CloudWatch.

The account is the calling principal (identity.arn), else the AWS account. Bodies above 100 KB lie in S3 objects of
their own (inputBodyS3Path): such an exchange comes without text. Streamed output is logged as a list of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies
from stillwatch.ingest.formats.base import Format, count, first, mapping, names, text, time_us, total, unjson

_ERRORS = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "ServiceQuotaExceededException": 400,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record says that it is one, or is a CloudWatch event around one."""
    return record.get("schemaType") == "ModelInvocationLog" or (
        isinstance(record.get("message"), str) and '"ModelInvocationLog"' in record["message"][:400]
    )


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The one exchange of an invocation."""
    if "schemaType" not in record:
        record = mapping(record["message"])
    given, taken = mapping(record.get("input")), mapping(record.get("output"))
    asked = mapping(given.get("inputBodyJson"))
    operation = str(record.get("operation", ""))
    tags = mapping(record.get("requestMetadata"))
    wanted = bodies.request(asked) if asked else {}
    arn = mapping(record.get("identity")).get("arn")
    error = record.get("errorCode")
    out: dict[str, Any] = {
        **wanted,
        **bodies.response(unjson(taken.get("outputBodyJson"))),
        "exchange_id": record.get("requestId"),
        "at": time_us(record.get("timestamp"), "timestamp"),
        "account_id": first(arn, record.get("accountId")),
        "model": _model(record.get("modelId")),
        "org_id": record.get("accountId"),
        "end_user_id": text(first(wanted.get("end_user_id"), tags.get("user_id"), tags.get("user"))),
        "session_id": text(first(wanted.get("session_id"), tags.get("session_id"))),
        "endpoint": "chat" if operation.startswith("Converse") else _endpoint(record, asked),
        "stream": "Stream" in operation,
        "status": _ERRORS.get(str(error), 500) if error else 200,
    }
    logged = total(
        given.get("inputTokenCount"), given.get("cacheReadInputTokenCount"), given.get("cacheWriteInputTokenCount")
    )
    for column, value in (
        ("tokens_in", logged),
        ("tokens_out", count(taken.get("outputTokenCount"))),
        ("tokens_cached", count(given.get("cacheReadInputTokenCount"))),
    ):
        if value is not None:
            out[column] = value
    yield out


def _model(model_id: Any) -> Any:
    """Model name without the ARN around it."""
    return model_id.rsplit("/", 1)[-1] if isinstance(model_id, str) else model_id


def _endpoint(record: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    if "embed" in str(record.get("modelId", "")).lower():
        return "embedding"
    return bodies.endpoint_of(None, asked) or "other"


FORMAT = Format(
    name="bedrock",
    title="AWS Bedrock model-invocation log",
    docs="Switch on model invocation logging with text, and send `requestMetadata` (user_id, session_id) "
    "with each call. Addresses and user agents are in CloudTrail, not here.",
    provides=names(
        "exchange_id at account_id model org_id end_user_id session_id endpoint stream temperature logprobs max_tokens "
        "reasoning_effort tools tokens_in tokens_out tokens_cached status refused messages response "
        "response_extra reasoning choices finish_reason reasoning_blobs_in reasoning_blobs_out"
    ),
    detect=detect,
    exchanges=exchanges,
)
