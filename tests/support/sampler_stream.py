"""The own sampler's stream without a process: what was written, and what comes out of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from perftui.probes.sampler.stream import Writer
from perftui.probes.stacks.own.decode import Decoder

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import OwnRecord


class Collected(Writer):
    """A writer whose bytes stay here."""

    def __init__(self) -> None:
        super().__init__(-1)

    def take(self) -> bytes:
        self._end_samples()
        taken, self._pending = bytes(self._pending), bytearray()
        return taken


def decode(data: bytes, cuts: list[int]) -> list[OwnRecord]:
    decoder = Decoder()
    records: list[OwnRecord] = []
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for low, high in pairwise(edges):
        records += decoder.feed(data[low:high])
    return records
