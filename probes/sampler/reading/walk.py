"""Reads stacks: out of a batch of many threads, and a thread anew where that did not fit."""

from __future__ import annotations

import struct
from itertools import repeat

from ..cpython.code import Codes
from ..cpython.layout import Layout
from ..cpython.names import Names
from ..cpython.objects import NotSo
from ..guess import Guess
from ..memory import Buffer, Memory
from .alive import Alive
from .batch import NEAR, Batches, ReadPlan, fits
from .frames import (
    CHUNK_HEAD,
    MOST_FRAMES,
    ON_C_STACK,
    OWNED_BY_FRAME_OBJECT,
    OWNED_BY_GENERATOR,
    SENTINEL,
    Again,
    is_root,
)
from .innermost import Innermost
from .known import recall, remember
from .older import OlderChunks
from .settled import Trail, missed, settle, stands
from .steady import Steady

_ATTEMPTS = 4
_MOST_CHUNK = 1 << 22
_KEPT_EXTRAS, _MOST_EXTRAS = 16, 800
_KEPT_CFRAMES = 8
"""Of one thread: each call of C that calls Python has another one."""
_NO_PLACE = 0, 0
_WORD = 8
_BEYOND = 160
"""Bytes that are read behind what is used of a chunk: who was called since then lies there."""
_DEAR_OLDER = 250
"""Older chunks of a stack of 40,000 frames: not to be read in vain at each sweep."""
_REST_SWEEPS = 200
_MOST_SETTLED = 300
_MOST_KEPT = 1 << 13
"""Bytes of one thread that are kept to be compared."""
_word = struct.Struct("<Q").unpack_from

_alone = Buffer()


