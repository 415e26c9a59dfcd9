"""What is remembered of a stack never hides what has changed in it, nor does a known chain."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from support.made_target import CODE, CODE_STEP, Target

from perftui.probes.sampler.memory import Buffer
from perftui.probes.sampler.reading import walk

if TYPE_CHECKING:
    from perftui.probes.sampler.cpython.code import Code


@pytest.mark.parametrize("older", [0, 6])
@pytest.mark.parametrize("counted", [False, True])
def test_what_is_remembered_gives_what_a_whole_walk_gives(counted: bool, older: int) -> None:
    rng = random.Random(1)
    target = Target(counted=counted, older=older)
    guess = target.guess()
    hits = 0
    for step in range(600):
        target.change(rng)
        target.lay_out()
        before = guess.settled
        read = target.walker.alone(guess)
        assert not (read.failed or read.unsteady), step
        assert target.told(guess) == target.truth(), step
        anew = target.guess()
        assert target.walker.alone(anew).node == read.node, step
        assert anew.frames == guess.frames
        hits += before is not None and guess.settled is before
    assert older or hits > 100


def test_who_changes_its_outermost_frame_all_the_time_is_left_alone() -> None:
    target = Target()
    guess = target.guess()
    remembered = 0
    for step in range(100):
        target.stack[0] = (0, step % 20)
        target.lay_out()
        assert not target.walker.alone(guess).failed
        remembered += guess.settled is not None
    assert remembered < 20


@pytest.mark.parametrize("counted", [False, True])
def test_a_batch_that_holds_what_it_held_gives_what_a_whole_walk_gives(counted: bool) -> None:
    rng = random.Random(2)
    target = Target(counted=counted)
    walker = target.walker
    threads = [SimpleNamespace(known_guess=[target.guess()]) for _ in range(3)]
    walked = []
    walk = walker._walk
    walker._walk = lambda plan, *read: walked.append(plan) or walk(plan, *read)  # type: ignore[method-assign,func-returns-value]
    buffer, spared = Buffer(), 0
    for step in range(400):
        if rng.random() < 0.5:  # else it has stood still: a call into C
            target.change(rng)
            target.lay_out()
        elif not step:
            target.lay_out()
        # Who is asleep is left out: what is read of the others lies elsewhere then.
        awake = [thread for thread in threads if rng.random() < 0.8]
        group, pieces, total = walker.batches.group(awake, 0)  # type: ignore[arg-type]
        walker.begin_batch()
        assert target.memory.gather(buffer, pieces, total)
        walker.end_batch(buffer)
        walked.clear()
        for _, (plan,) in group:
            read = walker.resolve(plan, buffer)
            assert not (read.failed or read.unsteady), step
            assert target.told(plan.guess) == target.truth(), step
        spared += len(group)
        spared -= len({id(plan) for plan in walked} & {id(plan) for _, (plan,) in group})
    assert spared > 50, "what stands still is not walked"


def test_code_that_comes_after_the_frames_is_not_taken_for_theirs() -> None:
    """The program goes on while code that is new is read: it lies where the frames' code lay."""
    target = Target()
    guess = target.guess()
    target.lay_out()
    target.walker.alone(guess)
    outer, new = target.stack[-2][0], 7
    target.stack[-1] = (new, 3)
    target.lay_out()
    del target.codes._codes[CODE + CODE_STEP * new]

    def read(address: int) -> Code:
        if not target.made[new]:
            target.made[new] = target.made[outer] = 1
            target.lay_out()
        return target.read_code(address)

    target.codes._read = read  # type: ignore[method-assign]
    assert not target.walker.alone(guess).failed
    assert target.told(guess)[:2] == [f"f{new}.1", f"f{outer}.1"]


def test_code_that_one_thread_has_met_is_not_taken_for_what_another_stood_in() -> None:
    """Both were read in one call; then the program went on, and only then the code was read."""
    target = Target()
    threads = [SimpleNamespace(known_guess=[target.guess()]) for _ in range(2)]
    buffer, new = Buffer(), 11
    target.stack = [(0, 1), (1, 1)]
    target.lay_out()
    for thread in threads:
        target.walker.alone(*thread.known_guess)
    target.stack.append((new, 3))
    target.lay_out()
    group, pieces, total = target.walker.batches.group(threads, 0)  # type: ignore[arg-type]
    target.walker.begin_batch()
    assert target.memory.gather(buffer, pieces, total)
    target.walker.end_batch(buffer)
    target.stack[-1] = (new, 5)
    target.made[new] += 1
    target.lay_out()
    for _, (plan,) in group:
        assert not target.walker.resolve(plan, buffer).failed
    first, second = (thread.known_guess[0] for thread in threads)
    assert target.told(first) == target.truth()
    assert second.frames == first.frames


