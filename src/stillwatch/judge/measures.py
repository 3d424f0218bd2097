"""What is counted of every exchange: the yes-or-no questions whose shares are tested against benign traffic.

A measure is an expression over the rows of `signals.exchanges.measured`, or (`when` None) is worked out from several
rows in `judge.rows`. To add one, write a line here and make the calibration anew. A measure that a calibration does not
know says nothing (e-value 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stillwatch.signals.exchanges import REASONING, TASKS
from stillwatch.signals.order_share import ORDERED
from stillwatch.sketch.elicitation import BENIGN, CLASSES

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Work that is named in so many words; whoever orders it wants the work and not the answers of a model.
WORK: Final = int(BENIGN) | TASKS | (1 << CLASSES["answer_format"])
POSED: Final = TASKS | REASONING
LONG: Final = 600  # bytes of an answer that has something to teach ...
THOUGHT: Final = 64  # ... or tokens of reasoning
TAGS: Final = 16  # bit of `answer_shape`: reasoning between tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One yes-or-no question and its weight in the content e-value."""

    about: str
    weight: float
    gates: bool = False  # does it make an account worth a look? not for what half of the honest accounts do
    # Share of honest wordings that it takes for something else. A product's wording stands in all its exchanges, and
    # generated traffic has few of them: so much stays possible whatever the calibration says.
    errs: float = 0.0
    # Does it speak about strangers who fill one template? Not what evaluations and recipes do for everybody.
    cohorts: bool = False
    when: Callable[[ir.Table], Any] | None = None


def _swept(t: ir.Table) -> Any:
    """A question without history, work order or form, and a long or reasoned answer that nobody watches arrive."""
    long = (t.answer_bytes.fill_null(0) >= LONG) | (t.reasoning_bytes.fill_null(0) > 0)
    reasoned = t.tokens_reasoning.fill_null(0) >= THOUGHT
    plain = ((t.elicits.cast("int64") & WORK) == 0) & t.format_shape.isnull() & t.tools_shape.isnull()
    return (t.turns.fill_null(1) == 1) & ~t.stream.fill_null(False) & plain & (long | reasoned)


def _thought(t: ir.Table) -> Any:
    """Reasoning comes back, inside the answer or beside it, and nobody watches it arrive."""
    tagged = (t.answer_shape.fill_null(0).cast("int64") & TAGS) != 0
    beside = (t.reasoning_bytes.fill_null(0) > 0) | (t.tokens_reasoning.fill_null(0) >= THOUGHT)
    return tagged | (beside & ~t.stream.fill_null(False))


# The e-values of all measures are averaged with these weights, which is valid however they depend (the weights add up
# to 1): training material says most; what alone is also asked by tutors, evaluations and vendors says less.
MEASURES: Final[dict[str, Measure]] = {
    "material": Measure(
        about="asks for training material", weight=0.2, gates=True, errs=0.001,
        cohorts=True, when=lambda t: t.material == 1,
    ),
    "posed": Measure(
        about="asks for a new task and for reasoning in one", weight=0.05, gates=True, cohorts=True,
        when=lambda t: (t.elicits.cast("int64") & POSED) == POSED,
    ),
    "sampled": Measure(about="takes a further sample of reasoning", weight=0.12, cohorts=True),
    "traces": Measure(
        about="asks for reasoning and gets it, unwatched", weight=0.08, gates=True, when=lambda t: t.traces == 1
    ),
    "judges": Measure(about="asks for a rating or a preference", weight=0.1, gates=True, when=lambda t: t.judges == 1),
    "replayed": Measure(
        about="sends encrypted reasoning into another conversation", weight=0.05, gates=True, cohorts=True
    ),
    "abroad": Measure(about="goes on with a conversation that was had elsewhere, once", weight=0.01, gates=True),
    "logits": Measure(
        about="takes token probabilities of a text", weight=0.01, gates=True, when=lambda t: t.logits == 1
    ),
    "swept": Measure(about="puts a bare question and stores a long answer", weight=0.08, when=_swept),
    "thought": Measure(about="gets reasoning, asked for or not, unwatched", weight=0.05, when=_thought),
    "ordered": Measure(
        about="reads like an order of training data", weight=0.2, gates=True, errs=0.05,
        when=lambda t: t.intent.fill_null(0) >= ORDERED,
    ),
    "filled": Measure(about="fills a text again, and the answer is long or reasoned", weight=0.05),
}  # fmt: skip
JOINED: Final = ("replayed", "abroad")  # what the engine finds by joining exchanges
NAMES: Final = tuple(MEASURES)
BIT: Final = {name: i for i, name in enumerate(NAMES)}
GATING: Final = sum(1 << BIT[name] for name, m in MEASURES.items() if m.gates)
USED: Final = GATING | (1 << BIT["swept"]) | (1 << BIT["thought"])  # what templates of a harvest are looked for in
ASKED: Final = {name: m.when for name, m in MEASURES.items() if m.when is not None}  # what the engine can tell of a row


def mask(*names: str) -> int:
    """Bits of some measures."""
    return sum(1 << BIT[name] for name in names)
