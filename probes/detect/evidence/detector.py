"""What every detector is: fed by the engine, it keeps at most one alert open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.filling import Fillings
from perftui.probes.detect.evidence.history import History
from perftui.probes.detect.evidence.observations import RANK, Edge
from perftui.probes.detect.evidence.stall import Stall

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.observations import (
        BoundSeen,
        CallEnded,
        CyclesCollected,
        EdgeSeverity,
        ImportBegan,
        ImportEnded,
        LoopBlocked,
        PeersSeen,
        TreeReading,
        Waiting,
    )

_NOT_AT_WORK = ("startup", "start-up", "idle", "wait", "sleep", "pause", "import:")
"""Beginnings of the names of phases in which low CPU is nothing to wonder at."""

CROWDED_PERCENT, CROWDED_SHARE = 10.0, 0.2
"""It waits for a core for more than this, and for more than this part of the time it has one."""
CROWDED_HOLD_S, CROWDED_LONGEST_S = 2.0, 20.0
"""After a reading; on a full machine they come more seldom, too."""
QUEUE_READ_EVERY_S = 1.2


@dataclass(slots=True)
class Context:
    """What the detectors of one engine share."""

    limit_bytes: float | None = None
    cores: int | None = None
    """That the program may use; None if it is not known."""
    patient: bool = True
    """False if what is watched is a block that began in a running process: nothing starts up."""
    history: History = field(default_factory=History)
    stall: Stall = field(default_factory=Stall)
    fillings: Fillings = field(default_factory=Fillings)
    phase: str | None = None
    phase_since_s: float = 0.0
    time_explains_s: float = float("-inf")
    """When a growth beside the reading of rows was last seen to be one with time alone."""
    queue_known: bool = False
    """The kernel tells how long threads wait for a core."""
    crowded_until_s: float = float("-inf")
    """Until when times of calls say more about the machine than about the program."""
    noted_s: float | None = None
    """When the run queue was last known."""
    given_part: float = 1.0
    """Of the time for which the program wants a core, that for which it has one: by the
    newest reading."""
    open_alerts: dict[str, Edge] = field(default_factory=dict)
    """By kind: the newest edge of each open alert."""
    edges: list[Edge] = field(default_factory=list)
    """Said since the engine last took them."""

    def raised(self, kind: str) -> bool:
        """Tell whether an alert of this kind is open, marks aside."""
        edge = self.open_alerts.get(kind)
        return edge is not None and edge.severity != "info"

    def filling(self) -> BoundSeen | None:
        """Return what fills up to a bound that is in sight, None if nothing is known to."""
        return self.fillings.filling(self.history, self.limit_bytes)

    def own_s(self, passed_s: float, now_s: float) -> float:
        """Return what is the program's own of a time that passed just now: while it is kept from
        the cores, all that it does takes so many times as long."""
        return passed_s * (self.given_part if now_s <= self.crowded_until_s else 1.0)

    def note_queue(self, sample: TreeReading) -> None:
        """Follow whether the program is kept from the cores."""
        waited = sample.run_queue_percent
        if waited is None:
            return
        self.queue_known = True
        self.given_part = 1.0 - (sample.run_queue_share or 0.0)
        if waited > CROWDED_PERCENT and waited > CROWDED_SHARE * (sample.cpu_percent or 0.0):
            every_s = 0.0 if self.noted_s is None else sample.t_s - self.noted_s
            hold_s = min(max(CROWDED_HOLD_S, 2 * every_s), CROWDED_LONGEST_S)
            self.crowded_until_s = sample.t_s + hold_s
        self.noted_s = sample.t_s

    def working(self) -> bool:
        """Tell whether a marked phase runs in which the program should be at work."""
        return bool(self.phase) and not (self.phase or "").lower().startswith(_NOT_AT_WORK)


class Detector:
    """One kind of alert. Subclasses override what they want to be told."""

    kind = ""
    needs_s = 0.0
    """In anything shorter there may be such a cause and no alert: that is no verdict then."""
    needs_impatient_s: float | None = None
    """The same for a context that is not `patient`, where it is another."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def history(self) -> History:
        """The floors and rows of the recent past."""
        return self.context.history

    @property
    def open(self) -> Edge | None:
        """The newest edge of the open alert of this kind."""
        return self.context.open_alerts.get(self.kind)

    def on_sample(self, sample: TreeReading) -> None:
        """Every reading."""

    def on_bucket(self, now_s: float) -> None:
        """Half a second of history was closed."""

    def on_second(self, now_s: float) -> None:
        """A second of history was closed."""

    def on_phase(self, t_s: float) -> None:
        """The phase has changed: `context.phase` is the new one."""

    def on_call(self, call: CallEnded) -> None:
        """A timed call ended."""

    def on_import_began(self, began: ImportBegan) -> None:
        """An import began."""

    def on_import(self, ended: ImportEnded) -> None:
        """An import ended."""

    def on_loop_blocked(self, blocked: LoopBlocked) -> None:
        """An event loop did not come back from a callback."""

    def on_collected(self, collected: CyclesCollected) -> None:
        """The collector of cycles ran for a while."""

    def on_filling(self, told: BoundSeen) -> None:
        """Somebody looked whether what grew has a bound: `context.fillings` knows."""

    def on_peers(self, seen: PeersSeen) -> None:
        """Processes that are alike were read."""

    def on_waiting(self, waiting: Waiting) -> None:
        """It became known what threads wait for."""

    def raise_alert(
        self, severity: EdgeSeverity, onset_s: float, now_s: float, message: str, evidence: str
    ) -> None:
        """Open an alert."""
        self._say(Edge(self.kind, severity, onset_s, now_s, message, evidence))

    def change(self, severity: EdgeSeverity, now_s: float, message: str, evidence: str) -> None:
        """Say more about the open alert."""
        edge = self.open
        if edge is not None:
            self._say(
                Edge(self.kind, severity, edge.t_onset_s, now_s, message, evidence, first=False)
            )

    def clear(self, now_s: float, end_s: float, message: str) -> None:
        """Close the open alert: its cause ended at `end_s`."""
        edge = self.context.open_alerts.pop(self.kind, None)
        if edge is not None:
            self.context.edges.append(
                Edge(
                    self.kind,
                    "clear",
                    edge.t_onset_s,
                    now_s,
                    message,
                    edge.evidence,
                    first=False,
                    t_end_s=max(min(end_s, now_s), edge.t_onset_s),
                )
            )

    def _say(self, edge: Edge) -> None:
        self.context.open_alerts[self.kind] = edge
        self.context.edges.append(edge)


def worse(severity: EdgeSeverity, than: Edge) -> bool:
    """Tell whether `severity` is above that of an open alert."""
    return RANK[severity] > RANK.get(than.severity, 0)
