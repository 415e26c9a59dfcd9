"""Where a moment lies on the screen: times to columns and back."""

from __future__ import annotations

from typing import NamedTuple


class AxisMap(NamedTuple):
    """Times to columns and back. Columns are cells of the whole line, `left` is the first."""

    t0_ns: int
    t1_ns: int
    left: int
    columns: int

    def column(self, t_ns: int) -> int:
        """Return the column of a moment; outside the axis it lies outside the columns."""
        span = max(self.t1_ns - self.t0_ns, 1)
        return self.left + (t_ns - self.t0_ns) * self.columns // span

    def clamped(self, t_ns: int) -> int:
        """Return the nearest column of the axis."""
        return min(max(self.column(t_ns), self.left), self.left + self.columns - 1)

    def time(self, column: float) -> int:
        """Return the moment at the middle of a column, kept within the axis."""
        inside = min(max(column - self.left + 0.5, 0.0), float(self.columns))
        return self.t0_ns + round(inside * (self.t1_ns - self.t0_ns) / max(self.columns, 1))

    def edge(self, column: int) -> int:
        """Return the moment at which a column begins, kept within the axis."""
        inside = min(max(column - self.left, 0), self.columns)
        return self.t0_ns + inside * (self.t1_ns - self.t0_ns) // max(self.columns, 1)

    @property
    def step_ns(self) -> int:
        """Time of one column."""
        return max((self.t1_ns - self.t0_ns) // max(self.columns, 1), 1)
