"""The three lists of the home screen: what each row says."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.tables.table import Column, Row, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from perftui.probes.process.running import PythonProcess
    from perftui.probes.recording.shelf.shelf import Entry
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
RECORDINGS = (
    Column("recording"),
    Column("when", 12, tone="dim", rank=2),
    Column("length", 9, right=True),
    Column("peak", 8, right=True, tone="warm", rank=1),
    Column("alerts", 6, right=True, rank=3),
    Column("size", 8, right=True, tone="dim", rank=4),
    Column("state", 11),
)


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


def recording_section(entries: Sequence[Entry], marked: Collection[str]) -> Section:
    """Return the rows of the shelf, the newest first."""

    def row(at: int) -> Row:
        entry = entries[at]
        return _recording_row(entry, str(entry.path) in marked)

    return Section(RECORDINGS, [str(entry.path) for entry in entries], row)


_GIVEN_BY_US = re.compile(r"-\d{8}-\d{6}(-\d+)?", re.ASCII)


def label(entry: Entry) -> str:
    """Return what a person calls it: the name they gave, else what was recorded."""
    return entry.title if entry.title and _GIVEN_BY_US.search(entry.name) else entry.name


_STATE_TONES = {"closed": "dim", "recording": "good", "interrupted": "warm", "damaged": "bad"}


def _recording_row(entry: Entry, marked: bool) -> Row:
    alerts = "" if not entry.alerts else f"▲ {entry.alerts}"
    state: str = "● now" if entry.state == "recording" else entry.state
    if entry.state == "closed":
        state = outcome(entry)
    return Row(
        (
            f"{'✓ ' if marked else ''}{clean(label(entry))}",
            when_text(entry.wall_ns),
            "" if entry.duration_s is None else format_seconds(entry.duration_s),
            "" if entry.peak_rss_bytes is None else format_bytes(entry.peak_rss_bytes),
            alerts,
            format_bytes(entry.file_bytes),
            state,
        ),
        ("accent" if marked else "strong", "", "", "", "warm", "", _STATE_TONES[entry.state]),
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


def about_recording(entry: Entry, width: int) -> list[str]:
    """Return what was run, and where the recording is or why it cannot be read."""
    where = clean(entry.problem or str(entry.path))
    what = clean(f"{entry.name}  {shlex.join(entry.argv)}")
    return [shorten_middle(what, width), shorten_middle(where, width)]
