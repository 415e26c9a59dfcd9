"""A sink that keeps every record that was appended to a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

RecordT = TypeVar("RecordT")


class Kept:
    """Connect it to a log."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def ingest(self, batch: Batch) -> None:
        self.records.extend(batch.raw)

    def of(self, kind: type[RecordT]) -> list[RecordT]:
        """Return the records of one kind so far."""
        return [record for record in tuple(self.records) if isinstance(record, kind)]
