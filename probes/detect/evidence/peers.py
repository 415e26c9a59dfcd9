"""Processes that are alike: workers of a pool, ranks of a job, workers of a cluster.

Alike are those that one process has started with the same command line, numbers in it aside, or
that an engine has given the same title. What each of them uses is read once a second; a group is
told as one observation, so that a detector can hold each against the others.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.answers.process_use import process_name
from perftui.probes.detect.evidence.observations import PeersSeen, PeerUse
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.enriched import Reading
    from perftui.probes.spine.records import Count, Exit, ProcessStart

LEAST_PEERS = 4
"""Of fewer, one that differs is no odd one out: two against one are no crowd."""
COUNTS_SPAN_S = 4.0
_LEAST_STEP_NS = NS_PER_S // 2
_NUMBERS = re.compile(r"\d+")
_TITLED = re.compile(r"(dask) worker\b")
_NO_PEERS = "ray worker"
"""One may be an actor and another one take tasks: they are not alike."""
_RANK = re.compile(r"rank \d+")
_NAMES_KEPT = 64
"""Counters that are compared among peers."""

_Group = tuple[object, ...]


class Peers:
    """Follows who is alike, and what each one uses.

    Args:
        base_ns: Time zero of the observations.
    """

    def __init__(self, base_ns: int) -> None:
        self._base_ns = base_ns
        self._groups: dict[_Group, dict[int, str]] = {}
        """By what they have in common: names of the living, by pid."""
        self._group_of: dict[int, _Group] = {}
        self._marks: dict[int, tuple[int, float, float]] = {}
        self._used_s: dict[int, float] = {}
        self._uses: dict[int, PeerUse] = {}
        self._totals: dict[str, dict[int, deque[tuple[float, float]]]] = {}

    def began(self, start: ProcessStart) -> None:
        """Take a process, or another command line of one."""
        self._forget(start.pid, new=False)
        group = _group(start)
        if group is not None:
            self._group_of[start.pid] = group
            self._groups.setdefault(group, {})[start.pid] = _name(start)

    def ended(self, exit_: Exit) -> None:
        """Let go of a process."""
        self._forget(exit_.pid, new=True)

    def _forget(self, pid: int, *, new: bool) -> None:
        group = self._group_of.pop(pid, None)
        if group is not None:
            self._groups[group].pop(pid, None)
            if not self._groups[group]:
                del self._groups[group]
        self._uses.pop(pid, None)
        if new:
            self._marks.pop(pid, None)
            self._used_s.pop(pid, None)
            for totals in self._totals.values():
                totals.pop(pid, None)

    def count(self, count: Count) -> None:
        """Take what a process says of its progress."""
        if count.pid not in self._group_of:
            return
        totals = self._totals.get(count.name)
        if totals is None:
            if len(self._totals) >= _NAMES_KEPT:
                return
            totals = self._totals[count.name] = {}
        t_s = (count.t_ns - self._base_ns) / NS_PER_S
        told = totals.setdefault(count.pid, deque(maxlen=256))
        if told and t_s - told[-1][0] < 0.1:
            told[-1] = (told[-1][0], count.total)
        else:
            told.append((t_s, count.total))

    def read(self, t_ns: int, readings: tuple[Reading, ...]) -> Iterator[PeersSeen]:
        """Yield the groups of which all were read just now with all that counts up."""
        fresh = set()
        for metric, _ in readings:
            pid, waited_s = metric.pid, metric.run_queue_wait_s
            if waited_s is None or pid not in self._group_of:
                continue
            wanted_s = metric.cpu_s + waited_s
            before = self._marks.get(pid)
            if before is not None and metric.t_ns - before[0] < _LEAST_STEP_NS:
                continue
            self._marks[pid] = (metric.t_ns, wanted_s, metric.cpu_s)
            if before is None or wanted_s < before[1]:
                self._uses.pop(pid, None)
                continue
            self._used_s[pid] = self._used_s.get(pid, 0.0) + wanted_s - before[1]
            took_s = (metric.t_ns - before[0]) / NS_PER_S
            self._uses[pid] = PeerUse(
                pid,
                self._groups[self._group_of[pid]][pid],
                (wanted_s - before[1]) / took_s,
                max(metric.cpu_s - before[2], 0.0) / took_s,
                self._used_s[pid],
                float(metric.rss_bytes),
            )
            fresh.add(pid)
        if not fresh:
            return
        t_s = (t_ns - self._base_ns) / NS_PER_S
        for group, names in self._groups.items():
            uses = [self._uses[pid] for pid in names if pid in fresh]
            if len(uses) >= LEAST_PEERS and 2 * len(uses) > len(names):
                yield PeersSeen(t_s, str(group), tuple(uses), self._progress(t_s, uses))

    def _progress(
        self, t_s: float, uses: list[PeerUse]
    ) -> tuple[tuple[str, tuple[tuple[float, float], ...]], ...]:
        """Return by how much counters that all of a group have rose lately, in its order."""
        found = []
        for name, totals in self._totals.items():
            risen = []
            for use in uses:
                told = totals.get(use.pid)
                if told is None or told[0][0] > t_s - COUNTS_SPAN_S:
                    break
                while len(told) > 1 and told[1][0] <= t_s - COUNTS_SPAN_S:
                    told.popleft()
                half_s = t_s - COUNTS_SPAN_S / 2
                middle = next(total for at_s, total in reversed(told) if at_s <= half_s)
                risen.append((max(middle - told[0][1], 0.0), max(told[-1][1] - middle, 0.0)))
            if len(risen) == len(uses):
                found.append((name, tuple(risen)))
        return tuple(found)


def _group(start: ProcessStart) -> _Group | None:
    if not start.argv or start.argv[0].startswith(_NO_PEERS):
        return None
    titled = _TITLED.match(start.argv[0])
    if titled is not None:
        return (titled[1],)
    argv = start.argv[1:] if _RANK.fullmatch(start.argv[0]) else start.argv
    return (start.ppid, *(_NUMBERS.sub("0", word) for word in argv))


def _name(start: ProcessStart) -> str:
    """Return what a person calls it: the title that it was given, else its program."""
    first = start.argv[0]
    if _TITLED.match(first) is not None:
        return first
    return first if _RANK.fullmatch(first) else process_name(start.argv[:1])
