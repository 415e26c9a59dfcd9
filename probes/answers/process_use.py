"""What each process of the tree used, from what memory and disk both keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.reader import ProcessUse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perftui.probes.answers.part_faces import SeriesPart
    from perftui.probes.answers.threads import ThreadState
    from perftui.probes.spine.reader import Process
    from perftui.probes.spine.records import ThreadKey


def process_name(argv: Sequence[str]) -> str:
    """Return a command line as a person would say it: without the folder of the program."""
    if not argv:
        return "?"
    # A title that a process gave itself, as servers do, is one text.
    program, blank, more = argv[0].partition(" ")
    return " ".join([program.rpartition("/")[2] + blank + more, *argv[1:]])


def process_uses(
    processes: Iterable[Process],
    series: SeriesPart,
    threads: Iterable[tuple[ThreadKey, ThreadState, float, float]],
    span: tuple[int, int],
) -> tuple[ProcessUse, ...]:
    """Return what each process that lived in a range used.

    Args:
        processes: All that are known.
        series: All metrics.
        threads: As `threads.lived` gives them.
        span: The range.
    """
    t0_ns, t1_ns = span
    by_threads: dict[int, list[float]] = {}
    for (pid, _), _, cpu_s, _ in threads:
        by_threads.setdefault(pid, []).append(cpu_s)
    found = []
    for process in processes:
        end_ns = process.t_end_ns
        if process.t_start_ns >= t1_ns or (end_ns is not None and end_ns < t0_ns):
            continue
        pid = process.pid
        alive = end_ns is None or end_ns >= t1_ns
        rss = series.get(pid, "rss_bytes")
        percent = series.get(pid, "cpu_percent")
        cpu = by_threads.get(pid, [])
        found.append(
            ProcessUse(
                pid=pid,
                rss_bytes=rss.value_at(t1_ns) if alive and rss is not None else None,
                peak_rss_bytes=_peak(process, series, span),
                cpu_percent=percent.value_at(t1_ns) if alive and percent is not None else None,
                cpu_s=max(sum(cpu), _ticked(process, series, span)),
                threads=len(cpu),
            )
        )
    return tuple(found)


def _peak(process: Process, series: SeriesPart, span: tuple[int, int]) -> float | None:
    rss = series.get(process.pid, "rss_bytes")
    peaks = [] if rss is None else [rss.highest_in(max(span[0], process.t_start_ns), span[1])]
    if span[0] <= process.t_start_ns:
        # The kernel's own mark is of the whole life: a peak that no reading met is in it.
        mark = series.get(process.pid, "high_water_rss_bytes")
        peaks.append(None if mark is None else mark.value_at(span[1]))
    return max((peak for peak in peaks if peak is not None), default=None)


def _ticked(process: Process, series: SeriesPart, span: tuple[int, int]) -> float:
    """Return the CPU seconds of the range by the kernel's sums for the process, read once a
    second: threads that came and went between two readings are in them."""
    spent = 0.0
    for name in ("cpu_user_s", "cpu_system_s"):
        known = series.get(process.pid, name)
        if known is not None:
            before = 0.0 if process.t_start_ns >= span[0] else known.value_at(span[0]) or 0.0
            spent += max((known.value_at(span[1]) or 0.0) - before, 0.0)
    return spent
