"""The list of mappings, summed up by what they are for."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from threading import Event, Thread

import numpy as np

from perftui.probes.resident.smaps import Kind, read_mappings

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


def own_mb(kind: Kind) -> float:
    return read_mappings(Path("/proc/self/smaps").read_bytes()).size(kind).rss_bytes / 1e6


def test_this_very_process() -> None:
    before = {kind: own_mb(kind) for kind in ("data files", "shared", "anonymous")}
    array = np.ones(8_000_000)
    shared = mmap.mmap(-1, 20_000_000)
    shared.write(b"x" * 20_000_000)
    with tempfile.TemporaryFile(dir=Path.cwd()) as file:
        file.write(b"y" * 30_000_000)
        file.flush()
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        assert sum(data[::4096]) > 0
        done = Event()
        threads = [Thread(target=done.wait) for _ in range(20)]
        for thread in threads:
            thread.start()
        try:
            text = Path("/proc/self/smaps").read_bytes()
            after = read_mappings(text)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    whole = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(b"Rss:"))
    assert after.rss_bytes == whole * 1024
    # The system keeps stacks of threads that have ended for those that come.
    assert after.size("stacks").rss_bytes >= 20 * 4096
    grown = {kind: after.size(kind).rss_bytes / 1e6 - was for kind, was in before.items()}
    assert 29 < grown["data files"] < 33
    assert 19 < grown["shared"] < 23
    assert 60 < grown["anonymous"] < 80
    assert array[0] == 1
    assert os.getpid()
