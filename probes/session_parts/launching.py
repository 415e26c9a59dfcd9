"""A program is started with all that a session needs of it: nothing of that is left if it fails."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.agent_link.launch import AgentChannel, agent_environment
from perftui.probes.agent_link.loads_agent import loads_agent, refusing_option
from perftui.probes.spine.records import Notice
from perftui.probes.target.target import LaunchedTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perftui.probes.recording.shelf.place import RecordingPlace
    from perftui.probes.session_options import ProbeOptions
    from perftui.probes.spine.log import SessionLog
    from perftui.probes.target.orders import Orders
    from perftui.probes.target.output.tail import OutputTail


class Started(NamedTuple):
    """A program that runs, and waits at its agent's gate."""

    target: LaunchedTarget
    channel: AgentChannel
    output: OutputTail | None
    orders: Orders | None
    place: RecordingPlace | None

    def give_up(self) -> None:
        """Leave nothing of what was made ready for it but the program itself."""
        give_up(self.channel, self.output, self.orders, self.place)


def give_up(
    channel: AgentChannel,
    output: OutputTail | None,
    orders: Orders | None,
    place: RecordingPlace | None,
) -> None:
    """Leave nothing of what was made ready for a target."""
    channel.close()
    if output is not None:
        output.stop()
    if orders is not None:
        orders.close()
    if place is not None:
        place.give_up()


def without_agent(argv: Sequence[str], environ: Mapping[str, str] | None) -> list[Notice]:
    """Say what is not seen of a program because of its interpreter's options."""
    option = refusing_option(argv, os.environ if environ is None else environ)
    if not option:
        return []
    text = f"with {option} Python lets no agent in: imports, phases and calls are not seen"
    return [Notice(time.monotonic_ns(), "info", text)]


def started(
    argv: Sequence[str],
    log: SessionLog,
    options: ProbeOptions,
    *,
    behind_screen: bool,
    stdout: int | None,
    orders: Orders | None,
    place: RecordingPlace | None,
    captures: Path | None,
    folder: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Started:
    """Start a program.

    Args:
        argv: Its command line.
        log: Takes its output, if it runs behind the screen.
        options: What will be asked of it.
        behind_screen: See `Session.launch`; so are `stdout` and `orders`.
        stdout: Descriptor for its standard output.
        orders: To a program that keeps its process.
        place: Where the session will be recorded.
        captures: Where its allocations will be recorded.
        folder: Where it is started; None: where we are.
        environ: Its environment; None: ours.

    Raises:
        LaunchError: it cannot be started.
    """
    environ = os.environ if environ is None else environ
    env, pass_fds, channel = agent_environment(
        environ,
        tracer_pid=os.getpid(),
        line_buffered=behind_screen,
        hears_orders=options.inquire,
        captures=captures,
    )
    if not loads_agent(argv, environ):
        env, pass_fds = dict(environ), ()  # nobody there would take them out of sight
    if orders is not None:
        env.update(orders.environment())
        pass_fds = (*pass_fds, orders.child_fd)
    output = None
    if behind_screen:
        from perftui.probes.target.output.tail import OutputTail

        output = OutputTail(log)  # its process runs before the target
    nowhere = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) if behind_screen else None
    try:
        target = LaunchedTarget(
            argv,
            env,
            pass_fds=pass_fds,
            stdin=nowhere,
            stdout=output.stdout_fd if output else stdout,
            stderr=output.stderr_fd if output else None,
            own_session=behind_screen,
            folder=folder,
        )
    except BaseException:
        give_up(channel, output, orders, place)
        raise
    finally:
        if nowhere is not None:
            os.close(nowhere)
    return Started(target, channel, output, orders, place)
