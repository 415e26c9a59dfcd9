"""Races that are run: the verdict against its recordings, interruptions, failures, all pairs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.scenarios.scenario_runs import need
from support.terminal import TMUX, Terminal
from support.waiting import PATIENCE_S, wait_for

from perftui.scenarios.race.figures import MEASURES
from perftui.scenarios.race.pairs import PAIRS, Pair
from perftui.scenarios.race.report import JSON_NAMES


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PERFTUI_CACHE": str(folder / "cache"),
        "PERFTUI_RECORDINGS": str(folder / "recordings"),
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "perftui", "demo", *words]


def processes_of(folder: Path) -> list[str]:
    """Return what runs with a cache in this folder: others may race on this machine too."""
    wanted = f"PERFTUI_CACHE={folder / 'cache'}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return [line for line in found if "perftui.scenarios" in line]


@pytest.mark.live
def test_the_verdict_is_what_the_two_recordings_say(tmp_path: Path) -> None:
    words = ("--size", "90MB", "--no-growth", "--json", "-")
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env=environment(tmp_path), timeout=100
    )
    found: dict[str, Any] = json.loads(done.stdout)
    sides = found["sides"]
    assert [side["name"] for side in sides] == ["collect", "streaming"]
    assert sides[0]["rows"] == sides[1]["rows"] == 90_000_000 // 48
    peaks = []
    for side in sides:
        recorded = phase_of(tmp_path, Path(side["recording"]), "read")
        assert recorded["duration_s"] == pytest.approx(side["total_s"], rel=1e-6)
        assert recorded["rss_start_bytes"] == side["base_bytes"]
        above = recorded["peak_rss_bytes"] - recorded["rss_start_bytes"]
        assert side["peak_above_base_bytes"] >= above
        assert side["peak_above_base_bytes"] == pytest.approx(above, rel=0.1)
        assert 0 < side["first_row_s"] <= side["total_s"]
        assert side["rows_per_s"] == pytest.approx(side["rows"] / side["total_s"])
        assert side["after_release_bytes"] is not None
        peaks.append(above)
    assert peaks[0] > 1.2 * peaks[1], "collecting keeps what streaming does not"
    assert done.returncode == 0
    assert found["verdict"]["winner"] == "streaming"
    ratio = found["verdict"]["first_by_second"]["peak_above_base_bytes"]
    assert f"{ratio:.1f}x less memory" in found["verdict"]["words"] or ratio < 2
    assert set(JSON_NAMES) == set(MEASURES)
    # The second began its work when the first had done its own.
    wait_for(lambda: not processes_of(tmp_path), f"left running: {processes_of(tmp_path)}", 30)


def phase_of(folder: Path, recording: Path, name: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "summary", str(recording), "--json"],
        capture_output=True,
        text=True,
        env=environment(folder),
    )
    summary = json.loads(done.stdout)
    assert summary["target"]["exit_code"] == 0
    phase: dict[str, Any] = next(p for p in summary["phases"] if p["name"] == name)
    return phase


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["making the data", "collect runs"])
def test_an_interrupted_race_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    size = f"{70 + number}.5MB"
    process = subprocess.Popen(
        command("--size", size, "--headless"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line)
        if moment in line:
            break
    assert moment in seen[-1]
    process.send_signal(number)
    rest = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], rest
    assert "Traceback" not in rest[1]
    wait_for(lambda: not processes_of(tmp_path), f"left running: {processes_of(tmp_path)}", 30)
    assert not list((tmp_path / "cache").rglob("*.partial"))


@pytest.mark.live
def test_a_side_that_fails_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        command("--size", "90MB", "--limit", "250MB", "--no-growth"),
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=100,
    )
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("perftui: ")
    assert "failed" in done.stderr
    wait_for(lambda: not processes_of(tmp_path), f"left running: {processes_of(tmp_path)}", 30)


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "size", "winner"),
    [
        ("execute-vs-sql", "150MB", "sql"),
        ("pre-buffer", "300MB", "pre_buffer=False"),
        ("row-vs-batch", "300", "batches"),
        ("index-vs-none", "1000000", "BTree"),
    ],
)
def test_the_other_pairs_have_the_winner_that_was_measured_before(
    tmp_path: Path, name: str, size: str, winner: str
) -> None:
    out = tmp_path / "race.json"
    words = (name, "--size", size, "--no-growth", "--no-record", "--json", str(out))
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env=environment(tmp_path), timeout=110
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["verdict"]["winner"] == winner
    assert f"{winner} wins: " in done.stdout
    assert found["sides"][0]["recording"] is None
    assert not (tmp_path / "recordings").exists()


@pytest.mark.live
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.has_data], ids=lambda p: p.name)
def test_small_runs_read_the_share_that_they_stand_for(tmp_path: Path, pair: Pair) -> None:
    need(*pair.ways[0].modules)
    words = (pair.name, "--size", "24MB", "--no-record", "--json", "-")
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env=environment(tmp_path), timeout=110
    )
    found = json.loads(done.stdout)
    assert done.returncode in (0, 3), done.stderr  # so little may be too little to tell
    for side in found["sides"]:
        shares = sorted(share for share, _ in side["growth"]["points"])
        assert shares == pytest.approx([1 / 8, 1 / 8, 1 / 4, 1 / 4, 1], rel=0.01)


@pytest.mark.live
@pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
@pytest.mark.parametrize("way", ["q", "the terminal closes"])
def test_leaving_the_screen_ends_the_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name in ("PERFTUI_CACHE", "PERFTUI_RECORDINGS"):
        monkeypatch.setenv(name, environment(tmp_path)[name])
    size = "62.5MB" if way == "q" else "63.5MB"
    terminal = Terminal(tmp_path, 80, 24)
    try:
        terminal.run("demo", "--size", size)
        terminal.wait_for("● COLLECT")
        wait_for(lambda: processes_of(tmp_path))
        if way == "q":
            terminal.press("q")
            screen = terminal.wait_for("returned 0")
            assert "stopped before there was a verdict" in screen
        else:
            terminal.close()
        wait_for(lambda: not processes_of(tmp_path))
    finally:
        terminal.close()
