"""Readings that say nothing new wait for the next ones: several at a time cost half of one by one.

A reading wakes everybody who takes one: the store, the detectors, the recorder. While the memory
of every process stands still nobody misses it until the next picture; what moves, begins, ends
or is told once a second is handed on at once, with all that waited before it, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.records import Metric, ThreadCpu
from perftui.probes.spine.wakes import next_ns
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perftui.probes.spine.records import Record

HOLD_NS = NS_PER_S // 2
"""As long as from one picture to the next."""
MOVED_BYTES = 256 * 1024
"""A page more or less is no news."""
_LIVELY_NS = 3 * NS_PER_S
"""At the start everything is handed on at once: the first pictures are made of it."""


class HeldBack:
    """The batches of one probe on their way to the log.

    Args:
        hand_on: Takes records, in order.
        earlier: Gives readings that were taken since it was asked last, and wait elsewhere.
    """

    def __init__(
        self,
        hand_on: Callable[[Sequence[Record]], None],
        earlier: Callable[[], Sequence[Record]] = tuple,
    ) -> None:
        self._hand_on = hand_on
        self._earlier = earlier
        self._waiting: list[Record] = []
        self._until_ns = 0
        self._began_ns: int | None = None
        self._told: dict[int, int] = {}
        """RSS by pid, as handed on."""

    @property
    def told(self) -> Mapping[int, int]:
        """RSS by pid as it was handed on last."""
        return self._told

    def may_wait(self, t_ns: int) -> bool:
        """Tell whether a reading that says nothing new would wait."""
        return self._began_ns is not None and t_ns - self._began_ns >= _LIVELY_NS

    def gather(self) -> None:
        """Take what waits elsewhere: it comes before what is read now."""
        earlier = self._earlier()
        if earlier and not self._waiting:
            self._until_ns = next_ns(earlier[0].t_ns, HOLD_NS)  # type: ignore[union-attr]
        self._waiting += earlier

    def take(self, t_ns: int, batch: Sequence[Record]) -> None:
        """Take what was read at a moment; hand it on unless it can wait."""
        if self._began_ns is None:
            self._began_ns = t_ns
        if not self._waiting:
            self._until_ns = next_ns(t_ns, HOLD_NS)
        self._waiting += batch
        waited = t_ns >= self._until_ns or t_ns - self._began_ns < _LIVELY_NS
        if waited or self._is_news(batch):
            self.hand_on()

    def hand_on(self) -> None:
        """Hand on what waits."""
        self.gather()
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._told = {row.pid: row.rss_bytes for row in waiting if isinstance(row, Metric)}
            self._hand_on(waiting)

    def _is_news(self, batch: Sequence[Record]) -> bool:
        told, read = self._told, 0
        for row in batch:
            if isinstance(row, Metric):
                read += 1
                if abs(row.rss_bytes - told.get(row.pid, -MOVED_BYTES)) >= MOVED_BYTES:
                    return True
            elif not isinstance(row, ThreadCpu):
                return True
        return read != len(told)
