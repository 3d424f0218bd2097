"""F20  Transcripts are bought from third parties: no traffic at all, so nothing to observe."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Nothing is ever sent."""
    return iter(())


PARTS = (
    Family(
        id="F20",
        title="Bought transcripts",
        about="the campaign exists in the truth alone; `not observable` is the only right answer",
        source="Anthropic, September 2026 (SenseTime)",
        make=make,
        observable=False,
        expected_miss=True,
    ),
)
