"""Chains of frames that lead nowhere: what lies in the target is not believed, and always ends."""

from __future__ import annotations

import struct

import pytest
from support.sampler_stream import Collected

from perftui.probes.sampler.cpython.code import Codes
from perftui.probes.sampler.cpython.layout import MEASURED, Layout
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.guess import Guess
from perftui.probes.sampler.memory import Buffer, Memory
from perftui.probes.sampler.reading.frames import ON_C_STACK
from perftui.probes.sampler.reading.walk import Walker

STATE, CFRAME, CHUNK, OLDER = 0x10000, 0x20000, 0x30000, 0x40000
LAYOUT = Layout(12, MEASURED[12])


class Made(Memory):
    """A process that holds what it is given, and never changes."""

    def __init__(self, content: dict[int, bytes]) -> None:
        super().__init__(0)
        self._content = content

    def read(self, address: int, size: int) -> bytes:
        for begin, raw in self._content.items():
            if begin <= address and address + size <= begin + len(raw):
                return raw[address - begin : address - begin + size]
        raise OSError(14, "read")

    def gather(self, buffer: Buffer, pieces: list[int], total: int) -> bool:
        raw = b"".join(self.read(at, size) for at, size in zip(pieces[::2], pieces[1::2]))  # noqa: B905
        buffer.bytes[:total] = raw
        return len(raw) == total


def frame(previous: int, owner: int) -> bytes:
    raw = bytearray(80)
    struct.pack_into("<QQ", raw, 0, 0, previous)
    raw[70] = owner
    return bytes(raw)


def process(first: int, frames: dict[int, bytes]) -> Made:
    state = bytearray(LAYOUT.thread_size)
    struct.pack_into("<Q", state, LAYOUT.native_id, 7)
    struct.pack_into("<Q", state, LAYOUT.cframe, CFRAME)
    struct.pack_into("<QQQ", state, LAYOUT.chunk, CHUNK, CHUNK + 256, CHUNK + 0x4000)
    chunks = {CHUNK: bytearray(0x4000), OLDER: bytearray(0x4000)}
    struct.pack_into("<QQQ", chunks[CHUNK], 0, OLDER, 0x4000, 0)
    struct.pack_into("<QQQ", chunks[OLDER], 0, 0, 0x4000, 0x200)
    for address, raw in frames.items():
        chunk = CHUNK if address < OLDER else OLDER
        chunks[chunk][address - chunk : address - chunk + len(raw)] = raw
    content = {STATE: bytes(state), CFRAME: struct.pack("<QQ", first, 0)}
    return Made({**content, **{at: bytes(raw) for at, raw in chunks.items()}})


@pytest.mark.parametrize(
    "frames",
    [
        {CHUNK + 24: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(CHUNK + 104, ON_C_STACK), CHUNK + 104: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(OLDER + 24, ON_C_STACK), OLDER + 24: frame(OLDER + 24, ON_C_STACK)},
        {CHUNK + 24: frame(OLDER + 24, ON_C_STACK), OLDER + 24: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(0, 2)},
        {CHUNK + 24: frame(0, 9)},
        {CHUNK + 24: frame(0xDEAD0000, ON_C_STACK)},
        {CHUNK + 24: frame(0, 0)},
    ],
    ids=["itself", "circle", "older itself", "circle over chunks", "owner", "no owner", "nowhere",
         "no code"],
)  # fmt: skip
def test_a_chain_that_is_none(frames: dict[int, bytes]) -> None:
    memory = process(CHUNK + 24, frames)
    names = Names(Collected())
    walker = Walker(memory, LAYOUT, Codes(memory, LAYOUT, names), names)
    read = walker.alone(Guess(STATE, 7, 0, 0))
    assert read.failed or read.node == -1
    assert not read.unsteady or read.node == -1


def test_the_state_of_another_thread_is_refused() -> None:
    memory = process(CHUNK + 24, {CHUNK + 24: frame(0, ON_C_STACK)})
    names = Names(Collected())
    walker = Walker(memory, LAYOUT, Codes(memory, LAYOUT, names), names)
    assert walker.alone(Guess(STATE, 8, 0, 0)).failed
    assert not walker.alone(Guess(STATE, 7, 0, 0)).failed
