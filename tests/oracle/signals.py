"""Every unit signal once more, in plain Python loops, from the docstrings and not from the expressions.

A row is a dictionary of `tables.SKETCH` columns with words for hashes, times in microseconds, and class names in
`elicits`, as tests/vectors/loader.py writes it. An oracle gets the rows of one unit and returns (value, n), or None.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from stillwatch.sketch.elicitation import CLASSES, STRONG

Row = Mapping[str, Any]
Rows = Sequence[Row]
Answer = tuple[float, int] | None
JUDGING = {"judging", "preference_synthesis", "data_filtering", "boundary_mapping"}
STRONG_CLASSES = {name for name, bit in CLASSES.items() if int(STRONG) >> bit & 1} - JUDGING
HOUR = 3600 * 1_000_000
HALF_HOUR = HOUR // 2


class World(NamedTuple):
    """What lies outside the unit: all rows, and when accounts were opened (microseconds)."""

    rows: Rows
    created: Mapping[str, int]


def in_order(rows: Rows) -> list[Row]:
    """By time; exchanges of one instant by their id."""
    return sorted(rows, key=lambda r: (r["at"], r["exchange_id"]))


def share(flags: Sequence[bool]) -> Answer:
    """Part that is true, and of how many."""
    return (sum(flags) / len(flags), len(flags)) if flags else None


def is_material(row: Row) -> bool:
    asked = set(row["elicits"])
    return bool(asked & STRONG_CLASSES)


def is_trace(row: Row) -> bool:
    thought = (row.get("tokens_reasoning") or 0) >= 64 or (row.get("reasoning_bytes") or 0) > 0
    tagged = bool((row.get("answer_shape") or 0) & 16)
    return "reasoning" in row["elicits"] and (tagged or (thought and not row.get("stream")))


def texts(rows: Rows) -> list[Row]:
    return [r for r in rows if r.get("elicits") is not None]


def material_share(rows: Rows, world: World) -> Answer:
    return share([is_material(r) for r in texts(rows)])


def trace_share(rows: Rows, world: World) -> Answer:
    return share([is_trace(r) for r in texts(rows)])


def judging_share(rows: Rows, world: World) -> Answer:
    return share([bool(JUDGING & set(r["elicits"])) for r in texts(rows)])


def template_concentration(rows: Rows, world: World) -> Answer:
    fillings = Counter((r.get("system_head"), r["head"]) for r in rows if r.get("head") is not None)
    return (max(fillings.values()) / fillings.total(), fillings.total()) if fillings else None


def coverage_growth(rows: Rows, world: World) -> Answer:
    asked = [r["prompt"] for r in in_order(rows) if r.get("prompt") is not None]
    late = [prompt not in asked[:i] for i, prompt in enumerate(asked) if 2 * i >= len(asked)]
    return (sum(late) / len(late), len(asked)) if late else None


def disguised_text(rows: Rows, world: World) -> Answer:
    return share([r["obfuscation"] > 0 for r in rows if r.get("obfuscation") is not None])


def repeated_sampling(rows: Rows, world: World) -> Answer:
    flags, seen = [], set()
    for r in in_order(rows):
        many = (r.get("n") or 1) > 1 or (r.get("choices") or 1) > 1 or (r.get("logprobs") or 0) > 0
        warm = r.get("temperature") is None or r["temperature"] > 0
        first_turn = r.get("turns") is None or r["turns"] == 1
        prompt = r.get("prompt")
        flags.append(many or (warm and first_turn and prompt is not None and prompt in seen))
        seen.add(prompt)
    return share(flags)


def revisits(rows: Rows, world: World) -> Answer:
    first: dict[str, int] = {}
    flags = []
    for r in in_order(rows):
        if r.get("prompt") is not None:
            flags.append(r["at"] - first.setdefault(r["prompt"], r["at"]) >= HOUR)
    return share(flags)


def without_replacement(rows: Rows, world: World) -> Answer:
    shared = defaultdict(list)
    for r in rows:
        if r.get("head") is not None and r.get("prompt") is not None:
            shared[r.get("system_head"), r["head"]].append(r)
    chances = collisions = n = 0
    for group in shared.values():
        across = [(x, y) for i, x in enumerate(group) for y in group[i + 1 :] if x["account"] != y["account"]]
        chances += len(across)
        collisions += sum(x["prompt"] == y["prompt"] for x, y in across)
        n += len(group) if across else 0
    return (math.log10((chances + 1) / (collisions + 1)), n) if n else None


def end_of(row: Row) -> int:
    return int(row["at"] + row["latency_ms"] * 1000)


def unattended(rows: Rows, world: World) -> Answer:
    timed = [r for r in in_order(rows) if r.get("latency_ms") is not None]
    return share([any(end_of(b) > r["at"] for b in timed[:i]) and not r.get("stream") for i, r in enumerate(timed)])


def no_pause(rows: Rows, world: World) -> Answer:
    timed = [r for r in in_order(rows) if r.get("latency_ms") is not None]
    idle = busy = n = 0
    for i, r in enumerate(timed[1:], start=1):
        until = max(end_of(b) for b in timed[:i])
        if r["at"] - until > HALF_HOUR:
            continue
        n += 1
        idle += max(r["at"] - until, 0)
        busy += max(end_of(r) - max(until, r["at"]), 0)
    return (busy / (idle + busy), n) if idle + busy else None


def round_the_clock(rows: Rows, world: World) -> Answer:
    if len({r["at"] // (24 * HOUR) for r in rows}) < 3:
        return None
    return len({r["at"] // HOUR % 24 for r in rows}) / 24, len(rows)


def no_ramp(rows: Rows, world: World) -> Answer:
    known = [r for r in rows if r["account"] in world.created]
    ages = [r["at"] - world.created[r["account"]] for r in known]
    if not known or max(ages) < 24 * HOUR:
        return None
    first = min(r["at"] for r in known) - min(world.created[r["account"]] for r in known)
    if not -HOUR <= first < 24 * HOUR:
        return None
    rate = Counter(r["at"] // HOUR for r in known)
    young = {r["at"] // HOUR for r, age in zip(known, ages, strict=True) if age < 24 * HOUR}
    return max((rate[h] for h in young), default=0) / max(rate.values()), len(known)


def metronome(rows: Rows, world: World) -> Answer:
    at = [r["at"] for r in in_order(rows)]
    gaps = [b - a for a, b in pairwise(at) if b - a < HALF_HOUR]
    if not sum(gaps):
        return None
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps))
    return max(0.0, 1 - deviation / mean), len(gaps)


def key_fan_out(rows: Rows, world: World) -> Answer:
    keys = defaultdict(list)
    for r in rows:
        if r.get("key") is not None:
            keys[r["key"]].append(r)

    def spread(own: Rows) -> int:
        nets = {r["ip_net"] for r in own if r.get("ip_net") is not None}
        agents = {r["user_agent"] for r in own if r.get("user_agent") is not None}
        return max(len(nets) - 1, 0) + max(len(agents) - 1, 0)

    if not keys:
        return None
    widest, n = max((spread(own), len(own)) for own in keys.values())
    return 100 * widest / max(n, 100), n


def many_users(rows: Rows, world: World) -> Answer:
    def program(r: Row) -> str | None:
        return r["client"] if r.get("client") is not None else r.get("user_agent")

    kinds = Counter((r.get("system_head"), r.get("params"), program(r), r.get("app")) for r in rows)
    users = Counter(r["end_user"] for r in rows if r.get("end_user") is not None)
    counted = [sum(min(k / (0.03 * len(rows)), 1.0) for k in c.values() if k >= 3) for c in (kinds, users)]
    return max(counted), len(rows)


def router_marks(rows: Rows, world: World) -> Answer:
    return share([r["router_marks"] > 0 for r in rows if r.get("router_marks") is not None])


def missing_companions(rows: Rows, world: World) -> Answer:
    own = [r for r in rows if r.get("user_agent") is not None]
    calls: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for r in world.rows:
        if r.get("user_agent") is not None:
            calls[r["user_agent"]][r["account"]].add(r.get("endpoint") or "chat")
    absent = set()
    for agent in {r["user_agent"] for r in own}:
        people = list(calls[agent].values())
        made = {r.get("endpoint") or "chat" for r in own if r["user_agent"] == agent}
        for kind in {k for c in people for k in c}:
            if len(people) >= 8 and 10 * sum(kind in c for c in people) >= 8 * len(people) and kind not in made:
                absent.add(kind)
    return (float(len(absent)), len(own)) if own else None


ORACLES: Mapping[str, Callable[[Rows, World], Answer]] = {
    "SG101": material_share, "SG102": trace_share, "SG103": template_concentration, "SG104": coverage_growth,
    "SG105": judging_share, "SG106": disguised_text, "SG107": repeated_sampling, "SG108": revisits,
    "SG111": without_replacement, "SG201": unattended, "SG202": no_pause, "SG203": round_the_clock,
    "SG204": no_ramp, "SG205": metronome, "SG301": key_fan_out, "SG302": many_users, "SG404": router_marks,
    "SG405": missing_companions,
}  # fmt: skip
