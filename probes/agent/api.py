"""What a program may say to the profiler: `phase`, `call`, `count`, `mark`, `plan`, `watch`.

`perftui` exports these. Without a running agent every one of them does nothing, nearly for free,
and a decorated function is the function itself; while `perftui.measure` measures a block, it
listens (`listen`). Where a program's interpreter lacks perftui, the agent loads this very file as
`perftui`. Standard library only, Python 3.9 on.
"""

import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Any, TypeVar

    T = TypeVar("T")
    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["call", "count", "mark", "phase", "plan", "watch"]

_PROTOCOL = 1
_TELL_NS = 50_000_000
"""How the consumer took its time is told with the next item, if that comes so soon."""
_COROUTINE, _GENERATOR = 0x80, 0x20  # code flags, as `inspect` names them

_runtime = sys.modules.get("_perftui_agent")
_agent: "Any" = (
    _runtime.agent if _runtime and getattr(_runtime, "PROTOCOL", 0) == _PROTOCOL else None
)
_launched = _agent is not None and not getattr(_agent, "came_late", False)
"""An agent that came late leaves again, and then nobody listens."""


def listen(agent: "Any") -> bool:
    """Let `agent` hear what this process says from now on, None for nobody.

    False where perftui has launched this process: then that agent alone listens, for good.
    """
    global _agent
    if not _launched:
        _agent = agent
    return not _launched


def is_launched() -> bool:
    """Tell whether perftui has launched this process and watches it from outside."""
    return _launched


class _Span:
    """Something with a beginning and an end, as a context manager and as a decorator.

    One object may be entered again while it is open, in the same thread or another one.
    """

    __slots__ = ("_agent", "_name", "_open")

    def __init__(self, name: str, agent: "Any") -> None:
        self._name = name
        self._agent = agent  # who heard the beginning hears the end
        self._open: "list[tuple[int, Any]]" = []

    def _begin(self) -> "Any":
        raise NotImplementedError

    def _end(self, token: "Any", ok: bool) -> None:
        raise NotImplementedError

    def __enter__(self) -> "_Span":
        self._open.append((get_ident(), self._begin()))
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        thread = get_ident()
        opened = self._open
        index = len(opened) - 1
        while index >= 0:
            if opened[index][0] == thread:
                self._end(opened.pop(index)[1], kind is None)
                return
            index -= 1
        if opened:  # left in another thread than entered
            self._end(opened.pop()[1], kind is None)

    def __call__(self, function: "F") -> "F":
        """Measure every call of `function`; of coroutines and generators, until they end."""
        begin, end = self._begin, self._end
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        wrapper: "Any"
        if flags & _COROUTINE:

            async def coroutine(*args: "Any", **kwargs: "Any") -> "Any":
                ok, token = False, begin()
                try:
                    result = await function(*args, **kwargs)
                    ok = True
                    return result
                finally:
                    end(token, ok)

            wrapper = coroutine
        elif flags & _GENERATOR:

            def generator(*args: "Any", **kwargs: "Any") -> "Any":
                ok, token = False, begin()
                try:
                    result = yield from function(*args, **kwargs)
                    ok = True
                    return result
                finally:
                    end(token, ok)

            wrapper = generator
        else:

            def plain(*args: "Any", **kwargs: "Any") -> "Any":
                ok, token = False, begin()
                try:
                    result = function(*args, **kwargs)
                    ok = True
                    return result
                finally:
                    end(token, ok)

            wrapper = plain

        return _dressed_as(function, wrapper)


def _dressed_as(function: "F", wrapper: "Any") -> "F":
    """Do what functools.wraps does, which would be an import."""
    # Asking for the annotations would evaluate them where they are lazy (Python 3.14).
    annotations = "__annotate__" if hasattr(function, "__annotate__") else "__annotations__"
    for name in ("__module__", "__name__", "__qualname__", "__doc__", annotations):
        if hasattr(function, name):
            setattr(wrapper, name, getattr(function, name))
    wrapper.__dict__.update(getattr(function, "__dict__", {}))
    wrapper.__wrapped__ = function
    return wrapper  # type: ignore[no-any-return]


