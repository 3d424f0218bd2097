"""`stillwatch bench corpora`: shares of a folder of prompt sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from stillwatch.bench import corpora
from stillwatch.errors import InputError


def written(folder: Path, name: str, prompts: list[str]) -> None:
    rows = "\n".join(json.dumps({"prompt": p}) for p in prompts)
    (folder / f"{name}.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(rows.encode() + b"\n"))


def test_each_set_gets_its_share_and_the_label_of_its_kind(tmp_path: Path) -> None:
    written(tmp_path, "lists", ["Come up with tasks:\n1. Sort.\n2. Add.\n3. Name.\n4."] * 3 + ["Hello."])
    written(tmp_path, "people", ["How do I boil an egg?"] * 4)
    (tmp_path / "MANIFEST.json").write_text(json.dumps([
        {"name": "lists", "kind": "generator_prompt", "rows": 4}, {"name": "people", "kind": "human_prompt", "rows": 4},
        {"name": "times", "kind": "trace", "rows": 9},
    ]))  # fmt: skip
    table = corpora.run(tmp_path)
    assert {c.name: c.shares["material"] for c in table.corpora} == {"lists": 0.75, "people": 0.0}
    assert "| harvest | generator_prompt | lists | 4 | 0.750 | 0.750 | 0.000 |" in table.text()
    assert [c["label"] for c in table.as_dict()["corpora"]] == ["harvest", "honest"]


def test_rows_are_spread_over_the_set(tmp_path: Path) -> None:
    written(tmp_path, "people", [str(i) for i in range(100)])
    rows = list(corpora._spread(tmp_path / "people.jsonl.zst", 100, 4))
    assert [row["prompt"] for row in rows] == ["0", "25", "50", "75"]


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="manifest"):
        corpora.run(tmp_path)
