"""Frames that lie outside of the newest chunk: of generators and coroutines, and where C entered
Python.

They are read right before and right after the copy of the chunk that counts. A generator goes on
meanwhile where calls are quick, and what lies on the C stack is there only while Python runs there
and is soon something else. But whoever lies in the chunk, and is alive, has a caller, and it is
known who lies before it there: the one must lead to the other.
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
    """A generator that ran before or after the copy."""

    __slots__ = ("caller", "hops", "path", "reading", "same", "second")

    def __init__(
        self, caller: int, path: dict[int, Frame], reading: Reading, same: bool, second: bool
    ) -> None:
        self.caller = caller
        """Number, in a chain, of the frame that it was called by."""
        self.path = path
        """Itself, and the frames elsewhere between it and its caller."""
        self.hops = len(path)
        self.reading = reading
        """How it was then."""
        self.same = same
        """It was called by the same one before and after the copy."""
        self.second = second
        """That was after the copy."""


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
        self.moved: dict[int, Frame] = {}
        """Those that were not the same before and after, as they were at the instant."""
        self.unread = 0
        """One that was not read, 0 for none: if a frame is alive that it leads to, it is, too."""

    def begin(self, plan: ReadPlan, raw: bytearray) -> None:
        """Take what was read of a thread."""
        self._plan, self._raw = plan, raw
        self.moved, self.unread = {}, 0
        if len(self._entries) + len(self._seen) > _MOST_KNOWN:
            self._entries.clear()
            self._seen.clear()

    def readings(self, at: int) -> tuple[Reading, Reading] | None:
        """Return what lies at an address, before and after the copy; None if it was not read."""
        plan, raw = self._plan, self._raw
        before = plan.extras.get(at)
        if before is None:
            return None
        after, owner, caller = plan.extras_after[at], self._layout.frame_owner, self._layout.caller
        return (
            (*caller(raw, before), raw[before + owner]),
            (*caller(raw, after), raw[after + owner]),
        )

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
            readings = self.readings(at)
            if readings is None:
                self._miss(at)
                return None
            first, second = readings
            if at in self._entries or not first[5] == second[5] == OWNED_BY_GENERATOR:
                caller = self._entered_from(at, below, callee, index, in_c=in_c)
                if not caller:
                    return None
                entered = True
                self.moved[at] = 0, caller, 0, ON_C_STACK
            else:
                if first[0] != second[0]:
                    return None
                chosen = first
                # It may have gone on meanwhile. From where did it call?
                if not first[1] or (second[1] and calls.calls(second[2], callee)):
                    chosen = second
                code, caller, instruction = chosen[0] & -4, chosen[1], chosen[2]
                if not caller or first[1:3] != second[1:3]:
                    caller = caller or below[0]
                    instruction = calls.site(code, instruction, callee)
                    self.moved[at] = code, caller, instruction, OWNED_BY_GENERATOR
                links.append((at, code, instruction))
                callee = code
                entered = entered or (is_entry and chosen[4] != 0)
            if caller in index:
                links.reverse()
                if all(self.believed(below, link[0]) for link in links):
                    return caller, entered, links
                return None
            at = caller
        return None

    def believed(self, below: Link, at: int) -> bool:
        """Whether a frame elsewhere was of that generator at the instant.

        It is read some tenths of a µs before and after. Where generators live no longer than that,
        both readings may be of another one, that had the same place before, and again after. So
        where others come and go nothing may have moved.

        Args:
            below: The frame of the newest chunk that it was called by.
            at: Its address.
        """
        first, second = self.readings(at) or (_NONE, _NONE)
        seen = self._seen.setdefault(at, [])
        seen += (first[0], second[0])
        del seen[:-_SEEN]
        if seen.count(first[0]) == len(seen):
            return True
        if first[:2] != second[:2] or not first[1]:
            return False
        size = below[0] - self._plan.guess.chunk + self._codes.room(below[1])
        size = min(size + self._layout.frame_flags, self._plan.length)
        return self._plan.still(self._raw, size)

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
        readings = self.readings(at)
        if readings is None or at in self._entries:
            return None
        first, second = readings
        if first[0] != second[0] or second[5] != OWNED_BY_GENERATOR:
            return None
        for reading in (second, first):
            if not reading[1] or not (self._layout.clears or reading[3] == RUNS):
                continue
            path: dict[int, Frame] = {at: (*reading[:3], OWNED_BY_GENERATOR)}
            number = self._called_by(reading[1], index, alive, path)
            if number >= 0:
                same = first[:2] == second[:2]
                return Active(number, path, reading, same, reading == second)
            if self.unread and first[:2] == second[:2]:
                raise Again
            self.unread = 0
        return None

    def _called_by(self, at: int, index: dict[int, int], alive: int, path: dict[int, Frame]) -> int:
        """Return the number of the frame of a chain that a frame elsewhere leads to, -1 for none;
        add those between to `path`."""
        plan = self._plan
        for _ in range(_MOST_HOPS):
            number = index.get(at)
            if number is not None:
                return number
            readings = self.readings(at)
            if readings is None:
                self._miss(at)
                return -1
            if at in self._entries:
                for reading in readings:
                    if reading[5] in _ENTRIES and (
                        reading[1] in index or reading[1] in plan.extras
                    ):
                        path[at] = 0, reading[1], 0, ON_C_STACK
                        at = reading[1]
                        break
                else:  # something else lies there by now: it was called by who is there
                    number = max(alive, 0)
                    for caller, n in index.items():
                        if n == number:
                            path[at] = 0, caller, 0, ON_C_STACK
                            return number
                    return -1
            else:
                chosen = readings[1] if readings[1][1] else readings[0]
                if chosen[5] not in _OWNERS:
                    return -1  # something else lies there
                path[at] = *chosen[:3], chosen[5]
                at = chosen[1]
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
        for reading in self.readings(at) or ():
            if reading[1] == below[0] and not in_c:
                continue  # that was another call
            if reading[5] in _ENTRIES and (reading[1] in index or reading[1] in self._plan.extras):
                self._entries.add(at)
                return reading[1]
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
