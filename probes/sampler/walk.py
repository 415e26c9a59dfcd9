"""Reads stacks: all threads of a sweep in one batch, and a thread anew where that did not fit.

A batch holds, for each thread: thread state, C frame (3.11, 3.12), the newest chunk of its data
stack, older chunks, frames known to lie elsewhere, the pointer to the current frame again, the
newest chunk again, signatures of the innermost code objects. It is read in this order within
microseconds; what is equal in both copies of the chunk was not moved between them.
"""

from __future__ import annotations

import struct

from .code import SIGNATURE_AT, SIGNATURE_SIZE, Codes
from .guess import Guess
from .layout import Layout
from .memory import MOST_BYTES, MOST_PIECES, Buffer, Memory
from .names import Names
from .objects import NotSo

OWNED_BY_GENERATOR, OWNED_BY_FRAME_OBJECT, ON_C_STACK, SENTINEL = 1, 2, 3, 4
MOST_FRAMES = 60_000
"""Of one stack; a deeper one is taken for an endless chain."""
_ATTEMPTS = 4
_MOST_CHUNK = 1 << 22
_MOST_OLDER = 500
_MOST_OLDER_BYTES = 450_000
_KEPT_EXTRAS, _MOST_EXTRAS = 16, 800
_LEAVES = 4
_word = struct.Struct("<Q").unpack_from
_three_words = struct.Struct("<QQQ").unpack_from

_alone = Buffer()
_checks = Buffer(1 << 17)


class Again(Exception):
    """What was read does not fit together; the guesses are better now."""


class Plan:
    """Which bytes of a batch are what, for one thread; offsets into the buffer, -1 if absent."""

    __slots__ = (
        "again",
        "cframe",
        "chunk",
        "copy",
        "extras",
        "guess",
        "leaves",
        "length",
        "older",
        "state",
    )

    def __init__(self, guess: Guess) -> None:
        self.guess = guess
        self.state = self.cframe = self.chunk = self.again = self.copy = self.leaves = -1
        self.length = guess.length
        """Of each copy of the newest chunk."""
        self.older: list[tuple[int, int, int]] = []
        """Older chunks: first address, end, offset minus first address."""
        self.extras: dict[int, int] = {}


class Read:
    """What reading one stack gave."""

    __slots__ = ("failed", "lead", "node", "unsteady")

    def __init__(self, node: int, unsteady: bool = False, failed: bool = False) -> None:
        self.lead = b""
        """If it was read anew: what `Walker.lead` asked for, of the same instant."""
        self.node = node
        """-1 if there is no Python frame, or it failed."""
        self.unsteady = unsteady
        """The stack moved in every reading: `node` is only the part that stood still."""
        self.failed = failed


