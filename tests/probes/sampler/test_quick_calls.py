"""Where a program is that calls and returns all the time: not where it happens to hold still."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from support.sampler_programs import QUICK_CALLS, SPIN

from perftui.probes.stacks.own.records import Sample, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

ROWS = f"""
{SPIN}
{QUICK_CALLS}
go()
until = time.thread_time() + 3
while time.thread_time() < until: loop()
end()
"""


def looks(watched: Watched) -> list[Sample]:
    """Those that met a stack, but for a thread that stands in the queue for a CPU: it is told again
    and again where it was."""
    met = [each for each in watched.of(Sample) if each.stack and not each.unsteady]
    return [each for each in met if each.on_cpu is not False]


def test_quick_calls_have_their_time(python: str, watch: Callable[..., Watched]) -> None:
    """Of its looks, stopped for each (`benchmarks/quick_calls.py`): 11 to 15 % are in the loop, 50
    below a row's making, 19 below asking it, and hardly any in what is not of the loop."""
    watched = watch(python, ROWS, rate_hz=250)
    tallies = watched.of(Tally)
    awake = sum(tally.awake for tally in tallies)
    stacks = [watched.functions(s) for s in looks(watched)]
    stacks = [stack for stack in stacks if "loop" in stack]
    assert len(stacks) > 150
    assert sum(tally.again for tally in tallies) < 0.2 * awake
    inner = Counter(stack[0] for stack in stacks)
    below = Counter(name for stack in stacks for name in set(stack))
    share = {name: looks / len(stacks) for name, looks in (inner + below).items()}
    assert inner["loop"] / len(stacks) < 0.3
    assert 0.35 < below["Row.__init__"] / len(stacks) < 0.7, share
    assert 0.1 < below["Row.__getitem__"] / len(stacks) < 0.4, share
    for name, least in (("order", 0.03), ("place", 0.04), ("Base.__setattr__", 0.03)):
        assert inner[name] / len(stacks) > least, (name, share)
    callers = {
        "Row.__init__": "rows", "rows": "loop", "Row.get": "Row.__getitem__", "place": "Row.get",
        "Row.__getitem__": "loop", "Base.check": "Base.__setattr__", "order": "clean",
        "clean": "Row.__init__", "Base.__init__": "Row.__init__",
        "Base.__setattr__": "Row.__init__",
    }  # fmt: skip
    wrong = [
        stack
        for stack in stacks
        if any(callers.get(name, caller) != caller for name, caller in pairwise(stack))
    ]
    # One copy of the frames takes long enough for a call, if rarely.
    assert len(wrong) <= 0.005 * len(stacks) + 1, wrong


ENDS = (
    SPIN
    + """
class Kept:
    def __del__(self): self.close()
    def close(self): spin(.02)
def holds():
    kept = Kept()
    return len([kept])
def fails(n):
    if n: fails(n - 1)
    else: raise KeyError(n)
def waits():
    try: fails(6)
    except KeyError: time.sleep(.02)
def many(n):
    if n: return many(n - 1)
    for _ in range(25):
        holds()
        waits()
        spin(.01)
go()
many(5)
end()
"""
)


def test_what_runs_while_a_frame_ends(python: str, watch: Callable[..., Watched]) -> None:
    """A frame that has returned lies there as long as what it held is being thrown away."""
    watched = watch(python, ENDS, rate_hz=250)
    stacks = [watched.functions(s) for s in looks(watched)]
    closing = [stack for stack in stacks if "Kept.close" in stack]
    assert len(closing) > 20
    outer = ["many"] * 6 + ["<module>"]
    whole = ["spin", "Kept.close", "Kept.__del__", *outer]
    assert sum(stack == whole for stack in closing) > 0.9 * len(closing)
    # And one that an exception has ended is no more, though it stands where it called.
    waiting = [stack for stack in stacks if stack[0] == "waits"]
    assert len(waiting) > 5
    assert all(stack == ["waits", *outer] for stack in waiting)
    failing = sum("fails" in stack for stack in stacks)
    assert failing < 0.05 * len(stacks)


GENERATORS = (
    SPIN
    + """
def quick(until):
    total = 0
    for number in range(10 ** 9):
        total += number & 3
        if not number % 50_000:
            # Who asks for the time of its thread is often told there that its turn is over.
            if time.thread_time() > until: return
            yield total
def user(until):
    for _ in quick(until): pass
def summed(until):
    while time.thread_time() < until: sum(spin(.001) or 1 for _ in range(5))
def outer(until):
    for _ in middle(until): pass
def middle(until):
    yield from inner(until)
def inner(until):
    while time.thread_time() < until:
        spin(.002)
        yield
go()
user(time.thread_time() + .4)
summed(time.thread_time() + .4)
outer(time.thread_time() + .4)
end()
"""
)


def test_generators_are_where_they_run(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, GENERATORS, rate_hz=250)
    stacks = [watched.functions(s) for s in looks(watched)]
    alone = [stack for stack in stacks if "user" in stack]
    assert len(alone) > 30
    assert sum(stack[:2] == ["quick", "user"] for stack in alone) > 0.9 * len(alone)
    by_c = [stack for stack in stacks if "summed" in stack]
    made = ["spin", "summed.<locals>.<genexpr>", "summed"]
    assert len(by_c) > 30
    assert sum(stack[:3] == made for stack in by_c) > 0.9 * len(by_c)
    chained = [stack for stack in stacks if "outer" in stack]
    assert len(chained) > 30
    whole = ["spin", "inner", "middle", "outer", "<module>"]
    assert sum(stack == whole for stack in chained) > 0.9 * len(chained)


HANDED_ON = (
    SPIN
    + """
def last(x): return x + 1
def step(x): return last(x) + 1
def inner():
    for number in range(20_000):
        step(number)
        yield number
def middle():
    yield from inner()
def outer():
    for number in middle(): yield number
def use():
    for number in outer(): last(number)
go()
until = time.thread_time() + 2
while time.thread_time() < until: use()
end()
"""
)


def test_generators_that_hand_on_to_each_other_are_all_there(
    python: str, watch: Callable[..., Watched]
) -> None:
    """All three have given back control before they are read, in every third look."""
    watched = watch(python, HANDED_ON, rate_hz=250)
    stacks = [stack for s in looks(watched) if "use" in (stack := watched.functions(s))]
    assert len(stacks) > 150
    callers = {
        ("step", "inner"), ("last", "step"), ("last", "use"), ("inner", "middle"),
        ("middle", "outer"), ("outer", "use"), ("use", "<module>"),
    }  # fmt: skip
    wrong = [stack for stack in stacks if not callers.issuperset(pairwise(stack))]
    assert len(wrong) <= 0.02 * len(stacks), wrong
    inner = Counter(stack[0] for stack in stacks)
    assert min(inner[name] for name in ("step", "last", "use")) > 0.03 * len(stacks), inner
