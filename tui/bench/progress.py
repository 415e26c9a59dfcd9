"""The progress of a bench: a table on stderr that gains a row with each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.columns import aligned
from perftui.scenarios.bench.bench import LOOKS
from perftui.tui.bench.columns import cells, columns_of, heading
from perftui.tui.bench.last_line import LastLine
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.lab_run import LabRun, SideName

_WIDTH = 9


class BenchProgress:
    """Rows appear as runs end; on a terminal a last line says what runs now."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._last = LastLine()
        self._keys: list[str] = []

    def begins(self, side: SideName, number: int) -> None:
        """A run begins."""
        self._last.now(f"{run_name(self._bench, side, number)} runs")

    def ran(self, run: LabRun) -> None:
        """A run has ended: its row."""
        self.clear()
        name = run_name(self._bench, run.side, run.number)
        if not run.done:
            tell(self._row([name, f"FAILED  {run.why}"]))
            return
        if not self._keys:
            self._keys = columns_of(run.figures)
            tell(self._row(["run", *map(heading, self._keys)]))
        words = [name, *cells(run.figures, self._keys)]
        if run.steady.state not in ("unknown", "flat"):
            words.append(run.steady.state)
        tell(self._row(words))

    def clear(self) -> None:
        """Take the last line away."""
        self._last.clear()

    def _row(self, words: list[str]) -> str:
        first = 15 if len(self._bench.sides) > 1 else 9
        widths = [first, *([_WIDTH] * (len(words) - 1))]
        right = range(1, len(self._keys) + 1)
        return aligned([words], right=right, widths=widths)[0]


def run_name(bench: Bench, side: SideName, number: int) -> str:
    """Say which run: "7 of 10 new", up to the next look."""
    count = "warm-up" if number == 0 else f"{number} of {next_look(bench, number)}"
    return count if len(bench.sides) == 1 else f"{count} {side}"


def next_look(bench: Bench, number: int) -> int:
    """Return after how many runs a side it is looked at next, seen from one of them."""
    looks = [until for until, _ in LOOKS]
    asked = bench.plan.runs
    return asked or next((until for until in looks if number <= until), looks[-1])
