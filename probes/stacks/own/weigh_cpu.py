"""Which code used a thread's CPU time: between two records of it, its own on-CPU time is shared
among the stacks that were seen running, never among those that were seen waiting.

What a record shows (`work_shown`), from best to least:

* the thread was on a CPU, or waited for one (asked where the machine is full); not in a place
  where it waits for something outside: there it was woken between our two looks at it;
* it was runnable with the GIL in hand while its stack was read: that code runs;
* it was runnable without the GIL: it ran code outside of Python, or it had just been woken and
  waited for a CPU. Where it mostly sleeps it is taken to have been woken; in the queue for a CPU
  also where it was never met running;
* it slept, had the GIL in hand a moment before, and has used CPU: it fell asleep while we looked
  (or, if it had no CPU right then, while we were kept from looking: it stood in the queue there).

CPU between two records goes half to each if both were at work, whole to the one that was, and if
neither was (a burst that no sweep met) it waits for `settle`, which shares it by the number of
times that each stack was met running: a stack that runs k times as long is met k times as often,
so that is its share of all that the thread used. What was given to it already is taken off: long
bursts are met more often than short ones, and whole.
A stack that stands in the queue for a CPU is met more often than it runs, so it does not count
there, unless it ran until the sampler itself was given its CPU: on a full machine most hits are
such. Nor does who has not the GIL count if the sampler had to wait for its CPU itself: it is let
on when somebody has woken another thread and is done, always at the same line. Where the kernel
does not tell, a first record in the queue counts, with CPU used and the GIL in hand: it was taken
off its CPU in the midst of work, as long bursts are too often. What is known to be met too often
is `biased`.

The sum is exact: what the thread used is given out, to the nanosecond, once settled to the end.
"""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perftui.probes.stacks.own.records import SeenSample, Where

RUNNING = "R"
_LONGEST_HOLD_NS = 1_000_000_000
"""A record that holds longer says no more about its stack than one that holds this long."""
BRIEF_NS = 500_000
"""Shorter bursts may have ended before all is asked about them: which they are is less certain."""
_CALLS = ("sleep", "poll", "pipe", "socket", "child")
_MEMORY = 0.9
"""How much of what was met counts from one settling to the next. Of code that runs no more it may
be long: it has been given its share."""
_FORGOTTEN = 0.01
_ENOUGH_HITS = 5
"""With fewer, biased looks are taken as well, so many in all. They favour long bursts by more than
the chance of five looks."""
_FEW_HITS = 10
"""With fewer, what is shared by them is also shared by the CPU that was given already."""


class Given(NamedTuple):
    """An amount for a stack. A stack of None is a thread without Python frames."""

    stack: Where
    amount: int
    brief: int = 0
    """Part of it that was used in bursts under 0.5 ms that no record met (one in an interval, or
    several that are as short in the mean): who had it is known by who was met in other such
    bursts."""


class WaitingPlaces:
    """The stacks in which one thread sleeps more than it runs."""

    def __init__(self) -> None:
        self._asleep_ns: defaultdict[Where, int] = defaultdict(int)
        self._awake_ns: defaultdict[Where, int] = defaultdict(int)
        self._called_ns: defaultdict[Where, int] = defaultdict(int)
        """Asleep in a call that waits for something outside, so that it cannot be the GIL."""
        self.sleeps: set[Where] = set()
        """Where it sleeps more than it runs: asked more often than it changes."""

    def held(self, sample: SeenSample, after: SeenSample) -> None:
        """The thread was as in `sample` until its next record, `after`.

        Without the GIL in the queue for a CPU it has been woken there, or was taken from its CPU:
        that tells nothing, and on a full machine it lasts for longer than either. Where it is not
        known whether it had a CPU, it ran for no longer than it used one. For the GIL a thread
        waits wherever it works.
        """
        stack, wait = sample.stack, sample.wait
        runs = sample.state == RUNNING
        if sample.failed or (runs and sample.on_cpu is False and not sample.gil_held):
            return
        if wait == "gil" and not runs:
            return
        hold = after.t_ns - sample.t_ns
        if hold < 0:
            hold = 0
        elif hold > _LONGEST_HOLD_NS:
            hold = _LONGEST_HOLD_NS
        if runs:
            if not sample.gil_held and after.cpu_ns < hold:
                hold = after.cpu_ns
            self._awake_ns[stack] += hold
            if stack in self.sleeps and self._awake_ns[stack] >= self._asleep_ns[stack]:
                self.sleeps.discard(stack)
            return
        self._asleep_ns[stack] += hold
        if wait in _CALLS:
            self._called_ns[stack] += hold
        if stack not in self.sleeps and self._asleep_ns[stack] > self._awake_ns.get(stack, 0):
            self.sleeps.add(stack)

    def calls(self, stack: Where) -> bool:
        """Whether it sleeps there in calls that wait for something outside, more than it runs."""
        return self._called_ns.get(stack, 0) > self._awake_ns.get(stack, 0)

    def runs(self, stack: Where) -> bool:
        """Whether it was met there otherwise than asleep, or in the queue without the GIL."""
        return stack in self._awake_ns


