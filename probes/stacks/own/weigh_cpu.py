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

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

    t_ns: int
    stack: Where
    amount: int
    brief: int = 0
    """Part of it that was used in bursts under 0.5 ms that no record met (one in an interval, or
    several that are as short in the mean): who had it is known by who was met in other such
    bursts."""


class WaitingPlaces:
    """The stacks in which one thread sleeps more than it runs."""

    def __init__(self) -> None:
        self._asleep_ns: dict[Where, int] = {}
        self._awake_ns: dict[Where, int] = {}
        self._called_ns: dict[Where, int] = {}
        """Asleep in a call that waits for something outside, so that it cannot be the GIL."""

    def held(self, sample: SeenSample, after: SeenSample) -> None:
        """The thread was as in `sample` until its next record, `after`.

        Without the GIL in the queue for a CPU it has been woken there, or was taken from its CPU:
        that tells nothing, and on a full machine it lasts for longer than either. Where it is not
        known whether it had a CPU, it ran for no longer than it used one. For the GIL a thread
        waits wherever it works.
        """
        runs = sample.state == RUNNING
        if sample.failed or (runs and sample.on_cpu is False and not sample.gil_held):
            return
        if sample.wait == "gil" and not runs:
            return
        hold = min(max(after.t_ns - sample.t_ns, 0), _LONGEST_HOLD_NS)
        if runs and not sample.gil_held:
            hold = min(hold, after.cpu_ns)
        table = self._awake_ns if runs else self._asleep_ns
        table[sample.stack] = table.get(sample.stack, 0) + hold
        if not runs and sample.wait in _CALLS:
            self._called_ns[sample.stack] = self._called_ns.get(sample.stack, 0) + hold

    def calls(self, stack: Where) -> bool:
        """Whether it sleeps there in calls that wait for something outside, more than it runs."""
        return self._called_ns.get(stack, 0) > self._awake_ns.get(stack, 0)

    def runs(self, stack: Where) -> bool:
        """Whether it was met there otherwise than asleep, or in the queue without the GIL."""
        return stack in self._awake_ns

    def sleeps(self, stack: Where) -> bool:
        """Whether it sleeps there more than it runs."""
        return self._asleep_ns.get(stack, 0) > self._awake_ns.get(stack, 0)


class Work(Enum):
    """What a record shows its stack to be."""

    RUNNING = "running"
    QUEUED = "queued"
    """In the midst of work, waiting for a CPU."""
    NONE = "none"
    """Asleep, woken and not running yet, or not known."""


def work_shown(sample: SeenSample, waiting: WaitingPlaces) -> Work:
    """Return what a record shows."""
    if sample.failed:
        return Work.NONE
    if sample.state != RUNNING:
        if not sample.gil_held or not sample.cpu_ns:
            return Work.NONE
        return Work.QUEUED if sample.on_cpu is False else Work.RUNNING
    if sample.on_cpu and (sample.gil_held or not waiting.calls(sample.stack)):
        # Somebody else chose the moment: as when this thread had just woken it, and is done.
        return Work.QUEUED if sample.biased and not sample.gil_held else Work.RUNNING
    if not sample.gil_held and waiting.sleeps(sample.stack):
        return Work.NONE
    if sample.on_cpu is False and not sample.gil_held and not waiting.runs(sample.stack):
        return Work.NONE
    return Work.RUNNING if sample.on_cpu is None else Work.QUEUED


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
        if work_before is not Work.QUEUED or before.gil_held or not sample.cpu_ns:
            return
        if before.stack == sample.stack or work is Work.NONE:
            total, times = self._used.get(before.stack, (0, 0))
            self._used[before.stack] = total + sample.cpu_ns, times + 1

    def mean(self, stack: Where, unknown: int) -> int:
        """Return it in ns, in the mean; `unknown` if it never was seen."""
        total, times = self._used.get(stack, (0, 0))
        return total // times if times else unknown


