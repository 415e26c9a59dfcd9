"""One py-spy recorder: a short recording of one process, read through pipes.

    spawned ──READY──► sampling ──SIGINT──► flushing ──EOF──► reaped

A recorder never outlives its `-d`: should perftui be killed, it ends by itself within seconds,
and since it never stops the target (`--nonblocking`) there is nothing that it could leave behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = "py-spy"
ORIGIN_AFTER_SPAWN_NS = 1_000_000
"""The recorder's clock starts this long after it was spawned."""
_TAIL_BYTES = 2048
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031
_COUNTS = re.compile(r"Samples: (\d+) Errors: (\d+)")

Outcome = Literal[
    "ok",
    "gone",
    "not_python",
    "free_threaded",
    "denied",
    "unsupported",
    "behind",
    "killed",
    "failed",
]


class SamplerMissing(Exception):
    """There is no py-spy to be found; the text says what to do."""


class SpyRecording(NamedTuple):
    """What one recorder left behind."""

    outcome: Outcome
    data: bytes
    """The chrometrace array, empty if nothing was written."""
    samples: int
    errors: int
    cpu_s: float
    t_spawn_ns: int
    t_ready_ns: int | None
    t_end_ns: int
    rate_hz: float
    message: str
    """What it wrote on stderr, the last lines."""

    @property
    def origin_ns(self) -> int:
        """The monotonic moment that `ts` 0 of the data stands for, within a few ms."""
        return self.t_spawn_ns + ORIGIN_AFTER_SPAWN_NS


def find_sampler() -> str:
    """Return the path of py-spy: the one installed with us, else one on PATH.

    Raises:
        SamplerMissing: with a sentence that says what to do.
    """
    name = "py-spy.exe" if sys.platform == "win32" else "py-spy"
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        beside = folder / name
        if os.access(beside, os.X_OK):
            return str(beside)
    found = shutil.which(name)
    if found is None:
        raise SamplerMissing(
            f"py-spy is not installed with {sys.executable}: no stacks; "
            f"install it with: {sys.executable} -m pip install py-spy"
        )
    return found


def classify(returncode: int, stdout: str, stderr: str, *, alive: bool) -> Outcome:
    """Say why a recorder ended.

    Args:
        returncode: As `os.waitstatus_to_exitcode` gives it: -N for signal N.
        stdout: Its status lines.
        stderr: Its error lines.
        alive: Whether the target still lives; py-spy's words for "gone" and "denied" overlap.
    """
    if returncode == 0:
        return "behind" if "behind in sampling" in stdout + stderr else "ok"
    if not alive:
        return "gone"
    if returncode < 0 or returncode == 128 + signal.SIGTERM:
        return "killed"
    if "ermission denied" in stderr.lower() or re.search(r"os error (?:1|13)\b", stderr):
        return "denied"
    if "Unsupported version of Python" in stderr:
        return "unsupported"
    if "Failed to find python version" in stderr or "Failed to find a python interp" in stderr:
        return "not_python"
    if re.search(r"os error (?:2|3)\b", stderr):
        return "gone"
    return "failed"


