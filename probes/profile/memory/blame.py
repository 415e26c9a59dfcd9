"""Who keeps what memory grew by, and in which function it rose: answers of the looks from inside.

Two questions that are never mixed. What holds more than before was counted in the program
(`Keeper`); in which function memory rose was measured at entry and exit (`Rise`). Of the code that
can fill a container, the samples tell which ran and touched memory meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.profile.place import in_words
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import Blame, Reader, Target, ThreadTree
    from perftui.probes.spine.records import GrowthLook, Keeper

    CallTreeOf = Callable[[int, int], Sequence[ThreadTree]]

COUNTED = "entries counted twice; bytes by the newest entries"
ATTACHED = "only a program that perftui launched is asked from inside, this one was attached"
NO_AGENT = "it does not load perftui's agent, so it is not asked from inside"
SAMPLED = "some of many alike were counted, and scaled up"


class PlaceInCode(NamedTuple):
    """A place in the program's code."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return in_words(self.function, self.file, self.line)


class Keeping(NamedTuple):
    """What one thing in the program came to hold, over all looks of a range."""

    pid: int
    what: str
    type: str
    of: str
    entries: int
    total: int
    bytes: int
    code: PlaceInCode | None
    """What filled it; None if several may have, and no sample tells which."""
    sampled: bool
    t0_ns: int
    t1_ns: int

    @property
    def confidence(self) -> str:
        """How it is known."""
        return SAMPLED if self.sampled else COUNTED


class Rose(NamedTuple):
    """How memory rose in one function's own code, over all looks of a range."""

    code: PlaceInCode | None
    """None: all code that was not measured."""
    calls: int
    rss_bytes: int
    touched_bytes: int


def keepers_of(blame: Blame, tree: CallTree, call_tree: CallTreeOf) -> list[Keeping]:
    """Return what holds more than before, the most bytes first."""
    by_what: dict[tuple[int, str], list[Keeper]] = {}
    for row in blame.keepers:
        by_what.setdefault((row.pid, row.what), []).append(row)
    found = []
    for (pid, what), rows in by_what.items():
        last = rows[-1]
        t0_ns, t1_ns = rows[0].t0_ns, last.t_ns
        threads = [each for each in call_tree(t0_ns, t1_ns) if each.pid == pid]
        found.append(
            Keeping(
                pid,
                what,
                last.type,
                last.of,
                sum(row.entries for row in rows),
                last.total,
                sum(row.bytes for row in rows),
                _filled_by(_codes(_fills(rows)), tree, threads),
                any(row.sampled for row in rows),
                t0_ns,
                t1_ns,
            )
        )
    found.sort(key=lambda kept: (-kept.bytes, -kept.entries))
    return found


def rises_of(blame: Blame) -> list[Rose]:
    """Return in which functions memory rose, the most first; what was not measured is last."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in blame.rises:
        cell = sums.setdefault((row.file, row.function), [row.line, 0, 0, 0])
        for at, value in enumerate((row.calls, row.rss_bytes, row.touched_bytes), 1):
            cell[at] += value
    rows = [
        Rose(PlaceInCode(function, file, line) if function else None, *rest)
        for (file, function), (line, *rest) in sums.items()
    ]
    return sorted(rows, key=lambda row: (row.code is None, -row.rss_bytes))


def why_unasked(target: Target) -> str:
    """Return why nothing was asked from inside, "" where it can be."""
    if target.agent:
        return ""
    return NO_AGENT if target.launched else ATTACHED


def notes_of(blame: Blame, by: str) -> list[str]:
    """Return what keeps the answers of one kind of look from being whole, each once."""
    return sorted({look.note for look in blame.looks if look.by == by and look.note})


def _fills(rows: Sequence[Keeper]) -> str:
    """Return what the latest look that knew it says: one as the program ends finds no code of
    a module's any more."""
    return next((row.fills for row in reversed(rows) if row.fills), "")


def _codes(fills: str) -> list[PlaceInCode]:
    """Read the lines of `Keeper.fills`; a recording may hold anything."""
    found = []
    for line in fills.split("\n"):
        words = line.split("\t")
        if len(words) == 3 and words[2].isdecimal():
            found.append(PlaceInCode(words[0], words[1], int(words[2])))
    return found


