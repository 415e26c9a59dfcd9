"""A race without a screen: progress on stderr, the table and the verdict on stdout."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from perftui.probes.text.units import format_bytes, format_count
from perftui.scenarios.race.figures import figures_of
from perftui.scenarios.race.report import as_json, as_text
from perftui.tui.terminal.ending import Ending
from perftui.tui.text.words import columns, say, tell
from perftui.tui.watch.json_file import write_json

if TYPE_CHECKING:
    from perftui.scenarios.race.race import Race, RaceState

INCONCLUSIVE = 3
_STEP_S = 0.25


def run_headless(race: Race, json_path: str | None, duration_s: float | None) -> int:
    """Run a race to its end.

    Returns:
        0, 1 or 2 if a side failed (its own words on stderr), 3 if there is no winner, 128+N if
        signal N ended it.
    """
    progress = _Progress(race)
    until = None if duration_s is None else time.monotonic() + duration_s
    with Ending() as ending:
        ending.leave_now_if_asked()
        try:
            race.start()
            while not race.wait(_STEP_S) and ending.number is None:
                progress.step()
                if until is not None and time.monotonic() >= until:
                    break
        finally:
            progress.clear()
            race.stop()
    if ending.number is not None:
        tell(f"perftui: ended by {ending.name}; what was started has ended")
        return ending.exit_code()
    return finish(race, json_path)


def finish(race: Race, json_path: str | None) -> int:
    """Print what a race found; returns the exit code."""
    state = race.state()
    if state.stage == "failed":
        tell(f"perftui: {state.problem}")
        return state.exit_code
    if state.problem:
        tell(f"perftui: {state.problem}")
    if state.verdict is None:
        tell("perftui: stopped before there was a verdict")
    plan, recordings = race.plan, race.recordings()
    if json_path is not None:
        write_json(as_json(plan, state, recordings), json_path)
    if json_path != "-" and state.verdict is not None:
        say(as_text(plan, state, recordings))
    return INCONCLUSIVE if state.verdict is None or state.verdict.winner is None else 0


class _Progress:
    """A line a step elsewhere, one line that is rewritten on a terminal."""

    def __init__(self, race: Race) -> None:
        self._race = race
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._said = ""

    def step(self) -> None:
        state = self._race.state()
        if self._terminal:
            line = f"perftui  {progress_text(self._race, state, figures=True)}"
            tell(f"\r\x1b[K{line[: columns() - 1]}", end="")
            return
        line = progress_text(self._race, state, figures=False)
        if line != self._said:
            tell(f"perftui: {line}")
            self._said = line

    def clear(self) -> None:
        if self._terminal:
            tell("\r\x1b[K", end="")


def progress_text(race: Race, state: RaceState, *, figures: bool) -> str:
    """Say what is going on, with the newest figures if `figures`."""
    pair = race.plan.pair
    if state.stage == "preparing":
        share = f", {state.prepared:.0%}" if figures and state.prepared is not None else ""
        return f"making the data of {race.plan.amount_text}, once{share}"
    if state.stage == "growing":
        done, runs = state.small_runs
        count = f", {done} of {runs}" if figures else ""
        return f"smaller runs, to see how the cost grows{count}"
    if state.stage != "racing":
        return state.stage
    running = [n for n, side in enumerate(state.sides) if side.session is not None]
    number = running[-1] if running else 0
    name = pair.sides[number].name
    session = state.sides[number].session
    if session is None or not figures:
        return f"{name} runs"
    now = figures_of(session.reader, pair.phase)
    parts = [name]
    rss = session.reader.last("rss_bytes")
    if rss is not None:
        parts.append(f"RSS {format_bytes(rss)}")
    if now.rows:
        parts.append(f"rows {format_count(now.rows)}")
    return "  ".join(parts)
