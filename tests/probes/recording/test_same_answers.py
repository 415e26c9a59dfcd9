"""What the live store says of a session, its recording says too: method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.family import family
from support.recordings.synthetic import CHILD, PID, T0, TARGET, S, session

from perftui.probes.profile.tracks import tracks_of
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import TREE, Reader
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 40
END = T0 + SECONDS * S


class Clock:
    now = T0

    def __call__(self) -> int:
        return self.now


def record(
    folder: Path, seal_s: float, *, end: bool, close: bool, child: bool
) -> tuple[Store, RecordingReader]:
    """Run a session into a store and a recording that seals every `seal_s`."""
    clock = Clock()
    log = SessionLog()
    store = Store(log.tree, TARGET, clock)
    options = WriterOptions(seal_s=seal_s)
    recording = Recording(folder / "a.perftui", log.tree, TARGET, T0, options, clock=clock)
    log.connect(store)
    log.connect(recording)
    if child:
        batches = family(log.tree, SECONDS, end=end)
    else:
        batches = session(log.tree, SECONDS, end=end, own=True)
    for number, batch in enumerate(batches):
        log.extend(batch)
        if number % 25 == 24:
            clock.now += S
            recording.flush()
    clock.now = END
    if close:
        recording.close()
    else:
        recording.flush()
        recording.heartbeat()
    return store, open_recording(recording.directory)


@pytest.fixture(
    scope="module",
    params=["one segment", "many segments", "merged", "live tail", "attached", "family"],
)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, RecordingReader]]:
    tmp_path = tmp_path_factory.mktemp("both")
    seal_s = {"one segment": 300.0, "many segments": 7.0, "merged": 1.0}.get(request.param, 9.0)
    close = request.param != "live tail"
    child = request.param == "family"
    made = record(tmp_path, seal_s, end=request.param != "attached", close=close, child=child)
    merged = list(made[1].path.glob("segments-*-*.parquet"))
    assert bool(merged) is (request.param == "merged")
    made[0].status()  # takes in what still waits: `sampler_cpu_s` never does
    yield made


RANGES = [(T0, END + 1), (T0 + 3 * S + 17, T0 + 11 * S + 5), (T0 + 20 * S, T0 + 20 * S + S // 7)]
PIDS = (TREE, PID, CHILD)
ONE_THREAD = [(PID, PID + 10)]


def each_metric(reader: Reader, ask: Callable[[str, int], Any]) -> dict[tuple[int, str], Any]:
    return {(pid, name): ask(name, pid) for pid in PIDS for name in reader.metric_names(pid)}


ANSWERS: dict[str, Callable[[Reader, int, int], Any]] = {
    "tree": lambda r, t0, t1: [r.tree.frame(node) for node in range(len(r.tree))],
    "target": lambda r, t0, t1: r.target(),
    "status": lambda r, t0, t1: r.status()._replace(state="recording"),
    "exit": lambda r, t0, t1: r.exit(),
    "overhead": lambda r, t0, t1: r.overhead(),
    "own_peak_rss_bytes": lambda r, t0, t1: r.own_peak_rss_bytes(),
    "sampler_cpu_s": lambda r, t0, t1: round(r.sampler_cpu_s(), 9),
    "sample_counts": lambda r, t0, t1: r.sample_counts(),
    "metric_names": lambda r, t0, t1: [set(r.metric_names(pid)) for pid in PIDS],
    "metric": lambda r, t0, t1: [
        # The last, still open bucket of the session holds at "now" for both.
        each_metric(r, lambda name, pid, n=n: r.metric(name, t0, t1, n, pid))  # type: ignore[misc]
        for n in (1, 7, 60, 500)
    ],
    "last": lambda r, t0, t1: each_metric(r, r.last),
    "last_read_ns": lambda r, t0, t1: each_metric(r, r.last_read_ns),
    "highest": lambda r, t0, t1: each_metric(r, lambda name, pid: r.highest(name, t0, t1, pid)),
    "processes": lambda r, t0, t1: r.processes(),
    "process_use": lambda r, t0, t1: r.process_use(t0, t1),
    "threads": lambda r, t0, t1: r.threads(t0, t1),
    "thread_name": lambda r, t0, t1: [
        r.thread_name(thread)
        for thread in ((PID, PID), (PID, PID + 10), (PID, PID + 11), (CHILD, CHILD), (1, 1))
    ],
    "call_tree": lambda r, t0, t1: (r.call_tree(t0, t1), r.call_tree(t0, t1, ONE_THREAD)),
    "phases": lambda r, t0, t1: r.phases(t0, t1),
    "imports": lambda r, t0, t1: r.imports(t0, t1),
    "calls": lambda r, t0, t1: r.calls(t0, t1),
    "counters": lambda r, t0, t1: r.counters(t0, t1),
    "events": lambda r, t0, t1: r.events(t0, t1),
    "runs": lambda r, t0, t1: r.runs(t0, t1),
    "collected": lambda r, t0, t1: r.collected(t0, t1),
    "installed": lambda r, t0, t1: r.installed(),
    "plans": lambda r, t0, t1: r.plans(t1),
    "tasks": lambda r, t0, t1: r.tasks(t1),
    "blame": lambda r, t0, t1: r.blame(t0, t1),
    "log_lines": lambda r, t0, t1: (r.log_lines(t0, t1), r.log_lines(t0, t1, 3)),
    "alerts": lambda r, t0, t1: r.alerts(t0, t1),
}
"""Every method of `Reader` with what to ask."""


def test_every_method_of_a_reader_is_compared() -> None:
    assert set(ANSWERS) == {name for name in vars(Reader) if not name.startswith("_")}


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("method", ANSWERS)
def test_memory_and_disk_answer_the_same(
    both: tuple[Store, RecordingReader], method: str, span: tuple[int, int]
) -> None:
    live, recorded = both
    assert ANSWERS[method](live, *span) == ANSWERS[method](recorded, *span)


@pytest.mark.parametrize("method", ANSWERS)
def test_what_is_compared_is_not_nothing(
    both: tuple[Store, RecordingReader], method: str, request: pytest.FixtureRequest
) -> None:
    if method == "exit" and "attached" in request.node.name:
        return
    assert ANSWERS[method](both[0], T0, END + 1)


def test_a_plan_told_twice_is_one(both: tuple[Store, RecordingReader]) -> None:
    for reader in both:
        plans = reader.plans(END)
        assert [plan.rows_needed for plan in plans] == [1] * 4


def test_the_summary_is_the_one_that_the_live_run_gave(
    both: tuple[Store, RecordingReader],
) -> None:
    live, recorded = both
    assert summarize(live) == summarize(recorded)


@pytest.mark.parametrize("span", [(T0, END), (T0 + 3 * S, T0 + 30 * S)])
def test_tracks_are_the_same(both: tuple[Store, RecordingReader], span: tuple[int, int]) -> None:
    live, recorded = both
    told = [
        tracks_of(reader, reader.status()._replace(state="recording", t_end_ns=END), span, 40)
        for reader in (live, recorded)
    ]
    assert told[0].tracks == told[1].tracks
    assert told[0].unexplained == told[1].unexplained
    assert any(cell is not None and cell.cpu_ns for row in told[0].tracks for cell in row.cells)
