"""What runs inside of workers, of whatever engine: the standard library alone, and sent by value.

Nothing here may name a module of ours: where it runs there is none.
"""

import os
import socket
import sys
import threading
import time
from typing import Any

RATE_HZ = 20.0
MOST_FRAMES = 128
MOST_STACKS = 400
"""Of one message; what is more is counted."""


def identity() -> "dict[str, Any]":
    """Return who this process is: its pid, and what tells whether a pid means the same to us."""
    boot = namespace = ""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        pass
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "boot": boot,
        "pid_ns": namespace,
        "python": ".".join(map(str, sys.version_info[:3])),
        "t": time.monotonic_ns(),
        "wall": time.time_ns(),
    }


def is_far(me: "dict[str, Any]", watcher: "dict[str, Any]") -> bool:
    """Tell whether a process cannot be read from outside by whoever watches."""
    return not me["boot"] or (me["boot"], me["pid_ns"]) != (watcher["boot"], watcher["pid_ns"])


class InWorker(threading.Thread):
    """Samples the stacks of the process that it is in, and reads what that uses."""

    def __init__(self) -> None:
        super().__init__(name="perftui", daemon=True)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._stacks: "list[list[Any]]" = []
        self._last: "dict[int, tuple[int, tuple[Any, ...]]]" = {}
        self._dropped = 0
        self._page = os.sysconf("SC_PAGE_SIZE")
        self.start()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._over.wait(1 / RATE_HZ):
            found = self._look()
            now_ns = time.monotonic_ns()
            with self._lock:
                for tid, stack in found.items():
                    before = self._last.get(tid)
                    if before is None or before[1] != stack:
                        self._end(tid, now_ns)
                        self._last[tid] = (now_ns, stack)
                for tid in list(self._last.keys() - found.keys()):
                    self._end(tid, now_ns)

    def _look(self) -> "dict[int, tuple[Any, ...]]":
        tids = {each.ident: each.native_id for each in threading.enumerate()}
        found: "dict[int, tuple[Any, ...]]" = {}
        for ident, innermost in sys._current_frames().items():
            tid = tids.get(ident)
            if tid is None or ident == threading.get_ident():
                continue
            stack: "list[Any]" = []
            frame: Any = innermost
            while frame is not None and len(stack) < MOST_FRAMES:
                code = frame.f_code
                name = getattr(code, "co_qualname", code.co_name)
                stack.append((name, code.co_filename, frame.f_lineno or 0))
                frame = frame.f_back
            found[tid] = tuple(reversed(stack))
        return found

    def _end(self, tid: int, now_ns: int) -> None:
        before = self._last.pop(tid, None)
        if before is None:
            return
        if len(self._stacks) < MOST_STACKS:
            self._stacks.append([before[0], now_ns, tid, before[1]])
        else:
            self._dropped += 1

    def take(self) -> "dict[str, Any]":
        """Return what came since: the use of the process, and its stacks."""
        now_ns = time.monotonic_ns()
        with self._lock:
            for tid, (_, stack) in list(self._last.items()):
                self._end(tid, now_ns)
                self._last[tid] = (now_ns, stack)
            stacks, self._stacks = self._stacks, []
            dropped, self._dropped = self._dropped, 0
        rss = 0
        try:
            with open("/proc/self/statm") as file:
                rss = int(file.read().split()[1]) * self._page
        except (OSError, ValueError, IndexError):
            pass
        return {
            "cpu_s": time.process_time(),
            "rss": rss,
            "threads": self._threads(),
            "stacks": stacks,
            "dropped": dropped,
            "rate_hz": RATE_HZ,
        }

    def _threads(self) -> "list[list[Any]]":
        names = {each.native_id: each.name for each in threading.enumerate()}
        threads: "list[list[Any]]" = []
        try:
            tids = os.listdir("/proc/self/task")
        except OSError:
            return threads
        for tid in tids:
            try:
                with open("/proc/self/task/" + tid + "/schedstat") as file:
                    ran, waited, _ = file.read().split()
            except (OSError, ValueError):
                continue
            threads.append([int(tid), names.get(int(tid), ""), int(ran), int(waited)])
        return threads

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
