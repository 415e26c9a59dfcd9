"""Takes the pictures of a race, on the screen's worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.scenarios.race.figures import Figures, figures_of
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import Part, View, take_view
from perftui.tui.screens.race.chart import common_length_ns
from perftui.tui.screens.race.face import Picture

if TYPE_CHECKING:
    from perftui.scenarios.race.race import SideState
    from perftui.tui.screens.race.face import ShownRace

EVER_NS = 1 << 62


def take_picture(race: ShownRace, columns: int, before: Picture | None, *, flame: bool) -> Picture:
    """Take a picture of both sides, on axes of one length.

    Args:
        race: The race.
        columns: Cells of each time axis.
        before: The picture that is there; what has not changed is taken over from it.
        flame: The stacks are shown too.
    """
    state = race.state()
    recordings = race.recordings()
    readers = [side.session.reader if side.session else None for side in state.sides]
    length = common_length_ns(reader.status() for reader in readers if reader is not None)
    phase = race.plan.pair.phase
    wants: frozenset[Part] = frozenset(("stacks",) if flame else ())
    views: list[View | None] = []
    for number, reader in enumerate(readers):
        if reader is None:
            views.append(None)
            continue
        status = reader.status()
        start = status.t_start_ns
        work = next((p for p in reader.phases(0, EVER_NS) if p.name == phase), None)
        span = None if work is None else (work.t0_ns, work.t1_ns or status.t_end_ns)
        selection = Selection(axis=(start, start + length), range=span)
        shown = before.views[number] if before is not None else None
        views.append(take_view(reader, selection, columns, wants, shown))
    one, other = (_figures(side, phase) for side in state.sides)
    return Picture(state, (views[0], views[1]), (one, other), recordings)


def _figures(side: SideState, phase: str) -> Figures:
    if side.ended or side.session is None:
        return side.figures
    return figures_of(side.session.reader, phase)
