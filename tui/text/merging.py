"""How the clocks of merged recordings were laid on each other, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.recording.merging.sources import Merged


def clock_lines(sources: Sequence[Merged]) -> Iterator[str]:
    """Yield a line for each recording."""
    start_ns = min(source.t0_ns for source in sources)
    first = sources[0]
    for source in sources:
        begins = format_seconds((source.t0_ns - start_ns) / NS_PER_S)
        lasts = format_seconds((source.t1_ns - source.t0_ns) / NS_PER_S)
        if source is first:
            how = "its clock is everybody's"
        elif source.boot is not None and source.boot == first.boot:
            how = "the same clock"
        else:
            drift = format_seconds(max(source.drift_ns, first.drift_ns) / NS_PER_S)
            how = f"by the wall clocks, which went apart by {drift} meanwhile"
        pids = f"; pids from {source.pid_shift + 1:,} on" if source.pid_shift else ""
        yield f"{source.name}: from {begins} on, {lasts} long; {how}{pids}"
