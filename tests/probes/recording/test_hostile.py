"""Recordings by somebody who means harm: one clear line, little memory and time, no code run."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import subprocess
import sys
import textwrap
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.recordings.made import make
from support.recordings.synthetic import T0, S

from perftui.probes.recording.format.arrow_file import read_stream
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import STACK_AMOUNTS
from perftui.probes.recording.read.container import open_container
from perftui.probes.recording.read.parquet.file import read_parquet
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

END = T0 + 1_000 * S


def arrow_bytes(table: Any, compression: str | None = "zstd") -> bytes:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet_bytes(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "zstd", **options})
    return sink.getvalue()


def marks(rows: int, name: str = "m") -> Any:
    return pa.table(
        {
            "seq": pa.array([0] * rows, pa.int64()),
            "t_ns": pa.array([T0] * rows, pa.int64()),
            "pid": pa.array([1] * rows, pa.int64()),
            "name": pa.array([name] * rows, pa.string()),
        },
        schema=arrow_schema("marks"),
    )


def refused(data: bytes, table: str = "marks") -> str:
    with pytest.raises(RecordingError) as caught:
        read_parquet(table, data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_arrow_bomb_is_not_unpacked() -> None:
    data = arrow_bytes(marks(900_000, "x" * 400))
    assert len(data) < 4_000_000
    found = read_stream("marks", data)
    assert found.batches == []
    assert found.torn == "a batch claims to be larger than one may be"


def test_an_arrow_batch_of_too_many_rows_is_not_read() -> None:
    found = read_stream("marks", arrow_bytes(marks(1_000_001)))
    assert found.batches == []
    assert found.torn == "a batch claims too many rows"


def test_a_long_text_is_not_read() -> None:
    found = read_stream("marks", arrow_bytes(marks(1, "x" * 70_000)))
    assert (found.batches, found.torn) == ([], "a batch has a text longer than one may be")
    assert "longer than 64 KiB" in refused(parquet_bytes(marks(1, "x" * 70_000)))


def test_a_parquet_bomb_of_one_shared_text_is_not_unpacked() -> None:
    # 60 kB of text in the dictionary, 2 million rows that name it: 120 GB.
    texts = pa.DictionaryArray.from_arrays(
        pa.array([0] * 2_000_000, pa.int32()), pa.array(["x" * 60_000])
    )
    table = marks(2_000_000)
    data = parquet_bytes(table.set_column(3, "name", texts), store_schema=False)
    assert len(data) < 1_000_000
    assert "larger than a segment may be" in refused(data)


def test_a_parquet_bomb_of_plain_pages_is_not_unpacked() -> None:
    data = parquet_bytes(marks(2_000_000, "x" * 400), use_dictionary=False, data_page_size=1 << 30)
    assert len(data) < 1_000_000
    assert refused(data).startswith("damaged: ")


def test_a_parquet_bomb_of_prefixes_is_not_unpacked() -> None:
    table = pa.table({"name": [f"{'x' * 50_000}{n}" for n in range(100)]})
    data = parquet_bytes(
        marks(100).set_column(3, arrow_schema("marks").field("name"), table["name"]),
        use_dictionary=False,
        column_encoding={"name": "DELTA_BYTE_ARRAY"},
    )
    assert refused(data).startswith("damaged: ")


def test_too_many_rows_are_refused_before_they_are_decoded() -> None:
    data = parquet_bytes(marks(8_000_001))
    assert "more rows than a segment may have" in refused(data)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"]], pa.list_(pa.string())),
        pa.array([b"a"], pa.binary()),
        pa.array(["1"], pa.string()),
        pa.array([1], pa.int32()),
        pa.array([{"a": 1}]),
        pa.array(["t"]).dictionary_encode(),
        pa.array([1], pa.decimal128(38)),
    ],
)
def test_a_column_of_another_type_is_refused(column: Any) -> None:
    table = marks(1)
    table = table.set_column(1, "t_ns", column)
    assert refused(parquet_bytes(table)).startswith("damaged: ")
    found = read_stream("marks", arrow_bytes(table))
    assert found.batches == []
    assert found.torn is not None


def test_missing_and_double_columns_are_refused() -> None:
    assert refused(parquet_bytes(pa.table({"odd": pa.array([1], pa.int64())}))).startswith(
        "damaged"
    )
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["t_ns", "t_ns"])
    assert refused(parquet_bytes(twice)) == "damaged: it has a column twice"


def test_extension_types_are_not_deserialised() -> None:
    class Marker:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, ("/nonexistent-and-never-made",)

    evil = pickle.dumps(Marker())
    field = pa.field(
        "name",
        pa.string(),
        metadata={
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": evil,
        },
    )
    table = marks(1)
    table = table.set_column(3, field, table["name"])
    read_stream("marks", arrow_bytes(table))
    try:
        found = read_parquet("marks", parquet_bytes(table))
    except RecordingError:
        return
    assert found.schema.field("name").type == pa.string()


def replace(recording: Path, name: str, table: Any) -> None:
    """Put a forged file in the place of all of its table."""
    for file in recording.glob(f"{name}-*"):
        file.unlink()
    (recording / f"{name}-000000.parquet").write_bytes(parquet_bytes(table))


def nodes_table(rows: list[tuple[int, int, int]]) -> Any:
    columns = list(zip(*rows, strict=True))
    names = ("node", "parent", "frame")
    return pa.table({n: pa.array(c, pa.int64()) for n, c in zip(names, columns, strict=True)})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(1, 2, 1), (2, 1, 1)], "a node that cannot be"),
        ([(1, 1, 1)], "a node that cannot be"),
        ([(1, -1, 1)], "a node that cannot be"),
        ([(1 << 40, 0, 1)], "a node that cannot be"),
        ([(1, 0, 1 << 40)], "a node that cannot be"),
        ([(n, n - 1, 1) for n in range(1, 5_000)], "deeper than 4096"),
    ],
)
def test_a_call_tree_that_cannot_be(
    tmp_path: Path, rows: list[tuple[int, int, int]], said: str
) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    replace(recording, "nodes", nodes_table(rows))
    with pytest.raises(RecordingError, match=said):
        open_recording(recording)


def test_stacks_that_name_impossible_nodes_and_times(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 4, seal_s=1e6)
    huge = (1 << 63) - 1
    schema = arrow_schema("stacks")
    rows = [
        (T0, T0 + 5, 1, 1, -7, False, 0.5, 0),
        (T0, T0 + 5, 1, 1, huge, False, float("nan"), huge),
        (T0 + 9, T0 + 2, 1, 1, 1, True, 1e300, -huge),
        (-huge, huge, 1, 1, 1, False, 0.5, 0),
    ]
    # What the own sampler tells besides: nothing, or more than can be.
    amounts = len(STACK_AMOUNTS) + 2
    beside = [
        (*(None,) * amounts, None, None, None, None, None),
        (*(huge,) * amounts, True, "R", True, True, "t"),
        (*(-huge,) * amounts, False, "", None, None, None),
        (*(1 << 59,) * amounts, None, "?", None, None, None),
    ]
    columns = list(zip(*(a + b for a, b in zip(rows, beside, strict=True)), strict=True))
    table = pa.table(
        {f.name: pa.array(c, f.type) for f, c in zip(schema, columns, strict=True)}, schema=schema
    )
    replace(recording, "stacks", table)
    for file in recording.glob("segments-*"):
        file.unlink()
    reader = open_recording(recording)
    reader.call_tree(T0, END)
    reader.call_tree(T0 + 1, T0 + 3)
    reader.threads(T0, END)
    reader.metric("rss_bytes", T0, END, 100)


def test_a_flood_of_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    monkeypatch.setattr("perftui.probes.recording.read.container.ENTRIES", 20)
    for number in range(30):
        (recording / f"marks-{number + 10:06d}.arrows").touch()
    with pytest.raises(RecordingError, match="more than 20 files"):
        open_recording(recording)


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    os.mkfifo(recording / "marks-000007.arrows")
    (recording / "log-000008.arrows").symlink_to("/etc/passwd")
    (recording / "calls-000009.parquet").mkdir()
    assert open_recording(recording).salvage is None
    (recording / "meta.json").unlink()
    os.mkfifo(recording / "meta.json")
    with pytest.raises(RecordingError, match=r"meta\.json is not a regular file"):
        open_recording(recording)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": "perftui-recording"' + " " * 1_100_000 + "}",
        "nonsense",
        "[1, 2]",
        '{"format": ["perftui-recording"]}',
    ],
)
def test_a_meta_of_another_kind(tmp_path: Path, text: str) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    (recording / "meta.json").write_text(text)
    with pytest.raises(RecordingError) as caught:
        open_recording(recording)
    assert "\n" not in str(caught.value)


def test_fields_of_the_meta_of_any_type(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 2)
    path = recording / "meta.json"
    good = json.loads(path.read_text())
    for field in ("target", "recorder", "summary", "versions", "clock", "host", "options", "id"):
        for value in (None, 7, "x", [1], {"argv": 3, "pid": "x", "title": []}, [[]]):
            path.write_text(json.dumps({**good, field: value}))
            reader = open_recording(recording)
            reader.status()
            reader.target()
            assert reader.state in ("closed", "interrupted")


def write_zip(path: Path, entries: list[tuple[zipfile.ZipInfo | str, bytes]], **more: Any) -> Path:
    with zipfile.ZipFile(path, "w", **more) as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return path


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("/etc/passwd", b"x")], "which no recording has"),
        ([("../meta.json", b"x")], "which no recording has"),
        ([("a/meta.json", b"x")], "which no recording has"),
        ([("marks-000000.parquet/../../x", b"x")], "which no recording has"),
        ([("run.py", b"x")], "which no recording has"),
        ([("meta.json", b"{}"), ("meta.json", b"{}")], "twice"),
        ([("meta.json", b"{}"), (_link("marks-000000.parquet"), b"/etc/passwd")], "plain file"),
        ([("marks-000000.parquet", b"x")], "no meta.json"),
        ([], "no meta.json"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_with_tricks(
    tmp_path: Path, entries: list[tuple[zipfile.ZipInfo | str, bytes]], said: str
) -> None:
    path = write_zip(tmp_path / "a.perftui.zip", entries)
    with pytest.raises(RecordingError, match=said):
        open_recording(path)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.perftui.zip",
        [("meta.json", b"{}"), ("marks-000000.parquet", bytes(50_000_000))],
        compression=zipfile.ZIP_DEFLATED,
    )
    with pytest.raises(RecordingError, match="larger than a recording's files may be"):
        open_container(path)


def test_a_zip_that_lies_about_sizes(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.perftui.zip",
        [("meta.json", b" " * 50_000 + b"{}")],
        compression=zipfile.ZIP_DEFLATED,
    )
    data = path.read_bytes()
    size = (50_002).to_bytes(4, "little")
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, (400).to_bytes(4, "little")))
    with pytest.raises(RecordingError):
        open_recording(path)


CHILD = """
import sys, time
from pathlib import Path
import pyarrow.compute, pyarrow.parquet, pyarrow.acero
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize
begin = time.process_time()
try:
    reader = open_recording(Path(sys.argv[1]))
    reader.call_tree(0, 1 << 62)
    reader.events(0, 1 << 62)
    reader.log_lines(0, 1 << 62)
    print("opened:", reader.salvage)
