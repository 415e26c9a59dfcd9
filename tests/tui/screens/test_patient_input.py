"""The thread that waits for keys, in a real terminal: it sleeps, and misses nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.terminal import TMUX, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.core,
    pytest.mark.skipif(
        TMUX is None or sys.platform != "linux", reason="tmux is not installed, or not Linux"
    ),
]

PROGRAM = """
import threading
from textual import events
from textual.widgets import Static
from perftui.tui.terminal.app import TerminalApp

def wakes():
    thread = next(one for one in threading.enumerate() if one.name == "textual-input")
    with open(f"/proc/self/task/{thread.native_id}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

class Keys(TerminalApp):
    pressed = []
    def compose(self):
        yield Static("ready", id="said")
    def on_key(self, event: events.Key) -> None:
        self.pressed.append(event.key)
        self.query_one("#said", Static).update("pressed " + " ".join(self.pressed) + ".")
        if event.key == "w":
            before = wakes()
            self.set_timer(4, lambda: self.told(wakes() - before))
    def told(self, count):
        self.query_one("#said", Static).update(f"woke {count} times.")

Keys(ascii_only=True).run()
print("left")
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, 80, 24)
    (tmp_path / "keys.py").write_text(PROGRAM)
    made("send-keys", "-t", "t", f"{sys.executable} {tmp_path / 'keys.py'}", "Enter")
    made.wait_for("ready")
    yield made
    made.close()


def test_keys_escapes_and_the_end_are_heard_though_nobody_asks(terminal: Terminal) -> None:
    terminal.press("a")
    terminal.wait_for("pressed a.")
    terminal.press("Escape")  # nothing follows: a key, not the beginning of one
    terminal.wait_for("pressed a escape.")
    terminal.press("Up")
    terminal.wait_for("pressed a escape up.")
    terminal.press("w")
    # A second of looking for what follows an escape; Textual's own thread wakes 40 times.
    assert int(terminal.wait_for("woke").split()[1]) < 30
    terminal.press("C-z")
    terminal.wait_for("topped")  # says the shell
    terminal("send-keys", "-t", "t", "fg", "Enter")
    terminal.wait_for("ctrl+z.")
    terminal.press("b")
    terminal.wait_for(" b.")
    terminal.press("C-q")
    terminal.wait_for("left")
