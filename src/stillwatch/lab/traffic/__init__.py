"""Traffic of a simulated gateway, with ground truth: for the demo, for tests and for the benchmarks.

    read = scenario.load("small")
    written = write.write(scenario.cast(read, seed=1, side="test"), folder, seed=1, side="test", scenario=read.name,
                          expected=read.exchanges)

`scenario` says what is in the traffic, `design` draws what it leaves open, `campaign`, `relay`, `population` and the
parts in `families/`, `obfuscations/` and `workloads/` act, `clockwork` lets them act in order of time, `write` puts it
on disk, `leaks` audits it. Every prompt comes from our own grammars in `prompts/`. No row is copied from anybody's log.
"""

from __future__ import annotations

from stillwatch.lab.traffic.generate import write_demo
from stillwatch.lab.traffic.speed import write_speed
from stillwatch.lab.traffic.truth import Truth

__all__ = ["Truth", "write_demo", "write_speed"]
