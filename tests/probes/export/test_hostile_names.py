"""Names that want to break out: every format stays whole, and says who is meant."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.export.hostile import LONG, NAMES, make_hostile
from support.export.parsed import PARSERS

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.names import LONGEST, plain
from perftui.probes.export.material.slice import slice_of, whole
from perftui.probes.export.write import Order, write_stream
from perftui.probes.profile.sums import function_sums
from perftui.probes.recording.read.reader import open_recording

duckdb = pytest.importorskip("duckdb")

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.recording.read.reader import RecordingReader


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    folder: Path = tmp_path_factory.mktemp("hostile")
    return open_recording(make_hostile(folder / "a.perftui"))


def exported(reader: RecordingReader, name: str, table: str | None = None) -> bytes:
    out = io.BytesIO()
    write_stream(reader, Order(exporter_of(name), whole(reader), table), out)
    return out.getvalue()


def shown(name: str, text: str) -> str:
    """Return what a format makes of a function's name."""
    if name == "collapsed":
        return (plain(text) or "?").replace(";", ":").lstrip()
    return plain(text) or "?"


@pytest.mark.parametrize("name", PARSERS)
def test_every_stack_is_whole(reader: RecordingReader, name: str) -> None:
    samples = list(PARSERS[name](exported(reader, name)))
    told: Counter[str] = Counter()
    for sample in samples:
        assert len(sample.frames) in (1, 3), "torn ones are their leaf alone"
        told[sample.frames[-1]] += sample.wall_ns
    wanted: Counter[str] = Counter()
    for tree in reader.call_tree(0, 1 << 62):
        for node, weights in tree.self_by_node.items():
            wanted[shown(name, reader.tree.frame(node).function)] += weights.wall_ns
    assert told == wanted
    assert len(told) == len(NAMES)
    assert len({sample.thread for sample in samples}) == 2


@pytest.mark.parametrize("name", PARSERS)
def test_recursion_counts_once(reader: RecordingReader, name: str) -> None:
    """Every function calls itself: its total is its time once, whoever adds it up."""
    told: Counter[str] = Counter()
    for sample in PARSERS[name](exported(reader, name)):
        for frame in set(sample.frames):
            told[frame] += sample.wall_ns
    sums = function_sums(reader.tree, reader.call_tree(0, 1 << 62))
    assert told == {shown(name, row.function): row.total.wall_ns for row in sums}


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_reaches_a_viewer_that_acts(reader: RecordingReader, name: str) -> None:
    """No control, bidi or invisible character is left in any name, and none is endless."""
    for sample in PARSERS[name](exported(reader, name)):
        for text in (sample.thread, *sample.frames):
            assert len(text) <= 3 * (LONGEST + 10)
            assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


def test_what_is_hidden_can_be_read() -> None:
    assert plain("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"
    assert plain("日本語 \U0001f600") == "日本語 \U0001f600"
    assert plain(LONG).startswith("xxx")
    assert len(plain(LONG)) == LONGEST


def test_markers_and_counters_keep_their_names(reader: RecordingReader) -> None:
    profile = json.loads(exported(reader, "firefox"))
    for kind in ("phase", "import", "mark"):
        names = [
            row["name"]
            for thread in profile["threads"]
            for row in thread["markers"]["data"]
            if row["type"] == kind
        ]
        assert {plain(name) for name in NAMES} <= {name.removeprefix("mark ") for name in names}
    assert plain(NAMES[1]) in {counter["name"] for counter in profile["counters"]}


def functions(rows: list[dict[str, Any]]) -> set[Any]:
    return {row["function"] for row in rows}


def test_tables_keep_names_as_they_are(reader: RecordingReader) -> None:
    rows = json.loads(exported(reader, "json", "frames"))
    assert functions(rows) == set(NAMES)
    table = pq.read_table(io.BytesIO(exported(reader, "parquet", "frames")))
    assert functions(table.to_pylist()) == set(NAMES)
    table = pa.ipc.open_file(exported(reader, "arrow", "frames")).read_all()
    assert functions(table.to_pylist()) == set(NAMES)


def test_csv_keeps_all_but_the_character_zero(reader: RecordingReader, tmp_path: Path) -> None:
    wanted = {name.replace("\0", "\N{REPLACEMENT CHARACTER}") for name in NAMES}
    data = exported(reader, "csv", "frames")
    csv.field_size_limit(1 << 20)
    told = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
    assert functions(told) == wanted
    path = tmp_path / "frames.csv"
    path.write_bytes(data)
    rows = duckdb.sql(f"SELECT function FROM read_csv('{path}', quote='\"')").fetchall()
    assert {row[0] or "" for row in rows} == wanted


def test_a_hostile_phase_can_be_asked_for(reader: RecordingReader) -> None:
    for name in NAMES:
        assert slice_of(reader, phase=name).duration_s == pytest.approx(0.05)
