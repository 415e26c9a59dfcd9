"""The process beside a kernel: watches it while a cell runs, then says what it saw.

    python -m perftui.tui.notebook.beside '{"pid": 4711, "rate_hz": 100, "report": "/tmp/x.html"}'

Orders come on standard input, a line each: `begin T_NS NAME`, `end T_NS`; at its end, or when the
kernel has ended, so do we. Answers are JSON lines: {"ready": true}, then the summary.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.export.material.error import ExportError
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.opening import open_process
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions
from perftui.probes.spine.records import PhaseBegin, PhaseEnd
from perftui.probes.summary import summarize
from perftui.tui.text.verdict import explained, verdict_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_STACK_S = 3.0
"""A cell is not kept waiting longer for its first stack."""
_LOOK_S = 0.5


def _answer(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run as a process; whatever goes wrong is said in one line."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # those are the kernel's
    asked = json.loads(sys.argv[1])
    try:
        return _measure(asked)
    except ProcessGone:
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        _answer(error=f"{type(error).__name__}: {error}")
        return 2


def _measure(asked: dict[str, Any]) -> int:
    session = Session.attach(
        asked["pid"],
        ProbeOptions(stack_rate_hz=asked["rate_hz"]),
        RecordOptions(),
    )
    phase = _Phase(session, asked["pid"])
    try:
        until_s = time.monotonic() + FIRST_STACK_S
        while session.reader.status().stacks_until_ns is None and time.monotonic() < until_s:
            if not session.target_alive():
                return 1
            time.sleep(0.01)
        _answer(ready=True)
        for line in _orders(session.target_alive):
            word, t_ns, *name = line.split(maxsplit=2)
            if word == "begin":
                phase.begin(int(t_ns), name[0] if name else "cell")
            else:
                phase.end(int(t_ns))
                break
        else:
            return 1
    finally:
        session.close()
    if not session.target_alive():
        return 1
    summary = summarize(session.store, session.spikes)
    recording = session.recording()
    notices = [n.text for n in session.reader.status().notices if n.severity != "info"]
    _answer(
        lines=verdict_lines(summary),
        explained=explained(summary["findings"], summary["in_short"]),
        phase=next(iter(summary["phases"]), None),
        peak_rss_bytes=summary["peak_rss_bytes"],
        cost_s=summary["profiler"]["cpu_s"],
        notices=notices,
        recording=None if recording is None else str(recording),
        report=_report(recording, asked["report"]),
    )
    return 0


def _orders(is_wanted: Callable[[], bool]) -> Iterator[str]:
    """Yield lines as they come, until there are no more or nobody wants them."""
    fd, waiting = sys.stdin.fileno(), b""
    while is_wanted():
        if not select.select([fd], [], [], _LOOK_S)[0]:
            continue
        data = os.read(fd, 1 << 16)
        if not data:
            return
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")


class _Phase:
    """The cell, as a phase of the session."""

    def __init__(self, session: Session, pid: int) -> None:
        self._session = session
        self._pid = pid
        self._reader = open_process(pid)
        self._open = False

    def begin(self, t_ns: int, name: str) -> None:
        read = self._reader.fast(t_ns)
        self._open = True
        self._session.append(
            PhaseBegin(t_ns, self._pid, self._pid, 1, name, None, read.cpu_s, read.rss_bytes)
        )

    def end(self, t_ns: int) -> None:
        read = self._reader.fast(t_ns)
        if self._open:
            self._session.append(PhaseEnd(t_ns, self._pid, 1, read.cpu_s, read.rss_bytes))


def _report(recording: Path | None, path: str | None) -> str | None:
    """Write the HTML report of a recording; returns why there is none."""
    if recording is None or path is None:
        return "not asked for"
    from perftui.probes.export.formats import exporter_of
    from perftui.probes.export.material.slice import slice_of
    from perftui.probes.export.write import Order, write_file
    from perftui.probes.recording.read.reader import open_recording

    try:
        reader = open_recording(recording)
        write_file(reader, Order(exporter_of("html"), slice_of(reader)), Path(path), force=True)
    except (ExportError, ImportError, OSError, ValueError) as error:
        return str(error)
    return None


if __name__ == "__main__":
    code = main()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(5.0)
    sys.exit(code)
