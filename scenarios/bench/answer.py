"""What the series of a bench say: each figure with its spread, and against a base a verdict.

Against runs in turns the change is that of the pairs. Against a stored baseline it is that of two
groups of runs at different times, which a drift of the machine can feign: a time regresses only if
its whole interval is beyond the threshold, and each run carries how long a fixed loop took beside
it: where that has changed, times are judged with less trust still.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.figures import percent_text
from perftui.probes.compare.ratios import (
    alarm_level,
    judged,
    of_groups,
    of_pairs,
    of_ranks,
    spread_of,
)
from perftui.scenarios.bench.reference import REFERENCE, REFERENCE_CPU, REFERENCE_WAIT
from perftui.scenarios.bench.series import paired_values, pairs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.compare.confidence import Interval, Verdict
    from perftui.probes.compare.facts import Figure
    from perftui.probes.compare.ratios import SeriesChange
    from perftui.scenarios.bench.gate import Gate
    from perftui.scenarios.bench.series import LabSeries

Word = Literal["regressed", "suspect", "ok", "improved", "inconclusive", "moved"]

_MOVED_MODULES = 5
"""More modules than that inside the first call, and an import that got faster has moved."""
_WORST_FIRST: tuple[Word, ...] = ("regressed", "inconclusive", "suspect", "improved", "ok")
_TAIL_OF_STATES = ("slowdown", "no steady state")
_OF_A_CLOCK = ("s", "/s")
"""Units of what a busy hour changes."""
_BUSIER = 1.25
"""A machine whose fixed loop waits so many times as much for a core, or as little, is another one:
with less than that none of 600 comparisons of a program with itself was a false alarm."""
_EXPLAINS = 2.0
"""What a change of the machine's speed may explain, as a multiple of the fixed loop's own change:
code that waits for memory changes more than a loop in the cache."""


class Stored(NamedTuple):
    """A stored baseline, as far as it is compared."""

    name: str
    runs: Mapping[str, Sequence[float]]
    floors: Mapping[str, float]
    """Noise of a figure on this machine, calibrated: half an interval, as a part."""
    single: bool
    """One number per figure: then no change is certain."""


class BenchRow(NamedTuple):
    """One figure."""

    key: str
    figure: Figure
    """Of one run: label, unit, which way is good."""
    threshold: float | None
    """Judged from this change on (a part of the base); None: only shown."""
    base: tuple[float, ...]
    new: tuple[float, ...]
    spread: Interval | None
    """Where the middle of the new side lies with 95 %."""
    change: SeriesChange | None
    verdict: Word | None
    note: str = ""
    floor: float = 0.0
    """Calibrated noise: below twice this nothing is an alarm."""

    @property
    def new_median(self) -> float:
        """Of the new side."""
        return median(self.new)

    @property
    def base_median(self) -> float | None:
        """Of the base."""
        return median(self.base) if self.base else None

    @property
    def ratio(self) -> float | None:
        """The change, also where one run says nothing about noise."""
        if self.change is not None:
            return self.change.ratio
        base = self.base_median
        return self.new_median / base - 1 if base else None


class BenchAnswer(NamedTuple):
    """See the module."""

    rows: tuple[BenchRow, ...]
    verdict: Word | None
    """The worst of the judged figures; None without a base."""
    reasons: tuple[str, ...]
    clear: bool
    """More runs would not change it, or need not."""
    level: float
    """Chance of error of the intervals that alarms go by."""

    def row(self, key: str) -> BenchRow | None:
        """Return a figure's row."""
        return next((row for row in self.rows if row.key == key), None)


