"""What collections of cycles took, in bounded memory: what is old is told in longer steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.spine.records import Collected

KEPT = 2_000


class CollectedHistory:
    """Takes records in time order."""

    def __init__(self, keep: int = KEPT) -> None:
        self._keep = keep
        self._rows: list[Collected] = []

    def take(self, record: Collected) -> None:
        """Take one record."""
        self._rows.append(record)
        if len(self._rows) > self._keep:
            half = self._keep // 2
            self._rows[:half] = joined(self._rows[:half])

    def between(self, t0_ns: int, t1_ns: int) -> tuple[Collected, ...]:
        """Return what overlaps the range, by its end."""
        return tuple(row for row in self._rows if row.t_ns >= t0_ns and row.t0_ns < t1_ns)


def joined(rows: list[Collected]) -> list[Collected]:
    """Join every two that follow each other in one process and generation; no sum changes."""
    found: list[Collected] = []
    waiting: dict[tuple[int, int], Collected] = {}
    for row in rows:
        first = waiting.pop((row.pid, row.generation), None)
        if first is None:
            waiting[row.pid, row.generation] = row
        else:
            found.append(
                row._replace(
                    t0_ns=min(first.t0_ns, row.t0_ns),
                    n=first.n + row.n,
                    timed=first.timed + row.timed,
                    pause_ns=first.pause_ns + row.pause_ns,
                    longest_ns=max(first.longest_ns, row.longest_ns),
                    collected=first.collected + row.collected,
                )
            )
    found.extend(waiting.values())
    return sorted(found, key=lambda row: row.t_ns)
