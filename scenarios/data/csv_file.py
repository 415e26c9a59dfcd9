"""A generated CSV file: an id, two numbers and a text. The standard library alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perftui.scenarios.data.cache import dataset

if TYPE_CHECKING:
    from pathlib import Path

BYTES_PER_ROW = 42
"""Measured; the ids grow, so the last rows of a large file are a little longer."""
HEADER = ("id", "customer", "amount", "note")
_SEED = 4180
_TAILS = 50_000
_CHUNK_ROWS = 100_000


def csv_file(rows: int) -> Path:
    """A file with a header and this many rows."""
    folder = dataset(
        f"csv-v1-{rows}-rows",
        estimated_bytes=rows * BYTES_PER_ROW,
        generate=lambda target: _generate(target / "orders.csv", rows),
    )
    return folder / "orders.csv"


def _generate(path: Path, rows: int) -> None:
    pick = random.Random(_SEED)
    # Everything but the id repeats after 50,000 rows: ten times as fast, and as long to parse.
    tails = [
        f"{pick.getrandbits(17)},{pick.random() * 1000:.4f},order {pick.getrandbits(40)}\n"
        for _ in range(_TAILS)
    ]
    with path.open("w") as file:
        file.write(",".join(HEADER) + "\n")
        for start in range(0, rows, _CHUNK_ROWS):
            stop = min(start + _CHUNK_ROWS, rows)
            file.write("".join(f"{row},{tails[row % _TAILS]}" for row in range(start, stop)))
