from __future__ import annotations

import argparse
import io
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.waiting import wait_for

from perftui.probes.process.running import python_processes
from perftui.scenarios.catalogue.table import CATALOGUE
from perftui.scenarios.define import requirements
from perftui.tui.commands import list as list_command
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.process.running import PythonProcess


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    list_command.add_parser(parser.add_subparsers())
    return list_command.run(parser.parse_args(["list", *words]))


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(*words, "--json") == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["schema"] == 1
    return answer


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path / "recordings"))
    return tmp_path / "cache"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that waits, with a secret on its command line."""
    code = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--password", "hunter2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.read(1)
    yield process
    process.communicate()


def fill(cache: Path) -> None:
    (cache / "data" / "orders").mkdir(parents=True)
    (cache / "data" / "orders.lock").touch()
    (cache / "data" / "orders" / "part").write_bytes(b"x" * 5000)


def test_scenarios_with_parameters_and_cache(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(cache)
    assert run("scenarios") == 0
    text = capsys.readouterr().out
    for name in CATALOGUE:
        assert f"\n{name}: " in f"\n{text}"
    assert "-p size=300MB  a size like 300MB or 1.5GiB from 1MB to 1TB" in text
    assert f"cache: 5.00 kB in {cache}" in text


def test_scenarios_as_json(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = as_json(capsys, "scenarios")
    assert set(answer) == {"schema", "scenarios", "cache"}
    assert [item["name"] for item in answer["scenarios"]] == list(CATALOGUE)
    by_name = {item["name"]: item for item in answer["scenarios"]}
    stream = by_name["stream-vs-collect"]
    assert stream["requires"] == ["pyarrow"]
    assert "duckdb" in stream["uses"]
    mode = stream["parameters"][0]
    assert (mode["name"], mode["type"], mode["default"]) == ("mode", "choice", "collect")
    assert mode["choices"] == ["collect", "stream", "both"]
    assert answer["cache"] == {"folder": str(cache), "bytes": 0, "datasets": []}


def test_what_is_missing_comes_with_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    real = requirements.find_spec
    monkeypatch.setattr(
        requirements, "find_spec", lambda name: real(name) if name == "pip" else None
    )
    assert run("scenarios") == 0
    command = f"{sys.executable} -m pip install lancedb pyarrow"
    assert f"not installed: lancedb, pyarrow; run {command}\n" in capsys.readouterr().out
    scenarios = as_json(capsys, "scenarios")["scenarios"]
    lance = next(item for item in scenarios if item["name"] == "lancedb-query")
    assert (lance["missing"], lance["install"]) == (["lancedb", "pyarrow"], command)


def test_a_running_process_is_listed_without_its_secret(
    child: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    found = next(item for item in python_processes(0.05) if item.pid == child.pid)
    assert found.python is not None
    assert found.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found.rss_bytes > 1_000_000
    assert 0 <= found.age_s < 60
    assert found.argv[-2:] == ("--password", "***")

    assert run("processes") == 0
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if line.split()[0] == str(child.pid))
    assert "--password '***'" in line
    assert "hunter2" not in text
    listed = as_json(capsys, "processes")
    assert set(listed) == {"schema", "processes"}
    entry = next(item for item in listed["processes"] if item["pid"] == child.pid)
    assert entry["argv"][0] == sys.executable
    assert os.getpid() not in [item["pid"] for item in listed["processes"]]


def test_a_busy_process_comes_first(child: subprocess.Popen[bytes]) -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        found: list[PythonProcess] = []

        def has_worked() -> bool:  # on a full machine it has no CPU for a while
            found[:] = python_processes(0.3)
            return any(item.pid == busy.pid and item.cpu_percent > 5 for item in found)

        wait_for(has_worked, "it is never busy")
        pids = [item.pid for item in found]
        assert pids.index(busy.pid) < pids.index(child.pid)
    finally:
        busy.kill()
        busy.wait()


def test_everything_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    text = capsys.readouterr().out
    positions = [text.index(title) for title in ("SCENARIOS\n", "PROCESSES\n", "RECORDINGS\n")]
    assert positions == sorted(positions)
    assert "none yet" in text
    assert as_json(capsys, "recordings") == {"schema": 1, "recordings": []}


def test_lines_fit_the_terminal() -> None:
    code = (
        "import argparse\nfrom perftui.tui.commands import list as c\n"
        "p = argparse.ArgumentParser(); c.add_parser(p.add_subparsers())\n"
        "c.run(p.parse_args(['list']))"
    )
    long_name = ["-c", "import sys; sys.stdin.read()", "x" * 300]
    process = subprocess.Popen([sys.executable, *long_name], stdin=subprocess.PIPE)
    ours, theirs = pty.openpty()
    try:
        env = {**os.environ, "COLUMNS": "72", "LINES": "24"}
        printer = subprocess.Popen([sys.executable, "-c", code], stdout=theirs, env=env)
        os.close(theirs)
        output = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                break
            if not chunk:
                break
            output += chunk
        assert printer.wait(60) == 0
    finally:
        os.close(ours)
        process.communicate()
    lines = output.decode().splitlines()
    assert any(str(process.pid) in line and "…" in line for line in lines)
    too_long = [line for line in lines if len(line) > 72]
    assert all(
        line.lstrip().startswith(("not installed", "for more", "cache", "FILE.py"))
        for line in too_long
    )


def test_recordings_are_listed_with_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "perftui", "run", "-c", "raise SystemExit(4)"]
    subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert run("recordings") == 0
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "state", "when", "length", "peak", "alerts", "size"]
    assert "closed" in row
    assert run("recordings", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["recordings"]
    assert (found["exit_code"], found["state"]) == (4, "closed")
    for width in (60, 72, 80, 120):
        monkeypatch.setattr("perftui.tui.commands.list._width", lambda w=width: w)
        assert run("recordings") == 0
        shown = capsys.readouterr().out.splitlines()
        assert all(len(line) <= width for line in shown if "perftui open" not in line), width


def test_clearing_asks_and_needs_yes_without_a_terminal(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(cache)
    with pytest.raises(UserError, match="add --yes"):
        run("--clear-cache")
    assert (cache / "data" / "orders").exists()
    assert run("--clear-cache", "--yes") == 0
    assert "deleted 5.00 kB" in capsys.readouterr().out
    assert not (cache / "data" / "orders").exists()
    assert run("--clear-cache", "--yes") == 0
    assert "is empty" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "there"), [("n", True), ("", True), ("y", False)])
def test_clearing_takes_the_answer(
    cache: Path, monkeypatch: pytest.MonkeyPatch, answer: str, there: bool
) -> None:
    fill(cache)
    typed = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(typed, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", typed)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run("--clear-cache") == 0
    assert (cache / "data" / "orders").exists() is there


def test_what_only_some_values_need_is_told_with_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.scenarios.servers import postgres as server_postgres

    here = requirements.find_spec("json")
    absent = ("polars", "psycopg")
    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name in absent else here)
    monkeypatch.setattr(server_postgres, "postgres_binaries", lambda: None)
    assert run("scenarios") == 0
    lines = capsys.readouterr().out.splitlines()
    command = f"run {sys.executable} -m pip install"
    assert f"    not installed, for some values: polars; {command} polars" in lines
    said = [line for line in lines if line.endswith(f"{command} 'psycopg[binary]'")]
    assert len(said) == 2, "loader and batch-size"
    server = "no PostgreSQL server, for target=postgres: run apt-get install postgresql"
    assert sum(server in line for line in lines) == 2
    by_name = {each["name"]: each for each in as_json(capsys, "scenarios")["scenarios"]}
    assert by_name["loader"]["optional_missing"] == ["psycopg"]
    assert by_name["loader"]["optional_install"].endswith("pip install 'psycopg[binary]'")


def test_what_cannot_be_had_for_this_python_is_told_with_what_can_be_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.machine.releases import NO_RELEASE_FROM

    here = requirements.find_spec("json")
    monkeypatch.setitem(NO_RELEASE_FROM, "opteryx", (3, 0))
    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name == "opteryx" else here)
    assert run("scenarios") == 0
    out = capsys.readouterr().out
    assert "for some values: opteryx; opteryx has no release for Python 3.0 and later: use" in out
    assert "pip install" not in out
    by_name = {each["name"]: each for each in as_json(capsys, "scenarios")["scenarios"]}
    assert by_name["cold-start"]["optional_missing"] == ["opteryx"]
    assert by_name["cold-start"]["no_release"] == ["opteryx"]
    assert by_name["cold-start"]["optional_install"] is None
    assert by_name["duckdb-query"]["no_release"] == []
