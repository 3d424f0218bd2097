"""The measures on two campaigns and a router, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.bench.detection import linking, matching, measures
from stillwatch.bench.detection.data import DataSet
from stillwatch.bench.detection.results import measured
from stillwatch.bench.detection.scans import Found
from stillwatch.errors import InputError
from stillwatch.judge.decide import Rules

DAY = 86_400_000_000
HOUR = 3_600_000_000


def account(role="honest", campaigns=(), language="en"):
    return {"role": role, "workload": "person", "language": language, "pool": None, "campaigns": list(campaigns)}


def campaign(family, accounts, share=1.0, **more):
    return {
        "families": [family], "organisation": {"accounts": len(accounts), "rate_per_day": 4}, "obfuscations": [],
        "share": share, "accounts": accounts, "exchanges": 1, "reasoning_exchanges": 0, "first_at": 0, "last_at": 0,
        "observable": True, "expected_miss": False, **more,
    }  # fmt: skip


@pytest.fixture
def known(tmp_path):
    """x: a1 and a2, four exchanges each, an hour apart, every second with reasoning; y: two of ten in router r."""
    rows = []
    for i in range(8):
        rows.append((f"x{i}", i * HOUR, "a1" if i % 2 else "a2", "x", i % 2 == 0))
    rows.append(("decoy", 9 * HOUR, "a1", None, False))
    for i in range(10):
        rows.append((f"r{i}", i * HOUR, "r", "y" if i < 2 else None, False))
    for i in range(3):
        rows.append((f"h{i}", i * HOUR, "h", None, False))
    ids, at, who, what, reasoning = zip(*rows, strict=True)
    pq.write_table(
        pa.table({"exchange_id": ids, "at": at, "account_id": who, "stream": pa.nulls(len(ids), pa.string()),
                  "campaign": pa.array(what, pa.string()), "reasoning": reasoning}),
        tmp_path / "truth.parquet",
    )  # fmt: skip
    truth = {
        "seed": 1, "side": "test", "scenario": "by hand", "first_at": 0, "last_at": 30 * DAY, "exchanges": len(rows),
        "accounts": {
            "a1": account("campaign", ["x"]), "a2": account("campaign", ["x"]), "r": account("router", ["y"]),
            "h": account(language="de"),
        },
        "campaigns": {
            "x": campaign("F1", ["a1", "a2"], exchanges=8), "y": campaign("F2", ["r"], share=0.2, exchanges=2),
            "z": campaign("F20", [], exchanges=0, observable=False),
        },
        "pools": {},
    }  # fmt: skip
    (tmp_path / "truth.json").write_bytes(orjson.dumps(truth))
    return DataSet(folder=tmp_path).known()


def verdict(name, word="clear", e_value=1.0, campaign_id=None):
    return {"account_id": name, "verdict": word, "e_value": e_value, "campaign_id": campaign_id, "pool_id": None,
            "families": ["content"] if e_value > 1 else [], "exchanges": 1}  # fmt: skip


def found(*campaigns, verdicts=()):
    """campaigns: (id, accounts, exchange ids, flagged_at)."""
    return Found(
        verdicts=list(verdicts), pools=[], members={c[0]: c[2] for c in campaigns},
        campaigns=[{"campaign_id": c[0], "accounts": c[1], "flagged_at": c[3]} for c in campaigns],
    )  # fmt: skip


def test_a_campaign_is_matched_by_most_of_its_exchanges(known):
    (m,) = matching.match(found(("C", ["a1", "a2"], [f"x{i}" for i in range(8)] + ["decoy"], 3 * HOUR)), known)
    assert (m.true, m.how) == ("x", "exchanges")
    assert m.share == pytest.approx(8 / 9)


def test_what_was_taken_before_the_flag_is_counted_for_the_whole_campaign(known):
    # Flagged at 3 h: exchanges at 0, 1, 2 and 3 h had begun, those at 0 and 2 h carry reasoning.
    matches = matching.match(found(("C", ["a1"], ["x1", "x3", "x5", "x7"], 3 * HOUR)), known)
    x, y, z = matching.outcomes(matches, known)
    assert (x.before_flag, x.reasoning_before_flag, x.hours_to_flag) == (4, 2, 3.0)
    assert (x.accounts_found, x.exchanges_found) == (1, 4)
    assert not y.found and y.before_flag is None
    assert not z.found


def test_accounts_of_its_own_match_a_campaign_that_drowns_in_decoys(known):
    (m,) = matching.match(found(("C", ["a1"], ["x1", "decoy", "h0", "h1"], None)), known)
    assert (m.true, m.how) == ("x", "accounts")


def test_a_whole_router_is_not_the_campaign_inside_it(known):
    (m,) = matching.match(found(("C", ["r"], [f"r{i}" for i in range(10)], HOUR)), known)
    assert m.true is None
    (m,) = matching.match(found(("C", ["r"], ["r0", "r1", "r2"], HOUR)), known)
    assert m.true == "y"


def test_two_campaigns_in_one_are_mixed_and_no_false_alarm(known):
    scan = found(("C", ["a1", "r"], ["x1", "r0", "h0"], HOUR), verdicts=[verdict("a1"), verdict("r")])
    (m,) = matching.match(scan, known)
    assert (m.true, m.how) == (None, "mixed")
    result = measured(scan, known)
    assert measures.campaign_precision([result])[:2] == (0, 1)
    assert measures.alarms([result])["false_campaigns"] == 0


def test_two_parts_of_a_campaign_count_once_and_the_earlier_flag_counts(known):
    parts = found(("C", ["a1"], ["x1", "x3"], 5 * HOUR), ("D", ["a2"], ["x0", "x2"], 2 * HOUR))
    x = matching.outcomes(matching.match(parts, known), known)[0]
    assert (x.fragments, x.before_flag, x.accounts_found) == (2, 3, 2)


@pytest.fixture
def result(known):
    scan = found(
        ("C", ["a1", "a2"], [f"x{i}" for i in range(8)], 3 * HOUR), ("D", ["h"], ["h0"], HOUR),
        verdicts=[verdict("a1", "distilling", 1000.0, "C"), verdict("a2", "distilling", 10.0, "C"),
                  verdict("r", "reseller", 2.0), verdict("h", "distilling", 30.0, "D")],
    )  # fmt: skip
    return measured(scan, known)


def test_campaign_precision_and_recall(result):
    assert measures.campaign_precision([result])[:2] == (1, 2)  # D is nobody's
    assert measures.campaign_recall([result])[:2] == (1, 2)  # y is missed; z cannot be seen and does not count


def test_accounts_as_shipped(result):
    (recall, _), false = measures.operating([result])
    assert recall == 1  # a1 and a2; r is somebody else's
    assert measures.carriers([result], "router")[:2] == (0, 1)
    assert false[:2] == (1, 1)


def test_recall_is_read_off_at_a_false_positive_rate(result):
    negatives, positives = measures.split([result], measures.ours)
    assert negatives.tolist() == [pytest.approx(math.log10(30))]
    # none of one honest account may lie above: the score must beat 30, and a1 alone of two does
    assert measures.recall(positives, measures.cut(negatives, 0.001))[0] == pytest.approx(1 / 2)


def test_the_cut_leaves_no_more_than_the_rate_above():
    scores = np.arange(1000.0)
    assert (scores > measures.cut(scores, 0.001)).sum() == 1
    assert (scores > measures.cut(scores, 0.0001)).sum() == 0


def test_silent_accounts_keep_their_place_in_the_curve():
    rates, found = measures.curve(np.array([-np.inf, 1.0]), [np.array([2.0, -np.inf])])
    assert list(zip(rates.tolist(), found.tolist(), strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (1, 1)]


def test_a_campaign_that_was_never_flagged_counts_as_never(result):
    harvest = measures.harvest([result], "before_flag")
    assert harvest.worst_family == math.inf and harvest.family == "F2"
    assert measures.table([result], "family")["F1"]["before_flag"] == 4


def test_aggregators_are_measured_by_exchange(known):
    scan = found(("C", ["r"], ["r0", "r1", "r2"], HOUR), verdicts=[verdict("r")])
    inside = measures.aggregators([measured(scan, known)])
    assert inside["recall"][:2] == (2, 2)
    assert inside["precision"][:2] == (2, 3)
    assert inside["before_flag_at_a_tenth"] == 2  # y is a fifth of the router's traffic, within 5 to 20 %


def test_alarms_and_promises(result):
    alarms = measures.alarms([result])
    assert (alarms["false_campaigns"], alarms["accounts"], alarms["months"]) == (1, 1, 1.0)
    observed = dict(measures.promised([result]))
    assert observed[0.05][:2] == (1, 1)  # 30 >= 20
    assert observed[0.02][:2] == (0, 1)  # 30 < 50


def test_the_e_value_that_a_verdict_needs_bounds_its_false_alarms():
    # probability 0.9 from a prior of 0.005: odds 9 over odds 1 / 199, so an e-value of 1,791
    assert 1 / measures.alpha(Rules(prior=0.005, distilling=0.9)) == pytest.approx(1791)


def test_false_positives_by_language(result):
    assert measures.wrongly_flagged([result], "language") == {"de": measures.share(1, 1)}


def test_a_miss_says_which_evidence_lacked(result):
    why = {c["campaign"]: c["why"] for c in result["campaigns"]}
    assert "content alone speaks" in why["y"]
    assert "not observable" in why["z"]
    assert why["x"] is None


def test_an_expected_miss_counts_neither_way(known, result):
    result["campaigns"][1]["expected_miss"] = True
    assert measures.campaign_recall([result])[:2] == (1, 1)
    assert len(measures.split([result], measures.ours)[0]) == 1  # its accounts are no honest ones either


def test_linking_by_hand():
    # True: {a b c}, {d}. Found: {a b}, {c d}. Pairs true ab ac bc, found ab cd, right ab.
    # B-cubed precision: a 1, b 1, c 1/2, d 1/2 = 3/4; recall: a 2/3, b 2/3, c 1/3, d 1 = 2/3.
    total = linking.total([linking.compare({"x": ["a", "b", "c"], "y": ["d"]}, {"1": ["a", "b"], "2": ["c", "d"]})])
    assert total["pairwise_precision"] == pytest.approx(1 / 2)
    assert total["pairwise_recall"] == pytest.approx(1 / 3)
    assert total["bcubed_precision"] == pytest.approx(3 / 4)
    assert total["bcubed_recall"] == pytest.approx(2 / 3)


def test_linking_with_an_account_in_two_groups():
    # Amigo et al. 2009, section 4: a and b share two true groups and one found one. Multiplicity recall 1/2.
    total = linking.total([linking.compare({"x": ["a", "b"], "y": ["a", "b"]}, {"1": ["a", "b"]})])
    assert total["bcubed_precision"] == 1 and total["bcubed_recall"] == pytest.approx(1 / 2)


def test_a_stranger_in_a_found_group_costs_precision():
    # True {a b}; found {a b s}. s is alone in truth: precision 2/3, 2/3, 1/3; recall 1, 1, 1.
    total = linking.total([linking.compare({"x": ["a", "b"]}, {"1": ["a", "b", "s"]})])
    assert total["bcubed_precision"] == pytest.approx(5 / 9) and total["bcubed_recall"] == 1


def test_a_folder_without_an_answer_key_is_refused(tmp_path):
    with pytest.raises(InputError, match="no data set with an answer key"):
        DataSet(folder=tmp_path).known()
