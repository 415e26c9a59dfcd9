"""Probes that fail or do not end: it is said, and the session goes on and comes to its end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from perftui.probes.agent_link.launch import AgentChannel
from perftui.probes.agent_link.reader import AgentProbe
from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.process.metrics import MetricProbe
from perftui.probes.recording.write import recorder as recorder_module
from perftui.probes.recording.write.recorder import Recorder
from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Call, Mark, Metric, Notice

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

LIMIT_S = 60.0


class Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def ingest(self, batch: Batch) -> None:
        self.records += batch.raw

    def notices(self) -> list[str]:
        return [record.text for record in self.records if isinstance(record, Notice)]

    def metrics(self) -> int:
        return sum(isinstance(record, Metric) for record in self.records)


@pytest.fixture
def log() -> SessionLog:
    return SessionLog()


@pytest.fixture
def kept(log: SessionLog) -> Kept:
    made = Kept()
    log.connect(made)
    return made


def test_a_reading_that_fails_is_said_and_readings_go_on(log: SessionLog, kept: Kept) -> None:
    failing = [True]

    def dropped() -> int:
        if failing:
            raise ZeroDivisionError("a fault of ours")
        return 0

    probe = MetricProbe(log, os.getpid(), dropped=dropped)
    probe.start()
    wait_for(kept.notices, "nothing is said")
    failing.clear()
    wait_for(lambda: kept.metrics() > 5, "no readings any more")
    probe.stop()
    (said,) = kept.notices()
    assert "CPU and memory" in said
    assert "a fault of ours" in said


def test_an_agent_reader_that_fails_is_said(log: SessionLog, kept: Kept) -> None:
    def failing(_hello: object) -> None:
        raise OSError("a fault of ours")

    channel = AgentChannel()
    probe = AgentProbe(log, channel.read_fd, on_hello=failing)
    probe.start()
    hello = {
        "k": "hello", "t": 1, "pid": 1, "ppid": 1, "python": "3", "implementation": "c",
        "executable": "e", "prefix": "p", "argv": [],
    }  # fmt: skip
    os.write(channel.child_fds[0], json.dumps(hello).encode() + b"\n")
    wait_for(kept.notices, "nothing is said")
    probe.stop()
    channel.close()
    assert "a fault of ours" in kept.notices()[0]


def test_a_detector_that_fails_is_said_once(log: SessionLog, kept: Kept) -> None:
    probe = DetectorProbe(log, Judge(log.tree, 1, 0))
    log.connect(probe)
    probe.start()
    for _ in range(3):
        log.append(Call("no time", 1, 1, "x", 1, 5, True))  # type: ignore[arg-type]
    probe.stop()
    assert len(kept.notices()) == 1
    assert "alerts may be missing" in kept.notices()[0]


def test_a_sink_that_fails_does_not_rob_the_others(log: SessionLog) -> None:
    class Failing:
        def ingest(self, batch: Batch) -> None:
            raise KeyError("a fault of ours")

    after = Kept()
    log.connect(Failing())
    log.connect(after)
    with pytest.raises(KeyError):
        log.append(Mark(1, 1, "kept"))
    assert len(after.records) == 1


def test_a_thread_that_does_not_end_is_left_and_said(log: SessionLog, kept: Kept) -> None:
    held, let_go = os.pipe()

    def wait() -> None:
        os.read(held, 1)

    thread = ProbeThread(log, "a reader", wait, "held")
    thread.start()
    assert not thread.end(0.1)
    assert "a reader: no end within 0.1 s" in kept.notices()[0]
    os.close(let_go)
    thread.join(LIMIT_S)
    os.close(held)


def test_a_recorder_that_hangs_keeps_nobody_from_leaving(
    tmp_path: Path, log: SessionLog, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "HANG_LIMIT_S", 0.5)
    target = Target("t", ("t",), os.getpid(), python=None, launched=False, agent=False)
    recorder = Recorder(log, target, tmp_path / "r.perftui", t_start_ns=time.monotonic_ns())
    recorder.start()
    wait_for((tmp_path / "r.perftui" / "meta.json").exists, "it does not record")
    assert recorder._process is not None
    recorder._process.send_signal(signal.SIGSTOP)
    recorder.stop()  # returns
    recorder._process.send_signal(signal.SIGCONT)
    assert any("does not answer" in text for text in kept.notices())
    recorder._process.wait(LIMIT_S)
    meta = json.loads((tmp_path / "r.perftui" / "meta.json").read_text())
    assert meta["state"] == "closed", "what it had been given is not lost"


def test_a_probe_that_cannot_start_does_not_stop_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cannot(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(AgentProbe, "start", cannot)
    session = Session.launch(
        [sys.executable, "-c", "print('hello')"],
        "hello",
        ProbeOptions(stacks=False),
        behind_screen=True,
    )
    assert session.wait(LIMIT_S)
    session.close()
    exit_ = session.exit()
    assert exit_ is not None
    assert exit_.exit_code == 0
    assert any("can't start new thread" in n.text for n in session.store.status().notices)
