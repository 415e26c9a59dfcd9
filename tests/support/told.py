"""Sessions of which the truth is known: what each thread did, and what it waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Exit,
    Metric,
    Record,
    Stack,
    StackWindow,
    ThreadName,
)
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict.ranked import verdict

if TYPE_CHECKING:
    from perftui.probes.verdict.finding import SessionVerdict

S = NS_PER_S
PID = 10
RUN_S = 20
RUN_QUEUE = "a core"
"""As what a thread waits for."""
LIBRARY = "/v/lib/python3.12/site-packages/duckdb/__init__.py"


class Told:
    """A session that ran for 20 s, of the records that it is given."""

    def __init__(self) -> None:
        self.log = SessionLog(Weigher().weigh)
        now = [0]
        target = Target("t", ("python", "t.py"), PID, "3.12.1", launched=True, agent=True)
        self.store = Store(self.log.tree, target, lambda: now[0])
        now[0] = RUN_S * S
        self.log.connect(self.store)

    def leaf(self, *names: str) -> int:
        """A stack: functions of the program in files of their names, "~" before a library's."""
        frames = [
            self.log.tree.frame_id(
                name.lstrip("~"), LIBRARY if name[0] == "~" else f"/app/{name}.py", 7
            )
            for name in names
        ]
        return self.log.tree.intern(frames)

    def ran(self, *stacks: tuple[int, str], tid: int = PID, rss: float = 0.0) -> Told:
        """Give each stack its equal share of the time; "" on a CPU, else what it waits for.

        Args:
            stacks: (leaf, what it waits for).
            tid: Thread.
            rss: Bytes by which RSS rises each second.
        """
        records: list[Record] = [ThreadName(0, PID, tid, "MainThread" if tid == PID else "worker")]
        steps = RUN_S * 20
        for n in range(steps):
            node, wait = stacks[n * len(stacks) // steps]
            t0 = n * S // 20
            records.append(Metric(t0, PID, t0 / S, round(50e6 + rss * t0 / S)))
            used, queued = S // 20 * (wait == ""), S // 20 * (wait == RUN_QUEUE)
            state, kind = "RS"[bool(wait) and not queued], "" if queued else wait
            facts = (used, queued, 0, 0, state, not queued, not wait, False)
            stack = Stack(t0, t0 + S // 20, PID, tid, node, False, *facts, kind, None)
            records.append(stack)
        records.append(StackWindow(0, RUN_S * S, PID, 20, steps, 0, 0, 0.1, "own sampler"))
        self.log.extend(records)
        return self

    def and_(self, *records: Record) -> Told:
        self.log.append(*records)
        return self

    @property
    def verdict(self) -> SessionVerdict:
        self.log.append(Exit(RUN_S * S, PID, 0, None))
        return verdict(self.store)
