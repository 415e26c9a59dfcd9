"""`perftui run --memray` on real programs: what is recorded, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from perftui.probes.allocations.memray_there import NoMemray, memray_of
from perftui.probes.recording.format.captures import capture_pid, captures_in
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.pack import pack
from perftui.probes.recording.sql.query import Query
from perftui.tui.text.summary import summary_text

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.records import Allocated

MB = 1 << 20
PERFTUI = [sys.executable, "-m", "perftui"]
needs_memray = pytest.mark.skipif(
    importlib.util.find_spec("memray") is None, reason="memray is not installed: '.[memray]'"
)

PROGRAM = """\
import json, os, sys, threading, time

kept = []

def early():
    kept.extend(bytearray(1 << 20) for _ in range(8))

def late():
    kept.extend(bytearray(1 << 20) for _ in range(16))

def snapshots():
    # How often memray's thread has woken up, to take one.
    woken = 0
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/status") as file:
            said = dict(line.split(":", 1) for line in file)
        if task != str(os.getpid()) and said["Name"].strip() != "perftui-agent":
            woken += int(said["voluntary_ctxt_switches"])
    return woken

def passing():
    block = bytearray(32 << 20)
    begin = time.monotonic_ns()
    wanted, give_up = snapshots() + 4, time.monotonic() + 20
    while snapshots() < wanted and time.monotonic() < give_up:
        time.sleep(0.02)
    times["held"] = begin, time.monotonic_ns()
    return len(block)

def in_child():
    kept.extend(bytearray(1 << 20) for _ in range(24))

def timed(work):
    begin = time.monotonic_ns()
    work()
    times[work.__name__] = begin, time.monotonic_ns()

times = {}
timed(early)
timed(passing)
thread = threading.Thread(target=timed, args=(late,), name="writer")
thread.start()
thread.join()
child = os.fork()
if not child:
    in_child()
    os._exit(0)
os.waitpid(child, 0)
for _ in range(5):
    again = os.fork()
    if not again:
        os._exit(0)
    os.waitpid(again, 0)
with open(sys.argv[1], "w") as file:
    json.dump({"pid": os.getpid(), "child": child, "times": times}, file)
