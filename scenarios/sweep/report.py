"""What a sweep found, as text for a terminal and as plain data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.text.units import format_bytes, format_seconds
from perftui.scenarios.say.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.scenarios.sweep.growth_law import Law, Slope
    from perftui.scenarios.sweep.sweep import SizeResult, Sweep

SCHEMA = 1
_BAR = 30


def as_text(sweep: Sweep, *, ascii_only: bool) -> str:
    """Table, chart and verdicts."""
    rows = []
    for size in sweep.sizes:
        trouble = f"{size.outcome}" if size.outcome != "done" else ""
        rows.append(
            (
                size.value,
                f"{size.done} of {size.runs}",
                _or_dash(size.duration_s, format_seconds),
                _or_dash(size.cpu_s, format_seconds),
                _or_dash(size.peak_bytes, lambda value: "+" + format_bytes(value)),
                trouble,
            )
        )
    header = (sweep.parameter, "runs", "time", "CPU", "peak above base", "")
    lines = [*table_lines(header, rows), ""]
    charts: tuple[tuple[str, Callable[[SizeResult], float | None], Callable[[float], str]], ...] = (
        ("time", lambda size: size.duration_s, format_seconds),
        ("memory", lambda size: size.peak_bytes, format_bytes),
    )
    for name, value_of, write in charts:
        lines += _chart(sweep, name, value_of, write, ascii_only=ascii_only)
    lines += [
        f"time    {sweep.time.words}",
        f"CPU     {sweep.cpu.words}",
        f"memory  {sweep.memory.words}",
    ]
    lines += [
        f"{sweep.parameter}={size.value}: {size.outcome}"
        + (" under the limit" if size.outcome == "out of memory" else "")
        + f": {size.why}"
        for size in sweep.sizes
        if size.outcome != "done"
    ]
    if sweep.limit_bytes is not None:
        how = {
            "watch": "RSS of the process tree, sampled",
            "rlimit": "private memory, RLIMIT_DATA",
        }
        limit = f"limit {format_bytes(sweep.limit_bytes)} ({how[sweep.limit_by]})"
        lines.append(f"{limit}: {_under_limit(sweep.sizes)}")
    lines.append(
        f"{sweep.title}: medians of fresh processes, interleaved, one warm-up round not counted"
    )
    return "\n".join(lines)


def _under_limit(sizes: Sequence[SizeResult]) -> str:
    """Which sizes passed, in one sentence."""
    over = [size.value for size in sizes if size.outcome == "out of memory"]
    passed = [size.value for size in sizes if size.outcome == "done"]
    if not over:
        return "every size passes" if len(passed) == len(sizes) else "no size ran out of memory"
    kept = f"passes with {', '.join(passed)}; " if passed else "no size passes; "
    return f"{kept}out of memory with {', '.join(over)}"


def _or_dash(value: float | None, write: Callable[[float], str]) -> str:
    return "-" if value is None else write(value)


def _chart(
    sweep: Sweep,
    name: str,
    value_of: Callable[[SizeResult], float | None],
    write: Callable[[float], str],
    *,
    ascii_only: bool,
) -> list[str]:
    """Bars, each with a mark where the first size, grown in proportion, would be."""
    known = [(size, value_of(size)) for size in sweep.sizes]
    values = [value for _, value in known if value]
    first = next(((size, value) for size, value in known if value), None)
    if first is None or len(values) < 2:
        return []
    full, mark = ("#", "|") if ascii_only else ("█", "│")
    widest = max(len(size.value) for size in sweep.sizes)
    top = max(values)
    lines = [f"{name}; {mark} = in proportion to the first"]
    for size, value in known:
        if value is None:
            lines.append(f"  {size.value.rjust(widest)}  {size.outcome}")
            continue
        cells = [" "] * (_BAR + 1)
        for at in range(round(value / top * _BAR)):
            cells[at] = full
        expected = first[1] * size.n / first[0].n / top
        if expected <= 1.0:
            cells[round(expected * _BAR)] = mark
        lines.append(f"  {size.value.rjust(widest)}  {''.join(cells)} {write(value)}")
    return [*lines, ""]


def as_json(sweep: Sweep) -> dict[str, Any]:
    """Schema 1. Absent knowledge is None."""
    return {
        "schema": SCHEMA,
        "scenario": sweep.title,
        "parameter": sweep.parameter,
        "phase": sweep.phase,
        "limit": None
        if sweep.limit_bytes is None
        else {"bytes": sweep.limit_bytes, "by": sweep.limit_by},
        "runs": [
            {
                "value": run.value,
                "n": run.n,
                "round": run.round,
                "outcome": run.outcome,
                "why": run.why or None,
                "duration_s": run.duration_s,
                "cpu_s": run.cpu_s,
                "base_rss_bytes": run.base_bytes,
                "peak_above_base_bytes": run.peak_bytes,
            }
            for run in sweep.runs
        ],
        "sizes": [
            {
                "value": size.value,
                "n": size.n,
                "done": size.done,
                "outcome": size.outcome,
                "duration_s": size.duration_s,
                "cpu_s": size.cpu_s,
                "peak_above_base_bytes": size.peak_bytes,
            }
            for size in sweep.sizes
        ],
        "time": _law(sweep.time),
        "cpu": _law(sweep.cpu),
        "memory": _law(sweep.memory),
    }


def _law(law: Law) -> dict[str, Any]:
    return {
        "verdict": law.verdict,
        "words": law.words,
        "exponent": _slope(law.overall),
        "large_end": _slope(law.large_end),
    }


def _slope(slope: Slope | None) -> dict[str, float] | None:
    return None if slope is None else dict(slope._asdict())
