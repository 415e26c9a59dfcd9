"""Runs the detectors over observations: the same code for a live session, replay and a CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.evidence.detector import Context, Detector
from perftui.probes.detect.evidence.observations import (
    BoundSeen,
    CallEnded,
    CyclesCollected,
    ImportBegan,
    ImportEnded,
    LoopBlocked,
    PeersSeen,
    TreeReading,
    Waiting,
)
from perftui.probes.detect.registry import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perftui.probes.detect.evidence.observations import Edge, Observation


class Engine:
    """Feeds every detector with what it wants to be told.

    Args:
        limit_bytes: Memory limit of the program, None if there is none or it is unknown.
        cores: That the program may use, None if it is not known.
        kinds: The kinds to look for, all by default.
        knows_stacks: True if `Waiting` observations come while the program stands.
        patient: False for a block of a running process, in which nothing starts up.
    """

    def __init__(
        self,
        limit_bytes: float | None = None,
        kinds: Iterable[str] | None = None,
        *,
        cores: int | None = None,
        knows_stacks: bool = False,
        patient: bool = True,
    ) -> None:
        self.context = Context(limit_bytes=limit_bytes, cores=cores, patient=patient)
        self.context.stall.expects_waiting = knows_stacks
        wanted = set(DETECTORS if kinds is None else kinds)
        detectors = [make(self.context) for kind, make in DETECTORS.items() if kind in wanted]

        def telling(method: str) -> list[Detector]:
            base = getattr(Detector, method)
            return [each for each in detectors if getattr(type(each), method) is not base]

        self._samples = [each.on_sample for each in telling("on_sample")]
        self._buckets = [each.on_bucket for each in telling("on_bucket")]
        self._seconds = [each.on_second for each in telling("on_second")]
        self._phases = [each.on_phase for each in telling("on_phase")]
        self._calls = [each.on_call for each in telling("on_call")]
        self._begins = [each.on_import_began for each in telling("on_import_began")]
        self._waits = [each.on_waiting for each in telling("on_waiting")]
        self._blocks = [each.on_loop_blocked for each in telling("on_loop_blocked")]
        self._collected = [each.on_collected for each in telling("on_collected")]
        self._fillings = [each.on_filling for each in telling("on_filling")]
        self._peers = [each.on_peers for each in telling("on_peers")]
        self._imports = [each.on_import for each in telling("on_import")]
        self._second = -1

    def feed(self, observation: Observation) -> list[Edge]:
        """Take one observation, in time order; return what became known by it.

        A sample that is not later than the one before is passed over.
        """
        if isinstance(observation, TreeReading):
            self._sample(observation)
        elif isinstance(observation, CallEnded):
            for on_call in self._calls:
                on_call(observation)
        elif isinstance(observation, ImportEnded):
            for on_import in self._imports:
                on_import(observation)
        elif isinstance(observation, ImportBegan):
            for on_began in self._begins:
                on_began(observation)
        elif isinstance(observation, LoopBlocked):
            for on_blocked in self._blocks:
                on_blocked(observation)
        elif isinstance(observation, CyclesCollected):
            for on_collected in self._collected:
                on_collected(observation)
        elif isinstance(observation, PeersSeen):
            for on_peers in self._peers:
                on_peers(observation)
        elif isinstance(observation, Waiting):
            self.context.stall.waiting = observation
            for on_waiting in self._waits:
                on_waiting(observation)
        elif isinstance(observation, BoundSeen):
            self.context.fillings.take(observation, self.context.history)
            for on_filling in self._fillings:
                on_filling(observation)
        edges = self.context.edges
        if not edges:
            return []
        self.context.edges = []
        return edges

    def feed_all(self, observations: Iterable[Observation]) -> Iterator[Edge]:
        """Feed many; yield what becomes known as it does."""
        for observation in observations:
            yield from self.feed(observation)

    def _sample(self, sample: TreeReading) -> None:
        context = self.context
        history = context.history
        if history.last_t_s is not None and sample.t_s <= history.last_t_s:
            return
        if sample.phase != context.phase:
            context.phase = sample.phase
            context.phase_since_s = sample.t_s
            context.stall.restart()
            for on_phase in self._phases:
                on_phase(sample.t_s)
        context.note_queue(sample)
        closed = history.add(sample)
        context.stall.add(sample, history.rss_bytes)
        for on_sample in self._samples:
            on_sample(sample)
        if not closed:
            return
        if history.end // 2 != self._second:
            self._second = history.end // 2
            for on_second in self._seconds:
                on_second(sample.t_s)
        for on_bucket in self._buckets:
            on_bucket(sample.t_s)
