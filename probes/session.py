"""One session: a target, the probes on it, the log between, and the store that is read.

The order of a launch matters: the program is started and waits at the agent's gate; the stack
probe's first good stack opens the gate, so that even a short program is seen from its first
line. Whatever fails to measure says so in a notice; nothing that fails to measure stops the
target.
"""

from __future__ import annotations

import signal
import time
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, cast

from perftui.probes.agent_link.injection.channel import InjectedChannel
from perftui.probes.agent_link.reader import AgentProbe
from perftui.probes.allocations.probe import AllocationProbe
from perftui.probes.detect.inquirer import Inquirer
from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.probes.fleet.target import ClusterTarget, Hosts
from perftui.probes.machine.cores import usable_cores
from perftui.probes.machine.memory import memory_limit
from perftui.probes.machine.own_proc import proc_problem
from perftui.probes.machine.quiet_threads import quiet_threads
from perftui.probes.process.collections import OutsideCollections
from perftui.probes.process.free_threaded import free_threaded_build
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.resident.probe import ResidentProbe
from perftui.probes.session_options import NOT_RECORDED, ProbeOptions, RecordOptions
from perftui.probes.session_parts.launching import started, without_agent
from perftui.probes.session_parts.recording import place_of, started_recorder
from perftui.probes.session_parts.requests import SessionRequests
from perftui.probes.session_parts.stacks import IN_PROCESS_HZ, SessionStacks
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.probe_thread import say_failed
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import BY_TRACEMALLOC, Exit, Mark, Notice
from perftui.probes.stacks.own.weigher import Weigher
from perftui.probes.store.store import Store
from perftui.probes.target.left_behind import LeftBehind
from perftui.probes.target.target import AttachedTarget, LaunchedTarget, LaunchError
from perftui.probes.text.redact import redact_argv, redact_text, redact_title
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perftui.probes.agent_link.injection.able import Injectable
    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.fleet.link import ClusterLink
    from perftui.probes.fleet.probe import ClusterProbe
    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.session_parts.faces import Metrics, Stacks
    from perftui.probes.spine.log import Probe, Sink
    from perftui.probes.spine.records import Record, Severity
    from perftui.probes.target.orders import Orders
    from perftui.probes.target.output.tail import OutputTail

_SELDOM = 0.1
"""Of the CPU that the dear readings may cost else."""
_LET_GO_S = 3.0
"""A target that was let go has this long to end by itself."""


def new_log() -> SessionLog:
    """Return a log whose stacks are weighed by whose code they are."""
    weigher = Weigher()
    log = SessionLog(weigher.weigh)
    weigher.know(log.tree)
    return log


class Began(NamedTuple):
    """How a launched program began, on the session's clock."""

    t_launch_ns: int
    t_hello_ns: int
    """Its interpreter had started, and none of its own code had run."""
    held_ns: int
    """We held it back after that, until its stacks could be sampled."""


