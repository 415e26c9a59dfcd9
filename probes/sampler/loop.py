"""The process: commands in, sweeps, blocks out.

    start.py [--rate HZ] [--budget SHARE] [--no-follow] [PID ...]

Commands, a line each: `add PID` (what it used before does not count), `born PID` (it does),
`remove PID`, `rate HZ`. The end of standard input ends the sampler.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time

from . import stream
from .cpython.names import Names
from .family import Family
from .memory import keep_what_is_freed
from .pace import BUDGET, Pace
from .stream import Writer
from .threads import allow_files
from .urgency import ask_to_be_woken_on_time
from .wake import wake

_FLUSH_NS, _FLUSH_LATER_NS, _EARLY_NS = 50_000_000, 100_000_000, 5_000_000_000
"""The first stacks are waited for; later ones are taken twice a second."""
_DEAF_NS, _DEAF_LATER_NS = 30_000_000, 90_000_000
"""So long commands may lie, the later ones longer: to wait for the clock alone is cheaper."""
_SECOND_NS = 1_000_000_000
_MOST_LINE = 4096


class Sampler:
    """Everything, put together."""

    def __init__(self, rate_hz: float, budget: float, follow: bool, out_fd: int) -> None:
        self.writer = Writer(out_fd)
        self.family = Family(Names(self.writer), self.writer, follow)
        self.pace = Pace(rate_hz, budget)
        self._input = b""
        self._since_ns = self._flushed_ns = time.monotonic_ns()
        self._early_until_ns = self._since_ns + _EARLY_NS
        self._flush_every_ns = _FLUSH_NS
        self.deaf_ns = _DEAF_NS
        """Commands need not be looked for more often."""
        self._cpu_ns = time.process_time_ns()
        self._sweeps = 0
        self._page = os.sysconf("SC_PAGESIZE")
        self.writer.block(stream.HELLO, stream.HELLO_FIELDS.pack(stream.VERSION, self._since_ns))

    def command(self, line: bytes) -> None:
        """Carry out one line; what cannot be understood is left alone."""
        word, _, argument = line.strip().partition(b" ")
        try:
            if word == b"add":
                self._flush_every_ns, self.deaf_ns = _FLUSH_NS, _DEAF_NS
                self._early_until_ns = time.monotonic_ns() + _EARLY_NS
                self.family.add(int(argument))
            elif word == b"born":
                self.family.add(int(argument), born=True)
            elif word == b"remove":
                self.family.remove(int(argument))
            elif word == b"rate":
                rate_hz = float(argument)
                if 0.1 <= rate_hz <= 10_000:
                    self.pace.set_wanted(rate_hz)
        except ValueError:
            pass

    def listen(self, fd: int) -> bool:
        """Take commands that have come; return False at the end of the input."""
        raw = os.read(fd, 1 << 16)
        if not raw:
            return False
        *lines, self._input = (self._input + raw).split(b"\n")
        self._input = self._input[-_MOST_LINE:]
        for line in lines:
            self.command(line)
        return True

    def turn(self) -> int:
        """One sweep and what is due beside it; return how long to sleep, in ns."""
        self.family.sweep()
        self._sweeps += 1
        now = time.monotonic_ns()
        if now - self._since_ns >= _SECOND_NS:
            self._end_second(now)
        if now - self._flushed_ns >= self._flush_every_ns:
            self._flushed_ns = now
            self.writer.flush()
            now = time.monotonic_ns()
        return self.pace.wait_ns(now)

    def _end_second(self, now: int) -> None:
        cpu_ns = time.process_time_ns()
        used = cpu_ns - self._cpu_ns
        with open("/proc/self/statm", "rb") as file:
            rss = int(file.read().split()[1]) * self._page
        self.family.end_second()
        fields = (
            self._since_ns,
            now,
            self._sweeps,
            self.pace.late,
            self.writer.dropped,
            used,
            rss,
            self.pace.rate_hz,
            len(self.family.targets),
            self.family.unseen,
        )
        self.writer.block(stream.QUALITY, stream.QUALITY_FIELDS.pack(*fields))
        share = used / (now - self._since_ns)
        why = self.pace.second(share)
        if why:
            fields_of_pace = stream.PACE_FIELDS.pack(now, self.pace.rate_hz, share)
            self.writer.block(stream.PACE, fields_of_pace + why.encode())
        if now > self._early_until_ns:
            self._flush_every_ns, self.deaf_ns = _FLUSH_LATER_NS, _DEAF_LATER_NS
        self._since_ns, self._cpu_ns = now, cpu_ns
        self._sweeps = self.pace.late = self.writer.dropped = self.family.unseen = 0

    def end(self) -> None:
        """Say the last words, for as long as the reader takes them."""
        self._end_second(time.monotonic_ns())
        self.family.close()
        deadline = time.monotonic() + 1
        self.writer.flush()
        while self.writer.pending and not self.writer.closed and time.monotonic() < deadline:
            time.sleep(0.005)
            self.writer.flush()


def main(arguments: list[str]) -> int:
    """Sample until standard input ends."""
    rate_hz, budget, follow = 100.0, BUDGET, True
    pids = []
    rest = iter(arguments)
    try:
        for argument in rest:
            if argument == "--rate":
                rate_hz = float(next(rest))
            elif argument == "--budget":
                budget = float(next(rest))
            elif argument == "--no-follow":
                follow = False
            else:
                pids.append(int(argument))
    except (ValueError, StopIteration):
        sys.stderr.write("usage: start.py [--rate HZ] [--budget SHARE] [--no-follow] [PID ...]\n")
        return 2
    allow_files()
    keep_what_is_freed()
    ask_to_be_woken_on_time()
    os.set_blocking(1, False)
    sampler = Sampler(rate_hz, budget, follow, 1)
    for pid in pids:
        sampler.family.add(pid)
    sampler.writer.flush()
    gc.collect()
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a collection would be a hole between two sweeps
    sleep_ns = heard_ns = 0
    try:
        while not sampler.writer.closed:
            now = time.monotonic_ns()
            if sleep_ns > sampler.deaf_ns or now - heard_ns > sampler.deaf_ns:
                heard_ns = now
                readable, _, _ = select.select([0], [], [], sleep_ns / 1e9)
            else:
                readable = []
                time.sleep(sleep_ns / 1e9)
            wake.woken(0 if readable else now + sleep_ns)
            if readable and not sampler.listen(0):
                break
            sleep_ns = sampler.turn()
    except KeyboardInterrupt:
        pass
    sampler.end()
    return 0
