"""The ring: the last seconds of a session on disk, always as a recording that anybody can open.

    ──A────────────────────────┐            each begins before the one before it is dropped, so
               ┌───────B───────┼────────    that there always is one that reaches back `keep_s`
               keep_s ─────────┘

What is on disk is ordinary: should we be killed, `perftui open` reads it, up to the last second.
A disk that takes no more is told once; the last seconds are then held in memory, bounded, and the
disk is tried again and again.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.format.limits import MIB
from perftui.probes.recording.write.writer import Recording, WriterOptions, free_bytes
from perftui.probes.spine.enriched import Batch
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.probes.watch.rebased import Held, Rebased

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perftui.probes.recording.write.writer import FreeBytes
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Severity

STRETCHES = 3.0
"""A recording of the ring begins this often `keep_s` after the one before, ..."""
LEAST_STRETCH_S = 120.0
"""... but not sooner: each has a beginning that costs some milliseconds."""
HEARTBEAT_S = 10.0
HELD_ROWS = 40_000
"""In memory while the disk takes nothing: some 20 MB."""
INBOX_ROWS = 100_000
TRY_AGAIN_S = 20.0
LEAST_FREE_BYTES = 8 * MIB
"""Below it the ring leaves the disk to others."""


class Options(NamedTuple):
    """How a ring is kept."""

    keep_s: float = 60.0
    """An event's recording reaches back so far, or to the start."""
    limit_bytes: int = 256 * MIB
    """Of all of it on disk; where that is not enough less is kept, and it is said once."""
    session: dict[str, Any] = {}  # noqa: RUF012 - never changed
    """Options of the session worth keeping."""


class _Stretch:
    """One recording of the ring."""

    def __init__(self, recording: Recording, t_start_ns: int, rebased: Rebased) -> None:
        self.recording = recording
        self.t_start_ns = t_start_ns
        self.t_end_ns = t_start_ns
        self.rebased = rebased


