"""The verdict on the live screen: it comes at the end, and at the start of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.picture import choosing

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.verdict.finding import RankedFinding, SessionVerdict
    from perftui.tui.picture.selection import Selection
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say, SessionThread
    from perftui.tui.screens.live.acts.shown import Shown

WHOLE_SHARE = 0.95
"""A finding over more than this share of the session is about all of it."""
NOTHING = "nothing stands out: "


class VerdictTold:
    """Finds the verdict, and goes to its findings.

    Args:
        shown: What is on the screen.
        thread: Where the session is asked.
        player: Stands still once a finding is shown.
        say: Answers a key.
        redraw: Draws the card, or draws without it.
        open_tab: Opens a tab.
        by_itself: It comes without being asked for.
    """

    def __init__(
        self,
        shown: Shown,
        thread: SessionThread,
        player: Player,
        say: Say,
        redraw: Callable[[], None],
        open_tab: Callable[[str], None],
        *,
        by_itself: bool,
    ) -> None:
        self._shown = shown
        self._thread = thread
        self._player = player
        self._say = say
        self._redraw = redraw
        self._open_tab = open_tab
        self._awaited = by_itself
        self.card: SessionVerdict | None = None
        """What the card shows; None: there is no card."""

    async def look(self) -> None:
        """Tell the verdict once all is known: at the end, and of a recording at once."""
        if self._awaited and (self._shown.state == "exited" or self._shown.replayed):
            self._awaited = False
            await self._find()

    async def toggle(self) -> None:
        """Show the card, or send it away."""
        self._awaited = False
        if self.card is None:
            await self._find()
        else:
            self.close()

    async def _find(self) -> None:
        from perftui.probes.verdict.ranked import verdict  # seldom: not what a start pays for

        found = await self._thread.ask(verdict)
        if found is None:
            return
        if found.findings:
            self.card = found
            self._redraw()
        else:
            self._say(f"{NOTHING}{found.plain}")

    def close(self) -> None:
        """Send the card away."""
        if self.card is not None:
            self.card = None
            self._redraw()

    def go(self, found: RankedFinding) -> None:
        """Show a finding where it is: its range, its weight, its function, its tab."""
        self.close()
        self._player.stop()
        self._shown.choose(selection_of(found, self._shown))
        self._open_tab(found.tab)
        self._say(found.line)


def selection_of(found: RankedFinding, shown: Shown) -> Selection:
    """Return the choice that shows a finding."""
    selection, view = shown.selection, shown.view
    part = 0.0
    if view is not None:
        whole = max(view.status.t_end_ns - view.status.t_start_ns, 1)
        part = (found.t1_ns - found.t0_ns) / whole
    selection = choosing.all_cleared(selection)
    if part < WHOLE_SHARE:
        span = found.t0_ns, max(found.t1_ns, found.t0_ns + 1)
        if found.tab == "Flame":
            return choosing.with_span(selection, found.kind, span)
        selection = selection.with_(range=span)
    if found.kind == "cpu":
        return selection.with_(weight="cpu", filter=found.code.rpartition(" ")[0])
    return selection
