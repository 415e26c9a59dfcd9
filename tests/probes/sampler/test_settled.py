"""What is remembered of a stack never hides what has changed in it, nor does a known chain."""

from __future__ import annotations

import random
import struct
from types import SimpleNamespace

import pytest
from support.made_frames import CHUNK, LAYOUT, STATE, Made, process
from support.sampler_stream import Collected

from perftui.probes.sampler.cpython.code import SIGNATURE_SIZE, Code, Codes
from perftui.probes.sampler.cpython.linetable import LineTable
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.guess import Guess
from perftui.probes.sampler.memory import Buffer
from perftui.probes.sampler.reading import walk
from perftui.probes.sampler.reading.frames import ON_C_STACK
from perftui.probes.sampler.reading.walk import Walker

FIRST, STEP = CHUNK + 24, 96
CODE, CODE_STEP, CODES = 0x100000, 0x1000, 12


class Target:
    """A thread of a made process, and what a sampler knows of its code."""

    def __init__(self) -> None:
        self.stack = [(n % CODES, n) for n in range(14)]
        """Outermost first: number of the code object, instruction within it."""
        self.memory = Made({})
        self.names = Names(Collected())
        self.codes = Codes(self.memory, LAYOUT, self.names)
        self.made = [0] * CODES
        """How often each code object was replaced by another."""
        for number in range(CODES):
            self.learn(number)
        self.walker = Walker(self.memory, LAYOUT, self.codes, self.names)

    def signature(self, number: int) -> bytes:
        return struct.pack("<QQ", number, self.made[number]).ljust(SIGNATURE_SIZE, b"\1")

    def learn(self, number: int) -> None:
        """What reading the code object gives (its strings are not in this memory)."""
        address = CODE + CODE_STEP * number
        table = LineTable(bytes([0xE8, 2]) * 40, 1)
        code = Code(address + LAYOUT.instructions, 40, 1, table, self.signature(number))
        code.id = self.names.code(f"f{number}.{self.made[number]}", "", 1)
        self.codes._codes[address] = code

    def lay_out(self) -> None:
        frames = {FIRST: struct.pack("<QQ", 0, 0).ljust(70, b"\0") + bytes([ON_C_STACK] * 10)}
        at = FIRST
        for number, instruction in self.stack:
            raw = bytearray(LAYOUT.frame_size)
            code = CODE + CODE_STEP * number
            struct.pack_into("<QQ", raw, 0, code, at)
            struct.pack_into("<Q", raw, 56, code + LAYOUT.instructions + 2 * instruction)
            at += STEP
            frames[at] = bytes(raw)
        content = process(at, frames, used=at + STEP - CHUNK)._content
        for number in range(CODES):
            raw = bytearray(CODE_STEP)
            raw[LAYOUT.signature : LAYOUT.signature + SIGNATURE_SIZE] = self.signature(number)
            content[CODE + CODE_STEP * number] = bytes(raw)
        self.memory._content = content

    def change(self, rng: random.Random) -> None:
        kind = rng.random()
        if kind < 0.3 and len(self.stack) > 3:
            del self.stack[-rng.randrange(1, 3) :]
        elif kind < 0.6 and len(self.stack) < 40:
            self.stack += [(rng.randrange(CODES), rng.randrange(20)) for _ in range(2)]
        elif kind < 0.9:  # mostly an inner frame has gone on
            at = max(len(self.stack) - 1 - int(rng.expovariate(0.5)), 0)
            self.stack[at] = (self.stack[at][0], rng.randrange(20))
        elif kind < 0.95:
            at = rng.randrange(len(self.stack))
            self.stack[at] = (rng.randrange(CODES), rng.randrange(20))
        else:  # another code object in the place of one, and somebody has noticed
            number = rng.randrange(CODES)
            self.made[number] += 1
            self.codes._forget([CODE + CODE_STEP * number])
            self.learn(number)


def test_what_is_remembered_gives_what_a_whole_walk_gives() -> None:
    rng = random.Random(1)
    target, guess = Target(), Guess(STATE, 7, 0, 0)
    hits = 0
    for step in range(1_500):
        target.change(rng)
        target.lay_out()
        before = guess.settled
        read = target.walker.alone(guess)
        assert not (read.failed or read.unsteady), step
        anew = Guess(STATE, 7, 0, 0)
        assert target.walker.alone(anew).node == read.node, step
        assert anew.frames == guess.frames
        hits += before is not None and guess.settled is before
    assert hits > 300


def test_who_changes_its_outermost_frame_all_the_time_is_left_alone() -> None:
    target, guess = Target(), Guess(STATE, 7, 0, 0)
    remembered = 0
    for step in range(100):
        target.stack[0] = (0, step % 20)
        target.lay_out()
        assert not target.walker.alone(guess).failed
        remembered += guess.settled is not None
    assert remembered < 20


