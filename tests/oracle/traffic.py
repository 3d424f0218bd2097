"""Small made-up exchanges for property tests: few different values, so that ties, repeats and gaps are common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from stillwatch.signals.registry import ALL

# Seconds between an exchange and the next: ties, and both sides of every limit that a signal has.
STEPS = (0, 0, 0.4, 1, 9, 10, 30, 60, 60.000001, 61, 1799.9, 1800, 1800.001, 3599, 3600, 40_000, 86_399, 86_400)
VALUES: Mapping[str, tuple[Any, ...]] = {
    "key": (None, "k1", "k1", "k2"),
    "latency_ms": (None, 0, 400, 1000, 10_000, 60_000),
    "status": (None, 200, 200, 429, 403, 500),
    "endpoint": (None, "chat", "chat", "embedding", "batch"),
    "stream": (None, False, True),
    "temperature": (None, 0.0, 0.0, 0.7),
    "n": (None, 1, 1, 4),
    "choices": (None, 1, 1, 2),
    "logprobs": (None, None, None, 0, 5),
    "params": (None, "m1", "m2"),
    "tokens_reasoning": (None, 0, 63, 64),
    "reasoning_bytes": (None, 0, 1),
    "answer_shape": (None, 0, 8, 16, 24),
    "ip": (None, "i1", "i2", "i3"),
    "ip_net": (None, "n1", "n2", "n3"),
    "tls": (None, "t1", "t2"),
    "header_order": (None, "h1", "h2"),
    "user_agent": (None, "u1", "u1", "u1", "u2"),
    "client": (None, "c1", "c2"),
    "app": (None, None, "p1"),
    "router_marks": (None, 0, 0, 2, 12),
    "turns": (None, 1, 1, 3),
    "system_head": (None, "s1", "s1", "s2"),
    "prompt": (None, "p1", "p1", "p2", "p3", "p4"),
    "head": (None, "h1", "h1", "h2"),
    "obfuscation": (None, 0, 0, 1, 20),
    "elicits": (
        None, [], ["reasoning"], ["reasoning"], ["judging"], ["task_synthesis"], ["rationale", "judging"],
        ["reasoning", "task_synthesis_weak"], ["task_synthesis_weak"], ["translation"],
        ["preference_synthesis"],
    ),
    "chain_self": (None, "q1", "q2", "q3"),
    "chain_given": (None, "c1", "c2", "c3"),
    "chain_parent": (None, "c1", "c2", "c3"),
    "end_user": (None, "e1", "e2"),
    "blobs_in": (None, [], ["r1"], ["r1", "r2"]),
    "blobs_out": (None, [], ["r1"], ["r3"]),
    "model": (None, "large", "large", "small"),
    "session": (None, "v1", "v2"),
    "tail": (None, "l1", "l2"),
    "cell": (None, 1, 2),
    "refused": (None, False, True),
    "max_tokens": (None, 10, 4096),
    "tokens_in": (None, 0, 10),
    "tokens_out": (None, 0, 10),
    "language": (None, 0, 1, 2, 3),
    "script": (None, 0, 1, 2),
}  # fmt: skip
COLUMNS_OF: Mapping[str, str] = {
    "SG101": "elicits", "SG102": "elicits tokens_reasoning reasoning_bytes answer_shape stream",
    "SG103": "system_head head", "SG104": "prompt", "SG105": "elicits", "SG106": "obfuscation",
    "SG107": "prompt n choices logprobs temperature turns", "SG108": "prompt", "SG109": "blobs_in blobs_out",
    "SG110": "system_head head elicits stream reasoning_bytes", "SG111": "system_head head prompt",
    "SG201": "latency_ms stream", "SG202": "latency_ms", "SG203": "", "SG204": "", "SG205": "", "SG206": "",
    "SG301": "key ip_net user_agent", "SG302": "system_head params client user_agent app end_user language",
    "SG303": "", "SG304": "", "SG305": "chain_given chain_parent", "SG401": "status chain_self", "SG402": "ip",
    "SG403": "client header_order user_agent tls", "SG404": "router_marks", "SG405": "user_agent endpoint",
}  # fmt: skip


def columns_of(signal: str) -> list[str]:
    """The columns that a signal reads; of a new one, those that its code names."""
    if signal in COLUMNS_OF:
        return COLUMNS_OF[signal].split()
    return [c for c in VALUES if c in ALL[signal].measure.__code__.co_names + ALL[signal].measure.__code__.co_consts]


class Traffic(NamedTuple):
    """Exchanges, accounts and the linked sets among them, as tests/vectors/loader.py takes them."""

    rows: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    sets: list[list[str]]


@st.composite
def traffic(draw: st.DrawFn, signal: str, most: int = 14) -> Traffic:
    """A few exchanges with the columns that a signal reads, and a few accounts."""
    crowd = signal == "SG405"  # says something from eight accounts on one client on
    names = [f"u{i}" for i in range(9)] if crowd else ["a", "b", "c"]
    columns = columns_of(signal)
    joint = signal == "SG206"  # says something from five joint seconds on
    steps, most = ((0, 0, 1, 1, 1800), 4 * most) if joint else (STEPS, most)
    row = st.fixed_dictionaries(
        {"account": st.sampled_from(names), "step": st.sampled_from(steps)}
        | {c: st.sampled_from(VALUES[c]) for c in columns}
    )
    drawn = draw(st.lists(row, min_size=most // 2 if joint else 1, max_size=most))
    if crowd:
        more = draw(st.lists(st.sampled_from(["embedding", "embedding", "chat"]), min_size=9, max_size=9))
        drawn += [
            {"account": a, "step": 1, "user_agent": "u1", "endpoint": e} for a, e in zip(names, more, strict=True)
        ]
    rows, at = [], 0.0
    for i, given in enumerate(drawn):
        at += given.pop("step")
        rows.append({"exchange_id": f"x{(i * 7) % 101:03}", **given, "at": round(at * 1e6), "line": i + 1})
    card = st.sampled_from([None, "card1", "card2"])
    known = st.fixed_dictionaries(
        {
            "created_s": st.sampled_from([None, 0, 3000, 3600, 90_000]), "payment": card,
            "signup_ip": st.sampled_from([None, "i1", "i2"]), "email": st.sampled_from([None, "m1"]),
        }
    )  # fmt: skip
    accounts = [{"account": a, **draw(known)} for a in names[:3]]
    sets = draw(st.sampled_from([[], [["a", "b"], ["c"]], [["a", "b", "c"]]]))
    return Traffic(rows, accounts, [] if crowd else sets)
