"""SG115  Agent tasks run one after another without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir

STEPS: Final = 4  # exchanges of a conversation that is a run of an agent


@signal(
    id="SG115",
    title="Agent tasks run one after another without a person",
    means=(
        "One harness works off task after task: each conversation has many steps, one message of a person at its "
        "beginning and none after it. Trajectories for training are collected that way."
    ),
    innocent=("code review in continuous integration", "a product built on agents", "an agent benchmark"),
    misses=("harnesses that send tool results as messages of the user", "a simulated user in the loop"),
    unit="share of the runs of an agent, 0 to 1",
    family="content",
    needs=("chain_root", "prompt", "tools_shape"),
    sentence="{value:.0%} of {n:,} runs of an agent had no word of a person after the first.",
    source="Anthropic, February and September 2026 (trajectories through coding harnesses); DESIGN section 8, F10",
    enable="log prompts and tools",
    least=10,
)
def unmanned_tasks(t: Tables) -> ir.Table:
    """Share of runs (conversations of `STEPS` exchanges or more with tools) in which the last human message stays one.

    Shapes  exchanges -> (unit, value, n); units without runs are left out
    Units   value: share, 0 to 1; n: runs
    """
    e = t.exchanges.filter(
        t.exchanges.chain_root.notnull() & t.exchanges.prompt.notnull() & t.exchanges.tools_shape.notnull()
    )
    runs = e.group_by(["unit", "chain_root"]).agg(steps=e.count(), said=e.prompt.nunique())
    runs = runs.filter(runs.steps >= STEPS)
    return runs.group_by("unit").agg(value=(runs.said == 1).cast("float64").mean(), n=runs.count())
