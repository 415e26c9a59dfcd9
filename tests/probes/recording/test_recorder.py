"""The recorder process of real sessions: killed, starved, refused, and told the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from support.recordings import synthetic
from support.waiting import wait_for

from perftui.probes.own.python import own_module
from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write import wire
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enriched import Batch
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Count, LogLine, Mark
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BUSY = (
    "import time, perftui\n"
    "with perftui.phase('work'):\n"
    "    end = time.monotonic() + {seconds}\n"
    "    while time.monotonic() < end:\n"
    "        sum(range(2000)); perftui.count('n')\n"
)


def session(directory: Path, seconds: float, **options: int) -> Session:
    return Session.launch(
        [sys.executable, "-c", BUSY.format(seconds=seconds)],
        "busy",
        ProbeOptions(),
        behind_screen=True,
        record=RecordOptions(directory=directory, **options),
    )


def state_of(directory: Path) -> str:
    return str(json.loads((directory / "meta.json").read_text())["state"])


def test_batches_survive_the_wire() -> None:
    enricher, tree = Enricher(), CallTree()
    batches = [enricher.enrich(batch) for batch in synthetic.session(tree, 25)]
    batches.append(enricher.enrich([LogLine(3, "stderr", "lone \udc80 surrogate")]))
    assert all(any(batch[part] for batch in batches) for part in range(len(Batch._fields)))
    message = wire.pack_batches(batches)
    read, write = os.pipe()

    def send() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(message + message[:-1])

    threading.Thread(target=send).start()
    with os.fdopen(read, "rb") as stream:
        found = wire.read(stream)
        assert found is not None
        for sent, received in zip(batches, wire.unpack_batches(found[1]), strict=True):
            ticks = [tick._replace(pools={}) for tick in sent.ticks]
            parts = sent._replace(raw=(), ticks=ticks)
            assert [list(part) for part in received] == [list(part) for part in parts]
        assert wire.read(stream) is None, "half a message is none"


def test_the_recording_says_what_the_live_session_said(tmp_path: Path) -> None:
    directory = tmp_path / "a.perftui"
    live = session(directory, 1.5)
    assert live.wait(60)
    live.close()
    assert state_of(directory) == "closed"
    recorded = summarize(open_recording(directory))
    told = summarize(live.store)
    assert recorded["target"] == told["target"]
    assert recorded["phases"] == told["phases"]
    assert recorded["counters"] == told["counters"]
    assert recorded["peak_rss_bytes"] == told["peak_rss_bytes"]
    assert recorded["stacks"]["samples"] == told["stacks"]["samples"]
    assert [row["function"] for row in recorded["stacks"]["top"][:2]] == [
        row["function"] for row in told["stacks"]["top"][:2]
    ]


def test_kill_9_of_perftui_loses_at_most_the_last_second(tmp_path: Path) -> None:
    directory = tmp_path / "killed.perftui"
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from perftui.probes.session import Session\n"
        "from perftui.probes.session_options import ProbeOptions, RecordOptions\n"
        "session = Session.launch([sys.executable, '-c', 'import time; time.sleep(600)'], 't',\n"
        "    ProbeOptions(stacks=False), behind_screen=True,\n"
        f"    record=RecordOptions(directory=Path({str(directory)!r})))\n"
        "print(session.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    victim = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    target = int(victim.stdout.readline())
    second_ns = 1_000_000_000
    on_disk_ns: list[int] = []

    def has_the_last_second() -> bool:
        now_ns = time.monotonic_ns()
        rss = open_recording(directory).metric("rss_bytes", now_ns - second_ns, now_ns, 1)
        on_disk_ns.append(now_ns)
        return rss.last[0] is not None

    try:
        wait_for(lambda: list(directory.glob("metrics-*.arrows")))
        wait_for(has_the_last_second, "a second passes before a reading is on the disk")
        victim.kill()
        victim.wait()
        wait_for(lambda: list(directory.glob("metrics-*.parquet")))
        reader = open_recording(directory)
        wait_for(lambda: open_recording(directory).state == "interrupted")
        rss = reader.metric("rss_bytes", on_disk_ns[-1] - second_ns, on_disk_ns[-1], 1)
        assert rss.last[0] is not None, "a reading that was there is lost"
    finally:
        os.kill(target, signal.SIGKILL)
        victim.kill()
        victim.wait()


def test_kill_9_of_the_recorder_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    live = session(tmp_path / "b.perftui", 600.0)
    recorder = live._recorder
    assert recorder is not None
    wait_for((tmp_path / "b.perftui" / "meta.json").exists)
    assert recorder._process is not None
    recorder._process.kill()
    wait_for(lambda: any("recording has ended" in n.text for n in live.store.status().notices))
    assert live.target_alive()
    live.stop_target()
    live.close()
    assert open_recording(tmp_path / "b.perftui").state == "interrupted"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    full = tmp_path / "full.perftui"
    full.mkdir()
    (full / "something").touch()
    live = session(full, 0.1)
    assert live.wait(60)
    live.close()
    said = [notice.text for notice in live.store.status().notices]
    assert sum("not recorded" in text for text in said) == 1, said
    assert live.recording() is None
    assert [path.name for path in full.iterdir()] == ["something"]


def test_a_program_of_5_ms_is_recorded_too(tmp_path: Path) -> None:
    directory = tmp_path / "short.perftui"
    live = session(directory, 0.0)
    assert live.wait(60)
    live.close()
    reader = open_recording(directory)
    assert reader.state == "closed"
    assert [phase.name for phase in reader.phases(0, 1 << 62)] == ["work"]


def test_a_session_over_before_the_recorder_starts_needs_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.recording.shelf.pack import pack
    from perftui.probes.recording.write import recorder as recorder_module

    monkeypatch.setattr(recorder_module, "START_AFTER_S", 600.0)
    directory = tmp_path / "short.perftui"
    live = session(directory, 0.1)
    assert live.wait(60)
    live.close()
    recorder = live._recorder
    assert recorder is not None
    assert recorder._process is None
    assert recorder.file_bytes
    assert state_of(directory) == "closed"
    names = {path.name for path in directory.iterdir()}
    assert "metrics-000000.arrows" in names
    assert not [name for name in names if name.startswith(".")], "the claim is let go"
    reader = open_recording(directory)
    assert reader.salvage is None
    recorded, told = summarize(reader), summarize(live.store)
    for part in ("target", "duration_s", "cpu_s", "phases", "counters", "peak_rss_bytes"):
        assert recorded[part] == told[part], part
    assert recorded["stacks"]["samples"] == told["stacks"]["samples"]
    packed = tmp_path / "short.perftui.zip"
    pack(reader, packed)
    assert summarize(open_recording(packed))["phases"] == told["phases"]


def test_a_short_session_with_much_to_write_has_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.recording.write import recorder as recorder_module

    monkeypatch.setattr(recorder_module, "START_AFTER_S", 600.0)
    monkeypatch.setattr(recorder_module, "SHORT_ROWS", 0)
    live = session(tmp_path / "much.perftui", 0.0)
    assert live.wait(60)
    live.close()
    assert live._recorder is not None
    assert live._recorder._process is not None
    assert list((tmp_path / "much.perftui").glob("metrics-*.parquet"))


def test_a_full_queue_drops_and_counts_instead_of_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.recording.write import recorder as recorder_module
    from perftui.probes.recording.write.recorder import Recorder
    from perftui.probes.spine.log import SessionLog

    monkeypatch.setattr(recorder_module, "QUEUE_ROWS", 4_000)
    from perftui.probes.spine.reader import Target

    log = SessionLog()
    target = Target("t", ("t",), 1, None, launched=True, agent=False)
    recorder = Recorder(log, target, tmp_path / "q.perftui", t_start_ns=0)  # never started
    batch = [Count(n, 1, "n", n) for n in range(1_000)]
    for _ in range(6):
        log.extend(batch)
    assert recorder.overflowed == 2 * len(batch)


def test_the_oldest_recordings_make_room_and_a_person_is_told(tmp_path: Path) -> None:
    for _ in range(2):
        live = session(tmp_path, 0.0, max_bytes=10**9)
        assert live.wait(60)
        live.close()
    first, second = sorted(tmp_path.iterdir())
    third = session(tmp_path, 0.0, max_bytes=1)
    assert third.wait(60)
    third.close()
    assert not first.exists()
    assert not second.exists()
    texts = [notice.text for notice in third.store.status().notices]
    assert sum(text.startswith("deleted the recording") for text in texts) == 2
    assert third.recording() is not None


def test_what_a_recording_misses_is_said_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perftui.probes.recording.write import recorder

    monkeypatch.setattr(recorder, "QUEUE_ROWS", 10)
    directory = tmp_path / "q.perftui"
    live = session(directory, 0.0)
    for _ in range(3):
        live._log.extend([Count(time.monotonic_ns(), live.pid, "n", n) for n in range(20)])
    assert live.wait(60)
    live.close()
    said = [notice.text for notice in live.store.status().notices]
    assert any("records are missing in the recording" in text for text in said), said
    assert live._dropped() >= 60


def test_what_was_sent_is_there_though_the_recorder_is_killed_right_after(tmp_path: Path) -> None:
    path = tmp_path / "killed.perftui"
    claim = Claim.take(path)
    recorder = subprocess.Popen(
        own_module("perftui.probes.recording.write.recorder_main"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(claim.fileno(),),
    )
    try:
        assert recorder.stdin is not None
        assert recorder.stdout is not None
        target = tuple(Target("killed", ("killed",), 7, None, launched=True, agent=False))
        held = (claim.fileno(), claim.locked)
        start = wire.pack(wire.START, (str(path), target, 1, {}, held, False))
        # Frames come before the records that name them, in a message of their own.
        tree = wire.pack(wire.TREE, ([("work", "etl.py", 3, "python")], [(0, 1)]))
        batches = wire.pack_batches([Enricher().enrich([Mark(2, 7, "here")])])
        recorder.stdin.write(start + tree + batches)
        recorder.stdin.flush()
        assert "file_bytes" in json.loads(recorder.stdout.readline())
    finally:
        recorder.kill()
        recorder.communicate()
        claim.end()
    events = open_recording(path).events(0, 10)
    assert [event.text for event in events if event.kind == "mark"] == ["here"]
