"""The session log: the one road that every record takes.

Probes append raw records from their own threads; what follows from them is derived here once
(`enricher`), and the sinks (memory, disk, detectors) get each batch in the order of arrival. A
sink only keeps, and must be quick: it runs on the probe's thread, and a probe never waits for a
disk or a screen.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Protocol

from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.weighing import weigh as spread
from perftui.probes.spine.without_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record
    from perftui.probes.spine.weighing import Weigh


class Sink(Protocol):
    """Something that takes batches out of the log."""

    def ingest(self, batch: Batch) -> None:
        """Take a batch; called under the log's lock, so batches never interleave."""
        ...


class SessionLog:
    """Enriches batches, fans them out to the sinks, and owns the session's call tree.

    Args:
        weigh: As of `Enricher`.
    """

    def __init__(self, weigh: Weigh = spread) -> None:
        self.tree = CallTree()
        self._lock = Lock()
        self._enricher = Enricher(weigh)
        self._sinks: list[Sink] = []

    def connect(self, sink: Sink) -> None:
        """Send every later batch to `sink` too."""
        with self._lock:
            self._sinks.append(sink)

    def append(self, *records: Record) -> None:
        """Append records in time order. Frames and nodes they name are already in `tree`."""
        self.extend(records)

    def extend(self, records: Sequence[Record]) -> None:
        """Append a whole batch. Secrets are taken out here, before any sink has it."""
        if not records:
            return
        records = without_secrets(records)
        failure: Exception | None = None
        with self._lock:
            batch = self._enricher.enrich(records)
            for sink in self._sinks:
                try:
                    sink.ingest(batch)
                except Exception as error:  # the others are to have the batch all the same
                    failure = failure or error
        if failure is not None:
            raise failure


class Probe(Protocol):
    """Something that measures: it knows the log and nothing else."""

    def start(self) -> None:
        """Begin to measure, on a thread of its own."""
        ...

    def stop(self) -> None:
        """Stop, write what is left, and return when the thread has ended."""
        ...
