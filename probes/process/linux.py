"""A process on Linux, read from /proc (proc(5)) through file descriptors that stay open."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.process.face import ProcessGone, RawReading
from perftui.probes.spine.records import Metric, ThreadCpu
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2
_MANY_THREADS = 256
_STANDS_NS = NS_PER_S
AGENT_COMM = "perftui-agent"
"""Name of the thread that our agent has in some programs: it is none of the program's."""


def process_cpu_clock(pid: int) -> int:
    """Return the id of a process's CPU clock, as clock_getcpuclockid(3) makes it.

    The clock counts nanoseconds, where /proc/PID/stat counts ticks of 10 ms: at 20 readings a
    second the ticks alone would be a noise of 20 % of a core.
    """
    return (~pid << 3) | _CPUCLOCK_SCHED


def read_stat(text: bytes) -> tuple[str, list[bytes]]:
    """Split /proc/.../stat into the name and the fields from `state` (field 3) on: none if there
    is nothing."""
    opening, closing = text.find(b"("), text.rfind(b")")
    name = text[opening + 1 : closing].decode("utf-8", "replace")
    return name, text[closing + 2 :].split() if 0 < opening < closing else []


class LinuxProcess:
    """See `process.ProcessReader`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._proc = f"/proc/{pid}/"  # no Path: joining one costs as much as the file
        self._clock = process_cpu_clock(pid)
        self._last_cpu_ns = self._last_t_ns = -1
        self._text, self._rss_bytes = b"", 0
        """Its status as last read, when its CPU time was `_last_cpu_ns`."""
        self._told_text = b""
        self._told: Metric | None = None
        """What the status says that was asked for last."""
        self._io_readable = True
        self._pss_readable = True
        self._has_schedstat = True
        self._faces: dict[str, tuple[str, str]] = {}
        """Name and state by tid, as read lately."""
        self._faces_t_ns = 0
        self._childless_at_ns = -1
        """CPU time of the process when it was last seen to have no child."""
        self._threads_at_ns = self._threads_t_ns = -1
        self._threads: list[ThreadCpu] = []
        """As last read, and the process's CPU time and the session's time then."""
        try:
            self._status = os.open(self._proc + "status", os.O_RDONLY | os.O_CLOEXEC)
            fields = self._stat_fields()
        except OSError as error:
            raise ProcessGone(pid) from error
        try:
            self.ppid = int(fields[1])
            self.start_key = f"{pid}@{fields[19].decode()}"
            self._began_s = int(fields[19]) / _TICKS_PER_S
        except (ValueError, IndexError) as error:  # half of it: it ends just now
            self.close()
            raise ProcessGone(pid) from error
        if fields[0] in (b"Z", b"X"):
            self.close()
            raise ProcessGone(pid)

    def _stat_fields(self) -> list[bytes]:
        return read_stat(_read(self._proc + "stat"))[1]

    def argv(self) -> tuple[str, ...]:
        """Return the command line, empty for a zombie."""
        with suppress(OSError):
            raw = Path(self._proc + "cmdline").read_bytes().rstrip(b"\0")
            if raw:
                return tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0"))
        return ()

    def age_s(self) -> float:
        """Return the seconds since it began, in ticks of 10 ms."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._began_s

    def leads(self) -> bool:
        """Tell whether the pid is the first thread's; /proc has the others, too, unlisted."""
        try:
            return _field(os.pread(self._status, 8192, 0), b"\nTgid:") == self.pid
        except OSError:
            return False

    def fast(self, t_ns: int) -> Metric:
        """Read CPU, RSS, peak, threads and context switches: two system calls.

        A process that has used no CPU since it was read less than a second ago has what it had:
        then it is one call, and a family of which most wait costs little.
        """
        return self.told(self.glance(t_ns))

    def glance(self, t_ns: int) -> RawReading:
        """Read the same, and leave what it says for later."""
        try:
            cpu_ns = time.clock_gettime_ns(self._clock)
            if cpu_ns == self._last_cpu_ns and 0 <= t_ns - self._last_t_ns < _STANDS_NS:
                return RawReading(t_ns, self._rss_bytes, cpu_ns, self._text)
            text = os.pread(self._status, 8192, 0)
        except OSError as error:
            raise ProcessGone(self.pid) from error
        rss = _field(text, b"\nVmRSS:")
        if rss is None:  # a zombie has no memory left, nor has a kernel thread
            raise ProcessGone(self.pid)
        self._last_cpu_ns, self._last_t_ns = cpu_ns, t_ns
        self._text, self._rss_bytes = text, rss * 1024
        return RawReading(t_ns, self._rss_bytes, cpu_ns, text)

    def told(self, glance: RawReading) -> Metric:
        """Return what a glance at this process says."""
        t_ns, rss_bytes, cpu_ns, text = glance
        if text is self._told_text and self._told is not None:
            return Metric._make((t_ns, *self._told[1:]))
        peak = _field(text, b"\nVmHWM:")
        anon = _field(text, b"\nRssAnon:")
        self._told_text = text
        self._told = Metric(
            t_ns=t_ns,
            pid=self.pid,
            cpu_s=cpu_ns / 1e9,
            rss_bytes=rss_bytes,
            high_water_rss_bytes=None if peak is None else peak * 1024,
            anon_rss_bytes=None if anon is None else anon * 1024,
            threads=_field(text, b"\nThreads:"),
            context_switches_voluntary=_field(text, b"\nvoluntary_ctxt_switches:"),
            context_switches_involuntary=_field(text, b"\nnonvoluntary_ctxt_switches:"),
        )
        return self._told

    def counts(self, metric: Metric) -> Metric:
        """Add what counts up and costs more to read; a figure that may not be read stays None."""
        user_s = system_s = run_queue_wait_s = None
        faults = None
        with suppress(OSError, IndexError, ValueError):
            fields = self._stat_fields()
            faults = int(fields[9])
            user_s = int(fields[11]) / _TICKS_PER_S
            system_s = int(fields[12]) / _TICKS_PER_S
        with suppress(OSError, IndexError, ValueError):
            run_queue_wait_s = self._run_queue_wait_s()
        io = self._io() if self._io_readable else {}
        return metric._replace(
            cpu_user_s=user_s,
            cpu_system_s=system_s,
            io_read_bytes=io.get("rchar"),
            io_write_bytes=io.get("wchar"),
            faults_major=faults,
            run_queue_wait_s=run_queue_wait_s,
        )

    def slow(self, metric: Metric) -> Metric:
        """Add what costs more to read; a figure that may not be read stays None."""
        fds = None
        with suppress(OSError):
            fds = len(os.listdir(self._proc + "fd"))  # noqa: PTH208 - no objects for a count
        return self.counts(metric)._replace(fds=fds)

    def shares(self, metric: Metric) -> Metric:
        """Fill in PSS, USS and swap: some 10 ms of CPU for each GB in pages of 4 KiB."""
        memory = self._pss() if self._pss_readable else {}
        return metric._replace(
            pss_bytes=memory.get("Pss"),
            uss_bytes=memory.get("Uss"),
            swap_bytes=memory.get("Swap"),
        )

    def _run_queue_wait_s(self) -> float:
        """Sum of the second field of schedstat over the threads; /proc/PID has the first only."""
        tasks = os.listdir(self._proc + "task")  # noqa: PTH208
        wait_ns = 0
        for tid in tasks[:_MANY_THREADS]:
            with suppress(OSError, ValueError, IndexError):  # it ends just now
                wait_ns += int(_read(f"{self._proc}task/{tid}/schedstat").split()[1])
        return wait_ns / 1e9

    def _pss(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        try:
            text = _read(self._proc + "smaps_rollup")
        except PermissionError:
            self._pss_readable = False
            return sizes
        except ProcessLookupError as error:  # it ended since `fast`
            raise ProcessGone from error
        except OSError as error:
            if not os.path.exists(self._proc):  # noqa: PTH110
                raise ProcessGone from error
            return sizes
        for key in ("Pss", "Swap", "Private_Clean", "Private_Dirty"):
            value = _field(text, f"\n{key}:".encode())
            if value is not None:
                sizes[key] = value * 1024
        if "Private_Clean" in sizes and "Private_Dirty" in sizes:
            sizes["Uss"] = sizes["Private_Clean"] + sizes["Private_Dirty"]
        return sizes

    def _io(self) -> dict[str, int]:
        try:
            text = _read(self._proc + "io")
        except PermissionError:
            self._io_readable = False
            return {}
        except OSError:
            return {}
        pairs = (line.partition(": ") for line in text.decode("ascii", "replace").splitlines())
        return {key: int(value) for key, _, value in pairs if value.isdigit()}

    def threads(self, t_ns: int) -> Sequence[ThreadCpu]:
        """Read every thread: CPU and wait in nanoseconds where the kernel keeps schedstat.

        Names and states come from the dearer stat file, anew about once a second. In a process
        that has used no CPU and of which all sleep, nothing is otherwise than it was.
        """
        try:
            cpu_ns = time.clock_gettime_ns(self._clock)
            if cpu_ns == self._threads_at_ns and 0 <= t_ns - self._threads_t_ns < _STANDS_NS:
                return [ThreadCpu._make((t_ns, *row[1:])) for row in self._threads]
            tids = os.listdir(self._proc + "task")  # noqa: PTH208
        except OSError as error:
            raise ProcessGone(self.pid) from error
        if t_ns - self._faces_t_ns >= NS_PER_S:
            self._faces_t_ns = t_ns
            self._faces = {}
        rows = []
        for tid in tids:
            if self._faces.get(tid, ("",))[0] == AGENT_COMM:
                continue
            folder = f"/proc/{self.pid}/task/{tid}/"
            try:
                face = self._faces.get(tid)
                ticks_s = 0.0
                if face is None or not self._has_schedstat:
                    name, fields = read_stat(_read(folder + "stat"))
                    ticks_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
                    face = self._faces[tid] = (name, fields[0].decode())
                if face[0] == AGENT_COMM:
                    continue
                cpu_s, wait_s = self._schedstat(folder) or (ticks_s, None)
            except (OSError, ValueError, IndexError):  # it has ended since the listing, or ends
                continue
            rows.append(ThreadCpu(t_ns, self.pid, int(tid), face[0], cpu_s, face[1], wait_s))
        asleep = all(row.state == "S" for row in rows)
        self._threads, self._threads_t_ns = rows, t_ns
        self._threads_at_ns = cpu_ns if asleep and cpu_ns else -1
        return rows

    def _schedstat(self, folder: str) -> tuple[float, float] | None:
        """Return (seconds on a core, seconds waiting for one) of a thread, None if not kept."""
        if not self._has_schedstat:
            return None
        try:
            on_ns, wait_ns, _ = _read(folder + "schedstat").split()
        except FileNotFoundError:
            # The file is missing in kernels without it, and for a thread that has just ended.
            self._has_schedstat = Path("/proc/self/schedstat").exists()
            raise
        return int(on_ns) / 1e9, int(wait_ns) / 1e9

    def children(self) -> Sequence[int]:
        """Read the children of every thread (needs CONFIG_PROC_CHILDREN, on nearly everywhere).

        Who had none and has used no CPU since has started none.
        """
        pids: list[int] = []
        with suppress(OSError):
            cpu_ns = time.clock_gettime_ns(self._clock)
            if cpu_ns == self._childless_at_ns:
                return pids
            for tid in os.listdir(self._proc + "task"):  # noqa: PTH208
                with suppress(OSError):
                    pids.extend(map(int, _read_whole(f"{self._proc}task/{tid}/children").split()))
            self._childless_at_ns = -1 if pids or not cpu_ns else cpu_ns  # 0: it is not told
        return pids

    def close(self) -> None:
        """Close the descriptors."""
        with suppress(OSError):
            os.close(self._status)


def _read(path: str) -> bytes:
    """Read a small /proc file; an order of magnitude cheaper than through a file object."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def _read_whole(path: str) -> bytes:
    """Read a list in /proc, of which the kernel gives a page at a time."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = b""
        while part := os.read(fd, 1 << 16):
            text += part
        return text
    finally:
        os.close(fd)


def _field(text: bytes, key: bytes) -> int | None:
    """Return the integer that follows `key` in a /proc table, None where there is none."""
    at = text.find(key)
    if at < 0:
        return None
    at += len(key)
    words = text[at : text.find(b"\n", at)].split(None, 1)
    return int(words[0]) if words else None