class Work(Enum):
    """What a record shows its stack to be."""

    RUNNING = "running"
    QUEUED = "queued"
    """In the midst of work, waiting for a CPU."""
    NONE = "none"
    """Asleep, woken and not running yet, or not known."""


_RUNS, _QUEUES, _IDLES = Work.RUNNING, Work.QUEUED, Work.NONE
"""A name of the module is found at once, a member of an enumeration after a search."""


def work_shown(sample: SeenSample, waiting: WaitingPlaces) -> Work:
    """Return what a record shows."""
    if sample.failed:
        return _IDLES
    gil_held = sample.gil_held
    if sample.state != RUNNING:
        if not gil_held or not sample.cpu_ns:
            return _IDLES
        return _QUEUES if sample.on_cpu is False else _RUNS
    on_cpu = sample.on_cpu
    if gil_held:
        return _QUEUES if on_cpu is False else _RUNS
    stack = sample.stack
    if on_cpu and not waiting.calls(stack):
        # Somebody else chose the moment: as when this thread had just woken it, and is done.
        return _QUEUES if sample.biased else _RUNS
    if stack in waiting.sleeps or (on_cpu is False and not waiting.runs(stack)):
        return _IDLES
    return _RUNS if on_cpu is None else _QUEUES


def _was_taken_off(sample: SeenSample) -> bool:
    """Tell whether a queued thread had a CPU since its last record, and was at work on it.

    Without the GIL it may have been taken off by whom it has just woken, always at one place.
    """
    return sample.state == RUNNING and sample.gil_held and sample.cpu_ns > 0


class Stays:
    """What one thread uses in a stack from a moment in the queue until it leaves the stack."""

    def __init__(self) -> None:
        self._used: dict[Where, tuple[int, int]] = {}

    def learn(self, before: SeenSample, work_before: Work, sample: SeenSample, work: Work) -> None:
        """Learn from two records if all CPU between them was used where the first one queued."""
        if work_before is not _QUEUES or before.gil_held or not sample.cpu_ns:
            return
        if before.stack == sample.stack or work is _IDLES:
            total, times = self._used.get(before.stack, (0, 0))
            self._used[before.stack] = total + sample.cpu_ns, times + 1

    def mean(self, stack: Where, unknown: int) -> int:
        """Return it in ns, in the mean; `unknown` if it never was seen."""
        total, times = self._used.get(stack, (0, 0))
        return total // times if times else unknown


class Met:
    """Where one thread was met running: by that is shared what it used while nobody looked."""

    def __init__(self) -> None:
        self._hits: defaultdict[Where, float] = defaultdict(float)
        self._biased: defaultdict[Where, float] = defaultdict(float)
        """Looks that meet long bursts too often."""
        self.given: defaultdict[Where, float] = defaultdict(float)
        """CPU ns of the same time that were given to a stack. To be added to."""
        self._any = False

    def hit(self, stack: Where, *, biased: bool) -> None:
        """It was met running there; `biased`: by a look that meets some code more often than it
        runs."""
        if biased:
            self._biased[stack] += 1.0
        else:
            self._hits[stack] += 1.0
            self._any = True

    def weights(self, unseen_ns: int) -> dict[Where, float]:
        """Return how to share what was used unseen; empty if it was met nowhere.

        A stack's share of the hits is its share of all CPU; what it lacks of that is its weight.
        With few hits, whose chance is large, something else counts like the missing ones: biased
        looks, or what was given already.
        """
        hits = self._hits
        if not hits:
            return hits
        met, given = sum(hits.values()), sum(self.given.values())
        shares = dict(hits)
        enough, others = (_ENOUGH_HITS, self._biased) if self._biased else (_FEW_HITS, self.given)
        in_all = sum(others.values())
        if met < enough and in_all > 0:
            for stack, amount in others.items():
                shares[stack] = shares.get(stack, 0.0) + (enough - met) * amount / in_all
            met = enough
        lacking = {
            stack: (given + unseen_ns) * share / met - self.given.get(stack, 0.0)
            for stack, share in shares.items()
        }
        return {stack: ns for stack, ns in lacking.items() if ns > 0} or shares

    def fade(self) -> None:
        """A window ends: what was met in it counts less from now on, unless nothing newer is."""
        if not self._any:
            return
        self._any = False
        self._hits = _faded(self._hits)
        self._biased = _faded(self._biased)
        self.given = _faded(self.given)


def _faded(past: dict[Where, float]) -> defaultdict[Where, float]:
    left = {
        stack: weight * _MEMORY for stack, weight in past.items() if weight * _MEMORY > _FORGOTTEN
    }
    return defaultdict(float, left)


