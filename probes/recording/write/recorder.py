"""The session's side of its recorder process: a sink that never makes a probe wait."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import deque
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.own.python import own_module
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.opening import open_process
from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.write import wire
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Notice
from perftui.probes.spine.wakes import until_next_s
from perftui.probes.text.units import format_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perftui.probes.process.face import ProcessReader
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Severity

SEND_EVERY_S = 1.0
"""What a kill of everything may lose: the recorder writes what it is sent at once."""
START_AFTER_S = 1.0
"""The recorder starts when the screen is up: its imports would be in the way before."""
SHORT_ROWS = 20_000
"""A session that is over by then and has no more records than this is written without it."""
CLOSE_LIMIT_S = 60.0
"""Closing takes seconds at most; with the disk in the way it may take more."""
HANG_LIMIT_S = 10.0
"""A recorder that is to close and uses no CPU at all for so long is stopped or stuck."""
_LOOK_S = 0.2
_LISTEN_S = 1.0
QUEUE_ROWS = 400_000
"""Records that may wait; beyond, batches are dropped and counted. Minutes of a busy target."""


class Recorder:
    """A `Sink` that records the session through a process of its own.

    Args:
        log: The session's log; the recorder connects itself and says its notices there.
        target: What is watched.
        directory: The recording; made now, must be empty.
        t_start_ns: When the session began.
        session: Options of the session worth keeping.
        claim: The right to write there, if it was taken before.
        before: Called on the recorder's thread before anything is written: makes room.
        often: Seal the first segments after seconds: somebody waits for sealed files.

    Raises:
        OSError: the directory cannot be made or written.
    """

    def __init__(
        self,
        log: SessionLog,
        target: Target,
        directory: Path,
        *,
        t_start_ns: int,
        session: dict[str, object] | None = None,
        claim: Claim | None = None,
        before: Callable[[], None] | None = None,
        often: bool = False,
    ) -> None:
        self._claim = Claim.take(directory) if claim is None else claim
        self.directory = directory
        self.overflowed = 0
        """Records that found the queue full: they are missing in the recording."""
        self.file_bytes = 0
        self._log = log
        held = (self._claim.fileno(), self._claim.locked)
        self._about = target
        self._start = (str(directory), tuple(target), t_start_ns, dict(session or {}), held, often)
        self._before = before
        self._target: Target | None = None
        self._queue: deque[Batch] = deque()
        self._put = self._sent = 0
        self._next_frame = self._next_node = 1
        self._ended = False
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: ProcessReader | None = None
        self._cpu_s = self._sealing_s = 0.0
        self._thread = ProbeThread(log, "the recording", self._run, "perftui-recorder")
        log.connect(self)

    def ingest(self, batch: Batch) -> None:
        """Queue a batch; never waits."""
        if self._ended:
            return  # as was said
        rows = batch.size
        if self._put - self._sent + rows > QUEUE_ROWS:
            self.overflowed += rows
            return
        self._put += rows
        self._queue.append(batch._replace(raw=()))

    def know_target(self, target: Target) -> None:
        """Say more about the target once it is known."""
        self._target = target

    def cpu_s(self) -> float:
        """Return the CPU seconds of the recorder process so far, and of those that sealed."""
        if self._reader is not None:
            with suppress(ProcessGone):
                self._cpu_s = self._reader.fast(0).cpu_s
        return self._cpu_s + self._sealing_s

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def stop(self) -> None:
        """Hand over what is left, and return when the recording is closed."""
        self._stopping.set()
        if self._thread.ident is None:
            return
        until = time.monotonic() + CLOSE_LIMIT_S
        moved_s, cpu_s = time.monotonic(), -1.0
        while self._thread.is_alive():
            self._thread.join(_LOOK_S)
            now_s, spent_s = time.monotonic(), self.cpu_s()
            if spent_s != cpu_s:
                moved_s, cpu_s = now_s, spent_s
            if now_s > until or now_s - moved_s > HANG_LIMIT_S:
                break
        if self._thread.is_alive():
            # Not killed: should it come to itself it closes what it has.
            self._end("the recorder process does not answer")
        if self.overflowed:
            many = format_count(self.overflowed)
            self._say(f"{many} records are missing in the recording: it did not keep up")

    def _run(self) -> None:
        is_over = self._stopping.wait(START_AFTER_S)
        if self._before is not None:
            self._before()
        if is_over and self._put <= SHORT_ROWS:
            self._write_here()
        else:
            self._write_apart()
        self._ended = True

    def _write_here(self) -> None:
        """Write a short session as it is: the process that would, and pyarrow, cost twice its own
        CPU."""
        from perftui.probes.recording.write.writer import Recording, WriterOptions, stop_reason

        _, _, t_start_ns, session, *_ = self._start
        try:
            recording = Recording(
                self.directory,
                self._log.tree,
                self._target or self._about,
                t_start_ns,
                WriterOptions(session=session, compact=False),
                claim=self._claim,
                say=self._tell,
            )
        except OSError as error:
            self._claim.end()
            with suppress(OSError):
                self.directory.rmdir()
            self._end(f"{stop_reason(error)} at once")
            return
        while self._queue:
            recording.ingest(self._queue.popleft())
        recording.close()
        self.file_bytes = recording.file_bytes

    def _write_apart(self) -> None:
        try:
            try:
                process = self._spawn()
            finally:
                self._claim.let_go()  # it lives as long as the recorder process
            answers = ProbeThread(
                self._log, "the recording", lambda: self._listen(process), "perftui-recorded"
            )
            answers.start()
            self._write(process, wire.pack(wire.START, self._start))
            said = False
            while not self._stopping.wait(until_next_s(time.monotonic_ns(), SEND_EVERY_S)):
                self._send(process)
                if self.overflowed and not said:
                    said = True
                    self._say("the recording does not keep up: some records are left out of it")
            self._send(process)
            self._write(process, wire.pack(wire.END, None))
        except OSError as error:
            if not self._ended:
                self._end(f"the recorder process has gone ({error.strerror or error})")
        if self._process is not None:
            assert self._process.stdin is not None
            with suppress(OSError):
                self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_LIMIT_S)
                answers.join(_LISTEN_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = own_module("perftui.probes.recording.write.recorder_main")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # The allocator that gives memory back soonest; and no keys of our terminal.
            env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"},
            start_new_session=True,
            pass_fds=(self._claim.fileno(),),
        )
        with suppress(ProcessGone):
            self._reader = open_process(self._process.pid)
        return self._process

    def _write(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(data)
        process.stdin.flush()

    def _send(self, process: subprocess.Popen[bytes]) -> None:
        """Send what waits, frames and nodes before the records that name them."""
        batches = []
        while self._queue:
            batch = self._queue.popleft()
            self._sent += batch.size
            batches.append(batch)
        tree = self._log.tree
        nodes = [(parent, frame) for _, parent, frame in tree.nodes_since(self._next_node)]
        frames = [
            (frame.function, frame.file, frame.line, frame.kind)
            for _, frame in tree.frames_since(self._next_frame)
        ]
        self._next_frame += len(frames)
        self._next_node += len(nodes)
        message = b""
        if frames or nodes:
            message += wire.pack(wire.TREE, (frames, nodes))
        target, self._target = self._target, None
        if target is not None:
            message += wire.pack(wire.TARGET, tuple(target))
        self._write(process, message + wire.pack_batches(batches))

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Take the recorder's answers until it ends."""
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if "text" in answer:
                self._tell(answer["severity"], answer["text"])
                continue
            self.file_bytes = answer["file_bytes"]
            self._sealing_s = answer.get("sealing_s", self._sealing_s)
            if answer["ended"]:
                self._ended = True

    def _end(self, reason: str) -> None:
        self._ended = True
        self._say(f"the recording has ended: {reason}; the session goes on")

    def _say(self, text: str) -> None:
        self._tell("warn", text)

    def _tell(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))
