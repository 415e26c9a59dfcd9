"""Recordings of older minor versions stay readable."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from support.recordings.made import make

from perftui.probes.recording.format.tables import TABLES
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.recording.format.columns import TableSpec


def as_1_0(directory: Path) -> Path:
    """Take out of a recording what format 1.0 did not have."""
    later = (
        "plans",
        "runs",
        "installed",
        "tasks",
        "loop_blocks",
        "gc_events",
        "growth_looks",
        "keepers",
        "rises",
        "allocations",
    )
    for table in later:
        for file in directory.glob(f"{table}-*"):
            file.unlink()
    meta = json.loads((directory / "meta.json").read_text())
    meta["version"] = [1, 0]
    (directory / "meta.json").write_text(json.dumps(meta))
    return directory


def test_columns_that_came_later_are_null(tmp_path: Path) -> None:
    """Whatever may be null may be missing: it came with some minor version, or may have."""
    import pyarrow.parquet as pq

    new = make(tmp_path / "a.perftui", 32)
    old = tmp_path / "old.perftui"
    shutil.copytree(new, old)
    for file in old.glob("*.parquet"):
        spec = TABLES[file.name.partition("-")[0]]
        table = pq.read_table(file)
        kept = [name for name in table.column_names if name not in may_be_null(spec)]
        settings = {"compression": "zstd", "write_page_checksum": True}
        pq.write_table(table.select(kept), file, **settings)
    reader = open_recording(old)
    told = summarize(reader)
    assert reader.salvage is None
    of_new = summarize(open_recording(new))
    assert len(told["phases"]) == len(of_new["phases"]) > 0
    assert len(told["imports"]["modules"]) == len(of_new["imports"]["modules"])


def may_be_null(spec: TableSpec) -> set[str]:
    return {column.name for column in spec.columns if column.nullable}


def test_a_recording_without_plans_and_runs(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.perftui", 32)
    new = open_recording(recording)
    assert len(new.plans(1 << 62)) == 3
    assert len(new.runs(0, 1 << 62)) == 2
    with_both = summarize(new)
    assert [task.name for task in new.tasks(1 << 62)] == ["writer", "fetch-0"]
    old = open_recording(as_1_0(recording))
    assert old.salvage is None or "plans" in old.salvage or "runs" in old.salvage
    assert old.plans(1 << 62) == () == old.runs(0, 1 << 62)
    assert old.tasks(1 << 62) == ()
    memory = {**with_both["memory"], "keepers": [], "rises": [], "looks": []}
    without = {"plans": [], "runs": [], "installed": {}, "tasks": [], "memory": memory}
    without["gc"] = {"pause_s": None, "share": None, "generations": []}
    of_old = summarize(old)
    first = of_old.pop("findings")[0]
    assert first["text"].startswith("grows by"), "nobody has looked who keeps it"
    del with_both["findings"]
    assert of_old == {**with_both, **without}
