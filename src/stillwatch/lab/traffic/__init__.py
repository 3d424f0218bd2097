"""Traffic of a simulated gateway, with ground truth: for the demo, for tests and for the benchmarks.

Every prompt comes from our own grammars in `prompts/`. No row is copied from anybody's log.
"""

from __future__ import annotations

from stillwatch.lab.traffic.generate import write_demo
from stillwatch.lab.traffic.speed import write_speed
from stillwatch.lab.traffic.truth import Truth

__all__ = ["Truth", "write_demo", "write_speed"]
