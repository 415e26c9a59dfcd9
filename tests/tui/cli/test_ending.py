"""perftui ended by signals, at every moment of its life, and by the end of its terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.live

LIMIT_S = 60.0
SLEEPER = "import time\nprint('it works', flush=True)\ntime.sleep(300)\n"
STUBBORN = (
    "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nsignal.signal(2, signal.SIG_IGN)\n"
)


class Screen:
    """perftui on a terminal of its own, as a shell would start it."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        stderr: Path | None = None,
        ignored: signal.Signals | None = None,
    ) -> None:
        self.sent = b""
        env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        env.pop("PYTHONUNBUFFERED", None)
        env["XDG_DATA_HOME"] = str(folder / "data")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if stderr is not None:
                os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT), 2)
            if ignored is not None:
                signal.signal(ignored, signal.SIG_IGN)
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "perftui", *words], env)
        self.before = termios.tcgetattr(self.fd)
        self.code: int | None = None

    def read(self, for_s: float = 0.05) -> None:
        if self.fd >= 0 and select.select([self.fd], [], [], for_s)[0]:
            with suppress(OSError):  # nobody has the other end any more
                self.sent += os.read(self.fd, 65536)

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + LIMIT_S
        while not true():
            assert time.monotonic() < end, self.sent[-3000:]
            self.read()

    def shows_picture(self) -> bool:
        return "● LIVE".encode() in self.sent

    def ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def wait(self) -> int:
        self.until(self.ended)
        before = -1
        while len(self.sent) > before:  # a terminal hands out a few KB at a time
            before = len(self.sent)
            self.read(0.2)
        assert self.code is not None
        return self.code

    def terminal_is_whole(self) -> bool:
        """True if line editing and echo are on, and the first screen is shown."""
        switches = self.sent.rfind(b"\x1b[?1049h"), self.sent.rfind(b"\x1b[?1049l")
        return termios.tcgetattr(self.fd) == self.before and switches[1] >= switches[0]

    def close(self) -> None:
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Path]:
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    yield script
    for pid in targets(script):
        os.kill(pid, signal.SIGKILL)


