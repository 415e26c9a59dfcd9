"""The live session in bounded memory: the `Reader` of what is going on.

`Intake` takes in what it answers from; a question first empties the inbox.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perftui.probes.profile.waiting import OFF_CPU_SHARE, waiting_for
from perftui.probes.spine.reader import (
    TREE,
    Phase,
    Process,
    State,
    Status,
    Target,
    Thread,
    ThreadTree,
    Weights,
)
from perftui.probes.spine.without_secrets import clean_log
from perftui.probes.store.gil import gil_shares
from perftui.probes.store.intake import Intake
from perftui.probes.store.process_use import process_uses
from perftui.probes.store.series import Series
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import (
        Buckets,
        CallStats,
        Counter,
        Event,
        Import,
        ProcessUse,
        RunCost,
    )
    from perftui.probes.spine.records import Alert, Exit, LogLine, Overhead, Plan, ThreadKey

CALL_TREES_KEPT = 4
"""Answers of `call_tree` that are kept: a screen asks for a range and for the time before it."""


class Store(Intake):
    """See the module.

    Args:
        tree: The session's call tree.
        target: What is watched.
        clock: Returns the session's time in nanoseconds; tests give their own.
    """

    def __init__(
        self, tree: CallTree, target: Target, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__(target)
        self._tree = tree
        self._clock = clock
        self._start_ns = clock()
        self._call_tree_memo: dict[object, tuple[ThreadTree, ...]] = {}
        self._rest_ns: int | None = None

    @property
    def tree(self) -> CallTree:
        """See `Reader.tree`."""
        return self._tree

    def know_target(self, target: Target) -> None:
        """Say more about the target (its Python, that the agent runs) once it is known."""
        self._target = target

    def rest(self, since_ns: int | None) -> None:
        """The target has waited for a person since then: nothing is going on. None: it works."""
        self._rest_ns = since_ns

    def target(self) -> Target:
        """See `Reader.target`."""
        return self._target

    def status(self) -> Status:
        """See `Reader.status`."""
        with self._lock:
            self._drain()
            end_ns = self._clock()
            state: State = "live" if self._series else "starting"
            if self._exit is not None:
                state, end_ns = "exited", self._exit.t_ns
            elif self._rest_ns is not None:
                state, end_ns = "waiting", self._rest_ns
            newest = self._overheads[-1] if self._overheads else None
            return Status(
                state=state,
                t_start_ns=self._start_ns,
                t_end_ns=end_ns,
                exit_code=self._exit.exit_code if self._exit else None,
                signal=self._exit.signal if self._exit else None,
                stack_backend=self._quality.backend,
                stack_rate_hz=self._quality.rate_hz(),
                stack_coverage=self._quality.coverage(),
                torn_share=self._quality.torn_share(),
                own_cpu_percent=self._own_cpu_percent(),
                own_rss_bytes=newest.rss_bytes if newest else None,
                late_samples=newest.late_samples if newest else 0,
                dropped_records=newest.dropped_records if newest else 0,
                notices=tuple(self._journal.notices),
            )

    def _own_cpu_percent(self) -> float | None:
        if len(self._overheads) < 2:
            return None
        first, last = self._overheads[0], self._overheads[-1]
        return (last.cpu_s - first.cpu_s) * 100 * NS_PER_S / max(last.t_ns - first.t_ns, 1)

    def overhead(self) -> Overhead | None:
        """Return what perftui itself has cost so far."""
        with self._lock:
            self._drain()
            return self._overheads[-1] if self._overheads else None

    def sampler_cpu_s(self) -> float:
        """Return the CPU seconds of the stack samplers so far."""
        # Asked by a probe: it never waits for a reader, and may hear of the last window later.
        return self._quality.sampler_cpu_s

    def own_peak_rss_bytes(self) -> int | None:
        """Return the most memory that perftui itself had, None before the first reading."""
        with self._lock:
            self._drain()
            return self._own_peak_rss

    def exit(self) -> Exit | None:
        """Return how the target ended, None while it runs."""
        with self._lock:
            self._drain()
            return self._exit

    def sample_counts(self) -> tuple[int, int]:
        """Return (stack samples taken, torn ones among them)."""
        with self._lock:
            self._drain()
            return self._quality.samples, self._quality.torn

    def metric_names(self, pid: int = TREE) -> tuple[str, ...]:
        """See `Reader.metric_names`."""
        with self._lock:
            self._drain()
            return tuple(name for owner, name in self._series if owner == pid)

    def metric(self, name: str, t0_ns: int, t1_ns: int, n: int, pid: int = TREE) -> Buckets:
        """See `Reader.metric`."""
        with self._lock:
            self._drain()
            series = self._series.get((pid, name)) or Series()
            return series.buckets(t0_ns, t1_ns, n)

    def last(self, name: str, pid: int = TREE) -> float | None:
        """See `Reader.last`."""
        with self._lock:
            self._drain()
            series = self._series.get((pid, name))
            return None if series is None else series.last_value

    def highest(self, name: str, t0_ns: int, t1_ns: int, pid: int = TREE) -> float | None:
        """Return the highest value of a metric in a range."""
        with self._lock:
            self._drain()
            series = self._series.get((pid, name))
            return None if series is None else series.highest_in(t0_ns, t1_ns)

    def processes(self) -> tuple[Process, ...]:
        """See `Reader.processes`."""
        with self._lock:
            self._drain()
            return tuple(self._processes.values())

    def process_use(self, t0_ns: int, t1_ns: int) -> tuple[ProcessUse, ...]:
        """See `Reader.process_use`."""
        with self._lock:
            self._drain()
            return process_uses(
                self._processes.values(),
                self._series,
                self._threads.in_range(t0_ns, t1_ns, self._target.launched),
                (t0_ns, t1_ns),
            )

    def threads(self, t0_ns: int, t1_ns: int) -> tuple[Thread, ...]:
        """See `Reader.threads`."""
        with self._lock:
            self._drain()
            sums = self._stacks.sums(t0_ns, t1_ns)
            busy = self._threads.busy_native(t0_ns, t1_ns)
            rows = []
            gil_known = {
                key[0]
                for key, nodes in sums.items()
                if any(cell.with_gil_ns for cell in nodes.values())
            }
            lived = self._threads.in_range(t0_ns, t1_ns, self._target.launched)
            for key, state, cpu_s, share in lived:
                nodes = sums.get(key, {})
                node = self._heaviest(nodes) or self._stacks.latest_node.get(key, 0)
                waiting = ""
                if node and share < OFF_CPU_SHARE:
                    waiting = self._waiting(key, node, 1 - share, (t0_ns, t1_ns), busy)
                rows.append(
                    Thread(
                        pid=key[0],
                        tid=key[1],
                        name=state.name,
                        is_python=state.python_name is not None,
                        state=state.state,
                        cpu_percent=share * 100,
                        cpu_s=cpu_s,
                        where=self._where(node),
                        waiting=waiting,
                        **(gil_shares(nodes) if key[0] in gil_known and nodes else {}),
                    )
                )
            rows.sort(key=lambda row: (-row.cpu_s, not row.is_python, row.tid))
            return tuple(rows)

    def _heaviest(self, nodes: dict[int, Weights]) -> int:
        whole = [(cell.wall_ns, node) for node, cell in nodes.items() if not cell.torn_ns]
        return max(whole)[1] if whole else 0

    def _waiting(
        self,
        thread: ThreadKey,
        node: int,
        off_share: float,
        span: tuple[int, int],
        busy: dict[int, int],
    ) -> str:
        run_wait = self._threads.run_wait_share(thread, *span)
        return waiting_for(self._tree, node, off_share, run_wait, busy.get(thread[0], 0))

    def _where(self, node: int) -> str:
        if not node:
            return ""
        frame = self._tree.frame(node)
        return f"{frame.function} {frame.file.rpartition('/')[2]}:{frame.line}"

    def call_tree(
        self, t0_ns: int, t1_ns: int, threads: Collection[tuple[int, int]] | None = None
    ) -> tuple[ThreadTree, ...]:
        """See `Reader.call_tree`.

        The same tuple comes back until new stacks have come, once a second: a screen that asks
        more often sees by identity that it has nothing to draw.
        """
        with self._lock:
            self._drain()
            wanted = None if threads is None else frozenset(threads)
            asked = (self._stacks.token(t0_ns, t1_ns), wanted)
            known = self._call_tree_memo.pop(asked, None)
            if known is not None:
                self._call_tree_memo[asked] = known  # the last to be forgotten
                return known
            sums = self._stacks.sums(t0_ns, t1_ns)
            busy = self._threads.busy_native(t0_ns, t1_ns)
            rows = []
            for key, nodes in sums.items():
                if wanted is not None and key not in wanted:
                    continue
                state = self._threads.get(key)
                leaf = self._heaviest(
                    {
                        node: cell._replace(wall_ns=cell.wall_ns - cell.cpu_ns)
                        for node, cell in nodes.items()
                    }
                )
                wall_ns = sum(cell.wall_ns for cell in nodes.values())
                cpu_ns = sum(cell.cpu_ns for cell in nodes.values())
                off_share = 1 - cpu_ns / wall_ns if wall_ns else 0.0
                rows.append(
                    ThreadTree(
                        pid=key[0],
                        tid=key[1],
                        name=state.name or str(key[1]),
                        wall_ns=wall_ns,
                        cpu_ns=cpu_ns,
                        grown_bytes=sum(cell.grown_bytes for cell in nodes.values()),
                        self_by_node=nodes,
                        waiting=self._waiting(key, leaf, off_share, (t0_ns, t1_ns), busy),
                    )
                )
            rows.sort(key=lambda row: (-row.cpu_ns, -row.wall_ns, row.tid))
            if len(self._call_tree_memo) >= CALL_TREES_KEPT:
                del self._call_tree_memo[next(iter(self._call_tree_memo))]
            found = self._call_tree_memo[asked] = tuple(rows)
            return found

    def phases(self, t0_ns: int, t1_ns: int) -> tuple[Phase, ...]:
        """See `Reader.phases`."""
        with self._lock:
            self._drain()
            rows = []
            for span in self._journal.phases:
                begin, end = span.begin, span.end
                until_ns = span.ended_ns
                if begin.t_ns >= t1_ns or (until_ns is not None and until_ns < t0_ns):
                    continue
                if span.row is not None:
                    rows.append(span.row)
                    continue
                cpu_s = None
                if end is not None and end.cpu_s is not None and begin.cpu_s is not None:
                    cpu_s = end.cpu_s - begin.cpu_s
                rss = self._series.get((begin.pid, "rss_bytes"))
                peaks = [begin.rss_bytes, end.rss_bytes if end else None]
                if rss is not None:
                    until = until_ns if until_ns is not None else self._clock()
                    seen = rss.highest_in(begin.t_ns, until)
                    peaks.append(None if seen is None else int(seen))
                row = Phase(
                    pid=begin.pid,
                    id=begin.id,
                    parent_id=begin.parent_id,
                    name=begin.name,
                    depth=span.depth,
                    t0_ns=begin.t_ns,
                    t1_ns=until_ns,
                    cpu_s=cpu_s,
                    rss_start_bytes=begin.rss_bytes,
                    rss_end_bytes=end.rss_bytes if end else None,
                    peak_rss_bytes=max((p for p in peaks if p is not None), default=None),
                )
                if until_ns is not None and rss is not None and rss.last_t_ns > until_ns + NS_PER_S:
                    span.row = row  # no reading of its time comes any more
                rows.append(row)
            return tuple(rows)

    def imports(self, t0_ns: int, t1_ns: int) -> tuple[Import, ...]:
        """See `Reader.imports`."""
        with self._lock:
            self._drain()
            return self._journal.import_list(t0_ns, t1_ns, self._clock())

    def calls(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """See `Reader.calls`."""
        with self._lock:
            self._drain()
            return self._journal.call_list(t0_ns, t1_ns)

    def counters(self, t0_ns: int, t1_ns: int) -> tuple[Counter, ...]:
        """See `Reader.counters`."""
        with self._lock:
            self._drain()
            return self._journal.counter_list(t0_ns, t1_ns, self._count_at)

    def _count_at(self, name: str, t_ns: int) -> float | None:
        series = self._series.get((TREE, f"count:{name}"))
        return None if series is None else series.value_at(t_ns)

    def events(self, t0_ns: int, t1_ns: int) -> tuple[Event, ...]:
        """See `Reader.events`."""
        with self._lock:
            self._drain()
            return self._journal.event_list(t0_ns, t1_ns)

    def runs(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        """See `Reader.runs`."""
        with self._lock:
            self._drain()
            return self._journal.run_list(t0_ns, t1_ns)

    def plans(self, t1_ns: int) -> tuple[Plan, ...]:
        """See `Reader.plans`."""
        with self._lock:
            self._drain()
            return self._journal.plan_list(t1_ns)

    def log_lines(self, t0_ns: int, t1_ns: int, limit: int = 1000) -> Sequence[LogLine]:
        """See `Reader.log_lines`."""
        with self._lock:
            self._drain()
            lines = self._journal.line_list(t0_ns, t1_ns, limit)
        return clean_log(lines)

    def alerts(self, t0_ns: int, t1_ns: int) -> tuple[Alert, ...]:
        """See `Reader.alerts`."""
        with self._lock:
            self._drain()
            return tuple(
                alert
                for alert in self._journal.alerts
                if alert.t_onset_ns < t1_ns and (alert.t_clear_ns or t1_ns) >= t0_ns
            )
