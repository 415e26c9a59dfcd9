"""The tables that are computed from the others when a segment is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.format.columns import PID, TID, TableSpec
from perftui.probes.recording.format.columns import real as _f
from perftui.probes.recording.format.columns import text as _s
from perftui.probes.recording.format.columns import truth as _b
from perftui.probes.recording.format.columns import whole as _i

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.recording.format.columns import ColumnSpec

MANIFEST = "segments"

_SERIES = (
    PID,
    _s("name", "a column of metrics, count:NAME, rate:NAME (1/s), pool:NAME or part:NAME (B)"),
    _i("t_ns", "start of the step"),
    _f("low"),
    _f("high"),
    _f("last"),
)


def rollup_tables(stack_amounts: Iterable[ColumnSpec]) -> tuple[TableSpec, ...]:
    """Return them.

    Args:
        stack_amounts: Columns of stacks that are summed over a segment, beside wall and CPU time.
    """
    return (
        TableSpec("series_1s", "metrics per second", _SERIES, time="t_ns", merged=False),
        TableSpec("series_30s", "metrics per 30 s", (_i("segment"), *_SERIES), time="t_ns"),
        TableSpec(
            "stack_sums",
            "stack time per thread and leaf node, summed over the segment",
            (
                PID,
                TID,
                _i("node"),
                _i("wall_ns"),
                _i("cpu_ns"),
                _i("grown_bytes"),
                _i("torn_ns"),
                *stack_amounts,
            ),
        ),
        TableSpec(
            "thread_sums",
            "first and last reading of each thread in a segment",
            (
                _i("segment"),
                PID,
                TID,
                _s("name", nullable=True),
                _s("state", nullable=True),
                _i("first_t_ns", nullable=True),
                _f("first_cpu_s", nullable=True),
                _i("last_t_ns", nullable=True),
                _f("last_cpu_s", nullable=True),
                _f("first_run_wait_s", nullable=True),
                _f("last_run_wait_s", nullable=True),
                _i("latest_node", nullable=True),
            ),
        ),
        TableSpec(
            "call_sums",
            "timed calls per name in a segment",
            (
                _i("segment"),
                _s("name"),
                _i("calls"),
                _i("failed"),
                _i("t_ns", "of the first"),
                PID,
                TID,
                _i("n"),
                _i("duration_ns"),
                _b("ok"),
                _i("last_t_ns"),
            ),
        ),
        TableSpec(
            "count_sums",
            "counters per process in a segment",
            (
                _i("segment"),
                _s("name"),
                PID,
                _i("first_t_ns"),
                _i("last_t_ns"),
                _f("last_total"),
            ),
        ),
        TableSpec(
            MANIFEST,
            "the manifest: which tables a segment has, and from when to when",
            (
                _i("segment"),
                _s("table"),
                _i("rows"),
                _i("t0_ns", nullable=True),
                _i("t1_ns", nullable=True),
            ),
        ),
    )
