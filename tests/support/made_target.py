"""A thread of a made process: its frames and code objects, and what a sampler says of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from perftui.probes.sampler.cpython.code import SIGNATURE_SIZE, Code, Codes
from perftui.probes.sampler.cpython.layout import RUNS
from perftui.probes.sampler.cpython.linetable import LineTable
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.guess import Guess
from perftui.probes.sampler.reading.frames import ON_C_STACK
from perftui.probes.sampler.reading.walk import Walker
from support.made_frames import CHUNK, LAYOUT, OLDER, STATE, Made, process
from support.sampler_stream import Collected

if TYPE_CHECKING:
    import random

FIRST, STEP = CHUNK + 24, 96
CALLED = 3
"""The top of a frame's stack, once it has called another frame, or has returned."""
CODE, CODE_STEP, CODES = 0x100000, 0x1000, 12
ROOT = 0x60000
"""The frame at which the C stack has entered Python."""
FREED = 0x50000
"""Where it is counted how many code objects were freed."""


class Target:
    """A thread of a made process, and what a sampler knows of its code."""

    def __init__(self, *, counted: bool = False, older: int = 0) -> None:
        self.counted = counted
        """There is a count of code objects that were freed."""
        self.older = older
        """So many of the outermost frames lie in an older chunk."""
        self.stack = [(n % CODES, n) for n in range(14)]
        """Outermost first: number of the code object, instruction within it."""
        self.memory = Made({})
        self.names = Names(Collected())
        self.codes = Codes(self.memory, LAYOUT, self.names)
        self.codes._read = self.read_code  # type: ignore[method-assign]
        self.made = [0] * CODES
        """How often each code object was replaced by another."""
        self.walker = Walker(self.memory, LAYOUT, self.codes, self.names)

    def signature(self, number: int) -> bytes:
        return struct.pack("<QQ", number, self.made[number]).ljust(SIGNATURE_SIZE, b"\1")

    def guess(self) -> Guess:
        """Who knows nothing of the thread yet."""
        return Guess(STATE, 7, 0, 0, FREED if self.counted else 0)

    def read_code(self, address: int) -> Code:
        """What reading a code object gives (its strings are not in this memory)."""
        number = (address - CODE) // CODE_STEP
        table = LineTable(bytes([0xE8, 2]) * 40, 1)
        pieces = [address + LAYOUT.signature, SIGNATURE_SIZE]
        start = address + LAYOUT.instructions
        code = Code(start, 40, 1, table, pieces, self.signature(number))
        code.room = STEP
        code.id = self.names.code(f"f{number}.{self.made[number]}", "", 1)
        return code

    def truth(self) -> list[str]:
        """Names of the stack, innermost first."""
        return [f"f{number}.{self.made[number]}" for number, _ in reversed(self.stack)]

    def told(self, guess: Guess) -> list[str]:
        """Names of the stack as it was read last, innermost first."""
        code_of = {frame: code for (code, _), frame in self.names._frames.items()}
        functions = {code: name for (name, _, _), code in self.names._codes.items()}
        return [functions[code_of[frame]] for frame in guess.frames]

    def lay_out(self) -> None:
        before, at = ROOT, OLDER + 24 if self.older else FIRST
        frames: dict[int, bytes] = {}
        for n, (number, instruction) in enumerate(self.stack):
            if self.older and n == self.older:
                at = FIRST
            raw = bytearray(LAYOUT.frame_size)
            code = CODE + CODE_STEP * number
            struct.pack_into("<QQ", raw, 0, code, before)
            struct.pack_into("<Q", raw, 56, code + LAYOUT.instructions + 2 + 2 * instruction)
            struct.pack_into("<i", raw, 64, CALLED if n + 1 < len(self.stack) else RUNS)
            frames[at] = bytes(raw)
            before, at = at, at + STEP
        content = process(before, frames, used=at - CHUNK)._content
        root = struct.pack("<QQ", 0, 0).ljust(70, b"\0") + bytes([ON_C_STACK] * 10)
        content[ROOT] = root
        for number in range(CODES):
            raw = bytearray(CODE_STEP)
            raw[LAYOUT.signature : LAYOUT.signature + SIGNATURE_SIZE] = self.signature(number)
            content[CODE + CODE_STEP * number] = bytes(raw)
        content[FREED] = struct.pack("<Q", sum(self.made))
        self.memory._content = content

    def change(self, rng: random.Random) -> None:
        kind = rng.random()
        if kind < 0.3 and len(self.stack) > self.older + 4:
            del self.stack[-rng.randrange(1, 3) :]
        elif kind < 0.6 and len(self.stack) < 40:
            self.stack += [(rng.randrange(CODES), rng.randrange(20)) for _ in range(2)]
        elif kind < 0.9:  # mostly an inner frame has gone on
            at = max(len(self.stack) - 1 - int(rng.expovariate(0.5)), 0)
            self.stack[at] = (self.stack[at][0], rng.randrange(20))
        elif kind < 0.95:
            at = rng.randrange(len(self.stack))
            self.stack[at] = (rng.randrange(CODES), rng.randrange(20))
        else:  # another code object in the place of one
            self.made[rng.randrange(CODES)] += 1
