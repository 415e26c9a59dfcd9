"""A run without a screen: the target's output passes through, the summary comes at the end."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from perftui.probes.own.collector import spare_what_lives
from perftui.probes.session import Session
from perftui.probes.summary import summarize
from perftui.probes.text.shell_words import shell_word
from perftui.tui.terminal.ending import Ending, close_in_time
from perftui.tui.text.summary import summary_text
from perftui.tui.text.words import tell
from perftui.tui.watch.gate import GATE_FAILED, gate_failed
from perftui.tui.watch.json_file import write_json
from perftui.tui.watch.last_tasks import take_last_tasks
from perftui.tui.watch.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.agent_link.injection.able import Injectable
    from perftui.probes.fleet.link import ClusterLink
    from perftui.probes.session_parts.base import BaseSession
    from perftui.probes.spine.records import Exit
    from perftui.tui.watch.options import WatchOptions

_FORWARDED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
_STEP_S = 0.1
_CALM_STEP_S = 0.3
"""Of what we did not start: nobody waits for its end as for that of a command."""
INCONCLUSIVE = 3
_SI_USER = 0
"""si_code of a signal that a process sent (sigaction(2)): kernel-made ones are above 0."""
_STDERR_FD = 2


def launch_headless(
    argv: Sequence[str],
    title: str,
    asked: WatchOptions,
    runs: int | None = None,
) -> int:
    """Run a program to its end; returns its own exit code, 128+N for signal N, 1 if a gate failed.

    With `runs` it is a scenario that keeps its process for so many.
    """
    # With the summary on standard output, what the target prints goes beside it.
    stdout = _STDERR_FD if asked.json_path == "-" else None
    with Ending() as ending:
        ending.leave_now_if_asked()
        return _launch(argv, title, asked, runs, stdout, ending)


def _launch(
    argv: Sequence[str],
    title: str,
    asked: WatchOptions,
    runs: int | None,
    stdout: int | None,
    ending: Ending,
) -> int:
    orders = None
    if runs is not None:
        from perftui.probes.target.orders import Orders

        orders = Orders(runs, stay=False)
    session = Session.launch(
        argv,
        title,
        asked.probes,
        behind_screen=False,
        stdout=stdout,
        record=asked.record,
        orders=orders,
    )
    return watch_to_the_end(session, asked, ending)


def attach_headless(pid: int, asked: WatchOptions, inject: Injectable | None = None) -> int:
    """Watch a running process until it ends, the time is over, or somebody stops us."""
    with Ending() as ending:
        return watch_to_the_end(
            Session.attach(pid, asked.probes, asked.record, inject), asked, ending
        )


def attach_cluster_headless(link: ClusterLink, asked: WatchOptions) -> int:
    """Watch the workers of a cluster, as a running process."""
    from perftui.probes.fleet.session import ClusterSession

    with Ending() as ending:
        session = ClusterSession.attach(link, asked.probes, asked.record)
        return watch_to_the_end(session, asked, ending)


def watch_to_the_end(session: BaseSession, asked: WatchOptions, ending: Ending) -> int:
    """Watch a session that has begun; returns the exit code, a launched target's own."""
    progress = Progress(session, asked.notify)
    stopped_by_us = watch(session, progress, asked.duration_s, ending)
    _finish(session, progress, asked.json_path, ending)
    if gate_failed(session, asked.fail_on):
        return GATE_FAILED
    exit_ = session.exit()
    if session.launched:
        return 0 if stopped_by_us or exit_ is None else exit_status(exit_)
    # ctrl+c is the way out; any other signal is somebody else's wish.
    return 128 + ending.number if ending.number not in (None, signal.SIGINT) else 0


def exit_status(exit_: Exit) -> int:
    """Return the exit code that a shell would give for this end of a launched program.

    3 (inconclusive) if somebody else has waited for it: then it is not known how it ended.
    """
    if exit_.signal is not None:
        return 128 + exit_.signal
    return INCONCLUSIVE if exit_.exit_code is None else exit_.exit_code


def print_recording(session: BaseSession) -> None:
    """Say where the session can be seen again, if it can."""
    path = session.recording()
    if path is None:
        return
    address = session.uploaded_to()
    if address is not None:
        tell(f"recorded: perftui open {shell_word(address)}")
        return
    from perftui.probes.recording.shelf.shelf import name_of

    name = name_of(path)
    if name is not None:
        tell(f"recorded: perftui open {shell_word(name)}")


def watch(
    session: BaseSession, progress: Progress, duration_s: float | None, ending: Ending
) -> bool:
    """Wait for the end, forwarding signals; True if the duration ended it.

    Signals are taken one at a time with their origin: what the terminal sent has reached the
    target already (same process group), what a process sent to us alone is passed on.
    """
    until = None if duration_s is None else time.monotonic() + duration_s
    passed_on = 0
    spare_what_lives()
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        while not session.wait(0):
            if until is not None and time.monotonic() >= until:
                if session.launched:
                    take_last_tasks(session)
                    session.stop_target()
                return True
            # Those that came before we could wait for them: nobody knows from where. Better
            # that the target hears of one twice than never.
            for number in ending.taken[passed_on:]:
                passed_on += 1
                if not session.launched:
                    return False
                session.send(number)
            step_s = _STEP_S if session.launched else _CALM_STEP_S
            if until is not None:
                step_s = min(step_s, max(until - time.monotonic(), 0.0))
            # It is not asked to wait itself: when we are stopped meanwhile and continued after the
            # time is up, CPython returns a signal that nobody has sent, whatever memory holds.
            time.sleep(step_s)
            while (info := signal.sigtimedwait(_FORWARDED, 0)) is not None:
                if not session.launched:
                    ending.taken.append(info.si_signo)
                    return False
                if info.si_code <= _SI_USER or not session.shares_terminal:
                    session.send(info.si_signo)
            progress.step()
    finally:
        progress.clear()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    return False


def _finish(
    session: BaseSession, progress: Progress, json_path: str | None, ending: Ending
) -> None:
    close_in_time(session, ending)
    progress.tell_notices()
    summary = summarize(session.store, session.spikes)
    if json_path is None:
        tell(summary_text(summary))
        print_recording(session)
        return
    write_json(summary, json_path)
