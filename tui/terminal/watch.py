"""Sees to it that a screen ends when its terminal is gone or we are asked to, and leaves it whole.

The kernel sends SIGHUP to the processes that belong to a terminal; one that only holds it open
(behind a wrapper, in a session of its own) hears nothing, and would draw into the void for ever.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from perftui.tui.terminal import lost_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from perftui.tui.terminal.ending import Ending

LOOK_EVERY_S = 1.0
GRACE_S = 5.0
"""After a signal the screen closes by itself; it cannot if it waits for a dead terminal."""
_PICTURE_S = 0.5
_LEAVE_SCREEN = (
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l"
    b"\x1b[<u\x1b[?25h\x1b[?1049l"
)
"""Mouse, paste, focus and key reports off; cursor and the first screen back (xterm's ctlseqs)."""


@contextmanager
def watch_terminal(
    on_gone: Callable[[], object] | None = None,
    *,
    ending: Ending | None = None,
    on_stuck: Callable[[], object] | None = None,
) -> Iterator[None]:
    """Leave when the terminal on standard input goes away, while the block runs.

    The terminal is as it was before when the block ends, however it ends.

    Args:
        on_gone: Called first, e.g. to tell a launched target.
        ending: The signals that ask us to end: if they do, and the block does not end, we do.
        on_stuck: Called before that: whatever must be closed.
    """
    try:
        fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    except (ValueError, OSError):
        fd = -1
    left = Event()
    outputs = lost_terminal.terminals()
    saved = _attributes(fd)
    if fd >= 0 and os.isatty(fd) and hasattr(signal, "SIGHUP"):

        def look() -> None:
            told = False
            while not left.wait(LOOK_EVERY_S):
                if not told and not os.isatty(fd):
                    told = True
                    if on_gone is not None:
                        on_gone()
                    if ending is not None and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
                        # nohup keeps a program alive, and not a screen that nobody sees.
                        ending.ask(signal.SIGHUP)
                    else:
                        os.kill(os.getpid(), signal.SIGHUP)
                    if ending is None and not left.wait(GRACE_S):
                        os._exit(0)  # who only looks has not failed
                asked_s = None if ending is None else ending.first_s
                if asked_s is not None and time.monotonic() - asked_s > GRACE_S:
                    _leave_stuck(fd, saved, on_stuck)
                    number = None if ending is None else ending.number
                    gone = number in (None, signal.SIGHUP) and not os.isatty(fd)
                    # A closed window is no failure, also where the screen could not see it.
                    os._exit(0 if gone else 128 + (number or signal.SIGHUP))

        Thread(target=look, name="perftui-terminal", daemon=True).start()
    try:
        with _drawing_on_the_terminal():
            yield
    finally:
        left.set()
        _restore(fd, saved)
        lost_terminal.let_go(outputs)


@contextmanager
def _drawing_on_the_terminal() -> Iterator[None]:
    """Have the screen drawn on standard output while standard error is no terminal.

    Textual draws on standard error: into the file, when that is where it goes.
    """
    before = sys.__stderr__
    if os.isatty(2) or not os.isatty(1):
        yield
        return
    with open(os.dup(1), "w", encoding="utf-8", newline="") as terminal:  # noqa: PTH123
        sys.__stderr__ = terminal  # type: ignore[misc]
        try:
            yield
        finally:
            sys.__stderr__ = before  # type: ignore[misc]


def _attributes(fd: int) -> list[Any] | None:
    with suppress(Exception):  # no terminal, or a system without termios
        import termios

        return termios.tcgetattr(fd)
    return None


def _restore(fd: int, saved: list[Any] | None) -> None:
    """Give the terminal its attributes back, if it has others."""
    with suppress(Exception):
        import termios

        # From the background even setting what is set would stop us.
        if saved is not None and termios.tcgetattr(fd) != saved:
            termios.tcsetattr(fd, termios.TCSANOW, saved)


def _leave_stuck(fd: int, saved: list[Any] | None, on_stuck: Callable[[], object] | None) -> None:
    """Do what the screen would have done, without it."""
    _restore(fd, saved)

    def draw() -> None:
        with suppress(OSError):
            os.write(fd, _LEAVE_SCREEN)

    # A terminal that takes nothing more must not hold up the rest.
    picture = Thread(target=draw, daemon=True)
    picture.start()
    picture.join(_PICTURE_S)
    if on_stuck is not None:
        on_stuck()
