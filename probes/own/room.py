"""A bound for the memory of this process, for work whose size somebody else decides."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def room_for(more_bytes: int) -> Iterator[None]:
    """Let the kernel refuse memory beyond what is mapped now and `more_bytes`.

    What is refused is a MemoryError, or what a library makes of it. Linux counts what is mapped,
    not what is touched: of threads, some 70 MB each. Elsewhere nothing is bounded.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    wanted = pages * resource.getpagesize() + more_bytes
    known = [limit for limit in (soft, hard, wanted) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
