"""Timed calls in memory: per name the first, the number, and the newest."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.spine.median import median
from perftui.probes.spine.reader import CallStats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Call

CALLS_KEPT = 10_000
"""Per name; the first call, the number and the failures are kept besides."""
ALL_CALLS_KEPT = 20_000
"""Over all names: the name with most gives way."""
NAMES_KEPT = 2_000
"""Of calls and of counters; a program that makes names up has more."""


@dataclass(slots=True)
class _Calls:
    first: Call
    n: int = 0
    failed: int = 0
    kept: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))


class Calls:
    """Takes calls one at a time."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Calls] = {}
        self.held = 0
        """Calls that are kept, over all names."""

    def take(self, record: Call) -> bool:
        """Take a call; False if it has one name too many."""
        calls = self._by_name.get(record.name)
        if calls is None:
            if len(self._by_name) >= NAMES_KEPT:
                return False
            calls = self._by_name[record.name] = _Calls(record)
        calls.n += 1
        calls.failed += not record.ok
        self.held += len(calls.kept) < CALLS_KEPT
        calls.kept.append(record)
        if self.held > ALL_CALLS_KEPT:
            longest = max(self._by_name.values(), key=lambda each: len(each.kept)).kept
            for _ in range(len(longest) // 2):
                longest.popleft()
                self.held -= 1
        return True

    def firsts(self) -> Sequence[Call]:
        """Return the first call of each name."""
        return [calls.first for calls in self._by_name.values()]

    def stats(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """Return statistics per name; "first" is the first call of the session."""
        rows = []
        for name, calls in self._by_name.items():
            inside = [call for call in list(calls.kept) if t0_ns <= call.t_ns < t1_ns]
            whole = calls.first.t_ns >= t0_ns and calls.kept[-1].t_ns < t1_ns
            if not inside:
                continue
            # The first recorded call is the cold one; several processes may each have one.
            warm = [call.duration_ns for call in inside if call.n > 1]
            middle = round(median(warm)) if warm else None
            first_ns = calls.first.duration_ns
            rows.append(
                CallStats(
                    name=name,
                    n=calls.n if whole else len(inside),
                    first_ns=first_ns,
                    warm_median_ns=middle,
                    last_ns=inside[-1].duration_ns,
                    ratio=first_ns / middle if middle else None,
                    failed=calls.failed if whole else sum(not call.ok for call in inside),
                )
            )
        return tuple(rows)