def targets(script: Path) -> list[int]:
    """Return the processes that run a script: not perftui itself, which has it among its words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if str(script).encode() in words and b"perftui" not in words:
                found.append(int(folder.name))
    return found


def states(folder: Path) -> list[str]:
    """Return what the recordings of a folder say of themselves."""
    return [json.loads(path.read_text())["state"] for path in folder.glob("*/meta.json")]


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
        ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGTERM] * 5, 143),
    ],
)
def test_a_signal_closes_screen_recording_and_target(
    tmp_path: Path, sleeper: Path, numbers: list[signal.Signals], code: int
) -> None:
    records = tmp_path / "records"
    screen = Screen(
        tmp_path, "run", "--record", str(records), "--json", "summary.json", str(sleeper)
    )
    try:
        screen.until(screen.shows_picture)
        assert targets(sleeper)
        for number in numbers:
            os.kill(screen.pid, number)
            screen.read(0.02)
        assert screen.wait() == code
        assert screen.terminal_is_whole()
        assert targets(sleeper) == []
        assert f"ended by {numbers[0].name}; it was passed on, and the target has ended" in (
            screen.sent.decode("utf-8", "replace")
        )
        assert states(records) == ["closed"]
        assert json.loads((tmp_path / "summary.json").read_text())["target"]["signal"] is not None
    finally:
        screen.close()


def test_a_target_that_does_not_end_is_left_and_said(tmp_path: Path, sleeper: Path) -> None:
    sleeper.write_text(STUBBORN + SLEEPER)
    screen = Screen(tmp_path, "run", "--no-record", str(sleeper))
    try:
        screen.until(screen.shows_picture)
        os.kill(screen.pid, signal.SIGTERM)
        assert screen.wait() == 143
        (pid,) = targets(sleeper)
        assert f"the target (process {pid}) goes on running".encode() in screen.sent
        assert screen.terminal_is_whole()
    finally:
        screen.close()


def test_attached_and_home_leave_the_terminal_whole(tmp_path: Path, sleeper: Path) -> None:
    target = subprocess.Popen([sys.executable, str(sleeper)], stdout=subprocess.DEVNULL)
    screens = [Screen(tmp_path, "attach", "--no-record", str(target.pid)), Screen(tmp_path)]
    try:
        for screen in screens:
            screen.until(lambda screen=screen: len(screen.sent) > 3_000)
            os.kill(screen.pid, signal.SIGTERM)
            assert screen.wait() == 143
            assert screen.terminal_is_whole()
        assert target.poll() is None, "what was only watched is not touched"
    finally:
        for screen in screens:
            screen.close()
        target.kill()
        target.wait()


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.2])
def test_a_signal_right_after_the_start_of_the_target_leaves_nothing(
    tmp_path: Path, delay_s: float
) -> None:
    # The target itself sends it: no clock of a test meets the first milliseconds.
    mark = tmp_path / "target"
    wait = f"sleep {delay_s}; " if delay_s else ""
    code = f"{wait}kill -TERM $PPID; while :; do sleep 0.2; done"
    words = ["run", "--no-record", "--", "/bin/sh", "-c", code, str(mark)]
    headless = subprocess.run(
        [sys.executable, "-m", "perftui", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
    )
    assert headless.returncode == 143, headless.stderr
    assert targets(mark) == [], "an orphan"
    screen = Screen(tmp_path, *words)
    try:
        assert screen.wait() == 143
        assert screen.terminal_is_whole()
        assert targets(mark) == [], "an orphan"
    finally:
        screen.close()


@pytest.mark.parametrize("delay_s", [0.0, 0.2, 0.5])
def test_a_signal_at_any_moment_of_our_own_start_leaves_nothing(
    tmp_path: Path, sleeper: Path, delay_s: float
) -> None:
    screen = Screen(tmp_path, "run", "--no-record", str(sleeper))
    try:
        time.sleep(delay_s)
        os.kill(screen.pid, signal.SIGTERM)
        assert screen.wait() in (143, -signal.SIGTERM)
        assert screen.terminal_is_whole()
        assert targets(sleeper) == [], "an orphan"
    finally:
        screen.close()


@pytest.mark.parametrize("ignored", [None, signal.SIGHUP], ids=["", "nohup"])
def test_a_terminal_that_goes_away_closes_all_in_order(
    tmp_path: Path, sleeper: Path, ignored: signal.Signals | None
) -> None:
    records = tmp_path / "records"
    screen = Screen(tmp_path, "run", "--record", str(records), str(sleeper), ignored=ignored)
    try:
        screen.until(screen.shows_picture)
        os.close(screen.fd)
        screen.fd = -1
        end = time.monotonic() + LIMIT_S
        while not screen.ended():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert screen.code == 0, "somebody closed the window: nothing has failed"
        # What nohup keeps is the program.
        assert bool(targets(sleeper)) is (ignored is not None)
        assert states(records) == ["closed"]
    finally:
        screen.close()
    (record,) = records.iterdir()
    viewer = Screen(tmp_path, "open", str(record), ignored=ignored)
    try:
        viewer.until(lambda: len(viewer.sent) > 3_000)
        os.close(viewer.fd)
        viewer.fd = -1
        end = time.monotonic() + LIMIT_S
        while not viewer.ended():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert viewer.code == 0, "who only looks has not failed"
    finally:
        viewer.close()


def test_a_redirected_stderr_gets_the_words_and_the_screen_its_terminal(
    tmp_path: Path, sleeper: Path
) -> None:
    words = tmp_path / "err.log"
    screen = Screen(tmp_path, "run", "--no-record", str(sleeper), stderr=words)
    try:
        screen.until(screen.shows_picture)
        os.kill(screen.pid, signal.SIGTERM)
        assert screen.wait() == 143
        assert screen.terminal_is_whole()
        said = words.read_text()
        assert "ended by SIGTERM" in said
        assert "\x1b" not in said, "no picture in a file"
        assert targets(sleeper) == []
    finally:
        screen.close()


@pytest.mark.parametrize(
    "words",
    [
        ["demo", "--no-record", "--no-growth", "--size", "20MB"],
        ["sweep", "{job}:work", "--over", "seconds=60,61"],
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_race_and_a_sweep_leave_nothing_running(
    tmp_path: Path, words: list[str], number: signal.Signals
) -> None:
    """Wherever the signal finds them: also between the start of a process and the note of it."""
    job = tmp_path / "job.py"
    job.write_text("import time\ndef work(seconds: int = 60): time.sleep(seconds)\n")
    said = tmp_path / "said"
    env = {**os.environ, "PERFTUI_CACHE": str(tmp_path / "cache"), "MARK": str(tmp_path)}
    with said.open("wb") as stderr:
        ran = subprocess.Popen(
            [sys.executable, "-m", "perftui", *(word.format(job=job) for word in words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=env,
        )
        try:
            until = time.monotonic() + LIMIT_S
            while not said.read_bytes() and time.monotonic() < until:
                time.sleep(0.01)
            ran.send_signal(number)
            assert ran.wait(LIMIT_S) == 128 + number, said.read_text()
        finally:
            ran.kill()
    assert b"Traceback" not in said.read_bytes()

    def left() -> list[str]:
        return [
            folder.name
            for folder in Path("/proc").glob("[0-9]*")
            if _environment(folder).find(f"MARK={tmp_path}\0".encode()) >= 0
        ]

    # What was killed may take a moment to be gone; what runs on does for a minute.
    wait_for(lambda: left() == [], f"left running: {left()}", 30)


def _environment(folder: Path) -> bytes:
    with suppress(OSError):
        return (folder / "environ").read_bytes()
    return b""
