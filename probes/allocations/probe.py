"""When the program has ended, or the session: memray's files are read, the rows told."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.allocations.captured import (
    BEYOND,
    MOST_FILES,
    NotRead,
    clock_offset_ns,
    read_capture,
    rows_each,
)
from perftui.probes.recording.format.captures import captures_in
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Exit, Notice
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity

ON = "memray is on: the program is slower by it and larger; times and RSS are those with memray"


class AllocationProbe:
    """A sink and a probe; see the module.

    Args:
        log: Of the session.
        pid: The target.
        directory: The recording.
        python: Interpreter with the memray that writes the files.
    """

    def __init__(self, log: SessionLog, pid: int, directory: Path, python: str) -> None:
        self._log = log
        self._pid = pid
        self._directory = directory
        self._python = python
        self._offset_ns = clock_offset_ns()
        self._wanted = Event()
        self._thread = ProbeThread(log, "allocations", self._run, "perftui-allocations")

    def ingest(self, batch: Batch) -> None:
        """Wait for the target's end."""
        if any(isinstance(record, Exit) and record.pid == self._pid for record in batch.events):
            self._wanted.set()

    def start(self) -> None:
        """Begin to wait."""
        self._say("info", ON)
        self._thread.start()

    def stop(self) -> None:
        """Read the files now if the target has not ended, and return when their rows are told."""
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        self._wanted.wait()
        found = captures_in(self._directory)
        if not found:
            self._say("warn", "memray has written nothing: no allocations were recorded")
        for capture, most in rows_each(found):
            file = self._directory / capture.name
            try:
                rows, damaged = read_capture(
                    file, capture.pid, self._python, self._offset_ns, most_rows=most
                )
            except NotRead as error:
                text = f"{capture.name} ({format_bytes(capture.size)}) was not read: {error}"
                self._say("warn", text)
                continue
            self._log.extend(rows)
            if damaged:
                self._say("warn", f"{capture.name} {BEYOND}: what came later is missing")
        if len(found) > MOST_FILES:
            left = len(found) - MOST_FILES
            self._say("info", f"files of memray's that were not read, the smallest: {left}")

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))
