"""A run with the live screen: what happens before it comes up and after it has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.own.allocator import share_one_arena
from perftui.tui.terminal.ending import Ending, close_in_time, pass_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.agent_link.injection.able import Injectable
    from perftui.probes.fleet.link import ClusterLink
    from perftui.probes.session_parts.base import BaseSession
    from perftui.tui.watch.options import WatchOptions


def launch_on_screen(
    argv: Sequence[str],
    title: str,
    asked: WatchOptions,
    runs: int | None = None,
) -> int:
    """Start a program behind the live screen.

    Returns 0, or its own exit code if it ended by itself, 1 if a gate failed. With `runs` it is a
    scenario: after so many it keeps its process and waits for orders.

    Raises:
        SystemExit: a signal N ended us (128 + N): the target was passed it, all is closed.
    """
    # The session starts first: the target runs and is measured while textual is imported.
    from perftui.probes.session import Session
    from perftui.probes.target.orders import Orders

    share_one_arena()
    with Ending() as ending:
        orders = None if runs is None else Orders(runs, stay=True)
        ending.leave_now_if_asked()
        session = Session.launch(
            argv, title, asked.probes, behind_screen=True, record=asked.record, orders=orders
        )
        return _show(session, asked, ending)


def attach_on_screen(pid: int, asked: WatchOptions, inject: Injectable | None = None) -> int:
    """Watch a running process on the live screen."""
    from perftui.probes.session import Session

    share_one_arena()
    with Ending() as ending:
        return _show(Session.attach(pid, asked.probes, asked.record, inject), asked, ending)


def show(begin: Callable[[], BaseSession], asked: WatchOptions) -> int:
    """Begin a session, and show it on the live screen."""
    share_one_arena()
    with Ending() as ending:
        return _show(begin(), asked, ending)


def attach_cluster_on_screen(link: ClusterLink, asked: WatchOptions) -> int:
    """Watch the workers of a cluster on the live screen."""
    from perftui.probes.fleet.session import ClusterSession

    share_one_arena()
    with Ending() as ending:
        return _show(ClusterSession.attach(link, asked.probes, asked.record), asked, ending)


def pick_process() -> int | None:
    """Let a person choose a running Python process; None if they would rather not."""
    from perftui.tui.app import run_picker

    return run_picker()


def _show(session: BaseSession, asked: WatchOptions, ending: Ending) -> int:
    said: list[str] = []

    def close() -> None:
        if ending.number is not None:
            said.append(pass_on(session, ending))
        close_in_time(session, ending)

    def close_stuck() -> None:
        from perftui.tui.text.words import tell

        close()
        for line in said:
            tell(line)

    try:
        if ending.number is None:
            from perftui.tui.app import run_live

            run_live(
                session,
                duration_s=asked.duration_s,
                notify=asked.notify,
                ending=ending,
                on_stuck=close_stuck,
            )
    finally:
        close()
    from perftui.probes.summary import summarize
    from perftui.tui.text.summary import summary_text
    from perftui.tui.text.words import tell
    from perftui.tui.watch.gate import GATE_FAILED, gate_failed
    from perftui.tui.watch.headless import exit_status, print_recording
    from perftui.tui.watch.json_file import write_json

    summary = summarize(session.store, session.spikes)
    if asked.json_path is not None:
        write_json(summary, asked.json_path)
    exit_ = session.exit()
    for line in said:
        tell(line)
    if not said and exit_ is None and session.launched:
        tell(f"perftui: {session.pid} goes on running")
    tell(summary_text(summary, session.store.status().notices))
    print_recording(session)
    if ending.number is not None:
        # Not returned: whoever called us from the home screen is to end as well.
        raise SystemExit(ending.exit_code())
    if gate_failed(session, asked.fail_on):
        return GATE_FAILED
    return 0 if exit_ is None or not session.launched else exit_status(exit_)
