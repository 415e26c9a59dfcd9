"""The data of the Parquet scenarios: orders with numbers and one text column, in part files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.scenarios.data.cache import dataset
from perftui.scenarios.data.random_arrays import RandomArrays

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20_251_121
BYTES_PER_ROW = 48
"""On disk, measured; Parquet with snappy and no dictionaries."""
ARROW_BYTES_PER_ROW = 71
"""In memory, all columns."""
_CHUNK_ROWS = 65_536
PARTS = 8
"""Files, of the same number of rows each."""


def orders(rows: int) -> list[Path]:
    """The part files of a dataset with this many rows, generated in constant memory if need be."""
    folder = dataset(
        orders_name(rows),
        estimated_bytes=rows * BYTES_PER_ROW,
        generate=lambda target: _generate(target, rows),
    )
    return sorted(folder.glob("*.parquet"))


def orders_name(rows: int) -> str:
    """The dataset's name in the cache."""
    return f"orders-v1-{rows}-rows"


def one_path(files: list[Path]) -> str:
    """The first so many part files as one path, for what takes no list: folder or pattern."""
    folder = files[0].parent
    return str(folder if len(files) == PARTS else folder / f"part-0[0-{len(files) - 1}].parquet")


def rows_for(size_bytes: int) -> int:
    """How many rows take about this much on disk."""
    return max(size_bytes // BYTES_PER_ROW, PARTS)


def _generate(folder: Path, rows: int) -> None:
    import pyarrow
    import pyarrow.parquet as pq

    pa: Any = pyarrow

    source = RandomArrays(SEED)
    schema = pa.schema(
        [
            ("id", pa.int64()),
            ("customer", pa.uint32()),
            ("amount", pa.float64()),
            ("tax", pa.float64()),
            ("weight", pa.float64()),
            ("note", pa.string()),
        ]
    )
    bounds = [rows * part // PARTS for part in range(PARTS + 1)]
    for part in range(PARTS):
        path = folder / f"part-{part:02d}.parquet"
        with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
            for start in range(bounds[part], bounds[part + 1], _CHUNK_ROWS):
                n = min(_CHUNK_ROWS, bounds[part + 1] - start)
                columns = [
                    pa.array(range(start, start + n), pa.int64()),
                    source.integers(n, 1 << 17),
                    source.fractions(n),
                    source.fractions(n),
                    source.fractions(n),
                    source.notes(n),
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
    # What the allocator keeps would look like memory of the program that is to be watched.
    pa.default_memory_pool().release_unused()
