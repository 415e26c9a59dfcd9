"""One thread under a profiler in C whose clock is memory: RSS and the thread's page faults.

`_lsprof` adds up what its clock says between entry and exit of every function. Ours says pages of
RSS and, in the lower bits, faults of the thread: the sums are taken apart again. The clock is made
of iterators in C: no Python code runs, nothing lets go of the GIL, and nothing it does can raise.

Functions in which the thread is already are entered by us before the profiler is set, and what
is still open afterwards is left by us: so all that the thread gained is somebody's.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from perftui.probes.agent.growth import thread_states

FAULT_BITS = 24
"""Of a burst: 64 GB. With pages of RSS above them a sum of 2 TB still is exact in a double."""
WITHIN_CODE = ("<listcomp>", "<dictcomp>", "<setcomp>")
"""Code of the function around it, as from 3.12 on."""
ENTERS = 0
"""PyTrace_CALL."""
TEXT_BYTES = 64
STAT_BYTES = 1024
MOST_ROUNDS = 64
"""In which what libraries gained is handed up to those who called them."""


class MemoryClock:
    """Reads RSS and page faults without letting go of the GIL.

    Args:
        states: `thread_states.ThreadStates`.
        resource: The module of that name.
        statm: Descriptor of /proc/self/statm.
    """

    def __init__(self, states: "thread_states.ThreadStates", resource: "Any", statm: int) -> None:
        self._states = states
        self._usage = resource.getrusage
        self._who = resource.RUSAGE_THREAD
        self._statm = statm
        self._text = bytearray(b"0 0 ".ljust(TEXT_BYTES, b"\0"))
        self._text_at = states.address_of(self._text)
        self._stat = bytearray(STAT_BYTES)
        self._stat_at = states.address_of(self._stat)

    def pages(self) -> int:
        """Return the pages of RSS."""
        self._states.pread(self._statm, self._text_at, TEXT_BYTES, 0)
        return int(self._text.split(None, 2)[1])

    def faults(self, fd: int) -> "int | None":
        """Return the page faults of a thread, by its `stat`; None once it has ended."""
        read = self._states.pread(fd, self._stat_at, STAT_BYTES, 0)
        fields = self._stat[: max(read, 0)].rpartition(b") ")[2].split()
        return int(fields[7]) if len(fields) > 7 else None

    def clock(
        self, first: int, times: int, closed: "list[int]", last: "list[int]"
    ) -> "Callable[[], int]":
        """Return the clock of a thread: `first` so often, then what is read there, and once
        there is something in `closed` what is in `last`."""
        tools, operator = self._states.tools, self._states.operator
        always = tools.repeat
        offsets = iter(closed.__len__, 1)  # 0 until it is closed
        read = map(
            self._states.pread,
            always(self._statm),
            always(self._text_at),
            always(TEXT_BYTES),
            offsets,
        )
        # So many bytes are more than there are words; -1, for a failure, is without a limit.
        words = map(bytearray.split, always(self._text), always(None), read)
        pages = map(int, map(operator.itemgetter(1), words))
        usage = map(self._usage, always(self._who))
        faults = map(operator.itemgetter(6), usage)  # ru_minflt
        now = map(operator.add, map(operator.lshift, pages, always(FAULT_BITS)), faults)
        end = map(last.__getitem__, always(0))
        clock: "Any" = tools.chain(always(first, times), now, end)
        return clock.__next__  # type: ignore[no-any-return]


class Profiled:
    """A thread that is measured; see the module.

    Args:
        states: `thread_states.ThreadStates`.
        memory: Reads it.
        ident: The thread's.
        tid: The system's number of it.
    """

    def __init__(
        self, states: "thread_states.ThreadStates", memory: MemoryClock, ident: int, tid: int
    ) -> None:
        self._states = states
        self._memory = memory
        self.ident = ident
        self._stat = "/proc/self/task/%d/stat" % tid
        self._closed: "list[int]" = []
        self._last: "list[int]" = []
        self._first = 0
        self.profiler: "Any" = None
        self.address = 0
        self.entered: "dict[CodeType, int]" = {}
        """Calls that had begun before."""

    def begin(self, frames: "Callable[[], dict[int, Any]]") -> "str | None":
        """Measure from now on; returns why it cannot be, None if it moved on meanwhile."""
        fd = posix.open(self._stat, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            known = self._states.seen().get(self.ident, [])
            if len(known) != 1:
                return None
            self.address, text = known[0]
            if not self._states.is_free(text):
                return "it has a profiler or a tracer"
            stack = stack_of(frames().get(self.ident))
            faults = self._memory.faults(fd)
            if not stack or faults is None:
                return None
            self._first = (self._memory.pages() << FAULT_BITS) + faults
            clock = self._memory.clock(self._first, len(stack), self._closed, self._last)
            self.profiler = profilers_of(self._states)(clock, 1.0, True, False)
            for frame in reversed(stack):
                self._states.enter(self.profiler, frame, ENTERS, 0)
                self.entered[frame.f_code] = self.entered.get(frame.f_code, 0) + 1
            if not self._states.begin(self.address, text, self.profiler):
                return None
            if same(stack, stack_of(frames().get(self.ident))):
                return ""
            self._states.end([self.profiler])
            return None
        finally:
            posix.close(fd)

    def end(self) -> "bool | None":
        """Measure no more; False if the thread has ended, None if what was met is worth nothing."""
        try:
            fd = posix.open(self._stat, posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            fd = -1
        try:
            there = self._text()
            ours = there is not None and self._states.has(there, self.profiler)
            self._states.end([self.profiler])
            faults = self._memory.faults(fd)
            self._last.append((self._memory.pages() << FAULT_BITS) + (faults or 0))
        finally:
            if fd >= 0:
                posix.close(fd)
        if there is None:
            return False
        return True if ours and faults is not None else None

    def is_busy(self) -> bool:
        """Tell whether the thread is within the profiler just now."""
        text = self._text()
        return text is not None and self._states.is_busy(text)

    def _text(self) -> "bytes | None":
        known = dict(self._states.seen().get(self.ident, []))
        return known.get(self.address)

    def stats(self, *, ended: bool) -> "list[Any] | None":
        """Return what the profiler has summed up, of a thread that is not in it any more; None
        if that is not all that the thread gained."""
        if not ended:
            self._closed.append(1)
            self.profiler.disable()  # leaves what is still open; of threads, ours has none
        found: "list[Any]" = self.profiler.getstats()
        gained = sum([round(each.inlinetime) for each in found])
        if not ended and gained != self._last[0] - self._first:
            return None
        return found


_left: "list[Any]" = []
"""Profilers that a thread may still be in: they are never freed."""
_kinds: "list[Any]" = []


def never_free(profiled: Profiled) -> None:
    """Keep what a thread is still in."""
    _left.append(profiled)


def leave_this_thread() -> None:
    """Take a profiler of ours from the calling thread."""
    if _kinds and type(sys.getprofile()) is _kinds[0]:
        sys.setprofile(None)


def profilers_of(states: "thread_states.ThreadStates") -> "Any":
    """Return our kind of profiler.

    A program that asks for its profile function meets it, and may set it again later.
    """
    if not _kinds:

        def stale(self: "Any", frame: "Any", event: str, arg: object) -> None:
            sys.setprofile(None)

        _kinds.append(type("Profiler", (states.lsprof.Profiler,), {"__call__": stale}))
    return _kinds[0]


def stack_of(frame: "Any") -> "list[Any]":
    """Return the frames of a thread, the innermost first."""
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def same(one: "list[Any]", other: "list[Any]") -> bool:
    """Tell whether two stacks are of the very same frames."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other))


