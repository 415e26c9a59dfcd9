"""The far end itself: orders in, what the probes say out.

    {"do": "begin", "pid": N | "argv": [...], "key": ..., "stacks": bool, "rate_hz", "metrics_hz"}
    {"do": "ping", "n": N}     answered at once with the time here
    {"do": "signal", "number": N}          to a program that was started here
    {"do": "end"}              the last words, then BYE

The near end's going is an order to end as well; a program that was started here goes on, and its
output is read on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from perftui.probes.machine.cores import usable_cores
from perftui.probes.machine.memory import memory_limit
from perftui.probes.machine.rights import can_trace
from perftui.probes.process.face import ProcessGone
from perftui.probes.process.free_threaded import free_threaded_build
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.process.opening import open_process
from perftui.probes.remote import frames
from perftui.probes.remote.far.programs import FarProgram
from perftui.probes.remote.far.speech import Speech
from perftui.probes.remote.far.stacks import FarSampler
from perftui.probes.resident.probe import ResidentProbe
from perftui.probes.spine.records import Notice
from perftui.probes.stacks import procfs
from perftui.probes.target.target import AttachedTarget, LaunchError
from perftui.probes.text.redact import redact_argv
from perftui.probes.version import __version__

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from perftui.probes.spine.records import Exit

SEND_EVERY_S = 0.25
_EAGER_S, _EAGER_FOR_S = 0.05, 2.0
_QUIET_S = 0.5
"""A program that sleeps is told of as seldom as this."""
_QUIET_BYTES = 2_000
_SILENT_S = 0.5
"""A process that is a Python is seen to be one by then."""
_LAST_OUTPUT_S = 2.0
"""What a program wrote last is waited for so long: children may hold its output open."""


def main(stream: BinaryIO, sampler: str, held: int = -1) -> int:
    """Serve one near end; returns the exit code.

    Args:
        stream: What it says.
        sampler: The folder of the sampler's package, be it in an archive.
        held: The descriptor behind the archive; -1: there is none.
    """
    # Not ignored: what is started here would inherit that.
    for number in (signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    # What prints is no frame: nothing but us may write where they go.
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    speech = Speech(out)
    orders = _Orders(stream)
    begin = orders.take(60.0)
    if begin is None or begin.get("do") != "begin":
        return 96
    try:
        return FarEnd(speech, orders, sampler, held, begin).serve()
    except _Sorry as sorry:
        kind, text = sorry.args
        speech.send_plain(frames.MAGIC + frames.said(frames.SORRY, {"kind": kind, "text": text}))
        return 2


class _Sorry(Exception):
    """It cannot be: kind, and why."""


class _Orders:
    """Takes the near end's orders on a thread of their own; pings are answered there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.came = Event()
        self.speech: Speech | None = None
        Thread(target=self._run, name="orders", daemon=True).start()

    def take(self, timeout_s: float = 0.0) -> dict[str, Any] | None:
        """Return the next one; None if none has come."""
        try:
            return self._queue.get(timeout_s > 0, timeout_s or None)
        except Empty:
            return None

    def _run(self) -> None:
        with suppress(OSError, ValueError):
            while True:
                head = self._stream.read(frames.HEAD.size)
                if len(head) < frames.HEAD.size:
                    break
                kind, size = frames.HEAD.unpack(head)
                if kind != frames.ORDER or size > frames.MOST_FRAME:
                    break
                order = frames.told(self._stream.read(size))
                if self.speech is not None:
                    self.speech.heard_s = time.monotonic()
                if order.get("do") == "ping" and self.speech is not None:
                    # The answer says when the question came, however long it waits to be sent.
                    now = {"n": order.get("n"), "mono_ns": time.monotonic_ns()}
                    self.speech.pongs.append(now)
                else:
                    self._queue.put(order)
                self.came.set()
        self._queue.put({"do": "end", "gone": True})
        self.came.set()


def _cpu_model() -> str | None:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return None


