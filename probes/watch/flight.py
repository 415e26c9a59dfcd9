"""A flight: one target, watched until something happens, again and again."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.process.face import ProcessGone
from perftui.probes.session import Session
from perftui.probes.spine.records import Exit
from perftui.probes.text.units import NS_PER_S
from perftui.probes.watch.conditions import Conditions
from perftui.probes.watch.ended import End, EndWatch
from perftui.probes.watch.ring import Inbox, Options, Ring
from perftui.probes.watch.thrift import Thrift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record, Severity
    from perftui.probes.watch.conditions import Occasion
    from perftui.probes.watch.expression import Term
    from perftui.probes.watch.kept import KeptEvents

BUDGET_EVERY_S = 20.0
_SETTLE_S = 1.5
"""After the target's end: the last records come by then."""
_TOLD_S = 1.0
"""Within which a thread that waits for the end has read how it came."""
_TRY_AGAIN_S = 10.0
_WAITING_MOST = 16
_SIGNS = (
    ("!=", "-not-"),
    ("==", "-is-"),
    (">=", "-from-"),
    ("<=", "-up-to-"),
    (">", "-over-"),
    ("<", "-under-"),
    ("=", "-is-"),
)
"""In names of files."""


class FlightPlan(NamedTuple):
    """What a person asked for."""

    terms: tuple[Term, ...]
    text: str
    keep_s: float = 60.0
    after_s: float = 10.0
    pause_s: float = 600.0
    """Between two recordings of the same condition."""
    share: float = 0.01
    """Of one core, for all of perftui."""
    limit_bytes: int = 256 << 20