"""


class Ran(NamedTuple):
    done: subprocess.CompletedProcess[str]
    recording: Path
    said: dict[str, Any]
    """By the program."""

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.done.stdout)
        return found

    def passing(self) -> Allocated:
        return max(self.rows("passing"), key=lambda row: row.bytes)

    def rows(self, function: str) -> list[Allocated]:
        allocated = open_recording(self.recording).blame(0, 1 << 62).allocated
        return [row for row in allocated if row.function == function]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("memray")
    program, said = folder / "program.py", folder / "said.json"
    program.write_text(PROGRAM)
    where = folder / "it.perftui"
    words = ["--json", "-", "--memray", "--record", str(where), str(program), str(said)]
    done = subprocess.run(
        [*PERFTUI, "run", *words, "--token=hunter2hunter2"],
        capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert said.exists(), done.stderr
    return Ran(done, where, json.loads(said.read_text()))


@needs_memray
def test_what_was_kept_is_told_with_its_thread_and_place(ran: Ran) -> None:
    assert ran.done.returncode == 0
    assert "memray is on" in ran.done.stderr
    assert ".bin" not in ran.done.stderr, "the files of a program that forks are whole"
    first = {row["function"]: row for row in reversed(ran.summary["memory"]["allocations"])}
    early, late = first["<genexpr>"], first.get("late")
    assert late is None or late["kept_bytes"] < MB
    kept = {
        (row["own"].split(" ")[0], row["thread"], row["pid"]): row["kept_bytes"] / MB
        for row in ran.summary["memory"]["allocations"]
        if row["function"] == "<genexpr>"
    }
    assert early["by"] == "memray"
    pid, child = ran.said["pid"], ran.said["child"]
    told = sorted((thread, of, round(size)) for (_, thread, of), size in kept.items())
    assert (("writer", pid, 16) in told) and ((child, 24) in {row[1:] for row in told}), told
    assert "allocated and kept to the end, by memray" in summary_text(ran.summary)


@needs_memray
def test_steps_hold_the_moment_of_what_is_told_of_them(ran: Ran) -> None:
    passing = ran.passing()
    begin, end = ran.said["times"]["held"]
    slack = 20_000_000  # the file has milliseconds of another clock
    assert passing.bytes >= 32 * MB
    assert passing.t_ns <= begin + slack
    assert passing.t1_ns >= ran.said["times"]["passing"][0] - slack
    assert passing.freed_ns is not None and passing.freed_ns >= end - slack
    late = [row for row in ran.rows("<genexpr>") if row.thread == "writer"]
    begin, end = ran.said["times"]["late"]
    assert all(row.t_ns <= end + slack and row.t1_ns >= begin - slack for row in late)
    assert sum(row.allocations for row in late) >= 16


@needs_memray
def test_sql_answers_of_a_range_and_from_a_pack(ran: Ran, tmp_path: Path) -> None:
    reader = open_recording(ran.recording)
    start_ns = reader.status().t_start_ns
    passing = ran.passing()
    a, b = ((t_ns - start_ns) / 1e9 for t_ns in (passing.t_ns, passing.t1_ns))
    packed = open_recording(pack(reader, tmp_path / "a.zip").path)
    answers = []
    for each in (reader, packed):
        with Query(each) as query:
            for span in ((a, b), (a, 1e6), (b, 1e6)):
                sql = f"FROM allocated{span} SELECT kept_bytes, bytes WHERE bytes >= {32 * MB}"
                with query.run(sql, 60) as result:
                    answers.append(list(result.rows()))
    held = [(passing.bytes, passing.bytes)]
    assert answers[:3] == answers[3:] == [held, [(0, passing.bytes)], []]


@needs_memray
def test_the_files_are_a_persons_own_and_without_secrets(ran: Ran) -> None:
    captures = captures_in(ran.recording)
    assert {capture.pid for capture in captures} >= {ran.said["pid"], ran.said["child"]}
    for capture in captures:
        data = (ran.recording / capture.name).read_bytes()
        assert b"program.py" in data and b"hunter2hunter2" not in data
    (of_target,) = (each for each in captures if each.pid == ran.said["pid"])
    assert (ran.recording / of_target.name).stat().st_mode & 0o777 == 0o600


@needs_memray
@pytest.mark.live
def test_what_a_killed_program_allocated_is_told(tmp_path: Path) -> None:
    """At its end it could say nothing."""
    code = (
        "import os, signal\n"
        "def hoard(): return [bytearray(1 << 20) for _ in range(40)]\n"
        "kept = hoard()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = ["--json", "-", "--memray", "--record", str(tmp_path / "a.perftui"), "-c", code]
    done = subprocess.run(
        [*PERFTUI, "run", *words],
        capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 128 + 9, done.stderr
    first = json.loads(done.stdout)["memory"]["allocations"][0]
    assert "hoard" in (first["function"], first["own_function"]) or first["file"] == "<string>"
    assert first["kept_bytes"] >= 40 * MB


@pytest.mark.parametrize(
    ("name", "pid"),
    [
        ("memray-12-99.bin", 12),
        ("memray-12-99.bin.77", 77),
        ("memray-12-99.bin.77.78", 78),
        ("memray-12.bin", None),
        ("../memray-12-99.bin", None),
        ("memray-12-99.bin.", None),
        ("memray-12-99.bin.lz4", None),
    ],
)
def test_names(name: str, pid: int | None) -> None:
    assert capture_pid(name) == pid


# What is refused, before anything starts


def with_module(tmp_path: Path, source: str) -> dict[str, str]:
    (tmp_path / "memray.py").write_text(source)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_without_the_extra_it_says_what_to_install_and_starts_nothing(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("open('started', 'w')\n")
    done = subprocess.run(
        [*PERFTUI, "run", "--headless", "--memray", str(program)],
        capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, cwd=tmp_path,
        env=with_module(tmp_path, "raise ModuleNotFoundError(name='memray')\n"), check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "pip install" in done.stderr, done.stderr
    assert "memray" in done.stderr
    assert not (tmp_path / "started").exists()


def test_a_module_of_that_name_is_not_memray(tmp_path: Path) -> None:
    with pytest.raises(NoMemray, match="another module of that name"):
        memray_of([sys.executable, "x.py"], with_module(tmp_path, "x = 1\n"))


def test_one_that_breaks_says_how(tmp_path: Path) -> None:
    with pytest.raises(NoMemray, match=r"cannot be used in .*OSError: no such library"):
        memray_of([sys.executable], with_module(tmp_path, "raise OSError('no such library')\n"))


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["sh", "-c", "true"], "does not tell"),
        (["no-such-program-anywhere"], "does not tell"),
        ([sys.executable, "-I", "x.py"], "lets nobody in"),
        ([sys.executable, "-X", "dev", "-S", "x.py"], "lets nobody in"),
    ],
)
def test_programs_that_cannot_be_looked_into(argv: list[str], why: str) -> None:
    with pytest.raises(NoMemray, match=why):
        memray_of(argv, os.environ)


@needs_memray
def test_the_python_of_a_command_line_is_found(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!{sys.executable} -X dev\n")
    tool.chmod(0o755)
    for argv in (
        [sys.executable, "x.py"],
        [str(tool)],
        ["env", "A=1", sys.executable, "x.py"],
        ["nice", "-n", "1", sys.executable, "x.py"],
    ):
        assert memray_of(argv, os.environ) == sys.executable


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["run", "--memray", "--no-record", "-c", "1"], "leave out --no-record"),
        (["run", "--memray", "--tracemalloc", "5", "-c", "1"], "contradict"),
        (["run", "--hands-off", "--tracemalloc", "5", "-c", "1"], "contradict"),
        (["run", "--tracemalloc", "5@x", "-c", "1"], "is not S or S@AT"),
        (["run", "--tracemalloc", "601", "-c", "1"], "is not S or S@AT"),
        (["attach", "--memray", "1"], "perftui run --memray"),
    ],
)
def test_refusals_are_one_line(words: list[str], why: str, capsys: Any) -> None:
    from perftui.tui.cli import main

    try:
        code: object = main(words)
    except SystemExit as error:  # of argparse
        code = error.code
    assert code == 2
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1
