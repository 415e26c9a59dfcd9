"""`perftui watch` on real processes: what it keeps, what a kill leaves, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.recording.read.reader import open_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WATCH = [sys.executable, "-m", "perftui", "watch"]
GROWS = """
import sys, threading, time
print("up", flush=True)
sys.stdin.readline()
kept = []
def fill():
    for _ in range(100):
        kept.append(b"x" * 1_000_000)
        time.sleep(0.005)
fill()
print("full", flush=True)
sys.stdin.readline()
sys.exit(int(sys.stdin.readline()))
"""


@pytest.fixture
def target() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def say(target: subprocess.Popen[str], line: str) -> None:
    assert target.stdin is not None
    target.stdin.write(line + "\n")
    target.stdin.flush()


def started(folder: Path, *words: str) -> tuple[subprocess.Popen[str], Path]:
    """Start to watch; its remarks go to a file."""
    remarks = folder / "remarks"
    with remarks.open("w") as file:
        watcher = subprocess.Popen(
            [*WATCH, "--into", str(folder), *words], stderr=file, stdout=file, text=True
        )
    said(watcher, remarks, "the ring is in")
    return watcher, remarks


def said(watcher: subprocess.Popen[str], remarks: Path, text: str) -> None:
    def has() -> bool:
        found = text in remarks.read_text()
        assert found or watcher.poll() is None, remarks.read_text()
        return found

    wait_for(has, f"never said {text!r}: {remarks.read_text()}")


def marks_of(path: Path) -> list[str]:
    reader = open_recording(path)
    return [event.text for event in reader.events(0, 1 << 62) if event.kind == "mark"]


@pytest.mark.live
def test_what_happened_is_kept_it_goes_on_and_the_end_is_kept_too(
    target: subprocess.Popen[str], tmp_path: Path
) -> None:
    words = [str(target.pid), "--when", "rss>80MB,exit!=0", "--keep", "20s", "--after", "1s"]
    watcher, remarks = started(tmp_path, *words)
    say(target, "grow")
    said(watcher, remarks, "kept: perftui open")
    say(target, "on")
    say(target, "3")
    target.wait()
    assert watcher.wait(60) == 0, remarks.read_text()
    grown, ended = sorted(tmp_path.glob("watch-*.perftui"), key=lambda p: p.stat().st_mtime_ns)
    assert "rss-over-80MB" in grown.name
    (mark,) = marks_of(grown)
    assert mark.startswith("watch: rss>80MB: ")
    assert any("exit code 3" in mark for mark in marks_of(ended))
    assert open_recording(ended).status().exit_code == 3
    assert list(tmp_path.glob(".rings/*")) == []
    explained = subprocess.run(
        [sys.executable, "-m", "perftui", "explain", str(grown), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(explained.stdout)["schema"] == 1


@pytest.mark.live
def test_after_a_kill_of_us_and_of_the_target_the_last_seconds_are_there(
    target: subprocess.Popen[str], tmp_path: Path
) -> None:
    words = [str(target.pid), "--when", "rss>80GB", "--keep", "20s"]
    watcher, remarks = started(tmp_path, *words)
    say(target, "grow")
    assert target.stdout is not None
    assert target.stdout.readline() == "full\n"

    def in_ring() -> bool:
        # A folder is there before it is a recording.
        rings = [meta.parent for meta in tmp_path.glob(".rings/*/ring-*.perftui/meta.json")]
        return any((open_recording(ring).last("rss_bytes") or 0) > 80_000_000 for ring in rings)

    wait_for(in_ring)
    watcher.send_signal(signal.SIGKILL)
    target.send_signal(signal.SIGKILL)
    watcher.wait()
    target.wait()
    # A restart takes the ring up, and waits for the next process.
    again, remarks = started_waiting(tmp_path)
    said(again, remarks, "a watcher was killed; what it had is kept")
    said(again, remarks, "waiting for a process")
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0
    (path,) = tmp_path.glob("watch-interrupted-*.perftui")
    reader = open_recording(path)
    assert (reader.highest("rss_bytes", 0, 1 << 62) or 0) > 80_000_000
    assert list(tmp_path.glob(".rings/*")) == []


def started_waiting(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    remarks = folder / "again"
    with remarks.open("w") as file:
        words = ["--name", f"no such program in {folder}", "--wait", "--into", str(folder)]
        return subprocess.Popen([*WATCH, *words], stderr=file, stdout=file, text=True), remarks


def refused(*words: str) -> str:
    done = subprocess.run([*WATCH, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    assert refused("1", "--when", "rss>2GB,stal>5s").splitlines()[1:] == [
        "  rss>2GB,stal>5s",
        "          ^",
    ]
    nobody = f"nobody has {tmp_path}"  # not even another run of this test
    assert f"no Python process has {nobody!r}" in refused("--name", nobody)
    assert "there is no process" in refused("4194300", "--into", str(tmp_path))
    marker = f"watched-{os.getpid()}"
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    many = [
        subprocess.Popen(
            [sys.executable, "-c", code, marker], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(7)
    ]
    try:
        for process in many:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        (line,) = refused("--name", marker).splitlines()
        assert "fits 7 processes: " in line
        assert "and 2 more" in line
    finally:
        for process in many:
            process.communicate()