class SpyRecorder:
    """A running py-spy. All methods are for the one thread that owns it."""

    def __init__(
        self, sampler: str, pid: int, rate_hz: int, longest_s: int, *, native: bool = False
    ) -> None:
        """Spawn it.

        Args:
            sampler: Path of py-spy.
            pid: The process to sample.
            rate_hz: Sweeps per second.
            longest_s: It ends by itself after so many seconds.
            native: Also show native frames; this stops the target for each sample.

        Raises:
            OSError: if it cannot be started.
        """
        self.target = pid
        self.rate_hz = rate_hz
        self.t_ready_ns: int | None = None
        self.t_stop_ns: int | None = None
        self._data = bytearray()
        self._stdout = bytearray()
        self._stderr = bytearray()
        with contextlib.ExitStack() as ours:
            data_r, data_w = _pipe(ours)
            out_r, out_w = _pipe(ours)
            err_r, err_w = _pipe(ours)
            with contextlib.suppress(OSError):
                # Room for a whole flush, so that a recorder hardly ever waits for us.
                fcntl.fcntl(data_w, _F_SETPIPE_SZ, _PIPE_BYTES)
            self.pid = os.posix_spawn(
                sampler,
                _command(sampler, pid, rate_hz, longest_s, native),
                {**os.environ, "RUST_BACKTRACE": "0", "RUST_LOG": ""},
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, out_w, 1),
                    (os.POSIX_SPAWN_DUP2, err_w, 2),
                    (os.POSIX_SPAWN_DUP2, data_w, 3),
                ),
                # Its own group: Ctrl-C in the terminal must not end it before we have our say.
                setpgroup=0,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE),
            )
            self.t_spawn_ns = time.monotonic_ns()
            for fd in (data_w, out_w, err_w):
                os.close(fd)
            ours.pop_all()
        self._buffers = {data_r: self._data, out_r: self._stdout, err_r: self._stderr}
        for fd in self._buffers:
            os.set_blocking(fd, False)

    def open_fds(self) -> Iterator[int]:
        """Yield the pipes that have not reached their end; none are left once it has ended."""
        return iter(tuple(self._buffers))

    @property
    def ended(self) -> bool:
        """True once all pipes are at their end."""
        return not self._buffers

    def read(self, fd: int) -> bool:
        """Take what a pipe holds, never blocking.

        Returns:
            False if this pipe has ended; it is closed then.
        """
        buffer = self._buffers[fd]
        try:
            while chunk := os.read(fd, _PIPE_BYTES):
                buffer += chunk
        except BlockingIOError:
            pass
        else:
            os.close(fd)
            del self._buffers[fd]
            return False
        if self.t_ready_ns is None and b"Sampling process" in self._stdout:
            self.t_ready_ns = time.monotonic_ns()
        del self._stderr[:-_TAIL_BYTES]
        return True

    def stop(self) -> None:
        """Ask it to write what it has (noticed at its next sample)."""
        if self.t_stop_ns is None:
            self.t_stop_ns = time.monotonic_ns()
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once; what it has is lost."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # It has not been waited for, so the id cannot have passed to another process.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def finish(self, *, alive: bool) -> SpyRecording:
        """Wait for it and return what it left; call once, after `ended` or `kill`.

        Args:
            alive: Whether the target still lives.
        """
        for fd in self._buffers:
            os.close(fd)
        self._buffers = {}
        try:
            _, status, usage = os.wait4(self.pid, 0)
        except ChildProcessError:
            # Somebody ignores SIGCHLD in this process: the status is lost, the data are not.
            returncode, cpu_s = (0 if self._data else -signal.SIGKILL), 0.0
        else:
            returncode = os.waitstatus_to_exitcode(status)
            cpu_s = usage.ru_utime + usage.ru_stime
        stdout = self._stdout.decode("utf-8", "replace")
        stderr = self._stderr.decode("utf-8", "replace").strip()
        counts = _COUNTS.search(stdout)
        return SpyRecording(
            outcome=classify(returncode, stdout, stderr, alive=alive),
            data=bytes(self._data),
            samples=int(counts[1]) if counts else 0,
            errors=int(counts[2]) if counts else 0,
            cpu_s=cpu_s,
            t_spawn_ns=self.t_spawn_ns,
            t_ready_ns=self.t_ready_ns,
            t_end_ns=time.monotonic_ns(),
            rate_hz=self.rate_hz,
            message=stderr,
        )


def _command(sampler: str, pid: int, rate_hz: int, longest_s: int, native: bool) -> list[str]:
    return [
        sampler,
        "record",
        "--pid",
        str(pid),
        "--rate",
        str(rate_hz),
        "--duration",
        str(longest_s),
        "--format",
        "chrometrace",
        "--threads",
        "--idle",
        "--full-filenames",
        "--native" if native else "--nonblocking",
        "--output",
        "/dev/fd/3",
    ]


def _pipe(owner: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe whose write end is clear of the low numbers that the child will use."""
    reader, low = os.pipe()
    writer = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(low)
    owner.callback(os.close, reader)
    owner.callback(os.close, writer)
    return reader, writer
