"""The older chunks of a thread's data stack, which a deep recursion fills."""

from __future__ import annotations

import struct

from ..cpython.code import Codes
from ..cpython.layout import Layout
from ..cpython.objects import NotSo
from ..memory import Memory
from .batch import ReadPlan
from .frames import (
    CHUNK_HEAD,
    MOST_FRAMES,
    OWNED_BY_FRAME_OBJECT,
    OWNED_BY_GENERATOR,
    SENTINEL,
    Again,
)

_MOST_OLDER = 600
_MOST_OLDER_BYTES = 5 << 20
"""Of one thread: some 45,000 frames."""
_word = struct.Struct("<Q").unpack_from
_three_words = struct.Struct("<QQQ").unpack_from


class OlderChunks:
    """Of all threads of one process."""

    def __init__(self, memory: Memory, layout: Layout, codes: Codes) -> None:
        self._memory = memory
        self._layout = layout
        self._codes = codes

    def walk(
        self, plan: ReadPlan, raw: bytearray, current: int, frames: list[int], codes: list[int]
    ) -> tuple[int, int, int] | None:
        """Walk the frames of an older chunk; return where it goes on, last frame, its owner.

        Its frames stand still as long as newer ones live: the same bytes are the same frames.
        """
        size = self._layout.frame_size
        chunk = next((one for one in plan.older if one[0] <= current <= one[1] - size), None)
        if chunk is None:
            return None
        low, end, offset = chunk
        guess = plan.guess
        seen = guess.older_seen.get(low)
        content = bytes(raw[low + offset : end + offset])
        # The frame ids may be those of code that is no more.
        if seen is not None and seen[:3] == (self._codes.replaced, current, content):
            frames += seen[3]
            codes += seen[4]
            return seen[5:]
        fields, bottom, owner, entered = self._layout.frame, current, 0, current
        n, m, steps = len(frames), len(codes), 0
        while low <= current <= end - size:
            steps += 1
            if steps > MOST_FRAMES:
                raise NotSo("endless")
            bottom = current
            code, current, instruction, owner = fields(raw, current + offset)
            if owner > OWNED_BY_GENERATOR:
                if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                    raise NotSo("owner")
                continue
            code &= -4
            place = self._codes.places.get(instruction)
            if place is not None and place[0] == code:
                frame = place[1]
            else:
                frame = self._codes.frame_id(code, instruction)
            if frame >= 0:
                frames.append(frame)
            codes.append(code)
        if len(guess.older_seen) > _MOST_OLDER:
            guess.older_seen.clear()
        guess.older_seen[low] = (
            self._codes.replaced,
            entered,
            content,
            frames[n:],
            codes[m:],
            current,
            bottom,
            owner,
        )
        return current, bottom, owner

    def find(self, plan: ReadPlan, raw: bytearray, current: int) -> None:
        """Learn the list of older chunks if the frame at `current` lies in one of them.

        Raises:
            Again: it does.
        """
        previous = _word(raw, plan.copy)[0]
        older: list[tuple[int, int]] = []
        found = False
        room = _MOST_OLDER_BYTES
        while previous and len(older) < _MOST_OLDER:
            further, size, top = _three_words(self._memory.read(previous, 24), 0)
            if not CHUNK_HEAD < size <= 1 << 24:
                break
            used = (min(size, CHUNK_HEAD + 8 * top + 64) if 0 < top < size else size) + 7 & ~7
            if used <= room:
                older.append((previous, used))
                room -= used
            found = found or previous <= current < previous + used
            previous = further
        if found and older != plan.guess.older:
            plan.guess.older = older
            raise Again
