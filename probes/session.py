"""A session of a process of this machine: a program that is started, or one that runs already.

The order of a launch matters: the program is started and waits at the agent's gate; the stack
probe's first good stack opens the gate, so that even a short program is seen from its first
line. Whatever fails to measure says so in a notice; nothing that fails to measure stops the
target.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, cast

from perftui.probes.agent_link.reader import AgentProbe
from perftui.probes.allocations.probe import AllocationProbe
from perftui.probes.detect.inquirer import Inquirer
from perftui.probes.machine.own_proc import proc_problem
from perftui.probes.machine.quiet_threads import quiet_threads
from perftui.probes.process.free_threaded import free_threaded_build
from perftui.probes.session_options import NOT_RECORDED, ProbeOptions, RecordOptions
from perftui.probes.session_parts.base import BaseSession, new_log
from perftui.probes.session_parts.bounds import bounds_here
from perftui.probes.session_parts.launching import started, without_agent
from perftui.probes.session_parts.outside import OutsideProbes
from perftui.probes.session_parts.recording import place_of
from perftui.probes.session_parts.stacks import IN_PROCESS_HZ
from perftui.probes.session_parts.trace_window import TraceWindow
from perftui.probes.spine.reader import Target
from perftui.probes.target.left_behind import LeftBehind
from perftui.probes.target.target import AttachedTarget, LaunchedTarget, LaunchError
from perftui.probes.text.redact import redact_argv, redact_text, redact_title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perftui.probes.agent_link.injection.able import Injectable
    from perftui.probes.agent_link.injection.channel import InjectedChannel
    from perftui.probes.agent_link.launch import AgentChannel
    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.spine.log import SessionLog, Sink
    from perftui.probes.target.orders import Orders
    from perftui.probes.target.output.tail import OutputTail

_LET_GO_S = 3.0
"""A target that was let go has this long to end by itself."""


class Began(NamedTuple):
    """How a launched program began, on the session's clock."""

    t_launch_ns: int
    t_hello_ns: int
    """Its interpreter had started, and none of its own code had run."""
    held_ns: int
    """We held it back after that, until its stacks could be sampled."""


