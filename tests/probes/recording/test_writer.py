"""The writer never makes a probe wait, keeps secrets out, and bears a full disk."""

from __future__ import annotations

import json
import os
import queue
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.enriched import feed
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, TARGET, S
from support.waiting import PATIENCE_S

from perftui.probes.recording.format import meta as meta_file
from perftui.probes.recording.format.meta import start_key
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.live import LiveSegment, file_name
from perftui.probes.recording.write.rows import LINES_PER_S
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Call,
    LogLine,
    Mark,
    Metric,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
)

if TYPE_CHECKING:
    from collections.abc import Callable

END = 1 << 62


def test_who_reads_while_it_is_written_sees_it_grow(tmp_path: Path) -> None:
    """Also while segments are sealed and merged under the reader's feet."""
    stop = threading.Event()
    waiting: queue.SimpleQueue[list[Record]] = queue.SimpleQueue()
    recording = Recording(tmp_path / "a.perftui", CallTree(), TARGET, T0, WriterOptions(seal_s=0))

    def write() -> None:
        while not stop.wait(0.005):
            while not waiting.empty():
                feed(recording, waiting.get())
            recording.flush()
        recording.close()

    writing = threading.Thread(target=write)
    reader = open_recording(recording.directory)
    assert reader.state == "recording"
    writing.start()
    try:
        for number in range(30):
            metric = Metric(T0 + number * S, PID, 0.1, number)
            waiting.put([metric, Mark(T0 + number, PID, f"m{number}")])
            deadline = time.monotonic() + PATIENCE_S
            while len(reader.events(0, END)) <= number:
                assert time.monotonic() < deadline, "what was written does not appear"
                time.sleep(0.002)
                reader.refresh()
            texts = [event.text for event in reader.events(0, END)]
            assert texts == [f"m{n}" for n in range(number + 1)]
    finally:
        stop.set()
        writing.join()
    reader.refresh()
    assert (reader.state, reader.last("rss_bytes")) == ("closed", 29)
    assert list(recording.directory.glob("marks-*-*.parquet")), "hours were merged meanwhile"


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    recording = make(tmp_path / "deep" / "a.perftui", 6, close=False)
    assert stat.S_IMODE(recording.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in recording.iterdir()}
    assert any(name.endswith(".arrows") for name in modes)
    assert any(name.endswith(".parquet") for name in modes)
    assert set(modes.values()) == {0o600}


def test_secrets_of_command_lines_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_VARIABLE", "hunter2-in-the-environment")
    argv = ("python", "load.py", "--api-key", "hunter2", "postgres://me:hunter2@host/db")
    target = Target(" ".join(argv), argv, PID, None, launched=True, agent=False)
    directory = tmp_path / "a.perftui"
    recording = Recording(directory, CallTree(), target, T0, clock=lambda: T0)
    feed(recording, [ProcessStart(T0, PID, 1, argv)])
    feed(recording, [ProcessStart(T0, PID + 1, PID, argv)])
    recording.flush()
    live = b"".join(file.read_bytes() for file in directory.iterdir())
    recording.close()
    sealed = b"".join(file.read_bytes() for file in directory.iterdir())
    assert b"hunter2" not in live + sealed
    reader = open_recording(directory)
    assert reader.target().argv[:3] == ("python", "load.py", "--api-key")
    assert "hunter2" not in str(reader.processes())


def test_meta_says_who_where_and_when(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 3)
    meta = json.loads((recording / "meta.json").read_text())
    assert (meta["format"], meta["version"]) == ("perftui-recording", [1, 7])
    assert meta["state"] == "closed"
    assert meta["machine"]["cpu_count"] > 0
    assert meta["versions"]["python"].startswith("3.")
    assert meta["summary"]["peak_rss_bytes"] > 20_000_000
    assert meta["summary"]["exit_code"] == 3
    assert meta["summary"]["file_bytes"] > 10_000
    assert "environ" not in json.dumps(meta).lower()


