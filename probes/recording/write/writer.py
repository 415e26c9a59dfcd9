"""Writing a recording: what waits is written once a second, and sealed every five minutes.

When the disk is nearly full stacks stop and the rest goes on; when it is full the recording ends
and the session goes on.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from perftui.probes.recording.format import meta as meta_file
from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.format.limits import MIB
from perftui.probes.recording.format.redacted import RULES_FIELD
from perftui.probes.recording.format.tables import FORMAT, RECORDED, VERSION
from perftui.probes.recording.write.live import LiveSegment
from perftui.probes.recording.write.rows import RowMaker
from perftui.probes.recording.write.seal_apart import SealsApart, SealsHere
from perftui.probes.recording.write.sealer import Sealer
from perftui.probes.text.redact import RULES
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Severity

SEGMENT_ROWS = 1_500_000
SEGMENT_BYTES = 64 * MIB
"""Of a live segment: it is sealed early beyond this. Readers take three times as much."""
_ROWS_AT_ONCE = 10_000
HEARTBEAT_S = 5.0
LOW_DISK_BYTES = 1024 * MIB
LOW_DISK_SHARE = 0.02

DISK_FULL = "disk full"

FIRST_SEAL_S = 15.0
"""Of what is uploaded: what a machine that dies takes with it is half of a young session at most,
five minutes of an old one."""

FreeBytes = tuple[int, int]
"""(free for us, size) of a file system."""


@dataclass(frozen=True)
class WriterOptions:
    """How a recording is written."""

    seal_s: float = 300.0
    first_seal_s: float | None = None
    """The first segment is sealed after so long, each next one after twice as long; None: all after
    `seal_s`."""
    host: bool = True
    """Write the machine's name."""
    seal_apart: bool = False
    """Seal in processes of their own until it is closed: this one then never loads pyarrow."""
    compact: bool = True
    """Seal what is left when it is closed; else it stays in its live files."""
    session: dict[str, Any] = field(default_factory=dict)
    """Options of the session worth keeping (rates, backends)."""


def free_bytes(directory: Path) -> FreeBytes:
    """Return the free and the whole bytes of a directory's file system."""
    stat = os.statvfs(directory)
    return stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize


class Recording:
    """A sink: a recording being written, everything on the caller's thread (see `recorder`).

    Args:
        directory: The recording; made if it is not there, else it must be empty.
        tree: The session's call tree.
        target: What is watched.
        t_start_ns: When the session began.
        options: How to write.
        claim: The right to write there, taken now if not given.
        say: Gets what a person must be told.
        clock: The session's time in nanoseconds.
        free: Returns the free bytes of a directory.

    Raises:
        OSError: the directory cannot be made or written.
    """

    def __init__(
        self,
        directory: Path,
        tree: CallTree,
        target: Target,
        t_start_ns: int,
        options: WriterOptions | None = None,
        *,
        claim: Claim | None = None,
        say: Callable[[Severity, str], None] = lambda severity, text: None,
        clock: Callable[[], int] = time.monotonic_ns,
        free: Callable[[Path], FreeBytes] = free_bytes,
    ) -> None:
        self.directory = directory
        self.options = options or WriterOptions()
        self._tree = tree
        self._target = target
        self._say = say
        self._clock = clock
        self._free = free
        self._rows = RowMaker(target.pid)
        self._next_frame = self._next_node = 1
        self._lost_rows = 0
        self._lines_told = False
        self._low_disk = False
        self._ended = self._disk_full = False
        self._t_start_ns = t_start_ns
        self._claim = Claim.take(directory) if claim is None else claim
        directory.chmod(0o700)
        self._meta = self._first_meta()
        seals = (
            SealsApart(directory, self._claim.fileno())
            if self.options.seal_apart
            else SealsHere(directory)
        )
        self._sealer = Sealer(directory, say, clock, seals)
        self._segment = LiveSegment(directory, 0)
        self._write_meta("recording")
        self._seal_s = self.options.first_seal_s or self.options.seal_s
        self._segment_due_ns = clock() + round(self._seal_s * NS_PER_S)

    def _first_meta(self) -> dict[str, Any]:
        now_ns = self._clock()
        far = self.options.session.get("far") or {}  # the machine, if it is another one
        return {
            "format": FORMAT,
            "version": list(VERSION),
            "state": "recording",
            "id": os.urandom(16).hex(),
            "created_wall_ns": time.time_ns(),
            "t_start_ns": self._t_start_ns,
            "t_end_ns": now_ns,
            "clock": [[now_ns, time.time_ns()]],
            "host": far.get("host", meta_file.host_name()) if self.options.host else None,
            "target": meta_file.target_dict(self._target),
            "options": self.options.session,
            "recorder": {
                "pid": os.getpid(),
                "start": meta_file.start_key(os.getpid()),
                "boot_id": meta_file.boot_id(),
                "locked": self._claim.locked,
            },
            "versions": meta_file.versions(),
            RULES_FIELD: RULES,
            "machine": far.get("machine") or meta_file.machine(),
            "summary": {},
        }

    def know_target(self, target: Target) -> None:
        """Say more about the target once it is known."""
        self._target = target

    @property
    def ended(self) -> bool:
        """True once nothing more is written: it was closed, or the disk took no more."""
        return self._ended

    @property
    def file_bytes(self) -> int:
        """Bytes of the recording's files."""
        return self._sealer.file_bytes + self._segment.file_bytes

    @property
    def lost_rows(self) -> int:
        """Records that could not be written."""
        return self._lost_rows

    def ingest(self, batch: Batch) -> None:
        """Turn a batch into rows, which wait for `flush`."""
        if not self.ended:
            self._rows.take(batch)

    def flush(self) -> None:
        """Write what waits, frames and nodes before the rows that name them."""
        if self.ended:
            return
        rows = self._rows.rows
        if self._rows.keep_stacks:
            self._new_tree_rows()
        try:
            for table in RECORDED:
                waiting = rows[table]
                for first in range(0, len(waiting), _ROWS_AT_ONCE):
                    part = waiting[first : first + _ROWS_AT_ONCE]
                    rows[table] = waiting[first:]
                    self._lost_rows += self._segment.append(table, part)
                    if self._segment.file_bytes > SEGMENT_BYTES:
                        self._roll()
                rows[table] = []
        except OSError as error:
            self._stop(error)
            return
        if self._rows.lines_dropped and not self._lines_told:
            self._lines_told = True
            self._say("info", "the target writes more lines than are recorded: some are left out")
        if self._segment.rows > SEGMENT_ROWS or self._clock() >= self._segment_due_ns:
            self.seal()
        self._sealer.retry()

    def _new_tree_rows(self) -> None:
        frames, nodes = self._rows.rows["frames"], self._rows.rows["nodes"]
        nodes.extend(self._tree.nodes_since(self._next_node))
        frames.extend((i, *frame) for i, frame in self._tree.frames_since(self._next_frame))
        self._next_frame += len(frames)
        self._next_node += len(nodes)

    def seal(self) -> None:
        """Turn the live segment into Parquet and begin the next."""
        self._seal_s = min(2 * self._seal_s, self.options.seal_s)
        self._segment_due_ns = self._clock() + round(self._seal_s * NS_PER_S)
        if self._segment.rows:
            self._rows.rows["clock"].append((self._clock(), time.time_ns()))
            self._roll()

    def _roll(self) -> None:
        done = self._segment
        self._segment = LiveSegment(self.directory, done.number + 1)
        self._sealer.take(done)

    def heartbeat(self) -> None:
        """Bring meta.json up to date and look at the disk."""
        if self.ended:
            return
        try:
            free, size = self._free(self.directory)
            low = free < LOW_DISK_BYTES or free < size * LOW_DISK_SHARE
            if low != self._low_disk:
                self._low_disk = low
                self._rows.keep_stacks = not low
                self._say(*_low_disk_notice(low, free))
            self._write_meta("recording")
            self._claim.beat()
        except OSError as error:
            self._stop(error)

    def _write_meta(self, state: Literal["recording", "closed"]) -> None:
        exit_ = self._rows.exit
        self._bring_meta(state, exit_.t_ns if exit_ is not None else self._clock())
        meta_file.write_meta(self.directory, self._meta)

    def _bring_meta(self, state: Literal["recording", "closed"], end_ns: int) -> None:
        exit_ = self._rows.exit
        self._meta.update(
            state=state,
            t_end_ns=max(end_ns, self._t_start_ns),
            target=meta_file.target_dict(self._target),
            summary={
                "duration_s": max(end_ns - self._t_start_ns, 0) / NS_PER_S,
                "peak_rss_bytes": self._rows.peak_rss_bytes,
                "alerts": self._rows.alerts,
                "stack_samples": self._rows.samples,
                "exit_code": exit_.exit_code if exit_ is not None else None,
                "signal": exit_.signal if exit_ is not None else None,
                "ended": exit_ is not None,
                "lost_rows": self._lost_rows,
                "lines_left_out": self._rows.lines_dropped,
                "file_bytes": self.file_bytes,
            },
        )

    def close(self) -> None:
        """Write what waits, seal, and say that the recording is complete."""
        if self.ended:
            return
        self._rows.rows["clock"].append((self._clock(), time.time_ns()))
        self.flush()
        if not self._disk_full:
            self._finish()

    def copy_to(self, directory: Path) -> None:
        """Make a recording of its own of what there is so far, closed; this one goes on.

        Raises:
            OSError: it cannot be written, or this one has ended; no half of it is left.
        """
        self.flush()
        if self.ended:
            raise OSError(errno.EPIPE, "the recording has ended")
        end_ns = self._clock()
        directory.mkdir(mode=0o700, parents=True)
        try:
            for path in sorted(self.directory.iterdir()):
                if path.suffix in (".arrows", ".parquet") and not path.name.startswith("."):
                    # One that is sealed meanwhile is there in its new form, or comes with it.
                    with suppress(FileNotFoundError):
                        shutil.copyfile(path, directory / path.name)
                        (directory / path.name).chmod(0o600)
            exit_ = self._rows.exit
            self._bring_meta("closed", end_ns if exit_ is None else exit_.t_ns)
            meta_file.write_meta(directory, {**self._meta, "id": os.urandom(16).hex()})
        except OSError:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        finally:
            self._meta["state"] = "recording"

    def _finish(self) -> None:
        if self.options.compact:
            self._sealer.stay_here()
            self.seal()
            self._sealer.retry(now=True)
        try:
            self._segment.sync()
            self._write_last_meta()
        except OSError as error:
            self._stop(error)
        self._segment.close()
        self._ended = True
        self._claim.end()

    def _write_last_meta(self) -> None:
        """Say that it is closed, on a full disk too.

        Raises:
            OSError: it cannot be said.
        """
        try:
            self._write_meta("closed")
            return
        except OSError:
            self._claim.give_space()
        try:
            self._write_meta("closed")
        except OSError:
            meta_file.overwrite_meta(self.directory, self._meta)

    def _stop(self, error: OSError) -> None:
        """The disk takes no more: keep what is there, and let the session go on."""
        self._ended = self._disk_full = True
        for table, rows in self._rows.rows.items():
            self._lost_rows += len(rows)
            self._rows.rows[table] = []
        self._segment.close()
        now_ns = self._clock()
        reason = stop_reason(error)
        self._meta["stopped"] = {"reason": reason, "t_ns": now_ns}
        if reason == DISK_FULL:
            reason += f" at t={format_seconds(max(now_ns - self._t_start_ns, 0) / NS_PER_S)}"
        with suppress(OSError):
            self._write_last_meta()
        self._claim.end()
        self._say("warn", f"the recording has ended: {reason}; the session goes on")


def stop_reason(error: OSError) -> str:
    """Return in a few words why nothing more can be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL
    return error.strerror or str(error)


def _low_disk_notice(low: bool, free: int) -> tuple[Severity, str]:
    if low:
        return "warn", f"only {format_bytes(free)} free: stacks are no longer recorded"
    return "info", f"{format_bytes(free)} free: stacks are recorded again"
