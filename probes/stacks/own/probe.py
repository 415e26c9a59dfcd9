"""`OwnStackProbe`: the sampler's process and the thread that takes its stream into the log."""

from __future__ import annotations

import contextlib
import os
import select
import time
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Notice
from perftui.probes.spine.wakes import until_next_s
from perftui.probes.stacks import procfs
from perftui.probes.stacks.own.decode import DamagedStream
from perftui.probes.stacks.own.holding import Holding
from perftui.probes.stacks.own.in_motion import InMotion
from perftui.probes.stacks.own.records import PaceChange, ProcessRecord, Sample, Tally
from perftui.probes.stacks.own.source import OwnSampler
from perftui.probes.stacks.thread_names import ThreadNames
from perftui.probes.stacks.used_cpu import UsedCpu
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perftui.probes.spine.log import SessionLog
    from perftui.probes.stacks.own.records import OwnRecord

_TELL_EVERY_S = 0.5
"""Stacks are told right before a picture is drawn: more often is for nobody."""
_TELL_EARLY_S, _EARLY_NS = 0.2, 5 * NS_PER_S
"""The first pictures come more often than that, for so long."""
_EAGER_S = 0.01
"""Until the first stack has come: a program may be waiting for it."""
_LOOK_EVERY_S = 0.25
_SILENT_S = 0.4
_END_S = 2.0