def test_the_host_can_be_left_out(tmp_path: Path) -> None:
    options = WriterOptions(host=False)
    Recording(tmp_path / "a.perftui", CallTree(), TARGET, T0, options).close()
    assert json.loads((tmp_path / "a.perftui" / "meta.json").read_text())["host"] is None


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(FileExistsError):
        Recording(tmp_path, CallTree(), TARGET, T0)
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


def test_what_a_target_says_may_be_anything(tmp_path: Path) -> None:
    tree = CallTree()
    node = tree.intern([tree.frame_id("f\ud800", "/\udcff.py", 1 << 70)])
    recording = Recording(tmp_path / "a.perftui", tree, TARGET, T0, clock=lambda: T0)
    feed(
        recording,
        [
            Mark(T0, PID, "lone \ud83d surrogate"),
            Mark(T0, 1 << 80, "no such pid"),
            Mark(T0 + 1, PID, "fine"),
            LogLine(T0, "stdout", "y" * 100_000),
            Call(T0, PID, PID, "q", 1 << 90, 5, ok=True),
            Stack(T0, T0 + 5, PID, PID, node),
        ],
    )
    recording.close()
    reader = open_recording(recording.directory)
    assert [event.text for event in reader.events(0, END)] == ["lone ? surrogate", "fine"]
    (line,) = reader.log_lines(0, END)
    assert len(line.text) == 4_096
    assert line.text.endswith("…")
    assert recording.lost_rows == 3
    (thread,) = reader.call_tree(0, END)
    assert reader.tree.frame(next(iter(thread.self_by_node))).function == "<lost>"


def test_a_name_longer_than_readers_accept_is_cut_and_costs_no_other(tmp_path: Path) -> None:
    tree = CallTree()
    recording = Recording(tmp_path / "a.perftui", tree, TARGET, T0, clock=lambda: T0 + S)
    ids = [tree.frame_id("é" * 40_000, "/" + "x" * 70_000, 1), tree.frame_id("main", "/a.py", 2)]
    feed(recording, [Stack(T0, T0 + S, PID, PID, tree.intern(ids))])
    recording.close()
    reader = open_recording(tmp_path / "a.perftui")
    assert reader.salvage is None
    [stack] = reader.call_tree(0, END)
    [leaf] = stack.self_by_node
    caller = reader.tree.frame(reader.tree.parent(leaf))
    assert reader.tree.frame(leaf).function == "main"
    assert caller.function == "é" * 32_766 + "…"
    assert caller.file.startswith("/xxx")
    assert len(caller.file.encode()) == 65_536


def test_a_flood_of_output_is_cut_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    recording = Recording(
        tmp_path / "a.perftui",
        CallTree(),
        TARGET,
        T0,
        clock=lambda: T0,
        say=lambda severity, text: said.append(text),
    )
    feed(recording, [LogLine(T0 + n, "stdout", "x") for n in range(5_000)])
    feed(recording, [LogLine(T0 + S, "stdout", "a second later")])
    recording.close()
    assert said == ["the target writes more lines than are recorded: some are left out"]
    reader = open_recording(recording.directory)
    assert len(reader.log_lines(0, END, 10_000)) == 2_001
    assert reader.meta["summary"]["lines_left_out"] == 3_000


def test_a_key_whose_beginning_is_cut_from_a_flood_is_masked(tmp_path: Path) -> None:
    tree = CallTree()
    recording = Recording(tmp_path / "a.perftui", tree, TARGET, T0, clock=lambda: T0)
    flood = [LogLine(T0, "stdout", "x") for _ in range(LINES_PER_S)]
    lost = LogLine(T0, "stdout", "-----BEGIN RSA PRIVATE KEY-----")
    feed(recording, [*flood, lost, LogLine(T0 + S, "stdout", "MIIEfakeFAKE")])
    recording.close()
    assert open_recording(tmp_path / "a.perftui").log_lines(T0, T0 + 9 * S)[-1].text == "***"