def answer(
    new: LabSeries,
    base: LabSeries | None,
    against: Stored | None,
    gate: Gate,
    share: float = 1.0,
    floors: Mapping[str, float] | None = None,
) -> BenchAnswer:
    """Return what the series say.

    Args:
        new: The runs.
        base: Runs that were made in turns with them.
        against: Or a stored baseline.
        gate: What is judged.
        share: Of all chance of a false alarm that this look may take.
        floors: Noise of this machine by figure, calibrated; a baseline has its own.
    """
    known = new.known()
    level = alarm_level(len(gate.judged(known)), share)
    known_floors = (against.floors if against is not None else floors) or {}
    pairs = [] if base is None else pairs_of(base, new)
    drift = _Drift(new, against)
    rows = []
    for key, figure in known.items():
        if base is not None:
            before, after = paired_values(pairs, key)
            change = of_pairs(before, after, level)
            after = after or new.values(key)
        else:
            before = list(against.runs.get(key, ())) if against is not None else []
            after = new.values(key)
            between = of_groups if figure.unit in _OF_A_CLOCK else of_ranks
            change = between(before, after, level) if before else None
        threshold = gate.threshold(key, figure)
        row = BenchRow(
            key, figure, threshold, tuple(before), tuple(after), spread_of(after), change, None
        )
        if threshold is not None and before:
            row = _judged(row, threshold, known_floors.get(key, 0.0))
            if key == "warm_call":
                row = _unsteady(row, new)
            if against is not None:
                row = drift.less_sure(_far_enough(row))
        rows.append(row)
    rows = _moved(rows)
    compared = base is not None or against is not None
    verdict = _worst(rows) if compared else None
    return BenchAnswer(
        tuple(rows),
        verdict,
        tuple(_reasons(rows, drift)),
        _clear(rows, verdict) if compared else _steady_enough(rows),
        level,
    )


def _judged(row: BenchRow, threshold: float, floor: float) -> BenchRow:
    base, row = row.base_median or 0.0, row._replace(floor=floor)
    # Of 15 ms a tenth is nothing that a clock and a scheduler could tell.
    effective = max(threshold, row.figure.least / base if base > 0 else 0.0)
    verdict: Verdict | None = judged(row.change, effective, row.figure.better, floor)
    if verdict is not None:
        return row._replace(verdict=verdict)
    ratio = row.ratio
    if ratio is None:  # the base is 0: what is there now is new
        beyond = row.new_median > row.figure.least and row.figure.better == "lower"
        return row._replace(verdict="suspect" if beyond else "ok", note="the base is 0")
    worse = -ratio if row.figure.better == "higher" else ratio
    few = "one run" if min(len(row.base), len(row.new)) == 1 else "too few runs"
    word: Word = "suspect" if worse > effective else "inconclusive"
    return row._replace(verdict=word, note=f"{few}: cannot separate noise from change")


def _far_enough(row: BenchRow) -> BenchRow:
    """Of times at two different times the whole interval must be beyond the threshold: busy
    minutes lie within neither group's spread, and shift all of one."""
    change, threshold = row.change, row.threshold
    if change is None or threshold is None or row.figure.unit not in _OF_A_CLOCK:
        return row
    if row.verdict in ("regressed", "improved") and not _is_beyond(row, threshold):
        word: Word = "suspect" if row.verdict == "regressed" else "ok"
        return row._replace(verdict=word, note="measured at another time")
    return row


def _is_beyond(row: BenchRow, part: float) -> bool:
    """Tell whether the whole interval of a change is larger than a part of the base."""
    if row.change is None:
        return False
    low, high = row.change.alarm
    return low > part or high < -part


def _unsteady(row: BenchRow, new: LabSeries) -> BenchRow:
    """Of calls without a steady state no middle is judged."""
    states = [run.steady.state for run in new.done]
    bad = [state for state in states if state in _TAIL_OF_STATES]
    if len(bad) * 2 <= len(states):
        return row
    word = max(set(bad), key=bad.count)
    return row._replace(verdict="inconclusive", note=f"{word} in {len(bad)} of {len(states)} runs")


