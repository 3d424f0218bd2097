"""SG112  Conversations that were had elsewhere come in once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir

WARM_UP_US: Final = 6 * 3_600_000_000  # of a unit: conversations that began before the log are not foreign
RARE: Final = 2  # exchanges with one beginning; a constant beginning is a set of examples, or a fixed test


def foreign(exchanges: ir.Table) -> ir.Table:
    """The exchanges with `abroad`: 1 for a conversation of two turns or more whose beginning was never sent on its own.

    Only conversations that hold an answer of the assistant count (0 or 1); others are null. Its beginning, the first
    message, is rare (`RARE`), and no exchange of any account has it with fewer turns: the conversation neither began
    nor went on here.
    """
    known = exchanges.filter(exchanges.chain_root.notnull())
    roots = known.group_by("chain_root").agg(least=known.turns.min(), sent=known.count())
    began = exchanges.group_by("unit").agg(begins=exchanges.at.min(), ends=exchanges.at.max())
    talk = exchanges.filter(exchanges.chain_parent.notnull() & (exchanges.turns >= 3)).join(began, "unit")
    # what a unit of less than half a day began before it was logged cannot be told, and is taken as it comes
    talk = talk.filter((talk.at >= talk.begins + WARM_UP_US) | (talk.ends - talk.begins < 2 * WARM_UP_US))
    talk = talk.join(roots, "chain_root")
    return talk.mutate(abroad=((talk.least >= 3) & (talk.sent <= RARE)).cast("int64"))


@signal(
    id="SG112",
    title="Conversations that were had elsewhere come in once",
    means=(
        "Whole conversations with an assistant arrive of which no earlier turn was ever asked here, one request each: "
        "stored conversations of another product are replayed to collect this model's answers."
    ),
    innocent=(
        "a product that falls back to this provider in mid-conversation",
        "a migration from another provider",
        "a chat program that drops the oldest turns",
        "an evaluation of answers in the middle of conversations",
    ),
    misses=(
        "single-turn traffic",
        "conversations that are replayed turn by turn",
        "a live relay from the first turn on",
    ),
    unit="share of the exchanges with a history, 0 to 1",
    family="content",
    needs=("chain_parent", "chain_root", "turns"),
    sentence="{value:.0%} of {n:,} conversations in progress were never begun here, and came in once.",
    source="Anthropic, September 2026 (stored sessions of a product's users replayed in batch)",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    least=20,
)
def foreign_history(t: Tables) -> ir.Table:
    """Share of a unit's exchanges with a history that neither began here nor went on.

    Shapes  exchanges -> (unit, value, n); units without conversations are left out
    Units   value: share, 0 to 1; n: exchanges whose history holds an answer
    """
    talk = foreign(t.exchanges)
    return talk.group_by("unit").agg(value=talk.abroad.mean(), n=talk.count())
