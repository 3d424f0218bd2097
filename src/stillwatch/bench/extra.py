"""Libraries that only benches need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stillwatch.errors import ComponentError


@contextmanager
def needed(library: str) -> Iterator[None]:
    """Around the import of a library of the extra `bench`.

    Raises:
        ComponentError: it is not installed.
    """
    try:
        yield
    except ImportError as err:
        raise ComponentError(f"{library} is not installed", fix="pip install 'stillwatch[bench]'") from err
