"""What the tabs show of a range: weight, lines, thread, process, filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.picture import choosing
from perftui.tui.picture.selection import Selection
from perftui.tui.text.fit import clean

if TYPE_CHECKING:
    from perftui.probes.spine.records import ThreadKey
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown


class Choices:
    """Changes what is shown, never when."""

    def __init__(self, shown: Shown, player: Player, say: Say) -> None:
        self._shown = shown
        self._player = player
        self._say = say

    def weight(self) -> None:
        """Change what widths and shares mean."""
        self._shown.choose(choosing.next_weight(self._shown.selection))

    def by_line(self) -> None:
        """Change between functions and lines."""
        selection = self._shown.selection
        self._shown.choose(selection.with_(by_line=not selection.by_line))

    def unfold(self) -> None:
        """Change between the program's own functions and all frames."""
        selection = self._shown.selection
        self._shown.choose(selection.with_(unfold=not selection.unfold))

    def invert(self) -> None:
        """Turn the flame upside down, and back."""
        selection = self._shown.selection
        self._shown.choose(selection.with_(inverted=not selection.inverted))

    def merge(self) -> None:
        """Change between the hottest thread and all threads as one."""
        selection = self._shown.selection
        merged = selection.threads is not None or not selection.merged
        self._shown.choose(selection.with_(merged=merged, thread=None))

    def next_thread(self, step: int) -> None:
        """Change the thread."""
        view = self._shown.chosen_view
        if view is not None:
            self._shown.choose(choosing.next_thread(view, step))

    def thread(self, thread: ThreadKey) -> None:
        """Show one thread alone."""
        self._shown.choose(self._shown.selection.with_(thread=thread))

    def group(self, name: str, threads: frozenset[ThreadKey]) -> None:
        """Show the threads of a group as one."""
        selection = self._shown.selection
        self._shown.choose(selection.with_(thread=None, group=(name, threads)))
        if len(threads) > 1:
            self._say(f"{clean(name)} as one; < > go to each thread, r shows all again")

    def process(self, pid: int) -> None:
        """Show one process alone, or the whole tree again."""
        selection = self._shown.selection
        chosen = None if selection.process == pid else pid
        self._shown.choose(selection.with_(process=chosen, thread=None))
        if chosen is None:
            self._say("all processes")
        else:
            self._say(f"process {chosen} alone: charts, flame and tabs; r shows all again")

    def filter(self, text: str) -> None:
        """Show what has a text in its name."""
        self._shown.choose(self._shown.selection.with_(filter=text))

    def function(self, name: str) -> None:
        """Show where a function, or a module, is called."""
        self.filter(name)
        self._say(f"{name} in the flame; / changes the filter, r forgets it")

    def reset(self) -> None:
        """Forget all choices but the pause."""
        self._player.stop()
        self._shown.choose(Selection(paused_at_ns=self._shown.selection.paused_at_ns))
