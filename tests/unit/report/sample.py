"""A realistic report model, made up from nothing but a seed: two weeks, some 400 accounts, four campaigns."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, tzinfo=UTC)
BUCKET_S = 3600
BUCKETS = 24 * 14

SIGNALS: dict[str, dict[str, Any]] = {
    "SG101": {
        "title": "Prompts are fillings of one template",
        "means": "Most requests share a template and differ only in the slots, as when a prompt set is generated to "
        "cover a capability.",
        "innocent": ["nightly batch labelling", "regression tests of a product prompt"],
        "misses": ["templates paraphrased per request"],
        "unit": "share of the account's requests, 0 to 1",
        "family": "content",
    },
    "SG104": {
        "title": "Answers must spell out their reasoning",
        "means": "The prompt forces visible reasoning in a form that suits training, far more often than in other "
        "traffic of the same kind.",
        "innocent": ["tutoring products", "audit trails that must show how an answer came about"],
        "misses": ["single-word answers", "reasoning taken from the provider's own summaries"],
        "unit": "share of the account's requests, 0 to 1",
        "family": "content",
    },
    "SG203": {
        "title": "Accounts take turns at an even pace",
        "means": "Several accounts hand the work on: the sum of their requests stays level while each one varies.",
        "innocent": ["a load balancer over keys of one company"],
        "misses": ["schedules drawn at random per account"],
        "unit": "ratio of variances",
        "family": "tempo",
    },
    "SG310": {
        "title": "The same reasoning block comes back under another account",
        "means": "An encrypted reasoning block given to one account is sent in by another.",
        "innocent": ["a company that moves a conversation between two of its own accounts"],
        "misses": ["clients that drop reasoning blocks"],
        "unit": "blocks",
        "family": "identity",
    },
    "SG402": {
        "title": "Accounts share a rare payment fingerprint",
        "means": "A payment fingerprint that few independent accounts share.",
        "innocent": ["sub-accounts on one company card"],
        "misses": ["one card per account"],
        "unit": "accounts",
        "family": "payment",
    },
    "SG405": {
        "title": "Traffic leaves from one hosting network",
        "means": "Addresses of a hosting range that independent accounts seldom share.",
        "innocent": ["enterprise NAT", "one cloud region in which many customers run"],
        "misses": ["residential addresses per request"],
        "unit": "share of the account's requests, 0 to 1",
        "family": "network",
    },
}

EXEMPLARS = {
    "C-2f81": (
        "You are an expert annotator. For the problem below, write out every step of your reasoning "
        "between <think> and </think>, then give the final answer in \\boxed{}. Do not skip steps.\n\n"
        "Problem: A tank holds 240 litres and "
        "drains at 3 litres per minute …",
        "You are an expert annotator. For the problem below, write out every step of your reasoning "
        "between <think> and </think>, then give the final answer in \\boxed{}. Do not skip steps.\n\n"
        "Problem: How many ways are there to "
        "seat 7 guests, when two of them (reach me at ‹email›) refuse to sit together?",
    ),
    "C-7b02": (
        "Rewrite the following task so that it becomes slightly harder: add one constraint and one more reasoning "
        "step. Task: write a function that merges two sorted lists.",
    ),
    "C-90ce": ("Compare answer A and answer B. Reply with the letter of the better answer and three sentences why.",),
    "C-c3d4": ("Act as the shell of a small repository. The failing test is below. Produce the patch, then the plan.",),
}


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _campaign(rng: random.Random, spec: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    counts = [0] * BUCKETS
    left = spec["exchanges"]
    hours = range(spec["from_h"], spec["to_h"])
    weights = [0.3 + rng.random() + (1.2 if 8 <= h % 24 <= 20 else 0) for h in hours]
    for h, w in zip(hours, weights, strict=True):
        counts[h] = int(spec["exchanges"] * w / sum(weights))
        left -= counts[h]
    counts[spec["from_h"]] += left
    flag_h = spec["flag_h"]
    accounts = spec["accounts"]
    why = [
        {
            "signal": s,
            "title": SIGNALS[s]["title"],
            "sentence": sentence,
            "value": value,
            "baseline": base,
            "unit": SIGNALS[s]["unit"],
            "match_weight": bits,
        }
        for s, sentence, value, base, bits in spec["why"]
    ]
    members = [
        {
            "account_id": a,
            "verdict": "distilling" if i % 9 else "watch",
            "role": ("sends most of the work", "takes over after a refusal", "tries templates first")[min(2, i % 7)],
            "exchanges": spec["exchanges"] // len(accounts),
            "first_at": iso(START + timedelta(hours=spec["from_h"] + i % 5)),
            "last_at": iso(START + timedelta(hours=spec["to_h"] - i % 7)),
        }
        for i, a in enumerate(accounts)
    ]
    return {
        "campaign_id": spec["id"],
        "kinds": spec["kinds"],
        "accounts": accounts,
        "streams": [],
        "exchanges": spec["exchanges"],
        "tokens_in": spec["exchanges"] * 410,
        "tokens_out": spec["exchanges"] * 1870,
        "first_at": iso(START + timedelta(hours=spec["from_h"])),
        "last_at": iso(START + timedelta(hours=spec["to_h"])),
        "flagged_at": iso(START + timedelta(hours=flag_h, minutes=10)),
        "exchanges_at_flag": sum(counts[:flag_h]) + 9,
        "targets": spec["targets"],
        "e_value": spec["e"],
        "probability": spec["p"],
        "evidence": [],
        "attribution": spec.get("attribution", []),
        "exposure": {"list_price_usd": round(spec["exchanges"] * 0.021, 2), "areas": ", ".join(spec["targets"])},
        "headline": spec["headline"],
        "why": why,
        "exemplars": [
            {
                "exchange_id": f"chatcmpl-{rng.randrange(16**10):010x}",
                "at": iso(START + timedelta(hours=spec["from_h"] + 3 + i, minutes=17)),
                "account_id": accounts[i % len(accounts)],
                "text": text,
                "why": "The commonest template of this campaign, one filling of it.",
                "source": f"litellm-2026-03-0{2 + i}.jsonl.zst:{rng.randrange(1000, 90000)}",
            }
            for i, text in enumerate(EXEMPLARS[spec["id"]])
        ],
        "members": members,
    }, counts


def model(seed: int = 7, accounts: int = 412) -> dict[str, Any]:
    rng = random.Random(seed)
    names = [f"acct-{rng.randrange(16**6):06x}" for _ in range(accounts)]
    specs: list[dict[str, Any]] = [
        {
            "id": "C-2f81",
            "kinds": ["direct", "hydra"],
            "accounts": names[:26],
            "exchanges": 18412,
            "from_h": 50,
            "to_h": 290,
            "flag_h": 71,
            "targets": ["reasoning", "code"],
            "e": 4.2e11,
            "p": 0.9997,
            "headline": "26 accounts ask for step-by-step solutions under one template, take turns at an even pace, "
            "and hand reasoning blocks to one another.",
            "why": [
                ("SG310", "Reasoning blocks given to one account were sent in by 11 others.", 37.0, 0.0, 14.2),
                ("SG101", "93 of 100 requests fill the same template.", 0.93, 0.06, 8.1),
                ("SG104", "Nearly every prompt forces the reasoning to be written out.", 0.97, 0.11, 6.4),
                ("SG402", "19 of the 26 accounts share one payment fingerprint.", 19.0, 1.1, 5.5),
            ],
            "attribution": [
                {
                    "organisation": "Example Model Works",
                    "strength": "weak",
                    "evidence": ["2 accounts signed up with its e-mail domain"],
                }
            ],
        },
        {
            "id": "C-7b02",
            "kinds": ["resold"],
            "accounts": names[26:98],
            "exchanges": 9120,
            "from_h": 120,
            "to_h": 330,
            "flag_h": 190,
            "targets": ["rewriting", "code"],
            "e": 8.8e5,
            "p": 0.984,
            "headline": "72 accounts that look run by one reseller turn one seed set of coding tasks into harder ones.",
            "why": [
                ("SG203", "The 72 accounts together keep a level rate.", 0.04, 0.9, 7.7),
                ("SG101", "71 of 100 requests fill one of four templates.", 0.71, 0.06, 5.2),
                ("SG405", "All leave from two hosting ranges.", 1.0, 0.18, 3.1),
            ],
        },
        {
            "id": "C-90ce",
            "kinds": ["routed"],
            "accounts": names[98:100],
            "exchanges": 2210,
            "from_h": 12,
            "to_h": 140,
            "flag_h": 60,
            "targets": ["judging"],
            "e": 21000.0,
            "p": 0.941,
            "headline": "Inside a router's account, one stream compares pairs of answers all day and nothing else.",
            "why": [("SG101", "All of the stream's requests fill one template.", 0.998, 0.06, 9.0)],
        },
        {
            "id": "C-c3d4",
            "kinds": ["direct"],
            "accounts": names[100:105],
            "exchanges": 640,
            "from_h": 260,
            "to_h": 334,
            "flag_h": 305,
            "targets": ["agentic"],
            "e": 310.0,
            "p": 0.81,
            "headline": "5 young accounts run synthetic repositories through a coding harness.",
            "why": [("SG104", "Every patch comes with a written plan.", 0.88, 0.11, 4.4)],
        },
    ]
    campaigns, series = zip(*(_campaign(rng, s) for s in specs), strict=True)
    total = [
        int(70 + 130 * (8 <= h % 24 <= 19) * (1 if (h // 24) % 7 < 5 else 0.35) + rng.randrange(30))
        + sum(c[h] for c in series)
        for h in range(BUCKETS)
    ]
    links = []
    for s in specs[:2] + specs[3:]:
        members = s["accounts"]
        for i in range(1, len(members)):
            for j in sorted({rng.randrange(i) for _ in range(2)}):
                links.append(
                    {
                        "a": members[i],
                        "b": members[j],
                        "match_weight": round(rng.uniform(7, 24), 1),
                        "families": ["payment", "content"],
                        "reasons": [rng.choice(["same payment fingerprint", "same rare template", "reasoning block"])],
                    }
                )
    pair = names[110:118]
    links += [
        {"a": a, "b": b, "match_weight": 9.5, "families": ["network"], "reasons": ["same rare client and address"]}
        for a, b in zip(pair[::2], pair[1::2], strict=True)
    ]
    campaign_of = {a: s["id"] for s in specs for a in s["accounts"]}
    verdicts = [_verdict(rng, i, a, campaign_of.get(a), specs) for i, a in enumerate(names)]
    tally = {v: sum(r["verdict"] == v for r in verdicts) for v in ("clear", "watch", "reseller", "distilling")}
    return {
        "title": "Gateway traffic, 2 to 16 March 2026",
        "generated_at": "2026-03-16T06:12:44Z",
        "software": {"version": "0.1.0", "signals_lock": "b3:5f2c9a77d1e0"},
        "inputs": [
            {
                "path": f"logs/litellm-2026-03-{d:02}.jsonl.zst",
                "format": "litellm",
                "exchanges": sum(total) // 2,
                "first_at": f"2026-03-{d:02}T00:00:03Z",
                "last_at": f"2026-03-{d + 6:02}T23:59:51Z",
                "quarantined": 6,
            }
            for d in (2, 9)
        ],
        "summary": {
            "exchanges": sum(total),
            "accounts": accounts,
            "pools": 2,
            "campaigns": len(specs),
            "verdict_counts": {**tally, "not_observable": sum(r["verdict"] == "not_observable" for r in verdicts)},
            "quarantined": 12,
            "quarantine_reasons": {"truncated": 9, "clock": 3},
        },
        "calibration": {
            "name": "own-benign-2026-02",
            "digest": "b3:77aa01c2",
            "date": "2026-02-27",
            "made_from": "4 weeks of traffic of 318 reviewed accounts",
        },
        "campaigns": list(campaigns),
        "pools": [
            {"pool_id": "P-11", "accounts": names[26:98], "kind": "reseller", "reasons": ["shared hosting ranges"]},
            {"pool_id": "P-12", "accounts": names[:26], "kind": "one operator", "reasons": ["shared payment"]},
        ],
        "links": links,
        "verdicts": verdicts,
        "timeline": {
            "start": iso(START),
            "bucket_s": BUCKET_S,
            "total": total,
            "campaigns": [{"campaign_id": s["id"], "counts": counts} for s, counts in zip(specs, series, strict=True)],
        },
        "not_seen": [
            {
                "signal": "SG405",
                "title": SIGNALS["SG405"]["title"],
                "missing": ["ip", "asn"],
                "accounts": 61,
                "consequence": "Accounts run from one network cannot be linked by it.",
                "fix": "log the caller's address: set `store_client_ip` in the gateway's settings",
            },
            {
                "signal": "SG310",
                "title": SIGNALS["SG310"]["title"],
                "missing": ["reasoning_blobs_in", "reasoning_blobs_out"],
                "accounts": 230,
                "consequence": "Conversations handed from one account to another stay apart.",
                "fix": "keep the encrypted reasoning items in the log",
            },
        ],
        "signals": SIGNALS,
    }


def _verdict(
    rng: random.Random, i: int, account: str, campaign: str | None, specs: list[dict[str, Any]]
) -> dict[str, Any]:
    spec = next((s for s in specs if s["id"] == campaign), None)
    first = START + timedelta(hours=rng.randrange(200), minutes=rng.randrange(60))
    row: dict[str, Any] = {
        "account_id": account,
        "verdict": "clear",
        "probability": round(rng.random() ** 4 * 0.2, 5),
        "e_value": round(rng.random() * 3, 3),
        "campaign_id": None,
        "pool_id": None,
        "first_at": iso(first),
        "last_at": iso(first + timedelta(hours=rng.randrange(20, 120))),
        "exchanges": rng.randrange(4, 900),
        "flagged_at": None,
        "exchanges_at_flag": None,
        "reasons": [],
        "abstained": [{"signal": "SG405", "missing": ["ip", "asn"]}] if i % 7 == 0 else [],
    }
    if spec is not None:
        row |= {
            "verdict": "reseller" if spec["id"] == "C-7b02" and i % 6 == 0 else "distilling" if i % 9 else "watch",
            "probability": round(spec["p"] - rng.random() * 0.05, 5),
            "e_value": spec["e"] / (1 + rng.randrange(20)),
            "campaign_id": campaign,
            "pool_id": {"C-7b02": "P-11", "C-2f81": "P-12"}.get(spec["id"]),
            "exchanges": spec["exchanges"] // len(spec["accounts"]),
            "flagged_at": iso(START + timedelta(hours=spec["flag_h"], minutes=10)),
            "exchanges_at_flag": 30 + i,
            "reasons": [
                {
                    "signal": s,
                    "version": 2,
                    "value": value,
                    "baseline": base,
                    "match_weight": bits,
                    "exchanges": [f"chatcmpl-{rng.randrange(16**8):08x}" for _ in range(7)],
                }
                for s, _, value, base, bits in spec["why"]
            ],
        }
    elif i % 31 == 0:
        row |= {"verdict": "watch", "probability": round(0.3 + rng.random() * 0.2, 4), "e_value": 9.5}
    elif i % 37 == 0:
        row |= {"verdict": "not_observable", "probability": None, "e_value": None}
    return row
