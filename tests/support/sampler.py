"""Interpreters that the own sampler knows, and what it said of a program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from perftui.probes.stacks.own.records import Sample
from support.pythons import interpreters

if TYPE_CHECKING:
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
