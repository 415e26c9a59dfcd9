"""`TreeStackProbe`: stacks of a whole process tree, by whichever sampler can read each process.

    own sampler   Linux, CPython 3.11 to 3.15, free-threaded ones too, once it has checked itself
                  on the process
    py-spy        what the own sampler refuses (3.9, 3.10, unknown versions), `--native`, elsewhere

One own sampler watches all processes; those that it refuses get relays of py-spy, but for those
that py-spy cannot read: free-threaded ones.
"""

from __future__ import annotations

import sys
import time
from threading import Lock
from typing import TYPE_CHECKING, Literal

from perftui.probes.process.free_threaded import PY_SPY, free_threaded_build, what_follows
from perftui.probes.spine.records import Notice
from perftui.probes.stacks import procfs
from perftui.probes.stacks.own.probe import OwnStackProbe
from perftui.probes.stacks.why import from_now_on, from_the_start, of_process

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity
    from perftui.probes.stacks.family import FamilyStackProbe
    from perftui.probes.stacks.own.records import ProcessRecord

Sampler = Literal["auto", "own", "py-spy"]
WHY_REFUSED = {
    "unknown-version": "the own sampler does not know this version",
    "check-failed": "what the own sampler read there made no sense",
    "no-right": "this process may not be read",
    "not-python": "it is not a CPython process that the own sampler knows",
}
"""In words, by the sampler's reason."""


def why_not_own(sampler: Sampler, *, native: bool) -> str | None:
    """Return why the own sampler is not asked at all, None if it is."""
    if sampler == "py-spy":
        return "as asked for"
    if native:
        return "--native"
    if not sys.platform.startswith("linux"):
        return f"the own sampler does not run on {sys.platform}"
    return None


_STAGES = {0xA: "a", 0xB: "b", 0xC: "rc"}


def version_text(version_hex: int) -> str:
    """Return a PY_VERSION_HEX in words: "3.14.2", "3.15.0b1"."""
    major, minor, micro, last = version_hex.to_bytes(4, "big")
    stage = _STAGES.get(last >> 4)
    return f"{major}.{minor}.{micro}" + (f"{stage}{last & 15}" if stage else "")


