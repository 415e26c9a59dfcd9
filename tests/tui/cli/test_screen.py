"""The live screen as a person meets it: a real terminal (tmux), real keys, real programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.terminal import TMUX, Terminal
from support.waiting import PATIENCE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(TMUX is None, reason="tmux is not installed"),
]

BUSY = """
import pathlib, sys, time, perftui
print("hello from the program", flush=True)
print("a complaint", file=sys.stderr, flush=True)
ENOUGH = pathlib.Path(__file__).with_name("enough")
def burn():
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end and not ENOUGH.exists():
        sum(range(2_000)); perftui.count("rows", 10)
with perftui.phase("burning"):
    burn()
sys.exit(5)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, 160, 45)
    yield made
    made.close()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "busy.py"
    path.write_text(BUSY)
    return str(path)


def has_returned(text: str) -> bool:
    """The command has ended: what is typed has the word, too, and is there before."""
    return re.search(r"returned \d", text) is not None


def running(script: str) -> list[int]:
    listed = subprocess.run(["ps", "-wweo", "pid,args"], capture_output=True, text=True).stdout
    rows = (line.split(None, 1) for line in listed.splitlines())
    return [
        int(pid) for pid, args in rows if script in args and "perftui" not in args.split(script)[0]
    ]


def test_a_program_is_seen_to_its_end_and_its_exit_code_is_ours(
    terminal: Terminal, script: str
) -> None:
    terminal.run("run", script, "100")
    screen = terminal.wait_for(lambda text: "burn  busy.py" in text and "rows" in text)
    assert "● LIVE" in screen
    assert "burning" in screen, "the phase band"
    assert "self" in screen.splitlines()[0], "the tool's own cost"
    terminal.press("o")
    screen = terminal.wait_for("hello from the program")
    assert "a complaint" in screen
    Path(script).with_name("enough").touch()
    screen = terminal.wait_for("EXITED")
    assert "exited with 5" in screen
    assert "RSS" in screen, "the picture stays"
    terminal.press("q")
    screen = terminal.wait_for("returned 5")
    assert "self time" in screen, "the summary follows"
    assert "Traceback" not in screen


def test_quitting_asks_what_becomes_of_a_live_target(terminal: Terminal, script: str) -> None:
    terminal.run("run", script, "60")
    terminal.wait_for("● LIVE")
    (pid,) = running(script)
    terminal.press("q")
    terminal.wait_for("leave it running")
    terminal.press("Escape")
    terminal.wait_for(lambda text: "leave it running" not in text)
    assert running(script) == [pid]
    terminal.press("q")
    terminal.wait_for("leave it running")
    terminal.press("s")
    terminal.wait_for(has_returned)
    assert running(script) == []


def test_a_target_that_is_left_running_goes_on(terminal: Terminal, script: str) -> None:
    terminal.run("run", script, "60")
    terminal.wait_for("● LIVE")
    terminal.press("q")
    terminal.wait_for("leave it running")
    terminal.press("l")
    terminal.wait_for("goes on running")
    (pid,) = running(script)
    state = (f"/proc/{pid}/status",)
    with open(state[0]) as file:  # noqa: PTH123
        assert "State:\tT" not in file.read()
    os.kill(pid, 9)


def test_the_end_of_the_terminal_ends_a_launched_target(terminal: Terminal, script: str) -> None:
    terminal.run("run", script, "60")
    terminal.wait_for("● LIVE")
    assert running(script)
    terminal.close()
    wait_for(lambda: not running(script), "an orphan is left")


