"""The mappings of a process, summed up by what they are for (/proc/PID/smaps, see proc(5)).

A library, a data file and shared memory have names. Memory without one does not say who took it;
what can be told apart by its form alone is: the stacks of threads (a guard page below), the
arenas of glibc's malloc (aligned to 64 MiB, with a reserve up to the next such address) and
mimalloc's (it asks for places from 2 TiB on, where the kernel puts nothing by itself).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "libraries", "data files", "shared", "stacks", "malloc", "mimalloc", "python", "anonymous"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

_ENTRY = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+)[ \t]*(.*)\n"
    rb"(?:[A-Z]\w*:.*\n)*?Rss: +(\d+) kB\nPss: +(\d+) kB",
    re.MULTILINE,
)
_SHARED = (b"/dev/shm/", b"/memfd:", b"/SYSV", b"/dev/zero", b"/anon_hugepage", b"/[")
_ARENA_BYTES = 64 << 20
"""HEAP_MAX_SIZE of glibc's malloc on 64-bit machines."""
_MOST_GUARD_BYTES = 64 << 10
_MOST_STACK_BYTES = 32 << 20
_MOST_VARIABLE_BYTES = 512 << 10
_MIMALLOC = range(2 << 40, 30 << 40)
"""Where mimalloc asks for its memory (`mi_os_get_aligned_hint`)."""
_PYTHON = re.compile(rb"(lib)?python\d[^/]*$")
_ALLOCATORS = ("jemalloc", "mimalloc", "tcmalloc")


class ResidentSize(NamedTuple):
    """Resident bytes of a process, and what they are if shared pages are shared out (PSS)."""

    rss_bytes: int
    pss_bytes: int

    def plus(self, rss_bytes: int, pss_bytes: int) -> ResidentSize:
        """Return the sum."""
        return ResidentSize(self.rss_bytes + rss_bytes, self.pss_bytes + pss_bytes)


NOTHING = ResidentSize(0, 0)


@dataclass  # not slots: Python 3.9 reads this too, in `remote`
class Mappings:
    """What one reading came to."""

    sizes: dict[Kind, ResidentSize] = field(default_factory=dict)
    writable: list[tuple[int, int, Kind]] = field(default_factory=list)
    """[start, end) and kind of memory without a file: where an allocator's lists may point."""
    interpreter: list[tuple[int, int]] = field(default_factory=list)
    """[start, end) of the variables of the Python that is loaded, if one is."""
    allocator: str = ""
    """Of the library that replaces malloc, "" if none is loaded."""
    count: int = 0
    mimalloc: bool = False
    """Whether mimalloc has asked for a place, be it resident or not."""

    @property
    def rss_bytes(self) -> int:
        """The sum over all mappings."""
        return sum(size.rss_bytes for size in self.sizes.values())

    def size(self, kind: Kind) -> ResidentSize:
        """Return the sum of one kind."""
        return self.sizes.get(kind, NOTHING)


def read_mappings(text: bytes) -> Mappings:
    """Sum up the text of an smaps file."""
    entries = _ENTRY.findall(text)
    programs = {entry[4] for entry in entries if entry[3] != b"0" and b"x" in entry[2]}
    found = Mappings(count=len(entries))
    sums: dict[Kind, tuple[int, int]] = dict.fromkeys(KINDS, (0, 0))
    end_before = 0
    library_before = guard_before = python_before = False
    kind: Kind
    for n, (start_hex, end_hex, rights, inode, name, rss_kb, pss_kb) in enumerate(entries):
        start, end = int(start_hex, 16), int(end_hex, 16)
        adjacent = start == end_before
        library = python = guard = False
        if name[:1] == b"/" and inode != b"0" and not name.startswith(_SHARED):
            library = name in programs
            kind = "libraries" if library else "data files"
            python = library and _PYTHON.search(name) is not None
            if python and rights[:2] == b"rw":
                found.interpreter.append((start, end))
        elif name[:1] == b"/" or rights[3:4] == b"s":
            kind = "shared"
        elif rights[:3] == b"---":
            kind, guard = "anonymous", end - start <= _MOST_GUARD_BYTES
        elif name[:1] == b"[":
            kind = _named(name)
        elif adjacent and library_before:
            # Its variables that begin as zero; what was mapped right behind them is one with them.
            kind = "libraries" if end - start <= _MOST_VARIABLE_BYTES else "anonymous"
            if python_before:
                found.interpreter.append((start, min(end, start + _MOST_VARIABLE_BYTES)))
        elif start in _MIMALLOC:
            kind, found.mimalloc = "mimalloc", True
        elif start % _ARENA_BYTES == 0 and _is_arena(entries, n, end):
            kind = "malloc"
        elif adjacent and guard_before and end - start <= _MOST_STACK_BYTES:
            kind = "stacks"
        else:
            kind = "anonymous"
        if inode == b"0" and rights[:2] == b"rw":
            found.writable.append((start, end, kind))
        if rss_kb != b"0":
            rss, pss = sums[kind]
            sums[kind] = (rss + int(rss_kb), pss + int(pss_kb))
        end_before, library_before, guard_before, python_before = end, library, guard, python
    found.sizes = {kind: ResidentSize(rss * 1024, pss * 1024) for kind, (rss, pss) in sums.items()}
    for name in programs:
        library_name = name.rpartition(b"/")[2].decode("utf-8", "replace")
        for allocator in _ALLOCATORS:
            if library_name.startswith(f"lib{allocator}"):
                found.allocator = allocator
    return found


def _named(name: bytes) -> Kind:
    if name.startswith((b"[heap]", b"[anon:glibc: malloc", b"[anon: glibc: malloc")):
        return "malloc"
    if name.startswith(b"[stack") or b"stack" in name:
        return "stacks"
    if name.startswith(b"[anon:cpython:"):
        return "python"
    if b"mimalloc" in name:
        return "mimalloc"
    return "anonymous" if name.startswith(b"[anon") else "libraries"


def _is_arena(entries: list[tuple[bytes, ...]], n: int, end: int) -> bool:
    """Tell whether what begins where an arena might ends as one: full, or with a reserve behind.

    Full ones that follow each other are one mapping.
    """
    if end % _ARENA_BYTES == 0:
        return True
    if n + 1 == len(entries):
        return False
    following = entries[n + 1]
    return (
        int(following[0], 16) == end
        and following[2][:3] == b"---"
        and int(following[1], 16) % _ARENA_BYTES == 0
        and int(following[1], 16) - end < _ARENA_BYTES
    )
