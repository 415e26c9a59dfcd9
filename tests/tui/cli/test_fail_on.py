"""`--fail-on`: one line in anyone's CI, on real programs; and over traces."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.detect.real import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

PERFTUI = [sys.executable, "-m", "perftui"]
SLOW_IMPORT = str(PROGRAMS / "slow_import.py")


def perftui(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PERFTUI, *words], capture_output=True, text=True, timeout=90)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return perftui("run", "--headless", "--no-record", *words)


@pytest.mark.live
def test_an_alert_of_the_kind_fails_the_run_and_is_told() -> None:
    done = run("--fail-on", "slow_import", "--json", "-", SLOW_IMPORT, "0")
    assert done.returncode == 1
    assert "perftui: --fail-on slow_import: import heavy " in done.stderr
    summary = json.loads(done.stdout)
    assert summary["target"]["exit_code"] == 0
    assert "slow_import" in {alert["kind"] for alert in summary["alerts"]}


@pytest.mark.live
def test_another_kind_does_not_and_the_programs_own_exit_code_is_ours(tmp_path: Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text(
        "import sys, time, perftui\nsys.path.insert(0, sys.argv[1])\nimport slow\nsys.exit(7)\n"
    )
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(0.9)\n")
    done = run("--fail-on", "io_wait,mem_growth", str(script), str(tmp_path))
    assert done.returncode == 7, done.stderr
    assert "--fail-on io_wait was not judged: no perftui.phase was entered" in done.stderr
    assert "--fail-on mem_growth was not judged: too short (" in done.stderr
    # Where both fail, the gate has the word; the program's own code is in the summary.
    both = run("--fail-on", "slow_import", str(script), str(tmp_path))
    assert both.returncode == 1
    assert "exit code 7" in both.stderr


@pytest.mark.live
def test_the_gate_holds_behind_a_screen_too() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="30")
        words = ["run", "--no-record", "--fail-on", "slow_import", "--duration", "40", SLOW_IMPORT]
        os.execv(sys.executable, [*PERFTUI, *words, "1"])
    seen, left = b"", False
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        seen += data
        if b"EXITED" in seen and not left:
            os.write(terminal, b"q")
            left = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 1, seen[-2000:]
    assert b"--fail-on slow_import: import heavy " in seen


@pytest.mark.live
def test_attach_has_the_gate() -> None:
    code = "import perftui, time, sys\nprint('up', flush=True)\nsys.stdin.read()\n"
    target = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert target.stdout is not None
        target.stdout.readline()
        words = ["--headless", "--no-record", "--duration", "2", "--fail-on", "mem_growth"]
        done = perftui("attach", *words, str(target.pid))
        assert done.returncode == 0, done.stderr
        assert "--fail-on mem_growth was not judged: too short" in done.stderr
    finally:
        target.kill()
        target.communicate()


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ("mem_grow", "no alert 'mem_grow'; there are cold_start, "),
        ("", "names no alert; there are cold_start, "),
        (" , ", "names no alert; there are cold_start, "),
    ],
)
def test_kinds_that_are_none_are_one_line(kinds: str, words: str) -> None:
    done = run("--fail-on", kinds, "x.py")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def trace(path: Path, mb_per_s: float, seconds: int) -> str:
    rows = [f"{n / 10},{200e6 + mb_per_s * 1e5 * n:.0f},90" for n in range(10 * seconds)]
    path.write_text("\n".join(["t_s,rss_bytes,cpu_percent", *rows]))
    return str(path)


def test_traces_have_the_gate_too(tmp_path: Path) -> None:
    leak = trace(tmp_path / "leak.csv", 2.0, 60)
    flat = trace(tmp_path / "flat.csv", 0.0, 60)
    short = trace(tmp_path / "short.csv", 2.0, 9)
    assert perftui("detect", leak).returncode == 0
    failed = perftui("detect", "--fail-on", "mem_growth", flat, leak)
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["kind"] == "mem_growth"
    assert failed.stderr.startswith("perftui: --fail-on mem_growth: RSS +2.00 MB/s for ")
    fine = perftui("detect", "--fail-on", "mem_growth", flat)
    assert (fine.returncode, fine.stderr) == (0, "")
    nothing = perftui("detect", "--fail-on", "mem_growth,cold_start", short)
    assert nothing.returncode == 0
    assert "--fail-on mem_growth was not judged: too short (8.90 s; it takes 26.0 s)" in (
        nothing.stderr
    )
    assert "--fail-on cold_start was not judged: no call was timed" in nothing.stderr
    unusable = perftui("detect", "--fail-on", "mem_growth", leak, str(tmp_path / "none.csv"))
    assert unusable.returncode == 2
