"""A run with the live screen: what happens before it comes up and after it has gone."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from perftui.probes.session import Session
    from perftui.tui.watch_options import WatchOptions


def launch_on_screen(
    argv: Sequence[str],
    title: str,
    asked: WatchOptions,
    runs: int | None = None,
) -> int:
    """Start a program behind the live screen.

    Returns 0, or its own exit code if it ended by itself, 1 if a gate failed. With `runs` it is a
    scenario: after so many it keeps its process and waits for orders.
    """
    # The session starts first: the target runs and is measured while textual is imported.
    from perftui.probes.orders import Orders
    from perftui.probes.session import Session

    orders = None if runs is None else Orders(runs, stay=True)
    session = Session.launch(
        argv, title, asked.probes, behind_screen=True, record=asked.record, orders=orders
    )
    return _show(session, asked)


def attach_on_screen(pid: int, asked: WatchOptions) -> int:
    """Watch a running process on the live screen."""
    from perftui.probes.session import Session

    return _show(Session.attach(pid, asked.probes, asked.record), asked)


def pick_process() -> int | None:
    """Let a person choose a running Python process; None if they would rather not."""
    from perftui.tui.app import run_picker

    return run_picker()


def _show(session: Session, asked: WatchOptions) -> int:
    try:
        with _hangup_ends_target(session):
            from perftui.tui.app import run_live

            gone = partial(session.send, signal.SIGHUP)
            run_live(session, duration_s=asked.duration_s, on_gone=gone, notify=asked.notify)
    finally:
        session.close()
    from perftui.probes.summary import summarize
    from perftui.tui.gate import GATE_FAILED, gate_failed
    from perftui.tui.headless import exit_status, print_recording
    from perftui.tui.json_file import write_json
    from perftui.tui.summary_text import summary_text
    from perftui.tui.words import tell

    summary = summarize(session.store, session.spikes)
    if asked.json_path is not None:
        write_json(summary, asked.json_path)
    exit_ = session.exit()
    if exit_ is None and session.launched:
        tell(f"perftui: {session.pid} goes on running")
    tell(summary_text(summary, session.store.status().notices))
    print_recording(session)
    if gate_failed(session, asked.fail_on):
        return GATE_FAILED
    return 0 if exit_ is None else exit_status(exit_)


@contextmanager
def _hangup_ends_target(session: Session) -> Iterator[None]:
    """Pass the end of the terminal on to a launched target, as the terminal itself would.

    It has a session of its own, so the kernel does not tell it; and nobody is left to ask.
    """

    def on_hangup(_signum: int, _frame: FrameType | None) -> None:
        session.send(signal.SIGHUP)
        raise SystemExit(128 + signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, on_hangup)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
