"""The running agent: phases, calls, counts, marks and pools of one process.

Loaded as `_perftui_agent`; `agent` is what `perftui.phase` and its kin look for. No thread of
our own: what is held back (counts that change too fast) leaves with the next line, at the end
of a phase and at exit.
"""

import posix
import time
from _thread import RLock, _local, get_native_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from perftui.probes.agent.wire import Wire

PROTOCOL = 1
"""Of the methods that `api.py` calls: an installed perftui may be older or newer than we are."""

COUNT_INTERVAL_NS = 50_000_000

NAMES_KEPT = 1_000
"""As JSON strings."""

PLANS_TOLD = 2_000
PLAN_LETTERS = 20_000
PLAN_PIECE_BYTES = 3_500
"""Of a plan's text in one line, so that the line with its other fields fits the pipe."""

agent: "Agent | None" = None
order: "list[Any]" = []
"""The launcher's, as it is to be given to a program that this process becomes by exec."""
held_ns = 0
"""How long the program was held back at the gate."""


class PerThread(_local):
    """What is open in one thread."""

    def __init__(self) -> None:
        self.tid = get_native_id()
        self.phases: "list[int]" = []
        self.imports: "list[Any]" = []


class Agent:
    """State of the agent in this process; every public method is safe in any thread."""

    def __init__(self, wire: "Wire", wire_module: "ModuleType", statm_fd: int) -> None:
        self.wire = wire
        self.quote = wire_module.quote
        self.foreign = wire_module.foreign
        self.statm_fd = statm_fd
        self._page_bytes = posix.sysconf("SC_PAGE_SIZE")
        self._statm_identity = self._identity(statm_fd)
        self._errors_told: "set[str]" = set()
        self.before_bye: "list[Callable[[], None]]" = []
        self.last_of_all: "list[Callable[[], None]]" = []
        """Called after the bye."""
        self.in_child: "Callable[[], None] | None" = None
        self._begin_process()

    def _begin_process(self) -> None:
        self.launched = False
        """The process that perftui started itself, none that it has started."""
        self.tasks_asked = 0
        """How often we were asked for the tasks of asyncio."""
        self.pid = posix.getpid()
        self.thread = PerThread()
        self.next_import_id = iter(range(1, 1 << 62)).__next__
        self._next_phase_id = iter(range(1, 1 << 62)).__next__
        self._lock = RLock()
        self._counters: "dict[str, list[Any]]" = {}  # name: [total, t_ns of its last line]
        self._pending: "dict[str, list[Any]]" = {}
        self._calls: "dict[str, int]" = {}
        self._names: "dict[str, str]" = {}
        self._plans: "set[int]" = set()
        self._said_bye = self.ends = False

    # --- what the process is like ---------------------------------------------------------

    @staticmethod
    def _identity(fd: int) -> "tuple[int, int] | None":
        try:
            status = posix.fstat(fd)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def rss(self) -> "int | str":
        """Return the resident bytes now, or "null"."""
        try:
            return int(posix.pread(self.statm_fd, 64, 0).split(b" ", 2)[1]) * self._page_bytes
        except (OSError, ValueError, IndexError) as error:
            if self.foreign(error):
                raise
            return "null"

    def owns_statm(self) -> bool:
        """Tell whether the descriptor for our own figures still is that."""
        identity = self._statm_identity
        return identity is not None and self._identity(self.statm_fd) == identity

    def after_fork(self) -> None:
        """Start anew in a forked child: own pid, own ids, own /proc entry."""
        try:
            self.wire.reset()
            self._begin_process()
            if self.in_child is not None:
                self.in_child()
            if self.owns_statm():
                fd = posix.open("/proc/self/statm", posix.O_RDONLY | posix.O_CLOEXEC)
                posix.dup2(fd, self.statm_fd, False)
                posix.close(fd)
                self._statm_identity = self._identity(self.statm_fd)
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    # --- lines out ------------------------------------------------------------------------

    def emit(self, now_ns: int, body: str) -> None:
        """Send a line, and with it whatever is held back."""
        if self._pending:
            self._flush(now_ns)
        self.wire.send(body)

    def _emit_often(self, now_ns: int, body: str) -> None:
        """The same for lines that may come as fast as the program can."""
        if self._pending:
            self._flush(now_ns)
        self.wire.send_often(now_ns, body)

    def _quoted(self, name: str) -> str:
        """Return a name of a phase or call as a JSON string; most come again and again."""
        quoted = self._names.get(name)
        if quoted is None:
            quoted = self.quote(name)
            if len(self._names) < NAMES_KEPT:
                self._names[name] = quoted
        return quoted

    def say(self, text: str) -> None:
        """Tell the host what a person should know about what is seen of this process."""
        self.wire.send(
            '{"k":"notice","t":%d,"pid":%d,"text":%s'
            % (time.monotonic_ns(), self.pid, self.quote(text))
        )

    def report(self, error: "BaseException | str") -> None:
        """Tell the host, once, that something of ours failed."""
        text = error if isinstance(error, str) else type(error).__name__ + ": " + str(error)
        if text in self._errors_told or len(self._errors_told) > 100:
            return
        self._errors_told.add(text)
        self.wire.send(
            '{"k":"error","t":%d,"pid":%d,"text":%s'
            % (time.monotonic_ns(), self.pid, self.quote(text))
        )

    def flush(self) -> None:
        """Send what is held back."""
        if self._pending:
            self._flush(time.monotonic_ns())
        self.wire.flush()

    def totals(self) -> "dict[str, float]":
        """Return what has been counted, by name."""
        return {name: counter[0] for name, counter in list(self._counters.items())}

    def _flush(self, now_ns: int) -> None:
        with self._lock:
            pending = self._pending
            self._pending = {}
            for name, counter in pending.items():
                counter[1] = now_ns
                self._send_count(now_ns, name, counter[0])

    def _send_count(self, now_ns: int, name: str, total: float) -> None:
        self.wire.send_often(
            now_ns,
            '{"k":"count","t":%d,"pid":%d,"name":%s,"total":%s'
            % (now_ns, self.pid, self._quoted(name), total),
        )

    # --- what a program may say -----------------------------------------------------------

    def phase_begin(self, name: object) -> "tuple[Any, ...] | None":
        """Open a phase of this thread; give what comes back to `phase_end`."""
        if not self.wire.open:
            return None
        try:
            now = time.monotonic_ns()
            stack = self.thread.phases
            number = self._next_phase_id()
            self._emit_often(
                now,
                '{"k":"phase","t":%d,"pid":%d,"id":%d,"name":%s,"tid":%d,"parent":%s,'
                '"cpu_s":%.6f,"rss":%s'
                % (
                    now,
                    self.pid,
                    number,
                    self._quoted(text_of(name)),
                    self.thread.tid,
                    stack[-1] if stack else "null",
                    time.process_time(),
                    self.rss(),
                ),
            )
            stack.append(number)
            return number, stack, self.pid
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)
            return None

    def phase_end(self, opened: "tuple[Any, ...] | None") -> None:
        """Close a phase, in whatever order and thread; one opened before a fork is the parent's."""
        try:
            if opened is None or opened[2] != self.pid:
                return
            number, stack, _ = opened
            if stack and stack[-1] == number:
                stack.pop()
            elif number in stack:
                stack.remove(number)
            now = time.monotonic_ns()
            self._emit_often(
                now,
                '{"k":"phase_end","t":%d,"pid":%d,"id":%d,"cpu_s":%.6f,"rss":%s'
                % (now, self.pid, number, time.process_time(), self.rss()),
            )
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def call(self, name: object, duration_ns: int, ok: bool) -> None:
        """One timed call has just ended."""
        if not self.wire.open:
            return
        try:
            now = time.monotonic_ns()
            name = text_of(name)
            with self._lock:
                n = self._calls.get(name, 0) + 1
                self._calls[name] = n
                self._emit_often(
                    now,
                    '{"k":"call","t":%d,"pid":%d,"tid":%d,"name":%s,"n":%d,"dur_ns":%d,"ok":%s'
                    % (
                        now,
                        self.pid,
                        self.thread.tid,
                        self._quoted(name),
                        n,
                        duration_ns,
                        "true" if ok else "false",
                    ),
                )
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def count(self, name: object, n: object = 1) -> None:
        """Add `n` to a counter."""
        if not self.wire.open:
            return
        try:
            if name.__class__ is not str:
                name = text_of(name)
            if n.__class__ is not int:
                n = number_of(n)
                if n is None:
                    self.report("a count that is not a number was ignored")
                    return
            now = time.monotonic_ns()
            with self._lock:
                counter = self._counters.get(name)
                if counter is None:
                    counter = self._counters[name] = [0, 0]
                counter[0] += n
                self._pending[name] = counter
                if now - counter[1] >= COUNT_INTERVAL_NS:
                    self._flush(now)
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def count_all(self, amounts: "list[tuple[str, int | float]]") -> None:
        """Add to several counters at once: names are plain strings, amounts finite numbers."""
        if not self.wire.open:
            return
        try:
            now = time.monotonic_ns()
            with self._lock:
                counters, pending = self._counters, self._pending
                due = False
                for name, n in amounts:
                    counter = counters.get(name)
                    if counter is None:
                        counter = counters[name] = [0, 0]
                    counter[0] += n
                    pending[name] = counter
                    due = now - counter[1] >= COUNT_INTERVAL_NS
                if due:
                    self._flush(now)
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def mark(self, name: object) -> None:
        """Mark this moment."""
        try:
            now = time.monotonic_ns()
            self.emit(
                now,
                '{"k":"mark","t":%d,"pid":%d,"name":%s'
                % (now, self.pid, self.quote(text_of(name))),
            )
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def plan(
        self, name: object, text: object, filter: object, numbers: "tuple[object, ...]"
    ) -> None:
        """Tell a query's plan, once: a head, and the text in as many lines as it takes.

        Args:
            name: Of the query.
            text: The engine's EXPLAIN; what is too long is cut.
            filter: Where the filter takes place, None if it is not said.
            numbers: Columns read and needed, rows read and needed; None is unknown.
        """
        if not self.wire.open:
            return
        try:
            name, text = text_of(name), text_of(text)
            if len(text) > PLAN_LETTERS:
                text = text[:PLAN_LETTERS] + "\n(the rest of this plan is left out)"
            where = "null" if filter is None else self.quote(text_of(filter), 300)
            wholes = [None if n is None else number_of(n) for n in numbers]
            figures = ["null" if n.__class__ is not int else "%d" % n for n in wholes]
            told = hash((name, text, where, tuple(figures)))
            with self._lock:
                if told in self._plans:
                    return
                if len(self._plans) >= PLANS_TOLD:
                    self.report(
                        "more than %d different plans: the others are not told" % PLANS_TOLD
                    )
                    return
                self._plans.add(told)
                number = len(self._plans)
            pieces = self._pieces(text)
            now = time.monotonic_ns()
            self.emit(
                now,
                '{"k":"plan","t":%d,"pid":%d,"id":%d,"parts":%d,"name":%s,"filter":%s,'
                '"columns_read":%s,"columns_needed":%s,"rows_read":%s,"rows_needed":%s'
                % (now, self.pid, number, len(pieces), self.quote(name), where, *figures),
            )
            for part, piece in enumerate(pieces):
                self.wire.send(
                    '{"k":"plan_text","t":%d,"pid":%d,"id":%d,"part":%d,"text":%s'
                    % (now, self.pid, number, part, piece)
                )
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)

    def _pieces(self, text: str) -> "list[str]":
        """Return a text as quoted pieces that each fit into a line."""
        pieces = []
        begin = taken = 0
        for at, letter in enumerate(text):
            code = ord(letter)
            plain = 0x20 <= code < 0x7F and letter not in '"\\'
            needs = 1 if plain else 6 if code < 0x10000 else 12
            if taken + needs > PLAN_PIECE_BYTES:
                pieces.append(self.quote(text[begin:at], PLAN_PIECE_BYTES + 1))
                begin, taken = at, 0
            taken += needs
        pieces.append(self.quote(text[begin:], PLAN_PIECE_BYTES + 1))
        return pieces

    def environment_for_exec(self, environ: "dict[str, str]") -> "dict[str, str]":
        """Return the environment in which a program that we become by exec is watched too.

        Only perftui's own scenarios ask for it, right before the exec: the descriptors are
        inheritable from here on.
        """
        hook = hook_folder()
        for fd in (*order[:3], order[9]):
            if fd:
                posix.set_inheritable(fd, True)
        child = dict(environ)
        before = child.get("PYTHONPATH")
        if before is not None:
            child["PERFTUI_AGENT_PYTHONPATH"] = before
        child["PYTHONPATH"] = hook + ":" + before if before else hook
        child["PERFTUI_AGENT"] = ":".join(map(str, order))
        return child

    def bye(self) -> None:
        """The process is about to end: let everything go that is held back."""
        if self._said_bye:
            self.flush()
            return
        self._said_bye = self.ends = True
        try:
            for end in self.before_bye:
                end()
            now = time.monotonic_ns()
            if self._pending:
                self._flush(now)
            self.wire.send(
                '{"k":"bye","t":%d,"pid":%d,"dropped":%d,"held":%d'
                % (now, self.pid, self.wire.dropped, held_ns)
            )
            for end in self.last_of_all:
                end()
        except Exception as error:
            if self.foreign(error):
                raise
            self.report(error)


def hook_folder() -> str:
    """Return the folder that goes first on PYTHONPATH."""
    return __file__.rpartition("/")[0] + "/hook"


def text_of(name: object) -> str:
    """Return a name as a plain str, whatever the program passed."""
    if name.__class__ is str:
        return name
    try:
        return str.__str__(name) if isinstance(name, str) else str.__str__(str(name))
    except Exception:  # the program's __str__, without us never called
        return "?"


def number_of(value: object) -> "int | float | None":
    """Return a finite plain number, None if there is none in `value` (numpy scalars have one)."""
    try:
        whole = int(value)  # type: ignore[call-overload]
        real = float(value)  # type: ignore[arg-type]
        return whole if whole == real else real
    except Exception:  # not a number, NaN, infinite: the program's value, not our failure
        return None