class CpuByStack:
    """CPU of one thread by stack, as its records come."""

    def __init__(self, waiting: WaitingPlaces | None = None, stays: Stays | None = None) -> None:
        """Begin.

        Args:
            waiting: Known beforehand, if all records are; learned on the way otherwise.
            stays: The same.
        """
        self._learns = waiting is None
        self._learns_stays = stays is None
        self._waiting = waiting or WaitingPlaces()
        self._stays = stays or Stays()
        self._before: SeenSample | None = None
        self._before_work = _IDLES
        self.at_work = False
        """Whether the last record showed it at work."""
        self.sleeps = self._waiting.sleeps
        """Where the thread sleeps more than it runs."""
        self._met = Met()
        self._queued: defaultdict[Where, float] = defaultdict(float)
        self.unseen_ns = 0
        """Used while no sweep met the thread running; not given out yet."""
        self._brief_ns = 0
        """Part of it, in less than 0.5 ms between two records."""

    def add(self, sample: SeenSample) -> Sequence[tuple[Where, int]]:
        """Take the thread's next record; return what is certain now: (stack, amount)."""
        before, work_before = self._before, self._before_work
        if before is not None and self._learns:
            self._waiting.held(before, sample)
        work = work_shown(sample, self._waiting)
        self._before, self._before_work = sample, work
        self.at_work = work is not _IDLES
        stack, used = sample.stack, sample.cpu_ns
        if work is _RUNS or (work is _QUEUES and _was_taken_off(sample)):
            self._met.hit(stack, biased=sample.biased)
        elif work is _QUEUES or (sample.on_cpu is False and sample.state == RUNNING):
            self._queued[stack] += 1.0
        if not used:
            return ()
        if before is not None and work_before is not _IDLES:
            if work_before is _QUEUES and self._learns_stays:
                self._stays.learn(before, work_before, sample, work)
            if work is not _IDLES:
                earlier = self._part(before, work_before, sample, work)
                given = self._met.given
                given[before.stack] += earlier
                given[stack] += used - earlier
                return ((before.stack, earlier), (stack, used - earlier))
            if work_before is _RUNS:
                self._met.given[before.stack] += used
                return ((before.stack, used),)
        elif work is _RUNS:
            self._met.given[stack] += used
            return ((stack, used),)
        self.unseen_ns += used
        if used < BRIEF_NS or sample.brief:
            self._brief_ns += used
        return ()

    def _part(self, before: SeenSample, work_before: Work, sample: SeenSample, work: Work) -> int:
        """Return how much of the CPU between two records at work belongs to the earlier one.

        Half of it; but a thread that stands in the queue without the GIL may have been taken
        from its CPU by somebody that it has just woken, always at the end of its work. There it
        is met often and uses nothing, which is seen by what it uses after it.
        """
        used = sample.cpu_ns
        half = used // 2
        if before.stack == sample.stack:
            return half
        earlier = later = half
        if work_before is _QUEUES and not before.gil_held:
            earlier = min(half, self._stays.mean(before.stack, half))
        if work is _QUEUES and not sample.gil_held:
            later = min(half, self._stays.mean(sample.stack, half))
        if earlier < half and later < half:
            # Either may have waited for the GIL there and then worked: who is known for its work.
            given = self._met.given
            if given.get(before.stack, 0.0) >= given.get(sample.stack, 0.0):
                return used - later
            return earlier
        return earlier if earlier < half else used - later

    def settle(self, *, final: bool = False) -> list[Given]:
        """Give out what was not seen, by where the thread was met since it was settled last.

        Where it was met nowhere, by where it was met before; if that is nowhere too the amount
        waits, unless this is the `final` time: then it goes to where CPU was given before, where
        the thread queued for one, or was seen last.
        """
        given: list[Given] = []
        if self.unseen_ns:
            weights = self._met.weights(self.unseen_ns)
            if not weights and final and self._before is not None:
                weights = self._met.given or self._queued or {self._before.stack: 1.0}
            if weights:
                brief = self._brief_ns / self.unseen_ns
                given = [
                    Given(stack, amount, round(amount * brief))
                    for stack, amount in share(self.unseen_ns, weights).items()
                    if amount
                ]
                self.unseen_ns = self._brief_ns = 0
                for one in given:
                    self._met.given[one.stack] += one.amount
        self._met.fade()
        return given


def cpu_by_stack(samples: Iterable[SeenSample]) -> dict[Where, int]:
    """Return the CPU ns of one thread by stack, from all of its records."""
    kept = list(samples)
    waiting, stays = WaitingPlaces(), Stays()
    for before, after in pairwise(kept):
        waiting.held(before, after)
    for before, after in pairwise(kept):
        stays.learn(before, work_shown(before, waiting), after, work_shown(after, waiting))
    thread = CpuByStack(waiting, stays)
    total: dict[Where, int] = {}
    for sample in kept:
        for stack, amount in thread.add(sample):
            total[stack] = total.get(stack, 0) + amount
    for given in thread.settle(final=True):
        total[given.stack] = total.get(given.stack, 0) + given.amount
    return {stack: amount for stack, amount in total.items() if amount}


def share(amount: int, weights: Mapping[Where, float]) -> dict[Where, int]:
    """Share an amount in proportion, in whole units that sum to it exactly."""
    total = sum(weights.values())
    shares: dict[Where, int] = {}
    given = 0
    running = 0.0
    for stack, weight in weights.items():
        running += weight
        upto = min(max(round(amount * (running / total)), given), amount)
        shares[stack] = upto - given
        given = upto
    if shares and given != amount:
        last = next(reversed(shares))
        shares[last] += amount - given
    return shares
