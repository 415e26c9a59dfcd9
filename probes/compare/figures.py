"""One figure of both sides: base, new, change, and what may be said about it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.confidence import Interval, Verdict, between_runs, verdict_of
from perftui.probes.text.units import format_bytes, format_count, format_seconds, three_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.compare.facts import Better, Figure, RunFacts, Unit

Direction = Literal["better", "worse", "neutral", "none"]

THRESHOLD: dict[str, float] = {"s": 0.10, "B": 0.10, "/s": 0.05, "%": 0.10, "": 0.10}
"""From which relative change on a verdict is given, by unit."""
_LEAST_PART: dict[str, float] = {"s": 0.05, "B": 0.02, "/s": 0.05, "%": 0.5, "": 0.05}
"""Which part of the base counts as a change at all, by unit."""
MINUS = "−"


class FigureChange(NamedTuple):
    """See the module."""

    key: str
    label: str
    unit: Unit
    better: Better
    least: float
    """A difference of less than this says nothing."""
    base_runs: tuple[float, ...]
    """Of every run that has it."""
    new_runs: tuple[float, ...]
    interval: Interval | None
    """95 % of the change of the medians, in the figure's unit; None with too few runs."""

    @property
    def base(self) -> float | None:
        """Median of the base."""
        return median(self.base_runs) if self.base_runs else None

    @property
    def new(self) -> float | None:
        """Median of the new side."""
        return median(self.new_runs) if self.new_runs else None

    @property
    def change(self) -> float | None:
        """New less base, None unless both are known."""
        base, new = self.base, self.new
        return None if base is None or new is None else new - base

    @property
    def ratio(self) -> float | None:
        """Change as a part of the base; None if that is 0 or not known."""
        change, base = self.change, self.base
        return None if change is None or not base else change / abs(base)

    @property
    def relative_interval(self) -> Interval | None:
        """The interval as a part of the base."""
        base = self.base
        if self.interval is None or not base:
            return None
        return Interval(self.interval.low / abs(base), self.interval.high / abs(base))

    @property
    def is_change(self) -> bool:
        """Whether the figures differ by enough to be worth a line."""
        change = self.change
        if change is None:
            return True
        part = 0.0 if self.unit == "" and self.better == "neither" else _LEAST_PART[self.unit]
        return abs(change) > max(self.least, part * abs(self.base or 0.0))

    @property
    def direction(self) -> Direction:
        """Whether the new side is better or worse, as far as the figure has a good side."""
        change = self.change
        if change is None or not self.is_change:
            return "none"
        if self.better == "neither":
            return "neutral"
        return "worse" if (change > 0) == (self.better == "lower") else "better"

    @property
    def threshold(self) -> float:
        """From which relative change on a verdict is given."""
        return THRESHOLD[self.unit]

    def verdict(self, threshold: float | None = None) -> Verdict | None:
        """Judge the change against a threshold; None without an interval or a good side."""
        ratio, interval = self.ratio, self.relative_interval
        if ratio is None or self.better == "neither":
            return None
        if self.better == "higher":
            ratio = -ratio
            interval = None if interval is None else Interval(-interval.high, -interval.low)
        return verdict_of(ratio, interval, self.threshold if threshold is None else threshold)


def figure_changes(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[FigureChange]:
    """Put the figures of both sides side by side, in the order in which runs name them."""
    keys: dict[str, Figure] = {}
    for run in (*base, *new):
        for key, figure in run.figures.items():
            keys.setdefault(key, figure)
    changes = []
    for key, figure in keys.items():
        before, after = _values(base, key), _values(new, key)
        changes.append(
            FigureChange(
                key,
                figure.label,
                figure.unit,
                figure.better,
                figure.least,
                before,
                after,
                between_runs(before, after),
            )
        )
    return changes


def _values(runs: Iterable[RunFacts], key: str) -> tuple[float, ...]:
    return tuple(run.figures[key].value for run in runs if key in run.figures)


# -- words -------------------------------------------------------------------------------------


def amount_text(value: float | None, unit: Unit) -> str:
    """Write an amount with its unit; "–" if it is not known."""
    if value is None:
        return "–"
    if unit == "s":
        return format_seconds(value)
    if unit == "B":
        return format_bytes(value)
    if unit == "%":
        return f"{three_digits(value)} %"
    text = format_count(value)
    if unit == "/s":
        return f"{text}/s" if " " in text else f"{text} /s"
    return text


def signed(text: str, value: float) -> str:
    """Put a sign before an amount that was written without one."""
    return f"+{text}" if value > 0 else f"{MINUS}{text}" if value < 0 else f"±{text}"


def change_text(change: FigureChange) -> str:
    """Write the change in the figure's unit, with its sign."""
    value = change.change
    return "" if value is None else signed(amount_text(abs(value), change.unit), value)


def percent_text(ratio: float | None) -> str:
    """Write a relative change: +22.8 %, −3 %, and beyond tenfold as a factor."""
    if ratio is None:
        return ""
    if ratio > 9:
        return f"×{three_digits(ratio + 1)}"
    return signed(f"{_percent(abs(ratio))} %", ratio if abs(ratio) >= 0.0005 else 0)


def _percent(ratio: float) -> str:
    value = ratio * 100
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}"


def points_text(share: float) -> str:
    """Write a change of a share in points of per cent: +12.3."""
    return signed(f"{abs(share) * 100:.1f}", share if abs(share) >= 0.0005 else 0)
