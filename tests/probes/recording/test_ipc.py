"""Live segments are Arrow IPC streams as pyarrow writes them, without pyarrow."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.recordings.synthetic import T0, S

from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import RECORDED, TABLES
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.ipc import encode, schema_message
from perftui.probes.recording.write.live import batch_of
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target

if TYPE_CHECKING:
    from pathlib import Path

VALUES: dict[str, list[Any]] = {
    "i64": [0, -1, 2**63 - 1, -(2**63), 7, 3.0, None],
    "f64": [0.5, -1e300, 3, float("inf"), None],
    "str": ["", "a", "ü…" * 9, None],
    "bool": [True, False, None],
}


@pytest.mark.parametrize("rows", [1, 8, 9, 300])
def test_a_stream_holds_what_pyarrow_would_write(rows: int) -> None:
    rng = random.Random(rows)
    for name in RECORDED:
        columns, schema = TABLES[name].columns, arrow_schema(name)
        made = [tuple(rng.choice(VALUES[c.type]) for c in columns) for _ in range(rows)]
        message = encode(columns, made).message
        with pa.ipc.open_stream(schema_message(columns) + message + message) as stream:
            assert stream.schema.equals(schema, check_metadata=True)
            first, second = stream
        first.validate(full=True)
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(zip(*made, strict=True), schema, strict=True)
        ]
        assert first.equals(pa.RecordBatch.from_arrays(arrays, schema=schema))
        assert second.equals(first)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ((1, 2, 3, "good"), True),
        ((1, 2, 3, "lone \ud800"), True),
        ((1, 2**63, 3, "too large"), False),
        ((1, 2.5, 3, "no whole number"), False),
        ((1, "2", 3, "a text for a number"), False),
        ((1, 2, 3, 4), False),
        ((1, 2, 3), False),
    ],
)
def test_rows_that_do_not_fit_are_left_out(row: tuple[Any, ...], kept: bool) -> None:
    batch, good = batch_of("marks", [(1, 2, 3, "n"), row, (4, 5, 6, "m")])
    assert batch.rows == len(good) == 2 + kept


def test_a_long_recording_is_sealed_by_processes_that_end(tmp_path: Path) -> None:
    # So pyarrow never stays in the recorder. This process has it; what counts is who seals.
    clock = [T0]
    recording = Recording(
        tmp_path / "a.perftui",
        CallTree(),
        Target("t", ("t",), os.getpid(), None, launched=True, agent=False),
        T0,
        WriterOptions(seal_s=2.0, seal_apart=True),
        clock=lambda: clock[0],
        say=lambda level, text: pytest.fail(text),
    )
    before = os.times()
    recording._rows.rows["marks"].append((1, T0, 1, "first"))
    clock[0] += 3 * S
    recording.flush()
    after = os.times()
    assert (
        after.children_user + after.children_system > before.children_user + before.children_system
    )
    assert (recording.directory / "marks-000000.parquet").exists()
    assert not (recording.directory / "marks-000000.arrows").exists()
    recording._rows.rows["marks"].append((2, T0, 1, "second"))
    recording.close()
    reader = open_recording(recording.directory)
    assert [event.text for event in reader.events(0, T0 + 9 * S) if event.kind == "mark"] == [
        "first",
        "second",
    ]


def test_what_records_never_needs_pyarrow(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
import perftui.probes.recording.write.recorder_main
from perftui.probes.recording.write.live import LiveSegment
LiveSegment(Path(sys.argv[1]), 0).append("marks", [(1, 2, 3, "n")])
print([name for name in sys.modules if name.startswith(("pyarrow", "numpy"))])
"""
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert out.stdout == "[]\n"