def _filled_by(
    codes: list[PlaceInCode], tree: CallTree, threads: Sequence[ThreadTree]
) -> PlaceInCode | None:
    """Return which of the codes filled it: the one that touched most memory, else ran most.

    A module names its globals where it makes them, and all else is called from it: it is the one
    only if most of the memory was touched in its own lines, or if there is no other.
    """
    modules = [code for code in codes if code.function == "<module>"]
    others = [code for code in codes if code.function != "<module>"]
    if modules and others:
        in_lines = _weights(modules, tree, threads, directly=True)
        cells = [cell for thread in threads for cell in thread.self_by_node.values()]
        touched = sum(cell.touched_bytes for cell in cells)
        mine = sum(by_bytes for by_bytes, _ in in_lines.values())
        codes = modules if touched and mine > touched / 2 else others
    weights = _weights(codes, tree, threads, directly=False)
    if not weights:
        return codes[0] if len(codes) == 1 else None
    sums: dict[tuple[str, str], list[float]] = {}
    for (function, file, _), both in weights.items():
        cell = sums.setdefault((function, file), [0.0, 0.0])
        cell[0] += both[0]
        cell[1] += both[1]
    chosen = max(sums, key=lambda key: sums[key])
    best = max((place for place in weights if place[:2] == chosen), key=lambda p: weights[p])
    wanted = {(code.function, code.file): code for code in codes}
    return PlaceInCode(*chosen, best[2] or wanted[chosen].line)


def _weights(
    codes: list[PlaceInCode], tree: CallTree, threads: Sequence[ThreadTree], *, directly: bool
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Return (touched bytes, CPU ns) by place: of the innermost of the codes in each stack, or
    `directly` of those stacks alone that end in one."""
    wanted = {(code.function, code.file) for code in codes}
    found: dict[tuple[str, str, int], tuple[float, float]] = {}
    for thread in threads:
        for node, cell in thread.self_by_node.items():
            at = node
            while at != ROOT:
                frame = tree.frame(at)
                if (frame.function, frame.file) in wanted:
                    place = frame.function, frame.file, frame.line
                    touched, cpu_ns = found.get(place, (0.0, 0.0))
                    found[place] = touched + cell.touched_bytes, cpu_ns + cell.cpu_ns
                    break
                if directly:
                    break
                at = tree.parent(at)
    return found


def blame_json(blame: Blame, reader: Reader, t0_ns: int) -> dict[str, Any]:
    """Return what the summary tells of the looks: keepers, rises, and how they went."""
    return {
        "keepers": [
            {
                "what": kept.what,
                "type": kept.type,
                "of": kept.of,
                "entries": kept.entries,
                "total": kept.total,
                "bytes": kept.bytes,
                "code": None if kept.code is None else str(kept.code),
                "function": None if kept.code is None else kept.code.function,
                "file": None if kept.code is None else kept.code.file,
                "line": None if kept.code is None else kept.code.line,
                "path": kept.what,
                "by": "census",
                "confidence": kept.confidence,
            }
            for kept in keepers_of(blame, reader.tree, reader.call_tree)
        ],
        "rises": [
            {
                "function": None if row.code is None else row.code.function,
                "file": None if row.code is None else row.code.file,
                "line": None if row.code is None else row.code.line,
                "rss_bytes": row.rss_bytes,
                "touched_bytes": row.touched_bytes,
                "calls": row.calls,
                "by": "entry and exit",
            }
            for row in rises_of(blame)
        ],
        "looks": [_look(look, t0_ns) for look in blame.looks],
        "unasked": why_unasked(reader.target()),
    }


def _look(look: GrowthLook, t0_ns: int) -> dict[str, Any]:
    return {
        "by": look.by,
        "pid": look.pid,
        "start_s": (look.t0_ns - t0_ns) / NS_PER_S,
        "end_s": (look.t_ns - t0_ns) / NS_PER_S,
        "rose_bytes": look.rose_bytes,
        "looked": look.looked,
        "cpu_s": look.cpu_ns / NS_PER_S,
        "longest_pause_s": look.longest_ns / NS_PER_S,
        "note": look.note,
    }
