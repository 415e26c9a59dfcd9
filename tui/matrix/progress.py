"""The progress of a matrix: environments as they are ready, then a row with each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.columns import aligned
from perftui.probes.text.units import format_seconds
from perftui.tui.bench.columns import cells, columns_of, heading
from perftui.tui.bench.last_line import LastLine
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from perftui.scenarios.bench.lab_run import LabRun
    from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns
    from perftui.scenarios.matrix.plan import MatrixPlan
    from perftui.scenarios.matrix.prepare import Prepared

_WIDTH = 9


class MatrixProgress:
    """Rows appear as things end; on a terminal a last line says what goes on now."""

    def __init__(self, plan: MatrixPlan) -> None:
        self._plan = plan
        self._last = LastLine()
        self._name_width = max(len(cell.name) for cell in plan.cells)
        self._keys: list[str] = []
        self._left = len(plan.cells)
        self._last.now(f"making {self._left} environments")

    def prepared(self, prepared: Prepared) -> None:
        """An environment is ready, or cannot be made."""
        self.clear()
        self._left -= 1
        name = f"{self._plan.package} {prepared.cell.name}".ljust(
            len(self._plan.package) + 1 + self._name_width
        )
        tell(f"{name}  {environment_words(prepared)}")
        if self._left:
            self._last.now(f"making {self._left} more")

    def begin(self, matrix: Matrix) -> None:
        """All environments are there."""
        self.clear()

    def begins(self, column: ReleaseRuns, number: int) -> None:
        """A run begins."""
        self._last.now(f"{column.cell.name} {run_count(self._plan, number)} runs")

    def ran(self, column: ReleaseRuns, run: LabRun) -> None:
        """A run has ended: its row."""
        self.clear()
        names = [column.cell.name, run_count(self._plan, run.number)]
        if not run.done:
            tell("  ".join([*self._padded(names), f"FAILED  {run.why}"]))
            return
        if not self._keys:
            self._keys = columns_of(run.figures)
            tell(self._row(["version", "run", *map(heading, self._keys)]))
        words = [*names, *cells(run.figures, self._keys)]
        if run.steady.state not in ("unknown", "flat"):
            words.append(run.steady.state)
        tell(self._row(words))

    def clear(self) -> None:
        """Take the last line away."""
        self._last.clear()

    def _padded(self, names: list[str]) -> list[str]:
        widths = (max(self._name_width, len("version")), len("10 of 10"))
        return [name.ljust(width) for name, width in zip(names, widths, strict=True)]

    def _row(self, words: list[str]) -> str:
        names = self._padded(words[:2])
        widths = [*map(len, names), *([_WIDTH] * (len(words) - 2))]
        return aligned([[*names, *words[2:]]], right=range(2, len(self._keys) + 2), widths=widths)[
            0
        ]


def run_count(plan: MatrixPlan, number: int) -> str:
    """Say which run: "2 of 5"."""
    return "warm-up" if number == 0 else f"{number} of {plan.runs}"


def environment_words(prepared: Prepared) -> str:
    """Say what an environment took, or why there is none."""
    environment = prepared.environment
    if environment is None:
        return prepared.why
    if environment.kept:
        return f"kept, checked in {format_seconds(environment.check_s)}"
    made = (
        f"venv {format_seconds(environment.venv_s or 0.0)}, "
        f"install {format_seconds(environment.install_s or 0.0)} ({environment.installer})"
    )
    return f"{made}; made anew: {environment.made_anew}" if environment.made_anew else made
