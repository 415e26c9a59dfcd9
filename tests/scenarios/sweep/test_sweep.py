"""Sweeps over a scenario whose growth is known, measured for real."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import PATIENCE_S, wait_for

from perftui.scenarios.define.parameters import Parameter, ScenarioError
from perftui.scenarios.run.runner import resolve
from perftui.scenarios.sweep.memory_limit import argv_under_rlimit, says_out_of_memory
from perftui.scenarios.sweep.report import as_json, as_text
from perftui.scenarios.sweep.sweep import SweepPlan, doubled, sweep, swept_parameter
from perftui.tui.commands.lab import sweep as command
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = '''
import time
import perftui

def work(n: int = 8, law: str = "linear", fail_at: int = 1000, size: int = 5):
    """Work whose cost is known."""
    with perftui.phase("setup"):
        ballast = bytearray(30_000_000)
    cost = {"linear": n, "constant": 4, "square": n * n / 16}[law]
    with perftui.phase("read"):
        held = []
        for _ in range(int(cost)):
            held.append(bytearray(b"x" * 4_000_000))
            end = time.process_time() + 0.01
            while time.process_time() < end:
                pass
        if n >= fail_at:
            raise ValueError("too much of it")
    with perftui.phase("teardown"):
        time.sleep(0.05)
'''


@pytest.fixture
def program(tmp_path: Path) -> str:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return f"{file}:work"


def swept(program: str, *fixed: str, values: str = "4,8,16,32", **options: Any) -> Any:
    scenario = resolve(program)
    parameter = swept_parameter(scenario, "n")
    plan = SweepPlan(scenario, parameter, tuple(values.split(",")), fixed, **options)
    return sweep(plan, lambda _line: None)


@pytest.mark.live
@pytest.mark.parametrize(
    ("law", "memory"),
    [("linear", "linear"), ("constant", "constant"), ("square", "worse than linear")],
)
def test_known_growth_is_measured(program: str, law: str, memory: str) -> None:
    found = swept(program, f"law={law}", values="8,16,32", rounds=2)
    assert found.memory.verdict == memory, found.memory.words
    assert found.cpu.verdict == memory, found.cpu.words
    assert [size.done for size in found.sizes] == [2, 2, 2]
    assert len(found.runs) == 9, "a warm-up round and two that count"
    last = {"linear": 32, "constant": 4, "square": 64}[law]
    assert found.sizes[-1].peak_bytes == pytest.approx(4e6 * (last + 1), rel=0.15, abs=2e6)
    assert found.sizes[-1].cpu_s == pytest.approx(0.01 * last, rel=0.5, abs=0.05)
    assert found.runs[0].base_bytes > 30e6, "what setup took is part of the base"


@pytest.mark.live
def test_runs_are_interleaved_there_and_back(program: str) -> None:
    found = swept(program, values="1,2,4", rounds=2)
    assert [run.value for run in found.runs] == ["1", "2", "4", "4", "2", "1", "1", "2", "4"]


@pytest.mark.live
def test_running_out_of_memory_is_told_from_failing(program: str) -> None:
    found = swept(program, rounds=1, values="2,4,64", limit_bytes=150_000_000)
    assert [size.outcome for size in found.sizes] == ["done", "done", "out of memory"]
    assert "passed the limit of 150 MB" in found.sizes[2].why
    text = as_text(found, ascii_only=True)
    assert "n=64: out of memory under the limit: RSS" in text
    assert "sampled): passes with 2, 4; out of memory with 64" in text
    assert text.isascii()

    failing = swept(program, "fail_at=4", rounds=1, values="2,4", limit_bytes=10**9)
    assert failing.sizes[1].outcome == "failed"
    assert failing.sizes[1].why.endswith("failed: ValueError: too much of it")
    assert failing.sizes[1].runs == 2, "what failed twice is not tried again"


@pytest.mark.live
def test_the_kernels_limit_is_met_inside(program: str) -> None:
    limits = {"limit_bytes": 120_000_000, "limit_by": "rlimit"}
    found = swept(program, rounds=1, values="2,4,64", **limits)
    assert [size.outcome for size in found.sizes] == ["done", "done", "out of memory"]
    assert "MemoryError" in found.sizes[2].why


@pytest.mark.live
def test_one_phase_or_all(program: str) -> None:
    setup = swept(program, rounds=1, values="2,4", phase="setup")
    assert all(run.peak_bytes > 25e6 for run in setup.runs)
    with pytest.raises(ScenarioError, match="no phase 'reed' in the run; there are: setup, read"):
        swept(program, rounds=1, values="2,4", phase="reed")


def test_which_parameter_is_swept() -> None:
    stream = resolve("stream-vs-collect")
    assert swept_parameter(stream, None).name == "size"
    assert swept_parameter(resolve("duckdb-query"), None).name == "rows"
    with pytest.raises(ScenarioError, match="a sweep needs a number"):
        swept_parameter(stream, "mode")
    with pytest.raises(ScenarioError, match=r"no parameter 'sise' \(did you mean size "):
        swept_parameter(stream, "sise")
    with pytest.raises(ScenarioError, match="neither size nor rows"):
        swept_parameter(resolve("lock-wait"), None)


def test_doubling_starts_below_the_default() -> None:
    size = swept_parameter(resolve("stream-vs-collect"), None)
    assert doubled(size, 4) == ("75MB", "150MB", "300MB", "600MB")
    assert doubled(size, 2, "1GB") == ("1GB", "2GB")
    assert doubled(Parameter("n", "int", 3), 3) == ("1", "2", "4")
    assert doubled(Parameter("n", "float", 1.0), 2) == ("0.25", "0.5")
    with pytest.raises(ScenarioError, match="from 1MB to 1TB"):
        doubled(size, 20, "600MB") and doubled(size, 20, "10GB")
    with pytest.raises(ScenarioError, match="no default to start from"):
        doubled(Parameter("n", "int", None, optional=True), 3)


@pytest.mark.parametrize(
    "line",
    [
        "MemoryError",
        "pyarrow.lib.ArrowMemoryError: realloc of size 1275968 failed",
        "memory allocation of 8388608 bytes failed",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "OutOfMemoryException: Out of Memory Error: could not allocate",
        "OSError: [Errno 12] Cannot allocate memory",
        "RuntimeError: can't start new thread",
    ],
)
def test_the_words_of_a_program_out_of_memory(line: str) -> None:
    assert says_out_of_memory(["something else", line])


def test_other_last_words_are_not() -> None:
    assert not says_out_of_memory(["ValueError: memory is not the matter", ""])
    assert argv_under_rlimit(["a b", "c"], 2048)[-2:] == ["a b", "c"]


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["sweep", *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("stream-vs-collect", "--over", "size"), "--over is written NAME=V1,V2"),
        (("stream-vs-collect", "--over", "size=1MB,2MB", "--doubling", "3"), "only the first one"),
        (("stream-vs-collect", "--over", "size=huge,2MB"), "size is a size like 300MB"),
        (("stream-vs-collect", "--over", "size=1MB,1MB"), "names a value twice"),
        (("stream-vs-collect", "--limit", "much"), "--limit: 'much' is not a size"),
        (("stream-vs-collect", "--limit", "0"), "an interpreter alone needs more than that"),
        (("stream-vs-collect", "--over", "size=1MB"), "--over size=1MB --doubling 4"),
        (("loader",), "--over rows=V1,V2,V3, or --over rows=V1 --doubling 4"),
        (("stream-vs-collect", "-p", "size=1MB"), "cannot be held fixed"),
        (("stream-vs-collect", "-p", "sise=1MB"), "did you mean size"),
        (("streem",), "did you mean stream-vs-collect"),
        (("stream-vs-collect", "--json", "/nowhere/x"), "cannot write the summary"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError) as caught:
        command.run(parse(*words))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.live
def test_the_command_writes_json_and_nothing_else(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (program, "--over", "n=2,4,8", "--runs", "2", "--json", "-", "-p", "law=linear")
    assert command.run(parse(*words)) == 0
    out = capsys.readouterr().out
    answer = json.loads(out)
    assert answer["schema"] == 1
    assert answer["scenario"].endswith("n=2..8")
    assert [size["value"] for size in answer["sizes"]] == ["2", "4", "8"]
    assert answer["memory"]["verdict"] == "linear"
    assert answer["memory"]["exponent"]["low"] < 1.2


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_ended_ends_its_run(program: str, number: signal.Signals) -> None:
    import psutil

    code = (
        "import signal, sys, argparse\n"
        "from perftui.tui.commands.lab import sweep\n"
        # Where the tests run in the background, SIGINT is ignored and inherited so.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "parser = argparse.ArgumentParser()\n"
        "sweep.add_parser(parser.add_subparsers())\n"
        "sys.exit(sweep.run(parser.parse_args(sys.argv[1:])))\n"
    )
    words = ["sweep", program, "--over", "n=200,400,800"]
    child = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: psutil.Process(child.pid).children(recursive=True))
        runs = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(number)
        assert child.wait(PATIENCE_S) != 0
        _, alive = psutil.wait_procs(runs, timeout=PATIENCE_S)
        assert alive == []
    finally:
        child.kill()
        child.wait()


@pytest.mark.live
def test_nothing_to_say_is_3(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(parse(program, "--over", "n=2,3", "--runs", "1")) == command.INCONCLUSIVE
    assert "2 sizes are too few" in capsys.readouterr().out


@pytest.mark.live
def test_a_report_has_table_chart_and_verdicts(program: str) -> None:
    found = swept(program, values="4,8,16", rounds=2)
    text = as_text(found, ascii_only=False)
    for part in ("peak above base", "█", "in proportion to the first", "memory  linear: n^"):
        assert part in text
    json.dumps(as_json(found), allow_nan=False)
