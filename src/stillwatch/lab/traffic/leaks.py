"""Leak audit: does a single metadata field give the label away? Then the benchmark would measure the generator.

Metadata is every field that is no text: times, sizes, settings, headers, addresses, and the columns of the accounts
table. Prompts and answers are what detection reads; their lengths count as metadata. The area under the ROC curve
(AUC) of each field is worked out for accounts (of a campaign against honest ones) and, inside accounts that hold both,
for exchanges (harvest against the others). Each campaign counts alike, and categories are ranked by their rate in the
other campaigns: what is common to one campaign links its accounts, which is evidence and no leak.
"""

from __future__ import annotations

import hashlib
import statistics
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from stillwatch.lab.traffic.world import Line

CEILING: Final = 0.75  # DESIGN section 8
SMOOTHING: Final = 2.0  # pseudo-observations at the base rate: a category seen once says nothing
LEAST: Final = 4  # campaigns below which a mean over them says nothing
SAMPLE: Final = 30_000  # exchanges that are looked at: all of some accounts, chosen by a digest of their names
BESIDE: Final = 300  # honest exchanges of one account that its harvest is compared with


class Area(NamedTuple):
    """AUC of a field, whichever way round, and its standard error over the campaigns."""

    auc: float
    error: float

    @classmethod
    def of(cls, areas: list[float]) -> Area:
        """The mean over campaigns."""
        mean = statistics.fmean(areas)
        error = statistics.stdev(areas) / len(areas) ** 0.5 if len(areas) > 1 else 0.5
        return cls(round(max(mean, 1 - mean), 4), round(error, 4))

    @property
    def leaks(self) -> bool:
        """Above the ceiling by more than its own error: with six campaigns a mean of 0.78 may be chance."""
        return self.auc - self.error > CEILING


def numeric_auc(attack: list[float], honest: list[float]) -> float:
    """Chance that a random attack value is above a random honest one; ties count half."""
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
    return wins / (len(attack) * len(honest))


def category_auc(attack: list[str], honest: list[str], others: list[str]) -> float:
    """As above for categories, each replaced by its rate in the *other* campaigns against honest members.

    What the members of one campaign have in common links them, and is what detection may use; it would be a leak only
    if it told them from honest members to somebody who has seen other campaigns.
    """
    known, h = Counter(others), Counter(honest)
    base = len(others) / max(len(others) + len(honest), 1)

    def rate(c: str, less: int) -> float:
        return (known[c] + SMOOTHING * base) / (known[c] + max(h[c] - less, 0) + SMOOTHING)

    wins = 0.0
    for c, ac in Counter(attack).items():
        for d, hd in h.items():
            if c == d:
                wins += ac * hd / 2
                continue
            mine, theirs = rate(c, 0), rate(d, 1)
            wins += ac * hd * (1.0 if mine > theirs + 1e-12 else 0.5 if mine >= theirs - 1e-12 else 0.0)
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
        body_bytes=float(headers["content-length"]),
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


def table_auc(units: list[dict[str, Any]], labels: list[str | None], hosts: list[str] | None = None) -> dict[str, Area]:
    """AUC of each field: the mean over campaigns of each against honest units, whichever way round it is.

    Args:
        labels: the campaign of each unit, None for honest ones, (units,).
        hosts: account of each unit, (units,): a campaign is then held against what is honest in its own accounts, so
            that what tells one account from another is not taken for what tells harvest from the rest.
    """
    found = {}
    campaigns = sorted({c for c in labels if c is not None})
    mine: dict[str, set[str]] = {c: set() for c in campaigns}
    for host, label in zip(hosts or (), labels, strict=False):
        if label is not None:
            mine[label].add(host)
    against = {
        c: [i for i, label in enumerate(labels) if label is None and (hosts is None or hosts[i] in mine[c])]
        for c in campaigns
    }
    attacks = {c: [i for i, label in enumerate(labels) if label == c] for c in campaigns}
    for name in sorted({k for unit in units for k in unit}):
        values = [unit.get(name) for unit in units]
        numeric = all(v is None or isinstance(v, float) for v in values)
        areas: list[float] = []
        for c in campaigns:
            attack, honest = [values[i] for i in attacks[c]], [values[i] for i in against[c]]
            if not honest:
                continue
            if numeric:
                a, h = [v for v in attack if v is not None], [v for v in honest if v is not None]
                if a and h:
                    areas.append(numeric_auc(a, h))
            else:
                others = [str(values[i]) for d in campaigns if d != c for i in attacks[d]]
                areas.append(category_auc([str(v) for v in attack], [str(v) for v in honest], others))
        if areas:
            found[name] = Area.of(areas)
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