class Read:
    """What reading one stack gave."""

    __slots__ = ("again", "failed", "lead", "node", "unsteady")

    def __init__(self, node: int, unsteady: bool = False, failed: bool = False) -> None:
        self.lead = b""
        """If it was read anew: what `Batches.lead` asked for, of the same instant."""
        self.again = False
        """It had to be read again, and has gone on meanwhile: it is more likely to be met where it
        stays for long. Or a part of it had gone on by the time that it was read."""
        self.node = node
        """-1 if there is no Python frame, or it failed."""
        self.unsteady = unsteady
        """It could not be told in any reading: `node` is only the part that stood still."""
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
        self._alive = Alive(codes)
        self._innermost = Innermost(layout, codes)
        self._met = 0
        self._read = Read(-1)
        """What `resolve` gives of a stack that fits: one a look, made once."""
        self.batches = Batches(layout, codes)

    def begin_batch(self) -> None:
        """Call before a batch is read: code that is met for the first time after that may have come
        in the place of what its frames stood in."""
        self._met = self._codes.met
        self._alive.begin_batch()

    def end_batch(self, buffer: Buffer) -> None:
        """Call when a batch was read: forgets code that is no more."""
        self._alive.end_batch(self.batches.watch, buffer.bytes)

    def resolve(self, plan: ReadPlan, buffer: Buffer) -> Read:
        """Return the stack that a batch holds, or read it anew if the batch does not fit.

        What is returned holds until the next call.
        """
        guess = plan.guess
        if guess.resting:
            return self.alone(guess)
        raw = buffer.bytes[plan.at : plan.at + plan.size]
        # What nobody has touched since it was believed is what it was: a call into C, mostly.
        before, sure = guess.node, self._alive.intact or not plan.apart
        if raw == guess.content and sure and before >= 0 and guess.replaced == self._codes.replaced:
            return self._whole(before)
        node = recall(plan, raw, self._codes.replaced) if plan.known and sure else -1
        gone_on = False
        if node >= 0:
            task_offset = self.batches.task_offset
            if task_offset:
                guess.task = _word(raw, plan.state + task_offset)[0]
        else:
            try:
                node = self._walk(plan, raw, self._met)
                gone_on = self._innermost.likely
            except (Again, NotSo, OSError, struct.error):
                guess.content = b""
                read = self.alone(guess)
                read.again = True
                return read
        guess.content = raw if plan.size <= _MOST_KEPT and not guess.many_codes else b""
        guess.replaced = self._codes.replaced
        return self._whole(node, gone_on)

    def _whole(self, node: int, again: bool = False) -> Read:
        read = self._read
        read.node, read.again = node, again
        return read

    def alone(self, guess: Guess) -> Read:
        """Read one thread until it can be told where it is, a few times."""
        if guess.resting:
            guess.resting -= 1
            return Read(-1, failed=True)
        plan, raw, batches = None, bytearray(), self.batches
        met = 0
        for _ in range(_ATTEMPTS):
            try:
                if not guess.chunk:
                    state = self._memory.read(guess.state, batches.state_size)
                    innermost = self._learn(guess, state)
                    if self._layout.cframe:
                        guess.cframes = [innermost]
                    if not guess.chunk:
                        return self._no_frames(guess)
                plan, lead = batches.plan(guess), batches.lead_size
                pieces, total = batches.lead + plan.pieces, lead + plan.size
                if not fits(len(pieces), total):
                    guess.older = guess.older[-20:]
                    guess.extras = guess.extras[:_KEPT_EXTRAS]
                    plan = None
                    continue
                met = self._codes.met
                if not self._memory.gather(_alone, pieces, total):
                    guess.forget()
                    plan = None
                    continue
                raw = _alone.bytes[lead:total]
                read = Read(self._walk(plan, raw, met))
                read.lead = bytes(_alone.bytes[:lead])
                return read
            except (Again, NotSo, struct.error):
                continue
            except OSError:
                if plan is None:  # its thread state cannot be read; else an address led nowhere
                    guess.forget()
        if len(guess.older) > _DEAR_OLDER:
            guess.forget()
            guess.resting = _REST_SWEEPS
        elif plan is not None:
            try:
                return Read(self._steady.part(plan, raw, met), unsteady=True)
            except (NotSo, OSError, struct.error):
                pass
        return Read(-1, failed=True)

    def _no_frames(self, guess: Guess) -> Read:
        guess.doubt()
        return Read(-1)

    def _learn(self, guess: Guess, raw: bytes | bytearray, at: int = 0) -> int:
        """Take what the thread state says, which lies there in what was read; return the address of
        its current frame or C frame.

        Raises:
            NotSo: it is not, or no longer, the state of this thread.
        """
        innermost, native, chunk, top, limit = self._layout.state(raw, at)
        if native != guess.native:
            raise NotSo("thread state")
        if chunk:
            if chunk != guess.chunk:
                guess.length = 0
                guess.older = []
                guess.chunk = chunk
            used, length = top - chunk + _BEYOND, guess.length
            if not 0 < used < _MOST_CHUNK or limit < top:
                raise NotSo("chunk")
            if used > length or used < length - 4096:
                guess.length = min((used + 511) & ~511, limit - chunk)
        task_offset = self.batches.task_offset
        if task_offset:
            guess.task = _word(raw, at + task_offset)[0]
        return innermost  # type: ignore[no-any-return]

    def _walk(self, plan: ReadPlan, raw: bytearray, met: int) -> int:
        """Return the node of the stack in `raw`.

        Args:
            plan: What `raw` holds.
            raw: The bytes of one thread.
            met: `Codes.met` before they were read.

        Raises:
            Again, NotSo, OSError, struct.error: it does not fit together.
        """
        layout, guess = self._layout, plan.guess
        chunk = low = guess.chunk
        self._learn(guess, raw, plan.state)
        base = _word(raw, plan.state + layout.base_frame)[0] if layout.base_frame else 0
        pointer = self._pointer(plan, raw, base)
        if plan.copy < 0 or guess.chunk != chunk:
            if not pointer:
                return self._no_frames(guess).node
            raise Again
        current = leaf = self._find(plan, raw, pointer)
        if not current:
            return self._no_frames(guess).node
        innermost = self._innermost
        high, shift = low + plan.length - layout.frame_size, plan.copy - low
        fields, places, extras = layout.frame, self._codes.places, plan.extras
        moved, head, length = innermost.moved, layout.frame_flags, plan.length
        stood = innermost.stood[0]
        instructions: list[int] = []
        frames: list[int] = []
        codes: list[int] = []
        far: list[int] = []
        visited: list[int] = []
        entries: list[int] = []
        hidden: list[int] = []
        unknown = whole = deep = False
        bottom = owner = inner = 0
        settled = guess.settled
        settled_at = 0 if settled is None else settled.address
        for _ in repeat(None, MOST_FRAMES):
            if low <= current <= high:
                if current == settled_at:
                    assert settled is not None
                    if stands(guess, settled, plan, raw, len(visited), self._codes.replaced):
                        frames += settled.frames
                        codes += settled.codes
                        if settled.far:
                            far += [address for address, _ in settled.far]
                        visited.append(current)
                        bottom, owner = settled.end
                        break
                    settled, settled_at = None, 0
                visited.append(current)
                bottom, inner = current, current - low
                code, current, instruction, owner = fields(raw, bottom + shift)
                if bottom == stood:
                    instruction = innermost.stood[1]
            elif not current or current == base:
                whole = True
                break
            elif current in extras:
                visited.append(current)
                far.append(current)
                bottom = current
                if bottom in moved:
                    code, current, instruction, owner = moved[bottom]
                else:
                    if not innermost.believed(bottom, inner + head if inner else length):
                        self._keep_extras(guess, [bottom])
                        raise Again
                    code, current, instruction, owner = fields(raw, extras[bottom])
            else:
                visited.append(current)
                older = self._older.walk(plan, raw, current, frames, codes)
                if older is not None:
                    current, bottom, owner = older
                    deep = True
                    if len(codes) > MOST_FRAMES:
                        raise NotSo("endless")
                    continue
                if not unknown and not plan.older:
                    self._older.find(plan, raw, current)
                bottom = current
                code, current, instruction, owner = fields(
                    self._memory.read(bottom, layout.frame_size), 0
                )
                unknown = True
                far.append(bottom)
                if len(far) > 2 * _MOST_EXTRAS:
                    raise NotSo("scattered")
            if owner <= OWNED_BY_GENERATOR:
                code &= -4  # 3.14+: tag bits of the reference
                known, frame = places.get(instruction, _NO_PLACE)
                if known != code:
                    frame = self._codes.frame_id(code, instruction)
                    places = self._codes.places
                codes.append(code)
                instructions.append(0 if bottom in moved else instruction)
                if frame >= 0:
                    frames.append(frame)
                else:
                    hidden.append(len(visited) - 1)
            elif owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                raise NotSo("owner")
            else:
                entries.append(len(visited) - 1)
        else:
            raise NotSo("endless")
        if whole:
            if settled is not None:
                missed(guess)
            if not (unknown or deep) and len(codes) <= _MOST_SETTLED:
                end, size = (bottom, owner), layout.frame_size
                trail = Trail(visited, entries, hidden)
                settle(guess, plan, raw, trail, frames, codes, end, size, self._codes.replaced)
        if far:
            self._keep_extras(guess, far)
        # Not of one instant: read again, with what is known now. A code object that was read after
        # the frames may have come in the place of theirs; it holds if it lay there before, too.
        if unknown or self._codes.met_since(met, codes):
            raise Again
        # What lies in older chunks stood still as long as the first frame of the newest one did.
        if deep and not plan.still(raw, CHUNK_HEAD + _WORD + layout.frame_flags):
            raise Again
        here = shift if low <= bottom <= high else 0
        if not is_root(self._memory, layout, plan, raw, bottom, owner, base, here):
            raise Again
        before = guess.frames
        node = self._believe(plan, raw, tuple(frames), codes)
        if guess.frames is not before and not deep:
            innermost.learn(instructions, codes)
        if innermost.certain and not deep and low <= leaf <= high:
            behind = leaf + self._codes.room(codes[0])
            remember(plan, raw, layout, visited, codes, entries, behind, self._codes.replaced)
        return node

    def _pointer(self, plan: ReadPlan, raw: bytearray, base: int) -> int:
        """Return the current frame as the thread state says, 0 for none, -1 if it is not known:
        then it will be, the next time (3.11, 3.12)."""
        current = plan.pointer(raw, self._layout)
        if current < 0:
            guess = plan.guess
            met = _word(raw, plan.state + self._layout.cframe)[0]
            guess.cframes = [met, *guess.cframes[: _KEPT_CFRAMES - 1]]
        return 0 if current == base else current

    def _find(self, plan: ReadPlan, raw: bytearray, pointer: int) -> int:
        """Return the address of the innermost frame, 0 if there is none.

        Raises:
            Again: it cannot be told.
        """
        guess = plan.guess
        low = guess.chunk
        if pointer > 0 and pointer not in plan.extras and not low <= pointer < low + plan.length:
            self._meet(guess, pointer)
        settled = guess.settled
        start = 0
        if settled is not None and raw.startswith(settled.content, plan.copy):
            start = settled.address
        try:
            return self._innermost.find(plan, raw, pointer, start)
        except Again:
            unread = self._innermost.unread
            if unread and self._is_mapped(unread):
                self._keep_extras(guess, [unread])
            elif unread:
                guess.extras = []  # one of them is no frame any more
            raise

    def _is_mapped(self, address: int) -> bool:
        """Whether a frame may lie there: what cannot be read would spoil each batch."""
        try:
            self._memory.read(address, self._layout.frame_size)
        except OSError:
            return False
        return True

    def _meet(self, guess: Guess, pointer: int) -> None:
        """Have a frame read from now on that is the current one, and lies outside of the chunks.

        Raises:
            Again: it is a generator's: the thread may be in it.
        """
        layout = self._layout
        try:
            raw = self._memory.read(pointer, layout.frame_size)
            code, _, instruction, owner = layout.frame(raw, 0)
            if owner == OWNED_BY_GENERATOR:
                self._codes.frame_id(code & -4, instruction)
        except (NotSo, OSError, struct.error):
            return  # the C frame that said so was one no more (3.11, 3.12)
        if owner in (OWNED_BY_GENERATOR, ON_C_STACK, SENTINEL):
            self._keep_extras(guess, [pointer])
        if owner == OWNED_BY_GENERATOR:
            raise Again

    def _believe(
        self, plan: ReadPlan, raw: bytearray, frames: tuple[int, ...], codes: list[int]
    ) -> int:
        """Check that the code objects are still those that we know; return the node."""
        guess = plan.guess
        self._alive.check(plan, raw, codes)
        if frames != guess.frames or guess.node < 0:
            guess.frames = frames
            guess.node = self._names.stack(frames, guess.interpreter)
        return guess.node

    def _keep_extras(self, guess: Guess, far: list[int]) -> None:
        # Of the newest chunk so much is read from now on.
        read = range(guess.chunk, guess.chunk + guess.length - self._layout.frame_size + 1)
        known = guess.extras
        first = [address for address in far if address not in known[:NEAR] and address not in read]
        if not first:
            return
        if len(far) > _KEPT_EXTRAS:
            if not set(first) <= set(known):
                guess.extras = far[:_MOST_EXTRAS]
        else:
            kept = dict.fromkeys(first + known)
            guess.extras = list(kept)[:_KEPT_EXTRAS]
