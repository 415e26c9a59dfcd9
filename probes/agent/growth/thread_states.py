"""Sets a profile function in C on other threads, on Python 3.9 to 3.11, and takes it back.

`sys.setprofile` reaches the thread that calls it. CPython has a function for others,
`_PyEval_SetProfile`, but before 3.12 no way to it from Python: it is called by `_ctypes`. What is
set is the profiler in C of the standard library (`_lsprof`): no Python code of ours runs in the
program's threads, so no signal's exception can get lost in it, and locals are not copied.

    tstate: ... tracing ... c_profilefunc  c_tracefunc  c_profileobj  c_traceobj ... thread_id

Where these are is found out at our own thread each time, by what changes when a profiler and a
tracer are set there; if anything is not as it is known to be, nothing is done (`Unfit`).

A thread state may be freed whenever the GIL changes hands, so none is touched by a pointer from
before: threads are walked, compared and set in one go, in chains of iterators written in C,
between which no Python code runs. A collection of garbage could run some: it is off meanwhile.
"""

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

WORD = 8
SEEN_BYTES = 192
"""Of a thread state: less than it has in any of these versions (264 at least)."""
HOLDS_GIL = 1 | 4
"""FUNCFLAG_CDECL | FUNCFLAG_PYTHONAPI: the GIL is held while such a function is called."""
RTLD_NOW = 2
PROGRAMS_OWN = "the program has a profiler or a tracer of its own"
AUDITED = "the program has audit hooks"


class Unfit(Exception):
    """It cannot be done here; says why."""


def why_not() -> str:
    """Return why other threads cannot be profiled in this process, "" where it may be tried."""
    if sys.implementation.name != "cpython" or not (3, 9) <= sys.version_info[:2] <= (3, 11):
        return "no profile function is set on threads of this Python"
    if sys.platform != "linux" or sys.maxsize != (1 << 63) - 1:
        return "no profile function is set on threads of this system"
    if hasattr(sys, "gettotalrefcount"):
        return "no profile function is set in a debug build of Python"
    if has_greenlets():
        return "greenlets change stacks under a profile function"
    if "_xxsubinterpreters" in sys.modules:
        return "the program has other interpreters"
    return AUDITED if audited() else ""


def audited() -> bool:
    """Tell whether there are audit hooks: they run whenever a profile function is set."""
    try:
        sys.audit(None)  # type: ignore[arg-type]  # looked at only if there is a hook
    except TypeError:
        return True
    return False


def has_greenlets() -> bool:
    """Tell whether some thread has used greenlets; importing them is not using them."""
    module = sys.modules.get("greenlet._greenlet")
    count: "Any" = getattr(module, "get_total_main_greenlets", None)
    if type(count) is type(sys.exit):
        return bool(count())
    return "greenlet" in sys.modules  # older than 2.0