class Walker:
    """Stacks of one process."""

    def __init__(self, memory: Memory, layout: Layout, codes: Codes, names: Names) -> None:
        self._memory = memory
        self._layout = layout
        self._codes = codes
        self._names = names
        self._has_cframe = layout.minor < 13
        self.task_offset = 0
        """Of the running asyncio task in the thread state, 0 if not known."""
        self.state_size = layout.thread_size
        self.retries = 0
        self.lead: list[int] = []
        """Pieces that every batch begins with, and their size: the GILs."""
        self.lead_size = 0

    def watch_task(self, offset: int) -> None:
        """Also read the pointer to the running asyncio task."""
        self.task_offset = offset
        self.state_size = max(self._layout.thread_size, offset + 8)

    # ---- what to read

    def plan(self, guess: Guess, pieces: list[int], total: int) -> tuple[Plan, int]:
        """Append what is to be read of a thread; return it and the bytes so far."""
        layout = self._layout
        plan = Plan(guess)
        pieces += (guess.state, self.state_size)
        plan.state = total
        total += self.state_size
        if self._has_cframe and guess.cframe:
            pieces += (guess.cframe, 16)
            plan.cframe = total
            total += 16
        if guess.chunk:
            pieces += (guess.chunk, guess.length)
            plan.chunk = total
            total += guess.length
        for address, size in guess.older:
            pieces += (address, size)
            plan.older.append((address, address + size, total - address))
            total += size
        for address in guess.extras:
            pieces += (address, layout.frame_size)
            plan.extras[address] = total
            total += layout.frame_size
        plan.again = total
        if self._has_cframe:
            pieces += (guess.state + layout.cframe, 8)
            pieces += ((guess.cframe or guess.state) + layout.cframe_frame, 8)
            total += 16
        else:
            pieces += (guess.state + layout.current_frame, 8)
            total += 8
        if guess.chunk:
            pieces += (guess.chunk, guess.length)
            plan.copy = total
            total += guess.length
        if guess.leaves:
            plan.leaves = total
            for address in guess.leaves:
                pieces += (address + SIGNATURE_AT, SIGNATURE_SIZE)
                total += SIGNATURE_SIZE
        return plan, total

    # ---- what it means

    def resolve(self, plan: Plan, buffer: Buffer) -> Read:
        """Return the stack that a batch holds, or read it anew if the batch does not fit."""
        try:
            return Read(self._walk(plan, buffer.bytes))
        except (Again, NotSo, OSError, struct.error):
            self.retries += 1
            return self.alone(plan.guess)

    def alone(self, guess: Guess) -> Read:
        """Read one thread until it holds still, a few times."""
        plan = None
        for _ in range(_ATTEMPTS):
            try:
                if not guess.chunk:
                    state = self._memory.read(guess.state, self.state_size)
                    self._learn(guess, state, 0)
                    if not guess.chunk:
                        return self._no_frames(guess)
                pieces = list(self.lead)
                plan, total = self.plan(guess, pieces, self.lead_size)
                if total > MOST_BYTES or len(pieces) > 2 * MOST_PIECES:
                    guess.older = guess.older[-20:]
                    guess.extras = guess.extras[:_KEPT_EXTRAS]
                    plan = None
                    continue
                if not self._memory.gather(_alone, pieces, total):
                    guess.forget()
                    plan = None
                    continue
                read = Read(self._walk(plan, _alone.bytes))
                read.lead = bytes(_alone.bytes[: self.lead_size])
                return read
            except (Again, NotSo, struct.error):
                continue
            except OSError:
                guess.forget()
                plan = None
        if plan is not None:
            try:
                return Read(self._steady_part(plan, _alone.bytes), unsteady=True)
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
        if self._has_cframe:
            guess.cframe = _word(raw, at + layout.cframe)[0]
        if self.task_offset:
            guess.task = _word(raw, at + self.task_offset)[0]

    def _walk(self, plan: Plan, raw: bytearray) -> int:
        """Return the node of the stack in `raw`.

        Raises:
            Again, NotSo, OSError, struct.error: it does not fit together.
        """
        layout, guess = self._layout, plan.guess
        chunk, length, cframe = guess.chunk, plan.length, guess.cframe
        self._learn(guess, raw, plan.state)
        if self._has_cframe:
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
        missed = False
        bottom = owner = 0
        while current and current != base:
            bottom = current
            if low <= current <= high:
                code, previous, instruction, owner = fields(raw, current + shift)
                top = top or current
            elif current in extras:
                code, previous, instruction, owner = fields(raw, extras[current])
                far.append(current)
            else:
                older = self._older_part(plan, raw, current, frames, codes)
                if older is not None:
                    current, bottom, owner = older
                    continue
                if not missed and not plan.older:
                    self._find_older(plan, raw, current)
                code, previous, instruction, owner = fields(
                    self._memory.read(current, layout.frame_size), 0
                )
                missed = True
                far.append(current)
                if len(far) > 2 * _MOST_EXTRAS:
                    raise NotSo("scattered")
            if owner > OWNED_BY_GENERATOR:
                if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                    raise NotSo("owner")
            else:
                code &= -4  # 3.14+: tag bits of the reference
                place = places.get(instruction)
                if place is not None and place[0] == code:
                    frames.append(place[1])
                else:
                    frames.append(self._codes.frame_id(code, instruction))
                    places = self._codes.places
                codes.append(code)
                if len(frames) > MOST_FRAMES:
                    raise NotSo("endless")
            current = previous
        if far:
            self._keep_extras(guess, far)
        if missed:  # not of one instant: read again, with what is known now
            raise Again
        if not self._is_root(plan, raw, bottom, owner, base, shift if low <= bottom <= high else 0):
            raise Again
        if top:
            # Equal up to the header of the innermost frame: nobody called or returned meanwhile.
            end = top - chunk + layout.frame_header
            at, copy = plan.chunk, plan.copy
            if raw[at : at + end] != raw[copy : copy + end]:
                raise Again
        return self._believe(plan, raw, tuple(frames), codes)

    def _believe(
        self, plan: Plan, raw: bytearray, frames: tuple[int, ...], codes: list[int]
    ) -> int:
        """Check that the code objects are still those that we know; return the node."""
        guess = plan.guess
        checked = set()
        for i, address in enumerate(guess.leaves if plan.leaves >= 0 else ()):
            at = plan.leaves + i * SIGNATURE_SIZE
            if address in codes[:_LEAVES]:
                if not self._codes.is_still(address, bytes(raw[at : at + SIGNATURE_SIZE])):
                    guess.leaves = []
                    raise Again
                checked.add(address)
        if frames != guess.frames or guess.node < 0:
            fresh = codes[: len(codes) - _common_roots(frames, guess.frames)]
            unsure = [address for address in dict.fromkeys(fresh) if address not in checked]
            if unsure and not self._codes.all_still(unsure, _checks):
                raise Again
            guess.frames = frames
            guess.leaves = list(dict.fromkeys(codes[:_LEAVES]))
            guess.node = self._names.stack(self._labelled(guess, frames))
        return guess.node

    def _labelled(self, guess: Guess, frames: tuple[int, ...]) -> tuple[int, ...]:
        """Put a root above the stacks of subinterpreters that says which one it is."""
        number = guess.interpreter
        if not number:
            return frames
        label = self._names.frame(self._names.code(f"<interpreter {number}>", "", 0), 0)
        return (*frames, label)

    def _is_root(
        self, plan: Plan, raw: bytearray, bottom: int, owner: int, base: int, shift: int
    ) -> bool:
        """Whether a chain may end at this frame: the C stack must have entered Python there."""
        if base:  # 3.15: `current` ended at the sentinel, or at an entry without one (greenlets)
            return owner in (0, ON_C_STACK, SENTINEL)
        if not self._layout.is_entry:
            return owner == ON_C_STACK
        if owner:
            return False
        if shift:
            return bool(raw[bottom + shift + self._layout.is_entry])
        for low, end, offset in plan.older:
            if low <= bottom < end:
                return bool(raw[bottom + offset + self._layout.is_entry])
        return bool(self._memory.read(bottom + self._layout.is_entry, 1)[0])

    # ---- what lies elsewhere

    def _older_part(
        self, plan: Plan, raw: bytearray, current: int, frames: list[int], codes: list[int]
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
        if seen is not None and seen[0] == current and seen[1] == content:
            frames += seen[2]
            codes += seen[3]
            return seen[4:]
        fields, bottom, owner, entered = self._layout.frame, current, 0, current
        n = len(frames)
        while low <= current <= end - size:
            bottom = current
            code, current, instruction, owner = fields(raw, current + offset)
            if owner > OWNED_BY_GENERATOR:
                if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                    raise NotSo("owner")
                continue
            code &= -4
            place = self._codes.places.get(instruction)
            if place is not None and place[0] == code:
                frames.append(place[1])
            else:
                frames.append(self._codes.frame_id(code, instruction))
            codes.append(code)
            if len(frames) > MOST_FRAMES:
                raise NotSo("endless")
        if len(guess.older_seen) > _MOST_OLDER:
            guess.older_seen.clear()
        guess.older_seen[low] = (
            entered,
            content,
            frames[n:],
            codes[n:],
            current,
            bottom,
            owner,
        )
        return current, bottom, owner

    def _find_older(self, plan: Plan, raw: bytearray, current: int) -> None:
        """Learn the list of older chunks if the frame at `current` lies in one of them.

        Raises:
            Again: it does.
        """
        previous = _word(raw, plan.chunk)[0]
        older: list[tuple[int, int]] = []
        found = False
        room = _MOST_OLDER_BYTES
        while previous and len(older) < _MOST_OLDER:
            further, size, top = _three_words(self._memory.read(previous, 24), 0)
            if not 24 < size <= 1 << 24:
                break
            used = (min(size, 24 + 8 * top + 64) if 0 < top < size else size) + 7 & ~7
            if used <= room:
                older.append((previous, used))
                room -= used
            found = found or previous <= current < previous + used
            previous = further
        if found and older != plan.guess.older:
            plan.guess.older = older
            raise Again

    def _keep_extras(self, guess: Guess, far: list[int]) -> None:
        known = set(guess.extras)
        new = [address for address in far if address not in known]
        if new:
            if len(far) > _KEPT_EXTRAS:
                guess.extras = far[:_MOST_EXTRAS]
            else:
                guess.extras = (new + guess.extras)[:_KEPT_EXTRAS]

    # ---- what never stood still

    def _steady_part(self, plan: Plan, raw: bytearray) -> int:
        """Return the root side of a stack that moved in every reading, as far as it is certain.

        The chain is taken from the pointer that was read between the two copies of the chunk:
        a frame of it that is the same in both copies was alive in between, and so are all that
        it was called by.
        """
        layout, guess = self._layout, plan.guess
        if plan.chunk < 0:
            raise NotSo("chunk")
        at, copy, length = plan.chunk, plan.copy, plan.length
        same = _equal_bytes(raw, at, copy, length)
        low, shift = guess.chunk, at - guess.chunk
        steady_end = low + same - layout.frame_size
        current = _word(raw, plan.again + 8 if self._has_cframe else plan.again)[0]
        base = _word(raw, plan.state + layout.base_frame)[0] if layout.base_frame else 0
        frames: list[int] = []
        codes: list[int] = []
        certain = False
        bottom = owner = steps = 0
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
                code, previous, instruction, owner = self._in_older(plan, raw, current)
            if owner == OWNED_BY_FRAME_OBJECT or owner > SENTINEL:
                raise NotSo("owner")
            if certain and owner <= OWNED_BY_GENERATOR:
                code &= -4
                frames.append(self._codes.frame_id(code, instruction))
                codes.append(code)
            current = previous
        in_chunk = low <= bottom <= low + length - layout.frame_size
        if not self._is_root(plan, raw, bottom, owner, base, shift if in_chunk else 0):
            raise NotSo("root")
        if codes and not self._codes.all_still(list(dict.fromkeys(codes)), _checks):
            raise NotSo("code")
        guess.frames, guess.node, guess.leaves = (), -1, []
        return self._names.stack(self._labelled(guess, tuple(frames)))

    def _in_older(self, plan: Plan, raw: bytearray, current: int) -> tuple[int, int, int, int]:
        """Return the fields of a frame in one of the older chunks of a batch."""
        size = self._layout.frame_size
        for low, end, offset in plan.older:
            if low <= current <= end - size:
                fields: tuple[int, int, int, int] = self._layout.frame(raw, current + offset)
                return fields
        raise NotSo("scattered")


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
