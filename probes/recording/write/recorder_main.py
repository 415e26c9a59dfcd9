"""The recorder process: takes batches from a pipe and writes the recording.

A process of its own, because writing must not hold up sampling, because sealing takes pyarrow,
which would double the memory of the screen, and because it outlives its session: when perftui is
killed, what had reached the pipe is still written, and the recording is left marked as
interrupted.

    python -m perftui.probes.recording.write.recorder_main < pipe > answers
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.own.collector import collect_seldom, spare_what_lives
from perftui.probes.own.unneeded import hide_unneeded
from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.write import wire
from perftui.probes.recording.write.writer import (
    FIRST_SEAL_S,
    HEARTBEAT_S,
    Recording,
    WriterOptions,
    stop_reason,
)
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Severity

_NICENESS = 5


def _answer(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _cpu_of_children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _say(severity: Severity, text: str) -> None:
    _answer(severity=severity, text=text)


class Mirror:
    """The session's call tree, grown from messages; the ids are the same."""

    def __init__(self) -> None:
        self.tree = CallTree()

    def grow(
        self, frames: Sequence[tuple[str, str, int, Any]], nodes: Sequence[tuple[int, int]]
    ) -> None:
        """Append frames and nodes in the order of their ids."""
        for function, file, line, kind in frames:
            self.tree.frame_id(function, file, line, kind)
        for parent, frame in nodes:
            self.tree.node_id(parent, frame)


def record(stream: Any) -> int:
    """Record until the end is told (0) or the other end is gone (1)."""
    first = wire.read(stream)
    if first is None:
        return 1
    directory, target, start_ns, session, (fd, locked), often = first[1]
    claim = Claim.adopt(Path(directory), fd, locked=locked)
    first_seal_s = FIRST_SEAL_S if often else None
    options = WriterOptions(seal_apart=True, session=session, first_seal_s=first_seal_s)
    mirror = Mirror()
    try:
        recording = Recording(
            Path(directory), mirror.tree, Target(*target), start_ns, options, claim=claim, say=_say
        )
    except OSError as error:
        claim.end()
        with suppress(OSError):
            Path(directory).rmdir()  # nothing was recorded: leave no half of one
        _say("warn", f"the recording has ended: {stop_reason(error)} at once; the session goes on")
        _answer(file_bytes=0, lost=0, ended=True)
        return 2
    beat_due = time.monotonic()
    spare_what_lives()
    while True:
        message = wire.read(stream)
        if message is None:
            recording.flush()
            recording.seal()
            recording.heartbeat()  # the state stays "recording": its recorder is gone
            return 1
        kind, payload = message
        if kind == wire.TREE:
            mirror.grow(*payload)
        elif kind == wire.BATCHES:
            for batch in wire.unpack_batches(payload):
                recording.ingest(batch)
            recording.flush()
            _answer(
                file_bytes=recording.file_bytes,
                lost=recording.lost_rows,
                ended=recording.ended,
                sealing_s=_cpu_of_children_s(),
            )
        elif kind == wire.TARGET:
            recording.know_target(Target(*payload))
        elif kind == wire.END:
            recording.close()
            _answer(file_bytes=recording.file_bytes, lost=recording.lost_rows, ended=True)
            return 0
        now = time.monotonic()
        if now >= beat_due:
            beat_due = now + HEARTBEAT_S
            recording.heartbeat()


def main() -> int:
    """Run as a process; whatever goes wrong is said in one line."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # the end of the pipe is what ends us
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.nice(_NICENESS)
    collect_seldom()
    hide_unneeded()
    try:
        return record(sys.stdin.buffer)
    except BrokenPipeError:
        return 1
    except Exception as error:
        _say("warn", f"the recording has ended: {error!r}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
