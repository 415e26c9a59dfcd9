"""How long a value stands for itself after it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.derived import POOL_HOLD_NS
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Collection

READING_NS = 3 * NS_PER_S
"""Of a metric: slow ones are read once a second, and a reading may be missed."""
RATE_NS = 1_500_000_000
"""Of a rate, at least; else as long as the first one took."""
PART_NS = 30 * NS_PER_S
"""Of a part of resident memory: large processes are asked seldom (`resident.probe`)."""


_OF_POOLS = (("Arrow", "arrow"), ("DuckDB ", "duckdb "), ("malloc", "malloc"))
"""Parts, by how their names begin, that are known by pools whose names begin so."""


def is_untold(part: str, pools: Collection[str]) -> bool:
    """Tell whether nothing is known of a part that is told as 0: its allocator was not heard.

    Args:
        part: Its name.
        pools: Names of the pools that were told lately.
    """
    for begins, pool in _OF_POOLS:
        if part.startswith(begins) and "used or kept" not in part:
            return not any(name.startswith(pool) for name in pools)
    return False


def hold_ns(name: str, first_took_ns: int = 0) -> int | None:
    """Return how long a value of a metric holds, None if until the next one.

    Args:
        name: As `Reader.metric_names` has it.
        first_took_ns: Of a rate: the time that its first value is the rate of.
    """
    if name.startswith("count:"):
        return None
    if name.startswith("pool:"):
        return POOL_HOLD_NS
    if name.startswith("part:"):
        return PART_NS
    if name.startswith("rate:"):
        return max(RATE_NS, first_took_ns)
    return READING_NS
