"""`perftui watch`, as it runs: one flight after another, until somebody asks us to end."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

from perftui.probes.own.collector import spare_what_lives
from perftui.probes.process.face import ProcessGone
from perftui.probes.watch.flight import Flight, named
from perftui.probes.watch.matching import matches
from perftui.tui.errors import UserError
from perftui.tui.terminal.ending import Ending
from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.spine.records import Severity
    from perftui.probes.watch.flight import FlightPlan
    from perftui.probes.watch.kept import KeptEvents
    from perftui.probes.watch.matching import Match

STEP_S = 1.0
_LOOK_S = 2.0
"""Between two looks for a process that is not there yet."""
_SHOWN = 5


def watch_pid(pid: int, wanted: FlightPlan, probes: ProbeOptions, kept: KeptEvents) -> int:
    """Watch one process until it ends.

    Raises:
        ProcessGone: there is none.
    """
    with Ending() as ending:
        _take_up(kept)
        _fly(pid, wanted, probes, kept, ending)
        return _code(ending)


def watch_name(
    pattern: str, wanted: FlightPlan, probes: ProbeOptions, kept: KeptEvents, *, wait: bool
) -> int:
    """Watch the process that a pattern means; after its end, the next one.

    Raises:
        UserError: it means none (and we are not to wait), or several.
    """
    with Ending() as ending:
        _take_up(kept)
        told = False
        while ending.number is None:
            found = matches(pattern)
            if len(found) > 1:
                raise _several(pattern, found)
            if found:
                told = wait = True
                try:
                    _fly(found[0].pid, wanted, probes, kept, ending)
                except ProcessGone:
                    continue
                if ending.number is None:
                    tell(f"perftui: waiting for the next process that {pattern!r} fits")
                continue
            if not wait:
                raise UserError(
                    f"no Python process has {pattern!r} in its command line; --wait waits for one, "
                    "`perftui list processes` shows them"
                )
            if not told:
                told = True
                tell(f"perftui: waiting for a process that {pattern!r} fits")
            _pause(ending, _LOOK_S)
        return _code(ending)


def _pause(ending: Ending, seconds: float) -> None:
    """Sleep, until somebody asks us to end."""
    read_fd, write_fd = os.pipe()
    try:
        ending.tell(lambda: os.write(write_fd, b"x"))
        select.select([read_fd], [], [], seconds)
    finally:
        ending.tell(None)
        os.close(read_fd)
        os.close(write_fd)


def _several(pattern: str, found: Sequence[Match]) -> UserError:
    shown = [f"{match.pid} {' '.join(match.argv)[:60]}" for match in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return UserError(
        f"{pattern!r} fits {len(found)} processes: {'; '.join(shown)}{more}; say more of the "
        "command line, or a PID"
    )


def _code(ending: Ending) -> int:
    # ctrl+c, and what ends a service, are the ways out.
    return 0 if ending.number in (None, signal.SIGINT, signal.SIGTERM) else 128 + ending.number


def _take_up(kept: KeptEvents) -> None:
    try:
        for path in kept.take_up():
            tell(f"perftui: a watcher was killed; what it had is kept: perftui open {named(path)}")
    except OSError as error:
        tell(f"perftui: what a watcher has left cannot be taken up: {error.strerror or error}")


def _fly(
    pid: int, wanted: FlightPlan, probes: ProbeOptions, kept: KeptEvents, ending: Ending
) -> None:
    flight = Flight(pid, wanted, probes, kept, _say)
    told = _Told(flight)
    try:
        what = " ".join(flight.session.reader.target().argv)[:80] or f"pid {pid}"
        tell(f"perftui: watching {pid} {what}")
        tell(f"perftui: when {wanted.text}; the ring is in {flight.ring.folder}")
        spare_what_lives()
        while ending.number is None:
            if not flight.step():
                break
            told.tell()
            _pause(ending, STEP_S)
    finally:
        flight.close()
        told.tell()


class _Told:
    """Tells the notices of a session, each once."""

    def __init__(self, flight: Flight) -> None:
        self._session = flight.session
        self._notices = 0

    def tell(self) -> None:
        """Tell those that have come since the last call."""
        notices = self._session.store.status().notices
        for notice in notices[self._notices :]:
            _say(notice.severity, notice.text)
        self._notices = len(notices)


def _say(severity: Severity, text: str) -> None:
    stamp = time.strftime("%H:%M:%S ") if sys.stderr.isatty() else ""
    del severity
    tell(f"perftui: {stamp}{text}")
