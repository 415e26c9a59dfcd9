"""The scenarios that come with perftui: one line each.

The modules named here are cheap to import: pyarrow, duckdb and lancedb are imported inside the
functions, in the process that is measured.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOGUE = {
    "import-cost": "perftui.scenarios.import_cost:import_cost",
    "duckdb-query": "perftui.scenarios.duckdb_query:duckdb_query",
    "stream-vs-collect": "perftui.scenarios.stream_vs_collect:stream_vs_collect",
    "lancedb-query": "perftui.scenarios.lancedb_query:lancedb_query",
}
"""Name -> module:function, in the order in which they are shown."""

PIP_NAMES = {"lance": "pylance"}
"""Modules whose package has another name."""


def load(name: str) -> Callable[..., Any]:
    """Import the function of a catalogue entry.

    Raises:
        KeyError: There is no such entry.
    """
    module, _, function = CATALOGUE[name].partition(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded
