"""The process between a target's output and the screen: it takes all, and hands on what is wanted.

    python -I -S -E output_drain.py OUT ERR SINK

OUT and ERR are the read ends of the target's pipes, SINK is a socket to perftui, or -1. It runs
as a file, from the standard library alone and with as little of that as can be: it lives as long
as anybody holds the pipes, also when perftui was killed, and must then cost nothing.

- What arrives is read at once, whatever perftui does: stopped, starved, dead. The target waits
  for this process alone, as it would wait for a terminal.
- What is handed on is bounded by an allowance per second; beyond it the newest is kept, the rest
  is left out and counted.
- When SINK ends (perftui has gone) the pipes are spliced into /dev/null until they end.
- When perftui says that it is leaving (its end of SINK is shut for writing) what is there is
  handed on, and then the same.

On SINK each frame is: stream (1 byte: 0 stdout, 1 stderr, 255 the end), bytes left out before it
(8 bytes), length (4 bytes), data; big-endian. `output` reads them.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

READ_BYTES = 256 * 1024
HOLD_BYTES = 1024 * 1024
"""So much of a stream may wait to be handed on."""
KEEP_BYTES = 64 * 1024
"""So much of the newest stays when more than that waits."""
FRAME_BYTES = 64 * 1024
ALLOWANCE_PER_S = 512 * 1024
ALLOWANCE_MOST = 4 * 1024 * 1024
"""A burst of some ten thousand lines is handed on whole."""
LINE_COSTS_BYTES = 100
"""A line is worth so many bytes of the allowance: perftui's work is by line more than by byte."""
SEND_EVERY_S = 0.05
"""Small pieces are gathered for so long: perftui is not to be woken for every line."""
PAUSE_S = 0.005
"""The same for this process; pipes hold far more than arrives in it, or it is not taken."""
FINISH_S = 2.0
"""perftui has so long to take the last of it."""
FINISH_BYTES = 16 * 1024 * 1024
HEADER_BYTES = 13
END = 255

_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGALRM")


def frame(stream: int, lost_bytes: int, data: bytes) -> bytes:
    """Return the bytes of one frame."""
    head = bytes((stream,)) + lost_bytes.to_bytes(8, "big") + len(data).to_bytes(4, "big")
    return head + data


class Stream:
    """One pipe of the target, and what of it waits to be handed on."""

    def __init__(self, number: int, fd: int) -> None:
        self.number = number
        self.fd = fd
        self.held = bytearray()
        self.lost_bytes = 0
        """Left out before what is held."""
        self._allowance = float(ALLOWANCE_MOST)
        self._refilled_s = 0.0

    @property
    def waits(self) -> bool:
        """True if there is something to hand on."""
        return bool(self.held or self.lost_bytes)

    def take(self, data: memoryview) -> None:
        """Hold what was read; if that is too much, the newest of it."""
        self.held += data
        if len(self.held) > HOLD_BYTES:
            self.shorten()

    def shorten(self) -> None:
        """Let go of all but the newest, from the begin of a line if there is one."""
        cut = len(self.held) - KEEP_BYTES
        if cut > 0:
            line = self.held.find(b"\n", cut)
            cut = cut if line < 0 else line + 1
            del self.held[:cut]
            self.lost_bytes += cut

    def delay_s(self, now_s: float) -> float:
        """Return how long the allowance makes the next frame wait, 0 if it does not."""
        more = (now_s - self._refilled_s) * ALLOWANCE_PER_S
        self._allowance = min(self._allowance + more, ALLOWANCE_MOST)
        self._refilled_s = now_s
        return max((FRAME_BYTES - self._allowance) / ALLOWANCE_PER_S, 0.0)

    def next_frame(self) -> bytes:
        """Return what is to be handed on next: whole lines, unless there is only a part of one."""
        end = self.held.rfind(b"\n", 0, FRAME_BYTES) + 1
        data = bytes(self.held[: end or FRAME_BYTES])
        del self.held[: len(data)]
        self._allowance -= len(data) + LINE_COSTS_BYTES * data.count(b"\n")
        made = frame(self.number, self.lost_bytes, data)
        self.lost_bytes = 0
        return made


class Drain:
    """Takes from the pipes until they end; `sink_fd` may be gone, or go, at any time."""

    def __init__(self, out_fd: int, err_fd: int, sink_fd: int) -> None:
        self._streams = {fd: Stream(number, fd) for number, fd in enumerate((out_fd, err_fd))}
        self._all = tuple(self._streams.values())
        self._sink_fd = sink_fd
        self._outgoing = b""
        self._due_s = 0.0
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._null_fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        for fd in self._streams:
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)
        if sink_fd >= 0:
            os.set_blocking(sink_fd, False)
            self._poll.register(sink_fd, select.POLLIN)

    def run(self) -> None:
        """Return when nobody can write any more, and all was handed on."""
        while self._streams or (self._sink_fd >= 0 and (self._outgoing or self._waiting())):
            ready = self._poll.poll(self._timeout_ms())
            most = 0
            for fd, event in ready:
                if fd == self._sink_fd:
                    if event & ~select.POLLOUT:
                        self._finish()
                elif fd in self._streams:
                    most = max(most, self._read(fd))
            if self._sink_fd >= 0:
                self._send(time.monotonic())
            if ready and most < READ_BYTES // 4:
                time.sleep(PAUSE_S)
        if self._sink_fd >= 0:
            self._outgoing = frame(END, 0, b"")
            self._push()

    def _waiting(self) -> list[Stream]:
        return [stream for stream in self._all if stream.waits]

    def _timeout_ms(self) -> float | None:
        """Return how long nothing needs to be done unless something arrives; None: for ever."""
        waiting = self._waiting()
        if self._sink_fd < 0 or self._outgoing or not waiting:
            return None
        now_s = time.monotonic()
        pause_s = max(min(stream.delay_s(now_s) for stream in waiting), self._due_s - now_s)
        return max(pause_s * 1000.0, 1.0)

    def _read(self, fd: int) -> int:
        """Take what a pipe holds, 0 if that was nothing; forget the pipe at its end."""
        try:
            if self._sink_fd < 0:
                taken = self._discard(fd)
            else:
                taken = os.readv(fd, [self._buffer])
                self._streams[fd].take(self._view[:taken])
        except BlockingIOError:
            return 0
        except OSError:
            taken = 0
        if not taken:
            self._poll.unregister(fd)
            os.close(fd)
            del self._streams[fd]
        return taken

    def _discard(self, fd: int) -> int:
        """Throw away what a pipe holds, without looking at it where the system can do that."""
        if hasattr(os, "splice"):
            return os.splice(fd, self._null_fd, 1 << 20)
        return os.readv(fd, [self._buffer])

    # -- to perftui ------------------------------------------------------------------------

    def _send(self, now_s: float) -> None:
        """Hand on what is allowed now, never waiting."""
        if self._outgoing and not self._push():
            return
        for stream in self._all:
            while stream.waits and not stream.delay_s(now_s):
                if now_s < self._due_s and len(stream.held) < FRAME_BYTES:
                    break
                self._outgoing = stream.next_frame()
                if not self._push():
                    self._due_s = now_s + SEND_EVERY_S
                    return
                if len(stream.held) < FRAME_BYTES:
                    break  # the begin of a line: the rest may come before it is due
        if now_s >= self._due_s:
            self._due_s = now_s + SEND_EVERY_S

    def _push(self) -> bool:
        """Write what goes out; True if all of it went."""
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[os.write(self._sink_fd, self._outgoing) :]
        except BlockingIOError:
            self._poll.modify(self._sink_fd, select.POLLIN | select.POLLOUT)
            return False
        except OSError:
            self._drop_sink()
            return False
        self._poll.modify(self._sink_fd, select.POLLIN)
        return True

    def _finish(self) -> None:
        """perftui leaves, or has gone: hand on the last of it."""
        for fd in tuple(self._streams):
            taken = 0
            # Who writes faster than we read must not keep us here.
            while fd in self._streams and taken < FINISH_BYTES:
                read = self._read(fd)
                taken += read
                if not read:
                    break
        now_s = time.monotonic()
        for stream in self._all:
            while stream.waits and not stream.delay_s(now_s):
                self._outgoing += stream.next_frame()
            stream.shorten()
            if stream.waits:
                self._outgoing += stream.next_frame()
        self._outgoing += frame(END, 0, b"")
        end_s = now_s + FINISH_S
        while self._sink_fd >= 0 and self._outgoing and time.monotonic() < end_s:
            if not self._push() and self._sink_fd >= 0:
                waiting = select.poll()
                waiting.register(self._sink_fd, select.POLLOUT)
                waiting.poll(100)
        self._drop_sink()

    def _drop_sink(self) -> None:
        if self._sink_fd >= 0:
            self._poll.unregister(self._sink_fd)
            os.close(self._sink_fd)
        self._sink_fd = -1
        self._outgoing = b""
        for stream in self._all:
            stream.held.clear()


def main(words: list[str]) -> None:
    """Run as a process."""
    for name in _IGNORED:  # who ended this process would end the target's output
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    Drain(*map(int, words)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
