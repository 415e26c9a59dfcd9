"""Which code touched new memory: between which two readings of a thread, and beside which code.

A fault arrives with the next record. What is known of it, from best to least:

* it was *caught*: counted in the microseconds in which a stack was read, so it happened there. Code
  is caught in proportion to what it faults (the point rate), so many catches tell how much each
  of several has;
* the thread slept before it and sleeps after it, and the two places say what it was about: what
  was met at work *between the same two sleeps*, in bursts as short, is what touches memory there.
  A function that computes at another time, in the same second or not, has nothing to do with it;
* in a thread that does not sleep, what was met right before and after.

Where that is one function, and it was met so often that another one, which would have needed the
CPU time of so many faults, could not have been missed, it is *sure*. Where it is one, met seldom,
it gets the faults as what is likely: `unsure`. Where there are several and too few catches, the
innermost function of the program that called all of them gets the faults, unsure too: any split
would be chance. Where it waits it is not at work, and gets nothing, unless nothing else was met.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.memory.growth import is_own
from perftui.probes.profile.sums import is_machinery
from perftui.probes.spine.calltree import ROOT
from perftui.probes.stacks.own.weigh_cpu import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.stacks.own.records import SeenSample, Where

_INNER = re.compile(r"(\.<locals>\.<(list|dict|set)comp>)+$")
_CALLS = frozenset({"sleep", "poll", "pipe", "socket", "child"})
_SHORT_NS = 15_000_000
"""CPU of bursts that may be met once or not at all: what runs for longer goes on."""
_ENOUGH_CATCHES = 10
"""So many say who has how much."""
_ALL_IN_ONE = 4.5
"""Catches that are all in one function: another one had the most with a chance below 1 in 30."""
_SOME = 3
"""Catches that say more than where the thread was met at work."""
_FAULT_NS = 200
"""CPU time of a minor fault, at the least: entering the kernel, and clearing 4 KiB."""
_SURE = 3.0
"""How often it would have been met where the faults are, by the share of its CPU that they take at
the least: that it was met elsewhere only has a chance of 1 in 20."""
_BESIDE = 0.015
"""Part of the faults beside which a function of a thread that does not sleep has to be met."""
_MEMORY = 0.97
"""From one second to the next: catches are few, one or two a second."""
_LONG_MEMORY = 0.2
"""The same for hits of work that goes on: it becomes other work."""
_LEAST = 0.1
_MOST_BURSTS = 400
"""Kinds of bursts that are told apart, of one thread."""


class GivenFaults(NamedTuple):
    """Faults for a stack."""

    stack: Where
    faults: int
    unsure: int
    """Part of them."""
    catches: int = 0
    """Readings that caught the thread at it, running."""


class WhoseCode:
    """Tells whose code a stack is; without a call tree each stack is its own."""

    def __init__(self, tree: CallTree | None = None) -> None:
        self._tree = tree
        self._own: dict[Where, tuple[object, ...]] = {}

    def of(self, stack: Where) -> tuple[object, ...]:
        """Return the innermost function of the program in a stack, else its innermost one."""
        tree = self._tree
        if tree is None or not isinstance(stack, int):
            return (stack,)
        found = self._own.get(stack)
        if found is None:
            at = self._own_above(stack)
            frame = tree.frame(at if at != ROOT else stack)
            # A comprehension is a function of its own before 3.12, and of nobody else's code.
            found = self._own[stack] = (_INNER.sub("", frame.function), frame.file)
        return found

    def caller(self, stacks: Iterable[Where], *, own: bool) -> Where:
        """Return the node of the innermost function that all stacks are in, None if there is none.

        Args:
            stacks: The node is on the path of the first one.
            own: Only a function of the program will do.
        """
        tree = self._tree
        first, *others = stacks
        if tree is None or not isinstance(first, int):
            return None if others else first
        path = self._path(first)
        depth = len(path)
        for other in others:
            if not isinstance(other, int):
                return None
            theirs = self._path(other)
            depth = min(depth, len(theirs))
            for at in range(depth):
                if self._function(path[at]) != self._function(theirs[at]):
                    depth = at
                    break
        if not depth:
            return None
        node = path[depth - 1]
        if own and not is_own(tree.frame(node)):
            node = self._own_above(node)
            below = ROOT if node == ROOT else path[path.index(node) + 1]
            if is_machinery(tree.frame(below)):
                node = below  # it imports modules: told apart from what its own lines touch
        return node if node != ROOT else None

    def _path(self, node: int) -> list[int]:
        """Return the nodes of a stack, without a label above it: two tasks have one program."""
        assert self._tree is not None
        path = self._tree.path(node)
        return path if not path or self._tree.frame(path[0]).file else path[1:]

    def _own_above(self, node: int) -> int:
        tree = self._tree
        assert tree is not None
        while node != ROOT and not is_own(tree.frame(node)):
            node = tree.parent(node)
        return node

    def _function(self, node: int) -> tuple[str, str]:
        assert self._tree is not None
        frame = self._tree.frame(node)
        return frame.function, frame.file


class _Bursts:
    """Bursts of work of one kind: what they touched, and what was met in them."""

    __slots__ = ("catches", "caught", "cpu_ns", "exact", "faults", "hits", "looks", "owed", "where")

    def __init__(self, where: Where) -> None:
        self.where = where
        """Where it sleeps after them."""
        self.hits: dict[Where, float] = {}
        """How often it was met there; of work that goes on, how many faults beside it."""
        self.caught: dict[Where, tuple[float, float]] = {}
        """(faults, readings) of it; fading, as are `hits` and the three below."""
        self.looks = 0.0
        """How often it was met at work."""
        self.faults = self.cpu_ns = 0.0
        self.exact: dict[Where, int] = {}
        """Faults that were caught since some were given out."""
        self.catches: dict[Where, int] = {}
        """In how many readings."""
        self.owed = 0
        """Faults that are not given out yet."""

    def hit(self, stack: Where, weight: float = 1.0) -> None:
        self.hits[stack] = self.hits.get(stack, 0.0) + weight

    def catch(self, stack: Where, faults: int) -> None:
        before, times = self.caught.get(stack, (0.0, 0.0))
        self.caught[stack] = before + faults, times + 1.0

    @property
    def due(self) -> float:
        """How often it would have been met where it touches memory."""
        return self.looks * min(self.faults * _FAULT_NS / max(self.cpu_ns, 1.0), 1.0)

    def fade(self, memory: float) -> bool:
        """Let it count less, hits by `memory`; return whether anything is left."""
        self.looks *= memory
        self.faults *= memory
        self.cpu_ns *= memory
        self.hits = {at: n * memory for at, n in self.hits.items() if n * memory > _LEAST}
        self.caught = {
            at: (faults * _MEMORY, times * _MEMORY)
            for at, (faults, times) in self.caught.items()
            if times * _MEMORY > _LEAST
        }
        return bool(self.hits or self.caught or self.owed)


class FaultsByStack:
    """Minor faults of one thread by stack, as its records come."""

    def __init__(self, code: WhoseCode) -> None:
        self._code = code
        self._kinds: dict[tuple[Where, Where] | None, _Bursts] = {}
        """By where it slept before and after; None: work without sleep."""
        self._slept: Where = None
        """None: it was not seen asleep yet."""
        self._last: Where = None
        self._met: list[Where] = []
        """At work since it slept; of work that goes on only the last."""
        self._goes_on = False
        self._caught: list[tuple[Where, int, bool]] = []
        self._faults = 0
        self._cpu_ns = 0
        """The last three are since it slept, or of work that goes on since its last reading."""
        self._seen: set[Where] = set()

    def add(self, sample: SeenSample, *, at_work: bool, waits_there: bool) -> None:
        """Take the thread's next record.

        Args:
            sample: It.
            at_work: It shows the thread at work in its stack.
            waits_there: The thread sleeps in that stack more than it runs.
        """
        stack, state, faults = sample.stack, sample.state, sample.faults
        self._cpu_ns += sample.cpu_ns
        self._last = stack
        if stack not in self._seen:
            self._seen.add(stack)
        if faults:
            self._faults += faults
            caught = sample.faults_in_window
            if caught and not waits_there:
                # Of one that was asleep and woke it is not known what it did.
                self._caught.append((stack, min(caught, faults), state == "R"))
        asleep = state != "R"
        # About to sleep, or just woken, it may have the GIL in hand: its work is elsewhere.
        if (at_work and not waits_there) or (asleep and sample.wait == "gil"):
            if self._goes_on and not self._faults:  # as it mostly is
                self._met = [stack]
                self._went_on(stack)
                return
            self._met.append(stack)
            if self._goes_on or self._cpu_ns > _SHORT_NS:
                self._goes_on = True
                self._went_on(stack)
                del self._met[:-1]
        elif asleep and (waits_there or sample.wait in _CALLS):
            if self._goes_on:
                self._went_on(stack)
            elif self._faults or self._met:
                self._burst((self._slept, stack), stack)
            self._slept = stack
            self._goes_on = False
            if self._met:
                self._met.clear()
            self._cpu_ns = 0

    def _went_on(self, stack: Where) -> None:
        """Take the interval up to a reading, or the first few, of work that goes on."""
        bursts = self._bursts(None, stack)
        if not self._faults:  # so nothing was caught, either
            self._cpu_ns = 0
            return
        for each in self._met:
            bursts.hit(each, self._faults / len(self._met))
        bursts.looks += 1
        bursts.cpu_ns += self._cpu_ns
        self._into(bursts)

    def _burst(self, kind: tuple[Where, Where], stack: Where) -> None:
        """Take a burst between two sleeps."""
        bursts = self._bursts(kind, stack)
        for each in self._met:
            bursts.hit(each)
        bursts.looks += len(self._met)
        bursts.cpu_ns += self._cpu_ns
        self._into(bursts)

    def _into(self, bursts: _Bursts) -> None:
        for stack, faults, exact in self._caught:
            bursts.catch(stack, faults)
            if exact:
                bursts.exact[stack] = bursts.exact.get(stack, 0) + faults
                bursts.catches[stack] = bursts.catches.get(stack, 0) + 1
        bursts.owed += self._faults
        bursts.faults += self._faults
        self._caught.clear()
        self._faults = self._cpu_ns = 0

    def _bursts(self, kind: tuple[Where, Where] | None, where: Where) -> _Bursts:
        try:
            found = self._kinds[kind]
        except KeyError:
            if len(self._kinds) >= _MOST_BURSTS:
                kind = (None, None)
            found = self._kinds.setdefault(kind, _Bursts(where))
        found.where = where
        return found

    def settle(self, *, final: bool = False) -> list[GivenFaults]:
        """Give out what was touched since the last time; at the end `final`, all of it."""
        if final and self._faults:
            # It may have ended after its first record, which showed it neither at work nor asleep.
            slept = self._last if self._slept is None else self._slept
            stack = self._met[-1] if self._met else slept
            if self._goes_on:
                self._went_on(stack)
            else:
                self._burst((self._slept, self._slept), stack)
        found = []
        for kind, bursts in list(self._kinds.items()):
            found += self._give(bursts, lately=kind is None)
            if not bursts.fade(_LONG_MEMORY if kind is None else _MEMORY):
                del self._kinds[kind]
        self._seen = {self._slept}
        return found

    def _give(self, bursts: _Bursts, *, lately: bool) -> list[GivenFaults]:
        """Give out what bursts of one kind touched; `lately`: where it was not seen since the last
        time it was not."""
        faults, bursts.owed = bursts.owed, 0
        exact, bursts.exact = bursts.exact, {}
        catches, bursts.catches = bursts.catches, {}
        if not faults:
            return []
        found = [GivenFaults(stack, n, 0, catches[stack]) for stack, n in exact.items()]
        return found + self._guess(bursts, faults - sum(exact.values()), lately=lately)

    def _guess(self, bursts: _Bursts, faults: int, *, lately: bool) -> list[GivenFaults]:
        if not faults:
            return []
        caught = bursts.caught
        if lately:
            caught = {at: both for at, both in caught.items() if at in self._seen}
        times = sum(n for _, n in caught.values())
        if times >= _SOME:
            weights = {at: weight for at, (weight, _) in caught.items()}
            by_code: dict[tuple[object, ...], float] = {}
            for at, (_, n) in caught.items():
                code = self._code.of(at)
                by_code[code] = by_code.get(code, 0.0) + n
            if times < _ENOUGH_CATCHES:
                sure = len(by_code) == 1 and times >= _ALL_IN_ONE
                return _shared(faults, weights, sure=sure)
            # A burst that began while we still looked at who ran before it is caught there, too.
            return [
                GivenFaults(at, part, 0 if by_code[self._code.of(at)] >= _SOME else part)
                for at, part in share(faults, weights).items()
                if part
            ]
        hits = bursts.hits or {at: n for at, (_, n) in caught.items()}
        if not hits:
            at = self._code.caller([bursts.where], own=True)
            return [GivenFaults(bursts.where if at is None else at, faults, faults)]
        least = _BESIDE * sum(hits.values()) if lately else 0.0
        ordered = sorted((at for at in hits if hits[at] > least), key=lambda at: -hits[at])
        if len({self._code.of(at) for at in ordered}) == 1:
            at = self._code.caller(ordered, own=False)
            weights = hits if at is None else {at: 1.0}
            return _shared(faults, weights, sure=bursts.due >= _SURE)
        at = self._code.caller(ordered, own=True)
        return _shared(faults, hits if at is None else {at: 1.0}, sure=False)


def _shared(faults: int, weights: Mapping[Where, float], *, sure: bool) -> list[GivenFaults]:
    if not faults:
        return []
    return [
        GivenFaults(stack, part, 0 if sure else part)
        for stack, part in share(faults, weights).items()
        if part
    ]
