"""`perftui bench` of two short real programs: figures, table, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """
import sys
def work(n: int = 3):
    import colorsys, this_is_lazy
    return sum(range(n * 1000))
"""
PROGRAM = """
import pathlib, sys
count = pathlib.Path(sys.argv[1])
count.write_text(count.read_text() + "x" if count.exists() else "x")
block = bytearray(40_000_000)
if len(count.read_text()) == 3:
    print("out of luck", file=sys.stderr)
    raise SystemExit(7)
"""


def bench(
    *words: str, folder: Path, code: int = 0, timeout_s: float = 100
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "bench", *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        cwd=folder,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def told(folder: Path, *words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    done = bench("--json", "out.json", *words, folder=folder, code=code)
    return json.loads((folder / "out.json").read_text()), done.stdout + done.stderr


@pytest.fixture(scope="module")
def function_bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """A function with a lazy import, in two processes of four calls."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "load.py").write_text(FUNCTION)
    (folder / "this_is_lazy.py").write_text("import time; time.sleep(0.1)")
    return told(folder, "load.py:work", "-p", "n=5", "--runs", "2", "--calls", "4")


def figures(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in found["figures"]}


def test_a_function_is_cold_then_warm(function_bench: tuple[dict[str, Any], str]) -> None:
    found, text = function_bench
    rows = figures(found)
    assert found["params"] == {"n": "5"}
    assert [run["number"] for run in found["runs"]] == [0, 1, 2]
    assert [len(run["calls_s"]) for run in found["runs"][1:]] == [4, 4]
    assert rows["first_call"]["median"] >= 0.1 > rows["warm_call"]["median"]
    assert rows["cold_ratio"]["median"] > 5
    assert rows["first_modules"]["median"] >= 2
    assert "this_is_lazy" in found["runs"][1]["imported_in_first_call"]
    assert 0 < rows["spawn"]["median"] < rows["duration"]["median"]
    assert rows["first_call"]["median"] + rows["imports"]["median"] == pytest.approx(
        rows["cold_start"]["median"], rel=0.5
    )
    assert "2 fresh processes, 4 calls in each" in text


def test_a_run_that_fails_is_kept_counted_and_said(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    found, text = told(tmp_path, "--runs", "3", "--", sys.executable, "prog.py", "count")
    runs = found["runs"]
    assert [run["failed"] for run in runs] == [None, None, "exit code 7: out of luck", None]
    assert len(figures(found)["peak_rss"]["runs"]) == 2
    assert figures(found)["growth"]["median"] > 30e6
    assert "1 failed" in text
    assert "run 2 failed: exit code 7: out of luck" in text


def test_what_fails_every_time_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("raise SystemExit('never works')")
    done = bench("prog.py", folder=tmp_path, code=2)
    assert done.stderr.splitlines()[-1] == (
        "perftui: prog.py fails every time: exit code 1: never works"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-of-that-name"], "there is no program, script or scenario"),
        (["--runs", "0", "prog.py"], "not a number of runs"),
        (["--threshold", "duration", "prog.py"], "write NAME=20% or NAME=off"),
        ([], "nothing to run"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "prog.py").write_text("")
    done = bench(*words, folder=tmp_path, code=2)
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
