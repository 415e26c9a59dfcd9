"""`StackProbe`: a live stream of stacks out of a relay of short recordings.

py-spy writes only when it ends, so one recorder is always sampling while the next one starts:

    recorder k    ──spawn──READY━━━━━━━━━━━━━━━━━━SIGINT──data──►
    recorder k+1                          ──spawn──READY━━━━━━━━━━━━━━━━━━...

The old one is stopped only when the new one is READY, so a slow start costs overlap, never a
gap; each window is clipped to begin where the one before it ended, so nothing counts twice.
A recorder that fails, or a program that replaces itself by exec, is healed by the next recorder.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import time
from threading import Thread
from typing import TYPE_CHECKING

from perftui.probes.machine import rights
from perftui.probes.process.free_threaded import free_threaded_build, what_follows
from perftui.probes.spine.records import Notice
from perftui.probes.stacks import procfs
from perftui.probes.stacks.interpreters import InterpreterCount
from perftui.probes.stacks.pace import RelayPace
from perftui.probes.stacks.recorder import SamplerMissing, SpyRecorder, find_sampler
from perftui.probes.stacks.used_cpu import UsedCpu
from perftui.probes.stacks.window import WindowWriter
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.log import SessionLog
    from perftui.probes.spine.records import Severity
    from perftui.probes.stacks.recorder import Outcome, SpyRecording

_LONGEST_S = 6
"""A recorder that nobody stops ends by itself after so long."""
_TICK_S = 0.1
_STOP_LIMIT_S = 1.5
"""How long a recorder may take to write after it was told to stop."""
_READY_LIMIT_S = 5.0
_BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_SAY_AFTER = 3
"""Failures in a row before a word is said: a program that starts is not Python yet."""
_GIVEN_UP_RETRY_S = 5.0
_NO_WINDOW_S = 3.0
"""Without a window for so long, the CPU of the time counts as not covered."""


class StackProbe:
    """Samples the stacks of one process until it ends or `stop` is called."""

    def __init__(
        self,
        log: SessionLog,
        pid: int,
        *,
        rate_hz: float = 100,
        window_s: float = 1.0,
        native: bool = False,
        on_ready: Callable[[], None] | None = None,
        sampler: str | None = None,
        cpu: UsedCpu | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            log: Where the records go.
            pid: The process to sample.
            rate_hz: Sweeps per second; lowered for a while if they cost too much.
            window_s: Length of a recording once the first, shorter ones are over.
            native: Show native frames too; stops the target for each sample.
            on_ready: Called once, on the probe's thread: when stacks are being taken, or when it
                is known that there will be none (a launched program waits for this).
            sampler: Path of py-spy, found by itself if None.
            cpu: What the process has used; one of its own from now on if None.
        """
        self._log = log
        self._pid = pid
        self._native = native
        self._on_ready = on_ready
        self._sampler = sampler
        self._pace = RelayPace(rate_hz, window_s)
        self._longest_s = max(_LONGEST_S, math.ceil(window_s) + _LONGEST_S - 1)
        self._cpu = cpu or UsedCpu(pid, born=False)
        self._writer = WindowWriter(log.tree, pid, self._cpu)
        self._thread = Thread(target=self._run, name=f"stacks {pid}", daemon=True)
        self._selector = selectors.DefaultSelector()
        self._wake_r, self._wake_w = os.pipe()
        self._stopping = False
        self._renew = False
        self._current: SpyRecorder | None = None
        self._next: SpyRecorder | None = None
        self._ending: list[SpyRecorder] = []
        self._failures = 0
        self._not_before_ns = 0
        self._said: set[str] = set()
        self._interpreters = InterpreterCount(pid)
        self._given_up_image: str | None = None
        self._looked_at_image = ""
        self._t_gone_ns: int | None = None

    @property
    def finished(self) -> bool:
        """True once the probe has ended: the process is gone, or `stop` was called."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def set_rate(self, rate_hz: float) -> None:
        """Change the wanted rate from the next recorder on."""
        self._pace.set_wanted(rate_hz)

    def renew(self) -> None:
        """The process has become another program: begin a new recorder now, not when it is due."""
        self._renew = True

    def start(self) -> None:
        """Begin to sample, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take the last window out of the recorder, append it, and return when all has ended."""
        self._stopping = True
        with contextlib.suppress(OSError):
            os.write(self._wake_w, b"x")
        if self._thread.ident is not None:
            self._thread.join()

    # The thread.

    def _run(self) -> None:
        pidfd = _open_pidfd(self._pid)
        try:
            self._selector.register(self._wake_r, selectors.EVENT_READ)
            if pidfd is not None:
                self._selector.register(pidfd, selectors.EVENT_READ)
            try:
                self._sampler = self._sampler or find_sampler()
            except SamplerMissing as missing:
                self._say("missing", "warn", str(missing))
            else:
                self._relay(pidfd)
        except Exception as error:
            # A person must see that there are no stacks from here on, and never a traceback.
            self._say("broken", "warn", f"stacks of process {self._pid} have ended: {error!r}")
        finally:
            for recorder in self._recorders():
                recorder.kill()
                recorder.finish(alive=False)
            self._call_ready()
            self._selector.close()
            os.close(self._wake_r)
            wake_w, self._wake_w = self._wake_w, -1
            os.close(wake_w)
            if pidfd is not None:
                os.close(pidfd)

    def _relay(self, pidfd: int | None) -> None:
        """Run until the target is gone or we are told to stop; then drain what is left."""
        while not self._stopping:
            self._start_next()
            ready = {key.fd for key, _ in self._selector.select(self._patience_s())}
            if self._wake_r in ready:
                break
            if pidfd in ready or not procfs.is_alive(self._pid):
                self._t_gone_ns = time.monotonic_ns()
                break
            self._writer.note_threads()
            self._attend()
            self._tell_unsampled()
        if self._next is not None and self._current is not None:
            self._retire(self._next).kill()
        for recorder in self._recorders():
            recorder.stop()
        if pidfd is not None:
            self._selector.unregister(pidfd)
        self._selector.unregister(self._wake_r)
        limit_ns = time.monotonic_ns() + round(_STOP_LIMIT_S * NS_PER_S)
        while self._recorders() and time.monotonic_ns() < limit_ns:
            self._selector.select(_TICK_S)
            self._attend()

    def _tell_unsampled(self) -> None:
        """There are no windows: say what CPU nobody has stacks of."""
        since_ns = self._cpu.last_told_t_ns
        if time.monotonic_ns() - since_ns > _NO_WINDOW_S * NS_PER_S:
            window = self._cpu.unsampled(since_ns)
            if window is not None:
                self._log.append(window)

    def _recorders(self) -> list[SpyRecorder]:
        return [*self._ending, *(r for r in (self._current, self._next) if r is not None)]

    def _patience_s(self) -> float:
        """How long nothing needs to be done unless a pipe speaks."""
        now = time.monotonic_ns()
        due = now + round(_TICK_S * NS_PER_S)
        if self._next is None:
            due = min(due, self._next_due_ns())
        return max(0.0, (due - now) / NS_PER_S)

    def _next_due_ns(self) -> int:
        """When the next recorder is to be spawned."""
        if self._renew or self._current is None or self._current.t_ready_ns is None:
            return self._not_before_ns
        end_ns = self._current.t_ready_ns + self._pace.window_ns - self._pace.start_ns
        return max(end_ns, self._not_before_ns)

    def _start_next(self) -> None:
        if self._next is not None or time.monotonic_ns() < self._next_due_ns():
            return
        if self._given_up_image is not None and not self._worth_another_try():
            self._not_before_ns = time.monotonic_ns() + round(_BACK_OFF_S[0] * NS_PER_S)
            return
        image = procfs.image_of(self._pid)
        if image != self._looked_at_image:
            self._looked_at_image = image
            if build := free_threaded_build(self._pid):
                self._failed("free_threaded", build)
                return
        assert self._sampler is not None
        try:
            recorder = SpyRecorder(
                self._sampler, self._pid, self._pace.rate_hz, self._longest_s, native=self._native
            )
        except OSError as error:
            self._failed("failed", f"{self._sampler} cannot be started: {error.strerror}")
            return
        self._next = recorder
        self._renew = False
        for fd in recorder.open_fds():
            self._selector.register(fd, selectors.EVENT_READ)

    def _attend(self) -> None:
        """Read all pipes, move recorders on to their next state."""
        for recorder in self._recorders():
            for fd in recorder.open_fds():
                if not recorder.read(fd):
                    self._selector.unregister(fd)
        if self._next is not None and self._next.t_ready_ns is not None:
            self._hand_over(self._next)
        now = time.monotonic_ns()
        older_at_work = False
        for recorder in self._recorders():
            since_ns = recorder.t_stop_ns or recorder.t_spawn_ns
            limit_s = _STOP_LIMIT_S if recorder.t_stop_ns else _READY_LIMIT_S
            stuck = recorder.t_stop_ns is not None or recorder.t_ready_ns is None
            if stuck and now - since_ns > limit_s * NS_PER_S:
                recorder.kill()
            # Windows are written in their order: a later one waits for an earlier one.
            if recorder.ended and (recorder is self._next or not older_at_work):
                self._retire(recorder)
                self._take(recorder.finish(alive=procfs.is_alive(self._pid)))
            else:
                older_at_work = True

    def _hand_over(self, recorder: SpyRecorder) -> None:
        """The new recorder is sampling: stop the old one."""
        assert recorder.t_ready_ns is not None
        self._pace.started(recorder.t_ready_ns - recorder.t_spawn_ns)
        if self._current is not None:
            self._current.stop()
            self._ending.append(self._current)
        self._current, self._next = recorder, None
        self._failures = 0
        self._given_up_image = None
        if self._said & {"not_python", "free_threaded", "denied", "unsupported", "failed"}:
            self._said -= {"not_python", "free_threaded", "denied", "unsupported", "failed"}
            self._say("healed", "info", f"process {self._pid}: stacks are being sampled now")
            self._said.discard("healed")
        self._call_ready()

    def _retire(self, recorder: SpyRecorder) -> SpyRecorder:
        """Forget a recorder."""
        if recorder is self._current:
            self._current = None
        elif recorder is self._next:
            self._next = None
        else:
            self._ending.remove(recorder)
        for fd in recorder.open_fds():
            self._selector.unregister(fd)
        return recorder

    def _take(self, recording: SpyRecording) -> None:
        """Append what a recorder brought home, or find out why it brought nothing."""
        count = self._interpreters.look()
        if count > 1:
            self._say(
                "interpreters",
                "warn",
                f"process {self._pid} has {count} interpreters, of which py-spy reads one: stacks "
                "of the others are missing; our own sampler reads all (--sampler auto)",
            )
        if recording.data:
            records = self._writer.write(recording, self._t_gone_ns)
            self._log.extend(records)
            said = self._pace.cost(recording)
            if said:
                self._say(said, "info", f"process {self._pid}: {said}")
                self._said.discard(said)
        if self._stopping or self._t_gone_ns is not None:
            return
        if not recording.data and recording.outcome not in ("gone", "ok", "behind"):
            self._failed(recording.outcome, recording.message)

    def _failed(self, outcome: Outcome, message: str) -> None:
        """Wait before the next try, and say so when it is no mere beginning."""
        if outcome == "not_python" and (build := free_threaded_build(self._pid)):
            outcome, message = "free_threaded", build
        step = min(self._failures, len(_BACK_OFF_S) - 1)
        self._failures += 1
        # While another recorder runs nothing is lost yet: a killed one is replaced at once.
        wait_s = _BACK_OFF_S[step]
        self._not_before_ns = time.monotonic_ns() + round(wait_s * NS_PER_S)
        # A process that will be Python in a moment maps its library at once; /bin/sleep never.
        final = outcome in ("unsupported", "free_threaded") or (
            outcome == "not_python" and procfs.looks_python(self._pid) is False
        )
        if not final and self._failures < _SAY_AFTER:
            return
        if outcome == "killed" and self._current is not None:
            return
        self._given_up_image = procfs.image_of(self._pid)
        self._not_before_ns = time.monotonic_ns() + round(_GIVEN_UP_RETRY_S * NS_PER_S)
        self._explain(outcome, message)
        self._call_ready()

    def _explain(self, outcome: Outcome, message: str) -> None:
        first = next(iter(message.splitlines()), "no reason given").removeprefix("Error: ")
        pid = self._pid
        if outcome == "not_python":
            self._say(
                outcome,
                "info",
                f"process {pid} is not a Python process: no stacks, CPU and memory only",
            )
        elif outcome == "free_threaded":
            text = what_follows(message, inside=False)
            self._say(outcome, "warn", f"process {pid}: {text}")
        elif outcome == "unsupported":
            self._say(outcome, "warn", f"process {pid}: no stacks, py-spy says: {first}")
        elif outcome == "denied":
            right = rights.can_trace(pid)
            reason = first if right.ok else right.reason
            remedy = right.remedy or "run perftui with sudo"
            self._say(outcome, "warn", f"no stacks of process {pid}: {reason}; {remedy}")
        else:
            self._say(outcome, "warn", f"no stacks of process {pid} for now: {first}")

    def _worth_another_try(self) -> bool:
        """After giving up: try on when the process became another program, or may be read now."""
        if procfs.image_of(self._pid) != self._given_up_image:
            self._given_up_image = None
            self._failures = 0
            return True
        if self._said & {"unsupported", "free_threaded"}:
            return False
        if "not_python" in self._said:
            return procfs.looks_python(self._pid) is True
        return rights.can_trace(self._pid).ok

    def _say(self, key: str, severity: Severity, text: str) -> None:
        """Append a notice, once until it is healed."""
        if key not in self._said:
            self._said.add(key)
            self._log.append(Notice(time.monotonic_ns(), severity, text))

    def _call_ready(self) -> None:
        if self._on_ready is not None:
            call, self._on_ready = self._on_ready, None
            call()


def _open_pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process ends, None if not to be had."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