class Session:
    """A running session. Make one with `launch` or `attach`."""

    def __init__(
        self,
        target: LaunchedTarget | AttachedTarget | ClusterTarget,
        about: Target,
        log: SessionLog,
        options: ProbeOptions,
        channel: AgentChannel | None,
        output: OutputTail | None,
        record: RecordOptions,
        place: RecordingPlace | None,
        also: Sink | None = None,
    ) -> None:
        self._target = target
        self._about = about
        self._log = log
        self._options = options
        self._channel = channel
        self._output = output
        self._closing = Lock()
        self._closed = False
        self._cluster_link: ClusterLink | None = None
        self.store = Store(log.tree, about)
        log.connect(self.store)
        if also is not None:
            log.connect(also)
        self.began: Began | None = None
        """How a launched program began, once it has told its end; None if it has not."""
        self.t_launch_ns = 0
        """When a target was launched; 0 for others."""
        self._hello_ns: int | None = None
        self.spikes = SpikeFinder(self.store)
        """Whoever shows or ends the session moves it on."""
        self.limit_bytes, self._cores = self._bounds()
        """What the target may use, None if there is no limit, or nobody can say."""
        self._recorder = (
            None
            if place is None
            else started_recorder(
                log,
                about,
                record,
                place,
                t_start_ns=self.store.status().t_start_ns,
                options=options,
                limit_bytes=self.limit_bytes,
                cores=self._cores,
                say=self._say,
                also=self._where(),
            )
        )
        self._allocations: AllocationProbe | None = None
        if options.memray is not None and self._recorder is not None:
            self._allocations = AllocationProbe(
                log, target.pid, self._recorder.directory, options.memray
            )
            log.connect(self._allocations)
        judge = Judge(
            log.tree,
            target.pid,
            self.store.status().t_start_ns,
            limit_bytes=self.limit_bytes,
            cores=self._cores,
            call_tree=self.store.call_tree if options.stacks else None,
            blame=self.store.blame,
        )
        self._detectors = DetectorProbe(log, judge)
        log.connect(self._detectors)
        self._inquirer: Inquirer | None = None
        if channel is not None and channel.board is not None:
            self._inquirer = Inquirer(
                log,
                channel.board,
                self.store.call_tree if options.stacks else None,
                deep=options.deep,
            )
            log.connect(self._inquirer)
        self.orders: Orders | None = None
        """To a target that keeps its process; None if it does not."""
        self._agent: AgentProbe | None = None
        self._requests = SessionRequests(target, channel, lambda: self._about.agent)
        self._metrics: Metrics
        self._stacks: Stacks
        self._resident: Probe | None = None
        self._collections: OutsideCollections | None = None
        self._cluster: ClusterProbe | None = None
        self._measure()
        self._left_behind = LeftBehind(log, self._metrics.others)
        if not target.launched:
            self._left_behind.tell_no_more()

    def _where(self) -> Mapping[str, object]:
        """Return what else is to be said of the session in its recording."""
        return {}

    def _bounds(self) -> tuple[int | None, int | None]:
        """Return the memory and the cores that the target may use, None where nobody can say."""
        group = memory_limit(self._target.pid)
        limit_bytes = self._options.limit_bytes or (group.limit_bytes if group else None)
        return limit_bytes, usable_cores(self._target.pid)

    def _measure(self) -> None:
        """Make what measures from outside, to be started later."""
        metrics = MetricProbe(
            self._log,
            self._target.pid,
            mark=self._target.mark,
            attached=not self._target.launched,
            rate_hz=self._options.metrics_rate_hz,
            own_cpu_s=self._helpers_cpu_s,
            dropped=self._dropped,
            dear=_SELDOM if self._options.seldom else 1.0,
        )
        self._metrics = metrics
        self._stacks = SessionStacks(
            self._log,
            self._target,
            self._options,
            self._channel,
            metrics.pids,
            self._say,
            self._seen_python,
        )
        resident = ResidentProbe(
            self._log, metrics.pids, dear=_SELDOM if self._options.seldom else 1.0
        )
        self._log.connect(resident)
        self._resident = resident
        if self._channel is None or not self._options.inquire:  # else the agent tells of them
            self._collections = OutsideCollections(self._log, metrics.pids)

    @classmethod
    def launch(
        cls,
        argv: Sequence[str],
        title: str,
        options: ProbeOptions,
        *,
        behind_screen: bool,
        stdout: int | None = None,
        record: RecordOptions = NOT_RECORDED,
        orders: Orders | None = None,
        folder: str | None = None,
        environ: Mapping[str, str] | None = None,
        also: Sink | None = None,
    ) -> Session:
        """Start a program and watch it.

        Args:
            argv: What to start.
            title: What the header calls it.
            options: What is measured.
            behind_screen: The terminal is the screen's: output goes to the log, input is empty,
                and the program gets a session of its own.
            stdout: Descriptor for its standard output instead of ours (not behind a screen).
            record: Whether and where it is recorded.
            orders: To a program that keeps its process for more than one run.
            folder: Where it is started; None: where we are.
            environ: Its environment; None: ours.
            also: Gets all that the log gets, from the first record on.

        Raises:
            LaunchError: it cannot be started, or was and cannot be watched: then it was ended.
            FileExistsError: another session is being recorded at the path that was asked for.
        """
        if problem := proc_problem():
            raise LaunchError(problem)
        place = place_of(record, redact_title(title, argv))
        log = new_log()
        captures = None if place is None or options.memray is None else place.directory
        t_launch_ns = time.monotonic_ns()
        start = started(
            argv,
            log,
            options,
            behind_screen=behind_screen,
            stdout=stdout,
            orders=orders,
            place=place,
            captures=captures,
            folder=folder,
            environ=environ,
        )
        target, channel = start.target, start.channel
        session: Session | None = None
        try:
            channel.close_child_ends()
            if orders is not None:
                orders.close_child_end()
            if options.limit_bytes is not None:
                target.limit_memory(options.limit_bytes)
            about = Target(
                redact_title(title, argv),
                redact_argv(tuple(argv)),
                target.pid,
                python=None,
                launched=True,
                agent=False,
                memray=captures is not None,
            )
            with quiet_threads():
                session = cls(
                    target, about, log, options, channel, start.output, record, place, also
                )
                session.t_launch_ns = t_launch_ns
                log.extend(without_agent(argv, environ))
                if behind_screen:
                    from perftui.probes.target.output import asks

                    log.extend(asks.warning(argv, folder))
                if orders is not None:
                    session.orders = orders
                    orders.start(log, target.pid, t_launch_ns, session.store.rest)
                session._start()
        except BaseException as error:
            # It runs, and nobody would know of it, show its end or pass it a signal.
            target.abandon()
            if session is not None:
                session.close()
            else:
                start.give_up()
            if not isinstance(error, Exception):
                raise
            what = f"{type(error).__name__}: {error}"
            text = f"it was started, but cannot be watched ({what}): it was ended again"
            raise LaunchError(f"{redact_text(argv[0])!r}: {text}") from error
        return session

    @classmethod
    def attach(
        cls,
        pid: int,
        options: ProbeOptions,
        record: RecordOptions = NOT_RECORDED,
        inject: Injectable | None = None,
        also: Sink | None = None,
    ) -> Session:
        """Watch a process that runs already.

        Args:
            pid: Which.
            options: What is measured.
            record: Whether and where it is recorded.
            inject: The agent is to come into it, and how.
            also: Gets all that the log gets, from the first record on.

        Raises:
            ProcessGone: there is no such process.
            FileExistsError: another session is being recorded at the path that was asked for.
            NotInjectable: the agent cannot come.
        """
        target = AttachedTarget(pid)
        argv = redact_argv(target.argv())
        about = Target(
            " ".join(argv) or f"pid {pid}",
            argv,
            pid,
            python=free_threaded_build(pid),
            launched=False,
            agent=False,
        )
        place = place_of(record, about.title)
        channel = None if inject is None else InjectedChannel(inject)
        log = new_log()
        try:
            with quiet_threads():
                session = cls(target, about, log, options, channel, None, record, place, also)
                session._start()
        except BaseException:
            if channel is not None:
                channel.close()
            raise
        return session

    @classmethod
    def attach_cluster(
        cls, link: ClusterLink, options: ProbeOptions, record: RecordOptions = NOT_RECORDED
    ) -> Session:
        """Watch the workers of a cluster that runs already.

        Raises:
            FileExistsError: another session is being recorded at the path that was asked for.
        """
        from perftui.probes.fleet.probe import ClusterProbe

        hosts = Hosts()
        title = str(link.address)
        try:
            target = ClusterTarget(link, hosts)
            about = Target(title, (title,), target.pid, python=None, launched=False, agent=False)
            place = place_of(record, title)
            log = new_log()
            with quiet_threads():
                session = cls(target, about, log, options, None, None, record, place)
                session._cluster_link = link
                metrics = cast("MetricProbe", session._metrics)
                session._cluster = ClusterProbe(log, link, hosts, metrics)
                metrics.elsewhere = session._cluster.far_metrics
                session._start()
        except BaseException:
            link.leave()
            raise
        return session

    def _start(self) -> None:
        """Start the probes; one that cannot start is missing, and the session goes on."""
        steps = (
            ("the detectors", self._detectors.start),
            ("the cluster", self._start_cluster),
            ("CPU and memory", self._metrics.start),
            ("what RSS is made of", self._start_resident),
            ("collections of cycles", self._start_collections),
            ("what the program says", self._start_agent),
            ("the agent", self._bring_agent),
            ("the output", self._start_output),
            ("stacks", self._stacks.start),
            ("who makes memory grow", self._start_inquirer),
            ("allocations", self._start_allocations),
        )
        for what, start in steps:
            try:
                start()
            except Exception as error:
                say_failed(self._log, what, error)
        if not self._stacks.from_outside:
            self._stacks.open_gate()
        self._target.watch(self._log.append, self._left_behind.tell)

    def _start_resident(self) -> None:
        if self._resident is not None:
            self._resident.start()

    def _start_cluster(self) -> None:
        if self._cluster is not None:
            self._cluster.start()

    def _start_agent(self) -> None:
        if self._channel is not None:
            self._agent = AgentProbe(
                self._log,
                self._channel.read_fd,
                on_hello=self._hello,
                on_bye=self._bye,
                sampler_hz=IN_PROCESS_HZ,
            )
            self._agent.start()

    def _bring_agent(self) -> None:
        if isinstance(self._channel, InjectedChannel):
            self._channel.bring(self._say, self._target.alive)

    def _start_collections(self) -> None:
        if self._collections is not None:
            self._collections.start()

    def _start_inquirer(self) -> None:
        if self._inquirer is not None:
            self._inquirer.start()

    def _start_allocations(self) -> None:
        if self._allocations is not None:
            self._allocations.start()
        if self._options.tracemalloc_s is not None:
            self._requests.trace_later(self._options.tracemalloc_at_s, self._options.tracemalloc_s)

    def _end_trace(self) -> None:
        """Say so if the window that was asked for has not come."""
        if not self._requests.end_trace():
            return
        looks = self.store.blame(0, 1 << 62).looks
        if not any(look.by == BY_TRACEMALLOC for look in looks):
            self._say("warn", "tracemalloc: the program ended before, or does not hear us")

    def _start_output(self) -> None:
        if self._output is not None:
            self._output.start()

    def _hello(self, hello: dict[str, object]) -> None:
        if hello.get("pid") != self._target.pid and self._about.agent:
            return  # a child of a target that has said hello itself
        if hello.get("pid") == self._target.pid and self._about.agent:
            self._stacks.renew()
        if hello.get("pid") == self._target.pid and not self._about.agent:
            self._hello_ns = cast("int", hello["t"])
        if isinstance(self._channel, InjectedChannel) and hello.get("pid") == self._target.pid:
            self._channel.came()
            if not self._about.agent:
                self._say(
                    "info", "the agent has come: imports, phases, pools and tasks from now on"
                )
        build = "t" if hello.get("free_threaded") else ""
        self._know(self._about._replace(python=f"{hello.get('python')}{build}", agent=True))

    def _seen_python(self, version: str) -> None:
        """A sampler has read the target's version; an agent tells it better."""
        if not self._about.agent and self._about.python != version:
            self._know(self._about._replace(python=version))

    def _know(self, about: Target) -> None:
        self._about = about
        self.store.know_target(about)
        if self._recorder is not None:
            self._recorder.know_target(about)

    def _bye(self, pid: int, held_ns: int) -> None:
        if isinstance(self._channel, InjectedChannel):
            if pid == self._target.pid:
                self._channel.left()
        elif pid == self._target.pid and self._hello_ns is not None:
            self.began = Began(self.t_launch_ns, self._hello_ns, held_ns)

    def _say(self, severity: Severity, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), severity, text))

    def _helpers_cpu_s(self) -> float:
        """Return the CPU seconds of our other processes: samplers, recorder, output drain."""
        recorder_s = 0.0 if self._recorder is None else self._recorder.cpu_s()
        output_s = 0.0 if self._output is None else self._output.cpu_s()
        link_s = 0.0 if self._cluster_link is None else self._cluster_link.cpu_s()
        return self.store.sampler_cpu_s() + recorder_s + output_s + link_s

    def _dropped(self) -> int:
        recorder = 0 if self._recorder is None else self._recorder.overflowed
        return recorder + (0 if self._agent is None else self._agent.dropped)

    # What a screen or a headless run asks of it

    @property
    def reader(self) -> Store:
        """Where every picture comes from."""
        return self.store

    @property
    def pid(self) -> int:
        """The target's process id."""
        return self._target.pid

    shares_terminal = True
    """What the terminal sends us, a target that we launched headless gets by itself."""

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
        """Send a signal to a launched target."""
        if isinstance(self._target, LaunchedTarget):
            self._target.send(signum)

    def interrupt(self) -> None:
        """Send SIGINT, as ctrl+c in its own terminal would."""
        self.send(signal.SIGINT)

    def stop_target(self) -> None:
        """End a launched target: politely, then firmly."""
        if isinstance(self._target, LaunchedTarget):
            self._target.stop()

    def leave_running(self) -> None:
        """Let the target go on alone. Nothing to do: it never depended on us."""

    # Of a target that keeps its process

    def keeps_process(self) -> bool:
        """Tell whether the target can be run again."""
        return self.orders is not None and self._target.alive()

    def waits(self) -> bool:
        """Tell whether it waits for an order now."""
        return self.orders is not None and self.orders.waiting_since_ns is not None

    def again(self) -> None:
        """Run it once more in the same process: warm.

        Raises:
            NotWaiting: it is at work, or has ended.
        """
        if self.orders is not None:
            self.orders.give("again")

    def restart(self) -> None:
        """Run it in a new program that has nothing of the old one: cold.

        Raises:
            NotWaiting: it is at work, or has ended.
        """
        if self.orders is not None:
            self.orders.give("restart")

    def end_kept(self) -> None:
        """Let go of a target that waits for orders: it ends as it would have without us."""
        if self.orders is not None:
            self.orders.let_go()
        if not self._target.wait(_LET_GO_S):
            self.stop_target()

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

    def take_stacks_at(self, rate_hz: float) -> None:
        """Take stacks at another rate from now on, where the own sampler takes them."""
        self._stacks.take_at(rate_hz)

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
        self._stacks.open_gate()
        if self.orders is not None:
            waits = self.waits()
            self.orders.close()
            if waits:  # it ends now, and its end belongs to the session
                self._target.wait(_LET_GO_S)
        if isinstance(self._channel, InjectedChannel):
            self._channel.leave(alive=self._target.alive())
        if isinstance(self._target, AttachedTarget | ClusterTarget):
            self._target.leave()
        elif not self._target.alive():
            self._left_behind.tell()
        self._left_behind.tell_no_more()
        probes: list[Probe | None] = [
            self._cluster,
            self._inquirer,
            self._stacks,
            self._agent,
            self._output,
        ]
        probes += [self._collections, self._resident, self._metrics, self._allocations]
        # In this order: the detectors see the last records, the recorder the last alerts.
        probes += [self._detectors, self._recorder]
        for probe in probes:
            if probe is not None:
                try:
                    probe.stop()
                except Exception as error:  # the others are to come to their end
                    say_failed(self._log, f"closing ({type(probe).__name__})", error)
            if probe is not None and probe is self._agent:
                self._end_trace()
        if self._channel is not None:
            self._channel.close()
