"""`FamilyStackProbe`: stacks of every Python process of the target's tree.

Who belongs to the tree is somebody else's knowledge (a callable gives the pids); this probe
keeps one relay per Python process and shares the stack rate among them.
"""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Notice
from perftui.probes.stacks import procfs
from perftui.probes.stacks.relay import StackProbe
from perftui.probes.stacks.used_cpu import UsedCpu
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perftui.probes.spine.log import SessionLog

_LOOK_EVERY_S = 0.25
_LEAST_HZ = 20.0


class FamilyStackProbe:
    """One `StackProbe` per Python process of a tree, the first one's from the start."""

    def __init__(
        self,
        log: SessionLog,
        pid: int | None,
        pids: Callable[[], Collection[int]],
        *,
        rate_hz: float = 100,
        window_s: float = 1.0,
        native: bool = False,
        most: int = 8,
        on_ready: Callable[[], None] | None = None,
        sampler: str | None = None,
        counts_cpu: bool = True,
        born: bool = True,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            log: Where the records go.
            pid: The target itself, sampled whatever it looks like; None if another samples it.
            pids: Gives the processes of the tree that live now; called on the probe's thread.
            rate_hz: Sweeps per second, shared: with n processes each gets rate / n, at least 20.
            window_s: See `StackProbe`.
            native: See `StackProbe`.
            most: So many processes are sampled at once; the others wait for a place.
            on_ready: See `StackProbe`; about the target itself.
            sampler: Path of py-spy, found by itself if None.
            counts_cpu: Nobody else tells the CPU of the processes, for the coverage.
            born: The target began in this session: all that it has used counts.
        """
        self._log = log
        self._pid = pid
        self._pids = pids
        self._rate_hz = rate_hz
        self._window_s = window_s
        self._native = native
        self._most = most
        self._sampler = sampler
        self._counts_cpu = counts_cpu
        self._released: set[int] = set()
        self._unsampled: dict[int, UsedCpu] = {}
        self._born = born
        self._probes: dict[int, StackProbe] = {}
        if pid is not None:
            self._probes[pid] = self._probe(pid, rate_hz, on_ready)
        self._said_full = False
        self._wake = Event()
        self._thread = ProbeThread(
            log, "stacks of further processes", self._run, "stacks of the tree"
        )

    def start(self) -> None:
        """Begin to sample the target, and look for others on a thread of its own."""
        if self._pid is not None:
            self._probes[self._pid].start()
        self._thread.start()

    def stop(self) -> None:
        """Stop all relays, each with its last window."""
        self._wake.set()
        self._thread.end()
        enders = [
            ProbeThread(self._log, f"stacks of process {pid}", probe.stop, "perftui-end")
            for pid, probe in self._probes.items()
        ]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.end()
        self._probes.clear()

    def renew(self, pid: int) -> None:
        """A process has become another program by exec."""
        probe = self._probes.get(pid)
        if probe is not None:
            probe.renew()

    def release(self, pid: int) -> None:
        """Another sampler has taken a process over."""
        self._released.add(pid)

    @property
    def sampled(self) -> tuple[int, ...]:
        """The processes that have a relay now."""
        return tuple(self._probes)

    def _probe(
        self, pid: int, rate_hz: float, on_ready: Callable[[], None] | None = None
    ) -> StackProbe:
        return StackProbe(
            self._log,
            pid,
            rate_hz=rate_hz,
            window_s=self._window_s,
            native=self._native,
            on_ready=on_ready,
            sampler=self._sampler,
            cpu=self._unsampled.pop(pid, None) or self._used_cpu(pid),
        )

    def _used_cpu(self, pid: int) -> UsedCpu:
        born = self._born or pid != self._pid
        return UsedCpu(pid, born=born, counted=self._counts_cpu)

    def _run(self) -> None:
        while not self._wake.wait(_LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        """Drop relays that have ended, start those that are missing, share the rate."""
        before = len(self._probes)
        for pid, probe in list(self._probes.items()):
            if probe.finished or pid in self._released:
                self._probes.pop(pid).stop()
        self._released.clear()
        living = set(self._pids())
        missing = [
            pid for pid in sorted(living - self._probes.keys()) if procfs.looks_python(pid) is True
        ]
        room = self._most - len(self._probes)
        started = missing[: max(room, 0)]
        if len(missing) > len(started) and not self._said_full:
            self._said_full = True
            text = f"stacks of {self._most} processes at once; further ones wait for a place"
            self._log.append(Notice(time.monotonic_ns(), "info", text))
        if self._counts_cpu:
            self._count_unsampled(living - self._probes.keys() - set(started))
        rate_hz = self._share(len(self._probes) + len(started))
        for pid in started:
            self._probes[pid] = self._probe(pid, rate_hz)
            self._probes[pid].start()
        if len(self._probes) != before or started:
            for probe in self._probes.values():
                probe.set_rate(rate_hz)

    def _count_unsampled(self, pids: set[int]) -> None:
        """Tell what CPU the processes use that nobody samples."""
        now = time.monotonic_ns()
        for pid in pids - self._unsampled.keys():
            self._unsampled[pid] = self._used_cpu(pid)
        for pid, cpu in list(self._unsampled.items()):
            cpu.note()
            if pid not in pids or now - cpu.last_told_t_ns >= NS_PER_S:
                window = cpu.unsampled(cpu.last_told_t_ns)
                if window is not None:
                    self._log.append(window)
            if pid not in pids:
                del self._unsampled[pid]

    def _share(self, n: int) -> float:
        return max(min(_LEAST_HZ, self._rate_hz), self._rate_hz / max(n, 1))
