"""A compatibility test of a storage format: what other releases have written can be read.

Run by `perftui matrix` with several releases of pylance, each with a worker that stays.
"""

from __future__ import annotations

from pathlib import Path


def compatibility(folder: str, rows: int = 20_000) -> None:
    """Write a dataset once with this release, then read those of all releases so far."""
    import lance
    import pyarrow as pa

    own = Path(folder, f"{lance.__version__}.lance")
    if not own.exists():
        numbers = pa.array(range(rows), pa.int64())
        table = pa.table({"k": numbers, "text": pa.array(f"row {n}" for n in range(rows))})
        lance.write_dataset(table, str(own))
    for found in sorted(Path(folder).glob("*.lance")):
        read = lance.dataset(str(found)).to_table(filter="k % 1000 = 7", columns=["k", "text"])
        if read.num_rows != rows // 1000 or read["text"][0].as_py() != "row 7":
            raise ValueError(f"{found.name} cannot be read right by {lance.__version__}")
