"""A recording judged anew: the alerts of the live session, a segment in memory at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.recordings.made_runs import make

from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.detect.replay import alerts_of, judged_anew
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Call,
    Count,
    GrowthLook,
    ImportBegin,
    ImportEnd,
    Keeper,
    LoopBlock,
    MemoryPart,
    Metric,
    PhaseBegin,
    PhaseEnd,
    Pool,
    ProcessStart,
    Stack,
    ThreadCpu,
)
from perftui.probes.store.store import Store
from perftui.tui.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.recording.read.reader import RecordingReader
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

S = 1_000_000_000
T0 = 7_000 * S
PID, CHILD, NEWCOMER = 600, 601, 602
SECONDS = 75
TARGET = Target("job", ("python", "job.py"), PID, "3.12.1", launched=True, agent=True)
LIMIT, CORES = 2_000_000_000, 4


def at(t_s: float) -> int:
    return T0 + round(t_s * S)


def session(tree: CallTree) -> Iterator[list[Record]]:
    """Yield a slow import, a cold call, a leak that ends, a stall, a crowded machine."""
    main = tree.frame_id("main", "/srv/job.py", 1)
    work = tree.intern([main, tree.frame_id("remember", "/srv/job.py", 7)])
    read = tree.intern(
        [main, tree.frame_id("SocketIO.readinto", "/usr/lib/python3.12/socket.py", 9)]
    )
    yield [
        ProcessStart(T0, PID, 1, TARGET.argv, "3.12.1"),
        ImportBegin(at(0.02), PID, PID, 1, "heavy", None, 10_000_000),
        PhaseBegin(at(0.03), PID, PID, 1, "load", None, 0.0, 10_000_000),
    ]
    cpu_s = waited_s = 0.0
    for n in range(1, SECONDS * 20):
        t = n / 20
        stands, crowded = 50 <= t < 58, t >= 63
        cpu_s += 0.0 if stands else (0.01 if crowded else 0.045)
        waited_s += 0.04 if crowded else 0.0
        told: list[Record] = [
            Stack(
                at(t - 0.05),
                at(t),
                PID,
                PID,
                read if stands else work,
                cpu_ns=S // 20 * (not stands),
            )
        ]
        if n == 40:
            told.append(ImportEnd(at(t), PID, 1, 2 * S, 2 * S, 10_000_000, ok=True))
        if n % 20 == 0:
            told += [ThreadCpu(at(t), PID, PID + k, "python", cpu_s / 4, "S") for k in range(4)]
            told.append(Pool(at(t), PID, "arrow", 5_000_000))
            took_s = 1.5 if n == 60 else 0.01
            if n >= 60:
                told.append(Call(at(t), PID, PID, "query", n // 20 - 2, round(took_s * S), ok=True))
        if n in (20 * 44, 20 * 46):
            took_ns, ended = (3 * S, False) if n == 20 * 44 else (5 * S, True)
            told.append(
                LoopBlock(at(t), PID, PID, 1, took_ns, ended, "serve", "parse", "serve<parse")
            )
        if n == 20 * 61:
            told.append(PhaseEnd(at(t), PID, 1, cpu_s, 10_000_000))
        told.append(Count(at(t), PID, "requests", cpu_s * 1000))
        if n == 80:  # before anything grows: something has room for 20 MB, and they do come
            told += [
                GrowthLook(at(t), PID, at(t - 3), "census", 20_000_000, 9, 1, 1, "", 1),
                Keeper(at(t), PID, at(t - 3), "job.ring", "deque(maxlen=40)", "bytes", 20, 20,
                       20_000_000, False, ""),
            ]  # fmt: skip
        files = int(20e6 + 4e6 * min(max(t - 34, 0), 20))
        private = int(50e6 + 3e6 * min(max(t - 8, 0), 16))
        if n % 20 == 0:
            told.append(MemoryPart(at(t), PID, "data files", files, files))
        rss = files + private
        waits = waited_s if n % 20 == 0 else None
        own = {"anon_rss_bytes": private, "run_queue_wait_s": waits}
        told.append(Metric(at(t), PID, cpu_s, rss, **own))
        told.append(Metric(at(t), CHILD, 0.1, 9_000_000, anon_rss_bytes=9_000_000))
        if t >= 60:
            told.append(Metric(at(t), NEWCOMER, 0.1, 5_000_000))
        yield told


class Alerts:
    def __init__(self) -> None:
        self.seen: list[Alert] = []

    def ingest(self, batch: Batch) -> None:
        self.seen += [record for record in batch.raw if isinstance(record, Alert)]


class Made:
    """A session that was judged live, and its recording in three segments."""

    def __init__(self, path: Path) -> None:
        log, alerts = SessionLog(), Alerts()
        clock = [T0]
        options = WriterOptions(
            seal_s=25, session={"stacks": True, "known_limit_bytes": LIMIT, "cores": CORES}
        )
        recording = Recording(path, log.tree, TARGET, T0, options, clock=lambda: clock[0])
        store = Store(log.tree, TARGET, clock=lambda: clock[0])
        probe = DetectorProbe(
            log,
            Judge(log.tree, PID, T0, limit_bytes=LIMIT, cores=CORES, call_tree=store.call_tree),
        )
        for sink in (store, recording, alerts, probe):
            log.connect(sink)
        probe.start()
        for n, records in enumerate(session(log.tree)):
            log.extend(records)
            if n % 20 == 19:
                clock[0] = at(n / 20)
                recording.flush()
        probe.stop()
        clock[0] = at(SECONDS)
        recording.close()
        self.path = path
        self.live = [
            (
                alert.kind,
                alert.severity if alert.t_clear_ns is None else "clear",
                alert.t_onset_ns,
                alert.evidence.partition("; cleared: ")[0],
            )
            for alert in alerts.seen
            # A live session tells an alert again while it lasts, and ends it with its process.
            if not alert.message.endswith(" so far") and not alert.evidence.endswith("has ended")
        ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("anew") / "job.perftui")


def anew(reader: RecordingReader) -> list[tuple[str, str, int, str]]:
    edges = judged_anew(
        reader,
        reader.batches(),
        limit_bytes=reader.limit_bytes,
        cores=reader.cores,
        stacks=reader.has_stacks,
    )
    return [(edge.kind, edge.severity, at(edge.t_onset_s), edge.evidence) for edge in edges]


def test_it_gives_the_alerts_of_the_live_session(made: Made) -> None:
    found = anew(open_recording(made.path))
    assert found == made.live
    said = {(kind, severity) for kind, severity, _, _ in found}
    assert said >= {
        ("slow_import", "warn"),
        ("loop_blocked", "critical"),
        ("cold_start", "critical"),
        ("mem_growth", "warn"),
        ("mem_growth", "clear"),
        ("io_wait", "warn"),
        ("io_wait", "clear"),
        ("cpu_contention", "info"),
    }
    growth = next(evidence for kind, _, _, evidence in found if kind == "mem_growth")
    assert "code: remember job.py:7" in growth
    assert "came into containers with a bound" in growth, "a mark while there was room"
    assert [kind for kind, *_ in found].count("mem_growth") == 3, "mark, alert, end: no file is one"


def test_what_was_told_then_can_be_had_too(made: Made) -> None:
    told = alerts_of(open_recording(made.path))
    assert {edge.kind for edge in told} == {kind for kind, *_ in made.live}


def test_one_segment_is_in_memory_at_a_time(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = open_recording(made.path)
    assert len(reader.catalog.segments()) == 3
    loaded: list[int] = []
    load = reader.catalog.load

    def spied(name: str, segment: int, columns: tuple[str, ...] | None = None) -> object:
        loaded.append(segment)
        return load(name, segment, columns)

    monkeypatch.setattr(reader.catalog, "load", spied)
    batches = reader.batches()
    assert next(batches) is not None
    assert set(loaded) == {0}
    ticks = [tick for batch in batches for tick in batch.ticks]
    times = [tick.t_ns for tick in ticks]
    assert set(loaded) == {0, 1, 2}
    assert times == sorted(times)
    assert len(times) == SECONDS * 20 - 1
    told = [(tick.sums.get("brought_bytes"), tick.sums.get("newcomers")) for tick in ticks]
    came = [pair for pair in told if pair != (None, None)]
    assert set(came) == {(5_000_000, 1)}, "what a newcomer has, as the live session knew it"
    assert len(came) == (SECONDS - 60) * 20


def detect(*words: str) -> int:
    return main(["detect", *words])


def test_the_command_judges_anew_and_has_the_gate(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(made.path)
    assert detect(path) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["kind"] for row in rows} >= {"mem_growth", "slow_import", "cold_start", "io_wait"}
    assert "cpu_contention" not in {row["kind"] for row in rows}, "a mark"
    assert all(row.keys() == {"kind", "severity", "t_detect", "t_onset", "message"} for row in rows)
    assert detect("--fail-on", "mem_growth,cpu_contention,oom_risk", path) == 1
    err = capsys.readouterr().err
    assert "perftui: --fail-on mem_growth: RSS +3.00 MB/s" in err
    assert "--fail-on cpu_contention was not judged: waiting for a core" in err
    assert "oom_risk" not in err, "the limit of then is known"


def test_the_command_tells_what_was_told_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alert that today's rules would not give, in a recording too short for any."""
    path = make(tmp_path / "old.perftui", seconds=8, alerts=("io_wait",))
    assert detect("--recorded", "--fail-on", "io_wait", str(path)) == 1
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[0])["kind"] == "io_wait"
    assert "perftui: --fail-on io_wait: " in err
    assert detect("--fail-on", "io_wait,mem_growth", str(path)) == 0
    out, err = capsys.readouterr()
    assert "io_wait" not in out
    assert "--fail-on mem_growth was not judged: too short" in err


def test_a_limit_may_be_given_where_none_was_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(make(tmp_path / "old.perftui", seconds=8))
    assert detect("--fail-on", "oom_risk", path) == 0
    assert "--fail-on oom_risk was not judged: no memory limit is known" in capsys.readouterr().err
    assert detect("--limit", "1GB", "--fail-on", "oom_risk", path) == 0
    assert "oom_risk" not in capsys.readouterr().err


def test_a_recording_without_readings_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [T0]
    log = SessionLog()
    recording = Recording(
        tmp_path / "none.perftui", log.tree, TARGET, T0, WriterOptions(), clock=lambda: clock[0]
    )
    recording.close()
    assert detect(str(tmp_path / "none.perftui")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "nothing was measured, there is nothing to judge" in err
