"""The memory of a process that never was: one thread, and frames where they are wanted."""

from __future__ import annotations

import struct

from perftui.probes.sampler.cpython.layout import MEASURED, Layout
from perftui.probes.sampler.memory import Buffer, Memory

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
    """Return a frame without code."""
    raw = bytearray(80)
    struct.pack_into("<QQ", raw, 0, 0, previous)
    raw[70] = owner
    return bytes(raw)


def process(first: int, frames: dict[int, bytes], used: int = 256) -> Made:
    """Return the memory; `first` is the innermost frame, `used` the bytes of the newest chunk."""
    state = bytearray(LAYOUT.thread_size)
    struct.pack_into("<Q", state, LAYOUT.native_id, 7)
    struct.pack_into("<Q", state, LAYOUT.cframe, CFRAME)
    struct.pack_into("<QQQ", state, LAYOUT.chunk, CHUNK, CHUNK + used, CHUNK + 0x4000)
    chunks = {CHUNK: bytearray(0x4000), OLDER: bytearray(0x4000)}
    struct.pack_into("<QQQ", chunks[CHUNK], 0, OLDER, 0x4000, 0)
    struct.pack_into("<QQQ", chunks[OLDER], 0, 0, 0x4000, 0x200)
    for address, raw in frames.items():
        chunk = CHUNK if address < OLDER else OLDER
        chunks[chunk][address - chunk : address - chunk + len(raw)] = raw
    content = {STATE: bytes(state), CFRAME: struct.pack("<QQ", first, 0)}
    return Made({**content, **{at: bytes(raw) for at, raw in chunks.items()}})
