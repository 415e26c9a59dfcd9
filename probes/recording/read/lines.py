"""What the target of a recorded session wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.format.arrow import compute
from perftui.probes.recording.read.rows import rows_of
from perftui.probes.spine.records import LogLine

if TYPE_CHECKING:
    from perftui.probes.recording.read.catalog import Catalog


class DiskLines:
    """Looked up in the segments of the range that is asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def newest(self, t0_ns: int, t1_ns: int, limit: int) -> tuple[LogLine, ...]:
        """Return the newest lines of the range, oldest first."""
        pc = compute()
        found: list[LogLine] = []
        for segment in reversed(self._catalog.overlapping("log", t0_ns, t1_ns)):
            table = self._catalog.load("log", segment)
            within = pc.and_(pc.greater_equal(table["t_ns"], t0_ns), pc.less(table["t_ns"], t1_ns))
            table = table.filter(within)
            table = table.slice(max(table.num_rows - (limit - len(found)), 0))
            rows = rows_of(table, ("t_ns", "stream", "text"))
            found[:0] = [
                LogLine(t, "stderr" if stream == "stderr" else "stdout", text)
                for t, stream, text in rows
            ]
            if len(found) >= limit:
                break
        return tuple(found)
