"""Frames of the interpreter: who owns them, and where a chain of them may end."""

from __future__ import annotations

from ..cpython.layout import Layout
from ..memory import Memory
from .batch import ReadPlan

OWNED_BY_GENERATOR, OWNED_BY_FRAME_OBJECT, ON_C_STACK, SENTINEL = 1, 2, 3, 4
CHUNK_HEAD = 24
"""Bytes of a chunk of the data stack before its frames; a thread's first chunk has 8 more."""
MOST_FRAMES = 60_000
"""Of one stack; a deeper one is taken for an endless chain."""


class Again(Exception):
    """What was read does not fit together; the guesses are better now."""


def is_root(
    memory: Memory,
    layout: Layout,
    plan: ReadPlan,
    raw: bytearray,
    bottom: int,
    owner: int,
    base: int,
    shift: int,
) -> bool:
    """Whether a chain may end at the frame `bottom`: the C stack must have entered Python there.

    Args:
        memory: Of the process.
        layout: Of its Python.
        plan: What `raw` holds.
        raw: A batch.
        bottom: Address of the outermost frame.
        owner: Its owner.
        base: Address of the sentinel, 0 before 3.15.
        shift: Offset into `raw` minus address, 0 if it lies elsewhere.

    Raises:
        OSError: it lies elsewhere, and cannot be read.
    """
    if base:  # 3.15: `current` ended at the sentinel, or at an entry without one (greenlets)
        return owner in (0, ON_C_STACK, SENTINEL)
    if not layout.is_entry:
        return owner == ON_C_STACK
    if owner:
        return False
    if shift:
        return bool(raw[bottom + shift + layout.is_entry])
    for low, end, offset in plan.older:
        if low <= bottom < end:
            return bool(raw[bottom + offset + layout.is_entry])
    return bool(memory.read(bottom + layout.is_entry, 1)[0])
