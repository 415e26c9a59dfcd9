"""Collections of cycles that are counted from outside, against what the program's own gc says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.pythons import ask, on_every_python

from perftui.probes.process.collections import (
    CollectorOf,
    GenerationCounts,
    OutsideCollections,
    between,
)
from perftui.probes.profile.collected import collections_json
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
pytest_generate_tests = on_every_python

PROGRAM = """
import gc, json, sys
gc.disable()
gc.callbacks.clear()
class Ring: pass
def work(times):
    for _ in range(times):
        ring = Ring(); ring.me = ring; del ring
        gc.collect(0); gc.collect(1); gc.collect()
work(2)
print(json.dumps(gc.get_stats()), flush=True)
for line in sys.stdin:
    work(int(line))
    print(json.dumps(gc.get_stats()), flush=True)
"""


class Asked:
    """A program that collects when it is told to, and says what its gc counts."""

    def __init__(self, python: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, "-c", PROGRAM], stdin=pipe, stdout=pipe, text=True)

    def said(self) -> list[tuple[int, int]]:
        assert self.process.stdout is not None
        return [
            (row["collections"], row["collected"])
            for row in json.loads(self.process.stdout.readline())
        ]

    def work(self, times: int) -> list[tuple[int, int]]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        return self.said()


@pytest.fixture
def asked(python: str) -> Iterator[Asked]:
    if (told := ask(python)) is not None and told.minor < 11:
        pytest.skip("what 3.9 and 3.10 keep is not read")
    program = Asked(python)
    with program.process:
        yield program
        program.process.kill()


def test_counts_are_those_of_the_program(python: str, asked: Asked) -> None:
    told = ask(python)
    assert told is not None
    if told.free_threaded and told.minor >= 15:
        pytest.skip("its rings are others")
    first = asked.said()
    probe = OutsideCollections(SessionLog(), lambda: (asked.process.pid,))
    assert probe.sweep(time.monotonic_ns()) == []
    collector = CollectorOf(asked.process.pid)
    counts = collector.counts()
    collector.close()
    assert counts is not None
    assert [(each.collections, each.collected) for each in counts] == first

    before_ns = time.monotonic_ns()
    second = asked.work(3)
    took_ns = time.monotonic_ns() - before_ns
    rows = probe.sweep(time.monotonic_ns())
    probe.stop()
    found = {row.generation: (row.n, row.collected) for row in rows if isinstance(row, Collected)}
    grown = [(new[0] - old[0], new[1] - old[1]) for old, new in zip(first, second, strict=True)]
    assert found == dict(enumerate(grown))
    pause_ns = sum(row.pause_ns for row in rows if isinstance(row, Collected))
    if told.minor >= 15:
        assert all(row.timed == row.n for row in rows if isinstance(row, Collected))
        assert 0 < pause_ns <= took_ns
    else:
        assert pause_ns == 0
        assert all(row.timed == 0 for row in rows if isinstance(row, Collected))


def test_no_python_and_no_process_are_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(OSError, match="no Python"):
            CollectorOf(process.pid)
        probe = OutsideCollections(SessionLog(), lambda: (process.pid,))
        assert [probe.sweep(n) for n in range(200)] == [[]] * 200
        assert probe._tries == {process.pid: 6}, "and not for ever"
        process.kill()
    with pytest.raises(OSError):
        CollectorOf(process.pid)


def test_between_two_readings() -> None:
    old = (GenerationCounts(5, 7, 1.0), GenerationCounts(1, 0, 0.0), GenerationCounts(2, 2, 2.0))
    new = (
        GenerationCounts(9, 8, 1.5, ((5, 8), (100, 400_000_100), (600_000_000, 600_000_900))),
        GenerationCounts(1, 0, 0.0),
        GenerationCounts(2, 2, 2.0),
    )
    assert between(7, 10, old, 1000, new) == [
        Collected(1000, 7, 10, 0, 4, 4, 500_000_000, 400_000_000, 1)
    ]
    assert between(7, 10, new, 1000, old) is None, "another program"


def test_collections_of_which_only_the_number_is_known_have_no_pause() -> None:
    rows = [Collected(10, 7, 0, generation, 4, 0, 0, 0, 3) for generation in (0, 2)]
    told = collections_json(rows, 10)
    assert told["pause_s"] is None and told["share"] is None
    assert [row["pause_s"] for row in told["generations"]] == [None, None]
    assert [row["collections"] for row in told["generations"]] == [4, 4]
