"""`RemoteSession`: the session here of a target there.

What is made of the records is made here, as of a process of this machine: the same log, detectors,
recorder and store. A link that is cut ends nothing: what has come is recorded, it is linked again,
and the time between is a gap.
"""

from __future__ import annotations

import os
import signal
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal, cast

from perftui.probes.machine.quiet_threads import quiet_threads
from perftui.probes.process.opening import open_process
from perftui.probes.remote.address import AddressError
from perftui.probes.remote.carry import Carry
from perftui.probes.remote.link import ASKING_LIMIT_S, HELLO_LIMIT_S, Link, LinkError
from perftui.probes.remote.stacks import FarSamplerStream, FarStackProbe
from perftui.probes.session_parts.base import BaseSession, new_log
from perftui.probes.session_parts.bounds import Bounds
from perftui.probes.session_parts.recording import place_of
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Exit, Gap, LogLine, Metric, Notice, Overhead
from perftui.probes.stacks.sources import WHY_REFUSED, version_text
from perftui.probes.target.output.lines import LineMaker
from perftui.probes.text.harmless import clean
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.source_lines import SourceLines
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.remote.address import Address
    from perftui.probes.remote.clock import FarClock
    from perftui.probes.session_options import ProbeOptions, RecordOptions
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Record, Severity
    from perftui.probes.stacks.own.records import ProcessRecord

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
GIVE_UP_S = 600.0
"""A far end that cannot be reached again for so long is not tried any more."""
_STOP_S = 3.0


class FarTarget:
    """The target, as far as is known here."""

    mark = None

    def __init__(self, pid: int, *, launched: bool) -> None:
        self.pid = pid
        self.launched = launched
        self.exit: Exit | None = None
        self._ended = Event()

    def tell(self, exit_: Exit | None) -> None:
        """It has ended, or nobody can say any more."""
        self.exit = exit_
        self._ended.set()

    def alive(self) -> bool:
        """Tell whether it still runs, as far as is known."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it did not come in time."""
        return self._ended.wait(timeout_s)


