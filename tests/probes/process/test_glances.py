"""Readings that are understood later are the same readings."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.kept import Kept
from support.waiting import wait_for

from perftui.probes.process.metrics import MetricProbe
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Exit, Metric, ProcessStart, ThreadCpu
from perftui.probes.text.units import NS_PER_S

if sys.platform != "linux":
    pytest.skip("/proc", allow_module_level=True)

from perftui.probes.process import glances, held_back
from perftui.probes.process.family import ProcessFamily
from perftui.probes.process.glances import Glances
from perftui.probes.process.held_back import MOVED_BYTES
from perftui.probes.process.linux import LinuxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.process.face import RawReading

OBEYS = """
import subprocess, sys
kept = []
print("up", flush=True)
for line in sys.stdin:
    if line == "grow\\n":
        kept.append(bytes(bytearray(b"x") * (20 << 20)))
    elif line == "child\\n":
        argv = [sys.executable, "-S", "-c", "input()"]
        kept.append(subprocess.Popen(argv, stdin=subprocess.PIPE))
    elif line == "bury\\n":
        kept.pop().communicate()
    print(sum(range(9999)), flush=True)
"""


class Obedient:
    """A program that does what it is told, and says so."""

    def __init__(self) -> None:
        command = [sys.executable, "-S", "-c", OBEYS]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        self._hear()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def do(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")
        self._process.stdin.flush()
        self._hear()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def program() -> Iterator[Obedient]:
    made = Obedient()
    yield made
    made.end()


def test_a_glance_tells_later_what_a_reading_would_have_told(program: Obedient) -> None:
    reader = LinuxProcess(program.pid)
    kept: list[tuple[RawReading, Metric]] = []
    for n in range(6):
        if n % 2:
            program.do("work")
        glance = reader.glance(n)
        kept.append((glance, reader.told(glance)))
    assert len({glance.text for glance, _ in kept}) > 1
    program.end()
    for glance, metric in reversed(kept):
        assert reader.told(glance) == metric
        assert metric.t_ns == glance.t_ns
        assert metric.rss_bytes == glance.rss_bytes
    times = [metric.cpu_s for _, metric in kept]
    assert times == sorted(times)
    reader.close()


def test_only_what_is_as_it_was_is_a_glance(program: Obedient) -> None:
    family = ProcessFamily(program.pid, attached=True)
    family.look(1)
    glances = Glances(family)
    rss_bytes = family.readers[program.pid].fast(1).rss_bytes
    assert glances.take(2, {program.pid: rss_bytes})
    assert not glances.take(3, {program.pid: rss_bytes - MOVED_BYTES}), "it moved"
    assert not glances.take(4, {}), "it is new"
    assert not glances.take(5, {program.pid: rss_bytes, 1: 1}), "another has gone"
    program.end()
    assert not glances.take(6, {program.pid: rss_bytes}), "it has ended"
    assert [row.t_ns for row in glances.metrics()] == [2]
    assert not glances.metrics()
    family.close()


def test_a_probe_reads_as_often_as_ever_and_tells_news_at_once(
    program: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, log, taken = Kept(), SessionLog(), []
    log.connect(kept)
    take = Glances.take

    def counted(self: Glances, t_ns: int, told: dict[int, int]) -> bool:
        took = take(self, t_ns, told)
        taken.append((t_ns, took))
        return took

    monkeypatch.setattr(glances.Glances, "take", counted)
    monkeypatch.setattr(held_back, "_LIVELY_NS", NS_PER_S // 10)
    probe = MetricProbe(log, program.pid, attached=True)
    try:
        probe.start()
        wait_for(lambda: sum(took for _, took in taken) > 20, 60)
        program.do("work")
        program.do("child")
        wait_for(lambda: len(kept.of(ProcessStart)) > 1, 60)
        before = kept.of(Metric)[-1].rss_bytes
        program.do("bury")
        wait_for(lambda: kept.of(Exit), 60)
        program.do("grow")
        wait_for(lambda: kept.of(Metric)[-1].rss_bytes > before + (10 << 20), 60)
    finally:
        probe.stop()
    rows = kept.of(Metric)
    times = [row.t_ns for row in rows]
    assert times == sorted(times)
    assert {t_ns for t_ns, took in taken if took} <= set(times), "no glance is lost"
    of_it = [row for row in rows if row.pid == program.pid]
    assert len({row.t_ns for row in of_it}) == len(of_it), "none is told twice"
    cpu = [row.cpu_s for row in of_it]
    assert cpu == sorted(cpu)
    assert cpu[0] == 0 < cpu[-1] < 60, "counted from when we came"
    assert kept.of(ThreadCpu)
