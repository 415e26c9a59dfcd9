"""A recording as a `Reader`: the answers of the live store, from disk.

The answers themselves are the store's own code; here are the parts that it works with, filled
from files: a journal, series, threads, stack sums, the call tree.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.liveness import RecordingState, state_of
from perftui.probes.recording.format.meta import META, parse_meta, target_of
from perftui.probes.recording.format.redacted import is_current
from perftui.probes.recording.read.catalog import Catalog
from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.intervals import StackInterval, stack_intervals
from perftui.probes.recording.read.journal import DiskJournal
from perftui.probes.recording.read.quality import DiskStackQuality
from perftui.probes.recording.read.series import all_series
from perftui.probes.recording.read.stacks import DiskStackSums
from perftui.probes.recording.read.threads import DiskThreadTable
from perftui.probes.recording.read.tree import RecordedTree
from perftui.probes.spine.reader import Process, Status
from perftui.probes.spine.records import Overhead, ProcessStart
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.container import Container
    from perftui.probes.spine.records import ThreadKey


_REASONS = 8
"""Damaged files that are named in one line."""
_STATE_HOLDS_S = 1.0
"""Pictures ask for it many times a second, and it takes system calls."""


def open_recording(path: Path | str) -> RecordingReader:
    """Open a recording: a directory or a packed one.

    Raises:
        RecordingError: it cannot be opened; the message is one line that says why.
    """
    return RecordingReader(open_container(Path(path)))


class RecordingReader(Store):
    """See the module. `refresh` takes in what another process has written since."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._state_known: tuple[float, RecordingState] | None = None
        self.meta = self._read_meta()
        self._recorded_tree = RecordedTree()
        super().__init__(self._recorded_tree, target_of(self.meta), clock=self._end)
        self._catalog = Catalog(container, redacts=not is_current(self.meta))
        self._stacks: DiskStackSums = DiskStackSums(self._catalog)
        self._load()

    def _read_meta(self) -> dict[str, Any]:
        name = str(self._container.path)
        try:
            data = self._container.read(META)
        except FileNotFoundError:
            raise RecordingError(f"{name} is not a recording: it has no {META}") from None
        except OSError as error:
            raise RecordingError(f"{name}: {error.strerror or error}") from error
        return parse_meta(data, name)

    def _end(self) -> int:
        return int(self.meta["t_end_ns"])

    def _load(self) -> None:
        """Fill the parts of the store from the tables."""
        catalog = self._catalog
        self._loaded = catalog.version
        self._start_ns = int(self.meta["t_start_ns"])
        self._target = target_of(self.meta)
        self._recorded_tree.extend(catalog.whole("frames"), catalog.whole("nodes"))
        self._series = all_series(catalog)
        self._stacks.refresh()
        journal = DiskJournal(catalog)
        self._journal = journal
        threads = DiskThreadTable(catalog)
        self._threads = threads
        self._stacks.latest_node = threads.latest_node
        self._quality = DiskStackQuality(catalog, self._target.pid)
        self._load_overhead()
        self._load_processes(journal)
        newest = (catalog.extents(name).values() for name in ("metrics", "stacks", "exits"))
        self._last_read_ns = max(
            (extent.t1_ns for extents in newest for extent in extents), default=self._start_ns
        )
        if self.state != "closed":
            # The heartbeat is older than the last rows.
            self.meta["t_end_ns"] = max(self._end(), self._last_read_ns)

    def _load_overhead(self) -> None:
        pc = compute()
        overhead = self._catalog.whole("overhead")
        self._overheads = deque(maxlen=8)
        if overhead.num_rows:
            self._own_peak_rss = pc.max(overhead["rss_bytes"]).as_py()
            newest = overhead.slice(max(overhead.num_rows - 8, 0))
            rows = zip(*(column.to_pylist() for column in newest.columns), strict=True)
            self._overheads.extend(Overhead(*row) for row in rows)

    def _load_processes(self, journal: DiskJournal) -> None:
        """Join starts and ends in the order in which the session took them."""
        self._processes = {}
        self._exit = None
        for record in journal.process_records:
            if isinstance(record, ProcessStart):
                self._processes[record.pid] = Process(
                    record.pid, record.ppid, record.argv, record.python, record.t_ns, None
                )
                continue
            process = self._processes.get(record.pid)
            if process is not None:
                self._processes[record.pid] = process._replace(t_end_ns=record.t_ns)
            if record.pid == self._target.pid:
                self._exit = record

    # What a recording has besides

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._container.path

    @property
    def container(self) -> Container:
        """Its files."""
        return self._container

    @property
    def catalog(self) -> Catalog:
        """Its tables."""
        return self._catalog

    @property
    def state(self) -> RecordingState:
        """Closed, still being written, or interrupted (its recorder is gone)."""
        if self.meta["state"] == "closed":
            return "closed"
        now_s = time.monotonic()
        if self._state_known is None or now_s - self._state_known[0] > _STATE_HOLDS_S:
            self._state_known = (now_s, state_of(self.path, self.meta))
        return self._state_known[1]

    def check_files(self) -> None:
        """Find the files that are cut off, mixed up or gone, whether they were needed or not."""
        with self._lock:
            self._catalog.check()

    @property
    def salvage(self) -> str | None:
        """One line on what could not be read or was never written; None if all is there."""
        read_s = max(self._last_read_ns - self._start_ns, 0) / NS_PER_S
        whole_s = max(self._end() - self._start_ns, 0) / NS_PER_S
        reasons = []
        state = self.state
        if state != "recording":
            reasons += [f"{name} {why}" for name, why in sorted(self._catalog.torn.items())]
        reasons += [f"{name} {why}" for name, why in sorted(self._catalog.damaged.items())]
        stopped = self.meta.get("stopped")
        if isinstance(stopped, dict) and type(stopped.get("t_ns")) is int:
            at = format_seconds(max(stopped["t_ns"] - self._start_ns, 0) / NS_PER_S)
            reason = str(stopped.get("reason"))[:200]
            reasons.insert(0, f"{reason} at t={at}, nothing after it is recorded")
        missing = self._catalog.missing_segments()
        if missing:
            label = "segment" if len(missing) == 1 else "segments"
            reasons.append(f"{label} {', '.join(map(str, missing[:5]))} missing")
        if not reasons and state != "interrupted":
            return None
        more = len(reasons) - _REASONS
        told = "; ".join(reasons[:_REASONS]) + (f" and {more} more" if more > 0 else "")
        text = f"{format_seconds(read_s)} of {format_seconds(max(whole_s, read_s))} read"
        if state == "interrupted":
            text = f"interrupted, reason unknown: {text}"
        return f"{text}; {told}" if told else text

    def stack_intervals(
        self, t0_ns: int, t1_ns: int
    ) -> Iterator[tuple[ThreadKey, list[StackInterval]]]:
        """Yield what each thread did in [t0, t1), a segment at a time and in the order of time.

        The live store keeps only sums; the order is on disk. Not in `Reader` for that reason.
        """
        return stack_intervals(self._catalog, t0_ns, t1_ns)

    def thread_name(self, thread: ThreadKey) -> str:
        """Return Python's name of a thread, else the kernel's, else its number."""
        with self._lock:
            return self._threads.get(thread).name or str(thread[1])

    def refresh(self) -> bool:
        """Take in what was written since; True if anything was.

        Raises:
            RecordingError: it can no longer be read.
        """
        meta = self._read_meta()
        with self._lock:
            self._catalog.refresh()
            changed = self._loaded != self._catalog.version or meta["state"] != self.meta["state"]
            self.meta = meta
            if changed:
                self._load()
            elif self.state != "closed":
                self.meta["t_end_ns"] = max(self._end(), self._last_read_ns)
        return changed

    def status(self) -> Status:
        """See `Reader.status`."""
        status = super().status()
        end_ns = status.t_end_ns if self._exit is not None else self._end()
        return status._replace(state="recording", t_end_ns=max(end_ns, self._start_ns))
