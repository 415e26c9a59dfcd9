"""Which frame was the innermost at the instant of the first copy of the newest chunk?

Frames lie in a chunk one behind the other, each callee right behind its caller, and what they leave
behind lies there until the next one comes. Which of them are alive they say themselves:

* 3.11 to 3.13: the top of a frame's stack is in a register of the CPU while it runs, or is in a
  call of C; it is in the frame when it has called another frame, and when it has returned. So a
  frame that runs is alive, and so is all that it was called by; of what lies behind it nothing is,
  but for what C has called.
* 3.14 and later: a frame that is no more has no code object.

So one copy of a chunk tells it, which is of one instant: nothing has to hold still. It is read
before all else, see `Batches.plan`.

Where a frame of 3.11 to 3.13 has called, and the one behind it does not say that it runs (for some
ten nanoseconds: it begins, or has returned), it is believed unless it stands at its return.
"""

from __future__ import annotations

import struct

from ..cpython.code import Codes
from ..cpython.layout import RUNS, Layout
from ..cpython.objects import NotSo
from .batch import ReadPlan
from .call_sites import CallSites
from .elsewhere import Active, Frame, FramesElsewhere, Link
from .frames import CHUNK_HEAD, OWNED_BY_GENERATOR, Again

_NO_PLACE = -1, 0
_NO_LINKS: list[Link] = []
_word = struct.Struct("<Q").unpack_from


