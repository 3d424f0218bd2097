"""The table that unit signals read: sketches of the exchanges, under the unit that is measured.

Pure ibis without Python functions, so that the same expressions run on DuckDB, ClickHouse and Spark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from stillwatch.signals.lazy import ibis
from stillwatch.sketch import forms, labels
from stillwatch.sketch.elicitation import CLASSES, STRONG

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Judging and testing are what evaluation vendors do all day: signals of their own, not training material.
JUDGING: Final = sum(
    1 << CLASSES[name] for name in ("judging", "preference_synthesis", "data_filtering", "boundary_mapping")
)
REASONING: Final = 1 << CLASSES["reasoning"]
# Rewriting a given prompt alone is what retrieval does to every question, and what people ask for their own prompts.
MATERIAL: Final = int(STRONG) & ~JUDGING & ~(1 << CLASSES["rewriting"])
TASKS: Final = 1 << CLASSES["task_synthesis_weak"]

# Retrieval asks for a new question all day: the same one, so that it can be looked up.
LOOK_UP: Final = 1 << CLASSES["answer_from_context"]

LONG_ENOUGH: Final = 200  # bytes of an answer that is more than a label

# Columns of SKETCH that the relational steps use; text never gets here.
COLUMNS: Final = (
    "account", "key", "at", "latency_ms", "status", "endpoint", "stream", "temperature", "max_tokens", "n", "choices",
    "logprobs", "params", "tokens_in", "tokens_out", "tokens_reasoning", "refused", "ip", "ip_net", "tls",
    "header_order", "user_agent", "client", "app", "router_marks", "turns", "system", "system_head", "prompt",
    "prompt_bytes", "head", "tail", "cell", "script", "language", "obfuscation", "elicits", "chain_parent",
    "chain_self", "chain_given", "chain_root", "session", "end_user", "answer_bytes", "answer_shape", "reasoning_bytes",
    "model", "format_shape", "tools_shape", "head_long", "asked_form", "answer_form", "intent",
    "band0", "band1", "band2", "band3", "exchange_id", "blobs_in", "blobs_out", "line",
)  # fmt: skip


def _has(form: ir.Value, bits: int) -> ir.BooleanValue:
    """All of these bits; unknown bits are not there."""
    return cast("ir.BooleanValue", (form & bits) == bits)


def formed(sketches: ir.Table) -> ir.BooleanValue:
    """Does the form alone, without a phrase, say that training material is asked for or came back?

    Asked: a list of tasks or questions, or examples of their rewriting, left open for the next one; a rewritten
    question to be filled in; a schema or format with questions and their answers, tests or difficulty, or with a good
    and a bad answer.
    Came back: several questions with answers, several turns of both sides of a conversation, a rewritten question, a
    good and a bad answer.
    """
    asked = sketches.asked_form.fill_null(0).cast("int64")
    given = sketches.answer_form.fill_null(0).cast("int64")
    looks_up = (sketches.elicits.fill_null(0).cast("int64") & LOOK_UP) != 0
    whose = forms.OPEN_QUESTION | forms.OPEN_FRESH | forms.OPEN_USER
    return cast(
        "ir.BooleanValue",
        (_has(asked, forms.OPEN_BLOCK) & ((asked & whose) != 0))
        | _has(asked, forms.OPEN_LIST)
        | (_has(asked, forms.OPEN_PART | forms.OPEN_QUESTION) & ~looks_up)
        | ((_has(asked, forms.OPEN_FRESH) | _has(asked, labels.FRESH) | _has(given, labels.FRESH)) & ~looks_up)
        | (
            _has(asked, labels.QUESTION)
            & ((asked & (labels.ANSWER | labels.TESTS | labels.DIFFICULTY)) != 0)
            & ~looks_up
        )
        | _has(asked, labels.PAIR)
        | _has(given, labels.PAIR)
        | _has(given, forms.PAIRS)
        | _has(given, forms.TALK),
    )


def measured(sketches: ir.Table) -> ir.Table:
    """Sketch rows with the yes-or-no questions that several signals ask, 0 or 1, null where it cannot be told.

    material: asks for training material (tasks, prompts, question-answer pairs, rationales, cleaned transcripts), in
              words or by its form (`formed`).
    judges:   asks for a rating or a preference.
    made:     the form alone says so.
    traces:   asks for reasoning (in words, or by a schema with reasoning and answer) and gets it: inside the answer,
              marked by tags or a label, or beside it and unstreamed, when nobody watches it arrive.
    logits:   takes token probabilities of a text; a classifier takes those of one word.
    """
    text = sketches.elicits.notnull()
    thought = (sketches.tokens_reasoning.fill_null(0) >= 64) | (sketches.reasoning_bytes.fill_null(0) > 0)
    asked = sketches.elicits.cast("int64")
    wanted = sketches.asked_form.fill_null(0).cast("int64")
    given = sketches.answer_form.fill_null(0).cast("int64")
    labelled = ((sketches.answer_shape.fill_null(0).cast("int64") & 16) != 0) | _has(given, labels.REASONING)
    reasons = ((asked & REASONING) != 0) | _has(wanted, labels.REASONING | labels.ANSWER)
    made = formed(sketches)
    return sketches.mutate(
        end_at=sketches.at + sketches.latency_ms.fill_null(0).cast("int64") * 1000,
        made=ibis.ifelse(text, made.cast("int64"), None),
        material=ibis.ifelse(text, (((asked & MATERIAL) != 0) | made).cast("int64"), None),
        judges=ibis.ifelse(text, ((asked & JUDGING) != 0).cast("int64"), None),
        traces=ibis.ifelse(
            text,
            (reasons & ((thought & ~sketches.stream.fill_null(False)) | labelled)).cast("int64"),
            None,
        ),
        logits=ibis.ifelse(
            sketches.logprobs.notnull(),
            (
                (sketches.logprobs > 0)
                & (
                    (sketches.answer_bytes.fill_null(0) >= LONG_ENOUGH)
                    | (sketches.tokens_out.fill_null(0) >= LONG_ENOUGH // 4)
                )
            ).cast("int64"),
            None,
        ),
    )
