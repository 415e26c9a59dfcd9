"""A cluster as the target of a session: it lives as long as its scheduler answers us."""

from __future__ import annotations

import os
import time
from threading import Thread
from typing import TYPE_CHECKING

from perftui.probes.spine.records import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.fleet.link import ClusterLink, Message
    from perftui.probes.process.family_mark import FamilyMark

HOST_STEP = 10_000_000
"""Above every pid (`PID_MAX_LIMIT` is 4,194,304): process 1234 of the second host is 10001234."""


def foreign_pid(host: int, pid: int) -> int:
    """Return the number that stands for a process of another host.

    Args:
        host: 1 for the first that is not this one.
        pid: As it is called there.
    """
    return host * HOST_STEP + pid


class Hosts:
    """Numbers machines: 0 is this one, as far as pids mean the same there."""

    def __init__(self) -> None:
        self._here = (_read("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid"))
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._wall_less_mono_ns = time.time_ns() - time.monotonic_ns()

    def is_here(self, who: Message) -> bool:
        """Tell whether a process can be read from outside, by its own pid."""
        return bool(self._here[0]) and (who.get("boot"), who.get("pid_ns")) == self._here

    def pid_of(self, who: Message) -> int:
        """Return the pid by which the session calls a process."""
        pid = int(who["pid"])
        if self.is_here(who):
            return pid
        key = (str(who.get("host")), str(who.get("boot")), str(who.get("pid_ns")))
        return foreign_pid(self._numbers.setdefault(key, len(self._numbers) + 1), pid)

    def shift_ns(self, who: Message) -> int:
        """Return what to add to a process's monotonic time: 0 under the same kernel, else by the
        wall clocks of both."""
        if who.get("boot") and who.get("boot") == self._here[0]:
            return 0
        return int(who["wall"]) - int(who["t"]) - self._wall_less_mono_ns


class ClusterTarget:
    """See the module.

    Args:
        link: To the cluster.
        hosts: Numbers its machines.
    """

    launched = False
    mark: FamilyMark | None = None

    def __init__(self, link: ClusterLink, hosts: Hosts) -> None:
        self._link = link
        self.pid = hosts.pid_of(link.cluster["scheduler"])
        """Of the scheduler."""
        self.exit: Exit | None = None

    def watch(self, on_exit: Callable[[Exit], None]) -> None:
        """Notice that the cluster has gone and tell it."""

        def wait() -> None:
            self._link.wait()
            if self._link.lost is not None:
                self.exit = Exit(time.monotonic_ns(), self.pid, None, None)
                on_exit(self.exit)

        Thread(target=wait, name="perftui-wait", daemon=True).start()

    def alive(self) -> bool:
        """Tell whether the cluster is there."""
        return self._link.alive()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False if it did not come in time."""
        return self._link.wait(timeout_s)

    def leave(self) -> None:
        """Stop looking, and take out what we brought."""
        self._link.leave()


def _read(path: str) -> str:
    try:
        with open(path) as file:  # noqa: PTH123 - read once, at the start
            return file.read().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""
