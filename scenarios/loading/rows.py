"""The rows that loaders load: six columns, seeded, as Arrow batches or as plain tuples."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("id", "customer", "amount", "tax", "region", "note")
BYTES_PER_ROW = 76
"""As Arrow."""
TUPLE_BYTES_PER_ROW = 420
"""As a tuple of Python objects."""
REGIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "centre")
_SEED = 90_210
_NUMBERS_BYTES = 4 * 8

Row = tuple[int, int, float, float, str, str]


def tuple_batches(rows: int, batch: int) -> Iterator[list[Row]]:
    """Batches of tuples; the last one may be shorter."""
    pick = random.Random(_SEED)
    for start in range(0, rows, batch):
        yield [
            (
                number,
                pick.getrandbits(17),
                pick.random(),
                pick.random(),
                REGIONS[pick.getrandbits(3)],
                f"order {pick.getrandbits(30)} {pick.getrandbits(20)}",
            )
            for number in range(start, min(start + batch, rows))
        ]


def batch_bytes(batch: Any) -> int:
    """What a batch holds: of Arrow its buffers, of tuples four numbers and two texts each."""
    if isinstance(batch, list):
        return sum(_NUMBERS_BYTES + len(row[4]) + len(row[5]) for row in batch)
    return int(batch.nbytes)


def arrow_batches(rows: int, batch: int) -> Iterator[Any]:
    """Arrow record batches; the last one may be shorter."""
    import pyarrow

    from perftui.scenarios.data.random_arrays import RandomArrays

    pa: Any = pyarrow
    source = RandomArrays(_SEED)
    regions = pa.array(REGIONS)
    for start in range(0, rows, batch):
        n = min(batch, rows - start)
        columns = [
            pa.array(range(start, start + n), pa.int64()),
            source.integers(n, 1 << 17).cast(pa.int64()),
            source.fractions(n),
            source.fractions(n),
            regions.take(source.integers(n, 8)),
            source.notes(n),
        ]
        yield pa.record_batch(columns, names=list(COLUMNS))
