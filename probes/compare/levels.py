"""Where a sequence of numbers changes its level: cut into pieces that are each of one level.

By exact dynamic programming (optimal partitioning: Jackson et al., "An algorithm for optimal
partitioning of data on an interval", IEEE Signal Processing Letters 12, 2005): the cuts that leave
the least squares about the means of the pieces, with a penalty for each. Its time is quadratic,
which for hundreds of numbers is fast enough.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PENALTY = 4.0
"""Per cut, times log n times the noise: well above the 2 of a Gaussian sequence, since times have
bursts."""
_CLIP = 4.0
"""Times the noise: what is further from its neighbours counts as that. One value that was disturbed
is no level."""


def cuts(values: Sequence[float], least: int) -> list[int]:
    """Return where the pieces begin, the first at 0.

    Args:
        values: Logarithms, so that the noise is alike at all levels.
        least: So many values make a piece at least.
    """
    n = len(values)
    if n < 2:
        return [0] if n else []
    steps = sorted(abs(one - other) for one, other in zip(values[1:], values, strict=False))
    noise = max(median(steps) / 0.954, 1e-6)  # of the difference of two normal values
    penalty = PENALTY * math.log(n) * noise * noise
    reach = _CLIP * noise
    clipped = [
        min(max(value, near - reach), near + reach)
        for value, near in zip(values, _running_medians(values), strict=True)
    ]
    sums, squares = [0.0], [0.0]
    for value in clipped:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)
    best, before = [0.0] * (n + 1), [0] * (n + 1)
    for end in range(1, n + 1):
        best[end] = math.inf
        for begin in range(end - least, -1, -1):
            if 0 < begin < least:
                continue
            total = sums[end] - sums[begin]
            rest = squares[end] - squares[begin] - total * total / (end - begin)
            cost = rest + (best[begin] + penalty if begin else 0.0)
            if cost < best[end]:
                best[end], before[end] = cost, begin
    begins, end = [], n
    while end > 0:
        end = before[end]
        begins.append(end)
    return begins[::-1]


def _running_medians(values: Sequence[float]) -> list[float]:
    return [median(values[max(at - 2, 0) : at + 3]) for at in range(len(values))]
