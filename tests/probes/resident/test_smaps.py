"""The list of mappings, summed up by what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.fresh import steps

from perftui.probes.resident.smaps import Kind, read_mappings

if TYPE_CHECKING:
    import pytest

LIBC = "/usr/lib/libc.so.6"


def entry(span: str, rights: str, rss_kb: int, name: str = "", inode: int = 0) -> str:
    return (
        f"{span} {rights} 00000000 00:00 {inode}                 {name}\n"
        f"Size: 8 kB\nKernelPageSize: 4 kB\nMMUPageSize: 4 kB\n"
        f"Rss: {rss_kb} kB\nPss: {rss_kb // 2} kB\nPss_Dirty: 0 kB\nSwap: 0 kB\n"
        "VmFlags: rd wr mr mw me ac sd\n"
    )


def kinds_kb(*entries: str) -> dict[Kind, int]:
    mappings = read_mappings("".join(entries).encode())
    assert mappings.count == len(entries)
    return {kind: s.rss_bytes // 1024 for kind, s in mappings.sizes.items() if s.rss_bytes}


def test_files_are_told_by_what_they_are() -> None:
    assert kinds_kb(
        entry("10000-20000", "r-xp", 40, LIBC, 7),
        entry("20000-30000", "rw-p", 4, LIBC, 7),
        entry("30000-31000", "rw-p", 2),
        entry("40000-50000", "r--s", 400, "/data/part-0.arrow", 8),
        entry("60000-61000", "rw-s", 10, "/dev/shm/psm_1", 9),
        entry("70000-71000", "rw-s", 20, "/memfd:x (deleted)", 10),
        entry("80000-81000", "r-xp", 1, "[vdso]"),
    ) == {"libraries": 47, "data files": 400, "shared": 30}


def test_nameless_memory_is_told_by_its_form() -> None:
    assert kinds_kb(
        entry("555500000000-555501000000", "rw-p", 100, "[heap]"),
        entry("36f9bc00000-36fdbc00000", "rw-p", 200),
        entry("7f00c0000000-7f00c0021000", "rw-p", 32),  # an arena of malloc
        entry("7f00c0021000-7f00c4000000", "---p", 0),
        entry("7f00c4000000-7f00cbfff000", "rw-p", 1000),  # two more that are (nearly) full
        entry("7f00cbfff000-7f00cc000000", "---p", 0),
        entry("7f00cc000000-7f00d0000000", "rw-p", 2000),
        entry("7f00d4160000-7f00d4161000", "---p", 0),
        entry("7f00d4161000-7f00d4961000", "rw-p", 8),  # a thread's stack above its guard
        entry("7f00e0000000-7f00f0001000", "rw-p", 5000),
        entry("7ffc2c257000-7ffc2c278000", "rw-p", 80, "[stack]"),
    ) == {"malloc": 3132, "mimalloc": 200, "stacks": 88, "anonymous": 5000}


def test_an_allocator_that_was_put_in_place_of_malloc_is_named() -> None:
    other = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
    text = entry("10000-20000", "r-xp", 40, other, 7)
    assert read_mappings(text.encode()).allocator == "jemalloc"
    assert read_mappings(text.replace("jemalloc", "z").encode()).allocator == ""


def test_rubbish_is_nothing() -> None:
    for text in (b"", b"\n\n", b"Rss: 4 kB\n", b"\xff" * 1000, b"10-20 rw-p"):
        assert read_mappings(text).rss_bytes == 0


MAKES = """
import mmap, tempfile
from threading import Event, Thread
file = tempfile.TemporaryFile(dir=".")
for _ in range(30):
    file.write(b"y" * 1_000_000)
file.flush()
done = Event()
step()
array = mmap.mmap(-1, 64_000_000, mmap.MAP_PRIVATE)
shared = mmap.mmap(-1, 20_000_000)
for memory in (array, shared):
    for at in range(0, len(memory), 4096):
        memory[at] = 1
data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
assert sum(data[::4096]) > 0
for _ in range(20):
    Thread(target=done.wait, daemon=True).start()
step()
"""


def test_a_process_whose_mappings_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def text_of(pid: int) -> bytes:
        return Path(f"/proc/{pid}/smaps").read_bytes()

    with steps(MAKES) as program:
        before = read_mappings(text_of(program.pid))
        program.go_on()
        text = text_of(program.pid)
    after = read_mappings(text)
    whole = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(b"Rss:"))
    assert after.rss_bytes == whole * 1024

    def grown_mb(kind: Kind) -> float:
        return (after.size(kind).rss_bytes - before.size(kind).rss_bytes) / 1e6

    assert grown_mb("stacks") >= 20 * 4096 / 1e6
    assert 29 < grown_mb("data files") < 33
    assert 19 < grown_mb("shared") < 23
    assert 63 < grown_mb("anonymous") < 72
