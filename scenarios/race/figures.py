"""The figures of one side of a race, from what its session knows; while it runs, so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.reader import Phase, Reader
    from perftui.scenarios.race.pairs import MeasureKey

_EVER = 1 << 62
_AFTER = "release"
"""The phase at whose end everything that can be given back has been."""


class Figures(NamedTuple):
    """What a side's work took. None: not known, or not yet."""

    began_s: float | None
    """When the work began, in seconds of the session."""
    done: bool
    """The work is over: the figures will not change, but for `released`."""
    rows: float | None
    base: int | None
    """RSS when the work began, in bytes."""
    first_row: float | None
    """Seconds from the beginning of the work to the first row that the program had."""
    peak: float | None
    """Highest RSS while it worked, above the base, in bytes."""
    rate: float | None
    """Rows a second, over all of the work."""
    total: float | None
    """Seconds that the work took."""
    kept: float | None
    """Bytes of RSS above the base at the end of the work, per row."""
    released: float | None
    """RSS above the base after the program let go and its allocator was asked to, in bytes."""
    first_call: float | None
    warm_call: float | None
    """Median of all timed calls but the first, in seconds."""
    calls: int
    contended: bool
    """An alert said that it waited for a core: its times mean little."""

    def value(self, key: MeasureKey) -> float | None:
        """One of the figures that are compared."""
        value: float | None = getattr(self, key)
        return value


NOTHING = Figures(None, False, *(None,) * 10, calls=0, contended=False)


class Measure(NamedTuple):
    """How a figure is named, written and compared."""

    label: str
    """`{call}` stands for what the pair calls a call."""
    text: Callable[[float], str]
    better: Literal["low", "high"]


def _signed_bytes(value: float) -> str:
    return ("+" if value >= 0 else "-") + format_bytes(abs(value))


MEASURES: dict[MeasureKey, Measure] = {
    "first_row": Measure("time to first row", format_seconds, "low"),
    "peak": Measure("peak above base", _signed_bytes, "low"),
    "rate": Measure("rows/s", format_count, "high"),
    "total": Measure("total", format_seconds, "low"),
    "kept": Measure("bytes kept per row", format_bytes, "low"),
    "released": Measure("after release", _signed_bytes, "low"),
    "first_call": Measure("first {call}", format_seconds, "low"),
    "warm_call": Measure("{call}, median", format_seconds, "low"),
}


def figures_of(reader: Reader, phase_name: str) -> Figures:
    """Read the figures of the work.

    Args:
        reader: The side's session.
        phase_name: The phase that is the work.
    """
    phases = reader.phases(0, _EVER)
    work = next((phase for phase in phases if phase.name == phase_name), None)
    if work is None:
        return NOTHING
    status = reader.status()
    end_ns = work.t1_ns or status.t_end_ns
    total = (end_ns - work.t0_ns) / NS_PER_S
    counter = next((c for c in reader.counters(0, end_ns + 1) if c.name == "rows"), None)
    rows = first_row = None
    if counter is not None:
        rows = counter.total - _rows_at(reader, work.t0_ns)  # the work's own
        if counter.first_t_ns >= work.t0_ns:
            first_row = (counter.first_t_ns - work.t0_ns) / NS_PER_S
    base = work.rss_start_bytes
    done = work.t1_ns is not None
    kept = None
    if done and rows and base is not None and work.rss_end_bytes is not None:
        kept = max(work.rss_end_bytes - base, 0) / rows
    called = next(iter(reader.calls(work.t0_ns, end_ns + 1)), None)
    return Figures(
        began_s=(work.t0_ns - status.t_start_ns) / NS_PER_S,
        done=done,
        rows=rows,
        base=base,
        first_row=first_row,
        peak=_peak(reader, work, end_ns),
        rate=None if not rows or total <= 0 else rows / total,
        total=total,
        kept=kept,
        released=_released(phases, base),
        first_call=None if called is None else called.first_ns / NS_PER_S,
        warm_call=None
        if called is None or called.warm_median_ns is None
        else called.warm_median_ns / NS_PER_S,
        calls=0 if called is None else called.n,
        contended=any(
            alert.kind == "cpu_contention" for alert in reader.alerts(work.t0_ns, end_ns)
        ),
    )


def _rows_at(reader: Reader, t_ns: int) -> float:
    return next((c.total for c in reader.counters(0, t_ns) if c.name == "rows"), 0.0)


def _peak(reader: Reader, work: Phase, end_ns: int) -> float | None:
    """Highest RSS of the work above its base: what the program knows, and what was sampled."""
    if work.rss_start_bytes is None:
        return None
    sampled = reader.metric("rss_bytes", work.t0_ns, end_ns + 1, 1, TREE).high[0]
    known = [value for value in (work.peak_rss_bytes, sampled) if value is not None]
    return max(max(known) - work.rss_start_bytes, 0) if known else None


def _released(phases: tuple[Phase, ...], base: int | None) -> float | None:
    last = next((phase for phase in phases if phase.name == _AFTER), None)
    if last is None or last.rss_end_bytes is None or base is None:
        return None
    return float(last.rss_end_bytes - base)