class FarEnd:
    """One session's measuring.

    Args:
        speech: To the near end.
        orders: From it.
        sampler, held: As of `main`.
        begin: The first order.
    """

    def __init__(
        self, speech: Speech, orders: _Orders, sampler: str, held: int, begin: dict[str, Any]
    ) -> None:
        self._speech = speech
        self._orders = orders
        self._begin = begin
        self._stacks = bool(begin.get("stacks", True))
        self._program: FarProgram | None = None
        self._target = self._found() if "pid" in begin else self._started()
        self._sampler: FarSampler | None = None
        pid = self._target.pid
        right = can_trace(pid)
        self._right = right
        if self._stacks and not right.ok and self._program is None and self._target.alive():
            rest = "with --no-stacks CPU and memory are seen"
            raise _Sorry("no-right", "; ".join(filter(None, (right.reason, right.remedy, rest))))
        linux = sys.platform.startswith("linux")
        if self._stacks and linux and (right.ok or self._program is not None):
            try:
                self._sampler = FarSampler(sampler, held, float(begin.get("rate_hz", 100.0)))
            except OSError as error:
                speech.append(
                    Notice(
                        time.monotonic_ns(),
                        "warn",
                        f"no stacks: the sampler cannot be started there ({error.strerror})",
                    )
                )
        self._metrics = MetricProbe(
            speech,  # type: ignore[arg-type]  # it appends and extends: all that they ask for
            pid,
            mark=self._target.mark,
            attached=self._program is None,
            rate_hz=float(begin.get("metrics_hz", 20.0)),
            own_cpu_s=self._sampler_cpu_s,
            dropped=lambda: speech.dropped,
        )
        self._resident = ResidentProbe(speech, self._metrics.pids)  # type: ignore[arg-type]
        self._known = {pid}
        self._looked = self._said_ended = False
        self._began_s = time.monotonic()

    def _found(self) -> AttachedTarget:
        pid = int(self._begin["pid"])
        try:
            target = AttachedTarget(pid)
            key = open_process(pid).start_key
        except ProcessGone:
            raise _Sorry("gone", f"there is no process {pid}") from None
        wanted = self._begin.get("key")
        if wanted is not None and wanted != key:
            raise _Sorry("gone", f"process {pid} has ended, and another one has its number")
        return target

    def _started(self) -> FarProgram:
        try:
            self._program = FarProgram(
                [str(word) for word in self._begin["argv"]],
                self._speech,
                self._begin.get("folder"),
                {str(name): str(value) for name, value in self._begin.get("environ", {}).items()},
            )
        except LaunchError as error:
            raise _Sorry("launch", str(error)) from None
        return self._program

    def _sampler_cpu_s(self) -> float:
        if self._sampler is None or self._sampler.ended:
            return 0.0
        with suppress(ProcessGone):
            return open_process(self._sampler.pid).fast(0).cpu_s
        return 0.0

    def _hello(self) -> None:
        pid = self._target.pid
        limit = memory_limit(pid)
        try:
            reader = open_process(pid)
            key, argv = reader.start_key, reader.argv()
            reader.close()
        except ProcessGone:
            if self._program is None:
                raise _Sorry("gone", f"process {pid} has ended") from None
            key, argv = None, tuple(self._begin["argv"])  # it was brief
        said = {
            "protocol": frames.PROTOCOL,
            "perftui": __version__,
            "speaks": "own",
            "mono_ns": time.monotonic_ns(),
            "wall_ns": time.time_ns(),
            "host": os.uname().nodename,
            "kernel": os.uname().release,
            "architecture": os.uname().machine,
            "cpu_count": os.cpu_count(),
            "cpu_model": _cpu_model(),
            "ram_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "python": ".".join(map(str, sys.version_info[:3])),
            "end_pid": os.getpid(),
            "pid": pid,
            "key": key,
            "argv": redact_argv(argv),
            "free_threaded": free_threaded_build(pid),
            "cores": usable_cores(pid),
            "limit_bytes": limit.limit_bytes if limit else None,
            "stacks": self._sampler is not None,
        }
        self._speech.send_plain(frames.MAGIC + frames.said(frames.HELLO, said))

    def serve(self) -> int:
        """Measure until told to end."""
        self._hello()
        speech = self._orders.speech = self._speech
        speech.heard_s = time.monotonic()
        self._metrics.start()
        self._resident.start()
        if self._sampler is not None:
            born = "add" if self._program is None else "born"
            self._sampler.tell(f"{born} {self._target.pid}")
        self._target.watch(self._ended)
        gone = False
        while not (speech.closed or speech.deaf):
            size = self._send()
            order = self._orders.take()
            if order is not None:
                if order.get("do") == "end":
                    gone = bool(order.get("gone"))
                    break
                self._obey(order)
                continue
            eager = time.monotonic() - self._began_s < _EAGER_FOR_S
            pause_s = _EAGER_S if eager else SEND_EVERY_S if size > _QUIET_BYTES else _QUIET_S
            self._orders.came.wait(pause_s)
            self._orders.came.clear()
        if gone or speech.deaf:
            speech.close()
        self._end()
        speech.close()
        if self._program is not None and self._target.alive():
            self._program.wait()  # its output is read on: it must not find that we have gone
        return 0

    def _obey(self, order: dict[str, Any]) -> None:
        if order.get("do") == "signal" and self._program is not None:
            self._program.send(int(order["number"]))

    def _send(self) -> int:
        """Send what there is; returns how much it was before it was packed."""
        speech = self._speech
        if self._sampler is not None:
            for pid in set(self._metrics.pids()) - self._known:
                self._known.add(pid)
                self._sampler.tell(f"born {pid}")
            data = self._sampler.take()
            if data:
                speech.say(frames.SAMPLER, data)
            if not self._looked and time.monotonic() - self._began_s > _SILENT_S:
                self._looked = True
                self._say_if_not_python()
            if self._sampler.ended and not self._said_ended:
                self._said_ended = True
                text = "no stacks any more: the sampler has ended there"
                speech.append(Notice(time.monotonic_ns(), "warn", text))
        while speech.pongs:
            pong = {**speech.pongs.popleft(), "sent_ns": time.monotonic_ns()}
            speech.send_plain(frames.said(frames.PONG, pong))
        size = speech.waiting_bytes
        if size:
            speech.send()
        return size

    def _say_if_not_python(self) -> None:
        """The sampler looks again and again at what runs: of what is no Python it says nothing."""
        pid = self._target.pid
        if procfs.looks_python(pid) is False:
            text = f"process {pid} is not a Python process: no stacks, CPU and memory only"
            self._speech.append(Notice(time.monotonic_ns(), "info", text))

    def _ended(self, exit_: Exit) -> None:
        if self._program is not None:
            until_s = time.monotonic() + _LAST_OUTPUT_S
            for drain in self._program.drains:
                drain.join(max(until_s - time.monotonic(), 0.0))
        self._speech.append(exit_)
        self._orders.came.set()

    def _end(self) -> None:
        """The last words."""
        if isinstance(self._target, AttachedTarget):
            self._target.leave()
        if self._sampler is not None:
            last = self._sampler.end()
            if last:
                self._speech.say(frames.SAMPLER, last)
        self._resident.stop()
        self._metrics.stop()
        self._speech.say(frames.BYE, b"{}")
        self._speech.send()