def split(said: float) -> "tuple[int, int]":
    """Return pages of RSS and page faults of what a clock said."""
    both = round(said)
    return both >> FAULT_BITS, both & ((1 << FAULT_BITS) - 1)


def own_gains(
    stats: "list[Any]", is_own: "Callable[[Any], bool]"
) -> "dict[Any, tuple[int, int, int]]":
    """Return (calls, pages of RSS, page faults) of the program's functions.

    What a library gained is its callers': all that it gained in a call of a function of the
    program's, but for what functions of the program's gained that it called in turn. Where several
    call such a library, what it gained itself is given to them by the page faults in it.

    Args:
        stats: Of `_lsprof`, whose clock says both.
        is_own: Tells whether a code is the program's.
    """
    entries = {each.code: each for each in stats}
    own = {code for code in entries if is_own(code)}
    below = {
        code: [sub for sub in each.calls or () if sub.code in entries]
        for code, each in entries.items()
    }
    callers: "dict[Any, list[tuple[Any, Any]]]" = {}
    for code, subs in below.items():
        for sub in subs:
            callers.setdefault(sub.code, []).append((code, sub))
    mixed: "set[Any]" = set()
    """Libraries that call back."""
    more = list(own)
    while more:
        for code, _ in callers.get(more.pop(), ()):
            if code not in own and code not in mixed:
                mixed.add(code)
                more.append(code)
    sums = {code: list(split(entries[code].inlinetime)) for code in (*own, *mixed)}
    for code, sum_ in sums.items():
        for sub in below[code]:
            if sub.code not in sums:
                add(sum_, split(sub.totaltime))
    hands = {code: sums[code] for code in mixed}
    for _ in range(MOST_ROUNDS):
        now, hands = hands, {}
        for code, sum_ in now.items():
            for caller, part in shared_out(sum_, callers.get(code, [])):
                add(sums[caller] if caller in own else hands.setdefault(caller, [0, 0]), part)
        if not hands:
            break
    return {code: (entries[code].callcount, sums[code][0], sums[code][1]) for code in own}


def add(sum_: "list[int]", part: "tuple[int, int]") -> None:
    """Add pages and faults to a sum."""
    sum_[0] += part[0]
    sum_[1] += part[1]


def shared_out(
    sum_: "list[int]", callers: "list[tuple[Any, Any]]"
) -> "list[tuple[Any, tuple[int, int]]]":
    """Return what each caller of a library is given of what that gained."""
    if not any(sum_):
        return []
    weights = [split(sub.totaltime)[1] + 1e-6 * sub.callcount + 1e-9 for _, sub in callers]
    whole, left, found = sum(weights), list(sum_), []
    for (caller, _), weight in zip(callers[1:], weights[1:]):
        part = int(sum_[0] * weight / whole), int(sum_[1] * weight / whole)
        add(left, (-part[0], -part[1]))
        found.append((caller, part))
    return [*found, *[(caller, (left[0], left[1])) for caller, _ in callers[:1]]]
