"""A bench on the screen: a picture of it after each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.figures import amount_text, percent_text
from perftui.probes.text.units import format_seconds
from perftui.scenarios.bench.bench import LOOKS, ended_text
from perftui.scenarios.bench.budget import checked
from perftui.tui.bench.columns import SHORT, cells, columns_of, heading
from perftui.tui.bench.progress import next_look, run_name
from perftui.tui.screens.lab.face import FigureLanes, LabPicture, Lane, RunRow
from perftui.tui.watch.lab.showing import Showing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.confidence import Interval
    from perftui.scenarios.bench.answer import BenchAnswer, BenchRow, Word
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.budget import Bound
    from perftui.scenarios.bench.lab_run import LabRun, SideName
    from perftui.tui.screens.lab.face import Tone

INKS = {"B": "memory", "s": "cpu", "/s": "rows", "%": "cpu", "": "teal"}
"""Colour of a figure by its unit."""
TONES: dict[Word | None, Tone] = {
    "regressed": "bad",
    "improved": "good",
    "ok": "text",
    "suspect": "warn",
    "inconclusive": "warn",
    "moved": "link",
    None: "dim",
}
LOUD: dict[Word | None, int] = {
    "regressed": 4,
    "improved": 3,
    "moved": 3,
    "suspect": 2,
    "inconclusive": 1,
}
"""Which figures are to be seen before others."""
_STORED = -1
"""Row of a run that is not in the table: of a baseline file."""


class BenchLive(Showing):
    """Is told what `run_bench` tells, and shows what the bench has come to."""

    def __init__(self, bench: Bench, bounds: Sequence[Bound] = ()) -> None:
        self._bench, self._bounds = bench, bounds
        self._ran: list[LabRun] = []
        self._columns: list[str] = []
        self._named: list[RunRow] = []
        about = f"against {bench.told_base}" if bench.told_base else "fresh processes"
        super().__init__(
            LabPicture(
                "bench", bench.plan.new.title, about, "preparing", "starts",
                records=bench.plan.options.record.wanted,
            )
        )  # fmt: skip

    def begins(self, side: SideName, number: int) -> None:
        """A run begins."""
        self.put(self.picture()._replace(stage="running", now=run_name(self._bench, side, number)))

    def ran(self, run: LabRun) -> None:
        """A run has ended."""
        self._ran.append(run)
        if run.done and not self._columns:
            self._columns = columns_of(run.figures)
        self._named.append(run_row(run, run_name(self._bench, run.side, run.number), self._columns))
        picture = self.picture()._replace(
            headings=tuple(map(heading, self._columns)), rows=tuple(self._named)
        )
        self.put(self._judged(picture, over=False))

    def finished(self) -> None:
        """All runs have been made."""
        self.put(self._judged(self.picture(), over=True))

    def _judged(self, picture: LabPicture, *, over: bool) -> LabPicture:
        bench = self._bench
        n = len(bench.new.done)
        if not n:
            return picture._replace(words=self._next())
        looks = LOOKS if bench.plan.runs is None else ((bench.plan.runs, 1.0),)
        share = next((share for until, share in looks if n <= until), looks[-1][1])
        found = bench.answer(share)
        broken = [line.text() for line in checked(self._bounds, found) if line.outcome == "FAIL"]
        told = [*broken, *changes_told(found.rows)]
        if not told and found.verdict is not None:
            told.append("no judged figure has changed by more than its threshold")
        if not told:
            told.append(", ".join(_spread_words(found)[:4]))
        word = found.verdict
        told[0] = told[0].removeprefix(f"{word}: ")  # the card begins with it
        told.append(ended_text(bench) if over else self._next())
        return picture._replace(
            figures=self._figures(found),
            verdict="budget broken" if broken else word or "",
            words=" · ".join(each for each in told if each),
            tone="bad" if broken else "good" if word == "ok" else TONES[word],
        )

    def _next(self) -> str:
        """Say how far the next look is."""
        bench = self._bench
        made = len(bench.new.runs)
        until = next_look(bench, made + 1)
        took = [run.times.whole_s for run in self._ran]
        if not took:
            return "the first run of each side fills the caches and counts nowhere"
        left_s = sum(took) / len(took) * max(until - made, 0) * len(bench.sides)
        a_side = " a side" if len(bench.sides) > 1 else ""
        last = bench.plan.runs is not None or until == LOOKS[-1][0]
        what = "the end" if last else "the next look"
        return f"{what} after {until} runs{a_side}, in about {format_seconds(left_s)}"

    def _figures(self, found: BenchAnswer) -> tuple[FigureLanes, ...]:
        order = {key: at for at, key in enumerate(SHORT)}
        rows = [row for row in found.rows if row.threshold is not None]
        rows.sort(key=lambda row: order.get(row.key, len(order)))
        return tuple(self._lanes(row) for row in rows)

    def _lanes(self, row: BenchRow) -> FigureLanes:
        lanes = []
        unit = row.figure.unit
        if row.base:
            marks = self._marks("base", row.key) or tuple((_STORED, value) for value in row.base)
            middle = row.base_median or 0.0
            lanes.append(Lane("base", marks, amount_text(middle, unit), middle, None))
        lanes.append(
            Lane(
                "new" if row.base else "",
                self._marks("new", row.key),
                amount_text(row.new_median, unit),
                row.new_median,
                row.spread,
                change_said(row) if row.base else spread_said(row.spread, row.new_median),
                within_said(row) if row.base else "",
                TONES[row.verdict],
            )
        )
        return FigureLanes(
            row.figure.label,
            heading(row.key),
            INKS[unit],
            tuple(lanes),
            unit,
            bound_of(row),
            LOUD.get(row.verdict, 0),
        )

    def _marks(self, side: SideName, key: str) -> tuple[tuple[int, float], ...]:
        return tuple(
            (at, run.figures[key].value)
            for at, run in enumerate(self._ran)
            if run.done and run.number and run.side == side and key in run.figures
        )


def run_row(run: LabRun, name: str, columns: Sequence[str]) -> RunRow:
    """Return a run's row of the table."""
    told = tuple(cells(run.figures, columns)) if run.done else ()
    return RunRow(name, told, run.why, run.recording, quiet=run.number == 0)


