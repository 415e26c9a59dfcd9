"""The progress of a bench: a table on stderr that gains a row with each run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from perftui.probes.text.columns import aligned
from perftui.scenarios.bench.bench import LOOKS
from perftui.tui.bench.columns import cells, columns_of, heading
from perftui.tui.text.words import columns, tell

if TYPE_CHECKING:
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.lab_run import LabRun, SideName

_WIDTH = 9


class BenchProgress:
    """Rows appear as runs end; on a terminal a last line says what runs now."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._keys: list[str] = []
        self._shown = False

    def begins(self, side: SideName, number: int) -> None:
        """A run begins."""
        if not self._terminal:
            return
        line = f"{self._name(side, number)} runs"
        tell(f"\r\x1b[K{line[: columns() - 1]}", end="")
        self._shown = True

    def ran(self, run: LabRun) -> None:
        """A run has ended: its row."""
        self.clear()
        name = self._name(run.side, run.number)
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
        if self._shown:
            tell("\r\x1b[K", end="")
            self._shown = False

    def _name(self, side: SideName, number: int) -> str:
        if number == 0:
            count = "warm-up"
        else:
            looks = [until for until, _ in LOOKS]
            asked = self._bench.plan.runs
            of = asked or next((until for until in looks if number <= until), looks[-1])
            count = f"{number} of {of}"
        return count if len(self._bench.sides) == 1 else f"{count} {side}"

    def _row(self, words: list[str]) -> str:
        first = 15 if len(self._bench.sides) > 1 else 9
        widths = [first, *([_WIDTH] * (len(words) - 1))]
        right = range(1, len(self._keys) + 1)
        return aligned([words], right=right, widths=widths)[0]
