"""What memray and tracemalloc recorded, summed up for a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.agent_link.traced import traced_record
from perftui.probes.allocations.captured import NO_FRAME, rows_of
from perftui.probes.allocations.reading.digest import summed
from perftui.probes.profile.memory.allocated import allocated_sums, allocations_json
from perftui.probes.spine.records import Allocated
from perftui.probes.store.blamed import BlameHistory
from perftui.tui.text.memory_growth import allocation_rows
from perftui.tui.widgets.panes.memory import _allocated_row

if TYPE_CHECKING:
    from typing import Any

MB = 1_000_000
S = 1_000_000_000


def row(t_s: float, size: int, freed_s: float | None = None, **other: Any) -> Allocated:
    own = "load", "/app/etl.py", 7
    freed = None if freed_s is None else round(freed_s * S)
    begin = round(t_s * S)
    made = Allocated(
        begin, 7, begin + S, "main", "read", "/usr/lib/x.py", 3, *own, size, 1, freed, "memray", ""
    )
    return made._replace(**other)


def between(rows: list[Allocated], t0_s: float, t1_s: float) -> tuple[int, int]:
    history = BlameHistory()
    for each in rows:
        history.take(each)
    found = allocated_sums(history.between(round(t0_s * S), round(t1_s * S)).allocated, 10**18)
    return sum(each.bytes for each in found), sum(each.allocations for each in found)


def test_ranges_side_by_side_add_up() -> None:
    rows = [row(n, 10**n) for n in range(6)]
    assert between(rows, 0, 6) == (111_111, 6)
    for cut in (0.2, 1.5, 2.0, 3.49, 3.51, 5.9):
        parts = between(rows, 0, cut), between(rows, cut, 6)
        assert tuple(map(sum, zip(*parts, strict=True))) == (111_111, 6)


def test_kept_is_what_is_not_freed_before_the_end_of_the_range() -> None:
    rows = [row(1, 5 * MB), row(1, 3 * MB, freed_s=4), row(2, 1 * MB, function="other")]
    first, other = allocated_sums(rows, 3 * S)
    assert (first.kept_bytes, first.bytes, first.kept_allocations) == (8 * MB, 8 * MB, 2)
    assert other.code.function == "other"
    assert allocated_sums(rows, 4 * S)[0].kept_bytes == 5 * MB, "freed at its very end"


def test_it_is_said_with_the_programs_own_caller() -> None:
    (told,) = allocations_json([row(1, 5 * MB)], 9 * S)
    assert (told["function"], told["own"], told["by"]) == ("read", "load etl.py:7", "memray")
    text = allocation_rows({"allocations": [told], "looks": []}, "memray")
    assert text == [
        ("+5.00 MB", "read", "x.py:3", "1 allocations", "thread main", "◀ load etl.py:7")
    ]
    assert allocation_rows({"allocations": [told], "looks": []}, "tracemalloc") == []
    (found,) = allocated_sums([row(1, 5 * MB)], 9 * S)
    cells = _allocated_row(found).cells
    assert cells == (
        *("5.00 MB", "5.00 MB", "1 of 1", "read", "memray", "main", "load etl.py:7", "x.py:3"),
    )


def test_tracemalloc_has_places_and_no_functions() -> None:
    stack = "/usr/lib/python3/site-packages/lib.py:5\n/app/etl.py:21\n/app/main.py:3"
    record = traced_record(9 * S, 7, 4 * S, 6 * MB, 60, stack)
    assert (record.t_ns, record.t1_ns, record.by) == (4 * S, 9 * S, "tracemalloc")
    assert (record.file.rpartition("/")[2], record.line) == ("lib.py", 5)
    assert (record.own_file, record.own_line) == ("/app/etl.py", 21)
    assert record.stack.split("\n")[0] == "/app/main.py:3"
    (found,) = allocated_sums([record], 9 * S)
    assert _allocated_row(found).cells[3] == "lib.py:5"


class Interval:
    def __init__(self, begun: int, freed: int | None, count: int, size: int) -> None:
        self.allocated_before_snapshot = begun
        self.deallocated_before_snapshot = freed
        self.n_allocations = count
        self.n_bytes = size


def test_steps_are_joined_until_there_are_few_enough() -> None:
    stack = (("f", "/a.py", 1),)
    spans = [Interval(n, None if n % 2 else n + 2, 1, 100) for n in range(64)]
    edges = list(range(0, 6600, 100))
    rows, rest = summed([("main", stack, spans)], edges, 1_000)
    assert len(rows) == 64 and rest == (0, 0)
    rows, rest = summed([("main", stack, spans)], edges, 20)
    assert len(rows) <= 20 and rest == (0, 0)
    assert sum(cell[0] for _, cell in rows) == 6_400
    for (_, _, (first, last), freed), _ in rows:
        assert first < last and (freed is None or freed > first)
    many = [("main", (("f", "/a.py", n),), [Interval(0, None, 1, n)]) for n in range(100)]
    rows, rest = summed(many, [0, 100], 10)
    assert [cell[0] for _, cell in rows] == list(range(99, 89, -1))
    assert rest == (sum(range(90)), 90)


def test_our_own_code_is_no_row_and_no_frame_is_said() -> None:
    from perftui.probes.agent_link.launch import HOOK_FOLDER

    ours = str(HOOK_FOLDER.parent / "beside.py")
    said = {
        "frames": [["f", "/app/a.py", 1], ["_run", ours, 2]],
        "stacks": [[0], [1, 0], []],
        "rows": [["main", n, 1000, 1100, 10, 1, None] for n in range(3)],
        "rest": [0, 0],
    }
    found = rows_of(said, 7, 5)
    assert [each.function for each in found] == ["f", NO_FRAME]
    assert found[0].t_ns == 1000 * 10**6 + 5
