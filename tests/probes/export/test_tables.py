"""Tables as data frames read them: ranges, times, units, and the same rows in every format."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from support.recordings.synthetic import CHILD, PID, T0, S

from perftui.probes.export.formats import exporter_of
from perftui.probes.export.material.error import ExportError
from perftui.probes.export.material.slice import Slice, slice_of, whole
from perftui.probes.export.tables.table import TableSource, choices
from perftui.probes.export.write import Order, write_stream
from perftui.probes.recording.format.meta import wall_ns
from perftui.probes.recording.sql.query import Query

duckdb = pytest.importorskip("duckdb")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perftui.probes.recording.read.reader import RecordingReader

    Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def query(reader: RecordingReader) -> Iterator[Query]:
    with Query(reader) as found:
        yield found


@pytest.fixture(scope="module")
def source(reader: RecordingReader, query: Query) -> TableSource:
    return TableSource(reader, query, whole(reader))


def exported(reader: RecordingReader, name: str, table: str, part: Slice | None = None) -> bytes:
    out = io.BytesIO()
    order = Order(exporter_of(name), part or whole(reader), table)
    write_stream(reader, order, out)
    return out.getvalue()


def test_all_of_a_recording_is_in_them(reader: RecordingReader, source: TableSource) -> None:
    known = {name: source.table(name) for name in (choice.name for choice in choices())}
    for name in ("stacks", "metrics", "thread_cpu", "calls", "log", "windows", "frames"):
        rows = sum(extent.rows for extent in reader.catalog.extents(name).values())
        assert known[name].num_rows == rows, name
    assert known["alerts"].num_rows == len(reader.alerts(0, 1 << 62)) == 1
    assert known["phases"].num_rows == len(reader.phases(0, 1 << 62))


@pytest.mark.parametrize(
    "table",
    [
        "alerts",
        *(pytest.param(name, marks=pytest.mark.live) for name in ("stacks", "metrics", "threads")),
    ],
)
def test_every_format_has_the_same_rows(
    reader: RecordingReader, source: TableSource, table: str
) -> None:
    wanted = source.table(table)
    arrow = pa.ipc.open_file(exported(reader, "arrow", table)).read_all()
    assert arrow.equals(wanted, check_metadata=True)
    parquet = pq.read_table(io.BytesIO(exported(reader, "parquet", table)))
    assert parquet.equals(wanted, check_metadata=True)
    rows = wanted.to_pylist()
    told = json.loads(exported(reader, "json", table))
    assert len(told) == len(rows)
    for told_row, row in zip(told, rows, strict=True):
        assert {k: v for k, v in told_row.items() if k != "time_utc"} == {
            k: v for k, v in row.items() if k != "time_utc"
        }
    read = pyarrow.csv.read_csv(io.BytesIO(exported(reader, "csv", table)))
    assert read.column_names == wanted.column_names
    for name in wanted.column_names:
        if name != "time_utc" and pa.types.is_integer(wanted[name].type):
            assert read[name].cast(wanted[name].type).equals(wanted[name]), name


def test_times_of_day_are_those_of_the_clock(reader: RecordingReader, source: TableSource) -> None:
    row = source.table("metrics").slice(500, 1).to_pylist()[0]
    wanted_ns = wall_ns(reader.meta, row["t_ns"])
    assert wanted_ns is not None
    # The recording was made faster than its clock ran: each segment has a pair of its own.
    assert abs(row["time_utc"].timestamp() - wanted_ns / 1e9) < 40
    text = json.loads(exported(reader, "json", "metrics"))[500]["time_utc"]
    assert text == row["time_utc"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert row["t_s"] == pytest.approx((row["t_ns"] - T0) / S)


def test_stacks_name_their_innermost_function_and_are_in_order(
    reader: RecordingReader, source: TableSource
) -> None:
    rows = source.table("stacks").to_pylist()
    for row in rows[:200]:
        frame = reader.tree.frame(row["node"])
        assert (row["function"], row["file"], row["line"]) == frame[:3]
    times = [row["t0_ns"] for row in rows]
    assert times == sorted(times)


def test_units_stand_in_names_and_metadata(source: TableSource) -> None:
    schema = source.table("metrics").schema
    assert schema.field("rss_bytes").metadata == {b"unit": b"B"}
    assert schema.field("time_utc").type == pa.timestamp("us", tz="UTC")


@pytest.fixture
def rows(reader: RecordingReader, query: Query) -> Rows:
    """Return the rows of a table in a part of the recording."""

    def found(table: str, **asked: Any) -> list[dict[str, Any]]:
        source = TableSource(reader, query, slice_of(reader, **asked))
        told: list[dict[str, Any]] = source.table(table).to_pylist()
        return told

    return found


def test_a_range_is_what_overlaps_it(rows: Rows) -> None:
    inside = rows("metrics", from_s=5.0, to_s=6.0)
    assert len(inside) == 2 * 20  # the process and the tree
    assert all(5.0 <= row["t_s"] < 6.0 for row in inside)
    stacks = rows("stacks", from_s=5.0, to_s=6.0)
    assert all(row["t0_s"] < 6.0 and row["t1_s"] > 5.0 for row in stacks)
    assert rows("phases", from_s=0, to_s=0.3) == []
    assert [row["name"] for row in rows("phases", from_s=29)] == ["load", "parse"]
    # An alert from 19 s to 30 s.
    assert rows("alerts", from_s=0, to_s=18.9) == []
    assert len(rows("alerts", from_s=25, to_s=26)) == 1
    assert rows("alerts", from_s=31) == []


def test_a_process_and_a_thread_can_be_chosen(rows: Rows) -> None:
    assert {row["pid"] for row in rows("metrics", process=CHILD)} == {CHILD}
    worker = rows("stacks", thread="worker")
    assert {(row["pid"], row["tid"]) for row in worker} == {(PID, PID + 10)}
    with pytest.raises(ExportError, match="top_self is of all threads"):
        rows("top_self", thread="worker")


@pytest.fixture(scope="module")
def written(reader: RecordingReader, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The table of stacks in every format."""
    folder = tmp_path_factory.mktemp("tables")
    paths = {name: folder / f"stacks.{name}" for name in ("csv", "json", "parquet", "arrow")}
    for name, path in paths.items():
        path.write_bytes(exported(reader, name, "stacks"))
    return paths


