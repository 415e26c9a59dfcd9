"""The detectors over the batches of a session: `Judge` for any, `DetectorProbe` for a live one.

A sink must be quick and must not append to the log that calls it: batches go to a queue, and a
thread of our own judges them and writes the alerts.
"""

from __future__ import annotations

import time
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from perftui.probes.detect.code import LEAST_OF, SAYS_ITS_CODE, WEIGHT_OF, code_words, waiting_of
from perftui.probes.detect.engine import Engine
from perftui.probes.detect.evidence.observations import RANK, TreeReading
from perftui.probes.detect.evidence.stall import LOW_PERCENT
from perftui.probes.detect.lasting import Lasting
from perftui.probes.detect.observe import Observer
from perftui.probes.profile.memory.blame_words import evidence_words
from perftui.probes.spine.probe_thread import ProbeThread, say_failed
from perftui.probes.spine.records import Alert, Exit, GrowthLook
from perftui.probes.text.units import NS_PER_S, format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perftui.probes.detect.evidence.observations import Edge, Observation, Waiting
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.reader import Blame, ThreadTree
    from perftui.probes.spine.records import Severity

    CallTreeOf = Callable[[int, int], Sequence[ThreadTree]]

_GATHER_S = 0.1
"""Between two looks into the inbox: to be woken for each of 40 batches a second costs more than
to judge them."""
STACKS_EVERY_S = 0.5
STACKS_SELDOM_S = 2.0
STACKS_SPAN_S = 2.0
POOL_EXPLAINS = 0.7
_GROWTH = ("mem_growth", "streaming_violation", "oom_risk")


