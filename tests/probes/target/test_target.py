from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perftui.probes.process.face import ProcessGone
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import LogLine
from perftui.probes.target.output.tail import OutputTail
from perftui.probes.target.program import ProgramError, command_of
from perftui.probes.target.target import AttachedTarget, LaunchedTarget, LaunchError
from perftui.tui.watch.headless import exit_status

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def ended(target: LaunchedTarget | AttachedTarget) -> None:
    target.watch(lambda _: None)
    assert target.wait(60)


def test_exit_code_and_signal_are_told_apart() -> None:
    left = LaunchedTarget(python("raise SystemExit(3)"), os.environ)
    ended(left)
    killed = LaunchedTarget(python("import os; os.kill(os.getpid(), 9)"), os.environ)
    ended(killed)
    assert left.exit is not None
    assert killed.exit is not None
    assert (left.exit.exit_code, left.exit.signal) == (3, None)
    assert (killed.exit.exit_code, killed.exit.signal) == (None, 9)


def test_a_program_that_ignores_sigterm_is_killed() -> None:
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(1, flush=True)\n"
    read, write = os.pipe()
    target = LaunchedTarget(python(code + "time.sleep(60)"), os.environ, stdout=write)
    os.close(write)
    target.watch(lambda _: None)
    os.read(read, 1)
    target.stop(grace_s=0.3)
    os.close(read)
    assert target.exit is not None
    assert target.exit.signal == signal.SIGKILL


def test_the_peak_of_a_small_child_is_not_ours() -> None:
    ballast = bytearray(b"x") * 200_000_000
    target = LaunchedTarget([sys.executable, "-S", "-c", "pass"], os.environ)
    ended(target)
    assert len(ballast) == 200_000_000
    assert target.exit is not None
    assert target.exit.max_rss_bytes is None


def test_what_cannot_be_started_is_said_in_one_line() -> None:
    with pytest.raises(LaunchError, match="cannot start '/nowhere/x': No such file"):
        LaunchedTarget(["/nowhere/x"], os.environ)


def test_an_attached_process_is_watched_and_left_alone() -> None:
    process = subprocess.Popen(python("import time; time.sleep(60)"))
    try:
        target = AttachedTarget(process.pid)
        target.watch(lambda _: None)
        assert target.alive()
        target.leave()
        assert process.poll() is None
        second = AttachedTarget(process.pid)
        second.watch(lambda _: None)
    finally:
        process.kill()
        process.wait()
    assert second.wait(60)
    with pytest.raises(ProcessGone):
        AttachedTarget(process.pid)


class Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def ingest(self, batch: Batch) -> None:
        self.lines += [(r.stream, r.text) for r in batch.raw if isinstance(r, LogLine)]


def tail(code: str) -> list[tuple[str, str]]:
    log, kept = SessionLog(), Lines()
    log.connect(kept)
    output = OutputTail(log)
    target = LaunchedTarget(
        python(code), os.environ, stdout=output.stdout_fd, stderr=output.stderr_fd
    )
    output.start()
    ended(target)
    output.stop()
    return kept.lines


def test_output_comes_as_lines_whatever_its_bytes() -> None:
    code = (
        "import sys\n"
        "sys.stdout.buffer.write(b'plain\\n' + 'grün'.encode() + b'\\n\\xff\\xfe bad\\n')\n"
        "sys.stdout.buffer.write(b' 10%\\r 90%\\r100%\\nno newline')\n"
        "sys.stderr.write('trouble\\n')\n"
    )
    lines = tail(code)
    out = [text for stream, text in lines if stream == "stdout"]
    assert out == ["plain", "grün", "\ufffd\ufffd bad", "100%", "no newline"]
    assert ("stderr", "trouble") in lines


def test_a_burst_of_output_is_complete() -> None:
    lines = tail("for n in range(20_000): print(n, 'x' * 20)")
    assert [text.split()[0] for _, text in lines] == [str(n) for n in range(20_000)]


def test_the_target_goes_on_writing_when_nobody_reads_any_more() -> None:
    log = SessionLog()
    output = OutputTail(log)
    code = "import time\nfor n in range(30): print('x' * 100_000, flush=True); time.sleep(0.01)"
    target = LaunchedTarget(python(code), os.environ, stdout=output.stdout_fd)
    output.start()
    time.sleep(0.1)
    output.stop()
    ended(target)
    assert target.exit is not None
    assert target.exit.exit_code == 0


def test_words_become_an_argv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.py").write_text("pass\n")
    assert command_of(["job.py", "--x", "1"], sys.executable) == [
        sys.executable, "job.py", "--x", "1",
    ]  # fmt: skip
    assert command_of(["-m", "json.tool"], sys.executable)[1:] == ["-m", "json.tool"]
    assert command_of(["ls", "-l"], None)[0].endswith("/ls")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["missing.py"], "no file 'missing.py'"),
        (["no-such-program"], "no program or script 'no-such-program'"),
        (["-m"], "-m needs a module"),
    ],
)
def test_words_that_name_nothing(words: list[str], reason: str) -> None:
    with pytest.raises(ProgramError, match=reason):
        command_of(words, None)


@pytest.mark.parametrize("code", [7, 0])
def test_a_supervisor_that_ignores_sigchld_changes_nothing(code: int) -> None:
    looks = f"import signal, sys; print(signal.getsignal(17)); sys.exit({code})"
    words = [sys.executable, "-m", "perftui", "run", "--headless", "--no-record", "--no-stacks"]
    ran = subprocess.run(
        [*words, "--", *python(looks)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    assert ran.returncode == code, ran.stderr
    assert ran.stdout == "1\n"  # the program finds it as it would without us
    assert f"exit code {code}" in ran.stderr


def test_an_end_that_somebody_else_waited_for_is_an_end() -> None:
    target = LaunchedTarget(python("pass"), os.environ)
    os.waitpid(target.pid, 0)
    ended(target)
    assert target.exit is not None
    assert (target.exit.exit_code, target.exit.signal) == (None, None)
    assert exit_status(target.exit) == 3