class _Drift:
    """How the machine itself has changed since a baseline was made: its speed, and how busy."""

    def __init__(self, new: LabSeries, against: Stored | None) -> None:
        self._wall: float | None = None
        self._cpu: float | None = None
        self._wait: float | None = None
        self.told: list[str] = []
        if against is not None:
            self._wall = _ratio(against.runs.get(REFERENCE, ()), new.values(REFERENCE))
            self._cpu = _ratio(against.runs.get(REFERENCE_CPU, ()), new.values(REFERENCE_CPU))
            self._wait = _ratio(against.runs.get(REFERENCE_WAIT, ()), new.values(REFERENCE_WAIT))

    def less_sure(self, row: BenchRow) -> BenchRow:
        """Take back what another state of the machine may have feigned."""
        if row.figure.unit not in _OF_A_CLOCK or row.threshold is None:
            return row
        ratio = self._cpu if row.key.endswith("cpu") else self._wall
        wait = None if self._wait is None else max(1 + self._wait, 1 / (1 + self._wait))
        if wait is None or wait > _BUSIER:
            note = "the machine is not as busy as it was"
            note = "how busy the machine was is not known" if wait is None else note
        elif ratio is not None and abs(ratio) > row.threshold / 2:
            if _is_beyond(row, row.threshold + _EXPLAINS * abs(ratio)):
                return row
            note = "the machine's own speed has changed"
        else:
            return row
        word: Word | None = row.verdict
        if word in ("regressed", "improved"):
            word = "suspect" if word == "regressed" else "inconclusive"
        elif word == "ok":
            word = "inconclusive"
        if word == row.verdict:
            return row
        told = self._words(wait, ratio)
        self.told += [told] if told not in self.told else []
        return row._replace(verdict=word, note=note)

    def _words(self, wait: float | None, ratio: float | None) -> str:
        if wait is not None and wait <= _BUSIER:
            return (
                f"a fixed loop beside the runs takes {percent_text(ratio)} against when the "
                "baseline was made: the machine has changed, so times are not sure"
            )
        if self._wait is None:
            return (
                "the baseline does not tell how busy the machine was when it was made, so times "
                "are not sure"
            )
        busier = "longer" if self._wait > 0 else "less long"
        return (
            f"a fixed loop beside the runs waits {busier} for a core than when the baseline was "
            f"made ({percent_text(self._wait)}): CPU times change with that too, so times are not "
            "sure"
        )


def _ratio(base: Sequence[float], new: Sequence[float]) -> float | None:
    return median(new) / median(base) - 1 if base and new and median(base) > 0 else None


def _moved(rows: list[BenchRow]) -> list[BenchRow]:
    """Say of an import that it was moved, where the first call now does what it did."""
    by_key = {row.key: row for row in rows}
    imports, modules = by_key.get("imports"), by_key.get("first_modules")
    if imports is None or modules is None or not modules.base or imports.threshold is None:
        return rows
    ratio = imports.ratio
    if ratio is None or ratio > -imports.threshold:
        return rows
    more = modules.new_median - (modules.base_median or 0.0)
    whole = by_key.get("cold_start")
    if more < _MOVED_MODULES or (whole is not None and whole.verdict == "improved"):
        return rows
    note = f"moved, not removed: the first call imports {more:.0f} more modules"
    return [row._replace(verdict="moved", note=note) if row is imports else row for row in rows]


def _worst(rows: Sequence[BenchRow]) -> Word:
    words = {row.verdict for row in rows if row.threshold is not None}
    return next((word for word in _WORST_FIRST if word in words), "inconclusive")


def _reasons(rows: Sequence[BenchRow], drift: _Drift) -> list[str]:
    order: dict[Word | None, int] = {word: at for at, word in enumerate(_WORST_FIRST)}
    told = [
        row
        for row in sorted(rows, key=lambda row: order.get(row.verdict, 9))
        if row.verdict not in (None, "ok") and row.threshold is not None
    ]
    reasons = []
    for row in told:
        note = f" ({row.note})" if row.note else ""
        reasons.append(f"{row.figure.label} {row.verdict}: {change_words(row)}{note}")
    by_key = {row.key: row for row in rows}
    duration, cpu = by_key.get("duration"), by_key.get("cpu")
    if duration and cpu and duration.verdict == "regressed" and cpu.verdict == "ok":
        reasons.append("the duration rose and the CPU did not: it waited, the machine or I/O")
    reasons += drift.told
    return reasons


def change_words(row: BenchRow) -> str:
    """Write a change with its interval and threshold: +8.1 % (5.2 to 11 %; threshold 10 %)."""
    text = percent_text(row.ratio) or "no change known"
    inside = []
    if row.change is not None:
        low, high = (percent_text(end) for end in row.change.interval)
        inside.append(f"95 %: {low} to {high}")
    if row.threshold is not None:
        inside.append(f"threshold {row.threshold * 100:g} %")
    return f"{text} ({'; '.join(inside)})" if inside else text


def _clear(rows: Sequence[BenchRow], verdict: Word | None) -> bool:
    """An alarm is an alarm; else every judged figure must have come to an end."""
    if verdict == "regressed":
        return True
    return not any(row.verdict in ("suspect", "inconclusive") for row in rows)


def _steady_enough(rows: Sequence[BenchRow]) -> bool:
    for row in rows:
        if row.threshold is None:
            continue
        if row.spread is None:
            return False
        half = (row.spread.high - row.spread.low) / 2
        if half > max(row.threshold * abs(row.new_median), row.figure.least):
            return False
    return True
