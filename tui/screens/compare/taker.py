"""Answers the choices of the compare screen, on its worker thread; keeps what is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.comparison import phases_in_all
from perftui.tui.picture.compare_view import (
    CompareView,
    take_comparison,
    take_timelines,
    thread_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.comparison import ComparedRun, Comparison
    from perftui.probes.compare.facts import PhaseKey
    from perftui.tui.picture.compare_view import CompareChoice


class ComparisonTaker:
    """Compares two sides, restricted to what was chosen."""

    def __init__(self, base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> None:
        self.sides = (tuple(base), tuple(new))
        self.view: CompareView | None = None
        """The answer that is shown; set by whoever shows it."""
        self.phases: list[PhaseKey] = []
        """Phases that are on both sides; known after the first answer."""
        self._known: dict[PhaseKey | None, Comparison] = {}
        """Comparisons of all threads, by phase."""

    def take(self, choice: CompareChoice, columns: int, *, test: bool) -> CompareView:
        """Answer a choice.

        Args:
            choice: What is wanted.
            columns: Cells of the time axis.
            test: Also tell for every function whether the difference may be chance: takes long.
        """
        base, new = self.sides
        if not self.phases:
            self.phases = phases_in_all([*base, *new])
        whole = self._known.get(choice.phase)
        if whole is None or (test and whole.functions.can_be_tested):
            whole = take_comparison(base, new, choice.with_(thread=""), test=test)
            self._known[choice.phase] = whole
        comparison = self._shown_for(choice)
        if comparison is None or (test and comparison.functions.can_be_tested):
            comparison = take_comparison(base, new, choice, whole, test=test)
        return CompareView(
            choice,
            comparison,
            self._known.get(None, whole).phases,
            thread_names(whole),
            *take_timelines(comparison, choice, columns),
        )

    def _shown_for(self, choice: CompareChoice) -> Comparison | None:
        """Return the comparison that is shown, if it answers the choice too."""
        shown = self.view
        if shown is None:
            return None
        same = (shown.choice.phase, shown.choice.thread) == (choice.phase, choice.thread)
        return shown.comparison if same else None