class Judge:
    """Takes the batches of one session in their order, live or read back; says what they mean.

    Args:
        tree: The session's call tree.
        root_pid: The target.
        base_ns: The session's start.
        limit_bytes: Memory limit of the target, None if there is none.
        cores: That the target may use, None if it is not known.
        call_tree: Returns the stacks of a range (`Reader.call_tree`), None without stacks.
        tells_waits: False if those stacks do not tell what all threads wait for.
        patient: As of the engine.
        blame: What was found out from inside about growth (`Reader.blame`), None if nobody asks.
        tells_again: Tell an alert anew when more was found out; of what is read back all is known.
    """

    def __init__(
        self,
        tree: CallTree,
        root_pid: int,
        base_ns: int,
        *,
        limit_bytes: float | None = None,
        cores: int | None = None,
        call_tree: CallTreeOf | None = None,
        tells_waits: bool = True,
        patient: bool = True,
        blame: Callable[[int, int], Blame] | None = None,
        tells_again: bool = True,
    ) -> None:
        self._tree = tree
        self.root_pid = root_pid
        self.base_ns = base_ns
        self._call_tree = call_tree
        self._blame = blame
        self._tells_again = tells_again
        self._knows_waits = call_tree is not None and tells_waits
        self._observer = Observer(root_pid, base_ns)
        self._engine = Engine(
            limit_bytes, cores=cores, knows_stacks=self._knows_waits, patient=patient
        )
        self._now_s = 0.0
        self._raised: dict[tuple[str, float], Edge] = {}
        self._stacks_due_s = 0.0
        self._pools: list[tuple[float, float, str]] = []

    def take(self, batch: Batch) -> Iterator[list[Edge]]:
        """Yield what each observation of a batch made known; the evidence names the code."""
        for observation in self._observer.take(batch):
            if edges := self._judge(observation):
                yield [edge._replace(evidence=self._evidence(edge)) for edge in edges]
        if self._tells_again and any(
            isinstance(each, GrowthLook) and each.told for each in batch.events
        ):
            yield self._growth_again()

    @property
    def now_s(self) -> float:
        """Time of the newest reading."""
        return self._now_s

    @property
    def rss_bytes(self) -> float | None:
        """RSS of the tree at the newest reading."""
        return self._engine.context.history.whole.rss_bytes

    def _judge(self, observation: Observation) -> list[Edge]:
        edges: list[Edge] = []
        if isinstance(observation, TreeReading):
            self._now_s = observation.t_s
            waiting = self._look_at_stacks(observation)
            if waiting is not None:
                edges += self._engine.feed(waiting)
            self._remember_pool(observation)
        edges += self._engine.feed(observation)
        for edge in edges:
            key = (edge.kind, edge.t_onset_s)
            if edge.severity == "clear":
                self._raised.pop(key, None)
            else:
                self._raised[key] = edge
        return edges

    def _growth_again(self) -> list[Edge]:
        """Somebody has looked from inside: what was told of growth has more evidence."""
        return [
            edge._replace(evidence=self._evidence(edge, self._now_s))
            for edge in self._raised.values()
            if edge.kind in _GROWTH
        ]

    def _look_at_stacks(self, sample: TreeReading) -> Waiting | None:
        """Ask what threads wait for: often while little is done in a phase that should work,
        seldom while several threads are at work."""
        if not self._knows_waits or sample.t_s < self._stacks_due_s:
            return None
        low = sample.cpu_percent is not None and sample.cpu_percent < LOW_PERCENT
        working = self._engine.context.working()
        if not (low and working) and self._observer.n_threads < 3:
            return None
        pause_s = STACKS_EVERY_S if low and working else STACKS_SELDOM_S
        self._stacks_due_s = sample.t_s + pause_s
        threads = self._threads(sample.t_s - STACKS_SPAN_S, sample.t_s)
        return waiting_of(self._tree, threads, sample.t_s)

    def _remember_pool(self, sample: TreeReading) -> None:
        if sample.pool_bytes is not None:
            last = self._pools[-1] if self._pools else None
            if last is None or sample.t_s - last[0] >= 1.0:
                self._pools.append((sample.t_s, sample.pool_bytes, sample.pool_name))
                del self._pools[:-600]

    def _threads(self, t0_s: float, t1_s: float) -> Sequence[ThreadTree]:
        if self._call_tree is None:
            return ()
        return self._call_tree(self.ns_of(t0_s), self.ns_of(t1_s))

    def ns_of(self, t_s: float) -> int:
        """Return the session's time for one that an edge tells."""
        return self.base_ns + round(t_s * NS_PER_S)

    def _evidence(self, edge: Edge, until_s: float | None = None) -> str:
        """Add the code that ran in the span, who grew, and the pool that explains a growth."""
        if edge.kind in SAYS_ITS_CODE:
            return edge.evidence
        end_s = until_s
        if end_s is None:
            end_s = edge.t_detect_s if edge.t_end_s is None else edge.t_end_s
        threads = self._threads(edge.t_onset_s, max(end_s, edge.t_onset_s + 0.1))
        weight = WEIGHT_OF.get(edge.kind, "cpu")
        said = code_words(self._tree, threads, weight, LEAST_OF.get(edge.kind, 0.0))
        if edge.kind in _GROWTH and self._blame is not None and self._call_tree is not None:
            # What was found out is known a moment later than it was so.
            known_s = max(end_s, edge.t_detect_s)
            span = self.ns_of(edge.t_onset_s), self.ns_of(known_s) + NS_PER_S
            words = evidence_words(self._tree, threads, self._blame(*span), self._call_tree)
            if "within a sample of" in words:
                said = ""  # the samples cannot tell which of them it was
            said = _joined(said, words)
        return _joined(edge.evidence, said, self._pool_word(edge, end_s))

    def _pool_word(self, edge: Edge, end_s: float) -> str:
        if edge.kind not in _GROWTH or not self._pools:
            return ""
        inside = [row for row in self._pools if edge.t_onset_s - 1.0 <= row[0] <= end_s]
        # The largest may have been another before: of that nothing is known at the end.
        inside = [row for row in inside if row[2] == inside[-1][2]]
        rss = self._engine.context.history.whole
        grown = (rss.rss_bytes or 0.0) - rss.floor(
            max(rss.end - round((end_s - edge.t_onset_s) * 2), rss.first), rss.end
        )
        if len(inside) < 2 or grown <= 0 or grown == float("-inf"):
            return ""
        risen = inside[-1][1] - inside[0][1]
        name = inside[-1][2]
        if risen >= POOL_EXPLAINS * grown:
            return f"{name} holds +{format_bytes(risen)} of it"
        if risen < 0.1 * grown:
            return f"{name} did not grow: native memory, Python objects or fragmentation"
        return ""


