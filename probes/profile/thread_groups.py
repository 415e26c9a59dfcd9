"""Threads that do the same work, found by their names.

A pool numbers its threads, a server makes one per request: `Thread-7 (process_request_thread)`
and 117 others are one thing to a person.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.spine.records import ThreadKey

_MADE_FOR = re.compile(r"Thread-\d+ \((.+)\)")
"""How Python names a thread after the function that it was made for (3.10 and later)."""
_NUMBERED = re.compile(r"(.*?)[\s_\-#:./]*\d+")
"""A name that ends in a number: what stands before it."""


class ThreadGroup(NamedTuple):
    """Threads of one name pattern."""

    pattern: str
    name: str
    """The pattern; of a single thread its whole name."""
    python: bool
    """They run Python code; else they are native threads, of which no stacks are known."""
    threads: tuple[ThreadKey, ...]

    @property
    def title(self) -> str:
        """Name and number: "process_request_thread ×118"."""
        count = len(self.threads)
        return f"{self.name} ×{count}" if count > 1 else self.name


@lru_cache(maxsize=1024)
def name_pattern(name: str) -> str:
    """Return what the names of threads alike have in common.

    The last number goes, with what joins it to the name: "ThreadPoolExecutor-0_3" is of the pool
    "ThreadPoolExecutor-0", "Thread-12 (serve)" is one that runs `serve`.
    """
    name = name.strip()
    made_for = _MADE_FOR.fullmatch(name)
    if made_for is not None:
        return made_for[1]
    numbered = _NUMBERED.fullmatch(name)
    return (numbered[1] if numbered is not None else "") or name


def group_threads(threads: Iterable[tuple[ThreadKey, str, bool]]) -> tuple[ThreadGroup, ...]:
    """Put threads of one name pattern together, in the order in which patterns come first.

    Args:
        threads: (pid and tid, name, whether it runs Python code).
    """
    found: dict[tuple[str, bool], dict[ThreadKey, str]] = {}
    for thread, name, python in threads:
        found.setdefault((name_pattern(name), python), {})[thread] = name
    groups = []
    for (pattern, python), members in found.items():
        first = next(iter(members.values())) if len(members) == 1 else pattern
        groups.append(ThreadGroup(pattern, first, python, tuple(members)))
    return tuple(groups)
