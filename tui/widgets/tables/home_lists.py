"""The three lists of the home screen: what each row says."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean, shorten_end, shorten_middle
from perftui.tui.widgets.tables.table import Column, Row, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from perftui.probes.process.running import PythonProcess
    from perftui.probes.recording.shelf.shelf import Entry
    from perftui.probes.verdict.glance import Glance
    from perftui.scenarios.run.runner import Scenario

SCENARIOS = (
    Column("scenario", 22),
    Column("what it runs", words=True, tone="dim"),
)
PROCESSES = (
    Column("pid", 8, right=True, tone="accent"),
    Column("CPU", 6, right=True, tone="cool"),
    Column("RSS", 8, right=True, tone="warm"),
    Column("age", 11, right=True, rank=2, tone="dim"),
    Column("python", 7, rank=3, tone="dim"),
    Column("command"),
)
SPARK_CELLS = 7
PREVIEW_CELLS = 24
RECORDINGS = (
    Column("recording", 22),
    Column("when", 12, tone="dim", rank=5),
    Column("length", 11, right=True),
    Column("memory", SPARK_CELLS, rank=2, tone="warm"),
    Column("peak", 8, right=True, tone="warm", rank=1),
    Column("alerts", 6, right=True, rank=2),
    Column("size", 8, right=True, tone="dim", rank=6),
    Column("state", 11, rank=3),
    Column("what happened", words=True),
)
SPARK = "▁▂▃▄▅▆▇█"
TREND = 6
"""So many runs of the same program are named."""


def scenario_section(scenarios: Sequence[Scenario], missing: Callable[[Scenario], bool]) -> Section:
    """Return the rows of the catalogue; what cannot run here is dim."""

    def row(at: int) -> Row:
        scenario = scenarios[at]
        lacks = missing(scenario)
        about = f"(not installed) {scenario.summary}" if lacks else scenario.summary
        return Row((scenario.reference, clean(about)), ("dim" if lacks else "strong", ""))

    return Section(SCENARIOS, [scenario.reference for scenario in scenarios], row)


def process_section(processes: Sequence[PythonProcess]) -> Section:
    """Return the rows of running Python processes."""

    def row(at: int) -> Row:
        process = processes[at]
        return Row(
            (
                str(process.pid),
                f"{process.cpu_percent:.0f} %",
                format_bytes(process.rss_bytes),
                format_seconds(round(process.age_s)),
                process.python or "?",
                clean(shlex.join(process.argv)),
            )
        )

    return Section(PROCESSES, [process.pid for process in processes], row)


def recording_section(
    entries: Sequence[Entry],
    marked: Collection[str],
    seen: Callable[[Entry], Glance | None] = lambda entry: None,
) -> Section:
    """Return the rows of the shelf, the newest first.

    Args:
        entries: What is there.
        marked: Paths of those that are marked.
        seen: What is known of one that was looked into.
    """

    def row(at: int) -> Row:
        entry = entries[at]
        return _recording_row(entry, str(entry.path) in marked, seen(entry))

    return Section(RECORDINGS, [str(entry.path) for entry in entries], row)


_GIVEN_BY_US = re.compile(r"-\d{8}-\d{6}(-\d+)?", re.ASCII)


def label(entry: Entry) -> str:
    """Return what a person calls it: the name they gave, else what was recorded."""
    return entry.title if entry.title and _GIVEN_BY_US.search(entry.name) else entry.name


_STATE_TONES = {"closed": "dim", "recording": "good", "interrupted": "warm", "damaged": "bad"}


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Draw values from 0 in `width` cells, the highest of those that share one."""
    most = max((value for value in values if value is not None), default=0.0)
    if most <= 0:
        return ""
    cells = []
    for n in range(width):
        part = values[n * len(values) // width : max((n + 1) * len(values) // width, 1)]
        high = max((value for value in part if value is not None), default=None)
        top = len(SPARK) - 1
        cells.append(" " if high is None else SPARK[round(max(high, 0.0) * top / most)])
    return "".join(cells)


def _recording_row(entry: Entry, marked: bool, seen: Glance | None) -> Row:
    # With marks in it, what the recorder counted is more than what anybody calls alerts.
    count = entry.alerts if seen is None or not seen.plain else seen.alerts
    alerts = "" if not count else f"▲ {count}"
    state: str = "● now" if entry.state == "recording" else entry.state
    told = "" if seen is None else next(iter(seen.findings), seen.plain)
    told = told or ("" if entry.state == "closed" else state)  # its own column may have left
    if entry.state == "closed":
        state = outcome(entry)
    return Row(
        (
            f"{'✓ ' if marked else ''}{clean(label(entry))}",
            when_text(entry.wall_ns),
            "" if entry.duration_s is None else format_seconds(entry.duration_s),
            "" if seen is None else sparkline(seen.rss, SPARK_CELLS),
            "" if entry.peak_rss_bytes is None else format_bytes(entry.peak_rss_bytes),
            alerts,
            format_bytes(entry.file_bytes),
            state,
            clean(told),
        ),
        (
            *("accent" if marked else "strong", "", "", "", "", "warm", ""),
            *(_STATE_TONES[entry.state], "" if seen is not None and seen.findings else "dim"),
        ),
    )


def outcome(entry: Entry) -> str:
    """Say how the target of a closed recording ended."""
    if entry.signal is not None:
        return f"signal {entry.signal}"
    if entry.exit_code is None:
        return "closed"
    return "finished" if entry.exit_code == 0 else f"exit {entry.exit_code}"


def when_text(wall_ns: int, now: datetime | None = None) -> str:
    """Name a time of day as short as it can be understood: 14:05:09, yesterday 14:05, 18 Nov."""
    try:
        then = datetime.fromtimestamp(wall_ns / NS_PER_S)
    except (ValueError, OverflowError, OSError):
        return "?"
    now = now or datetime.now()
    if then.date() == now.date():
        return then.strftime("%H:%M:%S")
    if then.year == now.year:
        return f"{then.day} {then.strftime('%b %H:%M')}"
    return f"{then.day} {then.strftime('%b %Y')}"


def about_scenario(scenario: Scenario) -> list[str]:
    """Return what a scenario shows, and what it lacks or takes."""
    from perftui.scenarios.define.requirements import install_advice, missing_modules

    lines = [clean(scenario.shows or scenario.summary)]
    missing = missing_modules(scenario.requires)
    if missing:
        lines.append(f"not installed: {', '.join(missing)}; {install_advice(missing)}")
    elif scenario.parameters:
        lines.append(f"parameters: {', '.join(p.name for p in scenario.parameters)}")
    return lines


def about_process(process: PythonProcess, width: int) -> list[str]:
    """Return the whole command and whose it is."""
    return [
        shorten_middle(clean(shlex.join(process.argv)), 2 * width),
        f"user {clean(process.user or '?')} · watching never harms it",
    ]


def about_recording(
    entry: Entry, width: int, seen: Glance | None = None, others: Sequence[Entry] = ()
) -> list[str]:
    """Return what was run, and where the recording is or why it cannot be read; what happened in
    it, if that is known; how it went over the runs of the same program."""
    where = clean(entry.problem or str(entry.path))
    when = when_text(entry.wall_ns)
    what = clean(f"{when}  {entry.name}  {shlex.join(entry.argv)}")
    lines = [shorten_middle(what, width), shorten_middle(where, width)]
    if seen is not None and seen.plain:
        happened = "; ".join(seen.findings[:2]) or f"nothing stands out: {seen.plain}"
        curve = sparkline(seen.rss, PREVIEW_CELLS)
        lines.insert(0, shorten_end(f"{curve}  {clean(happened)}", width))
    trend = trend_text(entry, others)
    return [*lines[:1], shorten_end(trend, width), *lines[1:]] if trend else lines


def trend_text(entry: Entry, others: Sequence[Entry]) -> str:
    """Say how long the runs of the same program took and what they needed, the oldest first."""
    same = [
        each
        for each in sorted(others, key=lambda each: each.wall_ns)
        if each.argv == entry.argv and each.title == entry.title and each.state == "closed"
    ]
    if len(same) < 2 or entry not in same:
        return ""
    at = same.index(entry)
    shown = same[max(at - TREND + 1, 0) : max(at + 1, TREND)]
    times = [each.duration_s for each in shown]
    peaks = [each.peak_rss_bytes for each in shown]
    said = [
        "?" if took is None else f"{'▸' if each is entry else ''}{format_seconds(took)}"
        for each, took in zip(shown, times, strict=True)
    ]
    words = f"{len(same)} runs: {' · '.join(said)}"
    spark = sparkline([None if peak is None else float(peak) for peak in peaks], len(peaks))
    known = [peak for peak in peaks if peak is not None]
    if spark and known:
        words += f"   peak {spark} {format_bytes(known[0])} to {format_bytes(known[-1])}"
    return words
