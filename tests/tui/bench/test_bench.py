"""`perftui bench` of two short real programs: figures, table, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import has_ended, wait_for

from perftui.scenarios.bench.revision import prune_revisions
from perftui.tui.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    *words: str, folder: Path, code: int | tuple[int, ...] = 0, timeout_s: float = 100
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "bench", *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        cwd=folder,
    )
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, (done.stdout, done.stderr)
    assert not any(line.startswith("Traceback") for line in done.stderr.splitlines()), done.stderr
    return done


def told(folder: Path, *words: str, code: int | tuple[int, ...] = 0) -> tuple[dict[str, Any], str]:
    done = bench("--json", "out.json", *words, folder=folder, code=code)
    return json.loads((folder / "out.json").read_text()), done.stdout + done.stderr


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def function_bench(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch
) -> tuple[dict[str, Any], str]:
    """A function with a lazy import, in two processes of four calls."""
    folder = tmp_path_factory.mktemp("bench")
    monkeypatch_module.setenv("XDG_STATE_HOME", str(folder / "state"))
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


def test_results_are_kept_for_the_history(
    function_bench: tuple[dict[str, Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "load.py:work"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("load.py:work n=5: 1 result\n")
    assert "no judged figure has changed for good" in said


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


def test_a_baseline_is_kept_held_against_and_accepted_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("block = bytearray(30_000_000)\n")
    words = ("--runs", "3", "--threshold", "duration=off,cpu=off,imports=off", "prog.py")
    bench("--save", "base.json", *words, folder=tmp_path)
    saved = (tmp_path / "base.json").read_text()
    entry = json.loads(saved)
    assert entry["protocol"] == {"kind": "group", "warmup": 1, "n": 3, "calls": None}
    assert len(entry["metrics"]["peak_rss_bytes"]["runs"]) == 3

    again = bench("--save", "base.json", *words, folder=tmp_path, code=2)
    assert "is there already" in again.stderr.splitlines()[-1]

    (tmp_path / "prog.py").write_text("block = bytearray(60_000_000)\n")
    worse = bench("--against", "base.json", "--annotations", *words, folder=tmp_path, code=1)
    assert "verdict: regressed\n  peak RSS regressed: +" in worse.stdout
    assert "::error title=perftui bench prog.py::peak RSS regressed: +" in worse.stdout
    assert (tmp_path / "base.json").read_text() == saved, "never by itself"

    bench("--against", "base.json", "--accept", *words, folder=tmp_path, code=1)
    accepted = json.loads((tmp_path / "base.json").read_text())
    assert accepted["history"] == [entry]
    assert accepted["supersedes"] == entry["created"]
    fine = bench("--against", "base.json", *words, folder=tmp_path, code=1)
    assert "verdict: ok\n  peak RSS +" in fine.stdout
    assert "since the oldest accepted baseline" in fine.stdout


def test_a_revision_runs_in_turns_from_a_tree_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "size.py").write_text("SIZE = 20_000_000\n")
    (repository / "prog.py").write_text("import size; block = bytearray(size.SIZE)\n")
    commit(repository)
    (repository / "size.py").write_text("SIZE = 60_000_000\n")
    before = sorted(path.name for path in repository.rglob("*") if ".git" not in path.parts)
    words = ("--against", "HEAD", "--runs", "2", "prog.py")
    # Two pairs are too few for a verdict.
    found, text = told(repository, *words, code=(0, 3))
    assert found["verdict"] in ("suspect", "inconclusive")
    order = [(run["number"], run["side"]) for run in found["runs"]]
    assert sorted(order) == [(n, side) for n in range(3) for side in ("base", "new")]
    rows = [line.split()[:4] for line in text.splitlines() if " of 2 " in line]
    assert [row[3] for row in rows] == ["base", "new", "new", "base"]
    assert figures(found)["peak_rss"]["change_pct"] > 50
    (repository / "out.json").unlink()
    after = sorted(path.name for path in repository.rglob("*") if ".git" not in path.parts)
    assert [name for name in after if not name.startswith(("__pycache__", "size."))] == [
        name for name in before if not name.startswith("size.")
    ]
    assert prune_revisions(3600) == (0, ())
    assert prune_revisions(0)[0] > 1000
    assert not [entry for entry in (tmp_path / "cache/revisions").iterdir() if entry.is_dir()]
    no = bench("--against", "v0.0.1", "prog.py", folder=repository, code=2)
    assert "v0.0.1: is neither a file nor a revision" in no.stderr


@pytest.mark.live
def test_what_a_file_cannot_tell_is_confirmed_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    repository = tmp_path / "r"
    repository.mkdir()
    (repository / "prog.py").write_text("block = bytearray(20_000_000)\n")
    words = ("--runs", "1", "prog.py")
    bench("--save", str(tmp_path / "early.json"), *words, folder=repository)
    commit(repository)
    bench("--save", str(tmp_path / "base.json"), *words, folder=repository)
    (repository / "prog.py").write_text("block = bytearray(60_000_000)\n")
    told_only, text = told(repository, "--against", "../base.json", *words, code=(0, 3))
    assert "runs of another time: to know, run both in turns: --against " in text
    assert "or --confirm" in text
    assert told_only["protocol"] == "one side"
    found, text = told(repository, "--against", "../base.json", "--confirm", *words, code=(0, 3))
    assert "perftui: again, in turns with its commit " in text
    assert found["protocol"] == "pairs in turns"
    assert figures(found)["peak_rss"]["change_pct"] > 50
    no = bench("--against", "../early.json", "--confirm", *words, folder=repository, code=2)
    assert "needs a baseline that was made of a clean commit" in no.stderr.splitlines()[-1]


BACKEND = """
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.write("src/thing.py", "thing.py")
        info = "thing-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
        kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", kind)
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "thing"
version = "1.0"
"""


@pytest.mark.live
def test_a_revision_that_can_be_installed_is_installed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PERFTUI_CACHE", str(cache))
    (tmp_path / "r").mkdir()
    repository = tmp_path / "r"
    (repository / "pyproject.toml").write_text(PROJECT)
    (repository / "backend.py").write_text("raise LookupError('no wheel today')")
    (repository / "src").mkdir()
    (repository / "src" / "thing.py").write_text("def work(): return bytearray(10_000_000)\n")
    monkeypatch.setenv("PYTHONPATH", str(repository / "src"))  # as if it were installed here
    (repository / "use.py").write_text("def use():\n    import thing\n    return thing.work()\n")
    commit(repository)
    failed = bench("--against", "HEAD", "use.py:use", folder=repository, code=2)
    assert "HEAD does not install: cannot install" in failed.stderr
    assert "no wheel today" in failed.stderr
    assert not list(cache.rglob("bin/python")), "nothing half is left"
    (repository / "backend.py").write_text(BACKEND)
    commit(repository)
    words = ("--against", "HEAD", "--runs", "1", "--calls", "2", "use.py:use")
    first = bench(*words, folder=repository, code=3)
    assert "installing HEAD" in first.stderr
    assert "installed in an environment of its own" in first.stdout
    again = bench(*words, folder=repository, code=3)
    assert "installing" not in again.stderr


NO_SETTINGS = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
"""Whoever runs the tests may sign commits, or have hooks."""


def commit(repository: Path) -> None:
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=n@example.org"]
    for words in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(
            [*git, *words], check=True, timeout=60, stdin=subprocess.DEVNULL, env=NO_SETTINGS
        )


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = tmp_path / "recordings"
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(recordings))
    (tmp_path / "prog.py").write_text(
        "import os, pathlib, time\n"
        "seen = pathlib.Path('pids')\n"
        "seen.write_text((seen.read_text() if seen.exists() else '') + f'{os.getpid()} ')\n"
        "time.sleep(60 if len(seen.read_text().split()) == 2 else 0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "perftui", "bench", "--keep", "all", "prog.py"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip

    def second_runs() -> bool:
        assert process.poll() is None, process.communicate()
        pids = tmp_path / "pids"
        return pids.exists() and pids.read_text().count(" ") == 2

    wait_for(second_runs, 60)
    pids = (tmp_path / "pids").read_text().split()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    wait_for(lambda: all(has_ended(int(pid)) for pid in pids), "left running", 30)
    assert list(recordings.glob("*.perftui")) == []
