"""One process: can it be read, is there anything new, and is it still the same program?"""

from __future__ import annotations

import os
import struct
import time

from . import stream
from .cpython.elf import find_runtime
from .cpython.identity import Gone, Identity
from .cpython.layout import Refused
from .cpython.names import Names
from .look import Look
from .memory import Memory
from .roster import Roster
from .runtime import Runtime
from .stream import Writer
from .tally import SecondTally
from .threads import KernelThread

_UNEXPLAINED_NS = 20_000
_WORTH_A_QUESTION_NS = 5_000
"""CPU whose user is not known before each thread that sleeps is asked (which takes 2 µs): where
threads live for milliseconds there is always some, used by those that have ended."""
_LIST_EVERY = 4
_IDENTITY_EVERY = 25
_REMAP_EVERY = 64
_CHILDREN_EVERY = 64
"""A thread that ends leaves its children to another one, which need not run for that."""
_BAD_SWEEPS = 3
_FIRST_PATIENCE_NS, _MOST_PATIENCE_NS = 5_000_000, 2_000_000_000
_NOT_PYTHON_AFTER_NS = 300_000_000
_CHECK_FAILED_AFTER = 40

_clock = time.clock_gettime_ns
_now = time.monotonic_ns


class SampledProcess:
    """A process that is sampled, or of which we know why not.

    Raises:
        OSError: there is no such process.
    """

    def __init__(
        self,
        pid: int,
        index: int,
        names: Names,
        writer: Writer,
        *,
        born: bool,
        schedstat: str = "schedstat",
    ) -> None:
        self.pid = pid
        self.index = index
        self._names = names
        self._writer = writer
        self._roster = Roster(pid, index, writer, born, schedstat)
        self._memory = Memory(pid)
        self._clock_id = (~pid << 3) | 2
        self.status = -1
        self.reason = ""
        self.version = 0
        self._begin_ns = self._resolve_at_ns = _now()
        self._patience_ns = _FIRST_PATIENCE_NS
        self._identity = Identity(pid)
        self._clock_ns = -1
        self._known_ns = 0
        self._sweeps = 0
        self._bad = 0
        self._tries = 0
        self._tally = SecondTally()
        self.first_clock_ns = 0 if born else self.clock()
        self._python: Runtime | None = None
        self._look: Look | None = None
        self._say(stream.RESOLVING)

    # ---- the process as a whole

    def clock(self) -> int:
        """Return the CPU time of the whole process so far, 0 if the kernel does not tell.

        Raises:
            Gone: it has ended.
        """
        try:
            return _clock(self._clock_id)
        except OSError as error:
            if error.errno == 22 and os.path.exists(f"/proc/{self.pid}/stat"):
                return 0
            raise Gone from None

    def close(self) -> None:
        """Give everything back and say that it has gone."""
        self._roster.close()
        self.end_second(_now())
        self._say(stream.GONE)

    def _say(self, status: int, reason: str = "") -> None:
        if (status, reason) == (self.status, self.reason):
            return
        self.status, self.reason = status, reason
        fields = (self.index, self.pid, _now(), status, self.version)
        self._writer.block(
            stream.PROCESS, stream.PROCESS_FIELDS.pack(*fields) + stream.text(reason)
        )

    def end_second(self, now: int) -> None:
        """Write the tally."""
        try:
            clock = self.clock()
        except Gone:
            clock = self._clock_ns
        self._tally.write(self._writer, self.index, now, clock - self.first_clock_ns)

    def children(self, all_of_them: bool) -> set[int]:
        """Return the processes that it has started: by `all_of_them`, or by those who ran."""
        due = self._sweeps % _CHILDREN_EVERY == 0
        return self._roster.children(all_of_them or due or self._python is None)

    # ---- what kind of process is it

    def _resolve(self, now: int) -> None:
        """Find out how to read it; says so, or why not."""
        self._resolve_at_ns = now + self._patience_ns
        self._patience_ns = min(2 * self._patience_ns, _MOST_PATIENCE_NS)
        try:
            self._identity = Identity(self.pid)
            if self._identity.state in (b"Z", b"X"):
                raise Gone
            found = find_runtime(self._memory)
            if found is None:
                if now - self._begin_ns > _NOT_PYTHON_AFTER_NS:
                    self._say(stream.REFUSED, "not-python")
                return
            self.version = found.version
            python = Runtime(self._memory, self._names, found)
            self._bad = self._tries = 0
            python.map(self._roster.threads)
            self._python = python
            self._look = Look(self._memory, python, self._roster, self._tally, self._writer)
        except Refused as refused:
            self._say(stream.REFUSED, str(refused))
            self._resolve_at_ns = now + _MOST_PATIENCE_NS
        except (OSError, struct.error) as error:
            self._forget_python()
            if isinstance(error, OSError) and error.errno in (1, 13):
                self._say(stream.REFUSED, "no-right")

    def _forget_python(self) -> None:
        self._python = self._look = None

    def _become(self, now: int) -> None:
        """It has become another program."""
        self._forget_python()
        self._begin_ns = now
        self._patience_ns = _FIRST_PATIENCE_NS
        for thread in self._roster.threads.values():
            thread.guess, thread.known_guess = None, []
        self._say(stream.RESOLVING)
        self._resolve(now)

    def _same_program(self) -> bool:
        try:
            identity = Identity(self.pid)
        except OSError:
            raise Gone from None
        if identity.begin_ticks != self._identity.begin_ticks or identity.state in (b"Z", b"X"):
            if identity.state in (b"Z", b"X") and len(self._roster.threads) > 1:
                return True  # only its first thread has ended
            raise Gone
        return identity.image == self._identity.image

    # ---- a sweep

    def rests(self) -> bool:
        """Tell whether a sweep would find nothing: it has used no CPU and none of it was awake."""
        if self._roster.hot:
            return False
        try:
            if _clock(self._clock_id) != self._clock_ns or not self._clock_ns:
                return False
        except OSError:
            return False
        self._tally.sweeps += 1
        return True

    def sweep(self, now: int) -> bool:
        """Sample it if there is anything new; return whether there was.

        Raises:
            Gone: it has ended.
        """
        clock = self.clock()
        ran = clock != self._clock_ns or clock == 0
        self._clock_ns = clock
        self._sweeps += 1
        self._tally.sweeps += 1
        roster = self._roster
        if not ran and not roster.hot:
            return False
        if self._sweeps % _LIST_EVERY == 0 or not roster.threads:
            self._notice(now, ran)
        if self._python is None and ran and now >= self._resolve_at_ns:
            self._resolve(now)
        python, look = self._python, self._look
        if python is None or look is None:
            roster.cool()
            for thread in roster.hot:
                thread.cold += 1
            return ran
        python.begin(roster.threads)
        stand: list[KernelThread] = []
        used = look.threads(now, roster.awake(stand), None)
        self._judge(now, look)
        if stand:
            look.stand(now, stand)
        if ran and self._look is look:
            self._known_ns += used
            others = len(roster.threads) - len(roster.hot)
            worth_ns = max(_UNEXPLAINED_NS, others * _WORTH_A_QUESTION_NS)
            if clock - self._known_ns > worth_ns or clock == 0:
                self._known_ns = clock
                woken, usage = roster.woken()
                if woken:
                    look.threads(now, woken, usage)
                    roster.hot += woken
                    self._judge(now, look)
        if self._sweeps % _LIST_EVERY == 0:
            roster.cool()
        return True

    def _notice(self, now: int, ran: bool) -> None:
        """Look for threads that came or went, another program, and asyncio."""
        listed = self._roster.look()
        python = self._python
        if python is not None:
            for native in self._roster.ended:
                python.interpreters.forget(native)
            if listed or python.stale:
                python.stale = False
                self._map(python, whole=False)
        self._roster.ended.clear()
        if ran and self._sweeps % _IDENTITY_EVERY < _LIST_EVERY and not self._same_program():
            self._become(now)
            python = self._python
        if python is None:
            return
        if python.interpreters.unbound:
            self._map(python, whole=False)
        elif python.lost or (
            self._sweeps % _REMAP_EVERY < _LIST_EVERY
            and any(thread.guess is None for thread in self._roster.hot)
        ):
            python.lost = False
            self._map(python, whole=True)
        python.find_tasks(now)

    def _map(self, python: Runtime, whole: bool) -> None:
        try:
            python.map(self._roster.threads, whole)
        except OSError:
            self._bad += 1

    def _judge(self, now: int, look: Look) -> None:
        """Believe in the layout, or not."""
        if look.good:
            self._bad = 0
            if self.status != stream.SAMPLED and self._python is not None and self._python.named:
                self._say(stream.SAMPLED)
        elif look.attempted:
            self._bad += 1
            self._tries += 1
            if self._bad >= _BAD_SWEEPS and now >= self._resolve_at_ns:
                if not self._same_program():
                    self._become(now)
                elif self._tries > _CHECK_FAILED_AFTER and self.status != stream.SAMPLED:
                    self._forget_python()
                    self._say(stream.REFUSED, "check-failed")
                    self._resolve_at_ns = now + _MOST_PATIENCE_NS
                else:
                    self._roster.doubt()
                    self._resolve_at_ns = now + self._patience_ns
