"""Frames that lie outside of the newest chunk: of generators and coroutines, and where C entered
Python.

They are read right after the copy of the chunk that counts. A generator goes on meanwhile where
calls are quick, and what lies on the C stack is there only while Python runs there and is soon
something else. But whoever lies in the chunk, and is alive, has a caller, and it is known who lies
before it there: the one must lead to the other.
"""

from __future__ import annotations

from ..cpython.code import Codes
from ..cpython.layout import RUNS, Layout
from .batch import ReadPlan
from .call_sites import CallSites
from .frames import ON_C_STACK, OWNED_BY_GENERATOR, SENTINEL, Again

_MOST_HOPS = 200
_MOST_KNOWN = 10_000
_SEEN = 32
_ENTRIES = ON_C_STACK, SENTINEL
_OWNERS = OWNED_BY_GENERATOR, *_ENTRIES
_NONE = 0, 0, 0, 0, 0, 0

Link = tuple[int, int, int]
"""Of a chain of frames: address, code object, instruction."""
Frame = tuple[int, int, int, int]
"""(Code object, previous frame, instruction, owner)."""
Reading = tuple[int, int, int, int, int, int]
"""(Code object, previous frame, instruction, stack's top, 3.11: whether C entered there, owner)."""


class Active:
    """A generator that ran."""

    __slots__ = ("caller", "hops", "path", "reading")

    def __init__(self, caller: int, path: dict[int, Frame], reading: Reading) -> None:
        self.caller = caller
        """Number, in a chain, of the frame that it was called by."""
        self.path = path
        """Itself, and the frames elsewhere between it and its caller."""
        self.hops = len(path)
        self.reading = reading


