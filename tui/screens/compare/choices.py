"""What was chosen on the compare screen, and what its keys do to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from perftui.tui.picture.compare_view import ALIGNMENTS, WEIGHTS, CompareChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.picture.compare_view import CompareView


class Compared(Protocol):
    """What the keys need to know of the answer that is there."""

    @property
    def view(self) -> CompareView | None:
        """The answer, None before the first."""
        ...

    @property
    def phases(self) -> list[PhaseKey]:
        """Phases that are on both sides."""
        ...


class CompareChoices:
    """Holds the newest choice and changes it.

    Args:
        phase: What it is restricted to at first.
        compared: What there is to choose from.
        changed: Called after every change: another answer is wanted.
        say: Answers a key.
    """

    def __init__(
        self,
        phase: PhaseKey | None,
        compared: Compared,
        changed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.now = CompareChoice(phase=phase)
        self._compared = compared
        self._changed = changed
        self._say = say

    def choose(self, choice: CompareChoice) -> None:
        """Take over a new choice."""
        self.now = choice
        self._changed()

    def phase(self, phase: PhaseKey) -> None:
        """Restrict everything to a phase; on the chosen one, show all again."""
        self.only(None if phase == self.now.phase else phase)

    def only(self, phase: PhaseKey | None) -> None:
        """Restrict everything to a phase, or to nothing."""
        if phase is not None and phase not in self._compared.phases:
            self._say(f"{phase} is not on both sides: nothing to compare it with")
            return
        self.choose(self.now.with_(phase=phase))

    def next_phase(self, step: int) -> None:
        """Go to the phase beside; after the last, all of it."""
        if not self._compared.phases:
            self._say("no phase is on both sides: `with perftui.phase(name):` names them")
            return
        ring = [None, *self._compared.phases]
        at = ring.index(self.now.phase) if self.now.phase in ring else 0
        self.only(ring[(at + step) % len(ring)])

    def align(self) -> None:
        """Change how the time axes lie over each other."""
        if self.now.phase is None:
            self._say("both begin at the start; choose a phase ({ }) to align them at its start")
            return
        at = ALIGNMENTS.index(self.now.alignment)
        self.choose(self.now.with_(alignment=ALIGNMENTS[(at + 1) % len(ALIGNMENTS)]))

    def weight(self) -> None:
        """Change what widths and shares mean."""
        at = WEIGHTS.index(self.now.weight)
        self.choose(self.now.with_(weight=WEIGHTS[(at + 1) % len(WEIGHTS)]))

    def next_thread(self, step: int) -> None:
        """Change the thread that flame and functions are about."""
        view = self._compared.view
        if view is None:
            return
        ring = ["", *view.threads]
        at = ring.index(self.now.thread) if self.now.thread in ring else 0
        self.choose(self.now.with_(thread=ring[(at + step) % len(ring)]))

    def filter(self, text: str) -> None:
        """Show what has a text in its name."""
        self.choose(self.now.with_(filter=text))

    def function(self, name: str) -> None:
        """Show where a function is called."""
        self.filter(name)
        self._say(f"{name} in the flame; / changes the filter, esc forgets it")

    def reset(self) -> None:
        """Forget all choices."""
        self.choose(CompareChoice())

    def clear_one(self) -> bool:
        """Clear the filter, else the phase; returns whether there was anything to clear."""
        if self.now.filter:
            self.filter("")
        elif self.now.phase is not None:
            self.only(None)
        else:
            return False
        return True
