"""docs/results/detection.md from what was measured."""

from __future__ import annotations

import math
import platform
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stillwatch import __version__
from stillwatch.bench.detection import costs, measures
from stillwatch.bench.detection.measures import Result
from stillwatch.bench.detection.plan import code_digest
from stillwatch.bench.detection.run import Measured
from stillwatch.bench.detection.scans import ABLATIONS, WHOLE
from stillwatch.bench.detection.table import ends, figures, methods, number, percent, shared
from stillwatch.judge.decide import Rules

PUBLISHED = """\
Published, on other data, and not to be compared line by line: the MMD detector
([arXiv 2606.05725](https://arxiv.org/abs/2606.05725)) reports 0.3 % false positives, and finds 59.0 % of windows with
5 % of attack traffic and 93.7 % of those with 10 %, in windows of 1,500 prompts; 4.6 % of those with 10 % in windows
of 100. Its units are windows of pooled prompts, ours are accounts, most of which never send 100 prompts. In its
release the adapted PRADA, SEAT, CAP, DATE and Mahalanobis find 25.4, 64.5, 34.8, 56.7 and 83.2 % at 10 %, at 7.3 to
16.8 % false positives."""

BELIEVE = """\
- **The traffic is generated.** A generator has habits, and a detector can lean on them without anybody meaning it.
  Tuning and test are split by family, client and prompt grammar in code, no single field may tell the classes apart
  (the leak audit fails the build above AUC 0.75), and calibration sees honest traffic of the tune side alone. That
  makes the figures honest about *this* world. It does not make this world yours: calibrate on your own traffic.
- **Intervals** are Clopper-Pearson for shares of accounts and campaigns, and a bootstrap over whole campaigns for
  account recall, because accounts of one campaign stand and fall together. They know nothing of what the generator
  left out.
- **The baselines were written for other problems.** Each is implemented from its paper, and its file says what was
  adapted. An author would do better by their own method. They are judged on the account ranking alone: none of them
  claims to link accounts or to say when it would have known.
- **Account recall counts every account of a campaign alike,** the one with two exchanges as the one with two thousand.
- **A campaign that was never flagged counts as never** in medians of harvest and time; it is not left out.
- [What cannot be detected](../explanation/undetectable.md) is not in these figures, except as expected misses."""


def markdown(m: Measured, *, command: str, images: str) -> str:
    """The whole page. `images`: folder of the plots, relative to the page."""
    parts = [
        "# Detection",
        f"Made by `{command}`; do not edit by hand.",
        *_setup(m),
        "## Against our goals",
        _table(("figure", "measured", "goal", ""), (
            (f.name, f.shown, f.goal, {True: "hit", False: "**missed**", None: ""}[f.hit]) for f in figures(m)
        )),
        "Brackets hold 95 % intervals. What each figure means: [how far to believe this](#how-far-to-believe-this).",
        "## Beside other detectors",
        *_baselines(m, images),
        "## By family",
        _properties(m, "family", "family"),
        f"![harvest before the flag by family]({images}/detection-harvest.svg)",
        "## Sets of one kind",
        _special(m),
        "## By organisation and obfuscation",
        *(_properties(m, by, title) for by, title in (
            ("accounts", "accounts"), ("rate", "requests per account and day"),
            ("share", "share of the accounts' traffic"), ("sharding", "sharding"), ("network", "network"),
            ("payment", "payment"), ("hidden", "where it hides"), ("obfuscation", "obfuscation"),
        )),
        "### Family by obfuscation, campaigns found of campaigns there",
        _crossed(m, "family", "obfuscation"),
        "### Family by number of accounts",
        _crossed(m, "family", "accounts"),
        "## Without some of the evidence",
        _ablations(m),
        "## Is the promised error rate kept?",
        *_errors(m, images),
        "## What was missed, and why",
        *_misses(m),
        "## Attackers who adapt",
        *_adaptive(m),
        "## How far to believe this",
        BELIEVE,
    ]  # fmt: skip
    return "\n\n".join(p.strip("\n") for p in parts if p) + "\n"