class ThreadStates:
    """The threads of this interpreter.

    Args:
        load: Returns a module of the interpreter's by its name.

    Raises:
        Unfit: Something is not as it is known to be.
    """

    def __init__(self, load: "Callable[[str], Any]") -> None:
        try:
            ctypes, self.lsprof = load("_ctypes"), load("_lsprof")
            self._gc, self.tools, self.operator = load("gc"), load("itertools"), load("_operator")
            self._consume = load("_collections").deque
            self._bind(ctypes)
        except (AttributeError, ImportError, OSError) as error:
            raise Unfit("not to be had: " + str(error)[:100]) from None
        self._learn()

    def _bind(self, ctypes: "Any") -> None:
        simple = vars(ctypes)["_SimpleCData"]
        pointer, number, long, object_ = (
            type("_" + letter, (simple,), {"_type_": letter}) for letter in "PilO"
        )
        program = ctypes.dlopen(None, RTLD_NOW)

        def function(where: "Any", returns: "Any", *takes: "Any") -> "Any":
            known = {"_flags_": HOLDS_GIL, "_restype_": returns, "_argtypes_": takes}
            if type(where) is str:
                where = ctypes.dlsym(program, where)
            return type("_Function", (ctypes.CFuncPtr,), known)(where)

        self._current = function("PyThreadState_Get", pointer)
        self._interpreter = function("PyThreadState_GetInterpreter", pointer, pointer)
        self._head = function("PyInterpreterState_ThreadHead", pointer, pointer)
        # The second argument, that of `accumulate`, is one too many: it is not looked at.
        self._next = function("PyThreadState_Next", pointer, pointer, pointer)
        self._bytes = function("PyBytes_FromStringAndSize", object_, pointer, long)
        self._set = function("_PyEval_SetProfile", number, pointer, pointer, pointer)
        # As profile functions are called: what was given, the frame, what happens, to what.
        self._profile_function = (number, object_, object_, number, pointer)
        self._function_at = function
        self.pread = function("pread", long, number, pointer, long, long)
        self.address_of = function("PyByteArray_AsString", pointer, object_)

    def _learn(self) -> None:
        """Find out where in a thread state is what, at that of our own thread."""
        if sys.getprofile() is not None or sys.gettrace() is not None:
            raise Unfit(PROGRAMS_OWN)
        me = self._current()
        within: "list[bytes]" = []
        profiler = self.lsprof.Profiler(None, 0.0, False, False)
        before = self._bytes(me, SEEN_BYTES)
        profiler.enable()
        profiled = self._bytes(me, SEEN_BYTES)
        profiler.disable()
        after = self._bytes(me, SEEN_BYTES)

        def tracer(frame: "Any", event: str, arg: object) -> None:
            within.append(self._bytes(me, SEEN_BYTES))

        def traced() -> None:
            pass

        sys.settrace(tracer)
        try:
            set_ = self._bytes(me, SEEN_BYTES)
            traced()
        finally:
            sys.settrace(None)
        starts = [
            at
            for at in range(0, SEEN_BYTES - 4 * WORD + 1, WORD)
            if word(profiled, at + 2 * WORD) == id(profiler)
        ]
        idents = [at for at in range(0, SEEN_BYTES, WORD) if word(before, at) == get_ident()]
        if len(starts) != 1 or len(idents) != 1 or len(within) != 1:
            raise Unfit("threads of this build are not as they are known")
        start = starts[0]
        slots = slice(start, start + 4 * WORD)
        if any(before[slots]):  # set in C, with nothing that Python would tell: memray
            raise Unfit(PROGRAMS_OWN)
        right = (
            not any(before[slots])
            and not any(after[slots])
            and word(profiled, start) > 0
            and not word(profiled, start + WORD)
            and not word(profiled, start + 3 * WORD)
            and word(set_, start + WORD) > 0
            and word(set_, start + 3 * WORD) == id(tracer)
        )
        # Only while a profile or trace function runs it is not 0.
        busy = [
            at
            for at in range(0, start, 4)
            if (short(before, at), short(set_, at), short(within[0], at)) == (0, 0, 1)
        ]
        if not right or len(busy) != 1:
            raise Unfit("threads of this build are not as they are known")
        self._function = word(profiled, start)
        self.enter = self._function_at(self._function, *self._profile_function)
        item = self.operator.itemgetter
        self._ident_of = item(slice(idents[0], idents[0] + WORD))
        self._state_of = item(
            slice(idents[0], idents[0] + WORD), slots, slice(busy[0], busy[0] + 4)
        )
        self._profiler_of = item(slice(start + 2 * WORD, start + 3 * WORD))
        self._busy_of = item(slice(busy[0], busy[0] + 4))

    # --- one walk, in C from end to end -------------------------------------------------------

    def _walk(self) -> "tuple[Iterator[int], ...]":
        """Return three iterators over the addresses of all threads, for one walk."""
        tools = self.tools
        # The first one, too, may be freed before the walk begins: it is asked for as that does.
        first = map(self._head, (self._interpreter(self._current()),))
        states = tools.takewhile(
            self.operator.truth,
            tools.accumulate(tools.chain(first, tools.repeat(0)), self._next),
        )
        three: "tuple[Iterator[int], ...]" = tools.tee(states, 3)
        return three

    def _at_once(self, steps: "Iterable[Any]") -> None:
        """Go through an iterator in C, with no collection of garbage meanwhile."""
        tools, gc = self.tools, self._gc
        was: "list[bool]" = []
        once = [()]
        on = tools.compress(once, was)
        try:
            self._consume(
                tools.chain(
                    map(was.append, tools.starmap(gc.isenabled, once)),
                    tools.starmap(gc.disable, once),
                    steps,
                    tools.starmap(gc.enable, on),
                ),
                0,
            )
        except BaseException:
            if was and was[0]:
                gc.enable()
            raise

    def seen(self) -> "dict[int, list[tuple[int, bytes]]]":
        """Return address and bytes of thread states by ident: two of one that is just starting."""
        kept: "list[tuple[int, bytes]]" = []
        self._at_once(map(kept.append, self._pairs()))
        found: "dict[int, list[tuple[int, bytes]]]" = {}
        for address, text in kept:
            ident = int.from_bytes(self._ident_of(text), sys.byteorder)
            found.setdefault(ident, []).append((address, text))
        return found

    def _pairs(self) -> "Iterator[Any]":
        first, second, _ = self._walk()
        return zip(first, map(self._bytes, second, self.tools.repeat(SEEN_BYTES)))

    def is_free(self, text: bytes) -> bool:
        """Tell whether a thread has neither profiler nor tracer."""
        _, slots, busy = self._state_of(text)
        return not any(slots) and not any(busy)

    def begin(self, address: int, text: bytes, profiler: "Any") -> bool:
        """Set a profiler on a thread, if that is still as it was seen; False if it is not."""
        tools = self.tools
        wanted = {(address, self._state_of(text)): 1}
        first, second, third = self._walk()
        texts = map(self._bytes, second, tools.repeat(SEEN_BYTES))
        chosen = tools.compress(
            first, map(wanted.get, zip(third, map(self._state_of, texts)), tools.repeat(0))
        )
        done: "list[int]" = []
        each = map(self._set, chosen, tools.repeat(self._function), tools.repeat(id(profiler)))
        self._at_once(map(done.append, each))
        return done == [0]

    def end(self, profilers: "list[Any]") -> None:
        """Take profilers from the threads that still have them; twice is fine."""
        tools = self.tools
        wanted = {id(each).to_bytes(WORD, sys.byteorder): 1 for each in profilers}
        first, second, _ = self._walk()
        texts = map(self._bytes, second, tools.repeat(SEEN_BYTES))
        chosen = tools.compress(
            first, map(wanted.get, map(self._profiler_of, texts), tools.repeat(0))
        )
        self._at_once(map(self._set, chosen, tools.repeat(0), tools.repeat(0)))

    def is_busy(self, text: bytes) -> bool:
        """Tell whether a thread is within a profile function just now."""
        return any(self._busy_of(text))

    def has(self, text: bytes, profiler: "Any") -> bool:
        """Tell whether a thread has this profiler."""
        return bool(word(self._profiler_of(text), 0) == id(profiler))


def word(text: bytes, at: int) -> int:
    """Return the pointer at a place."""
    return int.from_bytes(text[at : at + WORD], sys.byteorder)


def short(text: bytes, at: int) -> int:
    """Return the int of C at a place."""
    return int.from_bytes(text[at : at + 4], sys.byteorder)
