"""Words of another language are mixed into the text."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_text
from stillwatch.lab.traffic.work import Context, Item, Obfuscation

_ENGLISH = (
    "the",
    "and",
    "with",
    "your",
    "all",
    "before",
    "write",
    "then",
    "between",
    "question",
    "give",
    "from",
    "for",
)
_FOREIGN = {  # the same words, common ones only, so that the text stays readable for a model
    "es": ("el", "y", "con", "tu", "todo", "antes de", "escribe", "luego", "entre", "pregunta", "da", "de", "para"),
    "de": ("die", "und", "mit", "dein", "alles", "vor", "schreibe", "dann", "zwischen", "Frage", "gib", "von", "für"),
    "zh": ("该", "和", "用", "你的", "全部", "之前", "写", "然后", "之间", "问题", "给出", "从", "为"),
}


def change(ctx: Context, item: Item) -> Item:
    """Every second known word, of one language per item."""
    words = dict(zip(_ENGLISH, ctx.rng.choice(tuple(_FOREIGN.values())), strict=True))

    def mix(text: str) -> str:
        return " ".join(words.get(word.lower(), word) if ctx.rng.random() < 0.5 else word for word in text.split(" "))

    return map_text(item, mix)


PARTS = (Obfuscation(id="code_switch", about="words of another language are mixed in", change=change),)
