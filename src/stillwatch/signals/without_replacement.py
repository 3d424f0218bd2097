"""SG111  One corpus shared out: no prompt is asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG111",
    title="One corpus shared out: no prompt is asked twice",
    means=(
        "Accounts fill the same template with prompts that never collide, although independent users of one "
        "list would meet again and again: somebody deals the list out."
    ),
    innocent=("one company's batch job on several accounts", "documents that differ by nature"),
    misses=("overlapping shards on purpose", "a different wrapper for each account"),
    unit="decimal digits: chances to collide for each collision",
    family="content",
    needs=("prompt", "head"),
    sentence=(
        "Prompts of one template had 10^{value:.1f} chances to collide between accounts for each time they "
        "did ({n:,} exchanges)."
    ),
    source="capture-recapture (Chapman 1951): independent samples of one list overlap",
    enable="log prompts",
    least=20,
    atlas=("AML.T0065", "AML.T0021"),
)
def without_replacement(t: Tables) -> ir.Table:
    """Chances of a collision between accounts within one template, over collisions seen, as a decimal logarithm.

    Shapes  exchanges -> (unit, value, n); units of one account are left out
    Units   value: log10((pairs + 1) / (collisions + 1)); n: exchanges in shared templates
    """
    e = t.exchanges.filter(t.exchanges["head"].notnull() & t.exchanges.prompt.notnull())
    per = e.group_by(["unit", "system_head", "head", "account"]).agg(k=e.count())
    group = per.group_by(["unit", "system_head", "head"]).agg(
        n=per.k.sum(), squares=(per.k * per.k).sum(), accounts=per.count()
    )
    group = group.filter(group.accounts >= 2)
    same = e.group_by(["unit", "system_head", "head", "prompt", "account"]).agg(k=e.count())
    hits = same.group_by(["unit", "system_head", "head", "prompt"]).agg(n=same.k.sum(), squares=(same.k * same.k).sum())
    chances = group.group_by("unit").agg(pairs=((group.n * group.n - group.squares) / 2).sum(), n=group.n.sum())
    seen = hits.group_by("unit").agg(hits=((hits.n * hits.n - hits.squares) / 2).sum())
    both = chances.join(seen, "unit")
    return both.select("unit", value=((both.pairs + 1) / (both.hits + 1)).log10(), n=both.n)
