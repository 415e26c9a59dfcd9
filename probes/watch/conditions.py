"""Whether what was asked for has happened: records in, events out, no clock of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.records import Alert
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.probes.watch.expression import COMPARE, SEVERITIES
from perftui.probes.watch.stalls import Stalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch, Tick
    from perftui.probes.watch.ended import End
    from perftui.probes.watch.expression import Term

_BACK = 0.95
"""What went over a line has to come back this much before it can go over again."""
_ALERTS_KEPT = 1_000


class Occasion(NamedTuple):
    """Something that was asked for has happened."""

    t_ns: int
    term: Term
    words: str
    """What, with its figures."""


class Conditions:
    """Takes the batches of one session in their order.

    Args:
        terms: What is asked for.
        tree: The session's call tree.
    """

    def __init__(self, terms: Sequence[Term], tree: CallTree) -> None:
        self._terms = terms
        self._lines = {term: _Line(term) for term in terms if term.kind == "metric"}
        self._stalls = {term: Stalls(tree, term.value) for term in terms if term.kind == "stall"}
        self._told: dict[tuple[str, int], int] = {}
        """Alerts by kind and onset: the highest rank that was told."""

    def take(self, batch: Batch) -> Iterator[Occasion]:
        """Yield what a batch makes known."""
        for tick in batch.ticks:
            for term, line in self._lines.items():
                words = line.take(tick)
                if words is not None:
                    yield Occasion(tick.t_ns, term, words)
        for term, stalls in self._stalls.items():
            for t_ns, words in stalls.take(batch.weighed):
                yield Occasion(t_ns, term, words)
        for record in batch.events:
            if isinstance(record, Alert) and record.t_clear_ns is None:
                yield from self._alert(record)

    def _alert(self, alert: Alert) -> Iterator[Occasion]:
        key, rank = (alert.kind, alert.t_onset_ns), SEVERITIES.index(alert.severity)
        before = self._told.get(key, -1)
        if rank <= before:
            return
        if len(self._told) >= _ALERTS_KEPT:
            del self._told[next(iter(self._told))]
        self._told[key] = rank
        for term in self._terms:
            if (
                term.kind == "alert"
                and term.name in ("", alert.kind)
                and before < term.value <= rank
            ):
                words = f"{alert.severity}: {alert.kind.replace('_', ' ')}: {alert.message}"
                yield Occasion(alert.t_detect_ns, term, words)

    def ended(self, t_ns: int, end: End) -> Iterator[Occasion]:
        """Yield what the end of the target makes known; in doubt it is what was asked for."""
        for term in self._terms:
            if term.kind != "exit":
                continue
            code = end.exit_code if end.signal is None else 128 + end.signal
            if term.any or code is None or COMPARE[term.compare](code, term.value):
                yield Occasion(t_ns, term, f"it ended: {end.words()}")


class _Line:
    """A figure, and the line that it may not cross."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._since_ns: int | None = None
        self._is_over = False
        self._compare = COMPARE[term.compare]

    def take(self, tick: Tick) -> str | None:
        """Return what to say if it has crossed the line now."""
        term = self._term
        if term.name == "processes":
            value: float | None = len(tick.readings)
        else:
            value = tick.sums.get(term.name)
        if value is None:
            return None  # told once a second, or not at all
        if not self._compare(value, term.value):
            self._since_ns = None
            if self._is_over and self._is_back(value):
                self._is_over = False
            return None
        if self._since_ns is None:
            self._since_ns = tick.t_ns
        lasted_s = (tick.t_ns - self._since_ns) / NS_PER_S
        if self._is_over or lasted_s < term.for_s:
            return None
        self._is_over = True
        words = f"{term.text}: {self._said(value)}"
        return f"{words} for {format_seconds(lasted_s)}" if term.for_s else words

    def _is_back(self, value: float) -> bool:
        if self._term.compare in (">", ">="):
            return value <= self._term.value * _BACK
        if self._term.compare in ("<", "<="):
            return value >= self._term.value / _BACK
        return True

    def _said(self, value: float) -> str:
        if self._term.unit == "bytes":
            return format_bytes(value)
        return f"{value:.0f} %" if self._term.unit == "percent" else f"{value:g}"
