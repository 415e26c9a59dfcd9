"""Stacks of unusual shape: very deep ones, constructors, greenlets."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.sampler_programs import SPIN

from perftui.probes.stacks.own.records import Quality, Sample, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

CONSTRUCTORS = (
    SPIN
    + """
class Leaf:
    def __init__(self): self.fill()
    def fill(self): spin(.002)
class Node:
    def __init__(self): self.leaf = Leaf()
def build(n):
    for _ in range(n): Node()
go()
build(200)
end()
"""
)


def test_constructors_that_have_warmed_up(python: str, watch: Callable[..., Watched]) -> None:
    """From 3.12 on the interpreter puts code of its own between a call of a class and its init."""
    watched = watch(python, CONSTRUCTORS)
    samples = watched.of(Sample)
    stacks = [watched.functions(s) for s in samples if s.stack and not s.unsteady]
    filling = [stack for stack in stacks if stack[0] == "spin"]
    assert len(filling) > 10
    whole = ["spin", "Leaf.fill", "Leaf.__init__", "Node.__init__", "build", "<module>"]
    assert all(stack == whole for stack in filling)
    assert sum(tally.failed for tally in watched.of(Tally)) <= max(1, 0.05 * len(samples))


DEEP = (
    SPIN
    + """
sys.setrecursionlimit(20000)
def deep(n):
    if n: deep(n - 1)
    else: spin(.4)
go()
deep(10000)
end()
"""
)


def test_a_stack_of_ten_thousand(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, DEEP)
    depths = Counter(
        s.stack.depth for s in watched.of(Sample) if s.stack is not None and not s.unsteady
    )
    assert depths[10_003] >= 5
    at_work = [s for s in watched.of(Sample) if s.stack and s.stack.place.function == "spin"]
    assert all(s.stack is not None and s.stack.depth == 10_003 for s in at_work if not s.unsteady)
    assert max(quality.rss_bytes for quality in watched.of(Quality)) < 100 << 20


GREENLETS = (
    """
import sys
sys.path[:0] = [path for path in sys.argv[1].split(":") if path]
import greenlet
"""
    + SPIN
    + """
def left_leaf(): spin(.004); partner["left"].switch()
def left():
    while True: left_leaf()
def right_leaf(): spin(.004); partner["right"].switch()
def right():
    while True: right_leaf()
main = greenlet.getcurrent()
def over():
    for _ in range(60):
        partner["left"], partner["right"] = b, main
        a.switch()
partner = {}
a, b = greenlet.greenlet(left), greenlet.greenlet(right)
go()
over()
end()
"""
)


@pytest.mark.skipif(importlib.util.find_spec("greenlet") is None, reason="no greenlet here")
def test_greenlets_are_never_mixed(watch: Callable[..., Watched]) -> None:
    watched = watch(sys.executable, GREENLETS, ":".join(sys.path), rate_hz=250)
    stacks = [watched.functions(s) for s in watched.of(Sample) if s.stack and not s.unsteady]
    seen = Counter(stack[-1] for stack in stacks if "spin" in stack)
    assert seen["left"] > 5
    assert seen["right"] > 5
    legal = {("spin", "left_leaf", "left"), ("spin", "right_leaf", "right")}
    assert {tuple(stack) for stack in stacks if "spin" in stack} <= legal


CHAOS = (
    SPIN
    + """
import threading, types
def churn():
    i = 0
    while time.thread_time() < .8:
        i += 1
        made = {}
        exec(f"def deep_{i}(n):\\n return deep_{i}(n - 1) if n else sum(range(500))\\n"
             f"def gen_{i}(n):\\n yield deep_{i}(n)\\n", made)
        for _ in range(20): list(made[f"gen_{i}"](i % 200))
        if i % 10 == 0:
            thread = threading.Thread(target=made[f"deep_{i}"], args=(50,))
            thread.start()
            thread.join()
def c1(below): c2(below)
def c2(below): c3(below)
def c3(below): c4(below)
def c4(below): below()
def outer(below): c1(below)
def inner(): spin(.0015)
def in_its_place():
    # Code in the place of the one before, far above the innermost frames; these are kept.
    kept, made, i, ends = [], None, 0, time.thread_time() + .3
    while time.thread_time() < ends:
        i += 1
        name = f"inner_{i}"
        kept.append(types.FunctionType(
            inner.__code__.replace(co_name=name, co_qualname=name), globals()))
        name, made = f"outer_{i}", None
        made = types.FunctionType(
            outer.__code__.replace(co_name=name, co_qualname=name), globals())
        made(kept[-1])
go()
sys.setrecursionlimit(5000)
churn()
in_its_place()
end()
"""
)


def test_code_threads_and_depths_that_come_and_go(
    python: str, watch: Callable[..., Watched]
) -> None:
    """No stack holds the names of two makings; the sampler does not grow."""
    watched = watch(python, CHAOS, rate_hz=500)
    numbers = 0
    for sample in watched.of(Sample):
        if sample.unsteady:
            continue
        made = {name.rpartition("_")[2] for name in watched.functions(sample) if "_" in name}
        made = {number for number in made if number.isdigit()}
        assert len(made) <= 1, watched.functions(sample)
        numbers += len(made)
    assert numbers >= 2
    assert max(quality.rss_bytes for quality in watched.of(Quality)) < 100 << 20
