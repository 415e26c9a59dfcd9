"""What Python calls its threads, asked of py-spy when new ones have come.

The own sampler knows the kernel's names only, which before Python 3.14 are the program's. Reading
a process once costs py-spy some 10 ms, so threads that come in numbers are asked about together
and ever more seldom.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from threading import Event, Lock
from typing import TYPE_CHECKING

from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import ThreadName
from perftui.probes.stacks.recorder import SamplerMissing, find_sampler

if TYPE_CHECKING:
    from perftui.probes.spine.log import SessionLog

_TOGETHER_S = 0.4
_MOST_NAMES = 10_000
_LISTED = 3
"""Interpreters that one thread was met in; of more, the number is said."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 120.0


class ThreadNames:
    """Puts Python's names of threads into the log. `want` may be called from any thread."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self._lock = Lock()
        self._wanted: set[int] = set()
        self._not_before_s: dict[int, float] = {}
        self._pause_s: dict[int, float] = {}
        self._names: dict[tuple[int, int], str] = {}
        """By thread (pid, tid): what Python calls it."""
        self._inside: dict[tuple[int, int], list[int]] = {}
        """By thread (pid, tid): the interpreters that it was met in, but for the main one."""
        self._stopping = Event()
        self._thread: ProbeThread | None = None
        self._spent_s = 0.0

    def want(self, pid: int) -> None:
        """A process has threads whose names are not known."""
        with self._lock:
            self._wanted.add(pid)
            if self._thread is None and not self._stopping.is_set():
                self._thread = ProbeThread(self._log, "names of threads", self._run, "names")
                self._thread.start()

    def met_inside(self, pid: int, tid: int, interpreter: int) -> bool:
        """A thread is in another interpreter than the main one; return whether that is new."""
        with self._lock:
            inside = self._inside.setdefault((pid, tid), [])
            if interpreter in inside:
                return False
            inside.append(interpreter)
            return True

    def told(self, pid: int, tid: int, name: str) -> str:
        """Return a thread's name, the best known, with the interpreters that it was met in."""
        with self._lock:
            name = self._names.get((pid, tid), name)
            inside = sorted(self._inside.get((pid, tid), ()))
        if not inside:
            return name
        if len(inside) > _LISTED:
            return f"{name} · {len(inside)} interpreters"
        word = "interpreter" if len(inside) == 1 else "interpreters"
        return f"{name} · {word} {', '.join(map(str, inside))}"

    def stop(self) -> None:
        """End; names that are not known by now stay unknown."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.end()

    def take_spent_s(self) -> float:
        """Return the CPU seconds of py-spy since this was asked last."""
        with self._lock:
            spent, self._spent_s = self._spent_s, 0.0
        return spent

    def _run(self) -> None:
        try:
            sampler = find_sampler()
        except SamplerMissing:
            return
        while not self._stopping.wait(_TOGETHER_S):
            now_s = time.monotonic()
            with self._lock:
                due = [pid for pid in self._wanted if self._not_before_s.get(pid, 0.0) <= now_s]
                self._wanted.difference_update(due)
            for pid in due:
                pause_s = self._pause_s.get(pid, _FIRST_PAUSE_S)
                self._pause_s[pid] = min(2 * pause_s, _LONGEST_PAUSE_S)
                self._not_before_s[pid] = now_s + pause_s
                self._ask(sampler, pid)

    def _ask(self, sampler: str, pid: int) -> None:
        argv = [sampler, "dump", "--nonblocking", "--json", "--pid", str(pid)]
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            return
        assert process.stdout is not None
        text = process.stdout.read()
        process.stdout.close()
        if process.returncode is None:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            with self._lock:
                self._spent_s += usage.ru_utime + usage.ru_stime
        now = time.monotonic_ns()
        found = _names(text)
        with self._lock:
            if len(self._names) > _MOST_NAMES:
                self._names.clear()
            self._names.update(((pid, tid), name) for tid, name in found)
        names = [ThreadName(now, pid, tid, self.told(pid, tid, name)) for tid, name in found]
        if names:
            self._log.extend(names)


def _names(text: bytes) -> list[tuple[int, str]]:
    """Return (tid, name) of the threads of a dump that have a name."""
    try:
        rows = json.loads(text.decode("utf-8", "replace"))
    except ValueError:
        return []
    found = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        tid, name = row.get("os_thread_id"), row.get("thread_name")
        if isinstance(tid, int) and isinstance(name, str) and name:
            found.append((tid, name))
    return found
