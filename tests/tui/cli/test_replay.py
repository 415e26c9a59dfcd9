"""`perftui open` and `perftui` alone as a person meets them: a real terminal, a real recording."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.terminal import TMUX, Terminal

from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
pytestmark = pytest.mark.live

PROGRAM = """
import sys, time, perftui
def burn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(2_000)); perftui.count("rows", 10)
with perftui.phase("warm up"):
    print("warming up", flush=True)
    burn(1.5)
with perftui.phase("work"):
    print("at work", flush=True)
    burn(1.5)
time.sleep(float(sys.argv[1]))
sys.exit(3)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, PERFTUI_RECORDINGS=str(tmp_path / "shelf"))
    yield made
    made.close()


def start(folder: Path, name: str, rest_s: float = 0.0) -> Session:
    """Start the program, recorded on the shelf of the terminal."""
    script = folder / "program.py"
    script.write_text(PROGRAM)
    record = RecordOptions(directory=folder / "shelf" / f"{name}.perftui")
    argv = [sys.executable, str(script), str(rest_s)]
    return Session.launch(argv, "program.py", ProbeOptions(), behind_screen=True, record=record)


def recorded(folder: Path, name: str = "job") -> Path:
    """Run the program to its end; returns the recording."""
    session = start(folder, name)
    assert session.wait(30)
    session.close()
    return folder / "shelf" / f"{name}.perftui"


@needs_tmux
def test_a_recording_is_replayed(terminal: Terminal, tmp_path: Path) -> None:
    recorded(tmp_path)
    terminal.run("open", "last")
    terminal.wait_for(lambda text: "‖ REPLAY" in text and "burn  program.py" in text)
    for words in ("RSS", "warm up", "work", "rows", "exited with 3", "job  "):
        terminal.wait_for(words)
    terminal.press("o")
    terminal.wait_for("warming up")
    terminal.press("Home", "Space")
    terminal.wait_for("▶ REPLAY 1x")
    terminal.press("Space")
    terminal.wait_for("‖ REPLAY")
    # From a moment inside the first phase: how far it played depends on the machine.
    terminal.press("g")
    terminal.wait_for("enter go")
    terminal.press("-l", "0.3")
    terminal.press("Enter")
    # Until the bar has closed the next key would be typed into it.
    terminal.wait_for(lambda text: "enter go" not in text and "▲ 0.3 s" in text)
    terminal.press("}")
    terminal.wait_for("phase  work")
    terminal.press("g")
    terminal.wait_for("enter go")
    terminal.press("-l", "50%")
    terminal.press("Enter")
    terminal.wait_for(lambda text: "enter go" not in text and "±0.5 s" in text)
    terminal.press("e")
    terminal.wait_for("a column is 1 s")
    terminal.press("q")
    screen = terminal.wait_for("returned 0")
    assert "Traceback" not in screen


@needs_tmux
def test_another_terminal_is_followed(terminal: Terminal, tmp_path: Path) -> None:
    session = start(tmp_path, "now", rest_s=8.0)
    try:
        meta = tmp_path / "shelf" / "now.perftui" / "meta.json"
        end = time.monotonic() + 20
        while not meta.exists():
            assert time.monotonic() < end, "nothing is recorded"
            time.sleep(0.05)
        terminal.run("open", "now", "--follow")
        terminal.wait_for(lambda text: "● FOLLOWING" in text and "burn  program.py" in text)
        terminal.press("o")
        terminal.wait_for("at work")
        assert session.wait(30)
        session.close()
        terminal.wait_for(lambda text: "‖ REPLAY" in text and "exited with 3" in text)
        terminal.press("q")
        terminal.wait_for("returned 0")
    finally:
        session.stop_target()
        session.close()


@needs_tmux
def test_home_opens_a_recording_and_is_come_back_to(terminal: Terminal, tmp_path: Path) -> None:
    recorded(tmp_path)
    terminal.run()
    terminal.wait_for(lambda text: "Scenarios" in text and "Recordings · 1" in text)
    terminal.press("Tab", "Tab", "Enter")
    terminal.wait_for(lambda text: "‖ REPLAY" in text and "burn  program.py" in text)
    terminal.press("q")
    terminal.wait_for("Recordings · 1")
    terminal.press("q")
    screen = terminal.wait_for("returned 0")
    assert "Traceback" not in screen


def test_without_a_terminal_or_a_recording_one_line_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "PERFTUI_RECORDINGS": str(tmp_path)}
    for words, told in (
        (["open", "last"], "open needs a terminal"),
        (["open"], "the following arguments are required: RECORDING"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "perftui", *words],
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 2
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1


@needs_tmux
def test_what_is_no_recording_is_told_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "shelf" / "odd.perftui").mkdir(parents=True)
    terminal.run("open", "odd")
    screen = terminal.wait_for("returned 2")
    assert "is not a recording" in screen
    assert "Traceback" not in screen
    terminal.run("open", "nowhere")
    terminal.wait_for("there is no recording 'nowhere'")
