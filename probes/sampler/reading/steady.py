"""Stacks that never stood still: the outer part that is certain."""

from __future__ import annotations

import struct

from ..cpython.code import Codes
from ..cpython.layout import Layout
from ..cpython.names import Names
from ..cpython.objects import NotSo
from ..memory import Buffer, Memory
from .batch import ReadPlan
from .frames import MOST_FRAMES, OWNED_BY_FRAME_OBJECT, OWNED_BY_GENERATOR, SENTINEL, is_root

_checks = Buffer(1 << 17)
_word = struct.Struct("<Q").unpack_from


class Steady:
    """Of all threads of one process."""

    def __init__(self, memory: Memory, layout: Layout, codes: Codes, names: Names) -> None:
        self._memory = memory
        self._layout = layout
        self._codes = codes
        self._names = names

    def part(self, plan: ReadPlan, raw: bytearray, met: int) -> int:
        """Return the root side of a stack that moved in every reading, as far as it is certain.

        `met` is `Codes.met` before it was read.

        The chain is taken from the pointer that was read between two copies of the chunk: a frame
        of it that is the same in all copies was alive in between, and so are all that it was
        called by.
        """
        layout, guess = self._layout, plan.guess
        if plan.copy < 0:
            raise NotSo("chunk")
        at, length = plan.copy, plan.length
        same = _equal_bytes(raw, at, plan.after, length)
        low, shift = guess.chunk, at - guess.chunk
        steady_end = low + same - layout.frame_size
        current = plan.pointer(raw, layout)
        if layout.cframe and current <= 0:
            raise NotSo("C frame")
        base = _word(raw, plan.state + layout.base_frame)[0] if layout.base_frame else 0
        frames: list[int] = []
        codes: list[int] = []
        certain = False
        bottom = owner = steps = 0
        older = (0, 0, 0)
        while current and current != base:
            steps += 1
            if steps > MOST_FRAMES:
                raise NotSo("endless")
            bottom = current
            if low <= current <= low + length - layout.frame_size:
                code, previous, instruction, owner = layout.frame(raw, current + shift)
                certain = certain or current <= steady_end
            elif current in plan.extras:
                code, previous, instruction, owner = layout.frame(raw, plan.extras[current])
            else:  # reading it now would tell of another moment
                if not older[0] <= current <= older[1] - layout.frame_size:
                    older = _older_with(plan, current, layout.frame_size)
                code, previous, instruction, owner = layout.frame(raw, current + older[2])
            if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                raise NotSo("owner")
            if certain and owner <= OWNED_BY_GENERATOR:
                code &= -4
                frame = self._codes.frame_id(code, instruction)
                if frame >= 0:
                    frames.append(frame)
                codes.append(code)
            current = previous
        in_chunk = low <= bottom <= low + length - layout.frame_size
        if not is_root(
            self._memory, layout, plan, raw, bottom, owner, base, shift if in_chunk else 0
        ):
            raise NotSo("root")
        if self._codes.met_since(met, codes):
            raise NotSo("code that was read later")
        if codes and not self._codes.all_still(list(dict.fromkeys(codes)), _checks):
            raise NotSo("code")
        guess.doubt()
        return self._names.stack(tuple(frames), guess.interpreter)


def _older_with(plan: ReadPlan, frame: int, size: int) -> tuple[int, int, int]:
    """Return the older chunk that a frame lies in."""
    for chunk in plan.older:
        if chunk[0] <= frame <= chunk[1] - size:
            return chunk
    raise NotSo("scattered")


def _equal_bytes(raw: bytearray, one: int, other: int, length: int) -> int:
    """Return how many bytes from the start are the same at both places."""
    low, high = 0, length
    while low < high:
        middle = (low + high + 1) // 2
        if raw[one : one + middle] == raw[other : other + middle]:
            low = middle
        else:
            high = middle - 1
    return low