def test_a_batch_that_holds_what_it_held_gives_what_a_whole_walk_gives() -> None:
    rng = random.Random(2)
    target = Target()
    walker = target.walker
    threads = [SimpleNamespace(known_guess=[Guess(STATE, 7, 0, 0)]) for _ in range(3)]
    walked = []
    walk = walker._walk
    walker._walk = lambda plan, raw: walked.append(plan) or walk(plan, raw)  # type: ignore[method-assign,func-returns-value]
    buffer, spared = Buffer(), 0
    for step in range(600):
        if rng.random() < 0.5:  # else it has stood still: a call into C
            target.change(rng)
            target.lay_out()
        elif not step:
            target.lay_out()
        # Who is asleep is left out: what is read of the others lies elsewhere then.
        awake = [thread for thread in threads if rng.random() < 0.8]
        group, pieces, total = walker.batches.group(awake, 0)  # type: ignore[arg-type]
        assert target.memory.gather(buffer, pieces, total)
        anew = walker.alone(Guess(STATE, 7, 0, 0))
        assert not anew.failed
        walked.clear()
        for _, (plan,) in group:
            read = walker.resolve(plan, buffer)
            assert not (read.failed or read.unsteady), step
            assert read.node == anew.node, step
        spared += len(group)
        spared -= len({id(plan) for plan in walked} & {id(plan) for _, (plan,) in group})
    assert spared > 80, "what stands still is not walked"


def test_code_that_comes_after_the_frames_is_not_taken_for_theirs() -> None:
    """The program goes on while code that is new is read: it lies where the frames' code lay."""
    target, guess = Target(), Guess(STATE, 7, 0, 0)
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
        target.learn((address - CODE) // CODE_STEP)
        return target.codes._codes[address]

    target.codes._read = read  # type: ignore[method-assign]
    assert not target.walker.alone(guess).failed
    code_of = {frame: code for (code, _), frame in target.names._frames.items()}
    functions = {code: name for (name, _, _), code in target.names._codes.items()}
    told = [functions[code_of[frame]] for frame in guess.frames[:2]]
    assert told == [f"f{new}.1", f"f{outer}.1"]


def test_who_goes_to_and_fro_between_functions_is_read_in_one_call() -> None:
    target = Target()
    walker, buffer = target.walker, Buffer()
    thread = SimpleNamespace(known_guess=[Guess(STATE, 7, 0, 0)])
    outer = target.stack[:-1]
    gather, calls = target.memory.gather, []
    target.memory.gather = lambda *asked: calls.append(asked) or gather(*asked)  # type: ignore[method-assign,func-returns-value]
    for turn in range(30):
        target.stack = [*outer, (turn % 3, turn % 4)]
        target.lay_out()
        group, pieces, total = walker.batches.group([thread], 0)  # type: ignore[list-item]
        if turn == 10:
            calls.clear()
        assert target.memory.gather(buffer, pieces, total)
        [(_, [plan])] = group
        assert walker.resolve(plan, buffer).node >= 0
    assert len(calls) == 20


class Watched:
    """A target that is looked at in batches, and how often a walk was spared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.target = Target()
        self.walker = self.target.walker
        self.thread = SimpleNamespace(known_guess=[Guess(STATE, 7, 0, 0)])
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
        assert self.target.memory.gather(self.buffer, pieces, total)
        ((_, (plan,)),) = group
        if harm == "torn" and plan.copy >= 0:
            self.buffer.bytes[plan.at + plan.copy + 100] ^= 0xFF
        if harm == "other code" and plan.leaves >= 0:
            self.buffer.bytes[plan.at + plan.leaves] ^= 0xFF
        read = self.walker.resolve(plan, self.buffer)
        assert not (read.failed or read.unsteady)
        return read.node

    def walked(self) -> int:
        """Return the node that a walk gives which knows nothing."""
        return self.walker.alone(Guess(STATE, 7, 0, 0)).node


def test_a_stack_that_is_known_is_what_a_walk_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    watched = Watched(monkeypatch)
    target = watched.target
    outer = list(target.stack)
    for step in range(1_500):
        if rng.random() < 0.03:  # now it works somewhere else
            for _ in range(3):
                target.change(rng)
            outer = target.stack[: rng.randrange(3, 12)]
        leaf = [(rng.randrange(2), rng.randrange(3)) for _ in range(rng.choice((1, 2, 2)))]
        target.stack = [*outer, *leaf]
        assert watched.look() == watched.walked(), step
    assert sum(node >= 0 for node in watched.known) > 300


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
    if harm == "torn":
        assert watched.look(harm) == watched.walked()
        assert watched.known[before] == -1
    else:
        # It lies there again at the next look, which the first one of these cannot know.
        with pytest.raises(AssertionError):
            watched.look(harm)
        assert watched.known[before] == -1
