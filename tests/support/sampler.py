"""Interpreters that the own sampler knows, and what it said of a program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from perftui.probes.stacks.own.records import Sample
from perftui.probes.stacks.own.weigh_cpu import CpuByStack
from perftui.probes.stacks.own.weigh_faults import FaultsByStack, GivenFaults, WhoseCode
from perftui.probes.text.units import NS_PER_S
from support.pythons import interpreters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.stacks.own.records import OwnRecord, ThreadRecord

Record = TypeVar("Record")
FIRST, LAST = 11, 15

ALL = {each.minor: each.executable for each in interpreters(free_threaded=False)}
KNOWN = {minor: exe for minor, exe in ALL.items() if FIRST <= minor <= LAST}


class Watched(NamedTuple):
    """What a program said of itself, and what the sampler said of it."""

    output: list[str]
    records: list[OwnRecord]
    pid: int

    def of(self, kind: type[Record]) -> list[Record]:
        return [record for record in self.records if isinstance(record, kind)]

    def by_thread(self) -> dict[ThreadRecord, list[Sample]]:
        found: dict[ThreadRecord, list[Sample]] = {}
        for sample in self.of(Sample):
            found.setdefault(sample.thread, []).append(sample)
        return found

    def functions(self, sample: Sample) -> list[str]:
        """Names of a stack, innermost first."""
        return [place.function for place in sample.stack or ()]


def clean_environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {key: os.environ[key] for key in keep if key in os.environ}


def faults_of(samples: Sequence[Sample]) -> list[GivenFaults]:
    """Give out the minor faults of one thread, once a second as a session does."""
    cpu, faults = CpuByStack(), FaultsByStack(WhoseCode())
    found: list[GivenFaults] = []
    due = samples[0].t_ns + NS_PER_S if samples else 0
    for sample in samples:
        cpu.add(sample)
        faults.add(sample, at_work=cpu.at_work, waits_there=sample.stack in cpu.sleeps)
        if sample.t_ns >= due:
            due += NS_PER_S
            found += faults.settle()
    return found + faults.settle(final=True)
