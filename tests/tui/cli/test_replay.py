"""`perftui open` and `perftui` alone as a person meets them: a real terminal, a real recording."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.terminal import TMUX, Terminal
from support.waiting import PATIENCE_S, wait_for

from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
pytestmark = pytest.mark.live

PROGRAM = """
import pathlib, sys, time, perftui
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
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end and not pathlib.Path(__file__).with_name("enough").exists():
    time.sleep(0.05)
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


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program was recorded once, to its end."""
    folder = tmp_path_factory.mktemp("recorded")
    session = start(folder, "job")
    assert session.wait(PATIENCE_S)
    session.close()
    return folder / "shelf"


@pytest.fixture
def reader(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal with that recording on its shelf."""
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(shelf))
    made = Terminal(tmp_path, 160, 45)
    yield made
    made.close()


@needs_tmux
def test_a_recording_is_replayed(reader: Terminal) -> None:
    reader.run("open", "last")
    reader.wait_for(lambda text: "‖ REPLAY" in text and "burn  program.py" in text)
    for words in ("RSS", "warm up", "work", "rows", "exited with 3", "job  "):
        reader.wait_for(words)
    reader.press("o")
    reader.wait_for("warming up")
    reader.press("Home", "Space")
    reader.wait_for("▶ REPLAY 1x")
    reader.press("Space")
    reader.wait_for("‖ REPLAY")
    reader.press("g")
    reader.wait_for("enter go")
    reader.press("-l", "0.3")
    reader.press("Enter")
    reader.wait_for("▲ 00:00.3")
    # From the start: where 0.3 s is among the phases depends on the machine.
    reader.press("Home", "}")
    reader.wait_for("phase  warm up")
    reader.press("}")
    reader.wait_for("phase  work")
    # Typed ahead: what is typed after Enter is for the screen.
    reader.press("g", "5", "0", "%", "Enter", "e")
    reader.wait_for("CPU within each second")
    reader.press("q")
    screen = reader.wait_for("returned 0")
    assert "Traceback" not in screen


@needs_tmux
def test_another_terminal_is_followed(terminal: Terminal, tmp_path: Path) -> None:
    session = start(tmp_path, "now", rest_s=100.0)
    try:
        meta = tmp_path / "shelf" / "now.perftui" / "meta.json"
        wait_for(meta.exists, "nothing is recorded")
        terminal.run("open", "now", "--follow")
        terminal.wait_for(lambda text: "● FOLLOWING" in text and "burn  program.py" in text)
        terminal.press("o")
        terminal.wait_for("at work")
        (tmp_path / "enough").touch()
        assert session.wait(PATIENCE_S)
        session.close()
        terminal.wait_for(lambda text: "‖ REPLAY" in text and "exited with 3" in text)
        terminal.press("q")
        terminal.wait_for("returned 0")
    finally:
        session.stop_target()
        session.close()


@needs_tmux
def test_home_opens_a_recording_and_is_come_back_to(reader: Terminal) -> None:
    reader.run()
    reader.wait_for(lambda text: "Scenarios" in text and "Recordings · 1" in text)
    reader.press("Tab", "Tab", "Enter")
    reader.wait_for(lambda text: "‖ REPLAY" in text and "burn  program.py" in text)
    reader.press("q")
    reader.wait_for("Recordings · 1")
    reader.press("q")
    screen = reader.wait_for("returned 0")
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
