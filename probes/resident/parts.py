"""What RSS is made of: mappings, Python's heap and what allocators say, put together.

Mappings say how much is resident, allocators how much they have given out. Where an allocator has
its own mappings, what it has not given out is what it keeps. An amount is never told twice, and
never more of it than is resident: the parts of a process sum to its RSS.

What an allocator gave out and nobody has touched yet is not resident; if it is malloc's it may
stand for resident memory of someone who does not tell: then "native, not told" is too small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.resident.smaps import ResidentSize
from perftui.probes.spine.derived import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.probes.resident.pymalloc import PythonHeap
    from perftui.probes.resident.smaps import Kind, Mappings

PYTHON = "Python heap"
PYTHON_FREE = "Python heap, freed but kept"
ARROW = "Arrow"
ARROW_KEPT = "Arrow, freed but kept"
DUCKDB = "DuckDB"
MALLOC = "malloc"
MALLOC_KEPT = "malloc, freed but kept"
MALLOC_UNTOLD = "malloc, used or kept"
DATA = "data files"
SHARED = "shared memory"
STACKS = "stacks"
REST = "native, not told"
FILES = "files"
PRIVATE = "private memory, not told"
KEPT = (PYTHON_FREE, ARROW_KEPT, MALLOC_KEPT)


class GivenOut(NamedTuple):
    """What one allocator says that it has given out."""

    bytes: int
    backend: str | None = None
    """Whose memory it gives out: "mimalloc", "jemalloc", "system"."""


class Part(NamedTuple):
    """One part of a process."""

    name: str
    rss_bytes: int
    share_bytes: int
    """Of it, if what is shared with others is shared out."""


class _Source:
    """Resident memory of one kind, from which parts are taken until nothing is left."""

    def __init__(self, size: ResidentSize) -> None:
        self.left = size.rss_bytes
        self._share = size.pss_bytes / size.rss_bytes if size.rss_bytes else 1.0

    def take(self, wanted: int) -> ResidentSize:
        taken = max(min(wanted, self.left), 0)
        self.left -= taken
        return ResidentSize(taken, round(taken * self._share))

    def rest(self) -> ResidentSize:
        return self.take(self.left)


def parts_of(
    mappings: Mappings, heap: PythonHeap | None, given: Mapping[str, GivenOut]
) -> list[Part]:
    """Return the parts of a process; they sum to the RSS of its mappings.

    Args:
        mappings: All of them.
        heap: Python's, None if it is not known.
        given: What allocators say lately, by name of pool ("arrow", "duckdb TAG", "malloc",
            "malloc mapped").
    """
    sources: dict[Kind, _Source] = {kind: _Source(size) for kind, size in mappings.sizes.items()}
    found: dict[str, ResidentSize] = {}

    def add(name: str, size: ResidentSize) -> None:
        # Zero is told, too: unknown is what is not in the list.
        found[name] = found.get(name, ResidentSize(0, 0)).plus(*size)

    if heap is not None:
        _python(heap, sources, add)
    rest = f"{mappings.allocator}, not told" if mappings.allocator else REST
    if mappings.allocator:
        # What glibc's malloc says is not what the program uses.
        given = {name: said for name, said in given.items() if not name.startswith("malloc")}
    for name, said in given.items():
        if name.startswith("arrow"):
            _arrow(said, sources, add, mappings.mimalloc)
    if "mimalloc" in sources and sources["mimalloc"].left:
        whose = any(name.startswith("arrow") for name in given) and not mappings.allocator
        add(ARROW_KEPT if whose else rest, sources["mimalloc"].rest())
    _malloc(given, sources, add)
    if "python" in sources and sources["python"].left:
        add(PYTHON, sources["python"].rest())
    for kind, name in _NAMES.items():
        if kind in sources:
            add(name if kind != "anonymous" else rest, sources[kind].rest())
    return [Part(name, *size) for name, size in found.items()]


_NAMES: dict[Kind, str] = {
    "malloc": MALLOC_UNTOLD,
    "data files": DATA,
    "libraries": LIBRARIES,
    "shared": SHARED,
    "stacks": STACKS,
    "anonymous": REST,
}


def _python(heap: PythonHeap, sources: Mapping[Kind, _Source], add: _Add) -> None:
    whole = sum(heap.within.values())
    for kind, size in heap.within.items():
        free = heap.free_bytes * size // whole if whole else 0
        if kind in sources:
            add(PYTHON, sources[kind].take(size - free))
            add(PYTHON_FREE, sources[kind].take(free))


def _arrow(said: GivenOut, sources: Mapping[Kind, _Source], add: _Add, has_mimalloc: bool) -> None:
    left = said.bytes
    # "system" is malloc: in its arenas if it is little, else with mappings of its own.
    kinds: tuple[Kind, ...] = ("anonymous", "malloc")
    if said.backend == "mimalloc":
        # What was given out and not touched is nowhere: it is not taken from others' memory.
        kinds = ("mimalloc",) if has_mimalloc else ("anonymous",)
    elif said.backend == "jemalloc":
        kinds = ("anonymous",)
    for kind in kinds:
        if kind in sources:
            size = sources[kind].take(left)
            left -= size.rss_bytes
            add(ARROW, size)


def _malloc(given: Mapping[str, GivenOut], sources: Mapping[Kind, _Source], add: _Add) -> None:
    """Share out what DuckDB has, which on Linux brings an allocator of its own, and malloc."""
    nothing = _Source(ResidentSize(0, 0))
    arenas = sources.get("malloc", nothing)
    private = sources.get("anonymous", nothing)
    tags = [(name, said.bytes) for name, said in given.items() if name.startswith("duckdb ")]
    for name, size in sorted(tags, key=lambda tag: -tag[1]):
        taken = private.take(size)
        tag = name.removeprefix("duckdb ").lower().replace("_", " ")
        add(f"{DUCKDB} {tag}", taken)
        add(f"{DUCKDB} {tag}", arenas.take(size - taken.rss_bytes))
    said, said_mapped = given.get("malloc"), given.get("malloc mapped")
    if said is None or said_mapped is None:
        return
    arrow = sum(
        one.bytes
        for name, one in given.items()
        if name.startswith("arrow") and one.backend == "system"
    )
    others = max(said.bytes - arrow, 0)
    small = min(max(said.bytes - said_mapped.bytes, 0), others, arenas.left)
    add(MALLOC, arenas.take(small))
    add(MALLOC, private.take(others - small))
    add(MALLOC_KEPT, arenas.rest())


def coarse_parts(rss_bytes: int, private: int, files: int, shared: int) -> list[Part]:
    """Return the parts that /proc/PID/status tells of a process whose mappings may not be read."""
    known = ((PRIVATE, private), (FILES, files), (SHARED, shared))
    parts = [Part(name, size, size) for name, size in known if size]
    missing = rss_bytes - sum(part.rss_bytes for part in parts)
    return parts if missing <= 0 else [*parts, Part(REST, missing, missing)]


if TYPE_CHECKING:
    from collections.abc import Callable

    _Add = Callable[[str, ResidentSize], None]