class _Phase(_Span):
    __slots__ = ()

    def __enter__(self) -> "_Span":
        self._open.append((get_ident(), self._agent.phase_begin(self._name)))
        return self

    def _begin(self) -> "Any":
        return self._agent.phase_begin(self._name)

    def _end(self, token: "Any", ok: bool) -> None:
        self._agent.phase_end(token)


class _Call(_Span):
    __slots__ = ()

    def __enter__(self) -> "_Span":
        self._open.append((get_ident(), time.monotonic_ns()))
        return self

    def _begin(self) -> "Any":
        return time.monotonic_ns()

    def _end(self, token: "Any", ok: bool) -> None:
        self._agent.call(self._name, time.monotonic_ns() - token, ok)


class _Nothing(_Span):
    __slots__ = ()

    def __init__(self) -> None:
        pass

    def __enter__(self) -> "_Span":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, function: "F") -> "F":
        return function


class _Watched:
    """An iterator that counts what passes and who waits for whom; else just the one it wraps."""

    def __init__(self, iterator: "Iterator[Any]", flow: "_Flow") -> None:
        self._iterator = iterator
        self._flow = flow

    def __iter__(self) -> "_Watched":
        return self

    def __next__(self) -> "Any":
        flow = self._flow
        asked = flow.ask()
        try:
            item = self._iterator.__next__()
        except BaseException:
            flow.ends()
            raise
        flow.passed(item, asked)
        return item

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._iterator, name)

    def __length_hint__(self) -> int:
        hint = getattr(type(self._iterator), "__length_hint__", None)
        return NotImplemented if hint is None else hint(self._iterator)

    def __enter__(self) -> "Any":
        entered = type(self._iterator).__enter__(self._iterator)  # type: ignore[attr-defined]
        return self if entered is self._iterator else entered

    def __exit__(self, *error: "Any") -> "Any":
        return type(self._iterator).__exit__(self._iterator, *error)  # type: ignore[attr-defined]


class _WatchedAsync:
    """The same for `async for`."""

    def __init__(self, iterator: "AsyncIterator[Any]", flow: "_Flow") -> None:
        self._iterator = iterator
        self._flow = flow

    def __aiter__(self) -> "_WatchedAsync":
        return self

    async def __anext__(self) -> "Any":
        flow = self._flow
        asked = flow.ask()
        try:
            item = await self._iterator.__anext__()
        except BaseException:
            flow.ends()
            raise
        flow.passed(item, asked)
        return item

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._iterator, name)


class _Flow:
    """What one watched iterator has let pass."""

    def __init__(self, agent: "Any", name: str, rows: "Callable[[Any], int] | None") -> None:
        self._agent = agent
        self._rows_of = rows
        self._batches = name
        self._rows = name + ": rows"
        self._bytes = name + ": bytes"
        self._wait_producer = name + ": wait producer s"
        self._wait_consumer = name + ": wait consumer s"
        self._first = name + ": first batch"
        self._left_ns = 0
        self._begun = False
        self._told: "list[tuple[str, int | float]]" = []
        self._told_ns = 0

    def ask(self) -> int:
        """The consumer wants the next item; return the time."""
        now = time.monotonic_ns()
        if self._left_ns:
            self._told.append((self._wait_consumer, (now - self._left_ns) / 1e9))
            self._left_ns = 0
            if now - self._told_ns >= _TELL_NS:
                self._tell(now)  # the producer may take long
        return now

    def passed(self, item: object, asked_ns: int) -> None:
        """The producer has given an item."""
        now = time.monotonic_ns()
        if not self._begun:
            self._begun = True
            self._agent.call(self._first, now - asked_ns, True)
        told = self._told
        told.append((self._wait_producer, (now - asked_ns) / 1e9))
        told.append((self._batches, 1))
        rows = _rows_of(item, self._rows_of)
        if rows is not None:
            told.append((self._rows, rows))
        size = _bytes_of(item)
        if size is not None:
            told.append((self._bytes, size))
        self._tell(now)
        self._left_ns = time.monotonic_ns()

    def ends(self) -> None:
        """There is no next item, or it fails."""
        if self._told:
            self._tell(time.monotonic_ns())

    def _tell(self, now_ns: int) -> None:
        told, self._told, self._told_ns = self._told, [], now_ns
        # An agent of an older perftui counts one by one.
        count_all = getattr(self._agent, "count_all", None)
        if count_all is not None:
            count_all(told)
        else:
            for name, n in told:
                self._agent.count(name, n)


