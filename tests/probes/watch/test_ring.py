"""The ring on a clock of its own: bounded for hours, readable, also when the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.reader import TREE, Target
from perftui.probes.spine.records import (
    Alert,
    Mark,
    Metric,
    Overhead,
    ProcessStart,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.watch.kept import KeptEvents
from perftui.probes.watch.ring import HELD_ROWS, LEAST_FREE_BYTES, Options, Ring

if TYPE_CHECKING:
    from perftui.probes.spine.records import Record, Severity

S = 1_000_000_000
T0 = 5_000 * S
PID = 77


class Watched:
    """A target of which a second is told by each step, and the ring that takes it."""

    def __init__(self, folder: Path, *, limit_bytes: int = 1 << 28, keep_s: float = 60.0) -> None:
        self.now_ns = T0
        self.free_bytes = 1 << 40
        self.said: list[str] = []
        self.tree = CallTree()
        frame = self.tree.frame_id("work", "/srv/app.py", 3)
        self.node = self.tree.intern([frame])
        self._enricher = Enricher()
        self.ring = Ring(
            folder / ".rings" / "1-1",
            self.tree,
            Target("app.py", ("python", "app.py"), PID, "3.12.1", launched=False, agent=False),
            T0,
            Options(keep_s=keep_s, limit_bytes=limit_bytes),
            say=self._say,
            clock=lambda: self.now_ns,
            free=lambda _: (self.free_bytes, 1 << 40),
        )
        self.give(
            ProcessStart(T0, PID, 1, ("python", "app.py")), ThreadName(T0, PID, PID, "MainThread")
        )

    def _say(self, severity: Severity, text: str) -> None:
        self.said.append(f"{severity}: {text}")

    def give(self, *records: Record) -> None:
        self.ring.write([self._enricher.enrich(records)])

    def step(self, seconds: int = 1, every_s: int = 1) -> None:
        for _ in range(0, seconds, every_s):
            begun = self.now_ns
            self.now_ns += every_s * S
            past_s = (self.now_ns - T0) / S
            self.give(
                Metric(self.now_ns, PID, past_s / 2, 10**8 + round(past_s) * 1000),
                ThreadCpu(self.now_ns, PID, PID, "python", past_s / 2, "R"),
                Stack(begun, self.now_ns, PID, PID, self.node),
                StackWindow(begun, self.now_ns, PID, 1.0, 1, 0, 0, 0.01, "own sampler"),
                Overhead(self.now_ns, past_s / 100, 10**7, 0, 0, 0),
            )


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_what_is_kept_is_a_recording_of_the_last_seconds_alone(
    watched: Watched, tmp_path: Path
) -> None:
    watched.step(300)
    watched.give(
        Mark(watched.now_ns, PID, "watch: it happened"),
        Alert("mem_growth", "warn", T0 + S, watched.now_ns, None, "rises", "evidence"),
    )
    watched.step(10)
    out = tmp_path / "kept.perftui"
    watched.ring.copy_to(out)
    reader = open_recording(out)
    status = reader.status()
    span_s = (status.t_end_ns - status.t_start_ns) / S
    assert 60 <= span_s <= 5 * 60
    assert status.t_end_ns == watched.now_ns
    assert reader.target().argv == ("python", "app.py")
    (thread,) = reader.threads(status.t_start_ns, status.t_end_ns)
    assert thread.name == "MainThread"
    # What counts up counts from the beginning of what is kept.
    used = reader.last("cpu_s", TREE)
    assert used is None or used <= span_s / 2 + 1
    (use,) = reader.process_use(status.t_start_ns, status.t_end_ns)
    assert use.cpu_s <= span_s / 2 + 1
    overhead = reader.overhead()
    assert overhead is not None
    assert overhead.cpu_s <= span_s / 100 + 1
    (alert,) = reader.alerts(0, 1 << 62)
    assert alert.t_onset_ns == status.t_start_ns
    assert "before this recording" in alert.evidence
    assert status.stack_coverage is None or status.stack_coverage <= 1.0
    assert len(reader.call_tree(status.t_start_ns, status.t_end_ns)) == 1
    # The ring goes on, and reaches back as far for the next one.
    assert watched.ring.reach_s() >= 60
    watched.ring.close()
    assert not watched.ring.folder.exists()


def test_hours_take_no_more_than_minutes(tmp_path: Path) -> None:
    """`benchmarks/flight_recorder.py` does this for a day."""
    watched = Watched(tmp_path)
    watched.step(600, every_s=15)
    most = watched.ring.file_bytes
    for _ in range(2):
        watched.step(1200, every_s=30)
        files = sum(1 for path in watched.ring.folder.rglob("*") if path.is_file())
        assert files <= 40
        assert watched.ring.file_bytes <= 2 * most
        assert 60 <= watched.ring.reach_s() <= 5 * 60
    assert not watched.ring.held_rows
    assert not watched.said


def test_a_ring_that_would_be_too_large_keeps_less_and_says_so_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path, limit_bytes=600_000, keep_s=600.0)
    watched.step(400)
    assert watched.ring.file_bytes <= 600_000
    (said,) = watched.said
    assert "more is not in 600 kB" in said


def test_a_full_disk_is_told_once_and_the_last_seconds_are_held(
    watched: Watched, tmp_path: Path
) -> None:
    watched.free_bytes = 0
    watched.step(400)
    assert not watched.ring.on_disk
    assert len(watched.said) == 1
    assert "held in memory" in watched.said[0]
    held = watched.ring.held_rows
    assert 0 < held <= HELD_ROWS
    watched.step(400)
    assert watched.ring.held_rows <= 62 * 5  # no more than the last seconds
    with pytest.raises(OSError, match="space"):
        watched.ring.copy_to(tmp_path / "no.perftui")
    assert not (tmp_path / "no.perftui").exists()
    watched.free_bytes = LEAST_FREE_BYTES
    watched.step(40)
    assert watched.ring.on_disk
    assert not watched.ring.held_rows
    watched.ring.copy_to(tmp_path / "kept.perftui")
    reader = open_recording(tmp_path / "kept.perftui")
    status = reader.status()
    assert (status.t_end_ns - status.t_start_ns) / S >= 60
    watched.free_bytes = 0  # and again: what is there already is written on, nothing new is begun
    watched.step(10)
    assert watched.ring.on_disk


def test_a_disk_that_takes_no_more_in_the_middle_loses_nothing_of_the_last_seconds(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.step(100)
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if Path(f"/proc/self/fd/{fd}").readlink().suffix == ".arrows":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    watched.step(50)
    assert not watched.ring.on_disk
    monkeypatch.undo()
    watched.step(60)
    watched.ring.copy_to(tmp_path / "kept.perftui")
    reader = open_recording(tmp_path / "kept.perftui")
    rss = reader.metric("rss_bytes", T0 + 101 * S, T0 + 210 * S, 100)
    assert sum(low is not None for low in rss.low) >= 99


def test_what_a_killed_watcher_has_left_is_taken_up(watched: Watched, tmp_path: Path) -> None:
    watched.step(400)  # two stretches are there at its end
    kept = KeptEvents(tmp_path, most=3)
    assert kept.take_up() == []  # its watcher lives
    for stretch in watched.ring._stretches:  # as a kill would: the lock goes, nothing is closed
        stretch.recording._claim.let_go()
        meta = stretch.recording.directory / "meta.json"
        meta.write_text(meta.read_text().replace('"pid": ', '"pid": 9999'))
    (path,) = kept.take_up()
    assert path.name.startswith("watch-interrupted-")
    assert not watched.ring.folder.exists()
    reader = open_recording(path)
    assert reader.status().t_end_ns >= watched.now_ns - 2 * S
    assert kept.take_up() == []


def test_the_oldest_go(tmp_path: Path) -> None:
    kept = KeptEvents(tmp_path, most=2)
    watched = Watched(tmp_path)
    watched.step(5)
    made = []
    for number in range(4):
        made.append(kept.place(f"app-{number}"))
        watched.ring.copy_to(made[-1])
    gone = kept.make_room()
    assert sorted(gone) == sorted(path.stem for path in made[:2])
    assert [path.exists() for path in made] == [False, False, True, True]
