"""What happens in a made-up session: its figures over time, its phases, stacks and words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.records import Alert

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.records import Notice

    Frame = tuple[str, str, int]
    Leaves = tuple[tuple[tuple[Frame, ...], float], ...]
    """Paths of frames, outermost first, each with its share of the thread's time."""

S = 1_000_000_000
T0 = 1_000 * S
MB = 1e6
PID = 48_213
CHILD = PID + 90
FIRST_ROW_S = 6.42
FIRST_CALL_NS = 412_000_000
"""How long the call took that gave the first row."""
PHASES = (("import", 0.6, 3.1), ("setup", 3.1, 5.7), ("first", 5.7, 9.9), ("read", 9.9, None))
ONSET_S = 10.1
ONSET = T0 + round(ONSET_S * S)
ALERT = Alert(
    "streaming_violation",
    "critical",
    ONSET,
    T0 + 12 * S,
    None,
    "RSS +112 MB/s for 8 s, r=0.99 with rows read: looks like collect()",
    "no plateau, no release",
)
STACK = (
    ("<module>", "/app/stream_vs_collect.py", 88),
    ("run_collect", "/app/scenarios/streaming.py", 41),
    ("fetch_all", "/app/examples/query.py", 41),
    ("to_arrow_table", "/usr/lib/python3.12/site-packages/duckdb/__init__.py", 12),
    ("Table.from_batches", "/usr/lib/python3.12/site-packages/pyarrow/table.py", 4112),
    ("concat_tables", "/usr/lib/python3.12/site-packages/pyarrow/table.py", 5210),
)
SHARES = (0.01, 0.02, 0.04, 0.42, 0.2, 0.31)
"""How the main thread's time is shared out over `STACK`, from the outermost frame."""


def wobble(t_s: float, *seeds: float) -> float:
    """A smooth figure in -1..1 that looks measured."""
    return sum(math.sin(t_s * seed + seed) for seed in seeds) / max(len(seeds), 1)


def rss(t_s: float) -> float:
    """Import ramp, plateau, then the growth of collect()."""
    if t_s < 3.1:
        return (28 + 60 * t_s / 3.1 + 6 * wobble(t_s, 3.1, 7.7)) * MB
    if t_s < 5.7:
        return (88 + 70 * (t_s - 3.1) / 2.6 + 4 * wobble(t_s, 9.1)) * MB
    if t_s < 9.9:
        return (158 + 92 * min((t_s - 5.7) / 1.6, 1) + 3 * wobble(t_s, 2.2)) * MB
    return (250 + 112 * min(t_s - 9.9, 40) + 14 * wobble(t_s, 5.0, 1.3)) * MB


def cpu(t_s: float) -> float:
    """One core while importing, then nearly two; percent of one."""
    if t_s < 3.1:
        return 97 + 3 * wobble(t_s, 11.0, 23.0)
    if t_s < 5.7:
        return 140 + 25 * wobble(t_s, 6.0, 17.0)
    if t_s < 6.6:
        return 84 + 12 * wobble(t_s, 19.0)
    return 164 + 18 * wobble(t_s, 0.9, 13.0, 29.0)


def collecting(_t_s: float) -> Leaves:
    """One deep stack, most of it in the engine."""
    return tuple((STACK[: depth + 1], share) for depth, share in enumerate(SHARES))


class Plot(NamedTuple):
    """What a session has in it; the rest is as the functions above have it."""

    title: str = "stream-vs-collect mode=collect engine=duckdb size=700MB"
    measured: bool = True
    """False: nobody has read a metric or a stack yet."""
    pools: bool = False
    alert: bool = False
    planned: bool = True
    """A plan of a query, and a task of asyncio."""
    has_child: bool = True
    keeps_process: bool = False
    """A cold run and a warm one are over."""
    thread_names: tuple[str, ...] = ("MainThread", "duckdb-scan", "ArrowIO")
    """At most three; only the first is Python's."""
    phase_names: tuple[str, ...] = tuple(name for name, _, _ in PHASES)
    log_texts: tuple[str, ...] = ("loading 700 MB", "first batch after 6.42 s")
    """A line a second."""
    notices: tuple[Notice, ...] = ()
    leaves: Callable[[float], Leaves] = collecting
    """The stacks of the main thread in the tenth of a second that begins then."""


COLLECT = Plot()
