"""SG116  Questions are answered at length and never followed up."""

from __future__ import annotations

from typing import Final

import ibis.expr.types as ir

from stillwatch.signals.registry import Tables, signal

LONG: Final = 600  # bytes of an answer, or tokens of one, that has something to teach
LONG_TOKENS: Final = 150
SHORT: Final = 2000  # bytes of a prompt that is a question and not a document


@signal(
    id="SG116",
    title="Questions are answered at length and never followed up",
    means=(
        "Short prompts that stand alone, each sent once, each answered at length; no conversation goes on and nothing "
        "comes back: a list of questions is worked through for its answers."
    ),
    innocent=(
        "a search box or an assistant without memory",
        "a job that writes texts from keywords",
        "a benchmark run",
    ),
    misses=("several samples for each question", "questions hidden between turns of a conversation", "short answers"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("prompt", "chain_root", "prompt_bytes", "answer_bytes|tokens_out"),
    sentence="{value:.0%} of {n:,} prompts were short, answered at length and never taken up again.",
    source="Juuti et al. 2019, PRADA; Anthropic, February 2026; DESIGN section 8, F13, F15, F16",
    enable="log prompts and answers",
    least=20,
)
def never_followed_up(t: Tables) -> ir.Table:
    """Share of exchanges with a short prompt, a longer answer, one turn, and no other exchange with the same beginning.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges.filter(t.exchanges.prompt.notnull() & t.exchanges.chain_root.notnull())
    began = e.group_by(["unit", "chain_root"]).agg(
        sent=e.count(),
        alone=(
            (e.turns.fill_null(1) == 1)
            & (e.prompt_bytes <= SHORT)
            & ((e.answer_bytes.fill_null(0) >= LONG) | (e.tokens_out.fill_null(0) >= LONG_TOKENS))
            & e.tools_shape.isnull()
            & e.format_shape.isnull()
        )
        .cast("int64")
        .min(),
    )
    once = ((began.sent == 1) & (began.alone == 1)).cast("int64")
    return began.group_by("unit").agg(value=once.sum() / began.sent.sum(), n=began.sent.sum())
