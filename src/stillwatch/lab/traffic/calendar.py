"""What the calendar does to everybody: a model is released, students have exams. Both are honest drift."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from stillwatch.lab.traffic.world import DAY_S

MOVERS = 0.2  # of ordinary accounts that change to a released model, within two days


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days are counted from the start of the period."""

    release_at: float  # seconds since 1970
    released: str  # model group
    release_day: int
    exams: range  # days

    @classmethod
    def drawn(cls, rng: Random, start: float, days: int) -> Calendar:
        """A release in the middle of the period, and a week of exams somewhere."""
        day = rng.randrange(days // 4, max(days // 4 + 1, 3 * days // 4))
        first = rng.randrange(max(1, days - 7))
        return cls(
            start + day * DAY_S + (14 + 5 * rng.random()) * 3600,
            rng.choice(("claude-sonnet-4-5", "deepseek-r1", "gpt-4o")), day, range(first, first + 7),
        )  # fmt: skip

    def busy(self, day: int, *, student: bool) -> float:
        """How much likelier it is than usual that somebody turns up on a day."""
        release = 1.5 if day in (self.release_day, self.release_day + 1) else 1.0
        return release * (1.8 if student and day in self.exams else 1.0)


__all__ = ["MOVERS", "Calendar"]
