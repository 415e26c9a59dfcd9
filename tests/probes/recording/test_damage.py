"""Torn, damaged and incomplete recordings open, say so, and give what is left."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.made import make
from support.recordings.synthetic import T0, S

from perftui.probes.recording.format.arrow_file import read_stream
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.parquet.file import read_parquet
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.live import LiveSegment
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.calltree import CallTree

if TYPE_CHECKING:
    from pathlib import Path

END = T0 + 1_000 * S


def rows_of(data: bytes) -> int:
    return sum(batch.num_rows for batch in read_stream("marks", data).batches)


@pytest.fixture
def stream(tmp_path: Path) -> tuple[bytes, list[int]]:
    """A small live file, and its length after each batch."""
    segment = LiveSegment(tmp_path, 0)
    path = tmp_path / "marks-000000.arrows"
    ends = []
    for batch in range(6):
        rows = [(batch * 10 + n, T0 + n, 1, f"mark {batch} {n}") for n in range(10)]
        segment.append("marks", rows)
        ends.append(path.stat().st_size)
    segment.close()
    return path.read_bytes(), ends


def test_a_stream_cut_at_any_byte_gives_all_whole_batches(stream: tuple[bytes, list[int]]) -> None:
    data, ends = stream
    for cut in range(len(data) + 1):
        found = read_stream("marks", data[:cut])
        whole = sum(end <= cut for end in ends)
        assert len(found.batches) == whole, cut
        assert [row["seq"] for batch in found.batches for row in batch.to_pylist()] == list(
            range(10 * whole)
        )
        if cut in ends:
            assert found.torn is None
            assert found.end == cut


def test_reading_goes_on_where_a_torn_end_was_completed(stream: tuple[bytes, list[int]]) -> None:
    data, ends = stream
    for cut in range(ends[0], len(data), 7):
        first = read_stream("marks", data[:cut])
        rest = read_stream("marks", data[first.end :], schema_seen=True)
        assert len(first.batches) + len(rest.batches) == 6
        assert rest.torn is None


def test_zeros_and_noise_behind_the_last_batch_end_it(stream: tuple[bytes, list[int]]) -> None:
    data, _ = stream
    assert rows_of(data + bytes(4096)) == 60
    noise = random.Random(3).randbytes(4096)
    found = read_stream("marks", data + noise)
    assert sum(batch.num_rows for batch in found.batches) == 60
    assert found.torn is not None


def test_flipped_bits_of_a_live_file_never_do_more_than_damage(
    stream: tuple[bytes, list[int]],
) -> None:
    data, _ = stream
    rng = random.Random(5)
    for _ in range(1_500):
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        found = read_stream("marks", bytes(bad))
        assert sum(batch.num_rows for batch in found.batches) <= 60


def test_flipped_bits_of_a_sealed_file_are_seen(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 6)
    path = recording / "stacks-000000.parquet"
    data = path.read_bytes()
    good = read_parquet("stacks", data)
    rng = random.Random(7)
    undetected = 0
    for _ in range(300):
        bad = bytearray(data)
        bad[rng.randrange(4, len(bad) - 8)] ^= 1 << rng.randrange(8)
        try:
            undetected += read_parquet("stacks", bytes(bad)) != good
        except RecordingError as error:
            assert "\n" not in str(error)
    assert undetected == 0


def test_a_sealed_file_cut_anywhere_is_an_error_of_one_line(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 3)
    data = (recording / "clock-000000.parquet").read_bytes()
    for cut in range(len(data)):
        with pytest.raises(RecordingError) as caught:
            read_parquet("clock", data[:cut])
        assert "\n" not in str(caught.value)


def test_an_interrupted_recording_says_what_was_read(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 10, close=False)
    _set_meta(recording, recorder={"pid": 1 << 22, "start": "0", "boot_id": "x"})
    tail = max(recording.glob("stacks-*.arrows"))
    tail.write_bytes(tail.read_bytes()[:-100])
    reader = open_recording(recording)
    assert reader.state == "interrupted"
    assert reader.salvage is not None
    assert reader.salvage.startswith("interrupted, reason unknown: ")
    assert f"{tail.name} torn at byte" in reader.salvage
    assert reader.call_tree(T0, END)
    assert reader.status().state == "recording"


def test_rows_are_counted_once_if_a_kill_left_both_forms(tmp_path: Path) -> None:
    whole = open_recording(make(tmp_path / "a.perftui", 10))
    recording = make(tmp_path / "b.perftui", 10, seal_s=1e6, close=False)
    # What a kill during sealing leaves: some tables sealed, all live files, a half file.
    other = make(tmp_path / "c.perftui", 10, seal_s=1e6)
    for name in ("frames", "nodes", "stacks"):
        file = f"{name}-000000.parquet"
        (recording / file).write_bytes((other / file).read_bytes())
    (recording / "metrics-000000.parquet.tmp").write_bytes(b"PAR1 half")
    reader = open_recording(recording)
    assert reader.call_tree(T0, END) == whole.call_tree(T0, END)
    assert reader.events(T0, END) == whole.events(T0, END)
    assert reader.last("rss_bytes") == whole.last("rss_bytes")


def test_single_files_that_a_merge_left_behind_are_not_counted_twice(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 20, seal_s=1.0)
    merged = list(recording.glob("marks-*-*.parquet"))
    assert merged
    before = open_recording(recording).events(T0, END)
    (recording / "marks-000003.parquet").write_bytes(merged[0].read_bytes())
    assert open_recording(recording).events(T0, END) == before


def test_a_missing_segment_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 30, seal_s=5.0)
    whole = sum(tree.wall_ns for tree in open_recording(recording).call_tree(T0, END))
    for file in recording.glob("*-000002.parquet"):
        file.unlink()
    reader = open_recording(recording)
    assert reader.salvage is not None
    assert "segment 2 missing" in reader.salvage
    wall = sum(tree.wall_ns for tree in reader.call_tree(T0, END))
    assert 0 < wall < whole
    assert reader.metric("rss_bytes", T0, T0 + 30 * S, 60).last.count(None) > 6


def test_a_damaged_file_is_named_and_the_rest_is_there(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 10)
    file = recording / "metrics-000001.parquet"
    data = bytearray(file.read_bytes())
    data[100] ^= 0xFF
    file.write_bytes(data)
    reader = open_recording(recording)
    assert reader.call_tree(T0, END)
    reader.metric("rss_bytes", T0, T0 + 10 * S, 500)
    assert reader.salvage is not None
    assert "metrics-000001.parquet damaged" in reader.salvage


def test_frames_that_are_lost_are_called_lost(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 10)
    for file in recording.glob("frames-*"):
        file.unlink()
    for file in recording.glob("nodes-*"):
        file.unlink()
    reader = open_recording(recording)
    (hottest, *_) = reader.call_tree(T0, END)
    node = max(hottest.self_by_node)
    assert reader.tree.frame(node).function == "<lost>"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": [2, 3]}, "recording format 2.3"),
        ({"version": "1.0"}, "no format version"),
        ({"format": "something"}, "not a recording of perftui"),
        ({"state": "odd"}, "no state"),
        ({"t_end_ns": -1}, "no t_end_ns"),
        ({"t_start_ns": None}, "no t_start_ns"),
    ],
)
def test_a_meta_that_is_not_ours(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    _set_meta(recording, **change)
    with pytest.raises(RecordingError, match=said) as caught:
        open_recording(recording)
    assert "\n" not in str(caught.value)


def test_a_newer_version_names_the_perftui_that_reads_it(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    _set_meta(recording, version=[2, 0], versions={"perftui": "9.1"})
    with pytest.raises(RecordingError, match=r"perftui that wrote it \(9\.1\) or newer"):
        open_recording(recording)


def test_a_newer_minor_version_is_read(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    _set_meta(recording, version=[1, 7], colour="blue")
    (recording / "moods-000000.parquet").write_bytes(b"PAR1")
    assert open_recording(recording).salvage is None


def test_what_is_no_recording_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    for path in (tmp_path / "none", tmp_path, tmp_path / "file"):
        with pytest.raises(RecordingError) as caught:
            open_recording(path)
        assert str(path) in str(caught.value)


def test_an_empty_recording_has_empty_answers(tmp_path: Path) -> None:
    directory = tmp_path / "a.perftui"
    from support.recordings.synthetic import TARGET

    Recording(directory, CallTree(), TARGET, T0, clock=lambda: T0).close()
    reader = open_recording(directory)
    assert reader.call_tree(T0, END) == ()
    assert reader.metric("rss_bytes", T0, END, 3).last == (None, None, None)
    assert reader.events(T0, END) == ()
    assert reader.salvage is None


def _set_meta(recording: Path, **change: Any) -> None:
    path = recording / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