def test_who_goes_to_and_fro_between_functions_is_read_in_one_call() -> None:
    target = Target()
    walker, buffer = target.walker, Buffer()
    thread = SimpleNamespace(known_guess=[target.guess()])
    outer = target.stack[:-1]
    gather, calls = target.memory.gather, []
    target.memory.gather = lambda *asked: calls.append(asked) or gather(*asked)  # type: ignore[method-assign,func-returns-value]
    for turn in range(30):
        target.stack = [*outer, (turn % 3, turn % 4)]
        target.lay_out()
        group, pieces, total = walker.batches.group([thread], 0)  # type: ignore[list-item]
        if turn == 10:
            calls.clear()
        walker.begin_batch()
        assert target.memory.gather(buffer, pieces, total)
        walker.end_batch(buffer)
        [(_, [plan])] = group
        assert walker.resolve(plan, buffer).node >= 0
    assert len(calls) == 20


class Watched:
    """A target that is looked at in batches, and how often a walk was spared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, counted: bool = False) -> None:
        self.target = Target(counted=counted)
        self.walker = self.target.walker
        self.thread = SimpleNamespace(known_guess=[self.target.guess()])
        self.buffer = Buffer()
        self.known: list[int] = []
        recall = walk.recall

        def counted(plan: walk.ReadPlan, raw: bytearray, replaced: int) -> int:
            self.known.append(recall(plan, raw, replaced))
            return self.known[-1]

        monkeypatch.setattr(walk, "recall", counted)

    def look(self, harm: str = "") -> int:
        """Return the node that a batch gives; it was harmed between its two halves, or not."""
        self.target.lay_out()
        group, pieces, total = self.walker.batches.group([self.thread], 0)  # type: ignore[list-item]
        self.walker.begin_batch()
        assert self.target.memory.gather(self.buffer, pieces, total)
        ((_, (plan,)),) = group
        if harm == "torn" and plan.copy >= 0:
            self.buffer.bytes[plan.at + plan.copy + 100] ^= 0xFF
        watch = self.walker.batches.watch
        if harm == "other code" and watch.addresses:
            self.buffer.bytes[watch.at] ^= 0xFF
        self.walker.end_batch(self.buffer)
        read = self.walker.resolve(plan, self.buffer)
        assert not (read.failed or read.unsteady)
        return read.node

    def walked(self) -> int:
        """Return the node that a walk gives which knows nothing."""
        return self.walker.alone(self.target.guess()).node


@pytest.mark.parametrize("counted", [False, True])
def test_a_stack_that_is_known_is_what_a_walk_gives(
    monkeypatch: pytest.MonkeyPatch, counted: bool
) -> None:
    rng = random.Random(3)
    watched = Watched(monkeypatch, counted=counted)
    target = watched.target
    outer = list(target.stack)
    for step in range(800):
        if rng.random() < 0.03:  # now it works somewhere else
            for _ in range(3):
                target.change(rng)
            outer = target.stack[: rng.randrange(3, 12)]
        leaf = [(rng.randrange(2), rng.randrange(3)) for _ in range(rng.choice((1, 2, 2)))]
        target.stack = [*outer, *leaf]
        node = watched.look()
        assert target.told(watched.thread.known_guess[0]) == target.truth(), step
        assert node == watched.walked(), step
    assert sum(node >= 0 for node in watched.known) > 80


@pytest.mark.parametrize("counted", [False, True])
def test_a_stack_is_not_known_again_whose_code_was_replaced_meanwhile(
    monkeypatch: pytest.MonkeyPatch, counted: bool
) -> None:
    watched = Watched(monkeypatch, counted=counted)
    target = watched.target
    outer = [(n, n) for n in range(2, 8)]
    for step in range(60):
        target.stack = [*outer, (step % 2, 0)]
        watched.look()
    assert watched.known[-1] >= 0
    target.made[1] += 1  # and it is elsewhere when somebody looks
    for leaf in (0, 0, 1):
        target.stack = [*outer, (leaf, 0)]
        watched.look()
        assert target.told(watched.thread.known_guess[0]) == target.truth()


@pytest.mark.parametrize("harm", ["torn", "other code"])
def test_what_was_not_of_one_instant_is_walked(monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    watched = Watched(monkeypatch)
    outer = list(watched.target.stack)
    for step in range(60):
        watched.target.stack = [*outer, (3, step % 2)]
        watched.look()
    assert watched.known[-1] >= 0
    before = len(watched.known)
    watched.target.stack = [*outer, (3, 0)]
    assert watched.look(harm) == watched.walked()
    assert watched.known[before:] == ([-1] if harm == "torn" else [])
