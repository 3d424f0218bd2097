"""The measures of one or several data sets, from the plain results that `run` keeps.

Accounts are positive if they are a campaign's own and the campaign can be seen (observable, no expected miss), negative
if no campaign passes through them. Accounts of others through which one passes (routers, resellers, owners of stolen
keys) are neither: inside them exchanges are counted. Ranks are by e-value. An account is flagged if it is said to
distil or is part of a found campaign.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from stillwatch.bench.detection import linking
from stillwatch.bench.detection.linking import Linking
from stillwatch.judge.decide import Rules
from stillwatch.maths.intervals import Interval, bootstrap, clopper_pearson, poisson

Result = Mapping[str, Any]  # of one data set: see `run.measured`
RATES: Final = (0.001, 0.0001)  # false-positive rates at which recall is read off
ALPHAS: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)


class Share(NamedTuple):
    """A share with its interval."""

    hits: int
    trials: int
    interval: Interval

    @property
    def value(self) -> float:
        """hits / trials; nan without trials."""
        return self.hits / self.trials if self.trials else float("nan")


def share(hits: int, trials: int) -> Share:
    """A share of independent trials."""
    return Share(hits, trials, clopper_pearson(hits, trials))


def seen(campaign: Result) -> bool:
    """Can the campaign be seen at all, and is it meant to be found?"""
    return bool(campaign["observable"]) and not campaign["expected_miss"] and campaign["exchanges"] > 0


# -- accounts -------------------------------------------------------------------------------------------------------


def split(results: Sequence[Result], score: Callable[[Result, Result], float]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Scores of negatives, (accounts,), and of positives, one array a campaign.

    An account of several campaigns counts with the first of them.
    """
    negatives: list[float] = []
    positives: dict[tuple[int, str], list[float]] = defaultdict(list)
    for result in results:
        visible = {c["campaign"] for c in result["campaigns"] if seen(c)}
        for account in result["accounts"]:
            value = score(result, account)
            if math.isnan(value):
                continue
            mine = [c for c in account["campaigns"] if c in visible]
            if mine and account["role"] == "campaign":
                positives[result["seed"], mine[0]].append(value)
            elif not account["campaigns"]:
                negatives.append(value)
    return np.array(negatives, float), [np.array(v, float) for _, v in sorted(positives.items())]


def ours(result: Result, account: Result) -> float:
    """Rank by e-value."""
    return float(account["log_e"])


def cut(negatives: np.ndarray, rate: float) -> float:
    """The score above which at most `rate` of the negatives lie."""
    allowed = math.floor(rate * len(negatives))
    return float(np.sort(negatives)[::-1][allowed]) if len(negatives) else math.inf


def recall(positives: Sequence[np.ndarray], above: float) -> tuple[float, Interval]:
    """Share of positive accounts above a score; the interval draws whole campaigns."""

    def of(parts: Sequence[np.ndarray]) -> float:
        total = sum(map(len, parts))
        return sum(int((p > above).sum()) for p in parts) / total if total else float("nan")

    return of(positives), bootstrap(positives, of)


