"""What a verdict rests on, so that it can be made again: code, signals, settings, calibration, inputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from stillwatch import __version__
from stillwatch.config import Settings
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules
from stillwatch.signals.registry import ALL
from stillwatch.sketch.elicitation import CUES_VERSION
from stillwatch.sketch.sketch import SKETCH_VERSION
from stillwatch.store.layout import Store


def signals_digest() -> str:
    """Digest of all signals' ids, versions and definitions."""
    text = "\n".join(f"{s.name} {s.digest}" for s in sorted(ALL.values(), key=lambda s: s.id))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def made_by(store: Store, settings: Settings, calibration: Calibration, rules: Rules) -> dict[str, Any]:
    """The record, and its own digest under `digest`; verdicts carry the digest."""
    record: dict[str, Any] = {
        "stillwatch": __version__,
        "sketch": SKETCH_VERSION,
        "cues": CUES_VERSION,
        "signals": {s.id: s.version for s in ALL.values()},
        "signals_digest": signals_digest(),
        "rules": asdict(rules),
        "settings": {"until_us": settings.until_us, "policy": dict(settings.policy), "no_text": settings.no_text},
        "calibration": {"name": calibration.name, "date": calibration.date, "digest": calibration.digest,
                        "made_from": calibration.made_from},
        "secret": store.secret.digest,
        "inputs": {s.path: s.digest for s in store.inputs().values()},
    }  # fmt: skip
    text = json.dumps(record, sort_keys=True)
    return {**record, "digest": hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}
