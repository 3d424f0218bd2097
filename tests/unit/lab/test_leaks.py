"""No single metadata field may give the label away: AUC <= 0.75 for each, or the benchmark measures the generator."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Any

import orjson
import pytest

from stillwatch.lab.traffic.generate import build

CEILING = 0.75  # DESIGN section 8
SMOOTHING = 2.0  # pseudo-observations at the base rate: a category seen once says nothing


def numeric_auc(attack: list[float], honest: list[float]) -> float:
    """Chance that the field orders a random pair rightly, whichever way round; ties count half."""
    both = sorted([(x, 1) for x in attack] + [(x, 0) for x in honest])
    wins, honest_below, i = 0.0, 0, 0
    while i < len(both):
        j = i
        while j < len(both) and both[j][0] == both[i][0]:
            j += 1
        a = sum(label for _, label in both[i:j])
        h = (j - i) - a
        wins += a * (honest_below + h / 2)
        honest_below += h
        i = j
    area = wins / (len(attack) * len(honest))
    return max(area, 1 - area)


def category_auc(attack: list[str], honest: list[str]) -> float:
    """As above for categories, each replaced by its attack rate among the *other* members (target encoding).

    Both members of a pair are left out of the rates, so a field of unique values stands at 0.5 and not at 0 or 1.
    """
    a, h = Counter(attack), Counter(honest)
    base = len(attack) / (len(attack) + len(honest))
    wins = 0.0
    for c, ac in a.items():
        rate_c = (ac - 1 + SMOOTHING * base) / (ac - 1 + h[c] + SMOOTHING)
        for d, hd in h.items():
            if c == d:
                wins += ac * hd / 2
                continue
            rate_d = (a[d] + SMOOTHING * base) / (a[d] + hd - 1 + SMOOTHING)
            wins += ac * hd * (1.0 if rate_c > rate_d + 1e-12 else 0.5 if rate_c >= rate_d - 1e-12 else 0.0)
    return wins / (len(attack) * len(honest))


def fields(row: dict[str, Any]) -> dict[str, Any]:
    """Every metadata field of one exchange: numbers stay numbers, all else is a category."""
    headers = row["metadata"]["requester_metadata"]["headers"]
    params = row["model_parameters"]
    messages = row["messages"]
    hour = row["startTime"] // 3600
    out: dict[str, Any] = {
        key: row[key]
        for key in ("call_type", "stream", "status", "custom_llm_provider", "model_group", "cache_hit", "end_user",
                    "requester_ip_address", "user_agent", "x_request_url_path")
    }  # fmt: skip
    ip = row["requester_ip_address"]
    out.update(
        prompt_tokens=float(row["prompt_tokens"]), completion_tokens=float(row["completion_tokens"]),
        total_tokens=float(row["total_tokens"]), response_cost=row["response_cost"],
        latency=row["endTime"] - row["startTime"],
        response_time=row["response_time"], messages=float(len(messages)), system=messages[0]["role"] == "system",
        roles=",".join(m["role"] for m in messages[:3]), hour=float(hour % 24), night=float(hour % 24 < 6),
        weekend=float(hour // 24 % 7 in (2, 3)), failed=float(row["status"] == "failure"),
        has_user=row["end_user"] is not None,
        network=ip.rsplit(":", 3)[0] if ":" in ip else ip.rsplit(".", 1)[0], header_names=",".join(headers),
        body_bytes=float(headers["content-length"]), key=row["metadata"]["user_api_key_hash"],
        details=str(sorted(row["metadata"]["usage_object"])), params=",".join(sorted(params)),
        choices=float(len(row["response"].get("choices", ()))), minute_s=row["startTime"] % 60,
        extra_keys=",".join(sorted({k for m in messages for k in m})),
    )  # fmt: skip
    for key, value in params.items():
        out["param " + key] = orjson.dumps(value).decode()
    for key, value in headers.items():
        if key not in ("content-length", "x-forwarded-for", "x-real-ip"):
            out["header " + key] = value
    for choice in row["response"].get("choices", ())[:1]:
        out["finish_reason"] = choice["finish_reason"]
        out["has_reasoning"] = "reasoning_content" in choice["message"]
        out["response_keys"] = ",".join(sorted(choice["message"]))
    out["response_fields"] = ",".join(sorted(row["response"]))
    return out


def table_auc(units: list[dict[str, Any]], labels: list[bool]) -> dict[str, float]:
    found = {}
    for name in sorted({k for unit in units for k in unit}):
        values = [unit.get(name) for unit in units]
        if all(v is None or isinstance(v, float) for v in values):
            attack = [v for v, bad in zip(values, labels, strict=True) if bad and v is not None]
            honest = [v for v, bad in zip(values, labels, strict=True) if not bad and v is not None]
            if attack and honest:
                found[name] = numeric_auc(attack, honest)
        else:
            words = [str(v) for v in values]
            found[name] = category_auc(
                [v for v, bad in zip(words, labels, strict=True) if bad],
                [v for v, bad in zip(words, labels, strict=True) if not bad],
            )
    return found


def per_account(rows: list[dict[str, Any]], record: dict[str, Any]) -> dict[str, Any]:
    """Means of numbers, commonest categories, how many distinct values, and the account's own columns."""
    seen: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for key, value in fields(row).items():
            seen[key].append(value)
    out: dict[str, Any] = {}
    for key, values in seen.items():
        if isinstance(values[0], float):
            out[f"mean {key}"] = statistics.fmean(values)
        else:
            words = [str(v) for v in values]
            out[f"usual {key}"] = Counter(words).most_common(1)[0][0]
            out[f"distinct {key}"] = float(len(set(words)))
    days = Counter(int(row["startTime"] // 86_400) for row in rows)
    out["requests"] = float(len(rows))
    out["active days"] = float(len(days))
    out["requests a day"] = len(rows) / len(days)
    out["busiest day"] = float(max(days.values()))
    out["first seen"] = min(row["startTime"] for row in rows)
    out["last seen"] = max(row["startTime"] for row in rows)
    for key, value in record.items():
        if key == "created_at":
            out["account created_at"] = float(value)
        elif key == "signup_ip":
            out["account signup network"] = value.rsplit(".", 1)[0]
            out["account signup_ip"] = value
        else:
            out["account " + key] = value if isinstance(value, str) else str(value)
    return out


def worst(found: dict[str, float]) -> str:
    top = sorted(found.items(), key=lambda item: -item[1])
    return "; ".join(f"{name} {area:.3f}" for name, area in top if area > CEILING) or "none"


@pytest.fixture(scope="module", params=[7, 8, 9])
def any_fortnight(request, fortnight):
    return fortnight if request.param == 7 else build(request.param)


def test_no_field_of_an_account_separates_campaigns_from_the_rest(any_fortnight):
    world, truth = any_fortnight
    rows = defaultdict(list)
    for line in world.lines:
        rows[line.account_id].append(orjson.loads(line.data))
    ids = [i for i in sorted(rows) if truth.accounts[i].role != "router"]
    units = [per_account(rows[i], world.accounts[i].record) for i in ids]
    found = table_auc(units, [truth.accounts[i].role == "campaign" for i in ids])
    assert max(found.values()) <= CEILING, worst(found)


def test_no_field_of_an_exchange_separates_the_harvest_from_the_rest_of_the_router(any_fortnight):
    world, truth = any_fortnight
    harvest = set(truth.campaigns["routed"].exchange_ids)
    router = truth.campaigns["routed"].accounts[0]
    lines = [line for line in world.lines if line.account_id == router]
    found = table_auc(
        [fields(orjson.loads(line.data)) for line in lines], [line.exchange_id in harvest for line in lines]
    )
    assert max(found.values()) <= CEILING, worst(found)


def test_the_measure_sees_a_planted_leak_and_stays_at_half_for_unique_values():
    # By hand: every attack value is above every honest one, so all pairs are ordered rightly.
    assert numeric_auc([3.0, 4.0], [1.0, 2.0]) == 1.0
    # One of four pairs is a tie, two are right, one is wrong: (2 + 0.5) / 4.
    assert numeric_auc([1.0, 3.0], [1.0, 2.0]) == 0.625
    assert category_auc(["x"] * 9, ["y"] * 9) == 1.0
    assert category_auc(["a", "b"], ["c", "d"]) == 0.5
    assert category_auc(["same"] * 3, ["same"] * 7) == 0.5
