"""`perftui run` and `attach` without a screen, on real programs, as a shell sees them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.waiting import PATIENCE_S, wait_for

PERFTUI = [sys.executable, "-m", "perftui"]


def perftui(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    options.setdefault("timeout", 90)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*PERFTUI, *words], capture_output=True, text=True, **options)


def summary_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "job.py"
    path.write_text(
        "import sys, time\n"
        "def work():\n"
        "    end = time.process_time() + 0.8\n"
        "    while time.process_time() < end: sum(range(500))\n"
        "print('args', sys.argv[1:])\n"
        "work()\n"
        "sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)\n"
    )
    return path


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    """One that is over at once."""
    path = tmp_path / "brief.py"
    path.write_text("print('args')\n")
    return path


def test_a_script_runs_untouched_and_its_exit_code_is_ours(script: Path) -> None:
    done = perftui("run", str(script), "3", "--json", "x")
    assert done.returncode == 3
    assert done.stdout == "args ['3', '--json', 'x']\n", "options after the program are its own"
    assert "exit code 3" in done.stderr
    assert "work" in done.stderr


def test_the_summary_is_complete_and_alone_on_stdout(script: Path) -> None:
    done = perftui("run", "--json", "-", str(script))
    assert done.returncode == 0
    summary = summary_of(done)
    assert set(summary) == {
        "schema", "target", "duration_s", "cpu_s", "peak_rss_bytes", "processes", "phases",
        "imports", "runs", "installed", "calls", "counters", "plans", "tasks", "stacks",
        "gc", "memory", "alerts", "findings", "in_short", "spikes", "profiler",
    }  # fmt: skip
    assert summary["target"]["exit_code"] == 0
    assert summary["target"]["python"] == ".".join(map(str, sys.version_info[:3]))
    used_s = summary["cpu_s"]["user"] + summary["cpu_s"]["system"]
    assert 0.78 < used_s < 4, "0.8 s of work, and the start of a Python"
    assert summary["peak_rss_bytes"] > 5_000_000
    top = summary["stacks"]["top"][0]
    assert (top["function"], Path(top["file"]).name) == ("work", "job.py")
    assert top["self_pct"] > 80
    assert summary["stacks"]["coverage"] > 0.8
    assert "args []" in done.stderr, "the target's own output goes beside the summary"


def test_the_programs_own_records_arrive(tmp_path: Path) -> None:
    script = tmp_path / "marked.py"
    script.write_text(
        "import time, perftui\n"
        "with perftui.phase('load'):\n"
        "    import sqlite3\n"
        "    for n in range(5):\n"
        "        with perftui.call('query'):\n"
        "            time.sleep(0.2 if n == 0 else 0.01)\n"
        "        perftui.count('rows', 1000)\n"
        "perftui.mark('done')\n"
    )
    summary = summary_of(perftui("run", "--json", "-", str(script)))
    (phase,) = summary["phases"]
    assert phase["name"] == "load"
    # It sleeps for 240 ms; how much longer it takes is up to the machine.
    assert 0.24 <= phase["duration_s"] < 20
    query = summary["calls"]["query"]
    assert (query["n"], query["ratio"] > 2) == (5, True)
    assert summary["counters"]["rows"]["total"] == 5_000
    modules = {row["module"]: row for row in summary["imports"]["modules"]}
    assert modules["sqlite3.dbapi2"]["parent"] == "sqlite3"


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "timeit", "-n", "1", "pass"),
        ("--", sys.executable, "-X", "dev", "-c", "print('dev')"),
        ("-c", "print('one line')"),
        ("--", "/bin/echo", "not python"),
    ],
)
def test_ways_to_name_a_program(words: tuple[str, ...]) -> None:
    done = perftui("run", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_program_of_5_ms_has_a_summary() -> None:
    done = perftui("run", "--json", "-", "--", sys.executable, "-S", "-c", "pass")
    summary = summary_of(done)
    assert summary["target"]["exit_code"] == 0
    assert summary["duration_s"] < 30
    assert "with -S Python lets no agent in: imports, phases and calls are not seen" in done.stderr


def test_a_program_that_is_not_python_gives_metrics_and_says_so() -> None:
    done = perftui("run", "--json", "-", "--", "/bin/sleep", "1.5")
    summary = summary_of(done)
    assert summary["peak_rss_bytes"] > 0
    assert summary["stacks"]["top"] == []
    assert summary["target"]["python"] is None
    assert "not a Python process" in done.stderr


def test_standard_input_reaches_the_program() -> None:
    done = perftui("run", "-c", "print(input()[::-1])", stdin=None, input="olleh\n")
    assert done.stdout == "hello\n"


def test_a_signal_death_gives_128_plus_n() -> None:
    done = perftui("run", "-c", "import os; os.kill(os.getpid(), 15)")
    assert done.returncode == 143


def test_the_duration_ends_a_launched_program_with_0() -> None:
    began = time.monotonic()
    done = perftui("run", "--duration", "0.7", "-c", "import time; time.sleep(100)")
    assert done.returncode == 0
    assert time.monotonic() - began < 60


def test_a_memory_limit_is_kept() -> None:
    code = "data = bytearray(400_000_000)"
    assert perftui("run", "--limit", "2GB", "-c", code).returncode == 0
    done = perftui("run", "--limit", "200MB", "-c", code)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_a_signal_to_perftui_alone_is_passed_on(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([*PERFTUI, "run", "-c", code], stderr=subprocess.PIPE)
    wait_for(ready.exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 7


def test_kill_9_of_perftui_leaves_the_program_running(tmp_path: Path) -> None:
    ready, done = tmp_path / "ready", tmp_path / "done"
    code = (
        "import pathlib, time, perftui\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n"
        "    perftui.count('n'); time.sleep(0.01)\n"
        f"pathlib.Path({str(done)!r}).touch()\n"
    )
    process = subprocess.Popen(
        [*PERFTUI, "run", "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(ready.exists)
    process.kill()
    process.wait()
    wait_for(done.exists, "the target did not come to its end")


def test_attach_watches_and_leaves() -> None:
    code = "import time\nwhile True: sum(range(1000))"
    target = subprocess.Popen([sys.executable, "-c", code])
    try:
        done = perftui("attach", str(target.pid), "--duration", "2", "--json", "-")
        assert done.returncode == 0
        assert target.poll() is None
        summary = summary_of(done)
    finally:
        target.kill()
        target.wait()
    assert summary["target"]["exit_code"] is None
    assert summary["cpu_s"]["user"] > 0
    assert summary["stacks"]["samples"] > 1, "a full machine leaves time for few"


NO_PID = "4194304"
"""Linux gives none as high: one that has ended may be another's by the time it is asked for."""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run",), "nothing to run"),
        (("run", "--"), "nothing to run after --"),
        (("run", "streem-vs-collect"), "stream-vs-collect"),
        (("run", "import-cost", "-p", "pakage=json"), "package"),
        (("run", "stream-vs-collect", "-p", "mode=sideways"), "collect"),
        (("run", "missing.py"), "no file 'missing.py'"),
        (("run", "missing.py:work"), "missing.py"),
        (("run", "--rate", "fast", "x.py"), "between 1 and 1000"),
        (("run", "--python", "python9.9", "-c", "pass"), "no interpreter 'python9.9'"),
        (("run", "--json", "/nowhere/x.json", "-c", "pass"), "cannot write the summary"),
        (("run", "--", "/etc/passwd"), "/etc/passwd"),
        (("run", "--", "no-such-program"), "'no-such-program'"),
        (("run", ""), "the name of the program is empty"),
        (("run", "--", ""), "the name of the program is empty"),
        (("run", "/etc"), "'/etc' is a directory"),
        (("run", "."), "'.' is a directory"),
        (("run", "--dur", "2", "x.py"), "--dur"),
        (("run", "--no-rec", "-c", "pass"), "--no-rec"),
        (("list", "--js"), "--js"),
        (("attach", "seven"), "not a process id"),
        (("attach",), "needs a PID"),
        (("attach", NO_PID), "there is no process"),
        (("dump", NO_PID), "there is no process"),
        (("run", "--fail-on", "leaks", "-c", "pass"), "no alert 'leaks'"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words: tuple[str, ...], says: str) -> None:
    done = perftui(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_a_script_without_an_interpreter_says_what_is_missing(tmp_path: Path) -> None:
    script = tmp_path / "job"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    done = perftui("run", "--", str(script))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"'{script}' does not begin with #!" in line


@pytest.mark.parametrize(
    "words",
    [
        ("--duration=60", "--json", "-", "--max-age", "3"),
        ("--no-stacks", "--notify", "off", "--limit", "2GB", "--json=-"),
        ("--python", sys.executable, "--fail-on", "oom_risk", "--json", "-"),
    ],
)
def test_each_option_takes_what_it_takes_before_the_program(words: tuple[str, ...]) -> None:
    done = perftui("run", *words, "-c", "import sys; sys.exit(len(sys.argv))", "--duration", "x")
    assert done.returncode == 3, done.stderr
    assert summary_of(done)["target"]["exit_code"] == 3


@pytest.mark.parametrize("record", ["runs", "a b/it's.perftui", "r\tx/y.perftui"])
def test_what_is_printed_opens_the_recording(tmp_path: Path, record: str) -> None:
    done = perftui("run", "--record", record, "-c", "pass", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("recorded: ")]
    command = line.removeprefix("recorded: perftui open ")
    shown = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m perftui summary {command}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.startswith("perftui: exit code 0"), (command, shown.stderr)


def test_nothing_is_printed_of_a_recording_that_is_not_there(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    code = (
        "import shutil, time; time.sleep(1)\n"
        "while True:\n"  # who writes into it meanwhile may have made it again
        f"    shutil.rmtree({gone!r}, ignore_errors=True)\n"
        f"    try: open({gone!r}, 'w').close(); break\n"  # it cannot be made again
        "    except OSError: pass\n"
    )
    for words in (("--no-record",), ("--record", "/proc/x.perftui"),
                  ("--record", str(tmp_path / "gone" / "x.perftui"))):  # fmt: skip
        done = perftui("run", *words, "-c", code if "gone" in words[-1] else "pass")
        assert "recorded: perftui" not in done.stderr


@pytest.mark.parametrize(
    ("code", "returncode", "says"),
    [
        ("raise ValueError('at once')", 1, "ValueError: at once"),
        ("def broken(:", 1, "SyntaxError"),
    ],
)
def test_a_program_that_fails_fails_as_it_would_alone(
    tmp_path: Path, code: str, returncode: int, says: str
) -> None:
    script = tmp_path / "bad.py"
    script.write_text(code + "\n")
    alone = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    done = perftui("run", str(script))
    assert done.returncode == returncode == alone.returncode
    assert done.stdout == alone.stdout
    assert says in done.stderr
    # What perftui has to say on a full machine may come in between.
    said = [line for line in done.stderr.splitlines(True) if not line.startswith("perftui")]
    assert alone.stderr in "".join(said), "byte for byte what it says alone"


def test_help_costs_no_heavy_import() -> None:
    code = (
        "import sys\nfrom perftui.tui.cli import main\n"
        "try: main(['run', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'textual', 'rich', 'psutil', 'pyarrow', 'duckdb', 'lancedb', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_output_that_is_not_utf8_passes_through() -> None:
    code = "import os; os.write(1, bytes(range(256)))"
    done = subprocess.run([*PERFTUI, "run", "-c", code], capture_output=True, timeout=60)
    assert done.stdout == bytes(range(256))


def test_no_orphan_is_left_behind(brief: Path) -> None:
    perftui("run", str(brief))
    listed = subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True).stdout
    assert str(brief) not in listed
    assert os.environ.get("PERFTUI_AGENT") is None


def test_a_summary_never_takes_the_place_of_what_is_no_file(brief: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        done = perftui("run", "--json", str(pipe), "--no-record", str(brief))
        assert done.returncode == 0, done.stderr
        assert pipe.is_fifo(), "as root, /dev/null would be a plain file now"
        assert json.loads(os.read(held, 65536))["schema"] == 1
    finally:
        os.close(held)
