"""A matrix on the screen: environments as they are ready, then a picture after each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.compare.ratios import spread_of
from perftui.scenarios.matrix.jumps import jumps_of, steps_of
from perftui.tui.bench.columns import SHORT, columns_of, heading
from perftui.tui.bench.live import (
    INKS,
    LOUD,
    TONES,
    change_said,
    run_row,
    spread_said,
    within_said,
)
from perftui.tui.matrix.progress import environment_words, run_count
from perftui.tui.screens.lab.face import FigureLanes, LabPicture, Lane, Made, RunRow
from perftui.tui.watch.lab.showing import Showing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.facts import Figure
    from perftui.scenarios.bench.lab_run import LabRun
    from perftui.scenarios.matrix.bisect import Bisected
    from perftui.scenarios.matrix.jumps import Jump, Step
    from perftui.scenarios.matrix.matrix import Matrix, ReleaseRuns
    from perftui.scenarios.matrix.plan import MatrixPlan
    from perftui.scenarios.matrix.prepare import Prepared
    from perftui.tui.screens.lab.face import Tone


class MatrixLive(Showing):
    """Is told what `prepare`, `run_matrix` and `bisect` tell."""

    def __init__(self, plan: MatrixPlan) -> None:
        self._plan = plan
        self._matrix: Matrix | None = None
        self._ready: dict[str, Made] = {}
        self._ran: list[tuple[ReleaseRuns, LabRun]] = []
        self._columns: list[str] = []
        self._rows: list[RunRow] = []
        count = len(plan.cells)
        super().__init__(
            LabPicture(
                "matrix",
                plan.title,
                f"{plan.package} in {count} version{'s' if count != 1 else ''}, in turns",
                "preparing",
                "ENVIRONMENTS",
                made=self._made(),
                words="each version gets an environment, which is kept for the next time",
                records=plan.options.record.wanted,
            )
        )

    def prepared(self, prepared: Prepared) -> None:
        """An environment is ready, or cannot be made."""
        bad = prepared.environment is None
        self._ready[prepared.cell.name] = Made(
            f"{self._plan.package} {prepared.cell.name}",
            environment_words(prepared),
            "bad" if bad else "text",
        )
        self.put(self.picture()._replace(made=self._made()))

    def begin(self, matrix: Matrix) -> None:
        """All environments are there: the runs begin."""
        self._matrix = matrix

    def begins(self, column: ReleaseRuns, number: int) -> None:
        """A run begins."""
        now = f"{column.cell.name} {run_count(self._plan, number)}"
        self.put(self.picture()._replace(stage="running", now=now))

    def ran(self, column: ReleaseRuns, run: LabRun) -> None:
        """A run has ended."""
        self._ran.append((column, run))
        if run.done and not self._columns:
            self._columns = columns_of(run.figures)
        name = f"{column.cell.name} {run_count(self._plan, run.number)}"
        self._rows.append(run_row(run, name, self._columns))
        picture = self.picture()._replace(
            headings=tuple(map(heading, self._columns)), rows=tuple(self._rows)
        )
        self.put(self._judged(picture))

    def tell(self, line: str) -> None:
        """A bisection says what it does."""
        self.put(self.picture()._replace(now="BISECTING", words=line))

    def finished(self, bisected: Bisected | None) -> None:
        """All runs have been made."""
        picture = self._judged(self.picture())
        if bisected is not None:
            tone: Tone = "good" if bisected.found else "warn"
            picture = picture._replace(
                verdict="found" if bisected.found else "not sure",
                words=" · ".join(line.strip() for line in bisected.words().splitlines()),
                tone=tone,
            )
        self.put(picture)

    def _made(self) -> tuple[Made, ...]:
        return tuple(
            self._ready.get(cell.name, Made(f"{self._plan.package} {cell.name}", "is made", "link"))
            for cell in self._plan.cells
        )

    def _judged(self, picture: LabPicture) -> LabPicture:
        matrix = self._matrix
        if matrix is None or not matrix.measured:
            return picture
        steps = steps_of(matrix)
        jumps = jumps_of(steps)
        told = _jumps_told(jumps)
        certain = [jump for jump in jumps if jump.certain]
        worst = next(
            (jump.row.verdict for jump in certain if jump.row.verdict == "regressed"), None
        )
        first = worst or (jumps[0].row.verdict if jumps else None)
        words = " · ".join(told)
        if not told and steps:
            words = "no judged figure changes by more than its threshold between neighbours"
        failed = [f"{each.cell.name}: {each.why}" for each in matrix.columns if each.why]
        words = " · ".join(each for each in (words, *failed) if each)
        return picture._replace(
            figures=self._figures(matrix, steps),
            verdict=first or "",
            words=words,
            tone=TONES[first] if first else "text",
        )

    def _figures(self, matrix: Matrix, steps: list[Step]) -> tuple[FigureLanes, ...]:
        known: dict[str, Figure] = {}
        for column in matrix.measured:
            known = column.series.known() | known
        judged = matrix.plan.gate.judged(known)
        order = {key: at for at, key in enumerate(SHORT)}
        judged.sort(key=lambda key: order.get(key, len(order)))
        return tuple(self._lanes(matrix, steps, key, known[key]) for key in judged)

    def _lanes(self, matrix: Matrix, steps: list[Step], key: str, figure: Figure) -> FigureLanes:
        by_after = {step.after: step for step in steps}
        lanes, loud = [], 0
        for column in matrix.measured:
            middle = column.series.median(key)
            if middle is None:
                lanes.append(Lane(column.cell.name, (), "–", None, None))
                continue
            step = by_after.get(column.cell)
            row = None if step is None else step.answer.row(key)
            said = "" if row is None else change_said(row)
            spread = spread_of(column.series.values(key))
            loud = max(loud, 0 if row is None else LOUD.get(row.verdict, 0))
            lanes.append(
                Lane(
                    column.cell.name,
                    self._marks(column, key),
                    amount_text(middle, figure.unit),
                    middle,
                    spread,
                    said or spread_said(spread, middle),
                    "" if row is None else within_said(row),
                    TONES[None if row is None else row.verdict],
                )
            )
        return FigureLanes(
            figure.label, heading(key), INKS[figure.unit], tuple(lanes), figure.unit, None, loud
        )

    def _marks(self, column: ReleaseRuns, key: str) -> tuple[tuple[int, float], ...]:
        return tuple(
            (at, run.figures[key].value)
            for at, (own, run) in enumerate(self._ran)
            if own is column and run.done and run.number and key in run.figures
        )


def _jumps_told(jumps: Sequence[Jump]) -> list[str]:
    """Say which figures jumped at each step, the largest jump first."""
    told = []
    for step in dict.fromkeys(jump.step.after for jump in jumps):
        own = [jump for jump in jumps if jump.step.after == step]
        each = ", ".join(
            f"{jump.row.figure.label} {percent_text(jump.row.ratio)} {jump.row.verdict}"
            for jump in own
        )
        told.append(f"{own[0].step.before.name} → {step.name}: {each}")
    return told