def _campaign_sets(m: Measured) -> list[Result]:
    return [*m.results[WHOLE.name], *m.special]


def _setup(m: Measured) -> list[str]:
    whole = m.results[WHOLE.name]
    accounts = sum(len(r["accounts"]) for r in whole)
    harvest = sum(c["exchanges"] for r in whole for c in r["campaigns"])
    exchanges = sum(r["exchanges"] for r in whole)
    campaigns = sum(len(r["campaigns"]) for r in whole)
    rows = [
        ("test sets", f"{len(whole)}: {', '.join(sorted({r['scenario'] for r in whole}))}, "
                      f"side {', '.join(sorted({r['side'] for r in whole}))}, "
                      f"seeds {', '.join(str(r['seed']) for r in whole)}"),
        ("traffic", f"{exchanges:,} exchanges of {accounts:,} accounts; "
                    f"{percent(harvest / max(exchanges, 1))} of it harvest of {campaigns} campaigns"),
        ("sets of one kind", ", ".join(f"{r['scenario']} (seed {r['seed']}, {r['exchanges']:,} exchanges)"
                                       for r in m.special) + "; in the figures of campaigns, not in those of accounts"),
        ("leak audit", _leaks(whole)),
        ("honest sets", f"{len(m.honest)}, {sum(len(r['accounts']) for r in m.honest):,} accounts, "
                        f"{sum(r['months'] for r in m.honest) * 30:.0f} days"),
        ("calibration", f"`{m.calibration.name}`, digest {m.calibration.digest}: {m.calibration.made_from}"),
        ("code", f"Stillwatch {__version__}, digest {code_digest()}; Python {platform.python_version()}"),
    ]  # fmt: skip
    return ["## Setup", _table(("", ""), rows)]


def _leaks(results: Sequence[Result]) -> str:
    """The fields that tell most by themselves, mean over the sets that have harvest enough to be audited."""
    audited = [r for r in results if r.get("leaks", {}).get("fields")]
    per: dict[str, list[float]] = defaultdict(list)
    for r in audited:
        for name, auc in r["leaks"]["fields"].items():
            per[name].append(auc)
    means = sorted(((sum(v) / len(v), name) for name, v in per.items() if len(v) == len(audited)), reverse=True)
    if not means:
        return "none"
    top = "; ".join(f"{name} {auc:.2f}" for auc, name in means[:3])
    beyond = sum(len(r["leaks"]["leaks"]) for r in audited)
    return (
        f"{len(audited)} of {len(results)} sets had harvest enough in accounts of its own; "
        f"largest AUC of a single field, mean over them: {top}; "
        f"fields above 0.75 by more than their error, over all sets: {beyond}"
    )


def _special(m: Measured) -> str:
    rows = []
    for r in m.special:
        each = measures.campaigns([r])
        there = sum(c["accounts"] for c in each)
        link = measures.linked([r], "campaigns")
        rows.append((
            f"{r['scenario']} (seed {r['seed']})", f"{sum(c['fragments'] > 0 for c in each)} of {len(each)}",
            f"{sum(c['accounts_found'] for c in each):,} of {there:,}",
            number(measures.harvest([r], "before_flag").median), f"{link['bcubed_f1']:.3f}",
            str(sum(f["how"] == "none" for f in r["found"])),
        ))  # fmt: skip
    head = ("set", "campaigns found", "accounts found", "before the flag, median", "linking B-cubed F1",
            "false campaigns")  # fmt: skip
    return _table(head, rows)


def _baselines(m: Measured, images: str) -> list[str]:
    rows = []
    for x in methods(m):
        at, fewer = x.recall
        rows.append((
            f"**{x.name}**" if x.name == "Stillwatch" else x.name, x.source, f"{percent(at[0])}{ends(at[1])}",
            percent(fewer[0]), f"{percent(x.at_threshold[0])} at {percent(x.false.value, 2)}", str(x.sets),
        ))  # fmt: skip
    head = ("detector", "source", "accounts found at 0.1 % false positives", "at 0.01 %", "at its own threshold, at "
            "false positives of", "test sets")  # fmt: skip
    left_out = f"Left out: {m.left_out}." if m.left_out else ""
    return [_table(head, rows), left_out, PUBLISHED,
            f"![accounts found against false positives]({images}/detection-curves.svg)"]  # fmt: skip


