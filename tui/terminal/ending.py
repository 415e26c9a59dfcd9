"""Being asked to end by a signal: nothing is cut off, from before there is a target on.

    with Ending() as ending:
        ending.leave_now_if_asked()
        session = Session.launch(...)       # a signal from here on finds a session to close
        ...

A signal is taken down, never acted upon where it happens to arrive: whoever is in charge looks
(`number`), or is told (`tell`). So a second signal, or a third, cuts nothing off either.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from perftui.tui.text.words import tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any

    from perftui.probes.session_parts.base import BaseSession

ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
_TARGET_ENDS_S = 5.0
"""A target that was passed the signal has this long until we leave without it."""
_CLOSE_LIMIT_S = 60.0
_HURRY_S = 5.0
"""The same for whoever asks more than once."""
_STEP_S = 0.05


class Ending:
    """Takes down the signals that ask us to end, while the block runs.

    One that is ignored stays so: that is what nohup is for.
    """

    def __init__(self) -> None:
        self.taken: list[int] = []
        """The signals that came, oldest first."""
        self.first_s: float | None = None
        """When the first came, on the monotonic clock."""
        self._before: dict[int, Any] = {}
        self._told: Callable[[], object] | None = None

    def __enter__(self) -> Ending:
        with suppress(ValueError):  # not the main thread: signals are not ours
            for number in ENDING:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def number(self) -> int | None:
        """The signal that asked first, None if none did."""
        return self.taken[0] if self.taken else None

    @property
    def name(self) -> str:
        """Its name."""
        return "" if self.number is None else signal.Signals(self.number).name

    def tell(self, told: Callable[[], object] | None) -> None:
        """Call `told` when a signal comes, at once if one has; it must not wait for anything."""
        self._told = told
        if told is not None and self.taken:
            told()

    def leave_now_if_asked(self) -> None:
        """Leave if a signal has come and there is nothing to close yet.

        Raises:
            SystemExit: with 128 + the signal.
        """
        if self.number is not None:
            raise SystemExit(128 + self.number)

    def ask(self, number: int) -> None:
        """Ask to end as that signal would, from any thread."""
        self._take(number, None)

    def exit_code(self) -> int:
        """Return 128 + the signal that asked; 0 if somebody has closed our window.

        Nothing has failed then.
        """
        assert self.number is not None
        return 0 if self.name == "SIGHUP" and not os.isatty(0) else 128 + self.number

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self.first_s = self.first_s or time.monotonic()
        self.taken.append(number)
        if self._told is not None:
            self._told()


def pass_on(session: BaseSession, ending: Ending) -> str:
    """Give the signal that ended us to a launched target, as whoever started it would.

    Returns:
        A line that says what became of the target.
    """
    number = ending.number
    assert number is not None
    said = f"perftui: ended by {ending.name}"
    if not session.launched:
        return f"{said}; process {session.pid} was only watched"
    if not session.target_alive():
        return f"{said}; the target had ended before"
    if session.waits():
        return f"{said}; the target, which waited for orders, was let go"
    session.send(number)
    until = time.monotonic() + _TARGET_ENDS_S
    while not session.wait(_STEP_S) and time.monotonic() < until:
        if len(ending.taken) > 1:  # somebody is in a hurry: so be the target
            session.send(ending.taken[-1])
            session.wait(_STEP_S)
            break
    if session.target_alive():
        return f"{said}; it was passed on, but the target (process {session.pid}) goes on running"
    return f"{said}; it was passed on, and the target has ended"


def close_in_time(session: BaseSession, ending: Ending) -> bool:
    """Close a session; False if it did not come to its end, which is said on stderr."""
    closing = Thread(target=session.close, name="perftui-close", daemon=True)
    closing.start()
    asked = max(len(ending.taken), 1)
    until = time.monotonic() + _CLOSE_LIMIT_S
    while closing.is_alive() and time.monotonic() < until:
        closing.join(_STEP_S)
        if len(ending.taken) > asked:
            asked = sys.maxsize
            until = min(until, time.monotonic() + _HURRY_S)
    if closing.is_alive():
        tell("perftui: the session could not be closed in time")
        return False
    return True
