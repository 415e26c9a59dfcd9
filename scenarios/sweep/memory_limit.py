"""A memory limit for a child: which figure is watched, and how running out of it is recognised.

`watch`: the RSS of the whole process tree is sampled, and the tree is ended when it passes the
limit. This works for every library and without rights; what comes and goes between two samples
passes. `rlimit`: the kernel refuses private memory above the limit (RLIMIT_DATA), and libraries
meet a failing allocation. It counts what is reserved, too: allocators that reserve address space
in large pieces fail early, and some wait forever instead of failing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LimitBy = Literal["watch", "rlimit"]

_OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemory|MemoryError|cannot allocate memory|bad_alloc|"
    r"(?:m|re|c)alloc of size \d+ failed|memory allocation of \d+ bytes failed|"
    r"failed to allocate|can't start new thread|Resource temporarily unavailable",
    re.IGNORECASE,
)


def argv_under_rlimit(argv: Sequence[str], limit_bytes: int) -> list[str]:
    """The argv that starts `argv` with RLIMIT_DATA; a shell, because Python would need more."""
    limit = f'ulimit -d {max(limit_bytes // 1024, 1)} && exec "$@"'
    return ["/bin/sh", "-c", limit, "sh", *argv]


def says_out_of_memory(lines: Iterable[str]) -> bool:
    """Whether the last words of a program are those of one that ran out of memory."""
    return any(_OUT_OF_MEMORY.search(line) for line in lines)
