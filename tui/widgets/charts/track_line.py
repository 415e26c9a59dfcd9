"""How a track is drawn: one character and one colour for each cell of the time axis. Pure."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.tracks import NO_TIME
from perftui.probes.text.units import NS_PER_S
from perftui.tui.widgets.draw.blocks import EIGHTHS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.profile.tracks import States, Tracks
    from perftui.probes.spine.reader import Thread, ThreadTree


class StateLook(NamedTuple):
    """How a state looks, in colour and without."""

    word: str
    glyph: str
    colour: str
    """A field of `Paint`."""


LOOKS = {
    "cpu": StateLook("CPU", "█", "cpu"),
    "lock": StateLook("lock, GIL", "▒", "violet"),
    "io": StateLook("I/O", "░", "teal"),
    "queue": StateLook("run queue", "▚", "indigo"),
    "idle": StateLook("idle", "─", "faint"),
    "other": StateLook("waits, for what is not known", "≈", "slate"),
}
"""By name of a state, in the order of the legend."""
UNEXPLAINED = "warn"
"""Colour of CPU that nobody accounts for."""
_UNKNOWN_WAIT = "waiting ("
"""How a wait is told whose kind is not known from the stack: the track knows more."""
_LEAST_EIGHTHS = 2
"""A cell of CPU is at least so high: a lower one would be taken for a line."""


@lru_cache(maxsize=4096)
def cell_of(states: States | None, step_ns: int) -> tuple[str, str]:
    """Return (character, state) of a cell; CPU is as high as its share of a core.

    Nearly all cells of a picture were in the one before.
    """
    main = "" if states is None else states.main(step_ns)
    if states is None or not main:
        return " ", ""
    if main != "cpu":
        return LOOKS[main].glyph, main
    return height_of(states.cpu_ns, step_ns), main


def height_of(cpu_ns: int, step_ns: int) -> str:
    """Return the block that stands for CPU time in a cell: full is a core, or more."""
    eighths = math.ceil(8 * cpu_ns / max(step_ns, 1))
    return EIGHTHS[min(max(eighths, _LEAST_EIGHTHS), 8)]


def states_seen(tracks: Tracks) -> tuple[str, ...]:
    """Return the states that the legend has to tell of."""
    step_ns = tracks.step_ns
    seen = {cell_of(cell, step_ns)[1] for track in tracks.tracks for cell in track.cells}
    return tuple(name for name in LOOKS if name in seen)


def figures(states: States, range_ns: int) -> str:
    """Say how a group spent a range: CPU of one core, waits as shares of its threads' time.

    Args:
        states: Summed over the range.
        range_ns: Its length.
    """
    said = [f"CPU {_percent(100 * states.cpu_ns / max(range_ns, 1))}"]
    whole = max(states.wall_ns, 1)
    for name, amount in (("lock", states.lock_ns), ("I/O", states.io_ns)):
        if amount >= 0.01 * whole:
            said.append(f"{name} {_percent(100 * amount / whole)}")
    if states.queue_ns >= 0.01 * whole:
        said.append(f"run queue {_percent(100 * states.queue_ns / whole)}")
    return "  ".join(said)


def _percent(value: float) -> str:
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"


def place_of_group(threads: Iterable[Thread], stacks: Sequence[ThreadTree]) -> str:
    """Say where the hottest thread of a group spends its time, or what it waits for."""
    rows = sorted(threads, key=lambda row: -row.cpu_s)
    if not rows:
        return ""
    first = rows[0]
    if not first.is_python and not any((s.pid, s.tid) == (first.pid, first.tid) for s in stacks):
        return "native"
    known = first.waiting if not first.waiting.startswith(_UNKNOWN_WAIT) else ""
    return " · ".join(part for part in (known, first.where) if part)


def first_columns(tracks: Tracks, span: tuple[int, int]) -> list[int]:
    """Return a column for each cell of a range, the first that shows it."""
    found: dict[int, int] = {}
    for column in columns_of(tracks.axis, len(tracks.numbers), span):
        number = tracks.numbers[column]
        if number is not None:
            found.setdefault(number, column)
    return list(found.values())


def summed(cells: Iterable[States | None]) -> States:
    """Add cells up."""
    total = NO_TIME
    for cell in cells:
        if cell is not None:
            total = total.plus(cell)
    return total


def columns_of(axis: tuple[int, int], columns: int, span: tuple[int, int]) -> range:
    """Return the columns of an axis that a range covers, one at least."""
    length = max(axis[1] - axis[0], 1)
    first = (span[0] - axis[0]) * columns // length
    end = -(-(span[1] - axis[0]) * columns // length)
    first = min(max(first, 0), max(columns - 1, 0))
    return range(first, min(max(end, first + 1), columns))


def step_text(step_ns: int) -> str:
    """Say how long a cell is."""
    seconds = step_ns / NS_PER_S
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"