class Innermost:
    """Of all threads of one process."""

    def __init__(self, layout: Layout, codes: Codes) -> None:
        self._layout = layout
        self._codes = codes
        self._calls = CallSites(codes)
        self._elsewhere = FramesElsewhere(layout, codes, self._calls)
        self.learn = self._calls.learn
        self.believed = self._elsewhere.believed
        self.certain = False
        """The frame that was found last is known to be the innermost one by itself."""
        self.likely = False
        """It is one of some generators that hand on to each other, and did so until it was read:
        at the instant it may have been another one of them."""
        self.stood = 0, 0
        """Of the last stack, a frame of the newest chunk and the instruction that it stood at, if
        that is not what the copy says: it has gone on with a generator since."""

    @property
    def moved(self) -> dict[int, Frame]:
        """Frames elsewhere that may have gone on since, as they were at the instant."""
        return self._elsewhere.moved

    @property
    def unread(self) -> int:
        """A frame elsewhere that is alive, and is to be read along; 0 for none."""
        return self._elsewhere.unread

    def find(self, plan: ReadPlan, raw: bytearray, pointer: int, start: int) -> int:
        """Return the address of the innermost frame, 0 if there is none.

        Args:
            plan: What `raw` holds.
            raw: The bytes of one thread.
            pointer: The current frame as the thread state says, 0 for none, -1 if it is not known.
            start: A frame of the newest chunk that is as it was when it was alive, 0 if none is.

        Raises:
            Again: it cannot be told; `unread` is what it takes.
        """
        self._elsewhere.begin(plan, raw)
        self.certain, self.likely, self.stood = False, False, (0, 0)
        chain, running = self._chain(plan, raw, start)
        if start and running < 0 and not self._layout.clears:
            chain, running = self._chain(plan, raw, 0)  # an exception may have ended it as it was
        alive = len(chain) - 1 if self._layout.clears else running
        self._elsewhere.unread = 0
        if plan.extras:
            generator = self._generator(plan, raw, chain, alive)
            if generator:
                self.certain = True
                return generator
        self.certain = 0 <= alive == len(chain) - 1
        if self.certain:
            last = chain[alive]
            if not self._codes.resumes_inline(last[2]):
                return last[0]
            self.certain = False  # which generator it is in may be known the next time
            return self._gone_on_with(plan, last) or last[0]
        if alive < 0 and not pointer:
            return 0
        if not chain or (alive < 0 and pointer < 0):
            raise Again  # there may be none
        return self._by_calls(plan, chain, alive)

    def _chain(self, plan: ReadPlan, raw: bytearray, at: int) -> tuple[list[Link], int]:
        """Return the frames that follow each other from the frame at `at` on, and those elsewhere
        that lie between them, outermost first; and which of them is the last that runs, -1 if none
        says that it does.

        Raises:
            Again: one that is alive has a caller elsewhere that is not known, or lies further on
                than was read.
        """
        layout, codes, elsewhere = self._layout, self._codes, self._elsewhere
        low = plan.guess.chunk
        high, shift = low + plan.length - layout.frame_flags, plan.copy - low
        caller, clears, is_entry = layout.caller, layout.clears, layout.is_entry > 0
        places = codes.places
        at = at or low + CHUNK_HEAD + (0 if _word(raw, plan.copy)[0] else 8)
        chain: list[Link] = []
        unread = below = 0
        running, runs = -1, False
        without: tuple[list[Link], int] | None = None
        while at <= high:
            code, previous, instruction, top, mark = caller(raw, at + shift)
            code &= -4  # 3.14+: tag bits of the reference
            if not code:
                break
            entered, links, ended = is_entry and mark != 0, _NO_LINKS, 0
            if below and previous != below:
                elsewhere.unread = 0
                index = {link[0]: number for number, link in enumerate(chain)}
                if previous in index:
                    ended = previous
                elif low <= previous <= high or not previous:
                    break
                else:
                    hops = None
                    if not unread:
                        hops = elsewhere.between(
                            previous, chain[-1], code, index, in_c=runs or clears
                        )
                    if hops is None:
                        unread, entered = unread or elsewhere.unread or -1, True
                    else:
                        ended, entered, links = hops[0], entered or hops[1], hops[2]
            if runs and not entered:
                break  # its caller runs itself: what is behind that is no more
            if places.get(instruction, _NO_PLACE)[0] != code:
                try:
                    codes.frame_id(code, instruction)
                except (NotSo, OSError, struct.error):
                    break
                places = codes.places
            runs = top == RUNS
            known = codes.get(code)
            if known is None or (known.makes_generator and not runs):
                break  # it has become a generator's, and lies elsewhere
            if known.shown and not (runs or clears) and instruction <= known.start:
                break  # it was made, and has not begun: who its caller is may be left from before
            if not unread:
                if ended not in (0, below):
                    # Who lies before it has returned, and is being cleared: a `__del__` runs.
                    without = without or (list(chain), running)
                    del chain[index[ended] + 1 :]
                chain += links
                if runs:
                    running, without = len(chain), None
                chain.append((at, code, instruction))
            elif clears or runs:
                elsewhere.unread = unread if unread > 0 else 0
                raise Again
            below = at
            at += known.room
        if at > high and (plan.guess.length > plan.length or not (clears or runs)):
            raise Again  # more of the chunk is used than was read
        if without is not None and not clears:
            chain, running = without
        return chain, running

    def _generator(self, plan: ReadPlan, raw: bytearray, chain: list[Link], alive: int) -> int:
        """Return the frame of the innermost generator if it is the innermost frame of all, else 0.

        Args:
            plan: What `raw` holds.
            raw: The bytes of one thread.
            chain: Frames of which those up to `alive` are so.
            alive: -1 if it is not known of any.

        Raises:
            Again: one was called by a frame that was not read.
        """
        index = {link[0]: number for number, link in enumerate(chain)}
        found, furthest = 0, (alive, 0)
        for at in plan.extras:
            if at in index:
                continue
            active = self._elsewhere.active(at, index, alive)
            if active is None or (active.caller, active.hops) <= furthest:
                continue
            caller = chain[active.caller]
            site = self._site(plan, raw, caller, at, active, active.caller != alive)
            if site:
                found, furthest = at, (active.caller, active.hops)
                path, self.stood = active.path, (caller[0], site)
        if found:
            self._elsewhere.moved.update(path)
            self._doubt(path[found][0], chain[furthest[0]])
        return found

    def _doubt(self, code: int, caller: Link) -> None:
        """Note that it may have been another generator if it is one of those that hand on to each
        other, and their caller has not stood still."""
        if code & -4 in self._calls.hand_on:
            self.likely = not self._elsewhere.still(caller)

    def _site(
        self, plan: ReadPlan, raw: bytearray, caller: Link, at: int, active: Active, called: bool
    ) -> int:
        """Return where a frame stands that is in a generator, which ran right after the copy that
        counts; 0 if it is not in it.

        Args:
            plan: What `raw` holds.
            raw: The bytes of one thread.
            caller: The frame: of those in the newest chunk the innermost that is alive.
            at: The generator's frame.
            active: How that was when it ran.
            called: The frame says that it has called another one of Python (3.11 to 3.13).

        Raises:
            Again: in one, but it cannot be told in which.
        """
        layout = self._layout
        if called and layout.is_entry:
            return 0  # 3.11: C goes on with generators
        code, site = active.reading[0] & -4, caller[2]
        pointer = plan.pointer(raw, layout)
        believed = self._elsewhere.called(at, caller)
        if not self._calls.goes_on(site, code) and not self._elsewhere.still(caller):
            # Another frame may have been there when the generator ran. If not, this one went on to
            # it since, and what is told is how it stood then.
            site = self._calls.site(caller[1], site, code)
            if (
                site == caller[2]
                or pointer not in (caller[0], at)
                or not self._stays(plan, raw, caller)
            ):
                return 0
        if not believed:
            raise Again
        if not called:
            # 3.12, 3.13: who is in one has called it, without C, or by way of C.
            if not (layout.clears or layout.is_entry or active.hops > 1):
                return 0
            if layout.clears and pointer == caller[0]:
                return 0
        return site

    def _stays(self, plan: ReadPlan, raw: bytearray, link: Link) -> bool:
        """Whether a frame of the newest chunk is the same one in both copies."""
        at, caller = link[0] - plan.guess.chunk, self._layout.caller
        if not 0 <= at < plan.length:
            return False
        return bool(caller(raw, plan.copy + at)[:2] == caller(raw, plan.after + at)[:2])

    def _by_calls(self, plan: ReadPlan, chain: list[Link], alive: int) -> int:
        """Return the last frame of a chain that is alive, by where its frames stand.

        Args:
            plan: What was read.
            chain: Frames that may be alive.
            alive: Which of them is the last that is known to be, -1: the first one must be.

        Raises:
            Again: it is in a generator, but it cannot be told in which.
        """
        returns, goes_on = self._codes.returns, self._calls.goes_on
        at = max(alive, 0)
        for link in chain[at + 1 :]:
            if link[2] in returns:
                break
            # Of a frame that runs, or has called C, what lies behind it may be left from before.
            if at == alive and not goes_on(chain[at][2], link[1]):
                break
            at += 1
        last = chain[at]
        # If it has called somebody, and nobody is there, it is in a generator.
        return (self._gone_on_with(plan, last) if at != alive else 0) or last[0]

    def _gone_on_with(self, plan: ReadPlan, caller: Link) -> int:
        """Return the generator that a frame was in, without a call of C in between; 0 if it is not
        known which.

        It may have given back control since, so one that runs is only the likelier one.

        Raises:
            Again: it is known, but not for sure.
        """
        likely = 0
        for at in plan.extras:
            reading = self._elsewhere.reading(at)
            if reading is None or reading[5] != OWNED_BY_GENERATOR:
                continue
            code = reading[0] & -4
            if reading[1] == caller[0] and self._calls.goes_on(caller[2], code):
                likely = at
                break
            if not likely and self._calls.calls(caller[2], code):
                likely = at
        if not likely:
            return 0
        if not self._elsewhere.called(likely, caller):
            raise Again
        reading = self._elsewhere.reading(likely)
        assert reading is not None
        self._doubt(reading[0], caller)
        self._elsewhere.moved[likely] = reading[0], caller[0], reading[2], OWNED_BY_GENERATOR
        return likely
