"""Asks a program from whose inside we hear who makes its memory grow, when it seems to.

A sink and a probe. Which functions are measured is told by the samples: those of the program's
own that touched memory lately, and who called them.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from perftui.probes.detect.suspicion import Suspicion
from perftui.probes.profile.memory.growth import at_work_below, is_own
from perftui.probes.spine.calltree import ROOT
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.records import Exit, ImportBegin, ImportEnd
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.agent_link.order_board import OrderBoard
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.reader import ThreadTree

    CallTreeOf = Callable[[int, int], Sequence[ThreadTree]]

LOOK_S = 3.0
BUDGET_S = 0.05
"""CPU time of one census; a look takes two."""
MOST_OBJECTS = 200_000
DEEP_BUDGET_S = 10.0
DEEP_MOST_OBJECTS = 10_000_000
SUSPECTS = 16
RECENT_NS = 5 * NS_PER_S
PROCESSES = 64
LONGEST_IMPORT_NS = 10 * NS_PER_S
"""What takes longer is a program that does its work while it is imported."""


class Inquirer:
    """See the module.

    Args:
        log: Of the session.
        board: Where the program hears us.
        call_tree: As of `Reader`, None without stacks.
        deep: Look at everything, whatever it costs.
    """

    def __init__(
        self, log: SessionLog, board: OrderBoard, call_tree: CallTreeOf | None, *, deep: bool
    ) -> None:
        self._tree = log.tree
        self._board = board
        self._call_tree = call_tree
        self._deep = deep
        self._suspicions: dict[int, Suspicion] = {}
        self._imports: dict[int, dict[int, int]] = {}
        """Of each process, those that go on and that no other import caused: since when."""
        self._inbox: SimpleQueue[tuple[int, int] | None] = SimpleQueue()
        self._thread = ProbeThread(log, "who makes memory grow", self._run, "perftui-inquirer")

    def ingest(self, batch: Batch) -> None:
        """Follow RSS of each process."""
        for tick in batch.ticks:
            for reading in tick.readings:
                metric = reading.metric
                suspicion = self._suspicions.get(metric.pid)
                if suspicion is None:
                    if len(self._suspicions) >= PROCESSES:
                        continue
                    suspicion = self._suspicions[metric.pid] = Suspicion()
                began = self._imports.get(metric.pid)
                if began and metric.t_ns - min(began.values()) < LONGEST_IMPORT_NS:
                    suspicion.importing(metric.t_ns)
                elif suspicion.take(metric.t_ns, metric.rss_bytes):
                    suspicion.asked(metric.t_ns, round(LOOK_S * NS_PER_S))
                    self._inbox.put((metric.pid, metric.t_ns))
        for record in batch.events:
            if isinstance(record, Exit):
                self._suspicions.pop(record.pid, None)
                self._imports.pop(record.pid, None)
            elif isinstance(record, ImportBegin):
                if record.parent_id is None and record.pid in self._suspicions:
                    self._imports.setdefault(record.pid, {})[record.id] = record.t_ns
            elif isinstance(record, ImportEnd):
                self._imports.get(record.pid, {}).pop(record.id, None)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._inbox.put(None)
        self._thread.end()

    def _run(self) -> None:
        while (asked := self._inbox.get()) is not None:
            pid, t_ns = asked
            self._board.ask_for_growth(
                pid,
                seconds=LOOK_S,
                budget_s=DEEP_BUDGET_S if self._deep else BUDGET_S,
                most_objects=DEEP_MOST_OBJECTS if self._deep else MOST_OBJECTS,
                suspects=self._suspects(pid, t_ns),
            )

    def _suspects(self, pid: int, t_ns: int) -> list[tuple[str, str, int]]:
        if self._call_tree is None:
            return []
        threads = self._call_tree(t_ns - RECENT_NS, t_ns)
        return suspects_of(self._tree, [thread for thread in threads if thread.pid == pid])


def suspects_of(tree: CallTree, threads: Sequence[ThreadTree]) -> list[tuple[str, str, int]]:
    """Return (file, function, line) of the program's own functions by the memory that was touched
    in them and below them; by CPU where nothing is known of memory."""
    touched: dict[tuple[str, str], float] = {}
    lines: dict[tuple[str, str], int] = {}
    knows = any(cell.touched_bytes for thread in threads for cell in thread.self_by_node.values())
    for thread in threads:
        below = at_work_below(tree, thread)
        for node, cell in thread.self_by_node.items():
            size = cell.touched_bytes + below.get(node, 0.0) if knows else cell.cpu_ns
            at, met = node, set[tuple[str, str]]()
            while size and at != ROOT:
                frame = tree.frame(at)
                key = frame.file, frame.function
                if key not in met and is_own(frame):
                    met.add(key)
                    touched[key] = touched.get(key, 0.0) + size
                    lines[key] = frame.line
                at = tree.parent(at)
    first = sorted(touched, key=lambda key: -touched[key])[:SUSPECTS]
    return [(*key, lines[key]) for key in first]
