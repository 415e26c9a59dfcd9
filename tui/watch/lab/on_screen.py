"""Repeated runs on the screen: they are made on a thread of their own while it is up."""

from __future__ import annotations

import signal
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from perftui.tui.text.words import tell
from perftui.tui.watch.lab.app import LabApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.terminal.ending import Ending
    from perftui.tui.watch.lab.showing import Showing

T = TypeVar("T")

INTERRUPTED = 128 + signal.SIGINT


class _Stopped(BaseException):
    """The person has left: what runs is ended, and no more begun."""


class _Work(Generic[T]):
    """What is done on the thread, and what came of it."""

    def __init__(self, work: Callable[[Callable[[], None]], T], showing: Showing) -> None:
        self._work, self._showing = work, showing
        self._stop = Event()
        self._thread = Thread(target=self._run, name="perftui-lab")
        self.result: T | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """End what runs, and wait for that."""
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _run(self) -> None:
        try:
            self.result = self._work(self._go_on)
        except _Stopped as error:
            self.error = error
            self._showing.ended("stopped")
        except BaseException as error:
            self.error = error
            self._showing.ended("failed")
        else:
            self._showing.ended("done")


def run_on_screen(work: Callable[[Callable[[], None]], T], showing: Showing, ending: Ending) -> T:
    """Do the work while the screen shows it; returns its result once the person has left.

    Args:
        work: Is given what to call again and again: it raises when it is to end.
        showing: What the work puts its pictures into.
        ending: The signals that close the screen.

    Raises:
        SystemExit: the person, or a signal, has ended it before its end; nothing runs any more.
        BaseException: whatever the work has raised.
    """
    from perftui.tui.terminal.watch import watch_terminal

    doing = _Work(work, showing)
    app = LabApp(showing)
    app.ending = ending
    doing.start()
    try:
        if ending.number is None:
            with watch_terminal(ending=ending, on_stuck=doing.end):
                app.run()
    finally:
        ending.tell(None)
        doing.end()
    app.tell_last_words()
    if isinstance(doing.error, _Stopped):
        if ending.number is not None:
            tell(f"perftui: ended by {ending.name}; what was started has ended")
        raise SystemExit(INTERRUPTED if ending.number is None else ending.exit_code())
    if doing.error is not None:
        raise doing.error
    return doing.result  # type: ignore[return-value]
