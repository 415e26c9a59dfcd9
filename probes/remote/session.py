"""`RemoteSession`: the session here of a target there.

What is made of the records is made here, as of a process of this machine: the same log, detectors,
recorder and store. A link that is cut ends nothing: what has come is recorded, it is linked again,
and the time between is a gap.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Literal

from perftui.probes.machine.quiet_threads import quiet_threads
from perftui.probes.process.opening import open_process
from perftui.probes.remote.link import ASKING_LIMIT_S, HELLO_LIMIT_S, Link
from perftui.probes.remote.links import FarLinks
from perftui.probes.remote.target import FarTarget
from perftui.probes.session_parts.base import BaseSession, new_log
from perftui.probes.session_parts.bounds import Bounds
from perftui.probes.session_parts.recording import place_of
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import LogLine, Overhead
from perftui.probes.target.output.lines import LineMaker
from perftui.probes.text.harmless import clean
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.source_lines import SourceLines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.remote.address import Address
    from perftui.probes.session_options import ProbeOptions, RecordOptions

_STOP_S = 3.0


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
        self._lines: dict[int, tuple[Literal["stdout", "stderr"], LineMaker]] = {
            1: ("stdout", LineMaker()),
            2: ("stderr", LineMaker()),
        }
        self._on_output: Callable[[int, bytes], None] | None = None
        bounds = Bounds(_count(hello.get("limit_bytes")), _count(hello.get("cores")))
        where = _where(link.address, hello)
        build = "t" if hello.get("free_threaded") else ""
        super().__init__(target, about, new_log(), options, bounds, record, place, where=where)
        self._links = FarLinks(
            self._log,
            target,
            link,
            order,
            hello,
            t_start_ns=self.store.status().t_start_ns,
            with_ours=self._with_ours,
            on_python=lambda version: self._seen_python(version + build),
            on_output=self._written,
        )

    def start(self, on_output: Callable[[int, bytes], None] | None) -> None:
        """Begin; as of `begin`."""
        self._on_output = on_output
        self._begin([("CPU and memory", self._links.start)])

    def _close(self) -> None:
        self._end([self._links])

    def _with_ours(self, overhead: Overhead) -> Overhead:
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

    def _written(self, stream: int, data: bytes) -> None:
        """Hand on what the program has written."""
        if self._on_output is not None:
            self._on_output(stream, data)
        elif stream in self._lines:
            name, maker = self._lines[stream]
            now_ns = time.monotonic_ns()
            self._log.extend([LogLine(now_ns, name, line) for line in maker.feed(data)])

    @property
    def lost(self) -> bool:
        """The far end was given up: nobody knows what became of the target."""
        return self._links.lost

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
