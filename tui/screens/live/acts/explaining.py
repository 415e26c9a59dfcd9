"""What the parts of the live screen mean, told at the first start and whenever it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.dialogs.explained import Explained, ExplainedScreen

if TYPE_CHECKING:
    from perftui.tui.screens.live.deck import PaneDeck
    from perftui.tui.screens.live.parts import LiveParts


def explained(parts: LiveParts, deck: PaneDeck) -> ExplainedScreen:
    """Return the overlay for what is on the screen now."""
    return ExplainedScreen(
        (
            Explained(
                parts.header,
                "What runs, and since when; stacks a second and the share of its CPU they explain;"
                " self: what perftui itself costs.",
            ),
            Explained(parts.banner, "An alert: what, why and in which code. Enter selects it."),
            Explained(
                parts.rss,
                "Memory (RSS), coloured by what it is made of. ▾ a jump, · an alert begins;"
                " tinted while it lasts.",
            ),
            Explained(parts.cpu, "CPU of the cores that it may use: 100 % is one core."),
            Explained(parts.counter, "What the program counts, a second: rows, batches."),
            Explained(parts.band, "Phases: what the program says it is doing."),
            Explained(
                parts.time_axis,
                "One time for all charts: drag selects a range, a click sets the cursor.",
            ),
            Explained(
                parts.tab_bar,
                "All about that range. Flame, Top: where time goes · Threads: who works, who waits"
                " · Memory: who keeps · Log: its output.",
            ),
            Explained(
                parts.footer, "Keys of what you look at. ? all of them · j jumps anywhere · q ends."
            ),
        ),
        deck,
    )
