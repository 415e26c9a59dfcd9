"""The links of a session elsewhere: one that is cut is followed by another, until the target ends.

What has come is kept; the time between two links is a gap.
"""

from __future__ import annotations

import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, cast

from perftui.probes.remote.address import AddressError
from perftui.probes.remote.carry import Carry
from perftui.probes.remote.link import LinkError
from perftui.probes.remote.stacks import FarSamplerStream, FarStackProbe
from perftui.probes.spine.records import Exit, Gap, Metric, Notice, Overhead
from perftui.probes.stacks.sources import WHY_REFUSED, version_text
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from perftui.probes.remote.clock import FarClock
    from perftui.probes.remote.link import Link
    from perftui.probes.remote.target import FarTarget
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Record, Severity
    from perftui.probes.stacks.own.records import ProcessRecord

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
GIVE_UP_S = 600.0
"""A far end that cannot be reached again for so long is not tried any more."""


class FarLinks:
    """The links of a session, one after another. A `Probe`, and a `Listener`.

    Args:
        log: Where the records go, in our time.
        target: What is watched there.
        link: Connected, and not listened to yet.
        order: What its far end was asked for first.
        hello: What its far end has said.
        t_start_ns: The session's begin: nothing has been before.
        with_ours: Adds to what the far end costs what this end does.
        on_python: Gets the target's Python version.
        on_output: Takes what a program that was started there writes, with its stream's number.
    """

    def __init__(
        self,
        log: SessionLog,
        target: FarTarget,
        link: Link,
        order: Mapping[str, Any],
        hello: Mapping[str, Any],
        *,
        t_start_ns: int,
        with_ours: Callable[[Overhead], Overhead],
        on_python: Callable[[str], None],
        on_output: Callable[[int, bytes], None],
    ) -> None:
        self._log = log
        self._target = target
        self._link = link
        self._again_order = {k: v for k, v in order.items() if k not in ("argv", "folder")}
        self._again_order |= {"pid": target.pid, "key": hello.get("key")}
        self._t_start_ns = t_start_ns
        self._with_ours = with_ours
        self._on_python = on_python
        self._on_output = on_output
        self._carry = Carry()
        self._stopping = Event()
        self._changing = Lock()
        self._stream: FarSamplerStream | None = None
        self._probe: FarStackProbe | None = None
        self._told_ns = time.monotonic_ns()
        self.lost = False
        """The far end was given up: nobody knows what became of the target."""

    def start(self) -> None:
        """Begin to listen, once."""
        if self._stream is None:
            self._open(self._link)

    def stop(self) -> None:
        """Take the last words, and end."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._changing:
            link, probe = self._link, self._probe
        link.end()
        self._end_stream()
        if probe is not None:
            probe.stop()

    def order(self, order: dict[str, Any]) -> None:
        """Say something to the far end."""
        self._link.order(order)

    # What comes

    def _open(self, link: Link) -> None:
        stream = FarSamplerStream(link.clock)
        probe = FarStackProbe(
            self._log, self._target.pid, stream, lambda: self._told_ns, self._news, self._broken
        )
        with self._changing:
            if self._stopping.is_set():
                link.close()
                return
            self._link, self._stream, self._probe = link, stream, probe
            probe.start()
            link.listen(self)

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.end()

    def records(self, batch: list[Record], clock: FarClock) -> None:
        """Put records into the log, in our time."""
        told: list[Record] = []
        ended: Exit | None = None
        for record in batch:
            here = self._carry.take(_in_our_time(record, clock, self._t_start_ns))
            if here is None:
                continue
            if isinstance(here, Overhead):
                here = self._with_ours(here)
            elif isinstance(here, Metric):
                self._told_ns = max(self._told_ns, here.t_ns)
            elif isinstance(here, Exit):
                self._carry.ended(here.pid)
                if here.pid == self._target.pid:
                    ended = here
            told.append(here)
        self._log.extend(told)
        if ended is not None:
            self._target.tell(ended)

    def sampler(self, data: bytes) -> None:
        """Hand on what the sampler says."""
        if self._stream is not None:
            self._stream.put(data)

    def output(self, stream: int, data: bytes) -> None:
        """Hand on what the program has written."""
        self._on_output(stream, data)

    def ended(self, link: Link, reason: str | None) -> None:
        """The link is at its end: by goodbye, or cut."""
        self._end_stream()
        if link.ending or self._stopping.is_set() or not self._target.alive():
            return
        Thread(target=self._again, args=(reason,), name="far-again", daemon=True).start()

    def _news(self, process: ProcessRecord) -> None:
        """The sampler tells about a process."""
        if process.pid == self._target.pid:
            if process.version:
                self._on_python(version_text(process.version))
            if process.status == "refused" and process.reason != "not-python":
                why = WHY_REFUSED.get(process.reason, process.reason)
                self._say("warn", f"no stacks, CPU and memory only: {why}")

    def _broken(self, why: str) -> None:
        """The sampler's stream is at its end before we have said so: with the link, or damaged."""
        if "damaged" in why:
            self._say("warn", f"no stacks any more: {why}")

    # After a cut

    def _again(self, reason: str | None) -> None:
        where = self._link.address.text
        cut_ns = self._told_ns
        why = reason or "the far end has ended"
        self._say("warn", f"the link to {where} was cut: {why}; trying again")
        self._link.close()
        if self._probe is not None:
            self._probe.stop()
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.wait(pause_s):
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            link = self._link.another(self._again_order)
            try:
                link.connect(again=True)
            except (LinkError, AddressError, OSError) as error:
                now_ns = time.monotonic_ns()
                if isinstance(error, LinkError) and error.kind == "gone":
                    self._log.extend(
                        [
                            Gap(cut_ns, now_ns, f"the link to {where} was cut"),
                            Notice(now_ns, "info", "the process ended while the link was cut"),
                            Exit(now_ns, self._target.pid, None, None),
                        ]
                    )
                    self._target.tell(Exit(now_ns, self._target.pid, None, None))
                    return
                if (now_ns - cut_ns) / NS_PER_S > GIVE_UP_S:
                    self._say("warn", f"given up after {GIVE_UP_S / 60:.0f} minutes: {error}")
                    self.lost = True
                    self._target.tell(None)
                    return
                continue
            self._carry.begin_anew()
            now_ns = time.monotonic_ns()
            away_s = (now_ns - cut_ns) / NS_PER_S
            text = f"linked to {where} again: nothing was measured for {away_s:.1f} s"
            if self._target.launched:
                text += ", and what the program writes is not seen any more"
            self._log.extend(
                [
                    Gap(cut_ns, now_ns, f"the link to {where} was cut"),
                    Notice(now_ns, "warn", text),
                ]
            )
            self._told_ns = now_ns
            self._open(link)
            return

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))


def _in_our_time(record: Record, clock: FarClock, not_before_ns: int) -> Record:
    """Return a record with its times on our clock, none before the session."""
    times = {
        name: max(clock.near_ns(value), not_before_ns)
        for name in ("t_ns", "t0_ns", "t1_ns")
        if type(value := getattr(record, name, None)) is int
    }
    moved: Record = cast("Any", record)._replace(**times)
    return moved
