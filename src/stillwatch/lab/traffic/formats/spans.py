"""One span in OTLP/JSON, as an OpenTelemetry collector writes it to a file: a line for each batch of spans."""

from __future__ import annotations

from typing import Any

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json


def value(given: Any) -> Json:
    """An attribute value; 64-bit integers are strings in OTLP/JSON."""
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(v) for v in given]}}
    return {"stringValue": str(given)}


def attributes(given: Json) -> list[Json]:
    """Attributes that are not None."""
    return [{"key": k, "value": value(v)} for k, v in given.items() if v is not None]


def caller(line: Json) -> Json:
    """Attributes that say who called, as a gateway's own instrumentation sets them."""
    return {
        "user.id": line["metadata"]["user_api_key_user_id"],
        "client.address": line["requester_ip_address"],
        "user_agent.original": line["user_agent"],
        "http.response.status_code": parts.status(line),
    }


def span(line: Json, name: str, own: Json, events: list[Json] | None = None) -> Json:
    """A line of the collector's file with one span."""
    failed = parts.status(line) != 200
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes({"service.name": "gateway"})},
                "scopeSpans": [
                    {
                        "scope": {"name": "gateway"},
                        "spans": [
                            {
                                "traceId": line["trace_id"].replace("-", ""),
                                "spanId": line["litellm_call_id"].replace("-", "")[:16],
                                "parentSpanId": "",
                                "name": name,
                                "kind": 3,
                                "startTimeUnixNano": nanoseconds(line["startTime"]),
                                "endTimeUnixNano": nanoseconds(line["endTime"]),
                                "attributes": attributes(own),
                                "events": events or [],
                                "status": {"code": 2} if failed else {},
                            }
                        ],
                    }
                ],
            }
        ]
    }


def nanoseconds(seconds: float) -> str:
    """A time in nanoseconds since 1970, as OTLP/JSON writes it."""
    return str(round(seconds * 1e6) * 1000)