def _properties(m: Measured, by: str, title: str) -> str:
    table = measures.table(_campaign_sets(m), by)
    if set(table) <= {"?"}:
        return ""
    return _table(
        (title, "campaigns found", "accounts found", "harvest, median", "before the flag", "of it with reasoning",
         "hours to the flag"),
        (
            (name, f"{row['found'].hits} of {row['found'].trials}", percent(row["accounts"]), number(row["harvest"]),
             number(row["before_flag"]), number(row["reasoning_before_flag"]), number(row["hours_to_flag"]))
            for name, row in table.items()
        ),
    )  # fmt: skip


def _crossed(m: Measured, a: str, b: str) -> str:
    cells = measures.crossed(_campaign_sets(m), a, b)
    if not cells:
        return ""
    rows = list(measures.table(_campaign_sets(m), a))
    columns = list(measures.table(_campaign_sets(m), b))
    shown = {key: f"{found} of {there}" for key, (found, there) in cells.items()}
    return _table(("", *columns), ((row, *(shown.get((row, c), "") for c in columns)) for row in rows))


def _ablations(m: Measured) -> str:
    rows = []
    for ablation in (WHOLE, *ABLATIONS):
        results = m.results[ablation.name]
        if ablation is WHOLE:  # on the same sets as the others
            results = [r for r in results if any(r["seed"] == x["seed"] for x in m.results[ABLATIONS[0].name])]
        if results:
            (found, interval), false = measures.operating(results)
            rows.append((
                ablation.name, f"{percent(found)}{ends(interval)}", shared(false, 2),
                shared(measures.campaign_precision(results)), shared(measures.campaign_recall(results)),
                f"{measures.linked(results, 'campaigns')['bcubed_f1']:.3f}",
                number(measures.harvest(results, "reasoning_before_flag").median),
            ))  # fmt: skip
    head = ("what the scan had", "accounts found", "false positives", "campaign precision", "campaign recall",
            "linking B-cubed F1", "reasoning before the flag")  # fmt: skip
    return _table(head, rows) if rows else "Not run."


def _errors(m: Measured, images: str) -> list[str]:
    every = [*_campaign_sets(m), *m.honest]
    alarms = measures.alarms(every)
    alpha = measures.alpha(Rules())
    parts = [
        f"An honest account's e-value may reach 1/alpha with probability alpha at most. Over "
        f"{alarms['honest']:,} accounts without a campaign, of all sets:",
        _table(("alpha promised", "observed", "kept"), (
            (f"{alpha:g}", shared(s, 2), "yes" if s.value <= alpha else "within its interval"
             if s.interval.low <= alpha else "**no**") for alpha, s in measures.promised(every)
        )),
        f"![error promised and observed]({images}/detection-error.svg)",
        f"False campaigns: {alarms['false_campaigns']} in {alarms['months']:.1f} months of simulated service, "
        f"{alarms['per_month']:.2f} a month (95 %: {alarms['interval'].low:.2f} to {alarms['interval'].high:.2f}); "
        f"accounts without a campaign wrongly flagged: {alarms['accounts']}. A verdict needs an e-value of "
        f"{1 / alpha:,.0f}, so no more than {alarms['honest'] * alpha:.1f} of {alarms['honest']:,} such accounts were "
        "promised to reach it, however often one looks.",
        "### By language",
        _flagged(every, "language"),
        "### By honest workload",
        _flagged(every, "workload"),
    ]  # fmt: skip
    return parts


