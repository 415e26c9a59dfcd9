"""Seeded random Arrow arrays without numpy, a chunk at a time: the same bytes on every machine."""

from __future__ import annotations

import random
from typing import Any

_WORDS = ("order", "refund", "shipment", "invoice", "return", "payment", "customer", "store")
_DISTINCT_NOTES = 1 << 18


class RandomArrays:
    """A source of columns; the same seed and the same calls give the same values.

    Imports pyarrow when it is made. Arrow objects are `Any` here: pyarrow ships no types.
    """

    def __init__(self, seed: int) -> None:
        import pyarrow
        import pyarrow.compute

        self._pa: Any = pyarrow
        self._pc: Any = pyarrow.compute
        self._random = random.Random(seed)
        self._notes: Any = None

    def words32(self, n: int) -> Any:
        """A uint32 array of `n` uniform numbers."""
        pa = self._pa
        noise = pa.py_buffer(self._random.randbytes(4 * n))
        return pa.Array.from_buffers(pa.uint32(), n, [None, noise])

    def integers(self, n: int, below_power_of_two: int) -> Any:
        """A uint32 array of `n` uniform numbers below a power of two."""
        mask = self._pa.scalar(below_power_of_two - 1, self._pa.uint32())
        return self._pc.bit_wise_and(self.words32(n), mask)

    def fractions(self, n: int) -> Any:
        """A float64 array of `n` uniform numbers from 0 to 1."""
        return self._pc.multiply(self.words32(n).cast(self._pa.float64()), 2.0**-32)

    def notes(self, n: int) -> Any:
        """A string array of `n` short texts with numbers in them, 262,144 different ones."""
        if self._notes is None:
            pick = self._random.getrandbits
            self._notes = self._pa.array(
                [
                    f"{_WORDS[pick(3)]} {pick(30)}  {_WORDS[pick(3)]} {pick(20)}"
                    for _ in range(_DISTINCT_NOTES)
                ]
            )
        return self._notes.take(self.integers(n, _DISTINCT_NOTES))
