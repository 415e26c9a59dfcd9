"""The parts of a recording that answers are given from, filled from its tables."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from perftui.probes.answers.own_cost import LATELY, OwnCost
from perftui.probes.answers.parts import Parts
from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.format.meta import target_of
from perftui.probes.recording.read.calls import DiskCalls
from perftui.probes.recording.read.counts import read_counts
from perftui.probes.recording.read.journal import read_events
from perftui.probes.recording.read.lines import DiskLines
from perftui.probes.recording.read.quality import stack_quality
from perftui.probes.recording.read.series import DiskSeriesTable
from perftui.probes.recording.read.stacks import DiskStackSums
from perftui.probes.recording.read.threads import DiskThreads
from perftui.probes.recording.read.tree import RecordedTree
from perftui.probes.spine.records import Overhead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.recording.read.catalog import Catalog
    from perftui.probes.spine.reader import State, Target
    from perftui.probes.spine.records import Exit


@dataclass
class DiskLife:
    """What a recording says of its session as a whole."""

    target: Target
    t_start_ns: int
    t_end_ns: int
    """Of one that is still written, or was interrupted: the latest moment known."""

    def now_ns(self) -> int:
        """Return the end."""
        return self.t_end_ns

    def state(self, exit_: Exit | None, *, measured: bool) -> tuple[State, int]:
        """Return the state and the latest moment known."""
        del measured
        end_ns = exit_.t_ns if exit_ is not None else self.t_end_ns
        return "recording", max(end_ns, self.t_start_ns)


class Disk:
    """Holds the parts of one recording.

    Args:
        catalog: Its tables.
        meta: Its `meta.json`, checked.
    """

    def __init__(self, catalog: Catalog, meta: dict[str, Any]) -> None:
        self._lock = Lock()
        self._catalog = catalog
        self._tree = RecordedTree()
        self.session = DiskLife(target_of(meta), 0, 0)
        self.last_read_ns = 0
        """The latest moment that a row is of."""
        self._load(meta)

    @contextmanager
    def held(self) -> Iterator[Parts]:
        """Hold the parts still."""
        with self._lock:
            yield self.parts

    def refresh(self, meta: dict[str, Any], *, anew: bool) -> bool:
        """Take in what was written since; True if anything was.

        Args:
            meta: As it is now.
            anew: Load again also if no table has changed.

        Raises:
            RecordingError: it can no longer be read.
        """
        with self._lock:
            self._catalog.refresh()
            changed = anew or self._loaded != self._catalog.version
            if changed:
                self._load(meta)
            else:
                self._know_session(meta)
        return changed

    def check(self) -> None:
        """Find the files that are cut off, mixed up or gone, whether they were needed or not."""
        with self._lock:
            self._catalog.check()

    def _know_session(self, meta: dict[str, Any]) -> None:
        end_ns = int(meta["t_end_ns"])
        if meta["state"] != "closed":
            end_ns = max(end_ns, self.last_read_ns)  # the heartbeat is older than the last rows
        session = self.session
        session.target, session.t_start_ns = target_of(meta), int(meta["t_start_ns"])
        session.t_end_ns = end_ns

    def _load(self, meta: dict[str, Any]) -> None:
        catalog = self._catalog
        self._loaded = catalog.version
        self._tree.extend(catalog.whole("frames"), catalog.whole("nodes"))
        newest = (catalog.extents(name).values() for name in ("metrics", "stacks", "exits"))
        self.last_read_ns = max(
            (extent.t1_ns for extents in newest for extent in extents),
            default=int(meta["t_start_ns"]),
        )
        self._know_session(meta)
        target = self.session.target
        journal, processes = read_events(catalog, target.pid)
        threads = DiskThreads(catalog)
        self.parts = Parts(
            tree=self._tree,
            session=self.session,
            series=DiskSeriesTable(catalog),
            stacks=DiskStackSums(catalog, threads.latest_node),
            threads=threads,
            journal=journal,
            calls=DiskCalls(catalog),
            counts=read_counts(catalog),
            lines=DiskLines(catalog),
            processes=processes,
            quality=stack_quality(catalog, target.pid),
            own_cost=_own_cost(catalog),
        )


def _own_cost(catalog: Catalog) -> OwnCost:
    found = OwnCost()
    overhead = catalog.whole("overhead")
    if overhead.num_rows:
        found.peak_rss_bytes = compute().max(overhead["rss_bytes"]).as_py()
        newest = overhead.slice(max(overhead.num_rows - LATELY, 0))
        for row in zip(*(column.to_pylist() for column in newest.columns), strict=True):
            found.take(Overhead(*row))
    return found
