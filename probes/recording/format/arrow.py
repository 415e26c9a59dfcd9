"""pyarrow, loaded by whoever needs it first: 0.1 s and 30 MB that no start-up may cost.

Its type stubs differ from version to version, so it is `Any` here.
"""

from __future__ import annotations

from typing import Any


def arrow() -> Any:
    """Return `pyarrow`."""
    import pyarrow

    return pyarrow


def compute() -> Any:
    """Return `pyarrow.compute`."""
    import pyarrow.compute

    return pyarrow.compute


def parquet() -> Any:
    """Return `pyarrow.parquet`."""
    import pyarrow.parquet

    return pyarrow.parquet