class Inbox:
    """A `Sink` that only keeps, from any thread, until somebody takes it out."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._rows = 0
        self.dropped = 0
        """Records that came while nobody took them out for long."""

    def ingest(self, batch: Batch) -> None:
        """Queue a batch; never waits."""
        if self._rows > INBOX_ROWS:
            self.dropped += batch.size
            return
        self._rows += batch.size
        self._batches.append(batch._replace(raw=()))

    def take(self) -> list[Batch]:
        """Return what has come since the last call."""
        batches = []
        while self._batches:
            batch = self._batches.popleft()
            self._rows -= batch.size
            batches.append(batch)
        return batches


class Ring:
    """See the module. Everything by one thread; batches come through an `Inbox`.

    Args:
        folder: Where its recordings are; made if it is not there.
        tree: The session's call tree.
        target: What is watched.
        t_start_ns: When the session began.
        options: How.
        say: Gets what a person must be told.
        clock: The session's time in nanoseconds.
        free: Returns the free bytes of a directory.
    """

    def __init__(
        self,
        folder: Path,
        tree: CallTree,
        target: Target,
        t_start_ns: int,
        options: Options,
        *,
        say: Callable[[Severity, str], None],
        clock: Callable[[], int] = time.monotonic_ns,
        free: Callable[[Path], FreeBytes] = free_bytes,
    ) -> None:
        self.folder = folder
        self.options = options
        self._tree = tree
        self._target = target
        self._say = say
        self._clock = clock
        self._free = free
        self._held: deque[tuple[int, Batch]] = deque()
        """Not on disk, with the time of their coming."""
        self._held_rows = 0
        self._standing = Held()
        self._stretches: list[_Stretch] = []
        """Oldest first; the last is the newest."""
        self._number = 0
        self._begin_ns = t_start_ns
        """Of the next stretch, if the disk takes it."""
        self._stretch_ns = round(max(STRETCHES * options.keep_s, LEAST_STRETCH_S) * NS_PER_S)
        self._keep_ns = round(options.keep_s * NS_PER_S)
        self._try_ns = self._beat_ns = t_start_ns
        self._said_full = self._said_limit = False

    @property
    def file_bytes(self) -> int:
        """Bytes of its files."""
        return sum(stretch.recording.file_bytes for stretch in self._stretches)

    @property
    def held_rows(self) -> int:
        """Records that are in memory alone."""
        return self._held_rows

    @property
    def on_disk(self) -> bool:
        """Whether the disk takes what comes."""
        return bool(self._stretches) and not self._stretches[-1].recording.ended

    def reach_s(self) -> float:
        """Return how far back the ring reaches now."""
        return max((self._clock() - self._reach_ns()) / NS_PER_S, 0.0)

    def _reach_ns(self) -> int:
        if self._stretches:
            return self._stretches[0].t_start_ns
        return self._held[0][0] if self._held else self._clock()

    def know_target(self, target: Target) -> None:
        """Say more about the target once it is known."""
        self._target = target
        for stretch in self._stretches:
            stretch.recording.know_target(target)

    def write(self, batches: list[Batch]) -> None:
        """Write, begin a new stretch if it is time, and drop what is too old."""
        now_ns = self._clock()
        for batch in batches:
            self._hold(now_ns, batch)
        if not self.on_disk and now_ns >= self._try_ns:
            self._begin(now_ns)
        if self.on_disk:
            self._pour()
            if self.on_disk and (
                now_ns - self._stretches[-1].t_start_ns >= self._stretch_ns
                or self._stretches[-1].recording.file_bytes > self.options.limit_bytes // 3
            ):
                self._begin_ns = now_ns
                self._begin(now_ns)
                self._end_overdue(now_ns)
        self._drop(now_ns)
        if now_ns >= self._beat_ns:
            self._beat_ns = now_ns + round(HEARTBEAT_S * NS_PER_S)
            for stretch in self._stretches:
                stretch.recording.heartbeat()

    def _hold(self, now_ns: int, batch: Batch) -> None:
        self._held.append((now_ns, batch))
        self._held_rows += batch.size

    def _pour(self) -> None:
        """Write what is held; what the disk does not take stays."""
        for stretch in self._stretches:
            for _, batch in self._held:
                stretch.recording.ingest(stretch.rebased.of(batch))
            stretch.recording.flush()
            if not stretch.recording.ended:
                stretch.t_end_ns = self._clock()
        if self.on_disk:
            self._said_full = False
            self._let_go(len(self._held))
        else:
            self._is_full()

    def _let_go(self, count: int) -> None:
        for _ in range(count):
            _, batch = self._held.popleft()
            self._held_rows -= batch.size
            self._standing.take(batch)

    def _is_full(self) -> None:
        self._try_ns = self._clock() + round(TRY_AGAIN_S * NS_PER_S)
        if not self._said_full:
            self._said_full = True
            self._say(
                "warn",
                f"the disk takes no more for the ring ({self.folder}): the last seconds are held "
                "in memory meanwhile, and it is tried again",
            )

    def _begin(self, now_ns: int) -> None:
        """Begin a stretch with what is held."""
        self._number += 1
        directory = self.folder / f"ring-{self._number:06d}.perftui"
        start_ns = self._held[0][0] - NS_PER_S if self._held else now_ns
        start_ns = max(min(start_ns, now_ns), self._begin_ns)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._room() < LEAST_FREE_BYTES:
                raise OSError
            recording = Recording(
                directory,
                self._tree,
                self._target,
                start_ns,
                # It is never sealed by time: pyarrow would cost more than all the rest.
                WriterOptions(
                    seal_s=1e9, seal_apart=True, compact=False, session=self.options.session
                ),
                claim=Claim.take(directory),
                say=lambda _severity, _text: None,  # it is told once, by `_is_full`
                clock=self._clock,
                free=self._free_enough,
            )
        except OSError:
            shutil.rmtree(directory, ignore_errors=True)
            if not self.on_disk:
                self._is_full()
            return
        recording.ingest(Batch((), self._standing.events(start_ns)))
        self._stretches.append(_Stretch(recording, start_ns, Rebased(start_ns, self._standing)))
        if self._held:
            self._pour()

    def _end_overdue(self, now_ns: int) -> None:
        """Write no more to a stretch that nothing can follow: it would grow without end."""
        newest = self._stretches[-1]
        long = now_ns - newest.t_start_ns >= 2 * self._stretch_ns
        if long or newest.recording.file_bytes > self.options.limit_bytes // 2:
            newest.recording.close()
            self._is_full()

    def _room(self) -> int:
        return self._free(self.folder)[0]

    def _free_enough(self, directory: Path) -> FreeBytes:
        """Recordings leave a gigabyte free, a ring may live on a small disk of its own: it writes
        as long as the disk takes it."""
        del directory
        return 1 << 62, 1 << 62

    def _drop(self, now_ns: int) -> None:
        """Remove what nobody will ask for any more."""
        while len(self._stretches) > 1 and (
            self._stretches[1].t_start_ns <= now_ns - self._keep_ns
            or self.file_bytes > self.options.limit_bytes
        ):
            if self._stretches[1].t_start_ns > now_ns - self._keep_ns and not self._said_limit:
                self._said_limit = True
                reach = format_seconds((now_ns - self._stretches[1].t_start_ns) / NS_PER_S)
                limit = format_bytes(self.options.limit_bytes)
                self._say("warn", f"the ring holds {reach} now: more is not in {limit}")
            self._remove(self._stretches.pop(0))
        if self._stretches and not self.on_disk:
            last = self._stretches[-1]
            if last.t_end_ns <= now_ns - self._keep_ns:
                self._remove(self._stretches.pop())
        while (
            self._held
            and not self.on_disk
            and (self._held[0][0] < now_ns - self._keep_ns or self._held_rows > HELD_ROWS)
        ):
            self._let_go(1)
            self._begin_ns = max(self._begin_ns, self._held[0][0] if self._held else now_ns)

    def _remove(self, stretch: _Stretch) -> None:
        stretch.recording.close()
        shutil.rmtree(stretch.recording.directory, ignore_errors=True)

    def copy_to(self, directory: Path) -> None:
        """Make a recording of its own of the stretch that reaches back furthest; the ring goes on.

        Raises:
            OSError: it cannot be written now.
        """
        if not self.on_disk:
            self._try_ns = 0
            self.write([])
        live = [each.recording for each in self._stretches if not each.recording.ended]
        if not live:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        live[0].copy_to(directory)

    def close(self) -> None:
        """Remove all of it: nothing happened that was asked for."""
        for stretch in self._stretches:
            self._remove(stretch)
        self._stretches.clear()
        with suppress(OSError):
            self.folder.rmdir()