@dataclass(slots=True)
class Audit:
    """Gathers exchanges while they are written; `report` says what their fields give away."""

    expected: int  # exchanges that will be written
    _rows: dict[str, list[tuple[bytes, str | None]]] = field(default_factory=lambda: defaultdict(list))  # packed

    def add(self, line: Line) -> None:
        """Take a line, if its account is in the sample."""
        digest = hashlib.blake2b(line.account_id.encode(), digest_size=4).digest()
        if int.from_bytes(digest, "big") * self.expected <= SAMPLE << 32:
            self._rows[line.account_id].append((zlib.compress(line.data, 1), line.tag))

    def report(self, records: Mapping[str, Mapping[str, Any]], roles: Mapping[str, str]) -> dict[str, Any]:
        """[AUC, standard error] of every field, worst first, and what a decision tree makes of all together.

        Args:
            records: account id -> its row of the accounts table.
            roles: account id -> role in the ground truth; routers, resellers and victims hold both kinds and are left
                out of the comparison of accounts.
        """
        units: list[dict[str, Any]] = []
        guilty: list[str | None] = []
        exchanges: list[dict[str, Any]] = []
        harvest: list[str | None] = []
        hosts: list[str] = []
        for account, rows in self._rows.items():
            read = [orjson.loads(zlib.decompress(packed)) for packed, _ in rows]
            tags = [tag for _, tag in rows]
            if any(tags) and not all(tags):
                others = [i for i, tag in enumerate(tags) if tag is None]
                kept = sorted([i for i, tag in enumerate(tags) if tag] + others[:: len(others) // BESIDE + 1])
                exchanges += [fields(read[i]) for i in kept]
                harvest += [tags[i] for i in kept]
                hosts += [account] * len(kept)
            if roles[account] == "honest" or (roles[account] == "campaign" and any(tags)):
                units.append(per_account(read, dict(records[account])))
                guilty.append(next((tag for tag in tags if tag), None))
        leaks: list[str] = []
        found: dict[str, Any] = {"ceiling": CEILING, "exchanges": len(exchanges), "accounts": len(units)}
        for level, table, labels, of in (("account", units, guilty, None), ("exchange", exchanges, harvest, hosts)):
            enough = len({c for c in labels if c}) >= LEAST and None in labels
            areas = table_auc(table, labels, of) if enough else {}
            ordered = sorted(areas.items(), key=lambda item: -item[1].auc)
            found[level] = {name: list(area) for name, area in ordered}
            found[f"{level}_tree"] = tree_auc(table, [c is not None for c in labels]) if areas else None
            leaks += [f"{level}: {n} {a.auc:.3f} (standard error {a.error:.3f})" for n, a in ordered if a.leaks]
        found["leaks"] = leaks
        return found


def tree_auc(units: list[dict[str, Any]], labels: list[bool]) -> float | None:
    """AUC of a decision tree of depth three over all fields together, cross-validated; None without scikit-learn."""
    try:
        import numpy as np
        from sklearn.model_selection import cross_val_predict
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        return None
    if min(sum(labels), len(labels) - sum(labels)) < 10:
        return None
    names = sorted({k for unit in units for k in unit if isinstance(unit[k], float)})
    common = {
        k: [word for word, _ in Counter(str(u.get(k)) for u in units).most_common(12)]
        for k in sorted({k for unit in units for k in unit if not isinstance(unit[k], float)})
    }
    rows = np.zeros((len(units), len(names) + sum(map(len, common.values()))), np.float32)
    for row, u in zip(rows, units, strict=True):
        row[: len(names)] = [u.get(n) or 0.0 for n in names]
        row[len(names) :] = [str(u.get(k)) == word for k, words in common.items() for word in words]
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, random_state=1)
    chance = cross_val_predict(tree, rows, labels, cv=5, method="predict_proba")[:, 1]
    attack = [float(c) for c, bad in zip(chance, labels, strict=True) if bad]
    honest = [float(c) for c, bad in zip(chance, labels, strict=True) if not bad]
    return numeric_auc(attack, honest)
