"""The thread of a probe: when it fails that is said, and nobody waits for its end for ever."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.log import SessionLog

END_LIMIT_S = 10.0
"""How long the end of a probe is waited for: it reads a last time, or judges what has come."""


class ProbeThread(Thread):
    """Runs one probe.

    Args:
        log: Where it is said that the probe has failed.
        what: What is missing then, as the begin of a sentence: "CPU and memory".
        run: The probe.
        name: The thread's name.
    """

    def __init__(self, log: SessionLog, what: str, run: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._log = log
        self._what = what
        self._probe = run

    def run(self) -> None:
        """Run the probe; what it raises becomes a notice."""
        try:
            self._probe()
        except Exception as error:
            say_failed(self._log, self._what, error)

    def end(self, limit_s: float = END_LIMIT_S) -> bool:
        """Wait for the end of a probe that was told to stop; False if it did not come in time."""
        if self.ident is None:
            return True
        self.join(limit_s)
        if self.is_alive():
            text = f"{self._what}: no end within {limit_s:g} s, so the last of it is missing"
            _say(self._log, text)
            return False
        return True


def say_failed(log: SessionLog, what: str, error: Exception) -> None:
    """Say that a probe is at its end; the session goes on."""
    words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    _say(log, f"{what}: not measured any more, perftui failed here ({words}{_place(error)})")


def _place(error: Exception) -> str:
    """Return the line that raised it, for whoever is told of it: nobody sees a traceback."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None:
        return ""
    return f", {at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}"


def _say(log: SessionLog, text: str) -> None:
    with suppress(Exception):  # what has failed may be the log
        log.append(Notice(time.monotonic_ns(), "warn", text))