class FramesElsewhere:
    """Those of one process; of one thread at a time."""

    def __init__(self, layout: Layout, codes: Codes, calls: CallSites) -> None:
        self._layout = layout
        self._codes = codes
        self._calls = calls
        self._entries: set[int] = set()
        """Where C has entered Python: addresses on C stacks."""
        self._seen: dict[int, list[int]] = {}
        """Address -> the code objects that were read there lately."""
        self._by_another: dict[int, int] = {}
        """A generator -> the one that it was called by, the last time that it was."""
        self.moved: dict[int, Frame] = {}
        """Those that may have gone on since the copy, as they were at its instant."""
        self.unread = 0
        """One that was not read, 0 for none: if a frame is alive that it leads to, it is, too."""

    def begin(self, plan: ReadPlan, raw: bytearray) -> None:
        """Take what was read of a thread."""
        self._plan, self._raw = plan, raw
        self.moved, self.unread = {}, 0
        if len(self._entries) + len(self._seen) > _MOST_KNOWN:
            self._entries.clear()
            self._seen.clear()
            self._by_another.clear()

    def reading(self, at: int) -> Reading | None:
        """Return what lies at an address; None if it was not read."""
        offset = self._plan.extras.get(at)
        if offset is None:
            return None
        raw = self._raw
        return *self._layout.caller(raw, offset), raw[offset + self._layout.frame_owner]

    def _end(self, link: Link) -> int:
        """Return how much of the newest chunk reaches to the end of a frame; all, if that is
        elsewhere."""
        at = link[0] - self._plan.guess.chunk
        return at + self._codes.room(link[1]) if 0 <= at < self._plan.length else self._plan.length

    def still(self, link: Link) -> bool:
        """Whether the newest chunk is the same in both copies up to the end of a frame."""
        return self._plan.still(self._raw, self._end(link))

    def _behind(self, below: Link) -> int:
        """Return how much of the newest chunk reaches to the end of the head of the frame behind
        one."""
        return self._end(below) + self._layout.frame_flags

    def _sure(self, at: int, size: int) -> bool:
        """Whether a frame elsewhere was read while so much of the newest chunk stood still."""
        return self._plan.near(at) and self._plan.still(self._raw, size)

    def _miss(self, at: int) -> None:
        """Note that a frame was not read, if it lies outside of the newest chunk."""
        low = self._plan.guess.chunk
        if at and not low <= at < low + self._plan.length:
            self.unread = at

    def between(
        self, at: int, below: Link, callee: int, index: dict[int, int], *, in_c: bool
    ) -> tuple[int, bool, list[Link]] | None:
        """Follow the frames elsewhere from the caller of a frame to one of the newest chunk.

        Args:
            at: The caller.
            below: The frame of the newest chunk that lies before it.
            callee: Code object of the frame.
            index: Addresses of the frames of the chunk that it may lead to.
            in_c: The frame that lies before it may be in a call of C.

        Returns:
            The one that they lead to, whether C entered Python there, and those with code,
            outermost first; None if they are not known to lead to one.
        """
        is_entry, calls = self._layout.is_entry > 0, self._calls
        links: list[Link] = []
        entered = False
        for _ in range(_MOST_HOPS):
            reading = self.reading(at)
            if reading is None:
                self._miss(at)
                return None
            if at in self._entries or reading[5] != OWNED_BY_GENERATOR:
                caller = self._entered_from(at, below, callee, index, in_c=in_c)
                if not caller:
                    return None
                entered = True
                self.moved[at] = 0, caller, 0, ON_C_STACK
            else:
                code, caller, instruction = reading[0] & -4, reading[1], reading[2]
                if caller in self._plan.extras:
                    self._by_another[at] = caller
                if not caller or not self._sure(at, self._behind(below)):
                    # It may have gone on meanwhile. From where did it call, and who called it?
                    if not caller:
                        caller = self._by_another.get(at, 0)
                        caller = caller if caller in self._plan.extras else below[0]
                    instruction = calls.site(code, instruction, callee)
                    self.moved[at] = code, caller, instruction, OWNED_BY_GENERATOR
                links.append((at, code, instruction))
                callee = code
                entered = entered or (is_entry and reading[4] != 0)
            if caller in index:
                links.reverse()
                size = self._behind(below)
                if all(self.believed(link[0], size) for link in links):
                    return caller, entered, links
                return None
            at = caller
        return None

    def called(self, at: int, below: Link) -> bool:
        """Whether a frame elsewhere is `believed` that was called by a frame of the chunk."""
        return self.believed(at, self._behind(below))

    def believed(self, at: int, size: int) -> bool:
        """Whether a frame elsewhere was of that generator at the instant.

        It is read some tenths of a µs later. Where generators live no longer than that, another one
        may have its place by then. So where others come and go nothing may have moved.

        Args:
            at: Its address.
            size: So much of the newest chunk leads to it.
        """
        code, caller = (self.reading(at) or _NONE)[:2]
        seen = self._seen.setdefault(at, [])
        seen.append(code)
        del seen[:-_SEEN]
        if seen.count(code) == len(seen):
            return True
        if not self._plan.near(at):
            self.unread = at
        return caller != 0 and self._sure(at, size)

    def active(self, at: int, index: dict[int, int], alive: int) -> Active | None:
        """Return how a generator was when it ran, or had called C; None if it is none that did.

        Args:
            at: Its frame.
            index: Address of a frame of the newest chunk -> its number in a chain.
            alive: Number of the innermost of them that is alive, -1 if it is not known of any.

        Raises:
            Again: it was called by a frame that was not read.
        """
        offset = self._plan.extras[at]
        if self._raw[offset + self._layout.frame_owner] != OWNED_BY_GENERATOR:
            return None
        reading = self.reading(at)
        if reading is None or at in self._entries or not reading[1]:
            return None
        if not (self._layout.clears or reading[3] == RUNS):
            return None
        path: dict[int, Frame] = {at: (*reading[:3], OWNED_BY_GENERATOR)}
        number = self._called_by(reading[1], index, alive, path)
        if number >= 0:
            return Active(number, path, reading)
        if self.unread:
            raise Again
        return None

    def _called_by(self, at: int, index: dict[int, int], alive: int, path: dict[int, Frame]) -> int:
        """Return the number of the frame of a chain that a frame elsewhere leads to, -1 for none;
        add those between to `path`."""
        plan = self._plan
        for _ in range(_MOST_HOPS):
            number = index.get(at)
            if number is not None:
                return number
            reading = self.reading(at)
            if reading is None:
                self._miss(at)
                return -1
            if at not in self._entries:
                if reading[5] not in _OWNERS:
                    return -1  # something else lies there
                path[at] = *reading[:3], reading[5]
                at = reading[1]
            elif reading[5] in _ENTRIES and (reading[1] in index or reading[1] in plan.extras):
                path[at] = 0, reading[1], 0, ON_C_STACK
                at = reading[1]
            else:  # something else lies there by now: it was called by who is there
                number = max(alive, 0)
                for caller, n in index.items():
                    if n == number:
                        path[at] = 0, caller, 0, ON_C_STACK
                        return number
                return -1
        return -1

    def _entered_from(
        self, at: int, below: Link, callee: int, index: dict[int, int], *, in_c: bool
    ) -> int:
        """Return the caller of a frame where C entered Python; 0 if it is not known.

        Args:
            at: The frame.
            below: The frame of the newest chunk that C, or a generator, was called by.
            callee: The code object that was entered.
            index: Addresses of the frames of the chunk that it may lead to.
            in_c: `below` may be in a call of C.
        """
        _, caller, _, _, _, owner = self.reading(at) or _NONE
        # What says that it was called by who is not in C was another call.
        is_this_call = owner in _ENTRIES and (in_c or caller != below[0])
        if is_this_call and (caller in index or caller in self._plan.extras):
            self._entries.add(at)
            return caller
        if at not in self._entries:
            return 0
        # Something else lies there by now. Of quick calls it is known who makes them.
        found = below[0] if in_c and self._calls.calls(below[2], callee) else 0
        for other in self._plan.extras:
            active = self.active(other, {below[0]: 0}, 0)
            if active is not None:
                if found or not self._calls.calls(active.reading[2], callee):
                    return 0
                found = other
        return found
