"""What every session has, wherever its target runs: the log, the store, the recorder and the
detectors, a begin and an end. Who measures, and what a target can be asked, is each kind's own.
"""

from __future__ import annotations

import signal
import time
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.probes.session_parts.recording import started_recorder
from perftui.probes.session_parts.requests import SessionRequests
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.probe_thread import say_failed
from perftui.probes.spine.records import Mark, Notice
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.store import Store
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.session_options import ProbeOptions, RecordOptions
    from perftui.probes.session_parts.bounds import Bounds
    from perftui.probes.session_parts.faces import SessionTarget, Stops
    from perftui.probes.spine.log import Sink
    from perftui.probes.spine.reader import Target
    from perftui.probes.spine.records import Exit, Record, Severity


def new_log() -> SessionLog:
    """Return a log whose stacks are weighed by whose code they are."""
    weigher = Weigher()
    log = SessionLog(weigher.weigh)
    weigher.know(log.tree)
    return log


class BaseSession:
    """A running session, of whatever kind.

    Args:
        target: What is watched.
        about: What is known of it.
        log: Where the records go.
        options: What is measured.
        bounds: What the target may use.
        record: Whether and how it is recorded.
        place: Where; None: it is not.
        channel: To the target's agent; None: it has none.
        also: Gets all that the log gets, from the first record on.
        where: What else is to be said of the session in its recording.
    """

    shares_terminal = True
    """What the terminal sends us, a target that we launched headless gets by itself."""

    def __init__(
        self,
        target: SessionTarget,
        about: Target,
        log: SessionLog,
        options: ProbeOptions,
        bounds: Bounds,
        record: RecordOptions,
        place: RecordingPlace | None,
        *,
        channel: AgentChannel | None = None,
        also: Sink | None = None,
        where: Mapping[str, object] | None = None,
    ) -> None:
        self._target = target
        self._about = about
        self._log = log
        self._closing = Lock()
        self._closed = False
        self.store = Store(log.tree, about, brief=options.seldom)
        log.connect(self.store)
        if also is not None:
            log.connect(also)
        self.spikes = SpikeFinder(self.store)
        """Whoever shows or ends the session moves it on."""
        self.limit_bytes = bounds.limit_bytes
        """Memory that the target may use, None if there is no limit, or nobody can say."""
        t_start_ns = self.store.status().t_start_ns
        self._recorder = (
            None
            if place is None
            else started_recorder(
                log,
                about,
                record,
                place,
                t_start_ns=t_start_ns,
                options=options,
                limit_bytes=bounds.limit_bytes,
                cores=bounds.cores,
                say=self._say,
                also=where,
            )
        )
        judge = Judge(
            log.tree,
            target.pid,
            t_start_ns,
            limit_bytes=bounds.limit_bytes,
            cores=bounds.cores,
            call_tree=self.store.call_tree if options.stacks else None,
            blame=self.store.blame,
        )
        self._detectors = DetectorProbe(log, judge)
        log.connect(self._detectors)
        self._requests = SessionRequests(target, channel, lambda: self._about.agent)

    # For each kind of session

    def _begin(self, steps: Iterable[tuple[str, Callable[[], None]]]) -> None:
        """Start the probes; one that cannot start is missing, and the session goes on.

        Args:
            steps: What is missing if it cannot start, and how it is started.
        """
        for what, start in (("the detectors", self._detectors.start), *steps):
            try:
                start()
            except Exception as error:
                say_failed(self._log, what, error)

    def _end(self, probes: Iterable[Stops | None]) -> None:
        """Stop the probes, and read what is left."""
        # In this order: the detectors see the last records, the recorder the last alerts.
        for probe in (*probes, self._detectors, self._recorder):
            if probe is not None:
                try:
                    probe.stop()
                except Exception as error:  # the others are to come to their end
                    say_failed(self._log, f"closing ({type(probe).__name__})", error)

    def _close(self) -> None:
        """Let go of the target, and end what measures. Called once."""
        raise NotImplementedError

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))

    def _know(self, about: Target) -> None:
        self._about = about
        self.store.know_target(about)
        if self._recorder is not None:
            self._recorder.know_target(about)

    def _seen_python(self, version: str) -> None:
        """A sampler has read the target's version; an agent tells it better."""
        if not self._about.agent and self._about.python != version:
            self._know(self._about._replace(python=version))

    def _helpers_cpu_s(self) -> float:
        """Return the CPU seconds of our other processes, such as samplers and the recorder."""
        recorder_s = 0.0 if self._recorder is None else self._recorder.cpu_s()
        return self.store.sampler_cpu_s() + recorder_s

    def _dropped(self) -> int:
        """Return how many records were lost."""
        return 0 if self._recorder is None else self._recorder.overflowed

    # What a screen or a headless run asks of it

    @property
    def reader(self) -> Store:
        """Where every picture comes from."""
        return self.store

    @property
    def pid(self) -> int:
        """The target's process id."""
        return self._target.pid

    @property
    def launched(self) -> bool:
        """True if we started the target."""
        return self._target.launched

    def target_alive(self) -> bool:
        """Tell whether the target still runs."""
        return self._target.alive()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the target's end; False if it did not come in time."""
        return self._target.wait(timeout_s)

    def send(self, signum: int) -> None:
        """Send a signal to a target that we launched; what we found running gets none."""

    def interrupt(self) -> None:
        """Send SIGINT, as ctrl+c in its own terminal would."""
        self.send(signal.SIGINT)

    def stop_target(self) -> None:
        """End a target that we launched: politely, then firmly."""

    def leave_running(self) -> None:
        """Let the target go on alone. Nothing to do: it never depended on us."""

    def waits(self) -> bool:
        """Tell whether the target waits for an order now."""
        return False

    def release(self) -> None:
        """Ask the program to give back memory that it does not use; a notice tells what came.

        Raises:
            OSError: it cannot be asked.
        """
        self._requests.release()

    def list_tasks(self) -> None:
        """Ask the program for its asyncio tasks, now; it tells them by itself once a second.

        Raises:
            OSError: it cannot be asked.
        """
        self._requests.list_tasks()

    def trace_allocations(self, seconds: float) -> None:
        """Have the program trace its allocations for a while: tracemalloc, which costs it.

        Raises:
            OSError: it cannot be asked.
        """
        self._requests.trace_allocations(seconds)

    def own_cpu_s(self) -> float:
        """Return the CPU seconds of this process and of those that it has started, so far."""
        return time.process_time() + self._helpers_cpu_s()

    def append(self, *records: Record) -> None:
        """Put in what somebody beside the probes knows, such as phases of a notebook."""
        self._log.append(*records)

    def mark(self, name: str) -> None:
        """Put a mark into the log, now."""
        self._log.append(Mark(time.monotonic_ns(), self._target.pid, name))

    def recording(self) -> Path | None:
        """Return where the session is recorded, None if it is not."""
        return None if self._recorder is None else self._recorder.directory

    def uploaded_to(self) -> str | None:
        """Return the address where all of the recording is, None if it is not elsewhere."""
        uploader = getattr(self._recorder, "uploader", None)
        return uploader.address.shown if uploader is not None and uploader.whole else None

    def recording_note(self) -> str:
        """Return name and size of the recording for the footer, "" without one."""
        if self._recorder is None:
            return ""
        name = self._recorder.directory.name.removesuffix(".perftui")
        return f"rec {name}  {format_bytes(self._recorder.file_bytes)}"

    def exit(self) -> Exit | None:
        """Return how the target ended, None while it runs."""
        return self._target.exit

    def close(self) -> None:
        """Stop the probes and read what is left. The target is not touched."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._close()
