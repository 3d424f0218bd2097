"""Ibis, loaded when the first signal is compiled.

It takes most of a second, and a scan that finds the SQL of all signals kept (`engine/statements.py`) has no use for it.
Signals take `ibis` from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis as ibis
else:

    class _Ibis:
        def __getattr__(self, name: str) -> Any:
            import ibis as loaded

            return getattr(loaded, name)

    ibis = _Ibis()
