"""F16  One narrow domain is drained: law, medicine, kernels."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item

DOMAINS = {"law": "transport and contract law", "medicine": "internal medicine", "kernel": "accelerator kernels"}


def make(ctx: Context) -> Iterator[Item]:
    """Question after question of one domain, with little revisiting, and a follow-up now and then."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f16")
    domain = rng.choice(tuple(DOMAINS))
    style.words["field"] = DOMAINS[domain]
    template = ctx.say("f16", "wrap")
    long = rng.choice((500, 900, 1400))
    while True:
        frame = style.fill(template)
        section = "code" if domain == "kernel" else "doc"
        answer = texts.sentences(section, "say" if section == "code" else "sentence", rng.lognormvariate(0, 0.4) * long)
        messages = style.dress(frame, ctx.say(domain, "item"))
        yield one(messages, f"{texts.reasoning(300)}\n\n{answer}", style.params, reasoning=True, frame=frame,
                  reword=(lambda language: style.say("lead")) if frame else None)  # fmt: skip


PARTS = (
    Family(
        id="F16",
        title="Narrow-domain drain",
        about="dense questions on one professional domain until it is covered",
        source="Anthropic, September 2026 (Alibaba: kernel development)",
        make=make,
    ),
)
