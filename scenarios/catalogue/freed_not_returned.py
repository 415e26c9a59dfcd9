"""Freed and yet not returned: what an allocator keeps is not a leak, and how to tell.

A table is read, dropped, and waited for. The pool's own counter falls to nothing at once; RSS
stays, until the allocator is asked to release. Then everything is done again: a leak would start
from the plateau and go on, an allocator fills the same memory again.
"""

import ctypes
import gc
import time
from typing import Annotated, Any, Literal

import perftui
from perftui.probes.text.units import format_bytes
from perftui.scenarios.data.orders import ARROW_BYTES_PER_ROW, orders, rows_for
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError, Size
from perftui.scenarios.say.process_memory import check_memory, rss_bytes
from perftui.scenarios.say.table import print_table

_300_MB = Size("300MB")
_KEPT_SHARE = 0.5
_LEAK_GROWTH = 1.3


@scenario(
    "freed-not-returned",
    summary="read a table, drop it, wait, ask the allocator to release; twice",
    shows="a plateau after del is the allocator's, not a leak: the second pass does not add to it",
    requires=("pyarrow",),
)
def freed_not_returned(
    pool: Annotated[
        Literal["default", "mimalloc", "jemalloc", "system"], "which of Arrow's allocators"
    ] = "default",
    size: Annotated[Size, Range(10_000_000, 10**12), "of the Parquet files"] = _300_MB,
    settle: Annotated[float, Range(0, 600), "seconds to wait after the table is dropped"] = 1.5,
    passes: Annotated[int, Range(2, 100), "how often all this is done"] = 2,
) -> None:
    """See the module."""
    with perftui.phase("import"):
        import pyarrow
        import pyarrow.dataset

        pa: Any = pyarrow
    memory = _pool(pa, pool)
    with perftui.phase("setup"):
        rows = rows_for(size)
        check_memory(2 * rows * ARROW_BYTES_PER_ROW, "holding the table", "choose a smaller size")
        files = [str(file) for file in orders(rows)]
    base = rss_bytes()
    lines: list[tuple[str, str, str]] = [("base", *_figures(memory))]
    held: list[int] = []
    after_del: list[int] = []
    for number in range(1, passes + 1):
        with perftui.phase("collect"):
            table = pyarrow.dataset.dataset(files).to_table()
            perftui.count("rows", table.num_rows)
            perftui.count("bytes", table.nbytes)
        held.append(rss_bytes())
        lines.append((f"pass {number}: held", *_figures(memory)))
        with perftui.phase("settle"):
            del table
            gc.collect()
            time.sleep(settle)
        after_del.append(rss_bytes())
        lines.append((f"pass {number}: after del", *_figures(memory)))
    with perftui.phase("release"):
        memory.release_unused()
    released = rss_bytes()
    lines.append(("after release_unused", *_figures(memory)))
    with perftui.phase("trim"):
        _malloc_trim()
    lines.append(("after malloc_trim", *_figures(memory)))
    print_table(("moment", "RSS", "pool in use"), lines)
    _verdict(memory.backend_name, base, held, after_del, min(released, rss_bytes()))


def _pool(pa: Any, name: str) -> Any:
    if name == "default":
        return pa.default_memory_pool()
    make = {
        "mimalloc": pa.mimalloc_memory_pool,
        "jemalloc": pa.jemalloc_memory_pool,
        "system": pa.system_memory_pool,
    }[name]
    try:
        pool = make()
    except NotImplementedError:
        built = ", ".join(pa.supported_memory_backends())
        raise ScenarioError(f"this pyarrow has no pool {name}; it has {built}") from None
    pa.set_memory_pool(pool)
    return pool


def _figures(pool: Any) -> tuple[str, str]:
    return format_bytes(rss_bytes()), format_bytes(pool.bytes_allocated())


def _malloc_trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc has it, others may not
        trim(0)


def _verdict(backend: str, base: int, held: list[int], after_del: list[int], end: int) -> None:
    kept = (after_del[0] - base) / max(held[0] - base, 1)
    again = (held[-1] - base) / max(held[0] - base, 1)
    if kept < _KEPT_SHARE:
        print(f"{backend} gave {1 - kept:.0%} back by itself")
    else:
        back = (after_del[-1] - end) / max(after_del[-1] - base, 1)
        print(
            f"{backend} kept {kept:.0%} after del; asked to release, it gave {back:.0%} of it back"
        )
    if again < _LEAK_GROWTH:
        print(f"no leak: pass {len(held)} held {again:.2f} times what pass 1 held")
    else:
        print(
            f"pass {len(held)} held {again:.2f} times what pass 1 held: memory was not used again"
        )
