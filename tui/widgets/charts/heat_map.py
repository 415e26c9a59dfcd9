"""Activity as levels: one column a period, a second if the axis has a cell for each, and rows are
parts of it. Pure."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture.view import HEAT_PER_S
from perftui.tui.widgets.draw.blocks import hold, nice_top

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.reader import Buckets

LEVELS = 16
"""So few that neighbours are often equal: less is drawn, and the eye sees steps."""
UNKNOWN = -1
_HOLD_BUCKETS = 2
"""Samples come about as often as there are buckets: one that fell beside its bucket is no hole."""
_ROWS = (20, 10, 4, 2)


class HeatMap(NamedTuple):
    """The picture: `levels[column][row]`, 0 to LEVELS - 1 or UNKNOWN."""

    t0_ns: int
    period_ns: int
    """Time of a column."""
    rows: int
    """Parts of it, an even number."""
    top: float
    """Value of the highest level."""
    levels: tuple[tuple[int, ...], ...]

    @property
    def periods(self) -> int:
        """Columns."""
        return len(self.levels)

    @property
    def part_ns(self) -> int:
        """Time of one row."""
        return self.period_ns // self.rows

    def moment(self, column: int, row: int) -> int:
        """Return when a part begins; outside, that of the nearest part."""
        column = min(max(column, 0), max(self.periods - 1, 0))
        row = min(max(row, 0), self.rows - 1)
        return self.t0_ns + column * self.period_ns + row * self.part_ns

    def place(self, t_ns: int) -> tuple[int, int] | None:
        """Return (column, row) of a moment, None outside."""
        column, rest = divmod(t_ns - self.t0_ns, self.period_ns)
        return (column, rest // self.part_ns) if 0 <= column < self.periods else None


def level_of(value: float | None, top: float) -> int:
    """Return the level of a value; something above 0.5 % of the top is never level 0."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    share = min(max(value / top, 0.0), 1.0)
    return 0 if share < 0.005 else max(1, math.ceil(share * (LEVELS - 1) - 1e-9))


def rows_for(lines: int) -> int:
    """Return how many parts of a period fit into so many lines of half blocks."""
    return next((rows for rows in _ROWS if rows // 2 <= lines), 2)


def heat_map(buckets: Buckets, lines: int) -> HeatMap:
    """Make the picture of CPU in HEAT_PER_S buckets a period.

    A row is the mean of what was read in it. Of buckets that are longer than a reading, the
    highest one counts: a burst is not averaged away.

    Args:
        buckets: Whole periods.
        lines: Lines of half blocks there are.
    """
    rows = rows_for(lines)
    periods = max(len(buckets.last) // HEAT_PER_S, 1)
    period_ns = (buckets.t1_ns - buckets.t0_ns) // periods
    values = hold(buckets.last if period_ns <= NS_PER_S else buckets.high, _HOLD_BUCKETS)
    top = nice_top(max([100.0, *(value for value in values if value is not None)]))
    per_row = HEAT_PER_S // rows
    sum_up = _mean if period_ns <= NS_PER_S else _highest
    levels = tuple(
        _column(tuple(values[at : at + HEAT_PER_S]), per_row, top, sum_up)
        for at in range(0, len(buckets.last) // HEAT_PER_S * HEAT_PER_S, HEAT_PER_S)
    )
    return HeatMap(buckets.t0_ns, period_ns, rows, top, levels)


@lru_cache(maxsize=1024)
def _column(
    values: tuple[float | None, ...],
    per_row: int,
    top: float,
    sum_up: Callable[[Sequence[float | None]], float | None],
) -> tuple[int, ...]:
    """Return the levels of a period. What is past does not change from picture to picture."""
    return tuple(
        level_of(sum_up(values[at : at + per_row]), top) for at in range(0, len(values), per_row)
    )


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None


def _highest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
