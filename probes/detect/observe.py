"""Turns the batches of a session into observations, tick by tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.files import MappedFiles
from perftui.probes.detect.evidence.filling import filling_of
from perftui.probes.detect.evidence.observations import (
    BoundSeen,
    CallEnded,
    CyclesCollected,
    ImportBegan,
    ImportEnded,
    LoopBlocked,
    TreeReading,
)
from perftui.probes.detect.evidence.peers import Peers
from perftui.probes.resident.parts import SHARED
from perftui.probes.spine.derived import CPU_SMOOTH_NS
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.records import (
    Call,
    Collected,
    Exit,
    GrowthLook,
    ImportBegin,
    ImportEnd,
    Keeper,
    LoopBlock,
    PhaseBegin,
    PhaseEnd,
    ProcessStart,
    ThreadCpu,
)
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perftui.probes.detect.evidence.observations import Observation
    from perftui.probes.spine.enriched import Batch, Counted, Tick
    from perftui.probes.spine.records import Record

QUEUE_HOLD_NS, QUEUE_LONGEST_NS = 3 * NS_PER_S, 20 * NS_PER_S
"""The run queue is read about once a second; an older reading says nothing about now. On a full
machine we come to it more seldom: then one holds for twice as long as to the one before."""
SHORT_PHASE_NS = NS_PER_S
COUNTER_IDLE_NS = 3 * NS_PER_S
_STOPPED = ("T", "t")


OUR_NAME = "perftui"


class Observer:
    """Follows the tree of one target.

    Args:
        root_pid: The target.
        base_ns: Time zero of the observations, on the session's clock.
    """

    def __init__(self, root_pid: int, base_ns: int) -> None:
        self._root = root_pid
        self._base_ns = base_ns
        self._queue_marks: dict[int, tuple[int, float, float]] = {}
        self._queue: tuple[int, float, float] | None = None
        self._queue_hold_ns = QUEUE_HOLD_NS
        """When the run queue was read, the share and the per cent that a `TreeReading` tells."""
        self._phases: dict[tuple[int, int], PhaseBegin] = {}
        self._imports: dict[tuple[int, int], str] = {}
        self._totals: dict[str, float] = {}
        self._progress_ns: dict[str, int] = {}
        self._counter: str | None = None
        self._look: GrowthLook | None = None
        self._keepers: list[Keeper] = []
        """The newest census, and its answers so far."""
        self._modules = 0
        self._peers = Peers(base_ns)
        self._files = MappedFiles()
        self._files_bytes = 0.0
        self._our_imports: set[tuple[int, int]] = set()
        """Imports of perftui in the program that go on."""
        self._suspended = False
        self._suspended_ns: int | None = None
        """When it last was."""
        self.n_threads = 1
        """OS threads of the target at the last reading."""

    def time_s(self, t_ns: int) -> float:
        """Return a record's time as observations tell it."""
        return (t_ns - self._base_ns) / NS_PER_S

    def take(self, batch: Batch) -> Iterator[Observation]:
        """Yield what a batch says."""
        states: list[str] = []
        for record in batch.events:
            if isinstance(record, ThreadCpu):
                if record.pid == self._root:
                    states.append(record.state)
            elif isinstance(record, Call):
                yield CallEnded(
                    self.time_s(record.t_ns), record.name, record.duration_ns / NS_PER_S
                )
            elif isinstance(record, ImportBegin):
                caused = record.parent_id is not None
                if not caused or (record.pid, record.parent_id) in self._our_imports:
                    if record.module.partition(".")[0] == OUR_NAME:
                        self._our_imports.add((record.pid, record.id))
                        continue  # not the program's doing; what it causes is
                    self._imports[record.pid, record.id] = record.module
                    yield ImportBegan(self.time_s(record.t_ns), record.module)
            elif isinstance(record, ImportEnd):
                self._our_imports.discard((record.pid, record.id))
                self._modules += 1
                module = self._imports.pop((record.pid, record.id), None)
                if module is not None:
                    yield ImportEnded(self.time_s(record.t_ns), module, record.total_ns / NS_PER_S)
            elif isinstance(record, LoopBlock):
                took_s, words = record.took_ns / NS_PER_S, record[6:]
                yield LoopBlocked(
                    self.time_s(record.t_ns), record.pid, record.n, took_s, record.over, *words
                )
            elif isinstance(record, Collected):
                yield self._collected(record)
            elif isinstance(record, GrowthLook | Keeper):
                yield from self._take_look(record)
            else:
                self._take_state(record)
        for counted in batch.counted:
            self._count(counted)
            self._peers.count(counted.record)
        told = [part for part in batch.parts if part.pid == TREE]
        if told:
            self._files.told(sum(part.bytes for part in told if part.name == SHARED))
        if states:
            self.n_threads = len(states)
            self._suspended = all(state in _STOPPED for state in states)
        for tick in batch.ticks:
            sample = self._sample(tick)
            if sample is not None:
                yield from self._peers.read(tick.t_ns, tuple(tick.readings))
                yield sample

    def _collected(self, record: Collected) -> CyclesCollected:
        return CyclesCollected(
            self.time_s(record.t_ns),
            self.time_s(record.t0_ns),
            record.pid,
            record.generation,
            record.n,
            record.pause_ns / NS_PER_S,
            record.longest_ns / NS_PER_S,
            record.timed < record.n,
        )

    def _take_look(self, record: GrowthLook | Keeper) -> Iterator[BoundSeen]:
        """Yield what a census says about bounds, once its last answer has come."""
        if isinstance(record, GrowthLook):
            if record.by != "census":
                return
            self._look, self._keepers = record, []
        elif self._look is not None and self._look.pid == record.pid:
            self._keepers.append(record)
        look = self._look
        if look is not None and len(self._keepers) == look.told:
            self._look = None
            yield filling_of(look, self._keepers, self.time_s(look.t_ns), self.time_s(look.t0_ns))

    def _take_state(self, record: Record) -> None:
        if isinstance(record, PhaseBegin):
            self._phases[record.pid, record.id] = record
        elif isinstance(record, PhaseEnd):
            self._phases.pop((record.pid, record.id), None)
        elif isinstance(record, ProcessStart):
            self._peers.began(record)
        elif isinstance(record, Exit):
            self._peers.ended(record)
            pid = record.pid
            self._phases = {key: begin for key, begin in self._phases.items() if key[0] != pid}
            self._imports = {key: name for key, name in self._imports.items() if key[0] != pid}
            self._our_imports = {key for key in self._our_imports if key[0] != pid}
            self._queue_marks.pop(pid, None)

    def _count(self, counted: Counted) -> None:
        record = counted.record
        if counted.total > self._totals.get(record.name, 0.0):
            self._progress_ns[record.name] = record.t_ns
        self._totals[record.name] = counted.total
        current = self._counter
        if current == record.name:
            return
        if (
            current is None
            or _rank(record.name) < _rank(current)
            or (
                _rank(record.name) == _rank(current)
                and record.t_ns - self._progress_ns.get(current, 0) > COUNTER_IDLE_NS
            )
        ):
            self._counter = record.name if _rank(record.name) < _NO_COUNTER else current

    def _sample(self, tick: Tick) -> TreeReading | None:
        t_ns, sums = tick.t_ns, tick.sums
        if self._suspended:
            self._suspended_ns = t_ns
            return None  # nothing that it does or does not do now is its own
        cpu = sums.get("cpu_percent")
        if self._suspended_ns is not None and t_ns - self._suspended_ns <= CPU_SMOOTH_NS:
            cpu = None  # taken over a time in which it was
        self._read_queue(tick)
        share = percent = None
        if self._queue is not None and t_ns - self._queue[0] < self._queue_hold_ns:
            _, share, percent = self._queue
        rows = None
        if self._counter is not None:
            rows = self._totals[self._counter]
        # malloc explains nothing: everybody's memory comes from there.
        pools = {name: size for name, size in tick.pools.items() if not name.startswith("malloc")}
        largest = max(pools, key=lambda name: pools[name], default="")
        return TreeReading(
            t_s=self.time_s(t_ns),
            rss_bytes=float(sums["rss_bytes"]),
            cpu_percent=cpu,
            rows=rows,
            phase=self._phase(t_ns),
            run_queue_share=share,
            rows_are_data=self._counter is None or _rank(self._counter) <= 1,
            pool_bytes=pools.get(largest),
            pool_name=largest,
            run_queue_percent=percent,
            brought_bytes=float(sums.get("brought_bytes", 0.0)),
            newcomers=int(sums.get("newcomers", 0)),
            files_bytes=self._read_files(sums),
            modules=self._modules,
        )

    def _read_files(self, sums: Mapping[str, float]) -> float:
        """Return what has come of mapped files, as of when the first process came to the family:
        what that and later ones map is among what they brought."""
        come = self._files.read(sums["rss_bytes"], sums.get("anon_rss_bytes"))
        if not sums.get("newcomers"):
            self._files_bytes = come
        return self._files_bytes

    def _phase(self, t_ns: int) -> str | None:
        """Return the innermost phase that lasts; phases of single batches are their parent's."""
        innermost = None
        for begin in reversed(self._phases.values()):
            if innermost is None:
                innermost = begin.name
            if t_ns - begin.t_ns >= SHORT_PHASE_NS:
                return begin.name
        return innermost

    def _read_queue(self, tick: Tick) -> None:
        waited_s = ran_s = passed_s = 0.0
        for metric, _ in tick.readings:
            if metric.run_queue_wait_s is None:
                continue
            before = self._queue_marks.get(metric.pid)
            now = (metric.t_ns, metric.run_queue_wait_s, metric.cpu_s)
            self._queue_marks[metric.pid] = now
            if before is not None and now[1] >= before[1]:
                waited_s += now[1] - before[1]
                ran_s += max(now[2] - before[2], 0.0)
                passed_s = max(passed_s, (now[0] - before[0]) / NS_PER_S)
        if passed_s > 0:
            wanted_s = waited_s + ran_s
            # A program that hardly wants a core is not kept from one.
            share = waited_s / wanted_s if wanted_s > 0.2 else 0.0
            self._queue = (tick.t_ns, share, 100 * waited_s / passed_s)
            hold_ns = round(2 * passed_s * NS_PER_S)
            self._queue_hold_ns = min(max(hold_ns, QUEUE_HOLD_NS), QUEUE_LONGEST_NS)


_NO_COUNTER = 3
_DATA = ("rows", "bytes", "batches", "records", "lines", "chunks")


def _rank(name: str) -> int:
    """Tell how well a counter says how much data has passed.

    0 rows; 1 other data; 2 work of some kind; 3 no progress at all.
    """
    what = name.rpartition(": ")[2].lower()
    if what.endswith("rows"):
        return 0
    if what in ("wait producer s", "wait consumer s"):
        return _NO_COUNTER
    return 1 if what.endswith(_DATA) else 2
