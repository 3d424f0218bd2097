"""SynchroTrap: which accounts do the same things at the same times?

Paper: Cao, Yang, Yu and Palow 2014, "Uncovering large groups of active malicious accounts in online social networks",
CCS, section 4: an action is (account, time, constraint object); two accounts' actions match if their objects are
equal and their times within the matching window; the similarity of two accounts is the Jaccard of their action sets;
accounts are clustered by single linkage above a threshold.

Adapted: the constraint object is a prompt's template (its first words with numbers and names masked), as likes have
pages and logins have addresses. Times fall into hours. Objects that more than `POPULAR` accounts share in one hour
are left out, for they would need all pairs. The score is the size of the account's cluster at a similarity of 0.5,
and below that its best similarity, so that accounts outside any cluster are ranked too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stillwatch.bench.baselines.rate_limit import HOUR_US
from stillwatch.bench.baselines.traffic import Traffic

THRESHOLD = 0.5
POPULAR = 300
MASKED = re.compile(r"\d+|[^\w\s]|\b[A-Z]\w*")
LEAST = 2  # actions of an account


class SynchroTrap:
    """Cluster size by co-action."""

    name = "SynchroTrap"
    source = "Cao et al. 2014, CCS"
    embeds = False

    def fit(self, benign: Traffic) -> None:
        """Nothing to learn: the threshold of similarity is the paper's."""

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        actions: dict[tuple[str, int], set[int]] = defaultdict(set)
        for owner, at, prompt in zip(traffic.owner.tolist(), traffic.at.tolist(), traffic.prompts, strict=True):
            if prompt:
                actions[template(prompt), at // HOUR_US].add(owner)
        return cluster_scores(actions.values(), len(traffic.accounts))


def template(prompt: str) -> str:
    """The first eight words, numbers and capitalised words masked."""
    return " ".join(MASKED.sub("*", prompt[:200]).split()[:8])


def cluster_scores(actions: Iterable[set[int]], accounts: int) -> np.ndarray:
    """Cluster size above the threshold, best Jaccard below it, (accounts,). `actions`: who did each."""
    done: Counter[int] = Counter()
    common: Counter[tuple[int, int]] = Counter()
    for who in actions:
        done.update(who)
        if 1 < len(who) <= POPULAR:
            common.update(combinations(sorted(who), 2))
    scores = np.zeros(accounts)
    edges = []
    for (a, b), k in common.items():
        if min(done[a], done[b]) >= LEAST:
            jaccard = k / (done[a] + done[b] - k)
            scores[a], scores[b] = max(scores[a], jaccard), max(scores[b], jaccard)
            if jaccard >= THRESHOLD:
                edges.append((a, b))
    if edges:
        a, b = np.array(edges).T
        graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(accounts, accounts))
        _, label = connected_components(graph, directed=False)
        size = np.bincount(label)[label]
        scores = np.where(size > 1, size, scores)
    return scores
