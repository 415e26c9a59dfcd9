"""The timeline that stack formats draw from: the sums of the screen, in the order of time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from support.recordings.made import make
from support.recordings.synthetic import PID, T0, S

from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.slice import Slice, slice_of, whole
from perftui.probes.export.material.timeline import timeline
from perftui.probes.profile.sums import function_sums
from perftui.probes.recording.read.reader import open_recording

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.recording.read.reader import RecordingReader


@pytest.fixture(scope="module", params=["closed", "live tail"])
def reader(
    request: pytest.FixtureRequest, recorded: Path, tmp_path_factory: pytest.TempPathFactory
) -> RecordingReader:
    if request.param == "closed":
        return open_recording(recorded)
    folder: Path = tmp_path_factory.mktemp("timeline")
    return open_recording(make(folder / "a.perftui", 32, close=False))


PARTS = [None, Slice(T0 + 5 * S, T0 + 12 * S + S // 4), Slice(T0 + 7 * S + 3, T0 + 7 * S + 30)]


@pytest.mark.parametrize("part", PARTS)
def test_its_sums_are_those_of_the_call_tree(reader: RecordingReader, part: Slice | None) -> None:
    part = part or whole(reader)
    times = timeline(reader, part)
    trees = {(t.pid, t.tid): t for t in reader.call_tree(part.t0_ns, part.t1_ns)}
    assert {(t.pid, t.tid) for t in times.threads} == set(trees)
    for thread in times.threads:
        tree = trees[thread.pid, thread.tid]
        assert thread.wall_ns == tree.wall_ns
        assert thread.cpu_ns == pytest.approx(tree.cpu_ns, abs=len(thread) + 1)
        assert sum(s.t1_ns - s.t0_ns for s in thread) == tree.wall_ns
        assert sum(s.cpu_ns for s in thread) == thread.cpu_ns
    own = {(r.function, r.file): 0 for r in function_sums(reader.tree, list(trees.values()))}
    wanted = {
        (r.function, r.file): r.self_.wall_ns
        for r in function_sums(reader.tree, list(trees.values()))
    }
    for thread in times.threads:
        for span in thread:
            leaf = times.frames(span.stack)[-1]
            own[leaf.function, leaf.file] += span.t1_ns - span.t0_ns
    assert own == wanted


def test_it_is_in_order_and_joined(reader: RecordingReader) -> None:
    for thread in timeline(reader, whole(reader)).threads:
        spans = list(thread)
        assert len(spans) > 100
        for before, after in pairwise(spans):
            assert before.t1_ns <= after.t0_ns
            same = (before.stack, before.torn) == (after.stack, after.torn)
            assert not (same and before.t1_ns == after.t0_ns)


def test_a_torn_stack_is_its_leaf_alone(reader: RecordingReader) -> None:
    times = timeline(reader, whole(reader))
    torn = [span for thread in times.threads for span in thread if span.torn]
    assert torn
    assert all(len(times.frames(span.stack)) == 1 for span in torn)


def test_parts_are_found_by_name(reader: RecordingReader) -> None:
    assert slice_of(reader, phase="parse") == Slice(T0 + 20 * S, T0 + 30 * S, phase="parse")
    assert slice_of(reader, phase="parse", from_s=25).t0_ns == T0 + 25 * S
    assert slice_of(reader, from_s=-2).t0_ns == whole(reader).t1_ns - 2 * S
    assert slice_of(reader, thread="worker").threads == {(PID, PID + 10)}
    assert slice_of(reader, thread=f"{PID}/{PID}").threads == {(PID, PID)}
    assert slice_of(reader, process=PID).has_thread(PID, 1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"from_s": 10.0, "to_s": 10.0}, "nothing lies from 10 s to 10 s"),
        ({"from_s": 1e6}, "is 32.0 s long"),
        ({"phase": "x"}, "there is no phase 'x'; there are load, parse"),
        ({"phase": "load", "to_s": 0.1}, "a range begins before it ends"),
        ({"thread": "x"}, "there is no thread 'x' in this range; there are MainThread, "),
        ({"process": 1}, "there is no process 1 in a.perftui; there are 4000"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    reader: RecordingReader, asked: dict[str, object], told: str
) -> None:
    with pytest.raises(ExportError) as error:
        slice_of(reader, **asked)  # type: ignore[arg-type] # one of each kind
    assert told in str(error.value)
    assert "\n" not in str(error.value)
