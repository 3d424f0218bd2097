"""Exchange ids seen before: at-least-once delivery and files read twice must not count twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from stillwatch.ingest.records import Batch, Reject

_RUNS = 12  # sorted runs kept apart before they are merged


class Seen:
    """A growing set of exchange ids as 64-bit hashes: 8 bytes an id.

    Two different ids share a hash with probability n^2 / 2^65: below 1 in 100,000 for 16 million ids.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def filter(self, batch: Batch) -> Batch:
        """The batch without exchanges whose id came before; those become rejects with reason `duplicate`."""
        rows = batch.exchanges.num_rows
        if not rows:
            return batch
        ids = batch.exchanges.column("exchange_id").to_pylist()
        hashes = np.frombuffer(
            b"".join(hashlib.blake2b(i.encode("utf-8", "replace"), digest_size=8).digest() for i in ids),
            dtype=np.uint64,
        )
        _, first_at = np.unique(hashes, return_index=True)
        fresh = np.zeros(rows, dtype=bool)
        fresh[first_at] = True
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            fresh &= run[at] != hashes
        self._add(np.sort(hashes[fresh]))
        if fresh.all():
            return batch
        lines = batch.exchanges.column("line").to_numpy()[~fresh]
        rejects = [
            Reject(
                line=int(line),
                field="exchange_id",
                reason="duplicate",
                detail="an exchange of this id was read before; this one was left out: deliver each record once",
            )
            for line in lines[:100]
        ]
        if len(lines) > 100:
            rejects.append(replace(rejects[-1], line=int(lines[100]), records=len(lines) - 100))
        kept = batch.exchanges.take(np.flatnonzero(fresh))
        return replace(batch, exchanges=kept, rejects=[*batch.rejects, *rejects])

    def _add(self, run: np.ndarray) -> None:
        if not len(run):
            return
        self._runs.append(run)
        # Merging neighbours of like size keeps the number of runs logarithmic.
        while len(self._runs) > 1 and (len(self._runs) > _RUNS or len(self._runs[-2]) <= 2 * len(self._runs[-1])):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]), kind="stable")
