"""The answers of a session, live or recorded: the one implementation of `Reader`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.answers.buckets import no_buckets
from perftui.probes.answers.gil import gil_shares
from perftui.probes.answers.process_use import process_uses
from perftui.probes.answers.threads import busy_native, lived, run_wait_share
from perftui.probes.profile.caused import within
from perftui.probes.profile.place import in_words
from perftui.probes.profile.waiting import OFF_CPU_SHARE, waiting_for
from perftui.probes.spine.reader import TREE, Status, Thread, ThreadTree
from perftui.probes.spine.without_secrets import clean_log

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from perftui.probes.answers.parts import Parts
    from perftui.probes.answers.parts_source import PartsSource
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import (
        Blame,
        Buckets,
        CallStats,
        Counter,
        Event,
        Import,
        Phase,
        Process,
        ProcessUse,
        RunCost,
        Target,
        Task,
        Weights,
    )
    from perftui.probes.spine.records import (
        Alert,
        Collected,
        Exit,
        Installed,
        LogLine,
        Overhead,
        Plan,
        ThreadKey,
    )

_EVER_NS = 1 << 62
CALL_TREES_KEPT = 4
"""Answers of `call_tree` that are kept: a screen asks for a range and for the time before it."""


class Answers:
    """See the module and `Reader`; safe to ask from several threads.

    Args:
        source: Where the parts are.
    """

    def __init__(self, source: PartsSource) -> None:
        self._source = source
        self._held = source.held
        self._first_imports: dict[str, tuple[Import, ...]] = {}
        """By name of a call; they came before the end of the call, and do not change."""
        self._call_tree_memo: dict[object, tuple[ThreadTree, ...]] = {}

    @property
    def tree(self) -> CallTree:
        """See `Reader.tree`."""
        return self._source.parts.tree

    def target(self) -> Target:
        """See `Reader.target`."""
        return self._source.parts.session.target

    def status(self) -> Status:
        """See `Reader.status`."""
        with self._held() as parts:
            exit_ = parts.processes.exit
            state, end_ns = parts.session.state(exit_, measured=len(parts.series) > 0)
            newest = parts.own_cost.newest
            quality = parts.quality
            return Status(
                state=state,
                t_start_ns=parts.session.t_start_ns,
                t_end_ns=end_ns,
                exit_code=exit_.exit_code if exit_ else None,
                signal=exit_.signal if exit_ else None,
                stack_backend=quality.backend,
                stack_rate_hz=quality.rate_hz(),
                stack_coverage=quality.coverage(),
                torn_share=quality.torn_share(),
                own_cpu_percent=parts.own_cost.cpu_percent(),
                own_rss_bytes=newest.rss_bytes if newest else None,
                late_samples=newest.late_samples if newest else 0,
                dropped_records=newest.dropped_records if newest else 0,
                notices=tuple(parts.journal.notices),
                stacks_until_ns=quality.end_ns or None,
                stack_asked_hz=quality.asked_hz or None,
            )

    def exit(self) -> Exit | None:
        """See `Reader.exit`."""
        with self._held() as parts:
            return parts.processes.exit

    def overhead(self) -> Overhead | None:
        """See `Reader.overhead`."""
        with self._held() as parts:
            return parts.own_cost.newest

    def own_peak_rss_bytes(self) -> int | None:
        """See `Reader.own_peak_rss_bytes`."""
        with self._held() as parts:
            return parts.own_cost.peak_rss_bytes

    def sampler_cpu_s(self) -> float:
        """See `Reader.sampler_cpu_s`."""
        # Asked by a probe: it never waits for a reader, and may hear of the last window later.
        return self._source.parts.quality.sampler_cpu_s

    def sample_counts(self) -> tuple[int, int]:
        """See `Reader.sample_counts`."""
        with self._held() as parts:
            return parts.quality.samples, parts.quality.torn

    def metric_names(self, pid: int = TREE) -> tuple[str, ...]:
        """See `Reader.metric_names`."""
        with self._held() as parts:
            return parts.series.names(pid)

    def metric(self, name: str, t0_ns: int, t1_ns: int, n: int, pid: int = TREE) -> Buckets:
        """See `Reader.metric`."""
        with self._held() as parts:
            series = parts.series.get(pid, name)
            if series is None:
                return no_buckets(t0_ns, t1_ns, n)
            return series.buckets(t0_ns, t1_ns, n)

    def last(self, name: str, pid: int = TREE) -> float | None:
        """See `Reader.last`."""
        with self._held() as parts:
            series = parts.series.get(pid, name)
            return None if series is None else series.last_value

    def last_read_ns(self, name: str, pid: int = TREE) -> int | None:
        """See `Reader.last_read_ns`."""
        with self._held() as parts:
            series = parts.series.get(pid, name)
            if series is None or series.last_value is None:
                return None
            return series.last_t_ns

    def highest(self, name: str, t0_ns: int, t1_ns: int, pid: int = TREE) -> float | None:
        """See `Reader.highest`."""
        with self._held() as parts:
            series = parts.series.get(pid, name)
            return None if series is None else series.highest_in(t0_ns, t1_ns)

    def processes(self) -> tuple[Process, ...]:
        """See `Reader.processes`."""
        with self._held() as parts:
            return parts.processes.all()

    def process_use(self, t0_ns: int, t1_ns: int) -> tuple[ProcessUse, ...]:
        """See `Reader.process_use`."""
        with self._held() as parts:
            born = parts.session.target.launched
            threads = lived(parts.threads.states(), t0_ns, t1_ns, born_from_zero=born)
            return process_uses(parts.processes.all(), parts.series, threads, (t0_ns, t1_ns))

    def threads(self, t0_ns: int, t1_ns: int) -> tuple[Thread, ...]:
        """See `Reader.threads`."""
        with self._held() as parts:
            sums = parts.stacks.sums(t0_ns, t1_ns)
            states = parts.threads.states()
            busy = busy_native(states, t0_ns, t1_ns)
            born = parts.session.target.launched
            rows = []
            gil_known = {
                key[0]
                for key, nodes in sums.items()
                if any(cell.with_gil_ns for cell in nodes.values())
            }
            for key, state, cpu_s, share in lived(states, t0_ns, t1_ns, born_from_zero=born):
                nodes = sums.get(key, {})
                node = _heaviest(nodes) or parts.stacks.latest_node(key)
                waiting = ""
                if node and share < OFF_CPU_SHARE:
                    waiting = _waiting(parts, key, node, 1 - share, (t0_ns, t1_ns), busy)
                rows.append(
                    Thread(
                        pid=key[0],
                        tid=key[1],
                        name=state.name,
                        is_python=state.python_name is not None,
                        state=state.state,
                        cpu_percent=share * 100,
                        cpu_s=cpu_s,
                        where=_where(parts.tree, node),
                        waiting=waiting,
                        **(gil_shares(nodes) if key[0] in gil_known and nodes else {}),
                    )
                )
            rows.sort(key=lambda row: (-row.cpu_s, not row.is_python, row.tid))
            return tuple(rows)

    def thread_name(self, thread: ThreadKey) -> str:
        """See `Reader.thread_name`."""
        with self._held() as parts:
            return parts.threads.get(thread).name or str(thread[1])

    def call_tree(
        self, t0_ns: int, t1_ns: int, threads: Collection[tuple[int, int]] | None = None
    ) -> tuple[ThreadTree, ...]:
        """See `Reader.call_tree`.

        The same tuple comes back until new stacks have come, once a second: a screen that asks
        more often sees by identity that it has nothing to draw.
        """
        with self._held() as parts:
            wanted = None if threads is None else frozenset(threads)
            asked = (parts.stacks.token(t0_ns, t1_ns), wanted)
            known = self._call_tree_memo.pop(asked, None)
            if known is not None:
                self._call_tree_memo[asked] = known  # the last to be forgotten
                return known
            busy = busy_native(parts.threads.states(), t0_ns, t1_ns)
            rows = [
                _thread_tree(parts, key, nodes, (t0_ns, t1_ns), busy)
                for key, nodes in parts.stacks.sums(t0_ns, t1_ns).items()
                if wanted is None or key in wanted
            ]
            rows.sort(key=lambda row: (-row.cpu_ns, -row.wall_ns, row.tid))
            if len(self._call_tree_memo) >= CALL_TREES_KEPT:
                del self._call_tree_memo[next(iter(self._call_tree_memo))]
            found = self._call_tree_memo[asked] = tuple(rows)
            return found

    def phases(self, t0_ns: int, t1_ns: int) -> tuple[Phase, ...]:
        """See `Reader.phases`."""
        with self._held() as parts:
            now_ns = parts.session.now_ns()
            return tuple(
                span.told(parts.series.get(span.begin.pid, "rss_bytes"), now_ns)
                for span in parts.journal.phases
                if span.overlaps(t0_ns, t1_ns)
            )

    def imports(self, t0_ns: int, t1_ns: int) -> tuple[Import, ...]:
        """See `Reader.imports`."""
        with self._held() as parts:
            return parts.journal.import_list(t0_ns, t1_ns, parts.session.now_ns())

    def calls(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        """See `Reader.calls`."""
        with self._held() as parts:
            rows = parts.calls.stats(t0_ns, t1_ns)
            known = self._first_imports
            for first in parts.calls.firsts() if len(known) < len(rows) else ():
                if first.name not in known:
                    begin_ns, end_ns = first.t_ns - first.duration_ns, first.t_ns + 1
                    found = parts.journal.import_list(begin_ns, end_ns, end_ns)
                    known[first.name] = within(first, found)
            return tuple(row._replace(first_imports=known.get(row.name, ())) for row in rows)

    def counters(self, t0_ns: int, t1_ns: int) -> tuple[Counter, ...]:
        """See `Reader.counters`."""
        with self._held() as parts:

            def total_at(name: str, t_ns: int) -> float | None:
                series = parts.series.get(TREE, f"count:{name}")
                return None if series is None else series.value_at(t_ns)

            return parts.counts.list(t0_ns, t1_ns, total_at)

    def events(self, t0_ns: int, t1_ns: int) -> tuple[Event, ...]:
        """See `Reader.events`."""
        with self._held() as parts:
            return parts.journal.event_list(t0_ns, t1_ns, parts.calls.firsts())

    def runs(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        """See `Reader.runs`."""
        with self._held() as parts:
            return parts.journal.run_list(t0_ns, t1_ns)

    def collected(self, t0_ns: int, t1_ns: int) -> tuple[Collected, ...]:
        """See `Reader.collected`."""
        with self._held() as parts:
            return parts.journal.collected(t0_ns, t1_ns)

    def installed(self) -> tuple[Installed, ...]:
        """See `Reader.installed`."""
        with self._held() as parts:
            return parts.journal.installed_list()

    def plans(self, t1_ns: int) -> tuple[Plan, ...]:
        """See `Reader.plans`."""
        with self._held() as parts:
            return parts.journal.plan_list(t1_ns)

    def tasks(self, t1_ns: int) -> tuple[Task, ...]:
        """See `Reader.tasks`."""
        with self._held() as parts:
            return parts.journal.task_list(t1_ns)

    def blame(self, t0_ns: int, t1_ns: int) -> Blame:
        """See `Reader.blame`."""
        with self._held() as parts:
            return parts.journal.blame(t0_ns, t1_ns)

    def log_lines(self, t0_ns: int, t1_ns: int, limit: int = 1000) -> Sequence[LogLine]:
        """See `Reader.log_lines`."""
        with self._held() as parts:
            exit_ = parts.processes.exit
            _, end_ns = parts.session.state(exit_, measured=len(parts.series) > 0)
            if t1_ns >= end_ns:
                t1_ns = _EVER_NS  # what came last was read after the end, and written before it
            lines = parts.lines.newest(t0_ns, t1_ns, limit)
        return clean_log(lines)

    def alerts(self, t0_ns: int, t1_ns: int) -> tuple[Alert, ...]:
        """See `Reader.alerts`."""
        with self._held() as parts:
            found = [
                alert
                for alert in parts.journal.alerts
                if alert.t_onset_ns < t1_ns and (alert.t_clear_ns or t1_ns) >= t0_ns
            ]
        return tuple(sorted(found, key=lambda alert: alert.t_onset_ns))


def _heaviest(nodes: dict[int, Weights]) -> int:
    whole = [(cell.wall_ns, node) for node, cell in nodes.items() if not cell.torn_ns]
    return max(whole)[1] if whole else 0


def _waiting(
    parts: Parts,
    thread: ThreadKey,
    node: int,
    off_share: float,
    span: tuple[int, int],
    busy: dict[int, int],
) -> str:
    run_wait = run_wait_share(parts.threads.get(thread), *span)
    return waiting_for(parts.tree, node, off_share, run_wait, busy.get(thread[0], 0))


def _where(tree: CallTree, node: int) -> str:
    if not node:
        return ""
    frame = tree.frame(node)
    return in_words(frame.function, frame.file, frame.line)


def _thread_tree(
    parts: Parts,
    key: ThreadKey,
    nodes: dict[int, Weights],
    span: tuple[int, int],
    busy: dict[int, int],
) -> ThreadTree:
    off_cpu = {
        node: cell._replace(wall_ns=cell.wall_ns - cell.cpu_ns) for node, cell in nodes.items()
    }
    leaf = _heaviest(off_cpu)
    wall_ns = sum(cell.wall_ns for cell in nodes.values())
    cpu_ns = sum(cell.cpu_ns for cell in nodes.values())
    off_share = 1 - cpu_ns / wall_ns if wall_ns else 0.0
    return ThreadTree(
        pid=key[0],
        tid=key[1],
        name=parts.threads.get(key).name or str(key[1]),
        wall_ns=wall_ns,
        cpu_ns=cpu_ns,
        grown_bytes=sum(cell.grown_bytes for cell in nodes.values()),
        self_by_node=nodes,
        waiting=_waiting(parts, key, leaf, off_share, span, busy),
    )
