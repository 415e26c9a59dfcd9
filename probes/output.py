"""The output of a target that runs behind the screen: two files that it appends to.

Files rather than pipes or a terminal, because they never block it and never fail it: when we
are killed, or leave it running, it goes on writing as if nothing had happened. They have no
name any more once they are open, so nothing is left behind either.
"""

from __future__ import annotations

import os
import tempfile
import time
from codecs import getincrementaldecoder
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal

from perftui.probes.records import LogLine, Record

if TYPE_CHECKING:
    from perftui.probes.log import SessionLog

_POLL_S = 0.1
_CHUNK_BYTES = 256 * 1024
_TRUNCATE_BYTES = 8 * 1024 * 1024
"""What was read already is dropped from the file beyond this, so that it cannot fill the disk."""
_PARTIAL_AFTER_POLLS = 5
_LINE_CHARACTERS = 4_000


class _Tail:
    """One stream."""

    def __init__(self, stream: Literal["stdout", "stderr"]) -> None:
        self.stream = stream
        descriptor, path = tempfile.mkstemp(prefix="perftui-output-")
        os.close(descriptor)
        # O_APPEND, so that the file may be cut while the target goes on writing at its end.
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        os.unlink(path)  # noqa: PTH108
        self._offset = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._partial = ""
        self._quiet_polls = 0

    def read(self) -> list[str]:
        """Return the lines completed since the last call."""
        data = os.pread(self.fd, _CHUNK_BYTES, self._offset)
        if not data:
            self._quiet_polls += 1
            if self._partial and self._quiet_polls >= _PARTIAL_AFTER_POLLS:
                return [self.take_partial()]  # a prompt, a progress bar
            return []
        self._quiet_polls = 0
        self._offset += len(data)
        if self._offset > _TRUNCATE_BYTES and os.fstat(self.fd).st_size == self._offset:
            os.ftruncate(self.fd, 0)
            self._offset = 0
        *lines, self._partial = (self._partial + self._decoder.decode(data)).split("\n")
        while len(self._partial) > _LINE_CHARACTERS:
            lines.append(self._partial[:_LINE_CHARACTERS])
            self._partial = self._partial[_LINE_CHARACTERS:]
        # What a progress bar has overwritten with carriage returns is gone on a terminal too.
        return [line.rstrip("\r").rpartition("\r")[2] for line in lines]

    def take_partial(self) -> str:
        line, self._partial = self._partial, ""
        return line.rstrip("\r").rpartition("\r")[2]


class OutputTail:
    """Follows the target's stdout and stderr and puts their lines into the log."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self._out, self._err = _Tail("stdout"), _Tail("stderr")
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="perftui-output", daemon=True)

    @property
    def stdout_fd(self) -> int:
        """Descriptor to start the target with."""
        return self._out.fd

    @property
    def stderr_fd(self) -> int:
        """Descriptor to start the target with."""
        return self._err.fd

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is left, then let go."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_POLL_S):
            self._poll()
        while self._poll():
            pass
        t_ns = time.monotonic_ns()
        for tail in (self._out, self._err):
            line = tail.take_partial()
            if line:
                self._log.append(LogLine(t_ns, tail.stream, line[:_LINE_CHARACTERS]))
            os.close(tail.fd)

    def _poll(self) -> bool:
        t_ns = time.monotonic_ns()
        batch: list[Record] = [
            LogLine(t_ns, tail.stream, line[:_LINE_CHARACTERS])
            for tail in (self._out, self._err)
            for line in tail.read()
        ]
        self._log.extend(batch)
        return bool(batch)
