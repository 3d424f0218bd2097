"""Boolean formulas over named bits, evaluated on whole columns."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Formula = Callable[[Bits], NDArray[np.bool_]]


def compile_formula(
    text: str, cues: Mapping[str, int], earlier: Mapping[str, Formula], *, hopeful: bool = False
) -> Formula:
    """Compile `a & (b | c) & ~d`, where names are cues or classes declared earlier.

    Args:
        text:    the formula; `at_least(2, a, b, c)` counts how many of its arguments hold.
        cues:    cue name -> bit.
        earlier: class name -> its compiled formula.
        hopeful: count what is negated as absent; the result holds wherever the formula can hold for a part of the bits.
    Returns:
        A function from cue bits (rows,) uint64 to (rows,) bool.
    Raises:
        ValueError: a name that is neither, or anything but `&`, `|`, `~`, brackets and `at_least`.
    """
    return _node(ast.parse(text.strip(), mode="eval").body, cues, earlier, hopeful)


def support(text: str, cues: Mapping[str, int], earlier: Mapping[str, int]) -> int:
    """Bits of all cues that a formula depends on; `earlier`: those of the classes declared above."""
    out = 0
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.Name):
            out |= 1 << cues[node.id] if node.id in cues else earlier.get(node.id, 0)
    return out


def _node(node: ast.AST, cues: Mapping[str, int], earlier: Mapping[str, Formula], hopeful: bool) -> Formula:
    match node:
        case ast.Name(id=name) if name in cues:
            mask = np.uint64(1 << cues[name])
            return lambda bits: (bits & mask) != 0
        case ast.Name(id=name) if name in earlier:
            return earlier[name]
        case ast.Name(id=name):
            raise ValueError(f"`{name}` is neither a cue nor a class declared above")
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            negated = _node(inner, cues, earlier, hopeful)
            if hopeful:
                return lambda bits: np.ones(len(bits), dtype=np.bool_)
            return lambda bits: ~negated(bits)
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            a, b = _node(left, cues, earlier, hopeful), _node(right, cues, earlier, hopeful)
            return lambda bits: a(bits) & b(bits)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            c, d = _node(left, cues, earlier, hopeful), _node(right, cues, earlier, hopeful)
            return lambda bits: c(bits) | d(bits)
        case ast.Call(func=ast.Name(id="at_least"), args=[ast.Constant(value=int(least)), *rest]) if rest:
            parts = [_node(part, cues, earlier, hopeful) for part in rest]

            def enough(bits: Bits) -> NDArray[np.bool_]:
                held: NDArray[Any] = np.zeros(len(bits), dtype=np.int64)
                for part in parts:
                    held = held + part(bits)
                return held >= least

            return enough
    raise ValueError(f"`{ast.unparse(node)}` is not `&`, `|`, `~`, `at_least(n, ...)` or a name")