class FarLinks:
    """The links of a session, one after another. To the session it is what measures.

    Args:
        session: Whose.
        link: Connected, and not listened to yet.
        hello: What its far end has said.
    """

    def __init__(self, session: RemoteSession, link: Link, hello: Mapping[str, Any]) -> None:
        self._session = session
        self._link = link
        self._key = hello.get("key")
        self._carry = Carry()
        self._stopping = Event()
        self._changing = Lock()
        self._stream: FarSamplerStream | None = None
        self._probe: FarStackProbe | None = None
        self._told_ns = time.monotonic_ns()

    # What a session asks of those that measure

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

    def take_at(self, rate_hz: float) -> None:
        """Have the sampler there aim at another rate."""
        self.order({"do": "rate", "rate_hz": rate_hz})

    def order(self, order: dict[str, Any]) -> None:
        """Say something to the far end."""
        self._link.order(order)

    # What comes

    def _open(self, link: Link) -> None:
        session = self._session
        stream = FarSamplerStream(link.clock)
        probe = FarStackProbe(
            session.log, session.pid, stream, lambda: self._told_ns, self._news, self._broken
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
        session = self._session
        told: list[Record] = []
        ended: Exit | None = None
        for record in batch:
            here = self._carry.take(_in_our_time(record, clock, session.t_start_ns))
            if here is None:
                continue
            if isinstance(here, Overhead):
                here = session.with_ours(here)
            elif isinstance(here, Metric):
                self._told_ns = max(self._told_ns, here.t_ns)
            elif isinstance(here, Exit):
                self._carry.ended(here.pid)
                if here.pid == session.pid:
                    ended = here
            told.append(here)
        session.log.extend(told)
        if ended is not None:
            session.far_target.tell(ended)

    def sampler(self, data: bytes) -> None:
        """Hand on what the sampler says."""
        if self._stream is not None:
            self._stream.put(data)

    def output(self, stream: int, data: bytes) -> None:
        """Hand on what the program has written."""
        self._session.written(stream, data)

    def ended(self, link: Link, reason: str | None) -> None:
        """The link is at its end: by goodbye, or cut."""
        self._end_stream()
        if link.ending or self._stopping.is_set() or not self._session.far_target.alive():
            return
        Thread(target=self._again, args=(reason,), name="far-again", daemon=True).start()

    def _news(self, process: ProcessRecord) -> None:
        """The sampler tells about a process."""
        session = self._session
        if process.pid == session.pid:
            if process.version:
                session.seen_python(version_text(process.version))
            if process.status == "refused" and process.reason != "not-python":
                why = WHY_REFUSED.get(process.reason, process.reason)
                session.say("warn", f"no stacks, CPU and memory only: {why}")

    def _broken(self, why: str) -> None:
        """The sampler's stream is at its end before we have said so: with the link, or damaged."""
        if "damaged" in why:
            self._session.say("warn", f"no stacks any more: {why}")

    # After a cut

    def _again(self, reason: str | None) -> None:
        session = self._session
        where = session.address.text
        cut_ns = self._told_ns
        why = reason or "the far end has ended"
        session.say("warn", f"the link to {where} was cut: {why}; trying again")
        self._link.close()
        if self._probe is not None:
            self._probe.stop()
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.wait(pause_s):
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            link = session.another_link(self._key)
            try:
                link.connect(again=True)
            except (LinkError, AddressError, OSError) as error:
                now_ns = time.monotonic_ns()
                if isinstance(error, LinkError) and error.kind == "gone":
                    session.log.extend(
                        [
                            Gap(cut_ns, now_ns, f"the link to {where} was cut"),
                            Notice(now_ns, "info", "the process ended while the link was cut"),
                            Exit(now_ns, session.pid, None, None),
                        ]
                    )
                    session.far_target.tell(Exit(now_ns, session.pid, None, None))
                    return
                if (now_ns - cut_ns) / NS_PER_S > GIVE_UP_S:
                    session.say("warn", f"given up after {GIVE_UP_S / 60:.0f} minutes: {error}")
                    session.lost = True
                    session.far_target.tell(None)
                    return
                continue
            self._carry.begin_anew()
            now_ns = time.monotonic_ns()
            away_s = (now_ns - cut_ns) / NS_PER_S
            text = f"linked to {where} again: nothing was measured for {away_s:.1f} s"
            if session.launched:
                text += ", and what the program writes is not seen any more"
            session.log.extend(
                [
                    Gap(cut_ns, now_ns, f"the link to {where} was cut"),
                    Notice(now_ns, "warn", text),
                ]
            )
            self._told_ns = now_ns
            self._open(link)
            return


def _in_our_time(record: Record, clock: FarClock, not_before_ns: int) -> Record:
    """Return a record with its times on our clock, none before the session."""
    times = {
        name: max(clock.near_ns(value), not_before_ns)
        for name in ("t_ns", "t0_ns", "t1_ns")
        if type(value := getattr(record, name, None)) is int
    }
    moved: Record = cast("Any", record)._replace(**times)
    return moved


class RemoteSession(BaseSession):
    """A session whose target runs elsewhere. Make one with `begin`."""

    @classmethod
    def begin(
        cls,
        address: Address,
        options: ProbeOptions,
        record: RecordOptions,
        *,
        argv: Sequence[str] | None = None,
        title: str | None = None,
        folder: str | None = None,
        python: str | None = None,
        far: str | None = None,
        asking: bool = False,
        on_output: Callable[[int, bytes], None] | None = None,
    ) -> RemoteSession:
        """Reach the far end, and watch.

        Args:
            address: With a process to attach to, or where a program is to be started.
            options: What is measured.
            record: Whether and where it is recorded, here.
            argv: What to start there; None: attach.
            title: What that is called.
            folder: Where it is started there.
            python: The interpreter there for our far end.
            far: A line of shell that starts an installed perftui's far end there.
            asking: There is a person who may have to type a password.
            on_output: Takes what a program that was started there writes, with the number of
                its stream; None: it goes into the log, line by line.

        Raises:
            LinkError: the far end cannot be had.
            AddressError: nothing here reaches it.
            FileExistsError: another session is being recorded at the path that was asked for.
        """
        order: dict[str, Any] = {
            "stacks": options.stacks,
            "rate_hz": options.stack_rate_hz,
            "metrics_hz": options.metrics_rate_hz,
        }
        if argv is None:
            order["pid"] = address.pid
        else:
            order |= {"argv": list(argv), "folder": folder}
        link = Link(address, order, python, far)
        hello = link.connect(limit_s=ASKING_LIMIT_S if asking else HELLO_LIMIT_S)
        try:
            words = tuple(clean(str(word)) for word in hello["argv"])
            known = redact_argv(words if argv is None else tuple(argv))
            called = title or _short(known) or f"pid {hello['pid']}"
            about = Target(
                f"{called} on {address.text}",
                known,
                hello["pid"],
                python=_text(hello.get("free_threaded")),
                launched=argv is not None,
                agent=False,
            )
            place = place_of(record, called)
            SourceLines.elsewhere = True
            target = FarTarget(hello["pid"], launched=argv is not None)
            with quiet_threads():
                session = cls(link, hello, order, target, about, options, record, place)
                session.start(on_output)
        except BaseException:
            link.close()
            raise
        return session

    def __init__(
        self,
        link: Link,
        hello: Mapping[str, Any],
        order: Mapping[str, Any],
        target: FarTarget,
        about: Target,
        options: ProbeOptions,
        record: RecordOptions,
        place: RecordingPlace | None,
    ) -> None:
        self.address = link.address
        self.lost = False
        """The far end was given up: nobody knows what became of the target."""
        self.far_target = target
        self._link = link
        self._far_hello = hello
        self._order = order
        self._lines: dict[int, tuple[Literal["stdout", "stderr"], LineMaker]] = {
            1: ("stdout", LineMaker()),
            2: ("stderr", LineMaker()),
        }
        self._on_output: Callable[[int, bytes], None] | None = None
        bounds = Bounds(_count(hello.get("limit_bytes")), _count(hello.get("cores")))
        where = _where(link.address, hello)
        super().__init__(target, about, new_log(), options, bounds, record, place, where=where)
        self._links = FarLinks(self, link, hello)

    def start(self, on_output: Callable[[int, bytes], None] | None) -> None:
        """Begin; as of `begin`."""
        self._on_output = on_output
        self._begin([("CPU and memory", self._links.start)])

    def _close(self) -> None:
        self._end([self._links])

    # What its links ask

    @property
    def log(self) -> SessionLog:
        """Where the records go."""
        return self._log

    @property
    def t_start_ns(self) -> int:
        """The session's begin."""
        return self.store.status().t_start_ns

    def say(self, severity: Severity, text: str) -> None:
        """Put a notice into the log."""
        self._say(severity, text)

    def seen_python(self, version: str) -> None:
        """The far sampler has read the target's version."""
        build = "t" if self._far_hello.get("free_threaded") else ""
        self._seen_python(version + build)

    def another_link(self, key: object) -> Link:
        """Return a link to the same process."""
        order = {k: v for k, v in self._order.items() if k not in ("argv", "folder")}
        order |= {"pid": self.pid, "key": key}
        return self._link.another(order)

    def with_ours(self, overhead: Overhead) -> Overhead:
        """Return what both ends cost together."""
        recorder_s = 0.0 if self._recorder is None else self._recorder.cpu_s()
        own = open_process(os.getpid())
        rss = own.fast(0).rss_bytes
        own.close()
        return overhead._replace(
            cpu_s=overhead.cpu_s + time.process_time() + recorder_s,
            rss_bytes=overhead.rss_bytes + rss,
            dropped_records=overhead.dropped_records + self._dropped(),
        )

    def written(self, stream: int, data: bytes) -> None:
        """Hand on what the program has written."""
        if self._on_output is not None:
            self._on_output(stream, data)
        elif stream in self._lines:
            name, maker = self._lines[stream]
            now_ns = time.monotonic_ns()
            self._log.extend([LogLine(now_ns, name, line) for line in maker.feed(data)])

    # What is asked of it

    shares_terminal = False

    def send(self, signum: int) -> None:
        """Send a signal to a program that was started there."""
        if self.launched:
            self._links.order({"do": "signal", "number": int(signum)})

    def stop_target(self) -> None:
        """End a program that was started there: politely, then firmly."""
        self.send(signal.SIGTERM)
        if self.launched and not self._target.wait(_STOP_S):
            self.send(signal.SIGKILL)
            self._target.wait(_STOP_S)


def _short(argv: tuple[str, ...]) -> str:
    """Return a command line without the folder of its program."""
    return " ".join((argv[0].rpartition("/")[2], *argv[1:])) if argv else ""


def _text(value: object) -> str | None:
    return clean(value)[:200] if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _where(address: Address, hello: Mapping[str, Any]) -> Mapping[str, object]:
    """Return what is kept of where it was measured."""
    machine = {
        "platform": "linux",
        "kernel": _text(hello.get("kernel")),
        "architecture": _text(hello.get("architecture")),
        "cpu_model": _text(hello.get("cpu_model")),
        "cpu_count": hello.get("cpu_count") if type(hello.get("cpu_count")) is int else None,
        "ram_bytes": hello.get("ram_bytes") if type(hello.get("ram_bytes")) is int else None,
    }
    where = {"address": address.text, "host": _text(hello.get("host"))}
    return {"far": {**where, "machine": machine}}
