"""Keyed 64-bit hashes in compiled code.

A value is hashed in two steps. The first reads eight bytes at a time and is seeded with the deployment secret; the
second is SipHash-2-4 of that result under the same secret, a pseudo-random function (Aumasson and Bernstein, 2012,
"SipHash: a fast short-input PRF"). Who does not hold the secret can neither test a guess against a stored value nor
build two inputs that collide on purpose. 0 is kept for "absent".
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

SECRET_BYTES = 16

_C1 = np.uint64(0x9E3779B97F4A7C15)
_C2 = np.uint64(0xBF58476D1CE4E5B9)
_C3 = np.uint64(0x94D049BB133111EB)


@intrinsic  # type: ignore[misc]
def load64(typingctx: Any, array: Any, index: Any) -> Any:
    """Unaligned little-endian 64-bit read at a byte index; the caller guarantees eight readable bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        pointer = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())
        value = builder.load(pointer, typ=ir.IntType(64))
        value.align = 1
        return value

    return types.uint64(array, types.int64), codegen


@intrinsic  # type: ignore[misc]
def store64(typingctx: Any, array: Any, index: Any, word: Any) -> Any:
    """Unaligned little-endian 64-bit write at a byte index; the caller guarantees eight writable bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        pointer = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())
        builder.store(args[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), codegen


@intrinsic  # type: ignore[misc]
def load8(typingctx: Any, array: Any, index: Any) -> Any:
    """Byte at a non-negative index: `array[index]` without numba's test for negative indices."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]), typ=ir.IntType(8))

    return types.uint8(array, types.int64), codegen


def _at(builder: Any, address: Any, index: Any, bits: int) -> Any:
    base = builder.inttoptr(address, ir.IntType(bits).as_pointer())
    return builder.gep(base, [index])


@intrinsic  # type: ignore[misc]
def word_at(typingctx: Any, address: Any, index: Any) -> Any:
    """The 64-bit word `index` of the array at an address.

    Numba counts a reference to every array that it hands to a function, by an atomic instruction; a function that is
    called for each word of a text must take addresses. The caller keeps the array alive and the index inside it.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_at(builder, args[0], args[1], 64), typ=ir.IntType(64))

    return types.uint64(types.int64, types.int64), codegen


@intrinsic  # type: ignore[misc]
def set_word_at(typingctx: Any, address: Any, index: Any, word: Any) -> Any:
    """Write the 64-bit word `index` of the array at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _at(builder, args[0], args[1], 64))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.uint64), codegen


@intrinsic  # type: ignore[misc]
def byte_at(typingctx: Any, address: Any, index: Any) -> Any:
    """The byte `index` of the array at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_at(builder, args[0], args[1], 8), typ=ir.IntType(8))

    return types.uint8(types.int64, types.int64), codegen


@intrinsic  # type: ignore[misc]
def load64_at(typingctx: Any, address: Any, index: Any) -> Any:
    """Unaligned little-endian 64-bit read at byte `index` of the array at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(_at(builder, args[0], args[1], 8), ir.IntType(64).as_pointer())
        value = builder.load(pointer, typ=ir.IntType(64))
        value.align = 1
        return value

    return types.uint64(types.int64, types.int64), codegen


@intrinsic  # type: ignore[misc]
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Number of zero bits below the lowest set one; 64 for 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic  # type: ignore[misc]
def leading_zeros(typingctx: Any, word: Any) -> Any:
    """Number of zero bits above the highest set one; 64 for 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@njit(inline="always")
def rotl(x: np.uint64, r: int) -> np.uint64:
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


@njit(inline="always")
def mix(h: np.uint64, w: np.uint64) -> np.uint64:
    """Fold one 64-bit word into a running hash."""
    h = (h ^ (w * _C1)) * _C2
    return h ^ (h >> np.uint64(29))


@njit(inline="always")
def finish(h: np.uint64) -> np.uint64:
    """Avalanche of a running hash (the finaliser of SplitMix64)."""
    h = (h ^ (h >> np.uint64(30))) * _C2
    h = (h ^ (h >> np.uint64(27))) * _C3
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True)
def hash_span(data, start, stop, seed):  # type: ignore[no-untyped-def]
    """Seeded hash of data[start:stop]; the buffer must be readable eight bytes past `stop`."""
    h = seed ^ (np.uint64(stop - start) * _C3)
    i = start
    while i + 8 <= stop:
        h = mix(h, load64(data, i))
        i += 8
    rest = stop - i
    if rest > 0:
        w = load64(data, i) & ((np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1))
        h = mix(h, w)
    return finish(h)


@njit(cache=True, nogil=True)
def siphash64(word, k0, k1):  # type: ignore[no-untyped-def]
    """SipHash-2-4 of one 8-byte word; never 0."""
    v0 = np.uint64(0x736F6D6570736575) ^ k0
    v1 = np.uint64(0x646F72616E646F6D) ^ k1
    v2 = np.uint64(0x6C7967656E657261) ^ k0
    v3 = np.uint64(0x7465646279746573) ^ k1
    last = np.uint64(8) << np.uint64(56)
    for step in range(3):
        m = word if step == 0 else (last if step == 1 else np.uint64(0))
        rounds = 2
        if step == 2:
            v2 ^= np.uint64(0xFF)
            rounds = 4
        else:
            v3 ^= m
        for _ in range(rounds):
            v0 += v1
            v1 = rotl(v1, 13) ^ v0
            v0 = rotl(v0, 32)
            v2 += v3
            v3 = rotl(v3, 16) ^ v2
            v0 += v3
            v3 = rotl(v3, 21) ^ v0
            v2 += v1
            v1 = rotl(v1, 17) ^ v2
            v2 = rotl(v2, 32)
        if step != 2:
            v0 ^= m
    h = v0 ^ v1 ^ v2 ^ v3
    return h if h != np.uint64(0) else np.uint64(1)


@njit(cache=True, nogil=True)
def hash_strings(data, offsets, valid, seed, k0, k1, out):  # type: ignore[no-untyped-def]
    """Keyed hash of each string of an Arrow column; 0 where it is null or empty."""
    last_start = np.int64(-1)
    last_stop = np.int64(-1)
    last = np.uint64(0)
    for row in range(out.shape[0]):
        start = np.int64(offsets[row])
        stop = np.int64(offsets[row + 1])
        if stop == start or not valid[row]:
            out[row] = np.uint64(0)
            continue
        if stop - start == last_stop - last_start and row > 0:
            same = True
            for i in range(stop - start):
                if data[start + i] != data[last_start + i]:
                    same = False
                    break
            if same:
                out[row] = last
                continue
        last = siphash64(hash_span(data, start, stop, seed), k0, k1)
        last_start = start
        last_stop = stop
        out[row] = last


class Secret:
    """The deployment secret: 16 bytes, from which seeds for each use are derived by BLAKE2b."""

    __slots__ = ("_bytes", "k0", "k1")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a deployment secret has {SECRET_BYTES} bytes, not {len(secret)}")
        self._bytes = secret
        self.k0 = np.uint64(int.from_bytes(secret[:8], "little"))
        self.k1 = np.uint64(int.from_bytes(secret[8:], "little"))

    def seed(self, use: str) -> np.uint64:
        """A 64-bit seed for one use; different uses never give comparable hashes."""
        digest = hashlib.blake2b(use.encode(), key=self._bytes, digest_size=8).digest()
        return np.uint64(int.from_bytes(digest, "little"))

    @property
    def digest(self) -> str:
        """Names the secret without revealing it."""
        return hashlib.blake2b(b"name", key=self._bytes, digest_size=8).hexdigest()
