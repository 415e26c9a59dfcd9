"""Exports in the programs that they are for: each must say what we say.

`benchmarks/export_clients.py` runs the same on any recording and prints what each client says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.export import clients
from support.export.hostile import NAMES, make_hostile
from support.recordings.synthetic import PID

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.names import plain
from perftui.probes.export.material.slice import slice_of, whole
from perftui.probes.profile.sums import function_sums
from perftui.probes.recording.read.reader import open_recording

if TYPE_CHECKING:
    from pathlib import Path

    from support.export.clients import Function

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.reader import RecordingReader

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _skips(request: pytest.FixtureRequest) -> None:
    """Skip, with the reason, what needs a client that is not installed."""
    try:
        clients.check(request.node.get_closest_marker("needs").args[0])
    except clients.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    return open_recording(make_hostile(tmp_path_factory.mktemp("hostile") / "a.perftui"))


def written(reader: RecordingReader, name: str, folder: Path, part: Slice | None = None) -> Path:
    exporter = exporter_of(name)
    path = folder / f"a{exporter.suffix}"
    with path.open("wb") as file:
        exporter.write(reader, part or whole(reader), file)
    return path


def ours(reader: RecordingReader, part: Slice) -> dict[str, tuple[float, float]]:
    """Return (self, total) seconds by function."""
    trees = [
        tree
        for tree in reader.call_tree(part.t0_ns, part.t1_ns)
        if part.has_thread(tree.pid, tree.tid)
    ]
    return {
        row.function: (row.self_.wall_ns / 1e9, row.total.wall_ns / 1e9)
        for row in function_sums(reader.tree, trees)
    }


def agree(
    told: list[Function],
    wanted: dict[str, tuple[float, float]],
    shape: str = "{}",
    rel: float = 1e-3,
) -> None:
    """Check all functions, as far as a client's digits reach."""
    found = {function.name: function for function in told}
    assert found.keys() == wanted.keys()
    for name, (own, total) in wanted.items():
        mine = found[name]
        assert mine.self_s == pytest.approx(own, rel=rel, abs=5e-3), name
        assert mine.total_s == pytest.approx(total, rel=rel, abs=5e-3), name


@pytest.mark.core
@pytest.mark.needs("speedscope")
def test_speedscope_shows_our_sums(reader: RecordingReader, tmp_path: Path) -> None:
    part = slice_of(reader, process=PID, thread="MainThread", from_s=2)
    shown = clients.speedscope(written(reader, "speedscope", tmp_path, part))
    assert shown.title == "a · 2.000-32.000 s - speedscope"
    assert shown.profile == "python 4000 / MainThread"
    agree(shown.functions, ours(reader, part), rel=1e-2)


@pytest.mark.needs("speedscope")
def test_speedscope_reads_collapsed_stacks(reader: RecordingReader, tmp_path: Path) -> None:
    shown = clients.speedscope(written(reader, "collapsed", tmp_path))
    # Without a unit it is told in nanoseconds; threads are the outermost frames.
    found = {function.name: function for function in shown.functions}
    for tree in reader.call_tree(0, 1 << 62):
        frame = found[f"python {tree.pid} / {tree.name}"]
        assert frame.total_s == pytest.approx(tree.wall_ns / 1e9, rel=1e-2)


@pytest.mark.needs("speedscope")
def test_speedscope_reads_chrome_traces(reader: RecordingReader, tmp_path: Path) -> None:
    shown = clients.speedscope(written(reader, "chrome-trace", tmp_path))
    for thread in ("MainThread", "worker"):
        assert f"python 4000 (pid 4000), {thread}" in shown.text


@pytest.mark.needs("speedscope")
def test_speedscope_shows_hostile_names(hostile: RecordingReader, tmp_path: Path) -> None:
    shown = clients.speedscope(written(hostile, "speedscope", tmp_path))
    told = {function.name for function in shown.functions}
    assert len(told) >= len(NAMES) - 2  # a table row has no blanks at its ends
    assert plain(NAMES[1]) in told
    assert plain(NAMES[5]) in told


@pytest.mark.core
@pytest.mark.needs("firefox")
def test_firefox_loads_our_sums_tracks_and_markers(reader: RecordingReader, tmp_path: Path) -> None:
    part = slice_of(reader, thread="MainThread", from_s=2)
    loaded = clients.firefox(written(reader, "firefox", tmp_path, part))
    mine = slice_of(reader, process=PID, thread="MainThread", from_s=2)
    agree(loaded.functions, ours(reader, mine))
    assert {c["name"] for c in loaded.counters} >= {"RSS", "processCPU", "rows", "arrow pool"}
    graphs = {c["name"]: (c["graphType"], c["unit"]) for c in loaded.counters}
    assert graphs["RSS"] == ("line-accumulated", "bytes")
    assert graphs["processCPU"] == ("line-rate", "percent")
    # The import that began before the range ended before it too; "slow" never ended.
    assert loaded.markers == {"phase": 2, "import": 1, "alert": 1, "mark": 3, "gc": 1}
    (process, child) = loaded.info["processes"]
    assert process["name"] == "python 4000"
    (tree,) = [
        t
        for t in reader.call_tree(part.t0_ns, part.t1_ns)
        if t.pid == PID and t.name == "MainThread"
    ]
    assert process["cpuMs"] == pytest.approx(tree.cpu_ns / 1e6, rel=0.02)
    assert child["name"] == "python 4001"


@pytest.mark.needs("firefox")
def test_firefox_loads_hostile_names(hostile: RecordingReader, tmp_path: Path) -> None:
    loaded = clients.firefox(written(hostile, "firefox", tmp_path))
    # It takes what stands before a "!" for a library and leaves it out.
    wanted = {(plain(name) or "?").rpartition("!")[2] for name in NAMES}
    assert {f.name for f in loaded.functions} == wanted
    assert loaded.markers["phase"] == len(NAMES)


@pytest.mark.core
@pytest.mark.needs("go")
def test_go_pprof_says_our_sums_and_labels(reader: RecordingReader, tmp_path: Path) -> None:
    part = slice_of(reader, process=PID, thread="MainThread", from_s=2)
    path = written(reader, "pprof", tmp_path, part)
    told = clients.pprof(path)
    assert told.kind == "wall"
    agree(told.functions, ours(reader, part))
    assert set(told.tags["thread"]) == {"MainThread"}
    assert set(told.tags["phase"]) == {"load", "parse"}
    cpu = clients.pprof(path, "cpu")
    (tree,) = [
        t
        for t in reader.call_tree(part.t0_ns, part.t1_ns)
        if t.pid == PID and t.name == "MainThread"
    ]
    assert cpu.kind == "cpu"
    assert sum(f.self_s for f in cpu.functions) == pytest.approx(tree.cpu_ns / 1e9, abs=0.05)


@pytest.mark.needs("go")
def test_go_pprof_prints_hostile_names(hostile: RecordingReader, tmp_path: Path) -> None:
    told = clients.pprof(written(hostile, "pprof", tmp_path))
    assert len(told.functions) == len(NAMES)
    assert not [c for f in told.functions for c in f.name if not c.isprintable()]
