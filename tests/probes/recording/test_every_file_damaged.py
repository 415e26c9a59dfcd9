"""Each kind of file of a recording damaged in turn: it is named once, and the rest is shown."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from support.recordings.made import make

from perftui.probes.detect.replay import alerts_of
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.sql.query import Query
from perftui.probes.summary import summarize
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

END = 1 << 62


def cut(data: bytes, other: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(data: bytes, other: bytes) -> bytes:
    return b""


def garbage(data: bytes, other: bytes) -> bytes:
    return random.Random(3).randbytes(len(data))


def swapped(data: bytes, other: bytes) -> bytes:
    return other


def gone(data: bytes, other: bytes) -> None:
    return None


WAYS = (cut, empty, garbage, swapped, gone)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One whole in a single segment, one in two, one that was never sealed."""
    folder = tmp_path_factory.mktemp("damaged")
    live = make(folder / "live.perftui", 34, seal_s=1e6, close=False)
    meta = json.loads((live / "meta.json").read_text())
    meta["recorder"]["start"] = "another process of that number"
    (live / "meta.json").write_text(json.dumps(meta))
    return {
        "one": make(folder / "one.perftui", 34, seal_s=1e6),
        "two": make(folder / "two.perftui", 34, seal_s=17.0, seed=2),
        "live": live,
    }


def read_all(path: Path, *, with_sql: bool) -> str | None:
    """Ask everything of a recording; returns what it says of its damage."""
    reader = open_recording(path)
    summary = summarize(reader)
    assert summary["schema"] == 1
    status = reader.status()
    span = (status.t_start_ns, status.t_end_ns)
    for t0, t1 in (span, (span[0] + 10**9, span[1] - 10**9)):
        reader.call_tree(t0, t1)
        reader.threads(t0, t1)
        reader.process_use(t0, t1)
        reader.counters(t0, t1)
        reader.calls(t0, t1)
        reader.phases(t0, t1)
        reader.imports(t0, t1)
        reader.events(t0, t1)
        reader.runs(t0, t1)
        reader.log_lines(t0, t1)
        for name in reader.metric_names():
            reader.metric(name, t0, t1, 50)
            reader.highest(name, t0, t1)
        list(reader.stack_intervals(t0, t1))
    alerts_of(reader)
    if with_sql:
        with Query(reader) as query:
            for table in ("stacks", "metrics", "phases"):
                with query.run(f"SELECT count(*) FROM {table}") as result:
                    assert list(result.rows())
    reader.check_files()
    return reader.salvage


HARMS = [*(("one", way) for way in WAYS), ("two", gone), ("live", cut), ("live", swapped)]
SHORT = 2
"""Every table meets so many of the ways in the short run, and every way a part of the tables."""


@pytest.mark.parametrize(
    ("table", "kind", "way"),
    [
        pytest.param(table, *harm, marks=[] if (t + h) % len(HARMS) < SHORT else [pytest.mark.live])
        for t, table in enumerate(TABLES)
        for h, harm in enumerate(HARMS)
    ],
)
def test_any_file(
    recordings: dict[str, Path], tmp_path: Path, table: str, kind: str, way: object
) -> None:
    source = recordings[kind]
    files = sorted(source.glob(f"{table}-*.*"))
    if not files:
        pytest.skip("no rows of this kind")
    path = tmp_path / f"{kind}.perftui"
    shutil.copytree(source, path)
    hit = path / files[0].name
    others = sorted(f for f in source.glob(f"*{hit.suffix}") if f.name.split("-")[0] != table)
    other = others[len(table) % len(others)].read_bytes()
    changed = way(hit.read_bytes(), other)  # type: ignore[operator]
    if changed is None:
        hit.unlink()
    else:
        hit.write_bytes(changed)
    told = read_all(path, with_sql=way in (cut, swapped))
    if changed is None and kind == "live":
        return  # nothing says that there ever was one
    assert told is not None, f"{hit.name} {way}"
    assert told.count(hit.name) == 1, told


@pytest.mark.parametrize("table", ["series_30s", "metrics", "processes", "counts"])
def test_commands_name_it_once_and_show_the_rest(
    recordings: dict[str, Path], tmp_path: Path, table: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.perftui"
    shutil.copytree(recordings["one"], path)
    hit = path / f"{table}-000000.parquet"
    hit.write_bytes(hit.read_bytes()[:100])
    for command in (
        ["summary", str(path)],
        ["query", str(path), "SELECT count(*) FROM stacks"],
        ["export", str(path), "--format", "html", "-o", str(tmp_path / f"{table}.html")],
        ["export", str(path), "--format", "firefox", "-o", str(tmp_path / f"{table}.json")],
        ["compare", "--headless", str(recordings["two"]), str(path)],
        ["detect", str(path)],
    ):
        main(command)
        err = capfd.readouterr().err
        assert err.count(hit.name) == 1, (command, err)
        assert "Traceback" not in err
