"""Programs with one known fault each, and healthy ones: `KNOWN` says what their verdict must be.

Each measures its own fault with its own clock and prints it as JSON on its last line.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """What the first finding of a program must be."""

    kinds: tuple[str, ...]
    """One of these; none at all: nothing may stand out but that it uses CPU."""
    code: tuple[str, ...] = ()
    """One of these functions is in its `code`, or in its text."""
    says: str = ""
    """A regular expression that its text, evidence or advice must match."""
    figure: str = ""
    """What the program prints of itself that the finding's figure must be: "seconds", "bytes"."""
    python: str = ""
    """The Python that it needs: "3.14"."""
    arguments: tuple[str, ...] = ()


HEALTHY = Known(())
_GROWS = ("mem_growth", "streaming_violation", "keeps")

KNOWN = {
    "import_in_first_call": Known(("imports",), ("handle",), "pandas", "seconds"),
    "import_late": Known(("imports",), ("export",), "pyarrow", "seconds"),
    "n_plus_one_sqlite": Known(("cpu",), ("customer_of",), "one query|join"),
    "n_plus_one_duckdb": Known(
        ("cpu", "waits_in_library"), ("price_of",), "one query|join", "seconds"
    ),
    "arrow_to_pylist": Known(("cpu",), ("add_up",), "to_pylist", "seconds"),
    "iterrows": Known(("cpu",), ("weigh",), "iterrows", "seconds"),
    "regex_backtracking": Known(("cpu",), ("is_header",), "pattern", "seconds"),
    "json_parsing": Known(("cpu",), ("ids",), "JSON", "seconds"),
    "fsync_per_row": Known(("io_wait",), ("append",), "sync", "seconds"),
    "random_reads": Known(("io_wait", "cpu"), ("lookup",), ""),
    "lock_convoy": Known(("lock_wait",), ("update",), "lock", "seconds"),
    "gil_pool": Known(("waits_gil",), ("score",), "GIL", "seconds"),
    "queue_starved": Known(("cpu", "waits_for_producer"), ("produce",), "", "seconds"),
    "subprocess_wait": Known(("waits_child",), ("convert",), "child", "seconds"),
    "socket_wait": Known(("io_wait",), ("ask",), "", "seconds"),
    "gc_pauses": Known(("cpu", "collector"), ("request",), "gc"),
    "collect_all": Known((*_GROWS, "peak"), ("batches", "load"), "", "bytes"),
    "unbounded_cache": Known(_GROWS, ("answer",), "CACHE", "bytes"),
    "growing_frames": Known(_GROWS, ("read_day", "top level"), "parts", "bytes"),
    "spill": Known(("spills", "cpu_native", "waits_in_library", "writes"), ("sort_all",), "disk"),
    "small_batches": Known(("cpu", "cpu_native"), ("scan",), "batch"),
    "oversubscribed": Known(("cpu_native", "oversubscribed"), ("group",), "cores", "seconds"),
    "cold_read": Known(("io_wait", "cpu"), ("read_all",), ""),
    "loop_blocked": Known(("loop_blocked",), ("lookup",), "to_thread"),
    "straggler": Known(("cpu", "straggler"), ("part",), ""),
    # Half of the workers' CPU is the collector's: with `gc.disable()` they use half of it.
    "pickling": Known(("cpu", "waits_child", "collector"), (), "pickl|containers"),
    "healthy_poller": HEALTHY,
    "healthy_server": HEALTHY,
    "healthy_async": HEALTHY,
    "healthy_cache": HEALTHY,
    "healthy_numpy": HEALTHY,
    "healthy_stream": HEALTHY,
}

SCENARIOS = {
    "cold-start": Known(("imports", "cold_start"), (), ""),
    "import-cost": Known(("imports",), (), "lancedb"),
    "persistent-worker": Known(("waits_child", "imports", "io_wait", "cpu"), (), ""),
    "duckdb-query": Known(("cpu_native", "waits_in_library", "cpu"), ("duckdb_query",)),
    "stream-vs-collect": Known((*_GROWS, "peak"), (), ""),
    "false-streaming": Known((*_GROWS, "peak"), (), ""),
    "csv-chunks": Known((*_GROWS, "peak"), (), ""),
    "freed-not-returned": Known(("freed_not_returned", "peak", "cpu_native", *_GROWS), (), ""),
    "loader": Known(("cpu", "waits_in_library", "cpu_native"), (), ""),
    "batch-size": Known(("cpu", "waits_in_library", "cpu_native"), (), ""),
    "row-vs-batch": Known(("cpu", "waits_in_library", "cpu_native"), (), ""),
    "lancedb-query": Known(("cpu_native", "waits_in_library"), (), ""),
    "store-queries": Known(("cpu_native", "waits_in_library"), (), ""),
    "users": Known(("cpu_native", "waits_in_library"), (), ""),
    "plan-check": Known(("cpu_native", "waits_in_library", "cpu"), (), ""),
    "leak": Known(_GROWS, (), ""),
    "lock-wait": Known(("lock_wait",), (), "lock"),
    "io-wait": Known(("io_wait",), ("_written", "_read"), ""),
}

CASES = {
    "asyncio_stuck": Known(("tasks_stuck",), ("fetch",), "Lock"),
    "attach_steady": HEALTHY,
    "daemon": Known(("cpu",), ("serve",)),
    "deadlock": Known(("lock_wait",), ("transfer_in", "transfer_out"), "lock"),
    "deep_recursion": Known(("cpu",), ("burn",)),
    "duckdb_memory_limit": Known(("failed",)),
    "lancedb_add_loop": Known((*_GROWS, "waits_in_library", "cpu_native", "cpu"), ()),
    "lazy_loader": Known(("imports",), ("handle",), "pandas"),
    "leak_that_slows": Known(_GROWS, (), "kept"),
    "leak_that_slows_counted": Known(_GROWS, (), "kept"),
    "new_agent_api": HEALTHY,
    "new_gc_heavy": Known(("cpu", "collector"), ("churn",), arguments=("8",)),
    "new_interp_pool": Known(("cpu", "waits_gil"), ("work",), python="3.14"),
    "new_lazy_explicit": Known((), python="3.15"),
    "new_mp_top_import": Known(("imports",), python="3.14"),
    "new_states": Known(("lock_wait", "waits_gil", "cpu"), (), arguments=("8",)),
    "new_subinterp": Known(("cpu",), ("sub_busy",), python="3.14"),
    "orphan": Known(("cpu", *_GROWS), ("worker",)),
    "poll_loop": HEALTHY,
    "prefork_shared_pages": HEALTHY,
    "twelve_workers": Known(("cpu",), ("slow_query",)),
    "who_allocates": Known(_GROWS, ("fill_cache",), "kept"),
}
