"""straggler, lone_growth, memory_skew: one of several processes that are alike is not.

No threshold says what is much: each is held against the others of its group. The odd ones are told
from the rest by the widest gap between neighbours, wider than the whole range of the rest in
several readings, and only if they are few (a quarter at the most): of alike ones that differ by
chance it is now this one and now that, and none stays beyond all others.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.evidence.detector import Detector
from perftui.probes.detect.evidence.peers import COUNTS_SPAN_S, LEAST_PEERS
from perftui.probes.text.units import format_bytes, format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.detect.evidence.detector import Context
    from perftui.probes.detect.evidence.observations import (
        EdgeSeverity,
        PeersSeen,
        PeerUse,
        TreeReading,
    )

IN_A_ROW = 3
"""Readings, one a second, in which the same process is the odd one; and until it is not."""
GROUPS_KEPT = 64
ODD_SHARE = 0.25
BUSY_GAP = 0.3
"""Of a core, and of what the rest use: less is what schedulers and short pauses do."""
RAN_GAP, RAN_TIMES = 0.08, 2.0
"""Of a core: on a full machine everybody gets little, and alike ones get alike."""
WORKED_S = 0.5
"""So much the rest have worked: peers that never had work do not wait for anybody."""
BEHIND = 0.6
"""Of the slowest of the rest: who makes less progress lags."""
LEAST_COUNTED = 8.0
"""So many steps the rest have made in the span that is compared: of fewer, chance decides."""
GROWTH_STEPS = 5
GREW_BYTES = {10.0: 16e6, 30.0: 5e6}
"""By seconds: what grows slowly is looked at for longer."""
STEADY = 0.3
"""Of an even pace, in every step: who loads something once does not grow in each of them."""
ALONE = 4.0
"""So many times what any other grew by."""
SKEW, SKEW_BYTES = 2.0, 200e6


class Odd(NamedTuple):
    """One process that differs from its peers."""

    pid: int
    name: str
    message: str
    evidence: str
    severity: EdgeSeverity
    since_s: float


Range = tuple[float, float]
"""The least and the most of a figure in several readings."""


def the_odd_ones(values: Sequence[Range], least_gap: float, times: float = 1.0) -> tuple[int, ...]:
    """Return the places of the few that lie apart from the rest, () if none do.

    Args:
        values: One of each of a group.
        least_gap: They lie farther from the rest than this, in every reading.
        times: What is above is at least so many times what is below.
    """
    order = sorted(range(len(values)), key=lambda n: sum(values[n]))
    few = int(len(values) * ODD_SHARE)
    best: tuple[int, ...] = ()
    widest = least_gap
    for at in (*range(1, few + 1), *range(len(values) - few, len(values))):
        low, high = order[:at], order[at:]
        above, below = min(values[n][0] for n in high), max(values[n][1] for n in low)
        if above < times * below:
            continue
        gap = above - below
        odd, rest = (low, high) if len(high) > len(low) else (high, low)
        spread = max(values[n][1] for n in rest) - min(values[n][0] for n in rest)
        if gap >= widest and gap > spread:
            widest, best = gap, tuple(odd)
    return best


class _OddOneOut(Detector):
    """Keeps one process of one group as the odd one."""

    needs_s = 1.0 + IN_A_ROW

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._rows: dict[tuple[str, int], tuple[int, float]] = {}
        """By group and pid: in how many readings in a row it was odd, and since when."""
        self._told: tuple[str, int] | None = None
        self._missed = 0
        self._seen_s = 0.0

    def odd(self, seen: PeersSeen) -> list[Odd]:
        """Return who is odd in this reading, the oddest first."""
        raise NotImplementedError

    def on_peers(self, seen: PeersSeen) -> None:
        """Hold each one against the others."""
        found = {(seen.group, odd.pid): odd for odd in self.odd(seen)}
        for key in [key for key in self._rows if key[0] == seen.group and key not in found]:
            del self._rows[key]
        for key, odd in found.items():
            times, since_s = self._rows.get(key, (0, odd.since_s))
            self._rows[key] = (times + 1, since_s)
        if self._told is not None and self._told[0] == seen.group:
            self._seen_s = seen.t_s
            self._missed = 0 if self._told in found else self._missed + 1
            if self._missed >= IN_A_ROW:
                self._over(seen.t_s, "it is like its peers again")
        if self._told is None:
            for key, odd in found.items():
                times, since_s = self._rows[key]
                if times >= self.in_a_row:
                    self._told, self._missed, self._seen_s = key, 0, seen.t_s
                    self.raise_alert(odd.severity, since_s, seen.t_s, odd.message, odd.evidence)
                    break

    in_a_row = 1
    """In so many."""

    def on_sample(self, sample: TreeReading) -> None:
        """Is it still there, and its peers?"""
        if self._told is not None and sample.t_s - self._seen_s > IN_A_ROW + 1:
            self._over(sample.t_s, "it or its peers have ended")

    def _over(self, now_s: float, why: str) -> None:
        self._told = None
        self.clear(now_s, self._seen_s - (self._missed if self._missed else 0), why)


class Straggler(_OddOneOut):
    """One works while its peers wait, does little while they work, or makes less progress."""

    kind = "straggler"

    in_a_row = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._before: dict[str, deque[dict[int, PeerUse]]] = {}
        """By group: the last readings."""

    def odd(self, seen: PeersSeen) -> list[Odd]:
        """By progress where all count, else by what they want of the CPU."""
        before = self._before.setdefault(seen.group, deque(maxlen=IN_A_ROW))
        before.append({use.pid: use for use in seen.uses})
        if len(self._before) > GROUPS_KEPT:
            self._before = {seen.group: before}
        return self._behind(seen) or self._by_cpu(seen, before)

    def _by_cpu(self, seen: PeersSeen, before: deque[dict[int, PeerUse]]) -> list[Odd]:
        """Who wants more or less of a core than the others, or is given far more or less.

        On a full machine those who only look again and again whether they may go on want a core
        all the time, too; then what they run tells them apart.
        """
        uses = [use for use in seen.uses if all(use.pid in each for each in before)]
        if len(before) < IN_A_ROW or len(uses) < LEAST_PEERS:
            return []
        wanted = [_range([each[use.pid].busy for each in before]) for use in uses]
        ran = [_range([each[use.pid].ran for each in before]) for use in uses]
        middle = sorted(use.busy for use in uses)[len(uses) // 2]
        places, spans = the_odd_ones(wanted, max(BUSY_GAP, BUSY_GAP * middle)), wanted
        if not places:
            places, spans = the_odd_ones(ran, RAN_GAP, RAN_TIMES), ran
        rest = [n for n in range(len(uses)) if n not in places]
        if sorted(uses[n].used_s for n in rest)[len(rest) // 2] < WORKED_S:
            return []
        low, high = min(spans[n][0] for n in rest), max(spans[n][1] for n in rest)
        found = []
        for place in places:
            use, mine = uses[place], spans[place]
            word = "busy" if spans is wanted else "on a core"
            figures = (
                f"{word} {_percent(*mine)} of the time, {len(rest)} peers {_percent(low, high)}"
            )
            severity: EdgeSeverity = "warn"
            if mine[0] > high:
                said = f"{_who(use)} works while its peers wait: {figures}"
            else:
                said = f"{_who(use)} does less than its peers: {figures}"
                if use.used_s < WORKED_S:  # it may have another part to play
                    severity = "info"
            found.append(_odd(use, said, severity, seen.t_s - IN_A_ROW))
        return found

    def _behind(self, seen: PeersSeen) -> list[Odd]:
        """Who makes less progress, by the counter that says most."""
        for name, halves in sorted(seen.progress, key=lambda each: -min(map(sum, each[1]))):
            places = the_odd_ones([_range(each) for each in halves], 0.0)
            rest = [n for n in range(len(halves)) if n not in places]
            slowest = 2 * min(min(halves[n]) for n in rest)
            most = max((2 * max(halves[n]) for n in places), default=slowest)
            if not places or slowest < LEAST_COUNTED or most > BEHIND * slowest:
                continue
            risen = sorted(sum(halves[n]) for n in rest)
            peers = f"its {len(rest)} peers {_counts(risen[0], risen[-1])}"
            return [
                _odd(
                    seen.uses[n],
                    f"{_who(seen.uses[n])} lags: {format_count(round(sum(halves[n])))} {name} in "
                    f"{COUNTS_SPAN_S:g} s, {peers}",
                    "warn",
                    seen.t_s - COUNTS_SPAN_S,
                )
                for n in places
            ]
        return []


class LoneGrowth(_OddOneOut):
    """One grows on and on, and none of its peers does: what a leak looks like from outside."""

    kind = "lone_growth"
    needs_s = 2.0 + min(GREW_BYTES)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sizes: dict[int, deque[tuple[float, float]]] = {}

    def odd(self, seen: PeersSeen) -> list[Odd]:
        """Who grew in every step, far more than any other."""
        longest_s = max(GREW_BYTES)
        for use in seen.uses:
            sizes = self._sizes.setdefault(use.pid, deque())
            sizes.append((seen.t_s, use.rss_bytes))
            while len(sizes) > 1 and sizes[1][0] <= seen.t_s - longest_s:
                sizes.popleft()
        living = {use.pid for use in seen.uses}
        if len(self._sizes) > 4 * len(living) + 64:
            self._sizes = {pid: each for pid, each in self._sizes.items() if pid in living}
        for span_s, least_bytes in GREW_BYTES.items():
            if odd := self._grew(seen, span_s, least_bytes):
                return [odd]
        return []

    def _grew(self, seen: PeersSeen, span_s: float, least_bytes: float) -> Odd | None:
        since_s = seen.t_s - span_s
        steps = {}
        for use in seen.uses:
            sizes = self._sizes[use.pid]
            if sizes[0][0] > since_s + 0.5:
                return None  # not known for so long
            steps[use.pid] = _steps(sizes, since_s, span_s / GROWTH_STEPS)
        totals = sorted(((sum(each), pid) for pid, each in steps.items()), reverse=True)
        most, pid = totals[0]
        others = [max(total, 0.0) for total, _ in totals[1:]]
        steady = min(steps[pid]) >= STEADY * most / GROWTH_STEPS
        if most < least_bytes or not steady or most < ALONE * max(others):
            return None
        use = next(use for use in seen.uses if use.pid == pid)
        said = (
            f"{_who(use)} grows alone: +{format_bytes(most)} in {span_s:g} s, its "
            f"{len(others)} peers {_sizes(min(others), max(others))}"
        )
        return _odd(use, said, "warn", since_s)


class MemorySkew(_OddOneOut):
    """One holds far more memory than any of its peers."""

    kind = "memory_skew"
    in_a_row = IN_A_ROW

    def odd(self, seen: PeersSeen) -> list[Odd]:
        """Who holds twice as much as the largest other, and 200 MB more."""
        order = sorted(seen.uses, key=lambda use: use.rss_bytes, reverse=True)
        use, rest = order[0], order[1:]
        high, low = rest[0].rss_bytes, rest[-1].rss_bytes
        if use.rss_bytes < max(SKEW * high, high + SKEW_BYTES):
            return []
        said = (
            f"{_who(use)} holds {format_bytes(use.rss_bytes)}, its {len(rest)} peers "
            f"{_sizes(low, high).replace('+', '')}"
        )
        return [_odd(use, said, "info", seen.t_s - 1.0)]


def _odd(use: PeerUse, message: str, severity: EdgeSeverity, since_s: float) -> Odd:
    evidence = "held against the processes that are like it, in the same seconds"
    return Odd(use.pid, use.name, message, evidence, severity, max(since_s, 0.0))


def _who(use: PeerUse) -> str:
    return f"{use.name} (pid {use.pid})"


def _percent(low: float, high: float) -> str:
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low * 100:.0f} to {high:.0%}"


def _range(values: Sequence[float]) -> Range:
    return min(values), max(values)


def _counts(low: float, high: float) -> str:
    words = format_count(round(low)), format_count(round(high))
    return words[0] if words[0] == words[1] else " to ".join(words)


def _sizes(low: float, high: float) -> str:
    words = f"+{format_bytes(low)}", f"+{format_bytes(high)}"
    return words[0] if words[0] == words[1] else " to ".join(words)


def _steps(sizes: deque[tuple[float, float]], since_s: float, step_s: float) -> list[float]:
    """Return by how much a size rose in each step from `since_s` on."""
    marks = []
    for n in range(GROWTH_STEPS + 1):
        until_s = since_s + n * step_s + 0.05
        known = [size for t_s, size in sizes if t_s <= until_s]
        marks.append(known[-1] if known else sizes[0][1])
    return [after - before for before, after in pairwise(marks)]
