"""The table of what memray recorded: who allocated how much, when, and until when it was kept."""

from __future__ import annotations

from perftui.probes.recording.format.columns import ColumnSpec, TableSpec, text, whole

ALLOCATIONS = TableSpec(
    "allocations",
    "what was allocated where; what was freed within 0.1 s is not here",
    (
        whole("seq", "order in which the session took the record"),
        whole("t_ns", "start of a step in which it was allocated"),
        whole("pid"),
        whole("t1_ns", "end of the step"),
        text("thread"),
        text("function", "innermost one of Python"),
        text("file"),
        whole("line"),
        text("own_function", "innermost one of the program's own", nullable=True),
        text("own_file", nullable=True),
        whole("own_line", nullable=True),
        ColumnSpec("bytes", "i64", "B"),
        whole("allocations"),
        whole("freed_ns", "all of it was freed until then; null: kept", nullable=True),
        text("told_by", "memray, or tracemalloc: of one window, only what was there at its end"),
        text("stack", "lines FUNCTION FILE:LINE, outermost first"),
    ),
    time="t_ns",
    merged=False,
)
