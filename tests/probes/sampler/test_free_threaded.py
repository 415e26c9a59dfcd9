"""Free-threaded builds: their objects are longer, and each thread runs instructions of its own."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.pythons import ask

from perftui.probes.sampler.cpython.code import Codes
from perftui.probes.sampler.cpython.interpreters import Interpreters
from perftui.probes.sampler.cpython.layout import PUBLISHED, Layout, Refused, layout_of
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.cpython.objects import NotSo, Objects
from perftui.probes.sampler.memory import Memory
from perftui.probes.sampler.stream import Writer
from perftui.probes.stacks.own.records import ProcessRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

OFFSETS_14 = (
    "365624 784 808 249976 7280 7272 7344 7360 7408 7712 7696 7704 16 7808 0 7832 7824 8024 17300 "
    "832 0 8 16 72 152 160 232 32 88 8 0 56 80 78 64 72 240 128 136 144 152 84 68 112 120 232 224"
)
"""What a free-threaded 3.14 publishes, by `offsetof` with its headers."""
VERSION_14 = 0x030E0AF0


class Laid:
    """Objects of a free-threaded 3.14, laid out in our own memory."""

    def __init__(self) -> None:
        self.memory = Memory(os.getpid())
        self._kept: list[ctypes.Array[ctypes.c_char]] = []
        self._types = {
            name: self.put(bytes(40) + struct.pack("<Q", self.put(name.encode() + b"\0" * 8)))
            for name in ("str", "bytes", "code")
        }

    def put(self, content: bytes) -> int:
        self._kept.append(ctypes.create_string_buffer(content, len(content) + 64))
        return ctypes.addressof(self._kept[-1])

    def object(self, kind: str, rest: bytes) -> int:
        return self.put(bytes(24) + struct.pack("<Q", self._types[kind]) + rest)

    def text(self, text: str) -> int:
        width = 1 if text.isascii() or max(text) < "\u0100" else 2
        # interned: a byte; kind:3 compact:1 ascii:1
        state = 2 | (width | 1 << 3 | text.isascii() << 4) << 8 | 0xAB << 16
        data = text.encode("latin-1" if width == 1 else "utf-16-le")
        head = struct.pack("<qqI4x", len(text), -1, state)
        return self.object("str", head + (b"" if text.isascii() else bytes(16)) + data)

    def bytes(self, content: bytes) -> int:
        return self.object("bytes", struct.pack("<qq", len(content), -1) + content)

    def runtime(self, offsets: str, free_threaded: int = 1) -> int:
        words = [int(word) for word in offsets.split()]
        head = struct.pack("<8sQQ", b"xdebugpy", VERSION_14, free_threaded)
        return self.put(head + struct.pack(f"<{len(words)}Q", *words))

    def code(self, name: str, file: str, copies: list[int], units: int, first_line: int) -> int:
        # Per unit one entry: code 15 (none) would tell nothing; 11 = next line, one column pair.
        table = b"".join(bytes([0x80 | 11 << 3, 0, 0]) for _ in range(units))
        entries = struct.pack(f"<q{len(copies)}Q", len(copies), *copies)
        fields = bytearray(232 + 2 * units)
        struct.pack_into("<Qq", fields, 24, self._types["code"], units)
        struct.pack_into("<i", fields, 84, first_line)
        pointers = self.text(file), self.text(name), self.text(name), self.bytes(table)
        struct.pack_into("<4Q", fields, 128, *pointers)
        struct.pack_into("<Q", fields, 224, self.put(entries))
        return self.put(bytes(fields))


@pytest.fixture
def laid() -> Laid:
    return Laid()


def layout(laid: Laid) -> Layout:
    return layout_of(laid.memory, laid.runtime(OFFSETS_14), VERSION_14)


def test_what_it_publishes_is_understood(laid: Laid) -> None:
    assert len(OFFSETS_14.split()) == len(PUBLISHED[14].split())
    found = layout(laid)
    assert (found.free_threaded, found.copies, found.instructions) == (True, 224, 232)
    assert (found.interpreters, found.threads_head, found.native_id) == (808, 7344, 160)
    assert found.frame(bytes(range(88)))[3] == 78  # the byte of the owner lies further on


@pytest.mark.parametrize("text", ["work", "wörk", "работа", "x" * 300, "ö" * 70])
def test_strings_of_every_kind_are_read(laid: Laid, text: str) -> None:
    objects = Objects(laid.memory, layout(laid))
    assert objects.text(laid.text(text)) == text
    assert objects.data(laid.bytes(b"abc"), 10) == b"abc"
    with pytest.raises(NotSo):
        objects.text(laid.bytes(b"abc"))


def test_a_threads_own_instructions_have_the_same_lines(laid: Laid) -> None:
    """3.14+: the main thread runs those in the code object, every other one a copy."""
    read, write = os.pipe()
    codes = Codes(laid.memory, layout(laid), Names(Writer(write)))
    copies = [laid.put(bytes(16)) for _ in range(3)]
    code = laid.code("work", "/a.py", [0, *copies], units=8, first_line=10)
    own = code + 232
    lines = {codes.frame_id(code, start + 2 * 3) for start in (own, *copies)}
    assert len(lines) == 1
    assert codes.frame_id(code, copies[1] + 2 * 4) not in lines
    assert codes.frame_id(code, own - 2) == codes.frame_id(code, copies[2] - 2)  # not begun
    with pytest.raises(NotSo):
        codes.frame_id(code, laid.put(bytes(16)))
    os.close(read)
    os.close(write)


def test_who_says_that_it_is_free_threaded_must_be_laid_out_so(laid: Laid) -> None:
    words = OFFSETS_14.split()
    words[-1] = "0"
    for offsets, free_threaded in ((" ".join(words), 1), (OFFSETS_14, 2)):
        with pytest.raises(Refused, match="unknown-version"):
            layout_of(laid.memory, laid.runtime(offsets, free_threaded), VERSION_14)


@pytest.mark.parametrize(("on", "held"), [(0, 0), (1, 0x1234)])
def test_a_gil_counts_only_where_it_is_on(laid: Laid, on: int, held: int) -> None:
    interpreters = Interpreters(laid.memory, layout(laid), 0, glibc=True)
    interpreters.gils = [1]
    raw = struct.pack("<iiqQi4x", on, 0, 5000, 0x1234, 1)
    assert interpreters.holders(raw) == [held]


# --- real ones, where there are any


def real_ones() -> list[str]:
    """Free-threaded interpreters that are told (PERFTUI_PYTHONS) or that uv, pyenv or PATH have."""
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    folders += sorted((Path.home() / ".pyenv/versions").glob("*t*/bin"))
    folders += sorted((Path.home() / ".local/share/uv/python").glob("*freethreaded*/bin"))
    found = [
        str(folder / f"python3.{minor}t")
        for minor in (13, 14, 15)
        for folder in folders
        if (folder / f"python3.{minor}t").exists()
    ]
    told = [each for each in os.environ.get("PERFTUI_PYTHONS", "").split(os.pathsep) if each]
    by_minor = {
        said.minor: said.executable
        for each in [*found, *told]
        if (said := ask(each)) is not None and said.free_threaded
    }
    return list(by_minor.values())


PROGRAM = """
import sys, threading, time
def inner(end):
    n = 0
    while time.thread_time() < end: n += sum(range(50))
    return n
def wörk(): inner(time.thread_time() + .6)
def other(): inner(time.thread_time() + .6)
print("go", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=each) for each in (wörk, other)]
for each in threads: each.start()
for each in threads: each.join()
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.live
@pytest.mark.parametrize("build", real_ones() or [""])
def test_stacks_of_a_real_one(build: str, watch: Callable[..., Watched]) -> None:
    if not build:
        pytest.skip("no free-threaded Python is here")
    watched = watch(build, PROGRAM)
    [label] = {each.label for each in watched.of(ProcessRecord) if each.status == "sampled"}
    assert label.startswith("own sampler, CPython 3.")
    found = set()
    for samples in watched.by_thread().values():
        for sample in samples:
            found.update(watched.functions(sample))
            assert not sample.gil_held
    assert {"wörk", "other", "inner"} <= found
