"""Reads stacks: out of a batch of many threads, and a thread anew where that did not fit."""

from __future__ import annotations

import struct
from itertools import repeat

from ..cpython.code import SIGNATURE_SIZE, Codes
from ..cpython.layout import Layout
from ..cpython.names import Names
from ..cpython.objects import NotSo
from ..guess import Guess
from ..memory import Buffer, Memory
from .batch import Batches, ReadPlan, fits
from .frames import (
    MOST_FRAMES,
    OWNED_BY_FRAME_OBJECT,
    OWNED_BY_GENERATOR,
    SENTINEL,
    Again,
    is_root,
)
from .older import OlderChunks
from .settled import Trail, missed, settle, stands
from .steady import Steady

_ATTEMPTS = 4
_MOST_CHUNK = 1 << 22
_KEPT_EXTRAS, _MOST_EXTRAS = 16, 800
_LEAVES = 4
_DEAR_OLDER = 250
"""Older chunks of a stack of 40,000 frames: not to be read in vain at each sweep."""
_REST_SWEEPS = 200
_MOST_SETTLED = 300
_MOST_KEPT = 1 << 13
"""Bytes of one thread that are kept to be compared."""
_word = struct.Struct("<Q").unpack_from
_three_words = struct.Struct("<QQQ").unpack_from

_alone = Buffer()
_checks = Buffer(1 << 17)


class Read:
    """What reading one stack gave."""

    __slots__ = ("failed", "lead", "node", "unsteady")

    def __init__(self, node: int, unsteady: bool = False, failed: bool = False) -> None:
        self.lead = b""
        """If it was read anew: what `Batches.lead` asked for, of the same instant."""
        self.node = node
        """-1 if there is no Python frame, or it failed."""
        self.unsteady = unsteady
        """The stack moved in every reading: `node` is only the part that stood still."""
        self.failed = failed


NOTHING = Read(-1)
"""Of a thread that is none of Python's. Nobody changes it."""


