"""The output of a target that runs behind the screen: two pipes, and a process that empties them.

What carries it must never fail the target and never hold it up, whatever becomes of us. Three
ways were measured, each with a program that writes as fast as it can (GB/s) or 200 MB/s:

- *A file* never blocks, and survives our end. But it grows by whatever its reader is behind:
  a reader that is stopped, starved or dead fills the disk, and a disk that is full already fails
  the target with ENOSPC. Punching holes into its front needs a reader that keeps up for ever,
  also after our end; where it does not (or the file system cannot), all of the harm is back.
- *A pipe that we read* is bounded. But when we are stopped the target stops, and when we are
  killed it gets SIGPIPE.
- *A pipe that a process of its own reads* (`drain`) is bounded as well, touches no disk,
  and outlives us: it then splices the pipes into /dev/null, 2 % of a core at 200 MB/s. This is
  what is done here. It costs about 10 ms of CPU at start and 7 MB of memory (PSS).

What remains: a target whose drain *and* perftui are killed gets SIGPIPE. The drain alone may be
killed: we hold the pipes open too and start another. As behind any pipe, standard output is no
terminal and cannot be sought in; order between the two streams is kept to some milliseconds.

More than the eye could follow is not handed on: it is counted by the drain, and the log says
where how much is missing.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Literal

from perftui.probes.own.python import own_script
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.opening import open_process
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import LogLine, Notice, Record
from perftui.probes.target.output import drain
from perftui.probes.target.output.lines import LineMaker
from perftui.probes.text.units import NS_PER_S, format_bytes

if TYPE_CHECKING:
    from perftui.probes.process.face import ProcessReader
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity

PIPE_BYTES = 1 << 20
_RECEIVE_BYTES = 256 * 1024
_QUIET_S = 0.5
"""The begin of a line is shown when no more came for so long."""
_BAR_EVERY_NS = NS_PER_S
"""A line that is written over and over (a progress bar) is shown so often."""
_STOP_S = 5.0
"""How long the last of the output is waited for: it is there, unless the drain is starved."""
_DRAIN_FILE = Path(drain.__file__).resolve()
_MOST_DRAINS = 20


NO_INPUT = (
    "the program asked for input, which is empty behind the screen: with --headless it reads "
    "from the terminal"
)
_ASKED_FOR_INPUT = ("EOFError: EOF when reading a line", "bdb.BdbQuit")
"""What Python says last of a program whose `input()`, or debugger, was given nothing."""


def wanted_input(text: str) -> bool:
    """Tell whether a line says that its program ended for want of input."""
    return text.startswith(_ASKED_FOR_INPUT)


class OutputTail:
    """Follows the target's stdout and stderr and puts their lines into the log."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self._streams = (_Followed("stdout"), _Followed("stderr"))
        self._stopping = Event()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reading = Lock()
        self._reader: ProcessReader | None = None
        self._cpu_s = self._past_cpu_s = 0.0
        self._drains = 0
        self._said_lost = self._said_input = False
        self._over = False
        """All that there will ever be was handed on."""
        self._thread = ProbeThread(log, "the output", self._run, "perftui-output")
        try:
            # Before the target: there is no moment in which nobody empties its pipes.
            self._socket = self._start_drain()
        except OSError as error:
            self._over = True
            for stream in self._streams:
                stream.go_nowhere()
            reason = error.strerror or str(error)
            self._say("warn", f"the target's output is not shown: no process to take it ({reason})")

    @property
    def stdout_fd(self) -> int:
        """Descriptor to start the target with."""
        return self._streams[0].write_fd

    @property
    def stderr_fd(self) -> int:
        """Descriptor to start the target with."""
        return self._streams[1].write_fd

    @property
    def lost_bytes(self) -> int:
        """What the target has written and the log does not hold."""
        return sum(stream.lost_bytes for stream in self._streams)

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process that takes the output."""
        with self._reading:
            if self._reader is not None:
                with suppress(ProcessGone):
                    self._cpu_s = self._reader.fast(0).cpu_s
            return self._past_cpu_s + self._cpu_s

    def _read_cpu_of(self, pid: int | None) -> None:
        """Count the CPU of another process from now on, or of none."""
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if pid is not None:
                self._past_cpu_s += self._cpu_s
                self._cpu_s = 0.0
                with suppress(ProcessGone):
                    self._reader = open_process(pid)

    def start(self) -> None:
        """Begin to follow; the target has been started."""
        for stream in self._streams:
            stream.close_write()
        self._thread.start()

    def stop(self) -> None:
        """Take what is left, then let go: the target goes on writing, to nobody."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        followed = self._thread.ident is not None
        if followed:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_WR)
            self._thread.end(_STOP_S)
        for stream in self._streams:
            stream.close_write()
        killed = self._process is not None and self._process.poll() is not None
        if followed and killed and not self._over:
            # It was killed just now: another one has to hold the pipes when we have gone.
            with suppress(OSError):
                self._spawn(-1)
        for stream in self._streams:
            stream.close_read()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes our thread, should it still wait
            self._socket.close()
        self.cpu_s()  # the last that is counted for us
        self._read_cpu_of(None)
        if self.lost_bytes:
            self._say(
                "info",
                f"{format_bytes(self.lost_bytes)} of the target's output are not in the log: "
                "it wrote faster than can be shown",
            )

    # -- the drain -------------------------------------------------------------------------

    def _start_drain(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._spawn(theirs.fileno())
            except OSError:
                ours.close()
                raise
        return ours

    def _spawn(self, sink_fd: int) -> None:
        read_fds = [stream.read_fd for stream in self._streams]
        process = subprocess.Popen(
            own_script(_DRAIN_FILE, *map(str, read_fds), str(sink_fd)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[*read_fds, *([sink_fd] if sink_fd >= 0 else [])],
            cwd="/",  # it may outlive what we stand in
            start_new_session=True,
        )
        self._process = process
        self._drains += 1
        self._read_cpu_of(process.pid)

    def _replace_drain(self) -> bool:
        """Start another drain in the place of one that was killed; False if there is none now."""
        if self._process is not None:
            self._process.wait()
        if self._drains >= _MOST_DRAINS:
            return False
        try:
            started = self._start_drain()
        except OSError:
            return False
        before, self._socket = self._socket, started
        if before is not None:
            before.close()
        if self._stopping.is_set():
            with suppress(OSError):
                started.shutdown(socket.SHUT_WR)
        self._say("warn", "the process that takes the target's output was killed: some is missing")
        return True

    # -- what it hands on ------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over:
            self._receive()
            if self._over or not self._replace_drain():
                break
        self._log.extend(self._finished(time.monotonic_ns(), quiet_ns=0))

    def _receive(self) -> None:
        """Take frames until the drain says that it was the last, or is gone."""
        assert self._socket is not None
        waiting = bytearray()
        while True:
            pending = any(stream.maker.pending for stream in self._streams)
            self._socket.settimeout(_QUIET_S if pending else None)
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except TimeoutError:
                data = None
            except OSError:
                return
            t_ns = time.monotonic_ns()
            batch: list[Record] = []
            if data is not None:
                waiting += data
                batch += self._frames(waiting, t_ns)
            batch += self._finished(t_ns, round(_QUIET_S * NS_PER_S))
            self._log.extend(batch)
            if self._over or data == b"":
                return

    def _frames(self, waiting: bytearray, t_ns: int) -> list[LogLine]:
        """Take the whole frames off the front of what has come."""
        found: list[LogLine] = []
        while len(waiting) >= drain.HEADER_BYTES:
            length = int.from_bytes(waiting[9:13], "big")
            end = drain.HEADER_BYTES + length
            if len(waiting) < end:
                break
            number, lost = waiting[0], int.from_bytes(waiting[1:9], "big")
            data = bytes(waiting[drain.HEADER_BYTES : end])
            del waiting[:end]
            if number == drain.END:
                self._over = True
                break
            if lost and not self._said_lost:
                self._said_lost = True
                text = "the target writes faster than can be shown: the log says where some is left"
                self._say("info", f"{text} out")
            found += self._streams[number].take(data, lost, t_ns)
        if not self._said_input and any(wanted_input(row.text) for row in found):
            self._said_input = True
            self._say("warn", NO_INPUT)
        return found

    def _finished(self, t_ns: int, quiet_ns: int) -> list[Record]:
        """Return lines that have no end and have been as they are for a while."""
        return [
            LogLine(t_ns, stream.name, stream.maker.take())
            for stream in self._streams
            if stream.maker.pending and stream.rests(t_ns, quiet_ns)
        ]

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))


