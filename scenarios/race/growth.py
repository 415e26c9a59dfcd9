"""How the costs of the two sides grow: each run again, smaller, in fresh processes.

Peaks of RSS repeat within a per cent or two however busy the machine is, so where memory is the
question the two sides run their small pieces at the same time; times are taken one by one.
"""

from __future__ import annotations

from math import log10
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import format_bytes, format_seconds
from perftui.scenarios.data.orders import PARTS
from perftui.scenarios.race.figures import MEASURES
from perftui.scenarios.sweep.growth_law import CONSTANT_BELOW, Law, fitted_slope, growth_law
from perftui.scenarios.sweep.sweep import MEMORY_FLOOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.race.pairs import MeasureKey, Pair

SHARES = (1 / 8, 1 / 4)
"""Of the work of the race."""
ROUNDS = 2
_SURE = 0.3
"""Half the interval of a line's slope, by the slope: above that the line is not known."""
_REPEATS = 0.05
"""Root mean square by which costs of the same run differ."""
_NEAR = 1.15
"""Two costs this near to each other are told as one."""
TIMES = 10
"""What people ask: ten times the data."""
_WORDS: dict[MeasureKey, str] = {
    "peak": "peak memory",
    "total": "time",
    "warm_call": "time per {call}",
}


class CostLine(NamedTuple):
    """cost = fixed + per_row * rows: a program that needs something even for nothing."""

    fixed: float
    per_row: float
    low: float
    high: float
    """95 % interval of `per_row`."""


class Growth(NamedTuple):
    """How one cost of one side grows."""

    what: str
    """The cost in words: "peak memory"."""
    points: tuple[tuple[float, float], ...]
    """(share of the work, cost)."""
    law: Law
    """cost ~ n^exponent."""
    line: CostLine | None
    """The straight line, where that lies closer to what was measured than the law."""
    verdict: str
    """constant, less than linear, linear, worse than linear, cannot tell."""
    ten_times: tuple[float, float] | None
    """What ten times the work would cost if it goes on like this, at least and at most; None if
    it cannot be told."""


def smaller_params(pair: Pair, work: int, share: float) -> list[str]:
    """NAME=VALUE for a run with a share of the work, of files or rows."""
    if pair.smaller == "parts":
        return [f"parts={round(PARTS * share)}"]
    return [f"{pair.work}={max(round(work * share), 1)}"]


def growth_of(
    pair: Pair, points: Sequence[tuple[float, float]], rows: float, *, contended: bool = False
) -> Growth:
    """Fit the growth of a side's cost.

    A power of n has no room for a fixed part: a list of 40 bytes a row on top of 80 MB of buffers
    would look like the square root. A straight line has no room for what saturates. So what the
    power calls constant stays so, and of anything else the line is told if it lies as close to
    the points as costs repeat, or closer than the power.

    Args:
        pair: What is measured.
        points: (share of the work, cost), the race itself among them.
        rows: In the race.
        contended: In one of the runs it waited for a core: its times say nothing.
    """
    law = growth_law(points, floor=MEMORY_FLOOR_BYTES if pair.grows == "peak" else 0.0)
    what = _WORDS[pair.grows].format(call=pair.call)
    if contended and pair.grows != "peak":
        busy = "cannot tell, because the machine was busy: run it again when it is quiet"
        law = Law("cannot tell", busy, None, None)
    slope = law.decisive
    if slope is None:
        return Growth(what, tuple(points), law, None, law.verdict, None)
    whole = fmean(cost for share, cost in points if share == 1)
    line = None if law.verdict == "constant" else _line_through(points, law, rows)
    if line is not None:
        cost = line.fixed + line.per_row * rows * TIMES
        verdict = "constant" if log10(cost / whole) < CONSTANT_BELOW else "linear"
        return Growth(what, tuple(points), law, line, verdict, (cost, cost))
    if law.verdict == "cannot tell":
        return Growth(what, tuple(points), law, None, law.verdict, None)
    # As the law goes on, and as the straight line through the two largest sizes does.
    as_law = whole * TIMES ** max(slope.exponent, 0.0)
    share = max(share for share, _ in points if share < 1)
    before = fmean(cost for each, cost in points if each == share)
    as_line = whole + (TIMES - 1) * max(whole - before, 0.0) / (1 - share)
    between = (min(as_law, as_line), max(as_law, as_line))
    return Growth(what, tuple(points), law, None, law.verdict, between)


def _line_through(points: Sequence[tuple[float, float]], law: Law, rows: float) -> CostLine | None:
    """The straight line, if it is sure, has a fixed part, and fits."""
    slope = fitted_slope(points)
    if slope is None or law.overall is None or rows <= 0:
        return None
    middle, height = fmean(x for x, _ in points), fmean(y for _, y in points)
    fixed = height - slope.exponent * middle
    sure = slope.exponent > 0 and slope.high - slope.exponent < _SURE * slope.exponent
    if not sure or fixed <= 0:
        return None
    exponent = law.overall.exponent
    scale = fmean(log10(cost) - exponent * log10(share) for share, cost in points)
    off_line = sum((cost / (fixed + slope.exponent * share) - 1) ** 2 for share, cost in points)
    off_law = sum((cost / (10**scale * share**exponent) - 1) ** 2 for share, cost in points)
    if off_law <= off_line and off_line > _REPEATS**2 * len(points):
        return None
    return CostLine(fixed, slope.exponent / rows, slope.low / rows, slope.high / rows)


def growth_text(pair: Pair, growth: Growth) -> str:
    """One line: "peak memory ~ n^0.06 [0.01, 0.11]  constant: 10x the data needs about 280 MB"."""
    law, line = growth_words(pair, growth)
    ten = ten_times_text(pair, growth)
    return f"{law}  {line}: {ten}" if ten else f"{law}  {line}"


def growth_words(pair: Pair, growth: Growth) -> tuple[str, str]:
    """The law with its interval, and the verdict: ("peak memory ~ n^0.06 [..]", "constant")."""
    slope, line = growth.law.decisive, growth.line
    text = MEASURES[pair.grows].text
    if line is not None:
        fixed = text(line.fixed).lstrip("+")
        per, low, high = (_per_row(pair, value) for value in (line.per_row, line.low, line.high))
        return f"{growth.what} = {fixed} + {per} a row  [{low}, {high}]", growth.verdict
    if slope is None or growth.verdict == "cannot tell":
        return growth.what, growth.law.words
    exponent = f"n^{slope.exponent:.2f}  [{slope.low:.2f}, {slope.high:.2f}]"
    return f"{growth.what} ~ {exponent}", growth.verdict


def _per_row(pair: Pair, value: float) -> str:
    return format_bytes(value) if pair.grows == "peak" else format_seconds(value)


def ten_times_text(pair: Pair, growth: Growth) -> str:
    """Say what ten times the work would take; "" if that is not known."""
    if growth.ten_times is None:
        return ""
    more = "10x the data" if pair.work == "size" else "10x the rows"
    return f"{more} needs {cost_range(pair, growth.ten_times)}"


def cost_range(pair: Pair, costs: tuple[float, float]) -> str:
    """Write what lies between two costs: "about 2.82 GB", or "130 MB to 308 MB"."""
    low, high = (MEASURES[pair.grows].text(cost).lstrip("+") for cost in costs)
    near = costs[1] <= _NEAR * costs[0]
    return f"about {high}" if near else f"{low} to {high}"
