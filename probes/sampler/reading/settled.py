"""The outer part of a stack that stands still from one sweep to the next, and is not walked again.

Of 30 frames mostly the innermost few have moved. The rest lies in the newest chunk as it did: the
same bytes at the same place are the same frames.
"""

from __future__ import annotations

from ..guess import Guess, Settled
from .batch import ReadPlan

_LEAST_FRAMES = 4
"""In the outer part: fewer are walked as quickly as compared."""
_LEAST_CUT, _MOST_CUT = 2, 64
"""Frames that are left to be walked: twice as many when they were too few twice in turn."""
_FEW_WALKED, _HITS = 6, 8
"""So often in turn right, with more than so many walked: half as many are tried."""
_PATIENCE, _REST_WALKS = 8, 100
"""Who changes its outermost frame all the time is compared in vain, and is left alone for long."""


class Trail:
    """The frames of a walk, innermost first, and which of them are no line of a stack."""

    __slots__ = ("entries", "frames", "hidden")

    def __init__(self, frames: list[int], entries: list[int], hidden: list[int]) -> None:
        self.frames = frames
        """Their addresses."""
        self.entries = entries
        """Those where C entered Python, without a code object: indices into `frames`."""
        self.hidden = hidden
        """Those whose code object is not shown."""

    def before(self, cut: int) -> tuple[int, int]:
        """Return how many lines of the stack, and code objects, the first `cut` frames gave."""
        codes = cut - sum(index < cut for index in self.entries)
        return codes - sum(index < cut for index in self.hidden), codes


def settle(
    guess: Guess,
    plan: ReadPlan,
    raw: bytearray,
    trail: Trail,
    frames: list[int],
    codes: list[int],
    end: tuple[int, int],
    frame_size: int,
    replaced: int,
) -> None:
    """Remember the outer part of a stack that was walked whole.

    Args:
        guess: Whose stack.
        plan: What `raw` holds.
        raw: The batch.
        trail: Each frame of the chain.
        frames: Of the whole stack.
        codes: Of the whole stack.
        end: Address of the outermost frame, and its owner.
        frame_size: Bytes of a frame without its variables.
        replaced: `Codes.replaced`.
    """
    guess.settled = None
    if guess.rest_walks:
        guess.rest_walks -= 1
        return
    cut = guess.cut
    if len(trail.frames) < cut + _LEAST_FRAMES:
        return
    address = trail.frames[cut]
    n, m = trail.before(cut)
    low, high = guess.chunk, guess.chunk + plan.length - frame_size
    if not low <= address <= high:
        return  # a generator's: the next walk may end elsewhere
    top, far = 0, []
    for at in trail.frames[cut:]:
        if low <= at <= high:
            top = max(top, at)
        elif at in plan.extras:
            offset = plan.extras[at]
            far.append((at, bytes(raw[offset : offset + frame_size])))
        else:
            return  # in an older chunk: those are remembered by themselves
    length = top + frame_size - low
    content = bytes(raw[plan.copy : plan.copy + length])
    guess.settled = Settled(address, content, far, frames[n:], codes[m:], end, replaced)


def stands(
    guess: Guess, settled: Settled, plan: ReadPlan, raw: bytearray, walked: int, replaced: int
) -> bool:
    """Whether the outer part of a stack is what it was when it was remembered.

    Args:
        guess: Whose stack.
        settled: What is remembered.
        plan: What `raw` holds.
        raw: The batch.
        walked: Frames that were walked before it was reached.
        replaced: `Codes.replaced`: its frame ids may be those of code that is no more.
    """
    content = settled.content
    if settled.replaced != replaced:
        guess.settled = None
        return False
    if raw.startswith(content, plan.copy):
        for address, frame in settled.far:
            offset = plan.extras.get(address, -1)
            if offset < 0 or not raw.startswith(frame, offset):
                break
        else:
            guess.misses = 0
            settled.hits += 1
            if walked > _FEW_WALKED and settled.hits >= _HITS:
                guess.cut = max(min(guess.cut, walked) // 2, _LEAST_CUT)
                guess.settled = None  # the next walk remembers more
            return True
    missed(guess)
    return False


def missed(guess: Guess) -> None:
    """What was remembered was of no use."""
    guess.settled = None
    guess.misses += 1
    if guess.misses >= _PATIENCE:
        guess.misses, guess.cut, guess.rest_walks = 0, _LEAST_CUT, _REST_WALKS
    elif guess.misses % 2 == 0:
        guess.cut = min(2 * guess.cut, _MOST_CUT)