@pytest.mark.parametrize("words", [(), ("attach",), ("run",)])
def test_a_terminal_that_goes_away_untold_is_noticed(script: str, words: tuple[str, ...]) -> None:
    # Without a controlling terminal nobody sends SIGHUP: its end must be noticed.
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "perftui", *words]
    if words == ("run",):
        command += [script, "60"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    while len(seen) < 3_000:
        seen += os.read(ours, 65536)
    os.close(ours)
    process.wait(PATIENCE_S)
    wait_for(lambda: not running(script), "an orphan is left")


def test_attach_without_a_pid_lets_one_choose(terminal: Terminal, script: str) -> None:
    # A name of its own: others may run these tests on this machine at the same time.
    own = Path(script).with_name(f"own{os.getpid()}.py")
    own.write_text(BUSY)
    target = subprocess.Popen([sys.executable, own, "100"], stdout=subprocess.DEVNULL)
    try:
        terminal.run("attach")
        terminal.wait_for("attach to a Python process")
        terminal.press("-l", own.name)
        screen = terminal.wait_for(lambda text: "1 of" in text)
        assert str(target.pid) in screen
        terminal.press("Enter")
        terminal.wait_for(lambda text: "● LIVE" in text and f"burn  {own.name}" in text)
        terminal.press("q")
        terminal.wait_for("returned 0")
        assert target.poll() is None, "leaving never harms the target"
    finally:
        target.kill()
        target.wait()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 15)])
def test_small_terminals(tmp_path: Path, script: str, columns: int, rows: int) -> None:
    terminal = Terminal(tmp_path, columns, rows)
    try:
        terminal.run("run", script, "120")
        screen = terminal.wait_for(lambda text: "LIVE" in text and "RSS" in text)
        assert max(map(len, screen.splitlines())) <= columns
        terminal.press("q")
        terminal.wait_for("leave it")
        terminal.press("s")
        terminal.wait_for(has_returned)
    finally:
        terminal.close()


def test_a_window_too_small_says_so_in_one_line(tmp_path: Path, script: str) -> None:
    terminal = Terminal(tmp_path, 40, 10)
    try:
        terminal.run("run", script, "120")
        screen = terminal.wait_for("needs 60")
        assert "Traceback" not in screen
        terminal.press("q")
        terminal.press("s")  # the question is asked where nobody sees it
        terminal.wait_for(has_returned)
        assert running(script) == []
    finally:
        terminal.close()


OWN = """
import time, perftui
RUNS = []
def work():
    RUNS.append(1)
    print("run", len(RUNS), "of this program", flush=True)
    end = time.monotonic() + 0.4
    while time.monotonic() < end: sum(range(500))
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "kept-own.py").write_text(OWN)
    return f"{tmp_path}/kept-own.py:work"


def kept(own: str) -> list[int]:
    """Return the processes that run this scenario."""
    listed = subprocess.run(["ps", "-wweo", "pid,args"], capture_output=True, text=True).stdout
    rows = (line.split(None, 1) for line in listed.splitlines())
    return [int(pid) for pid, args in rows if f"perftui.scenarios.run.child {own}" in args]


def shows(*words: str) -> Callable[[str], bool]:
    """A screen is drawn piece by piece: it must show all of these."""
    return lambda text: all(word in text for word in words)


def test_a_scenario_is_run_again_warm_and_cold(terminal: Terminal, own: str) -> None:
    terminal.run("run", own, "--no-record")
    terminal.wait_for(shows("WAITING", "run 1 (cold) done", "A again  R restart"))
    terminal.press("o")
    terminal.wait_for("run 1 of this program")
    terminal.press("A")
    terminal.wait_for(shows("run 2 (warm) done", "run 2 of this program"))
    (pid,) = kept(own)
    terminal.press("R")
    terminal.wait_for("run 3 (cold) done")
    # A new program begins to count anew.
    terminal.wait_for(lambda text: text.count("run 1 of this program") == 2)
    assert kept(own) == [pid]
    terminal.press("P")
    terminal.wait_for(lambda text: text.count("cold: a new program") == 2)
    terminal.wait_for("warm: the same process")
    terminal.press("q")
    terminal.wait_for("returned 0")
    assert kept(own) == [], "nothing is asked, and nothing is left"
    assert "3 cold" in terminal.everything(), "the summary may be longer than the screen"


def test_a_kept_process_does_not_outlive_a_killed_perftui(terminal: Terminal, own: str) -> None:
    terminal.run("run", own, "--no-record")
    terminal.wait_for("WAITING")
    (child,) = kept(own)
    with open(f"/proc/{child}/stat") as file:  # noqa: PTH123
        perftui = int(file.read().rpartition(")")[2].split()[1])
    os.kill(perftui, 9)
    wait_for(lambda: not kept(own), "it waits for ever")
