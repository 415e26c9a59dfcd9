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
    "cold-start": "perftui.scenarios.catalogue.cold_start:cold_start",
    "import-cost": "perftui.scenarios.catalogue.import_cost:import_cost",
    "persistent-worker": "perftui.scenarios.catalogue.persistent_worker:persistent_worker",
    "duckdb-query": "perftui.scenarios.catalogue.duckdb_query:duckdb_query",
    "stream-vs-collect": "perftui.scenarios.catalogue.stream_vs_collect:stream_vs_collect",
    "false-streaming": "perftui.scenarios.catalogue.false_streaming:false_streaming",
    "csv-chunks": "perftui.scenarios.catalogue.csv_chunks:csv_chunks",
    "freed-not-returned": "perftui.scenarios.catalogue.freed_not_returned:freed_not_returned",
    "loader": "perftui.scenarios.catalogue.loader:loader",
    "batch-size": "perftui.scenarios.catalogue.batch_size:batch_size",
    "row-vs-batch": "perftui.scenarios.catalogue.row_vs_batch:row_vs_batch",
    "lancedb-query": "perftui.scenarios.catalogue.lancedb_query:lancedb_query",
    "store-queries": "perftui.scenarios.catalogue.store_queries:store_queries",
    "users": "perftui.scenarios.catalogue.users:users",
    "plan-check": "perftui.scenarios.catalogue.plan_check:plan_check",
    "leak": "perftui.scenarios.catalogue.leak:leak",
    "lock-wait": "perftui.scenarios.catalogue.lock_wait:lock_wait",
    "io-wait": "perftui.scenarios.catalogue.io_wait:io_wait",
}
"""Name -> module:function, in the order in which they are shown."""


def load(name: str) -> Callable[..., Any]:
    """Import the function of a catalogue entry.

    Raises:
        KeyError: There is no such entry.
    """
    module, _, function = CATALOGUE[name].partition(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded
