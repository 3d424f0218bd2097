"""Client programs as a gateway sees them: header names in their order of arrival, and values.

Orders of the Python clients, aiohttp, requests and httpx are those that LiteLLM logs behind nginx; `fetch` (Node's
undici) and curl order theirs as their sources do. Header values that vary per request are filled in by `headers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

PROXY = ("host", "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "content-length")  # set by the edge, first


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client program and version."""

    name: str
    user_agent: str
    fixed: tuple[tuple[str, str], ...]  # after PROXY, in order of arrival; user-agent included
    people_weight: float  # share among people and small apps, any unit

    def headers(self, ip: str, body_bytes: int, retry: int = 0) -> dict[str, str]:
        """Headers of one request, in order of arrival."""
        out = {
            "host": "gateway.example.test",
            "x-forwarded-for": ip,
            "x-real-ip": ip,
            "x-forwarded-proto": "https",
            "content-length": str(body_bytes),
        }
        out.update(self.fixed)
        if retry and "x-stainless-retry-count" in out:
            out["x-stainless-retry-count"] = str(retry)
        return out


def _openai_python(
    version: str,
    *,
    is_async: bool,
    weight: float,
    os: str = "Linux",
    python: str = "3.11.7",
    timeout: str = "600",
    raw: bool = False,
    encoding: str = "gzip, deflate",
) -> Client:
    agent = f"{'Async' if is_async else ''}OpenAI/Python {version}"
    fixed = [
        ("accept-encoding", encoding), ("accept", "application/json"), ("content-type", "application/json"),
        ("user-agent", agent), ("x-stainless-lang", "python"), ("x-stainless-package-version", version),
        ("x-stainless-os", os), ("x-stainless-arch", "arm64" if os == "MacOS" else "x64"),
        ("x-stainless-runtime", "CPython"), ("x-stainless-runtime-version", python),
        ("x-stainless-async", "async:asyncio" if is_async else "false"),
    ]  # fmt: skip
    if raw:
        fixed.append(("x-stainless-raw-response", "true"))
    fixed += [("x-stainless-retry-count", "0"), ("x-stainless-read-timeout", timeout)]
    name = f"openai-python-{version}{'-async' if is_async else ''}{'-raw' if raw else ''}-{os.lower()}"
    return Client(name=name, user_agent=agent, fixed=tuple(fixed), people_weight=weight)


def _openai_node(version: str, runtime: str, weight: float, os: str = "Linux") -> Client:
    agent = f"OpenAI/JS {version}"
    fixed = (
        ("accept", "application/json"), ("content-type", "application/json"), ("user-agent", agent),
        ("x-stainless-retry-count", "0"), ("x-stainless-lang", "js"), ("x-stainless-package-version", version),
        ("x-stainless-os", os), ("x-stainless-arch", "arm64" if os == "MacOS" else "x64"),
        ("x-stainless-runtime", "node"), ("x-stainless-runtime-version", runtime), ("accept-language", "*"),
        ("sec-fetch-mode", "cors"), ("accept-encoding", "gzip, deflate"),
    )  # fmt: skip
    return Client(name=f"openai-node-{version}", user_agent=agent, fixed=fixed, people_weight=weight)


def _plain(name: str, agent: str, order: tuple[str, ...], weight: float, *extra: tuple[str, str]) -> Client:
    value = {
        "accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": agent, "content-type": "application/json",
    }  # fmt: skip
    return Client(name=name, user_agent=agent, fixed=(*((h, value[h]) for h in order), *extra), people_weight=weight)


_AIO = ("accept", "accept-encoding", "user-agent", "content-type")
_REQ = ("user-agent", "accept-encoding", "accept", "content-type")
_FETCH = ("content-type", "user-agent", "accept", "accept-encoding")

CLIENTS: dict[str, Client] = {
    client.name: client
    for client in (
        _openai_python("3.3.0", is_async=True, weight=16),
        _openai_python("3.54.0", is_async=False, weight=12, timeout="600.0"),
        _openai_python("3.54.0", is_async=True, weight=9, timeout="600.0", python="3.12.4"),
        _openai_python("2.20.0", is_async=False, weight=8, os="MacOS", python="3.12.4"),
        _openai_python("1.109.1", is_async=False, weight=7, os="Windows", python="3.10.11"),
        _openai_python("1.58.1", is_async=False, weight=4, python="3.10.12"),
        _openai_python("2.20.0", is_async=False, weight=8, timeout="600.0", raw=True),  # coding assistants on LiteLLM
        _openai_python("2.54.0", is_async=True, weight=0, timeout="6000.0", raw=True, encoding="gzip, deflate, zstd"),
        _openai_node("6.1.0", "v22.9.0", 9),
        _openai_node("4.104.0", "v20.18.1", 5, "MacOS"),
        _plain("aiohttp-3.13.5", "Python/3.11 aiohttp/3.13.5", _AIO, 7),
        _plain("aiohttp-3.14.5", "Python/3.11 aiohttp/3.14.5", _AIO, 4),
        _plain("httpx-0.28.1", "python-httpx/0.28.1", _AIO, 5),
        _plain("requests-2.34.2", "python-requests/2.34.2", _REQ, 6),
        _plain("curl-8.5.0", "curl/8.5.0", ("user-agent", "accept", "content-type"), 3),
        _plain("opencode", "opencode/0.15.3 ai-sdk/provider-utils/3.0.12 runtime/bun/1.3.0", _FETCH, 5),
        _plain("relay", "Go-http-client/2.0", ("accept", "content-type", "user-agent", "accept-encoding"), 2),
        _plain(
            "openrouter-like", "python-httpx/0.28.1", _AIO, 0,
            ("http-referer", "https://switchboard.example.test/"), ("x-title", "Switchboard"),
        ),
    )
}  # fmt: skip
HOP = "openai-python-2.54.0-async-raw-linux"  # what a LiteLLM proxy sends to the next gateway
_PEOPLE = [client for client in CLIENTS.values() if client.people_weight]
_WEIGHTS = [client.people_weight for client in _PEOPLE]
PEOPLE_WEIGHT = sum(_WEIGHTS)


def any_client(rng: Random) -> Client:
    """A client by its share among people and small apps."""
    return rng.choices(_PEOPLE, _WEIGHTS)[0]
