"""`stillwatch sources` says of each format what it carries and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch import pipeline
from stillwatch.config import Settings
from stillwatch.signals.registry import ALL

NOW_US = 1_775_000_000_000_000  # 2026-03-31
SAMPLES = Path(__file__).resolve().parents[1] / "samples"


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("litellm.jsonl", "litellm"),
        ("spendlogs.jsonl", "spendlogs"),
        ("otlp_genai.jsonl", "otlp"),
        ("openinference.jsonl", "otlp"),
        ("openllmetry.jsonl", "otlp"),
        ("bedrock.jsonl", "bedrock"),
        ("helicone.jsonl", "helicone"),
        ("langfuse_observations.jsonl", "langfuse"),
        ("anthropic.jsonl", "anthropic"),
        ("openai_pairs.jsonl", "openai"),
    ],
)
def test_the_format_is_told_from_the_content(sample: str, name: str, tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "none", account_from="literal:demo", now_us=NOW_US)
    found = pipeline.sources([str(SAMPLES / sample)], settings).sources[0]
    assert found.format == name
    assert found.read > 0
    assert {*found.able, *(m["signal"] for m in found.missing)} == set(ALL)
    assert not (tmp_path / "none").exists()  # it writes nothing


def test_a_missing_field_is_named_with_the_signal_that_needs_it_and_the_fix(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "none", account_from="literal:demo", now_us=NOW_US)
    found = pipeline.sources([str(SAMPLES / "helicone.jsonl")], settings).sources[0]
    address = next(m for m in found.missing if m["signal"] == "SG402")
    assert address["missing"] == ["ip"]
    assert "address" in address["fix"]


def test_samples_of_all_formats_in_one_folder_scan_together(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store", account_from="literal:demo", now_us=NOW_US, max_bad=1.0)
    result = pipeline.scan([str(SAMPLES)], settings)
    read = {Path(i.path).name: i.kept for i in result.inputs}
    for name in ("litellm.jsonl", "otlp_genai.jsonl", "bedrock.jsonl", "helicone.jsonl", "spendlogs.csv"):
        assert read[name] > 0, name
