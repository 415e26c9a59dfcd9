"""A thread that calls and returns while it is read: what is told of it was so at one moment."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

from support.made_frames import CHUNK, STATE
from support.made_target import CALLED, CODES, FIRST, STEP, Target

if TYPE_CHECKING:
    from perftui.probes.sampler.memory import Buffer


class Moving(Target):
    """A thread that may go on before each piece of it that is read."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng
        self.moments: list[list[str]] = []
        """What its stack was since the last call that read it began, innermost first."""
        self.reads = 0
        self.memory.gather = self.gather  # type: ignore[method-assign]
        self.lay_out()

    def lay_out(self) -> None:
        """What a frame has left behind lies there until the next one comes."""
        left = bytearray(self.memory._content.get(CHUNK, b""))
        super().lay_out()
        end = FIRST - CHUNK + STEP * len(self.stack)
        if left[end : end + STEP]:
            struct.pack_into("<i", left, end + 64, CALLED)  # it has returned
        content = self.memory._content
        content[CHUNK] = content[CHUNK][:end] + (bytes(left[end:]) or content[CHUNK][end:])

    def go_on(self) -> None:
        if len(self.stack) > 8 and self.rng.random() < 0.5:
            self.stack.pop()
        elif len(self.stack) < 16:
            caller, _ = self.stack[-1]
            self.stack[-1] = (caller, self.rng.randrange(20))
            self.stack.append((self.rng.randrange(CODES), self.rng.randrange(20)))
        self.lay_out()
        self.moments.append(self.truth())

    def gather(self, buffer: Buffer, pieces: list[int], total: int) -> bool:
        if STATE in pieces:  # else only code objects are asked about
            self.moments = [self.truth()]
            self.reads += 1
        raw = b""
        for address, size in zip(pieces[::2], pieces[1::2], strict=True):
            if self.rng.random() < 0.2:
                self.go_on()
            raw += self.memory.read(address, size)
        buffer.bytes[:total] = raw
        return len(raw) == total


class Waiting(Target):
    """A thread that waits where it writes next to what was taken from the cache of its CPU.

    That is longer than what it does otherwise: who reads it again meets it there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.going = self.stack
        """Its stack until something of it is read."""
        self.memory.gather = self.gather  # type: ignore[method-assign]
        self.lay_out()

    def stand(self, stack: list[tuple[int, int]]) -> None:
        self.stack = list(stack)
        self.lay_out()

    def gather(self, buffer: Buffer, pieces: list[int], total: int) -> bool:
        raw = b""
        self.stand(self.going)
        for address, size in zip(pieces[::2], pieces[1::2], strict=True):
            raw += self.memory.read(address, size)
            if address in (STATE, CHUNK):
                self.stand(self.going[:-1])
        buffer.bytes[:total] = raw
        return len(raw) == total


def test_nobody_is_met_where_reading_makes_it_wait() -> None:
    rng, target = random.Random(7), Waiting()
    outer = target.stack
    guess = target.guess()
    for _ in range(200):
        target.going = [*outer, (rng.randrange(CODES), rng.randrange(20))]
        read = target.walker.alone(guess)
        assert not (read.failed or read.unsteady)
        target.stand(target.going)
        assert target.told(guess) == target.truth()


def test_what_is_told_of_a_thread_that_moves_was_so_at_one_moment() -> None:
    target = Moving(random.Random(6))
    guess = target.guess()
    first = again = 0
    for _ in range(2_000):
        reads = target.reads
        read = target.walker.alone(guess)
        assert not (read.failed or read.unsteady)
        assert target.told(guess) in target.moments
        first += target.reads == reads + 1
        again += len(target.moments) > 1
    # It moved while it was read in most of them, and did not have to be read again for that.
    assert again > 1_000
    assert first > 1_900
