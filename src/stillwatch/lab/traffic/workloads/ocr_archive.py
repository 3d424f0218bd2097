"""An archive has badly scanned pages put right: wrong letters, dropped letters, two languages."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, through, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_ORDERS = (
    "Correct the scan. Change nothing else.", "Repair this OCR text and keep the line breaks.",
    "Transcribe properly; mark what cannot be read.",
)  # fmt: skip


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Page after page at night: what comes back is nearly what went in."""
    rng, texts = world.rng, world.texts
    order = rng.choice(_ORDERS)
    account = job_account(world, "ocr_archive", programme="nonprofit" if rng.random() < 0.4 else None)
    for at in runs(world, start, end, every_days=1.0, hour=(20 + 8 * rng.random()) % 24):
        yield at
        calls = []
        for _ in range(scale(world, 18)):
            page = texts.document(1100)
            scanned = through(world, rng.choice(("typos", "homoglyphs")), user(page))[0]["content"]
            calls.append(Call(user(f"{order}\n\n{scanned}"), page))
        batch(world, account, at, calls, width=3)


PARTS = (
    Workload(
        id="ocr_archive",
        about="scanned pages are corrected, nearly the same text comes back",
        play=play,
        about_families=("F8",),
    ),
)