def _rows_of(item: "Any", rows: "Callable[[Any], int] | None") -> "int | None":
    """Return how many rows an item has, None if it does not say."""
    try:
        if rows is not None:
            return rows(item)
        found = getattr(item, "num_rows", None)
        if found is None:
            shape = getattr(item, "shape", None)
            if shape:
                found = shape[0]
            elif isinstance(item, (list, tuple)):
                found = len(item)
        return None if found is None else int(found)
    except Exception:  # a property of the program's own class: without us never asked
        return None


def _bytes_of(item: "Any") -> "int | None":
    """Return how many bytes an item has, None if it does not say."""
    try:
        if isinstance(item, (bytes, bytearray)):
            return len(item)
        size = getattr(item, "nbytes", None)
        if size is None:
            ask = getattr(item, "get_total_buffer_size", None)
            size = None if ask is None else ask()
        return None if size is None else int(size)
    except Exception:  # a property of the program's own class: without us never asked
        return None


if _launched:

    def phase(name: str) -> _Span:
        """Name a stretch of the program: `with perftui.phase("load"):` or `@perftui.phase(...)`."""
        return _Phase(name, _agent)

    def call(name: str) -> _Span:
        """Time one call of many, `with` or `@`: the first is told apart from the warm ones."""
        return _Call(name, _agent)

    count = _agent.count
    mark = _agent.mark

else:
    _nothing = _Nothing()

    def phase(name: str) -> _Span:
        """Name a stretch of the program: `with perftui.phase("load"):` or `@perftui.phase(...)`."""
        agent = _agent
        return _nothing if agent is None else _Phase(name, agent)

    def call(name: str) -> _Span:
        """Time one call of many, `with` or `@`: the first is told apart from the warm ones."""
        agent = _agent
        return _nothing if agent is None else _Call(name, agent)

    def count(name: str, n: float = 1) -> None:
        """Add `n` to the counter `name`: rows, bytes, batches, whatever is worked off."""
        agent = _agent
        if agent is not None:
            agent.count(name, n)

    def mark(name: str) -> None:
        """Mark this moment on the time axis."""
        agent = _agent
        if agent is not None:
            agent.mark(name)


def plan(
    name: str,
    text: str,
    *,
    filter: "str | None" = None,
    columns_read: "int | None" = None,
    columns_needed: "int | None" = None,
    rows_read: "int | None" = None,
    rows_needed: "int | None" = None,
) -> None:
    """Show what an engine says that it will do for a query: its EXPLAIN, beside the run.

    Give it the name that the query's `call` has. Where the filter takes place and how many
    columns the scan reads is read from the plans of DuckDB, DataFusion, Lance and Polars; what
    you say yourself goes before that. The same plan again costs next to nothing.
    """
    # An agent of an older perftui has no plans.
    tell = getattr(_agent, "plan", None)
    if tell is not None:
        tell(name, text, filter, (columns_read, columns_needed, rows_read, rows_needed))


def watch(
    iterable: "Iterable[T]",
    name: str = "batches",
    *,
    rows: "Callable[[T], int] | None" = None,
) -> "Iterator[T]":
    """Iterate as `iterable` does and let the profiler see what passes.

    Counts the items as NAME, and where an item tells them "NAME: rows" (`num_rows`, `shape` or
    the length of a list; or what `rows(item)` returns) and "NAME: bytes" (`nbytes`). Times the
    first item as the call "NAME: first batch", and who waits for whom as "NAME: wait producer s"
    (the loop waited for an item) and "NAME: wait consumer s" (the loop's body ran). Asynchronous
    iterables are iterated with `async for`. Everything else is up to the iterator itself.
    """
    agent = _agent
    asynchronous = hasattr(type(iterable), "__aiter__") and not hasattr(type(iterable), "__iter__")
    if asynchronous:
        source: "Any" = iterable.__aiter__()  # type: ignore[attr-defined]
        return source if agent is None else _WatchedAsync(source, _Flow(agent, name, rows))
    iterator = iter(iterable)
    return iterator if agent is None else _Watched(iterator, _Flow(agent, name, rows))
