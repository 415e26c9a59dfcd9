"""pyarrow, loaded by whoever needs it first: 0.1 s and 30 MB that no start-up may cost.

Its type stubs differ from version to version, so it is `Any` here.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any


def arrow() -> Any:
    """Return `pyarrow`."""
    import pyarrow

    return pyarrow


def compute() -> Any:
    """Return `pyarrow.compute`.

    It parses the documentation of a hundred options into that of its functions, which takes half of
    its import: in a process of ours nobody reads it.
    """
    if "pyarrow.compute" not in sys.modules:
        parser = "pyarrow.vendored.docscrape"
        stand_in = ModuleType(parser)
        stand_in.NumpyDocString = lambda text: {"Parameters": []}  # type: ignore[attr-defined]
        there = sys.modules.setdefault(parser, stand_in)
        try:
            import pyarrow.compute
        finally:
            if there is stand_in:
                del sys.modules[parser]
        _load_acero()
    import pyarrow.compute

    return pyarrow.compute


def _load_acero() -> None:
    """Load what groups rows without the data sets that it can group as well: CSV, substrait, ...

    It does without them where pyarrow was built so. Who asks for `pyarrow.dataset` later gets it.
    """
    datasets = "pyarrow.dataset"
    if datasets in sys.modules or "pyarrow.acero" in sys.modules:
        return
    sys.modules[datasets] = None  # type: ignore[assignment] # as if it was not built
    try:
        with suppress(ImportError):  # not built either: who groups is told
            import_module("pyarrow.acero")
    finally:
        del sys.modules[datasets]


def parquet() -> Any:
    """Return `pyarrow.parquet`."""
    import pyarrow.parquet

    return pyarrow.parquet