class Met:
    """Where one thread was met running: by that is shared what it used while nobody looked."""

    def __init__(self) -> None:
        self._hits: dict[Where, float] = {}
        self._biased: dict[Where, float] = {}
        """Looks that meet long bursts too often."""
        self.given: dict[Where, float] = {}
        """CPU ns of the same time."""
        self._any = False

    def hit(self, stack: Where) -> None:
        """It was met running there."""
        self._hits[stack] = self._hits.get(stack, 0.0) + 1.0
        self._any = True

    def biased_hit(self, stack: Where) -> None:
        """It was met there by a look that meets some code more often than it runs."""
        self._biased[stack] = self._biased.get(stack, 0.0) + 1.0

    def gave(self, stack: Where, used_ns: int) -> None:
        """So much of what it used was given to a stack."""
        self.given[stack] = self.given.get(stack, 0.0) + used_ns

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


def _faded(past: dict[Where, float]) -> dict[Where, float]:
    return {
        stack: weight * _MEMORY for stack, weight in past.items() if weight * _MEMORY > _FORGOTTEN
    }


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
        self._before_work = Work.NONE
        self._met = Met()
        self._queued: dict[Where, float] = {}
        self.unseen_ns = 0
        """Used while no sweep met the thread running; not given out yet."""
        self._brief_ns = 0
        """Part of it, in less than 0.5 ms between two records."""

    def add(self, sample: SeenSample) -> list[Given]:
        """Take the thread's next record; return what is certain now."""
        before = self._before
        if self._learns and before is not None:
            self._waiting.held(before, sample)
        work = work_shown(sample, self._waiting)
        work_before, self._before, self._before_work = self._before_work, sample, work
        runs = work is Work.RUNNING or (work is Work.QUEUED and _was_taken_off(sample))
        if runs and not sample.biased:
            self._met.hit(sample.stack)
        elif runs:
            self._met.biased_hit(sample.stack)
        elif work is Work.QUEUED or (sample.state == RUNNING and sample.on_cpu is False):
            self._queued[sample.stack] = self._queued.get(sample.stack, 0.0) + 1.0
        used = sample.cpu_ns
        if not used:
            return []
        if before is not None and self._learns_stays:
            self._stays.learn(before, work_before, sample, work)
        given: list[Given] = []
        if before is not None and work is not Work.NONE and work_before is not Work.NONE:
            earlier = self._part(before, work_before, sample, work)
            given = [
                Given(sample.t_ns, before.stack, earlier),
                Given(sample.t_ns, sample.stack, used - earlier),
            ]
        elif work is Work.RUNNING:
            given = [Given(sample.t_ns, sample.stack, used)]
        elif before is not None and work_before is Work.RUNNING:
            given = [Given(sample.t_ns, before.stack, used)]
        else:
            self.unseen_ns += used
            if used < BRIEF_NS or sample.brief:
                self._brief_ns += used
        for one in given:
            self._met.gave(one.stack, one.amount)
        return given

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
        if work_before is Work.QUEUED and not before.gil_held:
            earlier = min(half, self._stays.mean(before.stack, half))
        if work is Work.QUEUED and not sample.gil_held:
            later = min(half, self._stays.mean(sample.stack, half))
        if earlier < half and later < half:
            # Either may have waited for the GIL there and then worked: who is known for its work.
            given = self._met.given
            if given.get(before.stack, 0.0) >= given.get(sample.stack, 0.0):
                return used - later
            return earlier
        return earlier if earlier < half else used - later

    @property
    def at_work(self) -> bool:
        """Whether the last record showed it at work."""
        return self._before_work is not Work.NONE

    def waits_at(self, stack: Where) -> bool:
        """Tell whether the thread sleeps in a stack more than it runs there."""
        return self._waiting.sleeps(stack)

    def settle(self, t_ns: int, *, final: bool = False) -> list[Given]:
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
                    Given(t_ns, stack, amount, round(amount * brief))
                    for stack, amount in share(self.unseen_ns, weights).items()
                    if amount
                ]
                self.unseen_ns = self._brief_ns = 0
                for one in given:
                    self._met.gave(one.stack, one.amount)
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
        for given in thread.add(sample):
            total[given.stack] = total.get(given.stack, 0) + given.amount
    if kept:
        for given in thread.settle(kept[-1].t_ns, final=True):
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