def test_stacks_stop_when_the_disk_is_nearly_full_and_metrics_go_on(tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    free = [(50 << 30, 100 << 30)]
    tree = CallTree()
    recording = Recording(
        tmp_path / "a.perftui",
        tree,
        TARGET,
        T0,
        clock=lambda: T0,
        say=lambda severity, text: said.append((severity, text)),
        free=lambda directory: free[0],
    )

    def second(number: int) -> None:
        base = T0 + number * S
        node = tree.intern([tree.frame_id(f"f{number}", "/a.py", 1)])
        window = StackWindow(base, base + S, PID, 100, 100, 0, 0, 0.0, "py-spy")
        feed(recording, [Metric(base, PID, 0.0, number), Stack(base, base + S, PID, PID, node)])
        feed(recording, [window])
        recording.flush()
        recording.heartbeat()

    second(0)
    free[0] = (500 << 20, 100 << 30)
    second(1)
    second(2)
    free[0] = (50 << 30, 100 << 30)
    second(3)
    second(4)
    recording.close()
    assert said == [
        ("warn", "only 524 MB free: stacks are no longer recorded"),
        ("info", "53.7 GB free: stacks are recorded again"),
    ]
    reader = open_recording(recording.directory)
    (thread,) = reader.call_tree(0, END)
    names = {reader.tree.frame(node).function for node in thread.self_by_node}
    assert names == {"f0", "f1", "f4"}
    assert reader.metric("rss_bytes", T0, T0 + 5 * S, 5).last == (0, 1, 2, 3, 4)


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from support.enriched import feed
from support.recordings.synthetic import session, TARGET, T0
from perftui.probes.spine.calltree import CallTree
from perftui.probes.recording.write.writer import Recording

tree = CallTree()
said = []
recording = Recording(
    Path(sys.argv[1]), tree, TARGET, T0, clock=lambda: T0, say=lambda level, text: said.append(text)
)
# No file may grow beyond this: to the writer, the same as a disk that is full.
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
for number, batch in enumerate(session(tree, 2_000)):
    feed(recording, batch)
    if number % 26 == 25:
        recording.flush()
    if recording.ended:
        break
feed(recording, batch)
recording.flush()
recording.heartbeat()
recording.close()
print(said)
"""


def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path) -> None:
    directory = tmp_path / "a.perftui"
    here = str(Path(__file__).resolve().parents[2])  # where `support` is found
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(directory), here],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout == "['the recording has ended: File too large; the session goes on']\n"
    reader = open_recording(directory)
    assert reader.call_tree(0, END)
    assert not reader.catalog.damaged
    assert not reader.catalog.torn, "a batch that did not fit is taken back"


def test_a_process_of_the_same_id_is_not_taken_for_the_recorder(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 3, close=False)
    assert open_recording(recording).state == "recording"
    meta = json.loads((recording / "meta.json").read_text())
    assert meta["recorder"]["start"] == start_key(os.getpid())
    meta["recorder"]["start"] = "123.45"
    (recording / "meta.json").write_text(json.dumps(meta))
    assert open_recording(recording).state == "interrupted"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_table_is_never_written_into_a_file_that_is_there(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    other = tmp_path / "mine.txt"
    other.write_text("mine")
    folder = tmp_path / "it.perftui"
    folder.mkdir()
    link(other, folder / file_name("marks", 0, "arrows"))
    with pytest.raises(FileExistsError):
        LiveSegment(folder, 0).append("marks", [(1, 2, 3, "n")])
    assert other.read_text() == "mine"


def test_both_ways_to_know_a_process_again_agree() -> None:
    # Readers and writers may be of different systems, or versions of perftui.
    assert meta_file._start_key_elsewhere(os.getpid()) == start_key(os.getpid())
    assert start_key(2**22 + 1) is None