class Session(BaseSession):
    """Make one with `launch` or `attach`."""

    _target: LaunchedTarget | AttachedTarget

    def __init__(
        self,
        target: LaunchedTarget | AttachedTarget,
        about: Target,
        log: SessionLog,
        options: ProbeOptions,
        channel: AgentChannel | None,
        output: OutputTail | None,
        record: RecordOptions,
        place: RecordingPlace | None,
        also: Sink | None = None,
    ) -> None:
        bounds = bounds_here(target.pid, options.limit_bytes)
        super().__init__(
            target, about, log, options, bounds, record, place, channel=channel, also=also
        )
        self._channel = channel
        self._injected: InjectedChannel | None = None
        """The channel again, if the agent comes into a program that runs."""
        self._output = output
        self._agent: AgentProbe | None = None
        self.orders: Orders | None = None
        """To a target that keeps its process; None if it does not."""
        self.t_launch_ns = 0
        """When a target was launched; 0 for others."""
        self.began: Began | None = None
        """How a launched program began, once it has told its end; None if it has not."""
        self._hello_ns: int | None = None
        self._allocations: AllocationProbe | None = None
        if options.memray is not None and self._recorder is not None:
            self._allocations = AllocationProbe(
                log, target.pid, self._recorder.directory, options.memray
            )
            log.connect(self._allocations)
        self._inquirer: Inquirer | None = None
        self._trace_window: TraceWindow | None = None
        if channel is not None and channel.board is not None:
            call_tree = self.store.call_tree if options.stacks else None
            self._inquirer = Inquirer(log, channel.board, call_tree, deep=options.deep)
            log.connect(self._inquirer)
            if options.tracemalloc_s is not None:
                self._trace_window = TraceWindow(
                    channel.board,
                    target.pid,
                    options.tracemalloc_at_s,
                    options.tracemalloc_s,
                    self.store.blame,
                    self._say,
                )
        self._outside = OutsideProbes(
            log,
            target,
            options,
            channel,
            say=self._say,
            on_version=self._seen_python,
            own_cpu_s=self._helpers_cpu_s,
            dropped=self._dropped,
        )
        self._left_behind = LeftBehind(log, self._outside.metrics.others)
        if not target.launched:
            self._left_behind.tell_no_more()

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
                session.start()
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
        channel = None
        if inject is not None:
            from perftui.probes.agent_link.injection.channel import InjectedChannel

            channel = InjectedChannel(inject)
        log = new_log()
        try:
            with quiet_threads():
                session = cls(target, about, log, options, channel, None, record, place, also)
                session._injected = channel
                session.start()
        except BaseException:
            if channel is not None:
                channel.close()
            raise
        return session

    def start(self) -> None:
        """Begin; as of `launch` and `attach`."""
        self._begin(self._steps())
        if not self._outside.stacks.from_outside:
            self._outside.stacks.open_gate()
        self._target.watch(self._log.append, self._left_behind.tell)

    def _steps(self) -> list[tuple[str, Callable[[], None]]]:
        steps = self._outside.steps()
        if self._channel is not None:
            steps.append(("what the program says", self._start_agent))
        if self._injected is not None:
            steps.append(("the agent", self._bring_agent))
        if self._output is not None:
            steps.append(("the output", self._output.start))
        steps.append(("stacks", self._outside.stacks.start))
        if self._inquirer is not None:
            steps.append(("who makes memory grow", self._inquirer.start))
        if self._allocations is not None:
            steps.append(("allocations", self._allocations.start))
        if self._trace_window is not None:
            steps.append(("allocations", self._trace_window.start))
        return steps

    def _start_agent(self) -> None:
        assert self._channel is not None
        self._agent = AgentProbe(
            self._log,
            self._channel.read_fd,
            on_hello=self._hello,
            on_bye=self._bye,
            sampler_hz=IN_PROCESS_HZ,
        )
        self._agent.start()

    def _bring_agent(self) -> None:
        assert self._injected is not None
        self._injected.bring(self._say, self._target.alive)

    def _hello(self, hello: dict[str, object]) -> None:
        if hello.get("pid") != self._target.pid and self._about.agent:
            return  # a child of a target that has said hello itself
        if hello.get("pid") == self._target.pid and self._about.agent:
            self._outside.stacks.renew()
        if hello.get("pid") == self._target.pid and not self._about.agent:
            self._hello_ns = cast("int", hello["t"])
        if self._injected is not None and hello.get("pid") == self._target.pid:
            self._injected.came()
            if not self._about.agent:
                self._say(
                    "info", "the agent has come: imports, phases, pools and tasks from now on"
                )
        build = "t" if hello.get("free_threaded") else ""
        self._know(self._about._replace(python=f"{hello.get('python')}{build}", agent=True))

    def _bye(self, pid: int, held_ns: int) -> None:
        if self._injected is not None:
            if pid == self._target.pid:
                self._injected.left()
        elif pid == self._target.pid and self._hello_ns is not None:
            self.began = Began(self.t_launch_ns, self._hello_ns, held_ns)

    def _helpers_cpu_s(self) -> float:
        output_s = 0.0 if self._output is None else self._output.cpu_s()
        return super()._helpers_cpu_s() + output_s

    def _dropped(self) -> int:
        return super()._dropped() + (0 if self._agent is None else self._agent.dropped)

    def _close(self) -> None:
        outside = self._outside
        outside.stacks.open_gate()
        if self.orders is not None:
            waits = self.waits()
            self.orders.close()
            if waits:  # it ends now, and its end belongs to the session
                self._target.wait(_LET_GO_S)
        if self._injected is not None:
            self._injected.leave(alive=self._target.alive())
        if isinstance(self._target, AttachedTarget):
            self._target.leave()
        elif not self._target.alive():
            self._left_behind.tell()
        self._left_behind.tell_no_more()
        self._end(
            [
                self._inquirer,
                outside.stacks,
                self._agent,
                self._trace_window,
                self._output,
                *outside.ends(),
                self._allocations,
            ]
        )
        if self._channel is not None:
            self._channel.close()

    # What can be asked of a process of this machine

    def send(self, signum: int) -> None:
        """Send a signal to a launched target."""
        if isinstance(self._target, LaunchedTarget):
            self._target.send(signum)

    def stop_target(self) -> None:
        """End a launched target: politely, then firmly."""
        if isinstance(self._target, LaunchedTarget):
            self._target.stop()

    def take_stacks_at(self, rate_hz: float) -> None:
        """Take stacks at another rate from now on, where the own sampler takes them."""
        self._outside.stacks.take_at(rate_hz)

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
