"""What the live store says of a session, its recording says too: method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.synthetic import CHILD, PID, T0, TARGET, S, session

from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import TREE
from perftui.probes.store.store import Store
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 40
END = T0 + SECONDS * S


class Clock:
    now = T0

    def __call__(self) -> int:
        return self.now


class BothWays:
    """A sink that records at once what the store takes."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self.recording = recording
        self.clock = clock

    def ingest(self, batch: Any) -> None:
        self.recording.take(batch)


def record(folder: Path, seal_s: float, *, end: bool, close: bool) -> tuple[Store, RecordingReader]:
    """Run the session into a store and a recording that seals every `seal_s`."""
    clock = Clock()
    log = SessionLog()
    store = Store(log.tree, TARGET, clock)
    options = WriterOptions(seal_s=seal_s)
    recording = Recording(folder / "a.perftui", log.tree, TARGET, T0, options, clock=clock)
    log.connect(store)
    log.connect(BothWays(recording, clock))
    for number, batch in enumerate(session(log.tree, SECONDS, end=end)):
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
    params=["one segment", "many segments", "merged", "live tail", "attached"],
)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, RecordingReader]]:
    tmp_path = tmp_path_factory.mktemp("both")
    seal_s = {"one segment": 300.0, "many segments": 7.0, "merged": 1.0}.get(request.param, 9.0)
    close = request.param != "live tail"
    yield record(tmp_path, seal_s, end=request.param != "attached", close=close)


RANGES = [(T0, END + 1), (T0 + 3 * S + 17, T0 + 11 * S + 5), (T0 + 20 * S, T0 + 20 * S + S // 7)]


def test_the_names_and_newest_values_of_metrics(both: tuple[Store, RecordingReader]) -> None:
    live, recorded = both
    for pid in (TREE, PID, CHILD):
        assert set(live.metric_names(pid)) == set(recorded.metric_names(pid))
        for name in live.metric_names(pid):
            assert live.last(name, pid) == recorded.last(name, pid), name
            for t0, t1 in RANGES:
                assert live.highest(name, t0, t1, pid) == recorded.highest(name, t0, t1, pid), name


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("n", [1, 7, 60, 500])
def test_buckets(both: tuple[Store, RecordingReader], span: tuple[int, int], n: int) -> None:
    live, recorded = both
    for pid in (TREE, PID, CHILD):
        for name in live.metric_names(pid):
            # The last, still open bucket of the session holds at "now" for both.
            assert live.metric(name, *span, n, pid) == recorded.metric(name, *span, n, pid), name


@pytest.mark.parametrize("span", RANGES)
def test_ranges(both: tuple[Store, RecordingReader], span: tuple[int, int]) -> None:
    live, recorded = both
    assert live.call_tree(*span) == recorded.call_tree(*span)
    only = [(PID, PID + 10)]
    assert live.call_tree(*span, only) == recorded.call_tree(*span, only)
    assert live.threads(*span) == recorded.threads(*span)
    assert live.phases(*span) == recorded.phases(*span)
    assert live.imports(*span) == recorded.imports(*span)
    assert live.calls(*span) == recorded.calls(*span)
    assert live.counters(*span) == recorded.counters(*span)
    assert live.events(*span) == recorded.events(*span)
    assert live.log_lines(*span) == recorded.log_lines(*span)
    assert live.log_lines(*span, 3) == recorded.log_lines(*span, 3)
    assert live.alerts(*span) == recorded.alerts(*span)
    assert live.process_use(*span) == recorded.process_use(*span)
    assert live.runs(*span) == recorded.runs(*span)
    assert live.plans(span[1]) == recorded.plans(span[1])
    assert live.tasks(span[1]) == recorded.tasks(span[1])
    assert [plan.rows_needed for plan in live.plans(span[1])] == [1] * len(live.plans(span[1]))


def test_the_whole_session(both: tuple[Store, RecordingReader]) -> None:
    live, recorded = both
    assert live.target() == recorded.target()
    assert live.processes() == recorded.processes()
    assert live.status()._replace(state="recording") == recorded.status()
    assert live.exit() == recorded.exit()
    assert live.overhead() == recorded.overhead()
    assert live.sample_counts() == recorded.sample_counts()
    assert live.own_peak_rss_bytes() == recorded.own_peak_rss_bytes()
    assert live.sampler_cpu_s() == pytest.approx(recorded.sampler_cpu_s())
    assert [live.tree.frame(n) for n in range(len(live.tree))] == [
        recorded.tree.frame(n) for n in range(len(recorded.tree))
    ]


def test_the_summary_is_the_one_that_the_live_run_gave(
    both: tuple[Store, RecordingReader],
) -> None:
    live, recorded = both
    assert summarize(live) == summarize(recorded)
