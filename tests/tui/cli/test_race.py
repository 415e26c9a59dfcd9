"""`perftui demo` as a person meets it: what it refuses, and its screen in a real terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.terminal import TMUX, Terminal

from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

# -- what is refused ---------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["demo", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("perftui: ")
    return said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colect",), "there is no demo 'colect' (did you mean streaming-vs-collect?); there are"),
        (("--size", "huge"), "--size: size=huge: size is a size like 300MB or 1.5GiB"),
        (("--size", "-3"), "size is a size like 300MB"),
        (("--engine", "oracle"), "has no engine 'oracle'; there are duckdb, pyarrow, polars"),
        (("execute-vs-sql", "--engine", "polars"), "execute-vs-sql has no engine 'polars'"),
        (("--fail-on", "mem_growth"), "--fail-on is for run and attach"),
        (("--record", "x", "--no-record"), "contradict each other"),
        (("--json", "/no/such/place/x.json"), "cannot write the summary"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, *words)


def test_an_engine_that_is_missing_is_named_with_its_pip_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.scenarios.engines import available as engines

    monkeypatch.setattr(engines, "missing_modules", lambda _modules: ("lance",))
    said = refused(capsys, "--engine", "lance")
    assert "engine lance needs lance, which is not installed: run " in said
    assert said.rstrip().endswith("install pylance") or "pip install" in said


def test_help_costs_no_heavy_import() -> None:
    code = (
        "import sys; from perftui.tui.cli import main\n"
        "try: main(['demo', '--help'])\n"
        "except SystemExit: pass\n"
        "bad = {'psutil', 'textual', 'pyarrow', 'duckdb'} & set(sys.modules)\n"
        "print(bad or 'none', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "none", done.stderr


def test_more_than_there_is_memory_for_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    env = {**os.environ, "PERFTUI_CACHE": str(tmp_path / "cache")}
    words = [sys.executable, "-m", "perftui", "demo", "--size", "900GB"]
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("perftui: the data cannot be made: collecting would take about 1.33 TB")
    assert last.endswith("choose a smaller --size")
    assert not list((tmp_path / "cache").rglob("*.parquet"))


# -- the screen --------------------------------------------------------------------------------


@pytest.mark.live
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
def test_the_screen_from_the_first_second_to_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PERFTUI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path / "recordings"))
    terminal = Terminal(tmp_path, 160, 45)
    try:
        terminal.run("demo", "--size", "61MB", "--no-growth")
        terminal.wait_for("demo streaming-vs-collect")
        screen = terminal.wait_for("● COLLECT", 60)
        assert "next" in screen
        terminal.wait_for("● STREAMING", 60)
        screen = terminal.wait_for("■ DONE", 60)
        assert "peak above base" in screen
        terminal.wait_for("recordings  race-collect-duckdb-61MB-")
        terminal.press("Enter")
        terminal.wait_for("REPLAY")
        terminal.wait_for("race collect duckdb 61MB")
        terminal.press("q")
        terminal.wait_for("■ DONE")
        terminal.press("c")
        terminal.wait_for("perftui compare   base race-collect-duckdb-61MB")
        terminal.press("q")
        terminal.wait_for("■ DONE")
        terminal.press("q")
        screen = terminal.wait_for("returned 0")
        assert "recorded: perftui open race-streaming-duckdb-61MB" in screen
        assert "Traceback" not in screen
    finally:
        terminal.close()