def change_said(row: BenchRow) -> str:
    """Write a verdict with its change: "regressed +18 %"."""
    return f"{row.verdict or ''} {percent_text(row.ratio)}".strip()


def within_said(row: BenchRow) -> str:
    """Write the interval of a change: "+12 to +24 %"."""
    if row.change is None:
        return ""
    low, high = (percent_text(end) for end in row.change.interval)
    return f"{low.removesuffix(' %')} to {high}"


def changes_told(rows: Sequence[BenchRow]) -> list[str]:
    """Say what changed in a few words, by verdict, the worst first: the figures tell the rest."""
    told = []
    for word in LOUD:
        same = [row for row in rows if row.verdict == word and row.threshold is not None]
        if same:
            each = ", ".join(f"{row.figure.label} {percent_text(row.ratio)}" for row in same)
            told.append(f"{word}: {each}")
    return told


def spread_said(spread: Interval | None, middle: float) -> str:
    """Write how sure a middle is: "±2.1 %"."""
    if spread is None or not middle:
        return ""
    return f"±{percent_text((spread.high - spread.low) / 2 / abs(middle)).removeprefix('+')}"


def bound_of(row: BenchRow) -> float | None:
    """Return from which value on the new side is judged to be worse."""
    base = row.base_median
    if base is None or row.threshold is None:
        return None
    reach = max(row.threshold * abs(base), row.figure.least)
    return base - reach if row.figure.better == "higher" else base + reach


def _spread_words(found: BenchAnswer) -> list[str]:
    return [
        f"{row.figure.label} {amount_text(row.new_median, row.figure.unit)} "
        f"{spread_said(row.spread, row.new_median)}"
        for row in found.rows
        if row.threshold is not None
    ]