class Flight:
    """Watches one process.

    Args:
        pid: Which.
        wanted: What is asked for.
        probes: What is measured.
        kept: Where recordings go.
        say: Gets what a person must be told.

    Raises:
        ProcessGone: there is no such process.
    """

    def __init__(
        self,
        pid: int,
        wanted: FlightPlan,
        probes: ProbeOptions,
        kept: KeptEvents,
        say: Callable[[Severity, str], None],
    ) -> None:
        self._wanted = wanted
        self._kept = kept
        self._say = say
        self._ends: deque[End] = deque()
        self._end_watch = EndWatch(pid, self._ends.append)
        self._inbox = Inbox()
        try:
            self.session = Session.attach(pid, probes, also=self._inbox)
        except ProcessGone:
            self._end_watch.leave()
            raise
        reader = self.session.reader
        self._target = reader.target()
        self.ring = Ring(
            kept.ring_folder(),
            reader.tree,
            self._target,
            reader.status().t_start_ns,
            Options(
                keep_s=wanted.keep_s + wanted.after_s,
                limit_bytes=wanted.limit_bytes,
                session={
                    "watch": {"when": wanted.text, "keep_s": wanted.keep_s},
                    "stack_rate_hz": probes.stack_rate_hz,
                    "metrics_rate_hz": probes.metrics_rate_hz,
                    "known_limit_bytes": self.session.limit_bytes,
                },
            ),
            say=say,
        )
        self._conditions = Conditions(wanted.terms, reader.tree)
        self._budget = Thrift(wanted.share, probes.stack_rate_hz)
        self._budget_due_s = time.monotonic() + BUDGET_EVERY_S
        self._waiting: list[Occasion] = []
        """Events whose recording has not been made yet."""
        self._due_ns = 0
        self._said: dict[Term, int] = {}
        """When the last recording of a condition was begun."""
        self._told_full = False

    def step(self) -> bool:
        """Take what has come; False once the target has ended and all is kept."""
        now_ns = time.monotonic_ns()
        # Marks of what has happened are among the second ones.
        self.ring.write([*self._judged(now_ns), *self._judged(now_ns)])
        target = self.session.reader.target()
        if target != self._target:
            self._target = target
            self.ring.know_target(target)
        if time.monotonic() >= self._budget_due_s:
            self._budget_due_s = time.monotonic() + BUDGET_EVERY_S
            before = self._budget.rate_hz
            rate = self._budget.second(time.monotonic(), self.session.own_cpu_s())
            if rate != before:
                self.session.take_stacks_at(rate)
        if not self.session.target_alive():
            self._land()
            return False
        if self._waiting and now_ns >= self._due_ns:
            self._keep()
        return True

    def _judged(self, now_ns: int) -> list[Batch]:
        """Take what has come, and look whether it is what was asked for."""
        batches = self._taken()
        for batch in batches:
            for event in self._conditions.take(batch):
                self._happened(event, now_ns)
        return batches

    def _taken(self) -> list[Batch]:
        """Take what has come; the target's end as the kernel tells it, if it does."""
        return [
            batch._replace(events=[self._settled(record) for record in batch.events])
            if any(isinstance(record, Exit) for record in batch.events)
            else batch
            for batch in self._inbox.take()
        ]

    def _settled(self, record: Record) -> Record:
        if not isinstance(record, Exit) or record.pid != self.session.pid:
            return record
        until_s = time.monotonic() + _TOLD_S
        while not self._ends and self._end_watch.waits and time.monotonic() < until_s:
            time.sleep(0.01)
        if not self._ends:
            return record
        return record._replace(exit_code=self._ends[0].exit_code, signal=self._ends[0].signal)

    def _happened(self, event: Occasion, now_ns: int) -> None:
        last_ns = self._said.get(event.term)
        if last_ns is not None and now_ns - last_ns < self._wanted.pause_s * NS_PER_S:
            return
        self._said[event.term] = now_ns
        self.session.mark(f"watch: {event.words}")
        if not self._waiting:
            self._due_ns = now_ns + round(self._wanted.after_s * NS_PER_S)
        if len(self._waiting) < _WAITING_MOST:
            self._waiting.append(event)
        self._say("warn", event.words)

    def _keep(self) -> None:
        """Copy what led to it out of the ring."""
        path = self._kept.place(self._label(self._waiting))
        try:
            self.ring.copy_to(path)
        except OSError as error:
            self._due_ns = time.monotonic_ns() + round(_TRY_AGAIN_S * NS_PER_S)
            if not self._told_full:
                self._told_full = True
                why = error.strerror or error
                self._say("warn", f"what happened cannot be kept now ({why}): it is tried again")
            return
        self._told_full = False
        self._waiting = []
        self._say("info", f"kept: perftui open {named(path)}")
        for name in self._kept.make_room():
            self._say("info", f"deleted {name}: there are enough of them")

    def _label(self, events: Sequence[Occasion]) -> str:
        argv = self._target.argv
        script = next((word for word in argv[1:] if not word.startswith("-")), "") or "python"
        words = events[0].term.text
        for sign, word in _SIGNS:
            words = words.replace(sign, word)
        return f"{script.rpartition('/')[2].removesuffix('.py')[:20]}-{words}"

    def _land(self) -> None:
        """The target has ended: what is asked for of its end, then no more."""
        until_s = time.monotonic() + _SETTLE_S
        while time.monotonic() < until_s:
            time.sleep(0.1)
            self.ring.write(self._judged(time.monotonic_ns()))
        end = self._ends[0] if self._ends else End(None, None)
        now_ns = time.monotonic_ns()
        for event in self._conditions.ended(now_ns, end):
            self._happened(event, now_ns)
        self.session.close()
        self.ring.write(self._taken())
        if self._waiting:
            self._keep()
        self._say("info", f"it has ended: {end.words()}")

    def close(self) -> None:
        """Let go of the target; what waits to be kept is kept now."""
        self._end_watch.leave()
        self.session.close()
        self.ring.write(self._taken())
        if self._waiting:
            self._keep()
        if self._waiting:  # the next watcher takes it up
            self._say("warn", f"what happened is in {self.ring.folder}")
        else:
            self.ring.close()


def named(path: Path) -> str:
    """Return what a person calls a recording."""
    from perftui.probes.recording.shelf.shelf import name_of
    from perftui.probes.text.shell_words import shell_word

    return shell_word(name_of(path) or os.fspath(path))