def _flagged(results: Sequence[Result], by: str) -> str:
    flagged = measures.wrongly_flagged(results, by)
    watched = measures.wrongly_flagged(results, by, ("watch",))
    reseller = measures.wrongly_flagged(results, by, ("reseller",))
    return _table(
        (by, "accounts without a campaign", "wrongly flagged", "to be looked at (watch)", "called a reseller"),
        (
            (name, f"{s.trials:,}", f"{s.hits}{ends(s.interval, 2)} %" if s.trials else "-", str(watched[name].hits),
             str(reseller[name].hits))
            for name, s in sorted(flagged.items(), key=lambda item: (-item[1].value, item[0]))
        ),
    )  # fmt: skip


def _misses(m: Measured) -> list[str]:
    lines = []
    for r in _campaign_sets(m):
        for c in r["campaigns"]:
            if c["fragments"] == 0:
                kind = "expected: " if c["expected_miss"] else ""
                lines.append(f"- {kind}{describe(c)} (seed {r['seed']}): {c['why']}.")
        for f in r["found"]:
            if f["true"] is None:
                what = ("campaign of several true ones, none of which is most of it" if f["how"] == "mixed"
                        else "false campaign, nobody's harvest")  # fmt: skip
                lines.append(f"- {what}: `{f['found']}` (seed {r['seed']}), {f['accounts']} accounts, "
                             f"{f['exchanges']:,} exchanges.")  # fmt: skip
    return ["\n".join(lines) if lines else "Nothing was missed, and no found campaign was nobody's."]


def describe(campaign: Result) -> str:
    """A campaign in half a line."""
    rate = campaign["organisation"].get("rate_per_day")
    at = f" at {rate:.3g} requests a day" if isinstance(rate, int | float) else ""
    whose = " (somebody else's)" if campaign["hides"] else ""
    share = f", {campaign['share']:.0%} of their traffic" if campaign["share"] < 1 else ""
    hidden = f", {', '.join(campaign['obfuscations'])}" if campaign["obfuscations"] else ""
    return (f"`{campaign['campaign']}` {'+'.join(campaign['families'])}, {campaign['accounts']:,} accounts{whose}"
            f"{at}{share}, {campaign['exchanges']:,} exchanges{hidden}")  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    body = [[_cell(c) for c in row] for row in rows]
    if not body:
        return ""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def _cell(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "-"
    return str(value).replace("|", "/").replace("\n", " ")


def _adaptive(m: Measured) -> list[str]:
    rows = costs.rows(m.adaptive)
    if not rows:
        return ["Not run."]
    framed = [r for r in rows if r["framed_flagged"] is not None]
    return [
        "One test set, rewritten as each attacker would have made it; campaigns with accounts of their own. The price "
        f"is that of {costs.WANTED:,} exchanges, median campaign: a flagged campaign loses its accounts and begins "
        f"again, an account costs {costs.ACCOUNT_USD:.0f} dollars (what access to a stolen one was sold for, Sysdig), "
        "tokens what the log says.",
        _table(
            ("attacker", "campaigns found", "exchanges before the flag", "accounts", "days", "dollars",
             "innocent accounts flagged"),
            ((r["attacker"], f"{r['found']} of {r['campaigns']}", number(r["before_flag"]), number(r["accounts"]),
              f"{r['days']:.1f}", number(r["dollars"]), str(r["innocent_flagged"])) for r in rows),
        ),
        *(f"Framed: {r['framed_flagged']} of the innocents whose clothes were worn are flagged." for r in framed),
        "The code is public and so is every weight; what stays with the deployment is the secret of its hashes and its "
        "calibration. An attacker who moves below the thresholds pays with accounts, cards and days for the same "
        "exchanges. Nothing here stops one who pays.",
    ]  # fmt: skip


def write(m: Measured, page: Path, *, command: str) -> None:
    """Write the page and, where matplotlib is installed, its plots into `images/` beside its folder."""
    from stillwatch.bench.detection import plots

    images = page.parent.parent / "images"
    page.parent.mkdir(parents=True, exist_ok=True)
    plots.write(m, images)
    page.write_text(markdown(m, command=command, images="../images"), encoding="utf-8")