def curve(negatives: np.ndarray, positives: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(false-positive rates, recalls) at every score, rates rising."""
    every = np.concatenate([negatives, *positives]) if len(positives) else negatives
    cuts = np.unique(every)[::-1]
    ordered, hits = np.sort(negatives), np.sort(np.concatenate(positives)) if len(positives) else np.zeros(0)
    above = (len(ordered) - np.searchsorted(ordered, cuts, side="left")) / max(len(ordered), 1)
    found = (len(hits) - np.searchsorted(hits, cuts, side="left")) / max(len(hits), 1)
    return np.concatenate([[0.0], above]), np.concatenate([[0.0], found])


def operating(results: Sequence[Result]) -> tuple[tuple[float, Interval], Share]:
    """Recall and false-positive rate of the verdicts as shipped."""
    negatives, positives = split(results, lambda _, a: float(a["flagged"]))
    return recall(positives, 0.5), share(int((negatives > 0.5).sum()), len(negatives))


def carriers(results: Sequence[Result], role: str) -> Share:
    """Accounts of others through which a campaign passes that lie in a found campaign or are said to distil."""
    flags = []
    for result in results:
        visible = {c["campaign"] for c in result["campaigns"] if seen(c)}
        flags += [a["flagged"] for a in result["accounts"] if a["role"] == role and visible & set(a["campaigns"])]
    return share(sum(flags), len(flags))


# -- campaigns ------------------------------------------------------------------------------------------------------


def campaigns(results: Sequence[Result]) -> list[Result]:
    """Campaigns that can be seen and are meant to be found, of all data sets."""
    return [c for r in results for c in r["campaigns"] if seen(c)]


def campaign_recall(results: Sequence[Result]) -> Share:
    """Campaigns found over campaigns there."""
    each = campaigns(results)
    return share(sum(c["fragments"] > 0 for c in each), len(each))


def campaign_precision(results: Sequence[Result]) -> Share:
    """Found campaigns that are somebody's over all found ones."""
    found = [f for r in results for f in r["found"]]
    return share(sum(f["true"] is not None for f in found), len(found))


def linked(results: Sequence[Result], what: str) -> dict[str, float]:
    """Linking of accounts to campaigns, or to pools (`what`)."""
    return linking.total([Linking(*r["linking"][what]) for r in results])


class Harvest(NamedTuple):
    """What was taken before the first flag."""

    median: float  # a campaign that was never flagged counts as infinite
    worst_family: float  # the largest of the families' medians
    family: str
    most: float
    interval: Interval  # of the median, over campaigns


def harvest(results: Sequence[Result], what: str) -> Harvest:
    """Exchanges before the flag (`before_flag`), or those with reasoning (`reasoning_before_flag`)."""
    each = campaigns(results)
    per: dict[str, list[float]] = defaultdict(list)
    values = []
    for c in each:
        value = math.inf if c[what] is None else float(c[what])
        values.append(value)
        for family in groups(c, "family"):
            per[family].append(value)
    medians = {family: float(np.median(v)) for family, v in per.items()}
    worst = max(medians, key=lambda f: (medians[f], f), default="-")
    return Harvest(
        median=float(np.median(values)) if values else math.nan, worst_family=medians.get(worst, math.nan),
        family=worst, most=max(values, default=math.nan),
        interval=bootstrap(values, lambda v: float(np.median(v))),
    )  # fmt: skip


def aggregators(results: Sequence[Result]) -> dict[str, Any]:
    """Inside accounts that serve others: harvest that lies in a found campaign, and what else lies there."""
    sums: Counter[str] = Counter()
    for r in results:
        sums.update(r["aggregators"])
    tenth = [c for r in results for c in r["campaigns"] if seen(c) and c["hides"] and 0.05 < c["share"] <= 0.2]
    before = [math.inf if c["before_flag"] is None else c["before_flag"] for c in tenth]
    return {
        "recall": share(sums["found"], sums["harvest"]), "precision": share(sums["found"], sums["taken"]),
        "campaigns": len(tenth), "before_flag_at_a_tenth": float(np.median(before)) if before else math.nan,
    }  # fmt: skip


# -- error control --------------------------------------------------------------------------------------------------


def alarms(results: Sequence[Result]) -> dict[str, Any]:
    """False campaigns and wrongly flagged accounts per month of the simulated service."""
    months = sum(r["months"] for r in results)
    false = sum(f["how"] == "none" for r in results for f in r["found"])
    accounts = sum(a["flagged"] and not a["campaigns"] for r in results for a in r["accounts"])
    honest = sum(not a["campaigns"] for r in results for a in r["accounts"])
    return {
        "months": months, "false_campaigns": false, "per_month": false / months if months else math.nan,
        "interval": poisson(false, months) if months else Interval(math.nan, math.nan), "accounts": accounts,
        "honest": honest,
    }  # fmt: skip


def promised(results: Sequence[Result]) -> list[tuple[float, Share]]:
    """For each alpha: how often an honest account's e-value reaches 1 / alpha. Promised: at most alpha (Markov)."""
    logs = np.array([a["log_e"] for r in results for a in r["accounts"] if not a["campaigns"]])
    return [(alpha, share(int((logs >= -math.log10(alpha) - 1e-12).sum()), len(logs))) for alpha in ALPHAS]


def alpha(rules: Rules) -> float:
    """Chance that an account without a campaign ever reaches the e-value that a verdict needs: at most this (Ville)."""
    return (1 - rules.distilling) / rules.distilling * rules.prior / (1 - rules.prior)


def wrongly_flagged(results: Sequence[Result], by: str, verdicts: Iterable[str] = ()) -> dict[str, Share]:
    """Honest accounts that are flagged (or have one of `verdicts`), by language or workload."""
    chosen = frozenset(verdicts)
    hits: Counter[str] = Counter()
    trials: Counter[str] = Counter()
    for r in results:
        for a in r["accounts"]:
            if not a["campaigns"]:
                trials[a[by]] += 1
                hits[a[by]] += a["verdict"] in chosen if chosen else a["flagged"]
    return {name: share(hits[name], trials[name]) for name in sorted(trials)}


# -- tables by what the campaigns are -------------------------------------------------------------------------------


def size(campaign: Result) -> str:
    """Accounts, in words."""
    n = campaign["accounts"]
    return next(name for least, name in SIZES if n >= least)


SIZES: Final = ((1000, "1,000 and more"), (100, "100 to 999"), (10, "10 to 99"), (2, "2 to 9"), (0, "1"))


def rate(campaign: Result) -> str:
    """Requests per account and day, in words."""
    value = campaign["organisation"].get("rate_per_day")
    if not isinstance(value, int | float):
        return "?"
    return "5 and fewer" if value <= 5 else "6 to 50" if value <= 50 else "more than 50"


def groups(campaign: Result, by: str) -> Sequence[str]:
    """Rows of the table `by` in which a campaign stands."""
    if by == "family":
        return sorted({base(f) for f in campaign["families"]})
    if by == "obfuscation":
        return list(campaign["obfuscations"]) or ["none"]
    if by == "accounts":
        return [size(campaign)]
    if by == "rate":
        return [rate(campaign)]
    if by == "share":
        where = "of somebody else's accounts" if campaign["hides"] else "of accounts of its own"
        return [f"{campaign['share']:.0%} {where}"]
    value = campaign["organisation"].get(by)
    return [str(value)] if value is not None else ["?"]


def table(results: Sequence[Result], by: str) -> dict[str, dict[str, Any]]:
    """Campaigns found, accounts found and harvest before the flag, by one property of the campaigns."""
    per: dict[str, list[Result]] = defaultdict(list)
    for c in campaigns(results):
        for group in groups(c, by):
            per[group].append(c)
    return {group: _row(each) for group, each in sorted(per.items(), key=lambda item: _natural(item[0]))}


def crossed(results: Sequence[Result], a: str, b: str) -> dict[tuple[str, str], tuple[int, int]]:
    """(found, there) for each pair of properties that occurs."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for c in campaigns(results):
        for one in groups(c, a):
            for other in groups(c, b):
                counts[one, other][0] += c["fragments"] > 0
                counts[one, other][1] += 1
    return {k: (v[0], v[1]) for k, v in counts.items()}


def _row(each: Sequence[Result]) -> dict[str, Any]:
    before = [math.inf if c["before_flag"] is None else c["before_flag"] for c in each]
    reasoning = [math.inf if c["reasoning_before_flag"] is None else c["reasoning_before_flag"] for c in each]
    hours = [math.inf if c["hours_to_flag"] is None else c["hours_to_flag"] for c in each]
    total = sum(c["accounts"] for c in each)
    return {
        "found": share(sum(c["fragments"] > 0 for c in each), len(each)),
        "accounts": sum(c["accounts_found"] for c in each) / total if total else math.nan,
        "before_flag": float(np.median(before)), "reasoning_before_flag": float(np.median(reasoning)),
        "hours_to_flag": float(np.median(hours)), "harvest": float(np.median([c["exchanges"] for c in each])),
    }  # fmt: skip


def base(family: str) -> str:
    """F1 of a variant such as F1b."""
    return family.rstrip("abcdefghijklmnopqrstuvwxyz")


def _natural(text: str) -> tuple[str, int, str]:
    """F2 before F10, and 2 to 9 before 10 to 99."""
    found = re.match(r"(F?)(\d[\d,]*)", text)
    return (found[1], int(found[2].replace(",", "")), text) if found else ("~", 0, text)
