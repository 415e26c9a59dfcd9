"""The first minute on a real terminal: the overlay, ctrl+z and back, a dumb terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.terminal import TMUX, Terminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(TMUX is None, reason="tmux is not installed"),
]

BUSY = """
import pathlib, time
ENOUGH = pathlib.Path(__file__).with_name("enough")
end = time.monotonic() + 300
while time.monotonic() < end and not ENOUGH.exists():
    sum(range(2_000))
"""


def test_once_explained_and_whole_again_after_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    state = tmp_path / "state"
    terminal = Terminal(tmp_path, 100, 30, PERFTUI_FIRST_LOOK="", XDG_STATE_HOME=str(state))
    try:
        terminal.run("run", "--no-record", str(script))
        screen = terminal.wait_for("any key goes on")
        assert "Memory (RSS)" in screen
        assert (state / "perftui" / "screen-seen").exists()
        terminal.press("o")  # closes it, and opens the Log
        terminal.wait_for(lambda text: "any key goes on" not in text and "written nothing" in text)
        terminal.press("C-z")
        terminal.wait_for("Stopped")
        terminal("send-keys", "-t", "t", "clear; echo back in the $((40 + 2))", "Enter")
        screen = terminal.wait_for("back in the 42")
        assert "RSS" not in screen, "the shell has its own screen"
        terminal("send-keys", "-t", "t", "fg", "Enter")

        def whole(text: str) -> bool:  # it is drawn piece by piece
            lines = text.splitlines()
            return (
                "written nothing" in text
                and "LIVE" in text
                and script.name in lines[0]
                and lines[1].startswith("╭─ RSS")
                and lines[1].endswith("─╮")
                and lines[-1].endswith("q quit")
            )

        terminal.wait_for(whole)
        (tmp_path / "enough").touch()
        terminal.wait_for("EXITED")
        terminal.press("q")
        terminal.wait_for("measured with perftui")
    finally:
        terminal.close()


def test_a_dumb_terminal_gets_words_and_no_screen(tmp_path: Path) -> None:
    script = tmp_path / "short.py"
    script.write_text("print('what it says')\n")
    terminal = Terminal(tmp_path, 100, 40)
    try:
        terminal("send-keys", "-t", "t", "TERM=dumb; export TERM; clear", "Enter")
        terminal.run("run", "--no-record", str(script))
        terminal.wait_for("returned 0")
        screen = terminal.everything()
        assert "nothing can be drawn on this terminal" in screen
        assert "what it says" in screen
    finally:
        terminal.close()