class DetectorProbe:
    """A sink and a probe: connect it to the log, then start it.

    Args:
        log: Where records come from and alerts go.
        judge: Says what they mean; it is called by a thread of the probe's own alone.
    """

    def __init__(self, log: SessionLog, judge: Judge) -> None:
        self._log = log
        self._judge = judge
        self._inbox: SimpleQueue[Batch | None] = SimpleQueue()
        self._stopping = Event()
        self._thread = ProbeThread(log, "the detectors", self._run, "perftui-detect")
        self._failed = False
        self._open: dict[tuple[str, float], Alert] = {}
        self._lasting = Lasting()
        self._over = False
        """The target has ended: what is told of it later is of nobody."""

    def ingest(self, batch: Batch) -> None:
        """Take a batch of the log; stacks are read through `call_tree`, not here."""
        if batch.events or batch.ticks or batch.counted or batch.parts:
            self._inbox.put(batch._replace(raw=(), weighed=()))

    def start(self) -> None:
        """Begin to judge."""
        self._thread.start()

    def stop(self) -> None:
        """Judge what has come so far, then end."""
        self._inbox.put(None)
        self._stopping.set()
        self._thread.end()

    def _run(self) -> None:
        taken_s = time.monotonic() - _GATHER_S
        while (batch := self._inbox.get()) is not None:
            rest_s = taken_s + _GATHER_S - time.monotonic()
            if rest_s > 0:
                self._stopping.wait(rest_s)
            try:
                self._take(batch)
            except Exception as error:  # the next may go well, and must not pile up
                if not self._failed:
                    self._failed = True
                    say_failed(self._log, "some alerts may be missing", error)
            if self._inbox.empty():
                taken_s = time.monotonic()

    def _take(self, batch: Batch) -> None:
        for edges in self._judge.take(batch):
            if not self._over:
                rss, now_s = self._judge.rss_bytes, self._judge.now_s
                newest = [self._lasting.raised(edge, rss, now_s) for edge in edges]
                self._log.extend([self._alert(edge) for edge in newest])
        now_s, rss = self._judge.now_s, self._judge.rss_bytes
        again = self._lasting.due(now_s, rss) if not self._over else []
        if again:
            self._log.extend([self._alert(edge) for edge in again])
        ends = [e for e in batch.events if isinstance(e, Exit) and e.pid == self._judge.root_pid]
        if ends and not self._over:
            self._over = True
            self._log.extend(
                [self._ended(key, alert, ends[0].t_ns) for key, alert in self._open.items()]
            )
            self._open.clear()

    def _ended(self, key: tuple[str, float], alert: Alert, t_ns: int) -> Alert:
        """Return an alert that ends because its program has."""
        end_s = (t_ns - self._judge.base_ns) / NS_PER_S
        words = self._lasting.ended(key, end_s)
        return alert._replace(
            t_clear_ns=max(t_ns, alert.t_onset_ns),
            message=words or alert.message.replace(" (still running)", ""),
            evidence=_joined(alert.evidence, "cleared: the process has ended"),
        )

    def _alert(self, edge: Edge) -> Alert:
        ns_of = self._judge.ns_of
        key = (edge.kind, edge.t_onset_s)
        before = self._open.get(key)
        if edge.severity == "clear":
            self._open.pop(key, None)
            severity: Severity = before.severity if before is not None else "info"
            message = before.message if before is not None else edge.message
            last_s = edge.t_detect_s if edge.t_end_s is None else edge.t_end_s
            message = self._lasting.ended(key, last_s) or message
            detect_ns = before.t_detect_ns if before is not None else ns_of(edge.t_detect_s)
            end_s = edge.t_end_s if edge.t_end_s is not None else edge.t_detect_s
            return Alert(
                edge.kind,
                severity,
                ns_of(edge.t_onset_s),
                detect_ns,
                ns_of(end_s),
                message,
                _joined(edge.evidence, f"cleared: {edge.message}"),
            )
        alert = Alert(
            edge.kind,
            edge.severity,
            ns_of(edge.t_onset_s),
            # An alert is as old as its first warning; a mark that became one is not.
            before.t_detect_ns
            if before is not None and RANK[before.severity] > 0
            else ns_of(edge.t_detect_s),
            None,
            edge.message,
            edge.evidence,
        )
        self._open[key] = alert
        return alert


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
