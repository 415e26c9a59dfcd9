"""What a program says itself: phases, calls, counts, marks, plans.

Loaded when a program imports `perftui`, and not before. Every method is safe in any thread, and
costs a few microseconds at most: `benchmarks/agent_price.py`.
"""

from _thread import RLock
from time import monotonic_ns, process_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from perftui.probes.agent.runtime import Agent
    from perftui.probes.agent.said.plans import Plans

COUNT_INTERVAL_NS = 50_000_000

NAMES_KEPT = 1_000
"""As JSON strings."""

FRESH_NS = 10_000
"""A phase that begins so soon after another has ended begins with the RSS that the other ended
with: asking is a quarter of what phases in a loop cost, and in that time a thread touches 0.4 MB
at the very most (a page fault takes 0.1 us)."""


class Said:
    """State of what one process has said."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._wire = agent.wire
        self._send_often = agent.wire.send_often
        self._rss = agent.rss
        self._foreign = agent.foreign
        self.begin_process()

    def begin_process(self) -> None:
        """Begin anew: in a forked child nothing has been said yet."""
        self._pid = self._agent.pid
        self._thread = self._agent.thread
        self._next_phase_id = iter(range(1, 1 << 62)).__next__
        self._lock = RLock()
        self._counters: "dict[str, list[Any]]" = {}  # name: [total, t_ns of its last line]
        self.pending: "dict[str, list[Any]]" = {}
        """Counters that have changed since their last lines."""
        self._last_rss: "tuple[int, int | str]" = 0, "null"
        """When a phase has ended, and the RSS then."""
        self._calls: "dict[str, int]" = {}
        self._names: "dict[object, str]" = {}
        self._plans: "Plans | None" = None

    def _quoted(self, name: object) -> str:
        """Return a name of a phase or call as a JSON string; most come again and again."""
        text = text_of(name)
        quoted = self._names.get(text)
        if quoted is None:
            quoted = self._agent.quote(text)
            if len(self._names) < NAMES_KEPT:
                self._names[text] = quoted
        return quoted

    # --- phases and calls -----------------------------------------------------------------

    def phase_begin(self, name: object) -> "tuple[Any, ...] | None":
        """Open a phase of this thread; give what comes back to `phase_end`."""
        if not self._wire.open:
            return None
        try:
            now = monotonic_ns()
            thread = self._thread
            stack = thread.phases
            number = self._next_phase_id()
            pid = self._pid
            read_ns, rss = self._last_rss
            if now - read_ns > FRESH_NS:
                rss = self._rss()
            if self.pending:
                self.tell_counts(now)
            self._send_often(
                now,
                '{"k":"phase","t":%d,"pid":%d,"id":%d,"name":%s,"tid":%d,"parent":%s,'
                '"cpu_s":%.6f,"rss":%s'
                % (
                    now,
                    pid,
                    number,
                    (self._names.get(name) if name.__class__ is str else None)
                    or self._quoted(name),
                    thread.tid,
                    stack[-1] if stack else "null",
                    process_time(),
                    rss,
                ),
            )
            stack.append(number)
            return number, stack, pid
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)
            return None

    def phase_end(self, opened: "tuple[Any, ...] | None") -> None:
        """Close a phase, in whatever order and thread; one opened before a fork is the parent's."""
        try:
            if opened is None:
                return
            number, stack, pid = opened
            if pid != self._pid:
                return
            if stack and stack[-1] == number:
                stack.pop()
            elif number in stack:
                stack.remove(number)
            now = monotonic_ns()
            rss = self._rss()
            self._last_rss = now, rss
            if self.pending:
                self.tell_counts(now)
            self._send_often(
                now,
                '{"k":"phase_end","t":%d,"pid":%d,"id":%d,"cpu_s":%.6f,"rss":%s'
                % (now, pid, number, process_time(), rss),
            )
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)

    def call(self, name: object, duration_ns: int, ok: bool) -> None:
        """One timed call has just ended."""
        if not self._wire.open:
            return
        try:
            now = monotonic_ns()
            if name.__class__ is not str:
                name = text_of(name)
            calls = self._calls
            with self._lock:
                n = calls[name] = calls.get(name, 0) + 1
                if self.pending:
                    self.tell_counts(now)
                self._send_often(
                    now,
                    '{"k":"call","t":%d,"pid":%d,"tid":%d,"name":%s,"n":%d,"dur_ns":%d,"ok":%s'
                    % (
                        now,
                        self._pid,
                        self._thread.tid,
                        self._names.get(name) or self._quoted(name),
                        n,
                        duration_ns,
                        "true" if ok else "false",
                    ),
                )
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)

    # --- counts ---------------------------------------------------------------------------

    def count(self, name: object, n: object = 1) -> None:
        """Add `n` to a counter."""
        if not self._wire.open:
            return
        try:
            if name.__class__ is not str:
                name = text_of(name)
            if n.__class__ is not int:
                n = number_of(n)
                if n is None:
                    self._agent.report("a count that is not a number was ignored")
                    return
            now = monotonic_ns()
            with self._lock:
                counter = self._counters.get(name)
                if counter is None:
                    counter = self._counters[name] = [0, 0]
                counter[0] += n
                self.pending[name] = counter
                if now - counter[1] >= COUNT_INTERVAL_NS:
                    self.tell_counts(now)
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)

    def count_all(self, amounts: "list[tuple[str, int | float]]") -> None:
        """Add to several counters at once: names are plain strings, amounts finite numbers."""
        if not self._wire.open:
            return
        try:
            now = monotonic_ns()
            with self._lock:
                counters, pending = self._counters, self.pending
                due = False
                for name, n in amounts:
                    counter = counters.get(name)
                    if counter is None:
                        counter = counters[name] = [0, 0]
                    counter[0] += n
                    pending[name] = counter
                    due = now - counter[1] >= COUNT_INTERVAL_NS
                if due:
                    self.tell_counts(now)
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)

    def totals(self) -> "dict[str, float]":
        """Return what has been counted, by name."""
        return {name: counter[0] for name, counter in list(self._counters.items())}

    def tell_counts(self, now_ns: int) -> None:
        """Send the counters that have changed."""
        with self._lock:
            pending = self.pending
            self.pending = {}
            for name, counter in pending.items():
                counter[1] = now_ns
                self._send_often(
                    now_ns,
                    '{"k":"count","t":%d,"pid":%d,"name":%s,"total":%s'
                    % (now_ns, self._pid, self._quoted(name), counter[0]),
                )

    # --- marks and plans ------------------------------------------------------------------

    def mark(self, name: object) -> None:
        """Mark this moment."""
        try:
            now = monotonic_ns()
            agent = self._agent
            agent.emit(
                now,
                '{"k":"mark","t":%d,"pid":%d,"name":%s'
                % (now, self._pid, agent.quote(text_of(name))),
            )
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)

    def plan(
        self, name: object, text: object, filter: object, numbers: "tuple[object, ...]"
    ) -> None:
        """Tell a query's plan; see `plans.Plans`."""
        if not self._wire.open:
            return
        try:
            with self._lock:
                plans = self._plans
                if plans is None:
                    module = self._agent.load("said/plans", "_perftui_agent_plans")
                    plans = self._plans = module.Plans(self._agent)
            where = None if filter is None else text_of(filter)
            wholes = [None if n is None else number_of(n) for n in numbers]
            plans.tell(text_of(name), text_of(text), where, wholes)
        except Exception as error:
            if self._foreign(error):
                raise
            self._agent.report(error)


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
