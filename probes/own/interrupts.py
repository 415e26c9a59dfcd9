"""Ctrl-C reaches all processes of a terminal: those that we start have nothing to say of it.

A Python that is still starting would print a traceback of a KeyboardInterrupt. So it is started
with the signal held back, and lets it in when it has chosen to end without a word.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTERRUPT = {signal.SIGINT}


@contextmanager
def held_back() -> Iterator[None]:
    """Hold interrupts back from what is started within; ours arrive when it has been left."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_without_a_word() -> None:
    """In what was started so: let an interrupt end this process, also one that came meanwhile."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
