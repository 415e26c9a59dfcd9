"""Recordings of older minor versions stay readable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.recordings.made import make

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path


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
    of_old = summarize(old)
    first = of_old.pop("findings")[0]
    assert first["text"].startswith("grows by"), "nobody has looked who keeps it"
    del with_both["findings"]
    assert of_old == {**with_both, **without}
