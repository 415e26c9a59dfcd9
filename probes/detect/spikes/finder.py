"""Finds spikes in what a `Reader` says: jumps of RSS, and bursts of CPU in imports, first calls
and the first seconds.

It looks at whole seconds only, once each, when they are a few seconds old, and closely only where
a second shows a rise: a live session is followed for next to nothing. Seconds and readings lie on
the session's own clock, so a recording gives the same cards as the live session did.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.detect.spikes.card import SpikeStretch, first_calls, make_card, outermost
from perftui.probes.detect.spikes.jumps import STEP_NS, jumps, least_jump
from perftui.probes.spine.derived import CPU_SMOOTH_NS
from perftui.probes.spine.median import median
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.reader import Reader, Status

BURSTS_KEPT = 400
"""The longest of imports and first calls."""
KEPT = 20
"""Cards: the largest ones."""
SETTLED_S = 3
"""Stacks, imports and calls of a second have come when it is this old."""
STACKS_PATIENCE_NS = 10 * NS_PER_S
"""A stretch whose stacks have not come by then is told without them."""
LOOKS_AFTER_END = 4
"""A target's end is known before its last stacks and imports: so often one looks again, a second
apart, before all is taken to have come."""
AT_ONCE_S = 600
"""Seconds that one call of `advance` looks at."""
LONGEST_RISE_S = 30
HOT_PERCENT = 90.0
CALM_PERCENT = 50.0
LEAST_BURST_NS = 3 * NS_PER_S // 10
START_NS = 10 * NS_PER_S
"""A burst that nothing names counts if it begins within this time."""
START_ENDS_NS = 15 * NS_PER_S
"""And if it is over by then: else the program is simply busy."""
RISEN = 1.5
"""A burst has at least this many times the CPU of the time before it."""
SAME_PEAK = 1.1
"""A jump that ends below this many times the highest peak so far is a repeat, not news."""


class SpikeFinder:
    """See the module. `advance` may be called from any one thread at a time."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = Lock()
        self._next_s: int | None = None
        self._low: float | None = None
        """Lowest RSS of the second before `_next_s`."""
        self._rising: tuple[int, int] | None = None
        """First and last second of a rise that goes on."""
        self._risen_until_ns = 0
        self._peak = 0.0
        self._jumps: list[SpikeStretch] = []
        """Each ends higher than the one before by `SAME_PEAK`: there cannot be many."""
        self._bursts: dict[tuple[str, int], SpikeStretch] = {}
        self._looked_ns = 0
        """Imports that ended before this have been looked at."""
        self._calls: set[str] = set()
        self._started = False
        self._waiting = False
        """Something was found that has no card yet."""
        self._looks_after_end = 0
        self._all_in = False
        """Nothing more will come."""
        self._cards: dict[SpikeStretch, Spike] = {}
        self._top: tuple[Spike, ...] = ()
        self.repeats = 0
        """Jumps that stayed below an earlier peak: no cards."""
        self.left_out = 0
        """Smaller spikes than those kept."""

    @property
    def spikes(self) -> tuple[Spike, ...]:
        """The cards so far, by time."""
        return self._top

    def advance(self) -> bool:
        """Look at the seconds that have come; True if there are more to look at."""
        with self._lock:
            return self._advance()

    def finish(self) -> tuple[Spike, ...]:
        """Look at all there is and return the cards: the session is closed, or is a recording."""
        self._all_in = True
        while self.advance():
            pass
        return self._top

    def _advance(self) -> bool:
        status = self._reader.status()
        over = self._over(status)
        end_s = status.t_end_ns // NS_PER_S + 1 if over else status.t_end_ns // NS_PER_S - SETTLED_S
        if self._next_s is None:
            self._next_s = status.t_start_ns // NS_PER_S
            self._looked_ns = status.t_start_ns
        upto_s = min(self._next_s + AT_ONCE_S, end_s)
        if upto_s > self._next_s:
            self._look_at(self._next_s, upto_s)
            self._next_s = upto_s
        more = self._next_s < end_s
        if over and not more and self._rising is not None:
            self._close_rise()
        if not more:
            self._look_for_bursts(status, end_s * NS_PER_S, over=over)
            if self._waiting:
                self._rank(status, over)
        return more

    def _over(self, status: Status) -> bool:
        """Tell whether all has come that will."""
        if self._all_in or status.state == "recording":
            return True
        if status.state != "exited":
            return False
        self._looks_after_end += 1
        return self._looks_after_end >= LOOKS_AFTER_END

    # -- jumps of RSS ----------------------------------------------------------------------

    def _look_at(self, first_s: int, end_s: int) -> None:
        """Look for rises, second by second."""
        rows = self._reader.metric(
            "rss_bytes", first_s * NS_PER_S, end_s * NS_PER_S, end_s - first_s
        )
        for second, (low, high) in enumerate(zip(rows.low, rows.high, strict=True), first_s):
            floor = low if self._low is None or low is None else min(self._low, low)
            rises = high is not None and floor is not None and high - floor >= least_jump(floor)
            self._low = low
            if rises:
                begin = second if self._rising is None else self._rising[0]
                self._rising = (begin, second)
            if self._rising is not None:
                begin, last = self._rising
                if second > last + 1 or second - begin >= LONGEST_RISE_S:
                    self._close_rise()

    def _close_rise(self) -> None:
        """Look closely at some seconds that showed a rise."""
        assert self._rising is not None
        first_s, last_s = self._rising
        self._rising = None
        t0 = max((first_s - 1) * NS_PER_S, self._risen_until_ns)
        t1 = (last_s + 2) * NS_PER_S
        values = self._reader.metric("rss_bytes", t0, t1, (t1 - t0) // STEP_NS).last
        for low, top in jumps(values):
            found = SpikeStretch("rss", t0 + low * STEP_NS, t0 + (top + 1) * STEP_NS)
            self._risen_until_ns = found.t1_ns
            height = values[top] or 0.0
            if height <= SAME_PEAK * self._peak:
                self.repeats += 1
                continue
            self._peak = height
            self._jumps.append(found)
            self._waiting = True

    # -- bursts of CPU ---------------------------------------------------------------------

    def _look_for_bursts(self, status: Status, until_ns: int, *, over: bool) -> None:
        until_ns = min(until_ns, status.t_end_ns + 1)
        if until_ns <= self._looked_ns:
            return
        for row in outermost(self._reader.imports(self._looked_ns, until_ns)):
            end_ns = row.t0_ns + row.total_ns
            if not row.running and self._looked_ns <= end_ns < until_ns:
                self._take_burst(f"import {row.module}", SpikeStretch("cpu", row.t0_ns, end_ns))
        self._looked_ns = until_ns
        for name, begin, end in first_calls(self._reader, status.t_start_ns, until_ns):
            if name not in self._calls:
                self._calls.add(name)
                self._take_burst(f"call {name}", SpikeStretch("cpu", begin, end, name))
        if not self._started and (over or until_ns - status.t_start_ns >= START_ENDS_NS):
            self._started = True
            self._look_at_start(status.t_start_ns, until_ns)

    def _take_burst(self, name: str, found: SpikeStretch) -> None:
        """Keep a stretch if a core was busy for most of it."""
        if found.t1_ns - found.t0_ns < LEAST_BURST_NS:
            return
        values = [v for v in self._cpu(found.t0_ns, found.t1_ns) if v is not None]
        if values and median(values) > HOT_PERCENT:
            self._bursts[name, found.t0_ns] = found
            self._waiting = True
            if len(self._bursts) > BURSTS_KEPT:
                shortest = min(self._bursts, key=lambda key: _length(self._bursts[key]))
                del self._bursts[shortest]

    def _cpu(self, t0_ns: int, t1_ns: int) -> Sequence[float | None]:
        n = min(max((t1_ns - t0_ns) // STEP_NS, 1), 1200)
        return self._reader.metric("cpu_percent", t0_ns, t1_ns, n).last

    def _look_at_start(self, start_ns: int, until_ns: int) -> None:
        """Look for a burst of the first seconds that ends."""
        t1 = min(start_ns + START_ENDS_NS, until_ns)
        values = self._cpu(start_ns, t1)
        step = (t1 - start_ns) / max(len(values), 1)
        begin: int | None = None
        for n, value in enumerate(values):
            if value is not None and value > HOT_PERCENT:
                begin = n if begin is None else begin
            elif begin is not None and (value is None or value < CALM_PERCENT):
                # The figure is a mean over a while before: what it shows began earlier.
                t0 = max(start_ns + round(begin * step) - CPU_SMOOTH_NS, start_ns)
                end = start_ns + round(n * step) - CPU_SMOOTH_NS
                if end - t0 >= LEAST_BURST_NS and t0 - start_ns <= START_NS:
                    self._bursts["start", t0] = SpikeStretch("cpu", t0, end)
                    self._waiting = True
                begin = None

    # -- cards -----------------------------------------------------------------------------

    def _rank(self, status: Status, over: bool) -> None:
        """Join what is one and make the cards that are new.

        What may still turn out to be a part of something waits: a stretch close to a rise that
        goes on, or to an import that runs.
        """
        named = [found for (name, _), found in self._bursts.items() if name != "start"]
        groups = joined([*self._jumps, *named])
        groups += [
            found
            for (name, _), found in self._bursts.items()
            if name == "start" and not any(_meet(found, each) for each in groups)
        ]
        until_ns = status.t_end_ns + 1 if over else self._known_until_ns(status)
        ripe = [found for found in groups if found.t1_ns <= until_ns]
        self._waiting = len(ripe) < len(groups)
        self._cards = {
            found: self._cards.get(found) or make_card(self._reader, found, status.t_start_ns)
            for found in ripe
        }
        news = [card for card in self._cards.values() if stands_out(card)]
        largest = sorted(news, key=lambda card: -card.size)[:KEPT]
        self.left_out = len(news) - len(largest)
        self._top = tuple(sorted(largest, key=lambda card: card.t0_ns))

    def _known_until_ns(self, status: Status) -> int:
        """Return the time up to which all is known that can be joined."""
        assert self._next_s is not None
        until_s = self._next_s - 2 if self._rising is None else self._rising[0] - 1
        running = [
            row.t0_ns
            for row in self._reader.imports(status.t_start_ns, status.t_end_ns)
            if row.running
        ]
        stacks: list[int] = []
        if status.stacks_until_ns is not None:
            stacks = [max(status.stacks_until_ns, status.t_end_ns - STACKS_PATIENCE_NS)]
        return min([until_s * NS_PER_S, *running, *stacks])


def stands_out(card: Spike) -> bool:
    """Tell whether a burst is more than what was going on anyway; a jump of memory always is."""
    before, now = card.cpu_before_percent, card.cpu_percent
    if card.kind != "cpu" or before is None or now is None:
        return True
    return now >= RISEN * before


def _length(found: SpikeStretch) -> int:
    return found.t1_ns - found.t0_ns


def _meet(one: SpikeStretch, other: SpikeStretch) -> bool:
    return one.t0_ns < other.t1_ns and other.t0_ns < one.t1_ns


def joined(found: Sequence[SpikeStretch]) -> list[SpikeStretch]:
    """Join stretches that share half of the shorter one: a burst and the jump within it are one,
    and about memory."""
    groups: list[SpikeStretch] = []
    for each in sorted(found, key=lambda f: (f.t0_ns, f.t1_ns, f.kind, f.call)):
        last = groups[-1] if groups else None
        if last is not None:
            common = min(last.t1_ns, each.t1_ns) - each.t0_ns
            shorter = min(last.t1_ns - last.t0_ns, each.t1_ns - each.t0_ns)
            if common * 2 >= shorter and common > 0:
                kind = last.kind if last.kind == "rss" else each.kind
                end = max(last.t1_ns, each.t1_ns)
                groups[-1] = SpikeStretch(kind, last.t0_ns, end, last.call or each.call)
                continue
        groups.append(each)
    return groups