class Walker:
    """Stacks of one process."""

    def __init__(self, memory: Memory, layout: Layout, codes: Codes, names: Names) -> None:
        self._memory = memory
        self._layout = layout
        self._codes = codes
        self._names = names
        self._older = OlderChunks(memory, layout, codes)
        self._steady = Steady(memory, layout, codes, names)
        self.batches = Batches(layout)

    def resolve(self, plan: ReadPlan, buffer: Buffer) -> Read:
        """Return the stack that a batch holds, or read it anew if the batch does not fit."""
        guess = plan.guess
        if guess.resting:
            return self.alone(guess)
        raw = buffer.bytes
        # What nobody has touched since it was believed is what it was: a call into C, mostly.
        content = raw[plan.state : plan.state + plan.size]
        if content == guess.content and guess.node >= 0 and guess.replaced == self._codes.replaced:
            return Read(guess.node)
        try:
            node = self._walk(plan, raw)
        except (Again, NotSo, OSError, struct.error):
            guess.content = b""
            return self.alone(guess)
        guess.content = content if plan.size <= _MOST_KEPT else b""
        guess.replaced = self._codes.replaced
        return Read(node)

    def alone(self, guess: Guess) -> Read:
        """Read one thread until it holds still, a few times."""
        if guess.resting:
            guess.resting -= 1
            return Read(-1, failed=True)
        plan, batches = None, self.batches
        for _ in range(_ATTEMPTS):
            try:
                if not guess.chunk:
                    state = self._memory.read(guess.state, batches.state_size)
                    self._learn(guess, state, 0)
                    if not guess.chunk:
                        return self._no_frames(guess)
                plan = batches.plan(guess, batches.lead_size)
                pieces, total = batches.lead + plan.pieces, batches.lead_size + plan.size
                if not fits(pieces, total):
                    guess.older = guess.older[-20:]
                    guess.extras = guess.extras[:_KEPT_EXTRAS]
                    plan = None
                    continue
                if not self._memory.gather(_alone, pieces, total):
                    guess.forget()
                    plan = None
                    continue
                read = Read(self._walk(plan, _alone.bytes))
                read.lead = bytes(_alone.bytes[: batches.lead_size])
                return read
            except (Again, NotSo, struct.error):
                continue
            except OSError:
                guess.forget()
                plan = None
        if len(guess.older) > _DEAR_OLDER:
            guess.forget()
            guess.resting = _REST_SWEEPS
        elif plan is not None:
            try:
                return Read(self._steady.part(plan, _alone.bytes), unsteady=True)
            except (NotSo, OSError, struct.error):
                pass
        return Read(-1, failed=True)

    def _no_frames(self, guess: Guess) -> Read:
        guess.frames, guess.node, guess.leaves = (), -1, []
        return Read(-1)

    def _learn(self, guess: Guess, raw: bytes | bytearray, at: int) -> None:
        """Take what the thread state says.

        Raises:
            NotSo: it is not, or no longer, the state of this thread.
        """
        layout = self._layout
        if _word(raw, at + layout.native_id)[0] != guess.native:
            raise NotSo("thread state")
        chunk, top, limit = _three_words(raw, at + layout.chunk)
        if chunk:
            if chunk != guess.chunk:
                guess.length = 0
                guess.older = []
            used = top - chunk + 64
            if not 0 < used < _MOST_CHUNK or limit < top:
                raise NotSo("chunk")
            guess.chunk = chunk
            if used > guess.length or used < guess.length - 2048:
                guess.length = min((used + 511) & ~511, limit - chunk)
        if layout.cframe:
            guess.cframe = _word(raw, at + layout.cframe)[0]
        task_offset = self.batches.task_offset
        if task_offset:
            guess.task = _word(raw, at + task_offset)[0]

    def _walk(self, plan: ReadPlan, raw: bytearray) -> int:
        """Return the node of the stack in `raw`.

        Raises:
            Again, NotSo, OSError, struct.error: it does not fit together.
        """
        layout, guess = self._layout, plan.guess
        chunk, length, cframe = guess.chunk, plan.length, guess.cframe
        self._learn(guess, raw, plan.state)
        if layout.cframe:
            if plan.cframe < 0 or guess.cframe != cframe:
                raise Again
            current = _word(raw, plan.cframe + layout.cframe_frame)[0]
            moved = _word(raw, plan.again)[0] != cframe or _word(raw, plan.again + 8)[0] != current
        else:
            current = _word(raw, plan.state + layout.current_frame)[0]
            moved = _word(raw, plan.again)[0] != current
        base = _word(raw, plan.state + layout.base_frame)[0] if layout.base_frame else 0
        if moved:
            raise Again
        if not current or current == base:
            return self._no_frames(guess).node
        if plan.chunk < 0 or guess.chunk != chunk:
            raise Again

        low, high, shift = chunk, chunk + length - layout.frame_size, plan.chunk - chunk
        top = 0  # the innermost frame in the newest chunk
        fields, places, extras = layout.frame, self._codes.places, plan.extras
        frames: list[int] = []
        codes: list[int] = []
        far: list[int] = []
        unknown = whole = False
        bottom = owner = 0
        settled = guess.settled
        trail, deep = Trail(), False
        visited = trail.frames
        settled_at = 0 if settled is None else settled.address
        for _ in repeat(None, MOST_FRAMES):
            if current == base or not current:
                whole = True
                break
            if current == settled_at:
                assert settled is not None
                if stands(guess, settled, plan, raw, len(visited), self._codes.replaced):
                    frames += settled.frames
                    codes += settled.codes
                    far += [address for address, _ in settled.far]
                    bottom, owner = settled.end
                    top = top or current
                    break
                settled, settled_at = None, 0
            visited.append(current)
            bottom = current
            if low <= current <= high:
                code, previous, instruction, owner = fields(raw, current + shift)
                if not top:
                    top = current
            elif current in extras:
                code, previous, instruction, owner = fields(raw, extras[current])
                far.append(current)
            else:
                older = self._older.walk(plan, raw, current, frames, codes)
                if older is not None:
                    current, bottom, owner = older
                    deep = True
                    if len(codes) > MOST_FRAMES:
                        raise NotSo("endless")
                    continue
                if not unknown and not plan.older:
                    self._older.find(plan, raw, current)
                code, previous, instruction, owner = fields(
                    self._memory.read(current, layout.frame_size), 0
                )
                unknown = True
                far.append(current)
                if len(far) > 2 * _MOST_EXTRAS:
                    raise NotSo("scattered")
            if owner > OWNED_BY_GENERATOR:
                if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                    raise NotSo("owner")
                trail.entries.append(len(visited) - 1)
            else:
                code &= -4  # 3.14+: tag bits of the reference
                place = places.get(instruction)
                if place is not None and place[0] == code:
                    frame = place[1]
                else:
                    frame = self._codes.frame_id(code, instruction)
                    places = self._codes.places
                if frame >= 0:
                    frames.append(frame)
                else:
                    trail.hidden.append(len(visited) - 1)
                codes.append(code)
            current = previous
        else:
            raise NotSo("endless")
        if whole:
            if settled is not None:
                missed(guess)
            if not (unknown or deep) and len(codes) <= _MOST_SETTLED:
                end, size = (bottom, owner), layout.frame_size
                settle(guess, plan, raw, trail, frames, codes, end, size, self._codes.replaced)
        if far:
            self._keep_extras(guess, far)
        if unknown:  # not of one instant: read again, with what is known now
            raise Again
        here = shift if low <= bottom <= high else 0
        if not is_root(self._memory, layout, plan, raw, bottom, owner, base, here):
            raise Again
        if top:
            # Equal up to the header of the innermost frame: nobody called or returned meanwhile.
            quiet = top - chunk + layout.frame_header
            at, copy = plan.chunk, plan.copy
            if raw[at : at + quiet] != raw[copy : copy + quiet]:
                raise Again
        return self._believe(plan, raw, tuple(frames), codes)

    def _believe(
        self, plan: ReadPlan, raw: bytearray, frames: tuple[int, ...], codes: list[int]
    ) -> int:
        """Check that the code objects are still those that we know; return the node."""
        guess = plan.guess
        checked: set[int] = set()
        if plan.leaves >= 0 and guess.leaves:
            at, innermost = plan.leaves, codes[:_LEAVES]
            signatures = raw[at : at + SIGNATURE_SIZE * len(guess.leaves)]
            if signatures == guess.signatures:
                checked.update(guess.leaves)
            else:
                for address in guess.leaves:
                    if address in innermost:
                        if not self._codes.is_still(address, bytes(raw[at : at + SIGNATURE_SIZE])):
                            guess.leaves = []
                            raise Again
                        checked.add(address)
                    at += SIGNATURE_SIZE
                if len(checked) == len(guess.leaves):
                    guess.signatures = bytes(signatures)
        if frames != guess.frames or guess.node < 0:
            fresh = codes[: len(codes) - _common_roots(frames, guess.frames)]
            unsure = [address for address in dict.fromkeys(fresh) if address not in checked]
            if unsure and not self._codes.all_still(unsure, _checks):
                raise Again
            guess.frames = frames
            leaves = list(dict.fromkeys(codes[:_LEAVES]))
            if leaves != guess.leaves:
                guess.leaves, guess.signatures = leaves, b""
            guess.node = self._names.stack(frames, guess.interpreter)
        return guess.node

    def _keep_extras(self, guess: Guess, far: list[int]) -> None:
        known = set(guess.extras)
        new = [address for address in far if address not in known]
        if new:
            if len(far) > _KEPT_EXTRAS:
                guess.extras = far[:_MOST_EXTRAS]
            else:
                guess.extras = (new + guess.extras)[:_KEPT_EXTRAS]


def _common_roots(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return how many outermost frames two stacks share."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle :] == other[len(other) - middle :]:
            low = middle
        else:
            high = middle - 1
    return low
