"""Keys are waited for, not asked for: who watches for hours presses few.

Textual's own thread wakes ten times a second, whether a key was pressed or not: to hear of its end,
and of an escape that nothing follows. Here a pipe tells the former, and the latter is looked for
in the second behind a key.
"""

from __future__ import annotations

import os
import selectors
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

_LOOK_S = 0.05
_LOOKS_FOR_S = 1.0
"""Behind a key; the parser takes an escape for a key after a tenth of that."""
_LATER_S = 30.0
_READ_BYTES = 4096


class _Bell(Event):
    """An event that who waits for a descriptor hears of."""

    def __init__(self) -> None:
        super().__init__()
        self.heard, self._rung = os.pipe()
        os.set_blocking(self.heard, False)
        os.set_blocking(self._rung, False)

    def set(self) -> None:
        """Set it, and ring."""
        super().set()
        with suppress(BlockingIOError):  # it is full of rings
            os.write(self._rung, b"\n")

    def clear(self) -> None:
        """Clear it: what was rung is forgotten."""
        super().clear()
        with suppress(BlockingIOError):
            os.read(self.heard, _READ_BYTES)

    def __del__(self) -> None:
        os.close(self.heard)
        os.close(self._rung)


class PatientDriver(LinuxDriver):
    """Textual's driver, whose input thread sleeps while nothing is pressed."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.exit_event = self._bell = _Bell()

    def run_input_thread(self) -> None:
        """Wait for input and hand on what it says, until the bell rings."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        looks_until_s = 0.0
        # Any input will do for `select`: poll and epoll leave out files, and terminals of macOS.
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._bell.heard, selectors.EVENT_READ)
            while not self._bell.is_set():
                soon = time.monotonic() < looks_until_s
                for key, _ in selector.select(_LOOK_S if soon else _LATER_S):
                    if key.fd == self.fileno:
                        looks_until_s = time.monotonic() + _LOOKS_FOR_S
                        raw = os.read(self.fileno, _READ_BYTES)
                        if not raw:
                            return  # the terminal has gone, or a file is at its end
                        for message in parser.feed(decode(raw)):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with suppress(EOFError, ParseError):
            list(parser.feed(""))
