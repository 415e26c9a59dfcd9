"""What RSS is made of, of processes that run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.fresh import Steps, steps

from perftui.probes.resident import probe as probe_module
from perftui.probes.resident.probe import ResidentProbe
from perftui.probes.spine.derived import POOL_HOLD_NS
from perftui.probes.spine.enriched import Batch, Pooled
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import TREE
from perftui.probes.spine.records import Exit, MemoryPart, Metric, Notice, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

# The interpreter's heap, malloc's, and enough of both for what the kernel's counters are late by.
PROGRAM = """
import mmap
step()
objects = [object() for _ in range(500_000)]
memory = mmap.mmap(-1, 64_000_000, mmap.MAP_PRIVATE)
for at in range(0, len(memory), 4096):
    memory[at] = 1
while True: step()
"""


@pytest.fixture(scope="module")
def program() -> Iterator[Steps]:
    """A process that stands still, of which more was measured already."""
    with steps(PROGRAM) as started:
        started.go_on()
        yield started


def swept(probe: ResidentProbe, pid: int) -> dict[str, int]:
    rows = [row for row in probe._sweep() if isinstance(row, MemoryPart)]
    assert len({row.t_ns for row in rows}) <= 1
    return {row.name: row.bytes for row in rows if row.pid == pid}


def rss_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


def told(pid: int, t_ns: int, name: str, size: int) -> Batch:
    return Batch((), (), pools=[Pooled(Pool(t_ns, pid, name, size, None), size)])


def test_the_parts_sum_to_rss_and_the_interpreters_heap_is_one() -> None:
    with steps(PROGRAM) as program:
        probe = ResidentProbe(SessionLog(), lambda: [program.pid])
        before = swept(probe, program.pid)
        program.go_on()
        after = swept(probe, program.pid)
        rss = rss_bytes(program.pid)
    probe.stop()
    assert sum(after.values()) == pytest.approx(rss, rel=0.02)
    assert after["Python heap"] - before["Python heap"] > 7_000_000
    assert sum(after.values()) - sum(before.values()) > 70_000_000


def test_what_stands_still_is_not_read_again_and_what_moves_is_at_once(program: Steps) -> None:
    pid = program.pid
    probe = ResidentProbe(SessionLog(), lambda: [pid])
    first = swept(probe, pid)
    assert first
    assert swept(probe, pid) == {}
    probe.ingest(told(pid, time.monotonic_ns(), "malloc", 12_000_000))
    assert swept(probe, pid)  # an allocator tells something new
    assert swept(probe, pid) == {}
    probe._told_ns -= probe_module.CALM_NS
    assert swept(probe, pid)  # what came and went in the same second
    with steps("step()\nmemory = b'1' * 3_000_000\nstep()") as other:
        probe = ResidentProbe(SessionLog(), lambda: [pid, other.pid])
        assert swept(probe, pid)
        assert swept(probe, pid) == {}
        other.go_on()
        assert swept(probe, pid)  # all of them, so that their sum is of one moment
    probe.stop()


def test_what_an_allocator_said_long_ago_is_not_known_any_more(program: Steps) -> None:
    pid = program.pid
    probe = ResidentProbe(SessionLog(), lambda: [pid])
    now = time.monotonic_ns()
    probe.ingest(told(pid, now - 2 * POOL_HOLD_NS, "arrow", 5_000_000))
    assert "Arrow" not in swept(probe, pid)
    probe.ingest(told(pid, now + 99 * POOL_HOLD_NS, "arrow", 5_000_000))
    assert swept(probe, pid)["Arrow"] > 0
    probe.stop()


def test_names_that_a_program_makes_up_are_bounded(program: Steps) -> None:
    probe = ResidentProbe(SessionLog(), lambda: [program.pid])
    now = time.monotonic_ns()
    for n in range(500):
        probe.ingest(told(program.pid, now + 99 * POOL_HOLD_NS, f"duckdb {n}", 1_000))
    assert 10 < len(swept(probe, program.pid)) < 100
    for n in range(10_000):
        probe.ingest(Batch((), (), pools=[Pooled(Pool(now, 10**7 + n, "arrow", 1), 1)]))
    assert len(probe._given) <= 4_096
    probe.stop()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied")])
def test_who_may_not_be_looked_into_is_told_in_three_parts_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, error: OSError, program: Steps
) -> None:
    def no_smaps(path: str, *rest: Any) -> Any:
        if path.endswith("smaps"):
            raise error
        return open(path, *rest)  # noqa: PTH123

    monkeypatch.setattr(probe_module, "open", no_smaps, raising=False)
    probe = ResidentProbe(SessionLog(), lambda: [program.pid])
    rows = probe._sweep()
    parts = {row.name: row.bytes for row in rows if isinstance(row, MemoryPart)}
    assert {"private memory, not told", "files"} <= parts.keys()
    assert sum(parts.values()) == pytest.approx(rss_bytes(program.pid), rel=0.02)
    assert [row.text for row in rows if isinstance(row, Notice)] == [
        f"process {program.pid}: its mappings may not be read (Permission denied): of its memory "
        "only three parts are told"
    ]
    assert not any(isinstance(row, Notice) for row in probe._sweep()), "once"


def test_a_process_that_has_ended_has_no_parts() -> None:
    probe = ResidentProbe(SessionLog(), lambda: [2**22 + 1])
    assert probe._sweep() == []


def test_too_many_processes_for_one_sweep_are_told_by_what_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, program: Steps
) -> None:
    monkeypatch.setattr(probe_module, "SWEEP_NS", 0)
    probe = ResidentProbe(SessionLog(), lambda: [program.pid])
    parts = swept(probe, program.pid)
    assert parts.keys() <= {"private memory, not told", "files", "shared memory"}
    assert sum(parts.values()) == pytest.approx(rss_bytes(program.pid), rel=0.02)


def part(pid: int, name: str, size: int, share: int, t_ns: int = 1) -> MemoryPart:
    return MemoryPart(t_ns, pid, name, size, share)


def sums_of(enricher: Enricher, *parts: MemoryPart) -> dict[str, int]:
    rows = enricher.enrich(parts).parts
    own = [(row.pid, row.name, row.bytes) for row in rows if row.pid != TREE]
    assert own == [(row.pid, row.name, row.bytes) for row in parts]
    return {row.name: row.bytes for row in rows if row.pid == TREE}


def test_a_part_that_is_not_told_any_more_is_told_as_nothing_once() -> None:
    enricher = Enricher()

    def told(*parts: MemoryPart) -> dict[tuple[int, str], int]:
        return {(row.pid, row.name): row.bytes for row in enricher.enrich(parts).parts}

    one = part(1, "libraries", 20, 20)
    told(one, part(1, "Arrow", 200, 200), part(2, "Arrow", 5, 5), part(2, "DuckDB x", 9, 9))
    assert told(one, part(2, "Arrow", 5, 5), part(2, "DuckDB x", 9, 9)) == {
        (1, "libraries"): 20,
        (1, "Arrow"): 0,
        (2, "Arrow"): 5,
        (2, "DuckDB x"): 9,
        (TREE, "libraries"): 20,
        (TREE, "Arrow"): 5,
        (TREE, "DuckDB x"): 9,
    }
    enricher.enrich([Exit(3, 2, 0, None)])
    assert told(one) == {
        (1, "libraries"): 20,
        (TREE, "libraries"): 20,
        (TREE, "Arrow"): 0,
        (TREE, "DuckDB x"): 0,
    }
    assert told(one) == {(1, "libraries"): 20, (TREE, "libraries"): 20}


def test_a_family_has_the_parts_that_its_processes_share_once() -> None:
    enricher = Enricher()
    alone = [part(1, "libraries", 20, 5), part(1, "malloc", 200, 200)]
    assert sums_of(enricher, *alone) == {"libraries": 20, "malloc": 200}
    enricher.enrich(
        [
            Metric(2, 1, 0.0, 220, pss_bytes=110, uss_bytes=0),
            Metric(2, 2, 0.0, 225, pss_bytes=115, uss_bytes=5),
        ]
    )
    both = [
        *(part(1, "libraries", 20, 4, 2), part(1, "malloc", 200, 100, 2)),
        *(part(2, "libraries", 20, 4, 2), part(2, "malloc", 205, 105, 2)),
    ]
    # Of the libraries 12 are shared with strangers: the family has 225 by its largest process.
    assert sums_of(enricher, *both) == {"libraries": 20, "malloc": 205}
    enricher.enrich([Exit(3, 2, 0, None)])
    assert sums_of(enricher, *alone) == {"libraries": 20, "malloc": 200}
