"""The phases of the program as a band under the timelines."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from perftui.tui.terminal.theme import BANDS
from perftui.tui.text.fit import clean, shorten_end, width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from rich.style import Style
    from textual.strip import Strip

    from perftui.probes.spine.reader import Phase
    from perftui.tui.picture.axis_map import AxisMap
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint


class PhaseBand(Canvas):
    """One row: the innermost phase of every moment."""

    DEFAULT_CSS = """
    PhaseBand { height: 1; width: 100%; }
    """

    def show(self, view: View, axis: AxisMap, width: int, paint: Paint) -> None:
        """Draw the phases of a picture."""
        self.put([band_line(view, axis, width, paint)])


def band_owner(phases: tuple[Phase, ...], axis: AxisMap, now_ns: int) -> list[int | None]:
    """Return for every column the index of the phase that owns it: the innermost, the latest."""
    owner: list[int | None] = [None] * axis.columns
    order = sorted(range(len(phases)), key=lambda n: (phases[n].depth, phases[n].t0_ns))
    for index in order:
        phase = phases[index]
        end_ns = min(now_ns if phase.t1_ns is None else phase.t1_ns, axis.t1_ns)
        if end_ns <= axis.t0_ns or phase.t0_ns >= axis.t1_ns:
            continue
        first = axis.clamped(phase.t0_ns) - axis.left
        last = axis.clamped(max(end_ns - 1, phase.t0_ns)) - axis.left
        owner[first : last + 1] = [index] * (last + 1 - first)
    return owner


def band_colour(name: str) -> int:
    """Return the colour of a phase: the same name, the same colour, in every session."""
    return zlib.crc32(name.encode("utf-8", "replace")) % BANDS


def band_line(view: View, axis: AxisMap, width: int, paint: Paint) -> Strip:
    """Build the line."""
    shown = view.selection.paused_at_ns or view.status.t_end_ns
    return band_line_of(view.axis_phases, shown, axis, width, paint, "phase ")


def band_line_of(
    phases: tuple[Phase, ...], now_ns: int, axis: AxisMap, width: int, paint: Paint, label: str
) -> Strip:
    """Build the line of some phases; `label` stands before it if any can be seen."""
    owner = band_owner(phases, axis, now_ns)
    if not any(n is not None for n in owner):
        label = ""
    pieces: list[Piece] = [(label.rjust(axis.left), paint.dim)]
    colours = _neighbours_differ(phases)
    start = 0
    while start < len(owner):
        index = owner[start]
        stop = start
        while stop < len(owner) and owner[stop] == index:
            stop += 1
        if index is None:
            pieces.append((" " * (stop - start), None))
        else:
            phase = phases[index]
            ground = paint.bands[colours[phase.name]]
            pieces += _named(clean(phase.name), stop - start, ground, paint)
        start = stop
    pieces.append((" " * max(width - axis.left - axis.columns, 0), None))
    return strip_of(pieces)


def _neighbours_differ(phases: tuple[Phase, ...]) -> dict[str, int]:
    """Give each name its colour, the next one if the phase before has the same."""
    colours: dict[str, int] = {}
    before = -1
    for phase in phases:
        if phase.name not in colours:
            colour = band_colour(phase.name)
            colours[phase.name] = (colour + 1) % BANDS if colour == before else colour
        before = colours[phase.name]
    return colours


def _named(name: str, width: int, ground: Style, paint: Paint) -> list[Piece]:
    """Write a name into its stretch: an edge first, so that it reads without colour."""
    if width < 3:
        return [("▏" + " " * (width - 1), paint.dim + ground)]
    text = shorten_end(name, width - 1)
    gap = " " * max(width - 1 - width_of(text), 0)
    return [("▏", paint.dim + ground), (text + gap, paint.text + ground)]