except RecordingError as error:
    print("refused:", error)
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
print(peak, round(time.process_time() - begin))
"""


def _forge_log(recording: Path) -> None:
    rows = 2_000_000
    columns = [pa.array([T0] * rows), pa.array(["stdout"] * rows), pa.array(["x" * 60_000])]
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), columns[2])
    table = pa.table({"t_ns": columns[0], "stream": columns[1], "text": texts})
    data = parquet_bytes(table, store_schema=False)
    (recording / "log-000000.parquet").write_bytes(data)


def _forge_tail(recording: Path) -> None:
    bomb = arrow_bytes(marks(900_000, "x" * 400))
    for number in range(50, 57):
        (recording / f"marks-{number:06d}.arrows").write_bytes(bomb)


def _forge_many(recording: Path) -> None:
    fine = parquet_bytes(marks(1_000_000, "x" * 90))
    for number in range(50, 80):
        (recording / f"marks-{number:06d}.parquet").write_bytes(fine)


@pytest.mark.live
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize("forge", [_forge_log, _forge_tail, _forge_many])
def test_bombs_cost_little_memory_and_time(tmp_path: Path, forge: Callable[[Path], None]) -> None:
    recording = make(tmp_path / "a.perftui", 4, seal_s=1e6)
    forge(recording)
    size = sum(file.stat().st_size for file in recording.iterdir())
    assert size < 30_000_000
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(recording)],
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    told, figures = done.stdout.splitlines()
    peak_mib, seconds = map(int, figures.split())
    assert done.stderr == ""
    assert told.startswith(("opened:", "refused:"))
    assert peak_mib < 1_000
    assert seconds < 30


def test_a_manifest_that_counts_to_the_moon_takes_no_memory(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui")
    file = next(recording.glob("segments-*.parquet"))
    table = pq.read_table(file)
    numbers = [2**62, -1, *table["segment"].to_pylist()[2:]]
    pq.write_table(table.set_column(0, table.schema.field(0), pa.array(numbers)), file)
    reader = open_recording(recording)
    assert reader.highest("rss_bytes", 0, END)
    assert "segments tells of segments that cannot be" in str(reader.salvage)


def test_infinity_is_not_a_figure(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui")
    for file in (*recording.glob("series_*.parquet"), *recording.glob("metrics-*.parquet")):
        table = pq.read_table(file)
        for at, field in enumerate(table.schema):
            if pa.types.is_floating(field.type):
                endless = pa.array([float("inf")] * len(table), field.type)
                table = table.set_column(at, field, endless)
        pq.write_table(table, file)
    reader = open_recording(recording)
    assert json.dumps(summarize(reader), allow_nan=False)
    assert reader.highest("rss_bytes", 0, END) != float("inf")


def test_a_zip_whose_bytes_do_not_unpack_names_the_file(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui")
    path = tmp_path / "a.perftui.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(recording.iterdir()):
            archive.write(file, file.name)
        info = archive.getinfo("frames-000000.parquet")
    data = bytearray(path.read_bytes())
    at = info.header_offset + 30 + len(info.filename)
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    reader = open_recording(path)
    reader.check_files()
    summarize(reader)
    assert "frames-000000.parquet" in str(reader.salvage)