def stacks_of(reader: RecordingReader) -> tuple[int, int]:
    """Return (rows, nanoseconds) of all stacks."""
    rows = sum(extent.rows for extent in reader.catalog.extents("stacks").values())
    return rows, sum(tree.wall_ns for tree in reader.call_tree(0, 1 << 62))


@pytest.mark.parametrize("name", ["csv", "json", "parquet"])
def test_duckdb_reads_what_is_written(
    reader: RecordingReader, written: dict[str, Path], name: str
) -> None:
    sums = "count(*), sum(t1_ns - t0_ns)::BIGINT, any_value(typeof(time_utc))"
    ((rows, wall_ns, kind),) = duckdb.sql(f"SELECT {sums} FROM '{written[name]}'").fetchall()
    assert (rows, wall_ns) == stacks_of(reader)
    assert kind.startswith("TIMESTAMP")


@pytest.mark.parametrize("name", ["csv", "json", "parquet", "arrow"])
def test_pandas_reads_what_is_written(
    reader: RecordingReader, written: dict[str, Path], name: str
) -> None:
    pandas = pytest.importorskip("pandas")
    read = {
        "csv": lambda path: pandas.read_csv(path, parse_dates=["time_utc"]),
        "json": pandas.read_json,
        "parquet": pandas.read_parquet,
        "arrow": pandas.read_feather,
    }
    frame = read[name](written[name])
    assert (len(frame), (frame["t1_ns"] - frame["t0_ns"]).sum()) == stacks_of(reader)
    if name != "json":  # without a hint pandas knows no dates in JSON by this name
        assert str(frame["time_utc"].dtype).startswith("datetime64")
