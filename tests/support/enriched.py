"""Records on the way that a session gives them, without the session's log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from perftui.probes.spine.enricher import Enricher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import Sink
    from perftui.probes.spine.records import Record

_enrichers: WeakKeyDictionary[object, Enricher] = WeakKeyDictionary()


def enriched(records: Sequence[Record], of: object) -> Batch:
    """Return the next batch of records of a session, which `of` stands for."""
    return _enrichers.setdefault(of, Enricher()).enrich(records)


def feed(sink: Sink, records: Sequence[Record]) -> None:
    """Give a sink the next batch of its own session."""
    sink.ingest(enriched(records, of=sink))
