"""Sums up one file of memray's: who allocated how much in which step of time, until when.

Runs by path in the Python that wrote the file, 3.9 or later, and imports memray and the standard
library alone. One line of JSON comes out:

    pid, command, allocations       of the file
    frames   [[function, file, line], ...]
    stacks   [[frame, ...], ...]    innermost first
    rows     [[thread, stack, t0_ms, t1_ms, bytes, allocations, freed_ms or null], ...]
    rest     [bytes, allocations]   of places for which there was no room

Times are those of the wall clock, in ms. memray notes the time once per snapshot, so that what was
allocated and freed between two of them is in no row.
"""

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

    Stack = tuple[tuple[str, str, int], ...]
    Key = tuple[str, Stack, int, "int | None"]

DEEPEST = 24
"""Frames of a stack, from the inside."""
MAIN = "main"


def digest(path: str, most_rows: int) -> "dict[str, Any]":
    """See the module.

    Raises:
        Exception: memray cannot read the file.
    """
    import memray

    with memray.FileReader(path) as reader:
        metadata = reader.metadata
        times = [snapshot.time for snapshot in reader.get_memory_snapshots()]
        begin = int(metadata.start_time.timestamp() * 1000)
        # The clock may step back: what came later is not told to have come earlier.
        edges = [begin]
        for each in [*times, max(int(metadata.end_time.timestamp() * 1000), begin)]:
            edges.append(max(each, edges[-1]))
        records = []
        main = metadata.main_thread_id
        for record in reader.get_temporal_allocation_records(merge_threads=False):
            thread = record.thread_name or (MAIN if record.tid == main else "#%d" % record.tid)
            stack = tuple(record.stack_trace(max_stacks=DEEPEST))
            records.append((thread, stack, record.intervals))
    rows, rest = summed(records, edges, most_rows)
    frames: "dict[tuple[str, str, int], int]" = {}
    stacks: "dict[Stack, int]" = {}
    out = []
    for (thread, stack, begun, freed), (size, count) in rows:
        for frame in stack:
            frames.setdefault(frame, len(frames))
        number = stacks.setdefault(stack, len(stacks))
        until = None if freed is None else edges[freed]
        out.append([thread, number, edges[begun[0]], edges[begun[1]], size, count, until])
    return {
        "pid": metadata.pid,
        "allocations": metadata.total_allocations,
        "frames": list(frames),
        "stacks": [[frames[frame] for frame in stack] for stack in stacks],
        "rows": out,
        "rest": list(rest),
    }


def summed(
    records: "Iterable[tuple[str, Stack, Any]]", edges: "list[int]", most_rows: int
) -> "tuple[list[Any], tuple[int, int]]":
    """Return the rows, those with most bytes first, and (bytes, allocations) of all others.

    Steps are joined, two by two, until there are no more than `most_rows`.

    Args:
        records: Thread, stack, and memray's intervals.
        edges: Step n is from edges[n] to edges[n + 1].
        most_rows: See above.
    """
    records = list(records)
    steps = len(edges) - 1
    width = 1
    while True:
        sums: "dict[Any, list[int]]" = {}
        for thread, stack, intervals in records:
            for each in intervals:
                first = min(each.allocated_before_snapshot, steps - 1) // width * width
                freed = each.deallocated_before_snapshot
                if freed is not None:
                    freed = min((min(freed, steps - 1) // width + 1) * width, steps)
                key = (thread, stack, (first, min(first + width, steps)), freed)
                cell = sums.setdefault(key, [0, 0])
                cell[0] += each.n_bytes
                cell[1] += each.n_allocations
        if len(sums) <= most_rows or width >= steps:
            break
        width *= 2
    rows = sorted(sums.items(), key=lambda row: -row[1][0])
    left = rows[most_rows:]
    return rows[:most_rows], (sum(row[1][0] for row in left), sum(row[1][1] for row in left))


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry != __file__.rpartition("/")[0]]
    try:
        print(json.dumps(digest(sys.argv[1], int(sys.argv[2]))))
    except Exception as error:
        print(json.dumps({"problem": "%s: %s" % (type(error).__name__, error)}))
