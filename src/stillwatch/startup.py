"""A quick start, for processes that are ours alone: the command line and the benchmark, no program that imports us.

PyArrow loads pandas to see whether a value is one of its, numba loads scipy's linear algebra to see whether it is
there, and the garbage collector walks all that imports make. None of it is of use to a scan; together they take half a
second.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def quick() -> None:
    """Load the libraries without what they look for in vain. Call before anything of them is loaded."""
    gc.disable()
    with _hidden("pandas"):
        import pyarrow as pa

        pa.array(range(1))  # it looks once
    with _hidden("scipy.linalg"):
        import numba.np.arraymath  # noqa: F401  so does numba
    gc.enable()
    gc.set_threshold(50_000, 20, 100)  # columns are few objects; parsing of a rare format makes many that live


class _Missing:
    """Finds no module of one name, for anybody."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(name)


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    finder = _Missing(name)
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]
