"""What the process that reads memray's files says becomes rows."""

from __future__ import annotations

from pathlib import Path

from perftui.probes import agent
from perftui.probes.allocations.captured import rows_of

AGENT = Path(agent.__file__).parent
PROGRAM, LIBRARY = "/app/etl.py", "/x/site-packages/pandas/frame.py"


def test_what_threads_of_ours_allocate_is_left_out_also_where_a_library_does_it() -> None:
    frames = [
        ("load", PROGRAM, 7),
        ("memory_usage", LIBRARY, 99),
        ("_run", str(AGENT / "beside.py"), 120),
        ("begin", str(AGENT / "imports.py"), 60),
    ]
    stacks = [[0], [1, 2], [3, 0], [0, 3, 0], [1, 0]]  # innermost first
    rows = [["MainThread", n, 0, 100, 10**6, 1, None] for n in range(len(stacks))]
    said = {"frames": frames, "stacks": stacks, "rows": rows, "rest": [0, 0]}
    told = rows_of(said, pid=7, offset_ns=0)
    assert [(row.function, row.stack.count("\n") + 1) for row in told] == [
        ("load", 1),
        ("load", 3),  # the program's import, which a hook of ours has watched
        ("memory_usage", 2),
    ]