class TreeStackProbe:
    """See the module. A `Probe`."""

    def __init__(
        self,
        log: SessionLog,
        pid: int,
        pids: Callable[[], Collection[int]],
        *,
        sampler: Sampler = "auto",
        born: bool = True,
        rate_hz: float = 100,
        native: bool = False,
        on_ready: Callable[[], None] | None = None,
        on_version: Callable[[str], None] | None = None,
        on_unreadable: Callable[[str, str], None] | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            log: Where the records go.
            pid: The target itself.
            pids: Gives the processes of the tree that live now.
            sampler: Which one is wanted; "auto" chooses for each process.
            born: The target began in this session.
            rate_hz: Sweeps per second.
            native: Native frames too, which only py-spy knows.
            on_ready: Called once: when stacks of the target are being taken, or when it is known
                that there will be none.
            on_version: Gets the target's Python version, "3.14.2", if the own sampler reads it.
            on_unreadable: Called instead of a notice if the target is free-threaded and nobody
                can read it: with its build, and why the own sampler does not.
        """
        self._log = log
        self._pid = pid
        self._pids = pids
        self._sampler = sampler
        self._born = born
        self._rate_hz = rate_hz
        self._native = native
        self._on_ready = on_ready
        self._on_version = on_version
        self._on_unreadable = on_unreadable
        self._lock = Lock()
        self._refused: set[int] = set()
        self._stopped = False
        self._said_not_python = False
        self._said_unreadable: set[int] = set()
        self._spied: FamilyStackProbe | None = None
        self._own: OwnStackProbe | None = None
        self._not_own = why_not_own(sampler, native=native)
        if self._not_own is None:
            self._own = OwnStackProbe(
                log,
                pid,
                pids,
                born=born,
                rate_hz=rate_hz,
                on_stack=self._ready,
                on_news=self._news,
                on_broken=self._broken,
            )

    def start(self) -> None:
        """Begin."""
        if self._own is not None:
            try:
                self._own.start()
            except OSError as error:
                self._own = None
                self._broken(error.strerror or str(error))
        else:
            if self._sampler == "auto":
                self._say("info", from_the_start(self._not_own or ""))
            self._spy(self._pid, self._pids, counts_cpu=True)

    def stop(self) -> None:
        """Stop all samplers, each with its last stacks."""
        if self._own is not None:
            self._own.stop()
        with self._lock:
            self._stopped = True
            spied, self._spied = self._spied, None
        if spied is not None:
            spied.stop()
        self._ready()

    def take_at(self, rate_hz: float) -> None:
        """Take stacks at another rate from now on; what py-spy takes stays as it is."""
        if self._own is not None:
            self._own.take_at(rate_hz)

    def renew(self, pid: int) -> None:
        """A process has become another program by exec."""
        if self._spied is not None:
            self._spied.renew(pid)

    def _news(self, process: ProcessRecord) -> None:
        """The own sampler tells about a process."""
        pid = process.pid
        if pid == self._pid and process.version and self._on_version is not None:
            suffix = "t" if free_threaded_build(pid) else ""
            self._on_version(version_text(process.version) + suffix)
        if process.status == "sampled":
            with self._lock:
                self._refused.discard(pid)
            if self._spied is not None:
                self._spied.release(pid)
            if pid == self._pid and self._said_not_python:
                self._said_not_python = False  # as a shell script ends that starts one by exec
                self._say("info", f"process {pid} has become a Python process: stacks from now on")
            return
        if process.reason == "not-python" and not procfs.looks_python(pid):
            if pid == self._pid and not self._said_not_python:
                self._said_not_python = True
                text = f"process {pid} is not a Python process: no stacks, CPU and memory only"
                self._say("info", text)
                self._ready()
            return
        why = WHY_REFUSED.get(process.reason, process.reason)
        if process.version:
            why += f" (Python {process.version >> 24}.{process.version >> 16 & 255})"
        if self._sampler == "own":
            self._say("warn", f"no stacks of process {pid}: {why}; --sampler auto asks py-spy")
            if pid == self._pid:
                self._ready()
            return
        build = free_threaded_build(pid)
        with self._lock:
            known = pid in self._refused
            if build is None:
                self._refused.add(pid)
        if build is not None:
            self._unreadable(pid, build, WHY_REFUSED.get(process.reason, process.reason))
            return
        if not known and process.reason != "not-python":
            self._say("info", of_process(pid, why))
        self._spy(pid if pid == self._pid else None, self._refused_pids)

    def _unreadable(self, pid: int, build: str, why: str) -> None:
        """Say that nobody can read a free-threaded Python: once of each process."""
        with self._lock:
            if pid in self._said_unreadable:
                return
            self._said_unreadable.add(pid)
        if pid == self._pid and self._on_unreadable is not None:
            self._on_unreadable(build, why)
        else:
            text = what_follows(build, inside=False, why=f"{why}, and {PY_SPY}")
            self._say("warn", f"process {pid}: {text}")
        if pid == self._pid:
            self._ready()

    def _broken(self, why: str) -> None:
        """The own sampler has ended before its time."""
        if self._sampler == "own":
            self._say("warn", f"no stacks from here on: the own sampler failed: {why}")
            self._ready()
            return
        self._say("warn", from_now_on(why))
        self._spy(self._pid, self._pids, counts_cpu=True, anew=True)

    def _spy(
        self,
        pid: int | None,
        pids: Callable[[], Collection[int]],
        *,
        counts_cpu: bool = False,
        anew: bool = False,
    ) -> None:
        """Let py-spy sample the processes that `pids` gives, `pid` at once."""
        with self._lock:
            if self._stopped:
                return
            old = self._spied
            if old is not None and not anew:
                return
            from perftui.probes.stacks.family import FamilyStackProbe  # most sessions have none

            spied = self._spied = FamilyStackProbe(
                self._log,
                pid,
                pids,
                rate_hz=self._rate_hz,
                native=self._native,
                on_ready=self._ready if pid == self._pid else None,
                counts_cpu=counts_cpu,
                born=self._born and not anew,
            )
        if old is not None:
            old.stop()
        spied.start()

    def _refused_pids(self) -> tuple[int, ...]:
        living = set(self._pids())
        with self._lock:
            return tuple(self._refused & living)

    def _ready(self) -> None:
        call, self._on_ready = self._on_ready, None
        if call is not None:
            call()

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))
