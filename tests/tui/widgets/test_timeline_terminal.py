"""The screen on a real pseudo-terminal: what it sends, what it costs, how it leaves."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.live
TREE = Path(__file__).resolve().parents[3]


class Terminal:
    """A pseudo-terminal with the screen on a synthetic session in it."""

    def __init__(self, width: int = 160, height: int = 45, **environment: str) -> None:
        start = f"import sys; sys.path.insert(0, {str(TREE / 'tests')!r}); sys.argv[1:] = ['18']"
        shim = f"import runpy; runpy.run_path({str(TREE / 'tests/conftest.py')!r})"
        code = f"{start}; {shim}; from support.screens.synthetic_session import main; main()"
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
            os.environ.pop("NO_COLOR", None)
            os.environ.update(environment)
            os.execv(sys.executable, [sys.executable, "-c", code])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.sent = b""

    def read(self, seconds: float) -> bytes:
        """Read what comes within `seconds`."""
        before = len(self.sent)
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], min(rest, 0.1))[0]:
                try:
                    self.sent += os.read(self.fd, 65536)
                except OSError:
                    break
        return self.sent[before:]

    def rate(self, seconds: float) -> float:
        """Return the bytes per second that come now."""
        begun = time.monotonic()
        return len(self.read(seconds)) / (time.monotonic() - begun)

    def until(self, holds: Callable[[bytes], bool]) -> None:
        """Read until what was sent so far is as wanted."""
        for _ in range(600):
            if holds(self.sent):
                return
            self.read(0.1)
        raise AssertionError(self.sent[-2000:])

    def exit_code(self) -> int:
        """Wait for the end."""
        for _ in range(800):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)
            time.sleep(0.02)  # once the terminal is closed, reading returns at once
        raise AssertionError("still running")

    def close(self) -> None:
        """Leave nothing behind."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            os.close(self.fd)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    made.until(lambda sent: b"LIVE" in sent and b"stream_vs_collect" in sent)
    yield made
    made.close()


def test_a_live_picture_costs_few_bytes(terminal: Terminal) -> None:
    rates: list[float] = []

    def few(_: bytes) -> bool:  # the first frames are whole ones, and may take their time
        rates.append(terminal.rate(0.7))
        return len(rates) > 2 and sum(rates[-3:]) > 50 and median(rates[-3:]) < 20_000

    terminal.until(few)


def test_q_then_l_leaves_and_gives_the_terminal_back(terminal: Terminal) -> None:
    os.write(terminal.fd, b"q")
    terminal.until(lambda sent: b"leave it running" in sent)
    os.write(terminal.fd, b"l")
    assert terminal.exit_code() == 0
    terminal.until(lambda sent: b"\x1b[?1049l" in sent)
    assert b"Traceback" not in terminal.sent


def test_a_hangup_ends_the_screen_quietly(terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.exit_code() == 0
    assert b"Traceback" not in terminal.sent


def test_a_terminal_that_goes_away_ends_the_screen(terminal: Terminal) -> None:
    os.close(terminal.fd)
    for _ in range(1_200):
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.pid = 0
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    raise AssertionError("still running")


def test_no_color_sends_no_colour() -> None:
    terminal = Terminal(NO_COLOR="1")
    try:
        terminal.until(lambda sent: b"LIVE" in sent and b"stream_vs_collect" in sent)
        assert b"38;2;" not in terminal.sent
        assert b"48;2;" not in terminal.sent
        assert b"38;5;" not in terminal.sent
    finally:
        terminal.close()


def test_an_ascii_locale_gets_ascii_only() -> None:
    terminal = Terminal(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    try:
        terminal.until(lambda sent: b"LIVE" in sent and b"stream_vs_collect" in sent)
        assert terminal.sent.isascii()
    finally:
        terminal.close()