class _Followed:
    """One stream: its pipe, and its lines."""

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self.name = name
        self.maker = LineMaker()
        self.lost_bytes = 0
        self._heard_ns = self._line_ns = time.monotonic_ns()
        self.read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC)
        with suppress(OSError):  # over the limit of unprivileged users: 64 KiB then
            fcntl.fcntl(self.write_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def take(self, data: bytes, lost_bytes: int, t_ns: int) -> list[LogLine]:
        """Return the lines that are complete now, after one that says what is missing."""
        found: list[LogLine] = []
        if not self.maker.pending:
            self._line_ns = t_ns  # what comes now begins a line
        if lost_bytes:
            self.lost_bytes += lost_bytes
            if self.maker.pending:
                found.append(LogLine(t_ns, self.name, self.maker.take()))
            self.maker.restart()
            left_out = f"[perftui: {format_bytes(lost_bytes)} left out here]"
            found.append(LogLine(t_ns, self.name, left_out))
        found += [LogLine(t_ns, self.name, line) for line in self.maker.feed(data)]
        self._heard_ns = t_ns
        if found or not self.maker.pending:
            self._line_ns = t_ns
        return found

    def rests(self, t_ns: int, quiet_ns: int) -> bool:
        """Tell whether the begun line is to be shown as it is."""
        if t_ns - self._heard_ns >= quiet_ns or t_ns - self._line_ns >= _BAR_EVERY_NS:
            self._line_ns = t_ns
            return True
        return False

    def go_nowhere(self) -> None:
        """Let the target write into the void: nobody would empty the pipe."""
        null_fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null_fd, self.write_fd, inheritable=False)
        os.close(null_fd)

    def close_write(self) -> None:
        """The target has its own."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def close_read(self) -> None:
        """From now on the drain alone holds the pipe."""
        if self.read_fd >= 0:
            os.close(self.read_fd)
            self.read_fd = -1