class OwnStackProbe:
    """Samples a process and all that it starts."""

    def __init__(
        self,
        log: SessionLog,
        pid: int,
        pids: Callable[[], Collection[int]],
        *,
        born: bool,
        rate_hz: float = 100,
        on_stack: Callable[[], None],
        on_news: Callable[[ProcessRecord], None],
        on_broken: Callable[[str], None],
        names: ThreadNames | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            log: Where the records go.
            pid: The target itself.
            pids: Gives the processes of the tree that live now; called on the probe's thread.
            born: The target began in this session: all that it has used counts.
            rate_hz: Sweeps per second that are aimed at.
            on_stack: Called once, with the first good stack of the target. This and the others
                are called on the probe's thread.
            on_news: Called when a process is sampled from now on, or is refused.
            on_broken: Called with the reason if the sampler ends before it is told to.
            names: Tells Python's names of threads; None: py-spy is asked.
        """
        self._log = log
        self._pid = pid
        self._pids = pids
        self._born = born
        self._rate_hz = rate_hz
        self._on_stack: Callable[[], None] | None = on_stack
        self._on_news = on_news
        self._on_broken = on_broken
        self._names = ThreadNames(log) if names is None else names
        self._in_motion = InMotion()
        self._holding = Holding(log.tree, pid, self._names)
        self._known: set[int] = {pid}
        self._silent_since_s: float | None = time.monotonic()
        """When the target began to be looked at; None once it is known what it is."""
        self._before: UsedCpu | None = None
        """Of a target that ran before us: what it uses until the sampler has found it."""
        self._sampler: OwnSampler | None = None
        self._stopping = Event()
        self._wake_r, self._wake_w = os.pipe()
        self._thread = ProbeThread(log, "stacks", self._run, "stacks")

    def start(self) -> None:
        """Start the sampler and take its stream on a thread of its own.

        Raises:
            OSError: it cannot be started.
        """
        self._before = None if self._born else UsedCpu(self._pid, born=False)
        sampler = self._sampler = self._begun()
        sampler.add(self._pid, born=self._born)
        os.set_blocking(sampler.fileno(), False)
        self._thread.start()

    def _begun(self) -> OwnSampler:
        """Return a sampler that runs."""
        return OwnSampler((), rate_hz=self._rate_hz)

    def _now_ns(self) -> int:
        """Return up to when the stream has told all, but for what is on its way."""
        return time.monotonic_ns()

    def take_at(self, rate_hz: float) -> None:
        """Aim at another rate from now on."""
        sampler = self._sampler
        if sampler is not None:
            sampler.tell(f"rate {rate_hz:g}")

    def stop(self) -> None:
        """Take what is left out of the sampler, and return when all has ended."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            os.write(self._wake_w, b"x")
        self._thread.end()
        self._names.stop()
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None
            os.close(self._wake_r)
            wake_w, self._wake_w = self._wake_w, -1
            os.close(wake_w)

    def _run(self) -> None:
        sampler = self._sampler
        assert sampler is not None
        begun_ns = time.monotonic_ns()
        looked_s = time.monotonic()
        broken = None
        while not self._stopping.is_set():
            if self._on_stack is not None:
                select.select([sampler.fileno(), self._wake_r], [], [], _EAGER_S)
            else:
                now_ns = time.monotonic_ns()
                early = now_ns - begun_ns < _EARLY_NS
                pause_s = until_next_s(now_ns, _TELL_EARLY_S if early else _TELL_EVERY_S)
                select.select([self._wake_r], [], [], pause_s)
            broken = self._read(sampler)
            if broken is not None:
                break
            self._tell()
            if time.monotonic() - looked_s >= _LOOK_EVERY_S:
                looked_s = time.monotonic()
                self._look(sampler)
        sampler.ask_to_end()
        if broken is None:
            self._read_to_end(sampler)
        self._log.extend(self._holding.finish(self._now_ns()))
        if broken is not None and not self._stopping.is_set():
            self._on_broken(broken)

    def _read(self, sampler: OwnSampler) -> str | None:
        """Take what has come; return why nothing more will."""
        while True:
            try:
                records = sampler.read()
            except BlockingIOError:
                return None
            except (DamagedStream, OSError) as error:
                return f"its stream is damaged: {error}"
            if records is None:
                return "its process has ended"
            self._take(records, sampler)

    def _read_to_end(self, sampler: OwnSampler) -> None:
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline:
            if self._read(sampler) is not None:
                return
            select.select([sampler.fileno()], [], [], 0.1)

    def _take(self, records: list[OwnRecord], sampler: OwnSampler) -> None:
        self._holding.take(records, sampler.generation)
        for record in records:
            if type(record) is Sample:  # nearly all of them
                first = self._on_stack is not None and record.stack is not None
                if first and record.thread.process.pid == self._pid:
                    self._ready()
            elif isinstance(record, ProcessRecord):
                if record.pid == self._pid and self._before is not None:
                    window = self._before.unsampled_until(record.t_ns)
                    self._before = None
                    if window is not None:
                        self._log.append(window)
                if record.status == "gone":
                    self._known.discard(record.pid)
                    self._in_motion.forget(record.index)
                else:
                    self._known.add(record.pid)
                    if record.status in ("sampled", "refused"):
                        if record.pid == self._pid:
                            self._silent_since_s = None
                        self._on_news(record)
            elif isinstance(record, PaceChange):
                self._log.append(Notice(record.t_ns, "info", record.text))
            elif isinstance(record, Tally) and (text := self._in_motion.take(record)):
                self._log.append(Notice(record.t1_ns, "warn", text))

    def _ready(self) -> None:
        if self._on_stack is not None:
            call, self._on_stack = self._on_stack, None
            call()

    def _tell(self) -> None:
        records = self._holding.tell(self._now_ns())
        if records:
            self._log.extend(records)

    def _look(self, sampler: OwnSampler) -> None:
        """Name processes of the tree that the sampler has not found by itself."""
        since_s = self._silent_since_s
        silent = since_s is not None and time.monotonic() - since_s > _SILENT_S
        # The sampler looks again at what runs: of a program that sleeps it says nothing.
        if silent and procfs.looks_python(self._pid) is False:
            self._silent_since_s = None
            now = time.monotonic_ns()
            self._on_news(ProcessRecord(now, 0, self._pid, "refused", "not-python", 0))
        for pid in set(self._pids()) - self._known:
            self._known.add(pid)
            sampler.add(pid, born=True)
