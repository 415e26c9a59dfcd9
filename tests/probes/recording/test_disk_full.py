"""A disk that is really full: the recording ends as one that says so, the session goes on."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from support.enriched import feed
from support.recordings.synthetic import T0, TARGET, S, session
from support.waiting import PATIENCE_S

from perftui.probes.recording.read import catalog as catalog_module
from perftui.probes.recording.read import unsealed as unsealed_module
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.pack import pack
from perftui.probes.recording.write import rows as rows_module
from perftui.probes.recording.write import seal as seal_module
from perftui.probes.recording.write import writer as writer_module
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.records import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = 1 << 62
ROOMY = (50 << 30, 100 << 30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    tried = subprocess.run(mount, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no small file system: {tried.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take all that is left."""
    with suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"x")


@pytest.mark.parametrize("moment", ["flush", "heartbeat", "seal", "close", "every kilobyte"])
def test_full_at_any_moment(small_disk: Path, moment: str) -> None:
    said: list[str] = []
    clock = [T0]
    tree = CallTree()
    recording = Recording(
        small_disk / "a.perftui",
        tree,
        TARGET,
        T0,
        WriterOptions(seal_s=7.0),
        clock=lambda: clock[0],
        say=lambda level, text: said.append(text),
        free=lambda directory: ROOMY,
    )
    batches = session(tree, 400 if moment == "every kilobyte" else 12)
    for number, batch in enumerate(batches):
        feed(recording, batch)
        if number % 26 == 25:
            clock[0] += S
            if clock[0] == T0 + 5 * S and moment in ("flush", "heartbeat"):
                fill(small_disk)
            if clock[0] == T0 + 7 * S and moment == "seal":
                fill(small_disk)
            if moment == "heartbeat":
                recording.heartbeat()
            recording.flush()
            recording.heartbeat()
    if moment == "close":
        fill(small_disk)
    recording.close()
    assert recording.ended
    reader = open_recording(small_disk / "a.perftui")
    assert reader.state == "closed"
    ends = [text for text in said if "the recording has ended" in text]
    assert len(ends) == 1
    assert "disk full at t=" in ends[0]
    assert reader.salvage is not None
    assert "disk full at t=" in reader.salvage
    assert reader.call_tree(0, END)
    assert not reader.catalog.damaged
    assert not reader.catalog.torn
    assert {"meta.json.tmp", ".writing"}.isdisjoint(
        path.name for path in (small_disk / "a.perftui").iterdir()
    )


@pytest.mark.live
def test_a_session_on_a_disk_that_fills_keeps_its_exit_code(small_disk: Path) -> None:
    path = small_disk / "x.perftui"
    command = [sys.executable, "-m", "perftui", "run", "--headless", "--record", str(path), "--"]
    program = "import sys\nsys.stdin.readline()\nsys.exit(7)"
    process = subprocess.Popen(
        [*command, sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + PATIENCE_S
    while not (path / "meta.json").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    fill(small_disk)
    while json.loads((path / "meta.json").read_text())["state"] == "recording":
        assert time.monotonic() < end, "a full disk is not met"
        time.sleep(0.05)
    _, told = process.communicate("\n", timeout=60)
    assert process.returncode == 7
    assert told.count("the recording has ended: disk full at t=") == 1
    assert "Traceback" not in told
    assert open_recording(path).state == "closed"


def test_a_failed_seal_is_tried_again_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = seal_module.seal
    failing = [True]

    def seal(*arguments: Any) -> dict[str, int]:
        if failing[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments)

    monkeypatch.setattr(seal_module, "seal", seal)
    clock, said, tree = [T0], list[str](), CallTree()
    recording = Recording(
        tmp_path / "a.perftui",
        tree,
        TARGET,
        T0,
        WriterOptions(seal_s=2.0),
        clock=lambda: clock[0],
        say=lambda level, text: said.append(text),
        free=lambda directory: ROOMY,
    )
    for number, batch in enumerate(session(tree, 60)):
        feed(recording, batch)
        if number % 26 == 25:
            clock[0] += S
            recording.flush()
            if clock[0] == T0 + 30 * S:
                assert len(said) == 1
                assert "it is tried again" in said[0]
                assert recording._segment.rows < 5_000, "what is finished is not kept in memory"
                reader = open_recording(recording.directory)
                assert not reader.catalog.damaged
                marks = [e for e in reader.events(0, END) if e.kind == "mark"]
                assert len(marks) == 3
                failing[0] = False
    clock[0] = T0 + 60 * S
    recording.close()
    assert not list(recording.directory.glob("*.arrows")), "all of it is sealed in the end"
    reader = open_recording(recording.directory)
    assert reader.salvage is None
    assert len([e for e in reader.events(0, END) if e.kind == "mark"]) == 6


def test_more_unsealed_than_fits_into_memory_is_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> dict[str, int]:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(seal_module, "seal", fail)
    # A tenth of the sizes of real sessions.
    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", 1 << 20)
    for module in (catalog_module, unsealed_module):
        monkeypatch.setattr(module, "DECODED_BYTES", 20 << 20)
    # More output than is kept of a program is the quickest way to fill a segment.
    monkeypatch.setattr(rows_module, "LINE_CHARACTERS_PER_S", 1 << 30)
    monkeypatch.setattr(rows_module, "LINE_CHARACTERS_AT_ONCE", 1 << 30)
    recording = Recording(
        tmp_path / "a.perftui", CallTree(), TARGET, T0, free=lambda directory: ROOMY
    )
    most = 0
    for second in range(30):
        at = T0 + second * S
        lines = [LogLine(at + n, "stdout", f"{second} {n} " + "é" * 400) for n in range(1_000)]
        feed(recording, lines)
        recording.flush()
        most = max(most, recording._segment.file_bytes)
    recording._segment.close()
    assert most <= (1 << 20) + (2 << 20)
    reader = open_recording(recording.directory)
    for second in (0, 15, 29):
        span = (T0 + second * S, T0 + second * S + S)
        lines_read = reader.log_lines(*span, limit=2_000)
        assert len(lines_read) == 1_000
        assert lines_read[0].text.startswith(f"{second} 0 ")
    assert not reader.catalog.damaged
    held = sum(
        table.nbytes
        for live in reader.catalog._unsealed._segments.values()
        for table in (live.tables or {}).values()
    )
    assert held <= 20 << 20


def test_a_recording_whose_last_rows_were_never_sealed_is_packed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> dict[str, int]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tree = CallTree()
    recording = Recording(tmp_path / "a.perftui", tree, TARGET, T0, clock=lambda: T0 + 9 * S)
    for batch in session(tree, 8):
        feed(recording, batch)
    with monkeypatch.context() as patched:
        patched.setattr(seal_module, "seal", fail)
        recording.close()
    before = open_recording(recording.directory)
    packed = open_recording(pack(before).path)
    assert packed.call_tree(0, END) == before.call_tree(0, END)
