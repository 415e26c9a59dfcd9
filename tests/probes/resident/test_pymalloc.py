"""Python's heap, read from outside."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from support.pythons import ask

from perftui.probes.resident.pymalloc import Arenas, PythonHeap, reader_of
from perftui.probes.resident.smaps import read_mappings

OBJECTS = 1_000_000
PROGRAM = f"""
import sys
kept = [object() for _ in range({OBJECTS})]
print("kept", flush=True); sys.stdin.readline()
del kept
print("freed", flush=True); sys.stdin.readline()
"""


def heap_of(pid: int) -> PythonHeap | None:
    mappings = read_mappings(Path(f"/proc/{pid}/smaps").read_bytes())
    read, close = reader_of(pid)
    try:
        return Arenas(read).heap(mappings.interpreter, mappings.writable)
    finally:
        close()


def skip_if_free_threaded(python: str) -> None:
    told = ask(python)
    if told is None or told.free_threaded:
        pytest.skip("it has no arenas")


def test_objects_of_every_python_are_found_and_found_to_be_gone(python: str) -> None:
    skip_if_free_threaded(python)
    pipe = subprocess.PIPE
    with subprocess.Popen([python, "-c", PROGRAM], stdin=pipe, stdout=pipe) as target:
        assert target.stdin is not None and target.stdout is not None
        try:
            assert target.stdout.readline() == b"kept\n"
            kept = heap_of(target.pid)
            target.stdin.write(b"\n")
            target.stdin.flush()
            assert target.stdout.readline() == b"freed\n"
            freed = heap_of(target.pid)
        finally:
            target.stdin.close()
    assert kept is not None and freed is not None
    # 16 bytes each; the interpreter's own objects are some MB.
    assert 16 * OBJECTS < kept.used_bytes < 24 * OBJECTS
    assert kept.used_bytes - freed.used_bytes > 15 * OBJECTS
    assert freed.used_bytes > 0


def test_it_is_looked_for_in_few_reads(python: str) -> None:
    """Its variables hold some thousand pointers, and each run begins with a search."""
    skip_if_free_threaded(python)
    code = "print(1, flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([python, "-c", code], stdin=pipe, stdout=pipe) as target:
        assert target.stdin is not None and target.stdout is not None
        assert target.stdout.readline() == b"1\n"
        mappings = read_mappings(Path(f"/proc/{target.pid}/smaps").read_bytes())
        read, close = reader_of(target.pid)
        reads = []
        variables = [range(*place) for place in mappings.interpreter]

        def counted(address: int, size: int) -> bytes:
            reads.append((size, any(address in place for place in variables)))
            return read(address, size)

        try:
            heap = Arenas(counted).heap(mappings.interpreter, mappings.writable)
        finally:
            close()
            target.stdin.close()
    assert heap is not None
    assert len(reads) < 150
    assert max(size for size, is_variable in reads if not is_variable) <= 64 << 10


@pytest.mark.parametrize("way", ["malloc", "debug"])
def test_a_python_with_another_allocator(python: str, way: str) -> None:
    """It is not found, or found for what it is."""
    skip_if_free_threaded(python)
    pipe = subprocess.PIPE
    env = {"PATH": os.environ["PATH"], "PYTHONMALLOC": way}
    with subprocess.Popen([python, "-c", PROGRAM], stdin=pipe, stdout=pipe, env=env) as target:
        assert target.stdin is not None and target.stdout is not None
        try:
            assert target.stdout.readline() == b"kept\n"
            heap = heap_of(target.pid)
        finally:
            target.stdin.close()
    if way == "malloc":
        assert heap is None or heap.used_bytes < 2_000_000
    else:
        assert heap is not None and heap.used_bytes > 32 * OBJECTS


class Image:
    """Memory of nothing but what is put there."""

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}

    def read(self, address: int, size: int) -> bytes:
        for start, data in self.pieces.items():
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        raise OSError


MIB = 1 << 20
ARRAY, FIRST, VARIABLES = 64 * MIB, 128 * MIB, 16 * MIB


def arena(n: int, cut: int, free: int, total: int = 64) -> bytes:
    address = FIRST + n * MIB
    return struct.pack("<QQIIQQQ", address, address + cut * 16384, free, total, 0, 0, 0)


def image_of(entries: bytes, pointer: int = ARRAY) -> Image:
    image = Image()
    image.pieces[ARRAY] = entries + bytes(48 * 32)
    image.pieces[VARIABLES] = struct.pack("<QQQQ", 5, pointer, 0, ARRAY + 8)
    return image


def heap_in(image: Image) -> PythonHeap | None:
    writable = [(ARRAY, ARRAY + MIB, "malloc"), (FIRST, FIRST + 32 * MIB, "anonymous")]
    return Arenas(image.read).heap([(VARIABLES, VARIABLES + 32)], writable)  # type: ignore[arg-type]


def test_pools_that_are_empty_again_and_those_never_used() -> None:
    # Of 64 pools: all in use; 10 cut, of which 4 are empty again; all cut, all but one empty.
    heap = heap_in(image_of(arena(0, 64, 0) + arena(1, 10, 58) + arena(2, 64, 63)))
    assert heap == PythonHeap(
        3, (64 + 6 + 1) * 16384, (4 + 63) * 16384, {"anonymous": (64 + 10 + 64) * 16384}
    )


@pytest.mark.parametrize(
    "entries",
    [
        b"",
        b"\xff" * 480,
        arena(0, 64, 65),  # more free than there are
        arena(0, 64, 0, total=7),
        arena(200, 64, 0),  # where nothing is mapped
    ],
)
def test_what_is_no_list_of_arenas_is_not_taken_for_one(entries: bytes) -> None:
    assert heap_in(image_of(entries)) is None


def test_a_list_that_has_moved_is_found_where_it_is_now() -> None:
    image = image_of(arena(0, 64, 0))
    writable = [(ARRAY, ARRAY + MIB, "malloc"), (FIRST, FIRST + 32 * MIB, "anonymous")]
    arenas = Arenas(image.read)

    def used_pools() -> int:
        heap = arenas.heap([(VARIABLES, VARIABLES + 32)], writable)  # type: ignore[arg-type]
        assert heap is not None
        return heap.used_bytes // 16384

    assert used_pools() == 64
    image.pieces[ARRAY + 8192] = arena(0, 64, 0) + arena(1, 3, 61) + bytes(48 * 32)
    image.pieces[VARIABLES] = struct.pack("<QQQQ", 5, ARRAY + 8192, 0, 0)
    assert used_pools() == 67
